//! Reviews of pull requests, and the comments on single lines that they hold.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use zazen_core::id::{CommitId, PullNumber, RepoName, Time};

use super::call::{Call, Grant};
use super::items::Made;
use super::wire::{self, Actor, WireActor};
use super::{Client, Result};

/// A review of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub id: u64,
    pub author: Actor,
    pub state: ReviewState,
    pub body: String,
    /// The commit that was looked at.
    pub commit: Option<CommitId>,
    /// How GitHub calls the author's relation to the repository. Nothing is decided by it.
    pub association: String,
    /// In 1970, if it is not submitted yet.
    pub submitted: Time,
}

/// What a review comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    Approved,
    ChangesRequested,
    Commented,
    Dismissed,
    /// It is being written, or is of a kind that is not known.
    Pending,
}

/// A comment on lines of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewComment {
    pub id: u64,
    pub author: Actor,
    pub body: String,
    pub path: String,
    /// The last line that is meant; nothing if it has gone since, or if all of the file is meant.
    pub line: Option<u64>,
    /// The first one, if there are several.
    pub first_line: Option<u64>,
    pub side: Side,
    /// The commit whose lines are meant.
    pub commit: Option<CommitId>,
    pub diff: String,
    /// The comment that this one answers.
    pub answers: Option<u64>,
    /// The review that it is part of.
    pub review: Option<u64>,
    /// As in [`Review`].
    pub association: String,
    pub created: Time,
    pub updated: Time,
}

/// Which of the two texts a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Old,
    New,
}

/// A review to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    pub commit: CommitId,
    pub event: ReviewEvent,
    pub body: String,
    pub inline: Vec<Inline>,
}

/// What a review of ours says. zazen neither approves nor blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewEvent {
    Comment,
    RequestChanges,
    Approve,
}

/// A comment on one line, as part of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    pub path: String,
    pub line: u64,
    pub side: Side,
    pub body: String,
}

#[derive(Debug, Deserialize)]
struct WireReview {
    id: u64,
    user: Option<WireActor>,
    body: Option<String>,
    #[serde(default, deserialize_with = "wire::or_default")]
    state: String,
    commit_id: Option<String>,
    author_association: Option<String>,
    #[serde(default, deserialize_with = "wire::time_or_zero")]
    submitted_at: Time,
}

#[derive(Debug, Deserialize)]
struct WireReviewComment {
    id: u64,
    user: Option<WireActor>,
    body: Option<String>,
    #[serde(default, deserialize_with = "wire::or_default")]
    path: String,
    line: Option<u64>,
    start_line: Option<u64>,
    side: Option<String>,
    commit_id: Option<String>,
    diff_hunk: Option<String>,
    in_reply_to_id: Option<u64>,
    pull_request_review_id: Option<u64>,
    author_association: Option<String>,
    #[serde(deserialize_with = "wire::moment")]
    created_at: Time,
    #[serde(deserialize_with = "wire::moment")]
    updated_at: Time,
}

impl Client {
    /// All reviews of a pull request, the oldest first.
    pub async fn reviews(&self, repo: &RepoName, n: PullNumber) -> Result<Vec<Review>> {
        let call = Call::look(repo, Grant::Look).at(&["pulls"]).n(n.0).at(&["reviews"]);
        let reviews: Vec<WireReview> = self.list(&call, None).await?;
        Ok(reviews.into_iter().map(Review::from).collect())
    }

    /// All comments on lines of a pull request, the oldest first.
    pub async fn review_comments(
        &self,
        repo: &RepoName,
        n: PullNumber,
    ) -> Result<Vec<ReviewComment>> {
        let call = Call::look(repo, Grant::Look).at(&["pulls"]).n(n.0).at(&["comments"]);
        let comments: Vec<WireReviewComment> = self.list(&call, None).await?;
        Ok(comments.into_iter().map(ReviewComment::from).collect())
    }

    /// Gives a review and says which it is.
    pub async fn create_review(
        &self,
        repo: &RepoName,
        n: PullNumber,
        new: &NewReview,
    ) -> Result<u64> {
        let inline = new.inline.iter().map(|inline| {
            json!({
                "path": inline.path,
                "line": inline.line,
                "side": inline.side.word(),
                "body": inline.body,
            })
        });
        let call = Call::act(Method::POST, repo, Grant::Talk)
            .at(&["pulls"])
            .n(n.0)
            .at(&["reviews"])
            .publishing()
            .json(json!({
                "commit_id": new.commit.as_str(),
                "event": new.event.word(),
                "body": new.body,
                "comments": inline.collect::<Vec<_>>(),
            }));
        Ok(self.get::<Made>(&call).await?.id)
    }

    /// Answers a comment on lines, and says which comment the answer is.
    pub async fn reply_to_review_comment(
        &self,
        repo: &RepoName,
        n: PullNumber,
        (id, body): (u64, &str),
    ) -> Result<u64> {
        let call = Call::act(Method::POST, repo, Grant::Talk)
            .at(&["pulls"])
            .n(n.0)
            .at(&["comments"])
            .n(id)
            .at(&["replies"])
            .json(json!({ "body": body }));
        Ok(self.get::<Made>(&call).await?.id)
    }
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Self::Old => "LEFT",
            Self::New => "RIGHT",
        }
    }
}

impl ReviewEvent {
    fn word(self) -> &'static str {
        match self {
            Self::Comment => "COMMENT",
            Self::RequestChanges => "REQUEST_CHANGES",
            Self::Approve => "APPROVE",
        }
    }
}

impl From<WireReview> for Review {
    fn from(wire: WireReview) -> Self {
        let state = match wire.state.to_ascii_uppercase().as_str() {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "COMMENTED" => ReviewState::Commented,
            "DISMISSED" => ReviewState::Dismissed,
            _ => ReviewState::Pending,
        };
        Self {
            id: wire.id,
            author: wire::actor(wire.user),
            state,
            body: wire::body(wire.body),
            commit: wire::maybe_commit(wire.commit_id.as_ref()),
            association: wire::line(wire.author_association),
            submitted: wire.submitted_at,
        }
    }
}

impl From<WireReviewComment> for ReviewComment {
    fn from(wire: WireReviewComment) -> Self {
        let is_old = wire.side.as_deref() == Some("LEFT");
        Self {
            id: wire.id,
            author: wire::actor(wire.user),
            body: wire::body(wire.body),
            path: wire::line(wire.path),
            line: wire.line,
            first_line: wire.start_line,
            side: if is_old { Side::Old } else { Side::New },
            commit: wire::maybe_commit(wire.commit_id.as_ref()),
            diff: wire::body(wire.diff_hunk),
            answers: wire.in_reply_to_id,
            review: wire.pull_request_review_id,
            association: wire::line(wire.author_association),
            created: wire.created_at,
            updated: wire.updated_at,
        }
    }
}
