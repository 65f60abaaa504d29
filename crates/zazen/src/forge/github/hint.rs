//! What a webhook or a poll comes to: a place on GitHub to look at.
//!
//! A hint is never trusted and carries no text. Two of them do no more than
//! one, a wrong one costs a look, and a lost one is made good by polling.
//! `hooks` and `poll` make them.

use std::fmt;

use serde::{Deserialize, Serialize};
use zazen_core::id::{CommitId, IssueNumber, RepoName};

/// Something on GitHub may be new. Never trusted: what is true is read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "hint", rename_all = "kebab-case")]
pub enum Hint {
    /// An issue or a pull request (they share numbers): its texts, labels, state, reviews.
    Item { repo: RepoName, number: IssueNumber },
    /// The checks of a commit, or of a branch of ours, ended.
    Checks { repo: RepoName, head: CommitId },
    /// A branch moved or went away.
    Branch { repo: RepoName, branch: String },
    /// The App was installed or removed, or its repositories changed: tokens and
    /// permissions are asked again.
    Installation,
}

impl Hint {
    /// The repository that it is about, if it is about one.
    pub fn repo(&self) -> Option<&RepoName> {
        match self {
            Self::Item { repo, .. } | Self::Checks { repo, .. } | Self::Branch { repo, .. } => {
                Some(repo)
            }
            Self::Installation => None,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item { repo, number } => write!(f, "{repo}#{number}"),
            Self::Checks { repo, head } => write!(f, "checks of {repo}@{}", head.short()),
            Self::Branch { repo, branch } => write!(f, "branch `{branch}` of {repo}"),
            Self::Installation => f.write_str("the App's installation"),
        }
    }
}
