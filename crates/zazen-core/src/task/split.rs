//! A plan whose steps become issues of their own.
//!
//! A person splits a plan that waits. Its steps are then opened as issues, one after the
//! other, each with a task whose plan is that step. Which of them come after which is known
//! to the task whose plan it was, and to nobody else; [`Around`] is what follows from it for
//! one task, as the others stand now.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::{PlanRef, State, Task, Work};
use crate::id::{IssueNumber, Time};

/// A plan that is being split, or was.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Split {
    /// The plan that a person had split. Another hash is another plan.
    pub plan: PlanRef,
    pub by: String,
    /// What that person wrote with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remarks: String,
    /// When that was. The issues of the steps are younger.
    pub at: Time,
    /// The issues that are open, in the order of the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A step that is an issue of its own.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Part {
    pub issue: IssueNumber,
    /// The steps that it comes after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
}

/// How the issues stand that one task has to do with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Those that it comes after, and that are not merged. Nothing, once it has begun.
    pub before: Vec<Other>,
    /// Those that its plan was split into, in the order of the steps.
    pub parts: Vec<Other>,
}

/// Another issue, and how the work on it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Other {
    pub issue: IssueNumber,
    pub stands: Stands,
}

/// How the work on another issue stands, as far as it matters to those who wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// It may still be merged.
    Open,
    Merged,
    /// Its pull request was closed without a merge.
    Closed,
    Stopped,
    Failed,
}

/// How many steps a plan has at least that can be split.
pub(super) const STEPS_MIN: u32 = 2;

impl Split {
    /// The step that is to be opened next, if one is left.
    pub fn next(&self) -> Option<u32> {
        let n_open = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        Some(n_open).filter(|n| *n < self.plan.n_steps).map(|n| n + 1)
    }
}

impl Other {
    /// Whether somebody has to act before it can be merged.
    pub fn is_stuck(&self) -> bool {
        matches!(self.stands, Stands::Closed | Stands::Stopped | Stands::Failed)
    }
}

impl PlanRef {
    /// Whether there is something to split.
    pub fn can_be_split(&self) -> bool {
        self.n_steps >= STEPS_MIN
    }
}

impl State {
    /// How the plan was split, if it was, or is being.
    pub fn split(&self) -> Option<&Split> {
        if let Self::Splitting(split) | Self::Split(split) = self {
            return Some(split);
        }
        if let Self::Stopped { back, .. } | Self::Failed { back, .. } = self {
            return back.split();
        }
        None
    }

    /// Whether there are issues already that the plan was split into.
    pub fn has_parts(&self) -> bool {
        self.split().is_some_and(|split| !split.parts.is_empty())
    }

    /// Whether it is approved, and nothing was done yet.
    pub(crate) fn is_unbegun(&self) -> bool {
        matches!(self, Self::Queued(Work { n_done: 0, head: None, .. }))
    }
}

impl Task {
    /// Whether it is approved, and does not begin because of what it comes after.
    pub fn waits(&self, around: &Around) -> bool {
        self.state.is_unbegun() && !self.alone && !around.before.is_empty()
    }
}
