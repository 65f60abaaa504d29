//! Who is trusted, and what follows for those who are not.
//!
//! What a stranger writes is read by agents like anything else, so it may not
//! choose when an agent starts, nor meet it in a weak sandbox. Which sandbox is
//! weak is not known here; see the `zazen` crate.

use std::collections::BTreeSet;

/// The owner's word on who may start work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Nobody named means everybody: on the local forge, whoever can write is at home.
    people: BTreeSet<String>,
    /// Whether strangers' commands count as anybody's.
    strangers_may_start: bool,
}

/// How far somebody is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Trusted,
    Stranger,
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
