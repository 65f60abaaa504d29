//! What tasks have to do with each other: the parts of plans that were split.
//!
//! Kept is one thing, from which issue an issue was split off. All else is in the task whose
//! plan it was, and how somebody stands is looked up when it is asked for: what follows from
//! other tasks is nowhere written down, so it cannot be out of date.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Book;
use crate::id::{IssueNumber, RepoName, TaskId};
use crate::task::{Around, Kind, Other, Part, Split, Stands, State, Task};

/// For the issue of each part, the task whose plan was split.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Links(BTreeMap<RepoName, BTreeMap<IssueNumber, TaskId>>);

impl Links {
    pub(super) fn add(&mut self, repo: &RepoName, part: IssueNumber, of: TaskId) {
        self.0.entry(repo.clone()).or_default().insert(part, of);
    }

    fn parent(&self, repo: &RepoName, part: IssueNumber) -> Option<TaskId> {
        self.0.get(repo)?.get(&part).copied()
    }
}

impl Book {
    /// How the issues stand that a task has to do with.
    pub fn around(&self, task: &Task) -> Around {
        let mut around = Around::default();
        let waits = task.state == State::AwaitingApproval || task.state.is_unbegun();
        if waits && !task.alone {
            self.add_before(&task.repo, task.issue, &mut around.before);
        }
        let is_shown = !matches!(task.state, State::Splitting(_));
        if let Some(split) = task.state.split().filter(|_| is_shown) {
            around.parts = split.parts.iter().map(|part| self.other(task, part)).collect();
        }
        around
    }

    /// The tasks that may want something else because these have changed: the task whose plan
    /// was split, and what comes after a part of it.
    pub(super) fn neighbours(&self, changed: &BTreeSet<TaskId>) -> BTreeSet<TaskId> {
        let mut found = BTreeSet::new();
        for task in changed.iter().filter_map(|id| self.task(*id)) {
            let mut issue = task.issue;
            while let Some((above, step)) = self.part(&task.repo, issue) {
                found.insert(above.id);
                for part in parts_after(&above, step) {
                    self.add_waiting(&task.repo, part, &mut found);
                }
                issue = above.issue;
            }
        }
        found
    }

    /// The task that an issue was split off from, and the step that it is.
    fn part(&self, repo: &RepoName, issue: IssueNumber) -> Option<(Cow<'_, Task>, u32)> {
        let above = self.task(self.links.parent(repo, issue)?)?;
        let index = above.state.split()?.parts.iter().position(|part| part.issue == issue)?;
        Some((above, u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)))
    }

    /// Adds what has to be merged before work on an issue begins, and is not. What a part
    /// waits for, its own parts wait for as well.
    fn add_before(&self, repo: &RepoName, issue: IssueNumber, before: &mut Vec<Other>) {
        let Some((above, step)) = self.part(repo, issue) else { return };
        if !above.alone {
            self.add_before(repo, above.issue, before);
        }
        let Some(split) = above.state.split() else { return };
        let Some(part) = part_of(split, step) else { return };
        let after = part.after.iter().filter_map(|step| part_of(split, *step));
        let others = after.map(|part| self.other(&above, part));
        before.extend(others.filter(|other| other.stands != Stands::Merged));
    }

    /// Adds the task of an issue, and those of the parts that it was split into.
    fn add_waiting(&self, repo: &RepoName, issue: IssueNumber, found: &mut BTreeSet<TaskId>) {
        let Some(task) = self.issue(repo, issue).task.and_then(|id| self.task(id)) else { return };
        found.insert(task.id);
        for part in task.state.split().into_iter().flat_map(|split| &split.parts) {
            self.add_waiting(repo, part.issue, found);
        }
    }

    fn other(&self, of: &Task, part: &Part) -> Other {
        Other { issue: part.issue, stands: self.stands(&of.repo, part.issue) }
    }

    /// How the work on an issue stands. What was merged stays merged, whatever comes later.
    fn stands(&self, repo: &RepoName, issue: IssueNumber) -> Stands {
        let mut changes = self.tasks_of(repo, issue).filter(|task| task.kind == Kind::Change);
        if changes.any(|task| self.is_merged(&task)) {
            return Stands::Merged;
        }
        let task = self.issue(repo, issue).task.and_then(|id| self.task(id));
        let Some(task) = task else { return Stands::Open };
        let stuck = [
            (matches!(task.state, State::Closed { .. }), Stands::Closed),
            (matches!(task.state, State::Stopped { .. }), Stands::Stopped),
            (matches!(task.state, State::Failed { .. }), Stands::Failed),
        ];
        stuck.iter().find(|(is, _)| *is).map_or(Stands::Open, |(_, stands)| *stands)
    }

    fn is_merged(&self, task: &Task) -> bool {
        if let State::Split(split) = &task.state {
            let stands = |part: &Part| self.stands(&task.repo, part.issue);
            return split.parts.iter().all(|part| stands(part) == Stands::Merged);
        }
        matches!(task.state, State::Merged { .. })
    }
}

fn part_of(split: &Split, step: u32) -> Option<&Part> {
    split.parts.get((step as usize).checked_sub(1)?)
}

/// The issues of the parts that come right after this step.
fn parts_after(above: &Task, step: u32) -> Vec<IssueNumber> {
    let parts = above.state.split().into_iter().flat_map(|split| &split.parts);
    parts.filter(|part| part.after.contains(&step)).map(|part| part.issue).collect()
}
