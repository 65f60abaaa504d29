//! Why a branch stays on the commit that it builds on.
//!
//! How a branch gets onto another one is told by [`super::State::Rebasing`]; that people's
//! commits are never lost is seen to by whoever performs it.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::id::CommitId;

/// How many paths in conflict are named. Whoever mends them sees them all.
pub const CONFLICTS_MAX: usize = 20;

/// Why nothing was put onto the base.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum NotRebased {
    /// It is on top of it already.
    OnTop { base: CommitId },
    /// The base has all of it already, so that nothing would be left.
    NothingLeft { base: CommitId },
    /// A commit does not fit. The first [`CONFLICTS_MAX`] paths, of so many.
    Conflict { commit: CommitId, paths: Vec<String>, n_paths: u32 },
    /// Commits of somebody else are on the branch, up to this one.
    Foreign { head: CommitId },
    /// It cannot be done for another reason.
    Other { evidence: String },
}
