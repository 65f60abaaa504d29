//! The tasks of a book, those at rest packed small.
//!
//! A home gathers tasks for years, and nearly all of them wait for a person or
//! are over. Such a task is kept as bytes, a fraction of what it takes unpacked,
//! and is unpacked when it is looked at. Which form a task has follows from its
//! state alone, so equal books are equal byte for byte. A snapshot has the same
//! bytes, which are read several times as fast as the task in words; the journal
//! has everything in words. What the bytes mean changes with every field of a
//! task, so [`LAYOUT`] goes up with them.

use std::borrow::Cow;
use std::fmt;

use serde::de;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dense::Dense;
use super::zeros::{spread, squeeze};
use crate::id::TaskId;
use crate::task::Task;

/// The version of the bytes that a task at rest is packed into. A test fails when they are
/// not what they were; then this is one more.
pub const LAYOUT: u32 = 12;

/// Tasks by their numbers.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Shelf(Dense<TaskId, Held>);

/// One task, in one of two forms.
#[derive(Clone, PartialEq, Eq)]
enum Held {
    Unpacked(Box<Task>),
    Packed(Box<[u8]>),
}

impl Shelf {
    pub(super) fn put(&mut self, task: Task) {
        self.0.insert(task.id, Held::of(task));
    }

    pub(super) fn get(&self, id: TaskId) -> Option<Cow<'_, Task>> {
        self.0.get(&id).map(Held::task)
    }

    pub(super) fn contains(&self, id: TaskId) -> bool {
        self.0.contains_key(&id)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Cow<'_, Task>> {
        self.0.values().map(Held::task)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn last(&self) -> Option<TaskId> {
        self.0.last_key().copied()
    }
}

impl Held {
    fn of(task: Task) -> Self {
        if task.is_at_rest() {
            let bytes = borsh::to_vec(&task).expect("memory takes all that is written to it");
            Self::Packed(squeeze(&bytes).into_boxed_slice())
        } else {
            Self::Unpacked(Box::new(task))
        }
    }

    fn task(&self) -> Cow<'_, Task> {
        match self {
            Self::Unpacked(task) => Cow::Borrowed(task),
            Self::Packed(bytes) => {
                Cow::Owned(unpack(bytes).expect("these bytes were packed by `of`"))
            }
        }
    }
}

fn unpack(bytes: &[u8]) -> Option<Task> {
    borsh::from_slice(&spread(bytes)?).ok()
}

/// Shows the tasks in full, whatever form they are kept in.
impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unpacked(task) => task.serialize(serializer),
            Self::Packed(bytes) => serializer.serialize_str(&hex::encode(bytes)),
        }
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

/// Reads a task in either form.
struct Either;

impl<'de> de::Visitor<'de> for Either {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task, in words or packed")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Held, E> {
        let bytes = hex::decode(text).map_err(E::custom)?;
        // Whoever looks at it later takes for granted that it can be unpacked.
        unpack(&bytes).ok_or_else(|| E::custom("these bytes are no task"))?;
        Ok(Held::Packed(bytes.into_boxed_slice()))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Held, A::Error> {
        Task::deserialize(de::value::MapAccessDeserializer::new(map)).map(Held::of)
    }
}

#[cfg(test)]
mod tests;
