//! Where issues and pull requests live.
//!
//! There is one kind so far: `local`, Markdown files in the home. What leaves
//! this folder are the plain types below; how a forge stores or sends them is
//! its own business.

pub mod github;
pub mod local;

use zazen_core::id::{CommentId, IssueNumber, PullNumber, RepoName};

/// An issue, without its comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub repo: RepoName,
    pub number: IssueNumber,
    pub title: String,
    pub author: String,
    pub body: String,
    pub open: bool,
    pub labels: Vec<String>,
    /// When it was opened, as written there.
    pub at: String,
}

/// A comment on an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub author: String,
    pub body: String,
    pub at: String,
    /// Set on zazen's own comments: what the comment is for, the same after a crash.
    pub key: Option<String>,
    pub reactions: Vec<String>,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub number: PullNumber,
    pub title: String,
    pub branch: String,
    pub base: String,
    pub state: PullState,
    pub draft: bool,
    pub body: String,
    /// The commit that was published.
    pub head: String,
}

/// What people did with a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    Open,
    Merged,
    Closed,
}
