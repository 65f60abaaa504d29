//! Where issues and pull requests live.
//!
//! What leaves this folder are the plain types below; how a forge stores or sends
//! them is its own business. Reading is always of pages in the home: the `local`
//! forge is those pages, and of others' issues it keeps copies. Writing is the
//! [`Publisher`]'s.

pub mod github;
pub mod local;
mod publisher;

use zazen_core::id::{CommentId, CommitId, IssueNumber, PullNumber, RepoName};
use zazen_core::intake::Implied;
use zazen_core::task::PullHead;
use zazen_core::trust::Permission;

pub use self::publisher::Publisher;

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
    /// What the forge lets its author do. The local one says nothing.
    pub permission: Option<Permission>,
    /// Whether its author is a program.
    pub is_bot: bool,
    /// Written before zazen was there: it asks for nothing.
    pub is_old: bool,
    /// What is proposed, if this is the conversation of a pull request of another forge.
    pub proposed: Option<Proposed>,
}

/// What a pull request is, zazen's or anybody's, as its conversation was last copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Its last commit. It may be in a fork.
    pub head: CommitId,
    /// The branch that it is to go into.
    pub base: String,
    pub draft: bool,
    pub merged: bool,
    /// Whether it comes from another repository.
    pub fork: bool,
}

/// A comment on an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub author: String,
    pub body: String,
    pub at: String,
    /// What the forge lets the author do. The local one says nothing.
    pub permission: Option<Permission>,
    /// Whether the author is a program.
    pub is_bot: bool,
    /// Set on zazen's own comments: what the comment is for, the same after a crash.
    pub key: Option<String>,
    /// Written before zazen was there: it asks for nothing.
    pub is_old: bool,
    /// What it asks for without a command in it.
    pub implied: Option<Implied>,
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

/// A draft pull request that is to be opened.
#[derive(Debug, Clone)]
pub struct NewPull<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub branch: &'a str,
    pub base: &'a str,
    pub head: &'a str,
    pub issue: IssueNumber,
}

/// A review that is to be given.
#[derive(Debug, Clone)]
pub struct NewReview<'a> {
    pub at: &'a PullHead,
    pub body: &'a str,
    /// What stands beside lines of the reviewed commit.
    pub asides: &'a [Aside],
    /// All of it as one text, for when the forge takes no asides.
    pub whole: &'a str,
}

/// A text beside a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    pub path: String,
    pub line: u32,
    pub body: String,
}

/// What people did with a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    Open,
    Merged,
    Closed,
}
