//! Who is trusted, and what follows for those who are not.
//!
//! What a stranger writes is read by agents like anything else, so it may not
//! choose when an agent starts, nor meet it in a weak sandbox. Which sandbox is
//! weak is not known here; see the `zazen` crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::command::Name;

/// The owner's word on who may start work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Nobody named means everybody: on the local forge, whoever can write is at home.
    people: BTreeSet<String>,
    /// Whether strangers' commands count as anybody's.
    strangers_may_start: bool,
    /// What somebody must be allowed to do in the repository, where its forge says that.
    permission: Permission,
    /// The same for single commands.
    commands: BTreeMap<Name, Permission>,
}

/// What a forge lets somebody do in a repository. Each may do what those before it may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Pack,
    Unpack,
    Serialize,
    Deserialize,
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

/// Somebody who wrote something, as far as the forge says who that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author<'a> {
    pub name: &'a str,
    /// What the forge lets them do. The local one says nothing.
    pub permission: Option<Permission>,
    /// Whether it is a program.
    pub is_bot: bool,
}

/// How far somebody is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Trusted,
    Stranger,
}

/// A word that is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a permission; write one of {}", Permission::words())]
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

    fn words() -> String {
        let words: Vec<String> = Self::ALL.iter().map(|each| format!("\"{each}\"")).collect();
        words.join(", ")
    }
}

impl<'a> Author<'a> {
    /// Somebody of whom only the name is known.
    pub fn named(name: &'a str) -> Self {
        Self { name, permission: None, is_bot: false }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::new(BTreeSet::new(), false)
    }
}

impl Trust {
    /// Trusts these people, or everybody if there are none; where a forge says what
    /// somebody may do, only those who may write.
    pub fn new(people: BTreeSet<String>, strangers_may_start: bool) -> Self {
        let permission = Permission::Write;
        Self { people, strangers_may_start, permission, commands: BTreeMap::new() }
    }

    /// The same, with other permissions needed: for all commands, and for single ones.
    #[must_use]
    pub fn needing(self, permission: Permission, commands: BTreeMap<Name, Permission>) -> Self {
        Self { permission, commands, ..self }
    }

    /// Says how far the author of a text is trusted.
    pub fn tier(&self, author: Author<'_>) -> Tier {
        self.tier_for(author, self.permission)
    }

    /// Says whether the author of a text may give this command in it.
    ///
    /// A program may not, unless the owner has named it: what a program writes may come
    /// from anybody, and two programs that answer each other never end.
    pub fn may_command(&self, author: Author<'_>, command: Name) -> bool {
        if author.is_bot {
            return self.people.contains(author.name);
        }
        let needed = self.commands.get(&command).copied().unwrap_or(self.permission);
        self.strangers_may_start || self.tier_for(author, needed) == Tier::Trusted
    }

    /// The tier of work that all these people's texts are part of: the least trusted counts.
    pub fn tier_of_all<'a>(&self, authors: impl IntoIterator<Item = Author<'a>>) -> Tier {
        authors.into_iter().map(|author| self.tier(author)).max().unwrap_or(Tier::Trusted)
    }

    fn tier_for(&self, author: Author<'_>, needed: Permission) -> Tier {
        let is_named = self.people.contains(author.name);
        let may = author.permission.is_none_or(|permission| permission >= needed);
        let is_trusted =
            if author.is_bot { is_named } else { may && (is_named || self.people.is_empty()) };
        if is_trusted { Tier::Trusted } else { Tier::Stranger }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let found = Self::ALL.into_iter().find(|each| each.word() == text);
        found.ok_or_else(|| UnknownPermission { word: text.to_owned() })
    }
}

#[cfg(test)]
mod tests;
