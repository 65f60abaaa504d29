//! The tasks of a book, those at rest packed small.
//!
//! A home gathers tasks for years, and nearly all of them wait for a person or
//! are over. Such a task is kept as bytes, a third of what it takes unpacked,
//! and is unpacked when it is looked at. Which form a task has follows from its
//! state alone, so equal books are equal byte for byte. The bytes never leave
//! the process: a snapshot has the tasks in full.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::id::TaskId;
use crate::task::Task;

/// Tasks by their numbers.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Shelf(BTreeMap<TaskId, Held>);

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
        self.0.last_key_value().map(|(&id, _)| id)
    }
}

impl Held {
    fn of(task: Task) -> Self {
        if task.is_at_rest() {
            let bytes = borsh::to_vec(&task).expect("memory takes all that is written to it");
            Self::Packed(bytes.into_boxed_slice())
        } else {
            Self::Unpacked(Box::new(task))
        }
    }

    fn task(&self) -> Cow<'_, Task> {
        match self {
            Self::Unpacked(task) => Cow::Borrowed(task),
            Self::Packed(bytes) => {
                Cow::Owned(borsh::from_slice(bytes).expect("these bytes were packed by `of`"))
            }
        }
    }
}

/// Shows the tasks in full, whatever form they are kept in.
impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Shelf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|task| (task.id, task)))
    }
}

impl<'de> Deserialize<'de> for Shelf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Tasks)
    }
}

struct Tasks;

impl<'de> Visitor<'de> for Tasks {
    type Value = Shelf;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tasks by their numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shelf, A::Error> {
        // A tree that is made of a sorted list is full; one that grows at its end, half empty.
        let mut tasks = Vec::new();
        while let Some((id, task)) = map.next_entry::<TaskId, Task>()? {
            tasks.push((id, Held::of(task)));
        }
        Ok(Shelf(tasks.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests;
