//! Who is trusted, and what follows for those who are not.
//!
//! What a stranger writes is read by agents like anything else, so it may not
//! choose when an agent starts, nor meet it in a weak sandbox. Which sandbox is
//! weak is not known here; see the `zazen` crate.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The owner's word on who may start work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Nobody named means everybody: on the local forge, whoever can write is at home.
    people: BTreeSet<String>,
    /// Whether strangers' commands count as anybody's.
    strangers_may_start: bool,
}

/// What a forge lets somebody do in a repository. Each may do what those before it may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    #[default]
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// How far somebody is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Trusted,
    Stranger,
}

/// A word that is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a permission")]
pub struct UnknownPermission {
    word: String,
}

impl Permission {
    /// All of them, the least first.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Read, Self::Triage, Self::Write, Self::Maintain, Self::Admin];

    /// The word for this permission, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(word: &str) -> Result<Self, UnknownPermission> {
        let found = Self::ALL.into_iter().find(|each| each.word() == word);
        found.ok_or_else(|| UnknownPermission { word: word.to_owned() })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Trust {
    /// Trusts these people, or everybody if there are none.
    pub fn new(people: BTreeSet<String>, strangers_may_start: bool) -> Self {
        Self { people, strangers_may_start }
    }

    /// Says how far the author of a text is trusted.
    pub fn tier(&self, author: &str) -> Tier {
        if self.people.is_empty() || self.people.contains(author) {
            Tier::Trusted
        } else {
            Tier::Stranger
        }
    }

    /// Says whether the author of a comment may give commands in it.
    pub fn may_command(&self, author: &str) -> bool {
        self.strangers_may_start || self.tier(author) == Tier::Trusted
    }

    /// The tier of work that all these people's texts are part of: the least trusted counts.
    pub fn tier_of_all<'a>(&self, authors: impl IntoIterator<Item = &'a str>) -> Tier {
        authors.into_iter().map(|author| self.tier(author)).max().unwrap_or(Tier::Trusted)
    }
}
