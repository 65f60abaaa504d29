//! Where issues and pull requests live.
//!
//! What leaves this folder are the plain types below; how a forge stores or sends
//! them is its own business. Reading is always of pages in the home: the `local`
//! forge is those pages, and of others' issues it keeps copies. Writing is the
//! [`Publisher`]'s.

pub mod github;
pub mod local;
mod publisher;

use zazen_core::id::{CommentId, CommitId, IssueNumber, PullNumber, RepoName, Time};
use zazen_core::intake::Implied;
use zazen_core::task::{IssueEnd, PullHead};
use zazen_core::trust::Permission;

pub use self::publisher::Publisher;

/// An issue, without its comments.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// What somebody did, where this stands for an act and not for words.
    pub happened: Option<Happened>,
    pub reactions: Vec<String>,
}

/// What somebody did with an issue or a pull request, beside closing or merging it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    Issue(IssueEnd),
    /// The draft was turned into one that is ready for review.
    Ready,
    BranchDeleted,
    /// It is to go into another branch now; the page of the pull request says which.
    BaseChanged,
}

impl Happened {
    const ALL: [Self; 7] = [
        Self::Issue(IssueEnd::Closed),
        Self::Issue(IssueEnd::Transferred),
        Self::Issue(IssueEnd::Converted),
        Self::Issue(IssueEnd::Locked),
        Self::Ready,
        Self::BranchDeleted,
        Self::BaseChanged,
    ];

    /// The word for it on pages: the one that GitHub's events have.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issue(IssueEnd::Closed) => "closed",
            Self::Issue(IssueEnd::Transferred) => "transferred",
            Self::Issue(IssueEnd::Converted) => "converted_to_discussion",
            Self::Issue(IssueEnd::Deleted) => "deleted",
            Self::Issue(IssueEnd::Locked) => "locked",
            Self::Ready => "ready_for_review",
            Self::BranchDeleted => "head_ref_deleted",
            Self::BaseChanged => "base_ref_changed",
        }
    }

    /// What a word means, if anything.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|happened| happened.word() == word)
    }
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

/// The issue of a step of a plan that is to be opened.
#[derive(Debug, Clone, Copy)]
pub struct NewPart<'a> {
    /// The issue whose plan is split.
    pub of: IssueNumber,
    /// What it is for, the same after a crash.
    pub key: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    /// When the plan was to be split. The issue is younger.
    pub since: Time,
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
