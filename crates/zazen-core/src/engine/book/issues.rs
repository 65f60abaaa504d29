//! What is known of the issues and pull requests of one repository.
//!
//! Forges count both together, and both are conversations. Nearly all pull requests are
//! zazen's own, and nothing was ever said on most of them: of such a one only its task is kept.

use serde::{Deserialize, Serialize};

use super::dense::Dense;
use super::seen::Seen;
use crate::id::{IssueNumber, TaskId};
use crate::task::Kind;

/// What is known of one issue, or of one pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueState {
    /// The texts that were read.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub seen: Seen,
    /// The task that commands on this issue are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The issue's other tasks: questions, and work that came before. Most issues have none.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub others: Box<[TaskId]>,
    /// Whether a stranger's command was answered here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Issues {
    conversations: Dense<IssueNumber, IssueState>,
    /// The tasks of pull requests on which nothing was said.
    pulls: Dense<IssueNumber, TaskId>,
}

impl IssueState {
    pub(super) fn open(&mut self, kind: Kind, task: TaskId) {
        let other = match kind {
            Kind::Change => self.task.replace(task),
            Kind::Question | Kind::Review => Some(task),
        };
        self.others = self.others.iter().copied().chain(other).collect();
    }
}

impl Issues {
    /// Whether this text was read.
    pub(super) fn has_seen(&self, issue: IssueNumber, text: crate::id::CommentId) -> bool {
        self.conversations.get(&issue).is_some_and(|state| state.seen.contains(text))
    }

    pub(super) fn get(&self, issue: IssueNumber) -> IssueState {
        self.conversations.get(&issue).cloned().unwrap_or_else(|| IssueState {
            task: self.pulls.get(&issue).copied(),
            ..IssueState::default()
        })
    }

    pub(super) fn get_mut(&mut self, issue: IssueNumber) -> &mut IssueState {
        if let Some(task) = self.pulls.remove(&issue) {
            self.conversations.insert(issue, IssueState { task: Some(task), ..Default::default() });
        }
        self.conversations.get_or_default(issue)
    }

    /// What is written on this pull request is said to its task.
    pub(super) fn note_pull(&mut self, pull: IssueNumber, task: TaskId) {
        if self.conversations.contains_key(&pull) {
            self.conversations.get_or_default(pull).task = Some(task);
        } else {
            self.pulls.insert(pull, task);
        }
    }
}

#[cfg(test)]
mod tests;
