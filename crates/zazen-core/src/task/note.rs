//! What people are shown of a task: where, and what stands there.
//!
//! A note is a fact that becomes a sentence in [`crate::words`]; here are no sentences.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::{Fork, IssueEnd, NotRebased, Passed, Pause, Trouble};
use crate::id::{AgentName, CommitId, ContentHash, PullNumber, RunId};

/// A place on the issue where zazen writes. Each has at most one comment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// The plan, with the progress. Edited in place.
    Plan,
    /// The n-th note. The first is 1.
    Note(u32),
}

/// Something that people must be told.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    Drafted {
        pull: PullNumber,
    },
    Failed {
        trouble: Trouble,
    },
    Stopped {
        by: String,
    },
    /// The task had to wait so many times, and waits now if there is a pause.
    Waits {
        n: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pause: Option<Pause>,
        /// The agents that may not act now.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed: Vec<Passed>,
        /// Who acts in their place, if somebody does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        taken: Option<TakenOver>,
    },
    /// The answer to a question; its text is the task's report.
    Answered {
        digest: Digest,
    },
    /// What people asked for is on the pull request's branch.
    Reworked {
        pull: PullNumber,
        head: CommitId,
    },
    /// The branch is on its base as that was when it was asked for.
    Rebased {
        pull: PullNumber,
        head: CommitId,
        onto: CommitId,
    },
    /// The branch stays where it is, though a person wanted it on its base.
    NotRebased {
        why: NotRebased,
    },
    /// The agent that was to change the pull request changed nothing. Its words are the run's.
    Unchanged {
        run: RunId,
    },
    /// Reviews have led to as many rounds as they may.
    RoundsUsedUp {
        n: u32,
    },
    /// The forge's checks are red, and mending them was of no use.
    ChecksStayRed {
        /// Whether they say the same as before.
        is_same: bool,
    },
    /// Somebody else's commits are on the branch.
    Foreign {
        by: String,
        head: CommitId,
    },
    BaseChanged {
        base: String,
    },
    BranchDeleted {
        by: String,
    },
    /// The work was stopped, as the issue is not what it was.
    IssueEnded {
        how: IssueEnd,
        by: String,
    },
    /// A guard holds the change back; the lines are in the guards' report.
    Held {
        hold: ContentHash,
    },
    /// It goes on from what a step of another task left.
    Forked {
        fork: Fork,
        by: String,
    },
}

/// An agent that acts in place of another, and the run that it began with.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct TakenOver {
    pub by: AgentName,
    pub run: RunId,
}

/// Stands for a text that is shown: equal digests, equal texts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Digest(pub u32);

impl Digest {
    /// Digests a text.
    pub fn of(text: &str) -> Self {
        let hash = blake3::hash(text.as_bytes());
        let bytes = hash.as_bytes();
        Self(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
