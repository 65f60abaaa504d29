//! Reads very many tasks from a snapshot, without holes in memory.
//!
//! What is read grows while it is read, and the garbage of one task can be used
//! by the next only if it is given back at once. Tasks of one repository share
//! its name, and a tree that is made of a sorted list is full.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};

use crate::id::{RepoName, TaskId};
use crate::task::Task;

type Tasks = BTreeMap<TaskId, Box<Task>>;

/// Reads the tasks of a book.
pub(super) fn tasks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tasks, D::Error> {
    deserializer.deserialize_map(Dense)
}

struct Dense;

impl<'de> Visitor<'de> for Dense {
    type Value = Tasks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tasks by their numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tasks, A::Error> {
        let mut repos: BTreeSet<RepoName> = BTreeSet::new();
        let mut tasks = Vec::new();
        while let Some((id, mut task)) = map.next_entry::<TaskId, Box<Task>>()? {
            match repos.get(&task.repo) {
                Some(repo) => task.repo = repo.clone(),
                None => drop(repos.insert(task.repo.clone())),
            }
            task.shrink_to_fit();
            tasks.push((id, task));
        }
        Ok(tasks.into_iter().collect())
    }
}
