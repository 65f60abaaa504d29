//! Small answers to a comment: what zazen says when there is nothing to do.

use serde::{Deserialize, Serialize};

use crate::id::TaskId;

/// Why a comment gets a reply. The sentence is made in [`crate::words`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// The comment holds something that looks like a command and is none.
    BadCommand { why: String },
    /// `/implement` before there is a plan to approve.
    NoPlan,
    /// `/implement` while the plan's text on disk cannot be read.
    UnreadablePlan { why: String },
    /// `/split` of a plan that has one step.
    NothingToSplit,
    /// The command does not fit where the task stands.
    WrongTime {
        command: String,
        task: TaskId,
        /// Where the task stood, in words that fit after "task 3".
        state: String,
        /// The commands that fit, without their slashes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        can: Vec<String>,
    },
    /// `/approve` without the hash of what is held back, or with another.
    OtherHold { task: TaskId, held: String },
    /// `/stop`, `/retry` with no task on the issue.
    NoTask { command: String },
    /// `/review` where there is no pull request.
    NoPull,
    /// `/review` of a commit that was reviewed, or is being reviewed.
    SameReview { task: TaskId, head: String, is_done: bool },
    /// `/remember`: the fact is kept, and then this is said.
    Remembered { by: String, fact: String },
    /// The forge, or this zazen, cannot do it.
    NotPossible { command: String },
    /// Somebody approved a plan of a kind that somebody else has to approve.
    NotYours { kind: String, who: String },
    /// Somebody gave a command who may not.
    Stranger,
    /// `/status`: what was the case when it was asked.
    Status { tasks: Vec<StatusLine> },
    /// More than one of these: a comment has at most one reply.
    Several { replies: Vec<Reply> },
}

impl Reply {
    /// The facts that are to be kept before it is said, each with who said so.
    pub fn facts(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Remembered { by, fact } => vec![(by, fact)],
            Self::Several { replies } => replies.iter().flat_map(Self::facts).collect(),
            Self::BadCommand { .. }
            | Self::NoPlan
            | Self::UnreadablePlan { .. }
            | Self::NothingToSplit
            | Self::WrongTime { .. }
            | Self::OtherHold { .. }
            | Self::NoTask { .. }
            | Self::NotPossible { .. }
            | Self::NoPull
            | Self::NotYours { .. }
            | Self::SameReview { .. }
            | Self::Stranger
            | Self::Status { .. } => Vec::new(),
        }
    }

    /// Whether it tells somebody that they may not command.
    pub fn has_stranger(&self) -> bool {
        match self {
            Self::Stranger => true,
            Self::Several { replies } => replies.iter().any(Self::has_stranger),
            Self::BadCommand { .. }
            | Self::NoPlan
            | Self::UnreadablePlan { .. }
            | Self::NothingToSplit
            | Self::WrongTime { .. }
            | Self::OtherHold { .. }
            | Self::NoTask { .. }
            | Self::NotPossible { .. }
            | Self::NoPull
            | Self::NotYours { .. }
            | Self::SameReview { .. }
            | Self::Remembered { .. }
            | Self::Status { .. } => false,
        }
    }
}

/// One task in an answer to `/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusLine {
    pub task: TaskId,
    /// Where the task stood, in words that fit after "task 3".
    pub state: String,
    /// The commands that fit, without their slashes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can: Vec<String>,
    pub usage: crate::usage::Usage,
}
