//! What was spent, by day and repository.
//!
//! Follows from the journal, like everything in the book: each run that comes
//! back is added to the day on which it did. Days are kept as long as a month
//! needs them; the total is kept for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::book::{Change, Fact};
use crate::budget::Day;
use crate::id::{RepoName, RunId, TaskId, Time};
use crate::task::Event;
use crate::usage::Usage;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    total: Usage,
    days: BTreeMap<Day, BTreeMap<RepoName, Usage>>,
}

/// How many days are kept: the longest month, and a few to look back on.
const DAYS_MAX: usize = 40;

impl Ledger {
    /// All that was ever spent.
    pub fn total(&self) -> Usage {
        self.total
    }

    /// The last days, the oldest first, with what each repository used.
    pub fn days(&self) -> impl Iterator<Item = (Day, &RepoName, Usage)> {
        let days = self.days.iter();
        days.flat_map(|(day, repos)| repos.iter().map(|(repo, usage)| (*day, repo, *usage)))
    }

    /// What was spent on the days that are meant, by one repository or by all.
    pub fn spent(&self, is_meant: impl Fn(Day) -> bool, repo: Option<&RepoName>) -> Usage {
        let mut sum = Usage::default();
        for (day, of, usage) in self.days() {
            if is_meant(day) && repo.is_none_or(|repo| repo == of) {
                sum += usage;
            }
        }
        sum
    }

    /// What the runs used that come back in `fact`, and that somebody waits for.
    pub(super) fn spent_in(
        fact: &Fact,
        run_of: impl Fn(TaskId) -> Option<RunId>,
    ) -> Vec<(TaskId, Usage)> {
        let ended = |change: &Change| match change {
            Change::Task { task, event: Event::RunEnded { run, usage, .. } } => {
                (run_of(*task) == Some(*run)).then_some((*task, *usage))
            }
            Change::Opened(_)
            | Change::Task { .. }
            | Change::ReplyDue { .. }
            | Change::Replied { .. } => None,
        };
        fact.changes.iter().filter_map(ended).collect()
    }

    pub(super) fn add(&mut self, repo: &RepoName, usage: Usage, at: Time) {
        self.total += usage;
        let repos = self.days.entry(Day::of(at)).or_default();
        match repos.get_mut(repo) {
            Some(sum) => *sum += usage,
            None => drop(repos.insert(repo.clone(), usage)),
        }
        while self.days.len() > DAYS_MAX {
            self.days.pop_first();
        }
    }
}

#[cfg(test)]
mod tests;
