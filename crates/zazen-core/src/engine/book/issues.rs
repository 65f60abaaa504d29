//! The issues of one repository.
//!
//! Read from a snapshot in one go: a tree that is made of a sorted list is full,
//! and one that grows at its end is half empty.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::IssueState;
use crate::id::IssueNumber;

/// Issues by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Issues(BTreeMap<IssueNumber, IssueState>);

impl Deref for Issues {
    type Target = BTreeMap<IssueNumber, IssueState>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Issues {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Serialize for Issues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Issues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Issues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("issues by their numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Issues, A::Error> {
        let mut issues = Vec::new();
        while let Some(issue) = map.next_entry()? {
            issues.push(issue);
        }
        Ok(Issues(issues.into_iter().collect()))
    }
}
