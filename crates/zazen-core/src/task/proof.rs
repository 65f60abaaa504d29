//! What has been shown of work that is done: by which checks, which guards, whose review.
//!
//! All of it is about one commit, the work's head. A new commit has everything shown anew,
//! but for what stays true: how the checks were on the base, and what a person released.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::TroubleKind;
use crate::id::{AgentName, ContentHash, RunId};

/// What has been shown of the head of some work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
#[serde(default)]
pub struct Proof {
    /// How often the checks were red on the head.
    pub n_red: u32,
    /// The run whose checks were green on the head. They may have been red before: then
    /// they are flaky.
    pub green: Option<RunId>,
    /// How the checks were on the commit that the work began with.
    pub before: Option<Before>,
    /// What the guards found in the whole change.
    pub examined: Option<Examined>,
    /// What was held back, and released by a person.
    pub released: Vec<ContentHash>,
    /// What a second agent found.
    pub review: Option<OwnReview>,
    /// The review before the last correction.
    pub earlier: Option<OwnReview>,
    /// How often a review was sent back to an agent.
    pub n_sent_back: u32,
    /// Why there is no review, though there should be one.
    pub unreviewed: Option<TroubleKind>,
}

/// How the checks were before anything was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Before {
    pub run: RunId,
    pub result: Checks,
}

/// What checks came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checks {
    Green,
    Red,
    /// They could not be run to their end.
    Unknown,
}

/// What the guards found in a change.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Examined {
    /// Stands for the guards' report, byte for byte.
    pub report: ContentHash,
    pub n_flagged: u32,
    /// Stands for what is held back until a person releases exactly that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<ContentHash>,
    /// The agents that may review the change, by what the owner wants; the first choice first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<AgentName>,
}

/// A second agent's review of our own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct OwnReview {
    pub run: RunId,
    pub n_findings: u32,
    /// How many of them should be mended before anybody merges the work.
    pub n_blocking: u32,
}

/// How often the checks are run on one commit before they count as red. What is red once and
/// green once is flaky.
pub(super) const CHECK_TRIES: u32 = 2;

/// How many reviews may be sent back to an agent, whatever an owner allows.
pub(super) const SENT_BACK_MAX: u32 = 3;

/// How many releases are kept. More of them than that are another plan.
pub(super) const RELEASED_MAX: usize = 16;

impl Proof {
    /// Whether it is known what the checks say of the head.
    pub fn is_checked(&self) -> bool {
        self.green.is_some() || self.n_red >= CHECK_TRIES
    }

    /// Whether the checks were red and green on the same commit.
    pub fn is_flaky(&self) -> bool {
        self.green.is_some() && self.n_red > 0
    }

    /// What is held back and was not released.
    pub fn held(&self) -> Option<&ContentHash> {
        let hold = self.examined.as_ref()?.hold.as_ref()?;
        Some(hold).filter(|hold| !self.released.contains(hold))
    }

    /// Whether a review is due, now that the guards are done.
    pub fn wants_review(&self) -> bool {
        !self.reviewers().is_empty() && self.review.is_none() && self.unreviewed.is_none()
    }

    /// The review that an agent is to work in, where that is what is corrected: what is held back
    /// comes first.
    pub fn sent_back(&self) -> Option<OwnReview> {
        self.review.filter(|_| self.green.is_some() && self.held().is_none())
    }

    /// The agents that may review it.
    pub fn reviewers(&self) -> &[AgentName] {
        self.examined.as_ref().map_or(&[], |examined| &examined.reviewers)
    }

    /// What stays true of another commit.
    #[must_use]
    pub(super) fn renewed(self) -> Self {
        let earlier = self.review.or(self.earlier);
        let Self { before, released, n_sent_back, .. } = self;
        Self { before, released, earlier, n_sent_back, ..Self::default() }
    }
}
