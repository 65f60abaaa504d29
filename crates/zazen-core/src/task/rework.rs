//! Rework: what people (or red checks) want changed in a pull request that is open.
//!
//! A round is one agent, its checks, and one push. What is asked while a round is
//! under way waits for the next one. No round begins but by a person's text or by
//! red checks on our own commit, and of both there are only so many; so no two
//! programs can keep each other busy.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::Digest;
use crate::id::{CommentId, CommitId, ContentHash, IssueNumber, PullNumber};

/// A text of people: the conversation that it is in, and which it is there.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
pub struct TextRef {
    /// The number of the issue or the pull request: they are counted together.
    pub on: IssueNumber,
    pub id: CommentId,
}

/// What one text asks for.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Ask {
    pub text: TextRef,
    pub by: String,
    /// The words, as they were when they were taken.
    pub remarks: String,
    /// Whether somebody wrote `/fix`, and not only a review.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_command: bool,
}

/// How often a pull request was reworked since a person last said so with a command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Rounds {
    /// How many rounds reviews have led to.
    pub n_by_reviews: u32,
    /// How many of those the owner allows, as of the last text.
    pub n_by_reviews_max: u32,
    /// How many rounds red checks on the forge have led to.
    pub n_by_checks: u32,
    /// Stands for what the checks printed when they were last red, without its numbers.
    pub red: Option<Digest>,
    /// Whether people were told that there are no more rounds for reviews.
    pub told_of_reviews: bool,
    /// Whether people were told that the checks stay red.
    pub told_of_checks: bool,
    /// Whether somebody else's commits are on the branch.
    pub foreign: bool,
    /// What was held back, and released by a person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<ContentHash>,
}

/// A round of rework on a pull request that is open.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Rework {
    pub pull: PullNumber,
    /// The commit that the pull request stands at.
    pub head: CommitId,
    pub rounds: Rounds,
    /// What this round is to answer. Nothing, where red checks led to it.
    pub asks: Vec<Ask>,
    /// What was asked since this round's agent began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Ask>,
    /// The commit that the published work builds on, where it was put onto another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebased: Option<CommitId>,
}

/// An answer that is due in the thread of a review.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Answer {
    pub to: TextRef,
    /// The commit that has the change. Nothing, if nothing was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
}

/// A pull request at one commit.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct PullHead {
    pub pull: PullNumber,
    pub head: CommitId,
}

/// A review that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct ReviewOf {
    /// What is reviewed. It stays at that commit, whatever is pushed.
    pub at: PullHead,
    /// Stands for the review's text, once it is there and not yet posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_post: Option<Digest>,
}

/// What became of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueEnd {
    Closed,
    /// It lives in another repository now.
    Transferred,
    /// It is a discussion now.
    Converted,
    Deleted,
    /// Only who may write can still comment. The work goes on.
    Locked,
}

/// How often red checks on the forge lead to rework. What two agents could not mend needs a person.
pub(super) const CHECK_ROUNDS_MAX: u32 = 2;

/// How many texts may wait for rework. A review has rarely more than twenty comments.
pub(super) const ASKS_MAX: usize = 60;

impl Rework {
    /// Rework that begins, on the pull request as it stands.
    pub(super) fn new(
        (pull, head, rounds): (PullNumber, CommitId, Rounds),
        asks: Vec<Ask>,
    ) -> Self {
        Self { pull, head, rounds, asks, later: Vec::new(), rebased: None }
    }

    /// Whether another text has room.
    pub(super) fn has_room(&self) -> bool {
        self.asks.len() + self.later.len() < ASKS_MAX
    }
}

impl Digest {
    /// Digests output so that the same failure is the same again: without the digits, which
    /// are times and counts.
    pub fn of_output(text: &str) -> Self {
        let kept: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        let words: Vec<&str> = kept.split_whitespace().collect();
        Self::of(&words.join(" "))
    }
}
