//! Issues and what is written on them; pull requests are issues here, too.
//!
//! What only pull requests have is in `pulls` and `reviews`.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use zazen_core::id::{CommitId, IssueNumber, RepoName, Time};

use super::call::{Call, Grant};
use super::wire::{self, Actor, LIST_MAX, WireActor};
use super::{Client, Result};

/// An issue or a pull request.
#[expect(clippy::struct_excessive_bools, reason = "GitHub has them, and none implies another")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What other calls name it by. It is none of its number.
    pub id: u64,
    pub number: IssueNumber,
    pub title: String,
    pub body: String,
    pub author: Actor,
    pub open: bool,
    /// Only people with write access can say anything.
    pub locked: bool,
    pub is_pull: bool,
    pub labels: Vec<String>,
    pub assignees: Vec<Actor>,
    pub n_comments: u64,
    /// How GitHub calls the author's relation to the repository. Nothing is decided by it.
    pub association: String,
    pub created: Time,
    pub updated: Time,
}

/// A comment on an issue or a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub id: u64,
    pub author: Actor,
    pub body: String,
    /// As in [`Item`].
    pub association: String,
    pub created: Time,
    pub updated: Time,
}

/// Something that was done to an issue or a pull request, without words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemEvent {
    pub id: u64,
    /// As GitHub calls it: `labeled`, `assigned`, `review_requested`, `closed`, …
    pub event: String,
    /// Who did it.
    pub by: Actor,
    pub label: Option<String>,
    /// Who was assigned, or was asked for a review.
    pub whom: Option<Actor>,
    pub commit: Option<CommitId>,
    pub created: Time,
}

/// What changed in a repository since the last poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Nothing, if the etag still holds. The one that changed first comes first.
    pub items: Option<Vec<Item>>,
    /// For the next poll. It is worth nothing to another token.
    pub etag: Option<String>,
    /// There is more than one page; ask again, since the last one's `updated`.
    pub more: bool,
    /// GitHub wants no poll before.
    pub poll_after: Option<Duration>,
}

/// What is reacted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Issue(IssueNumber),
    Comment(u64),
    ReviewComment(u64),
}

/// An issue to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssue {
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct WireItem {
    #[serde(default)]
    id: u64,
    number: IssueNumber,
    #[serde(default, deserialize_with = "wire::or_default")]
    title: String,
    body: Option<String>,
    user: Option<WireActor>,
    #[serde(default, deserialize_with = "wire::or_default")]
    state: String,
    #[serde(default)]
    locked: bool,
    pull_request: Option<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "wire::or_default")]
    labels: Vec<WireLabel>,
    #[serde(default, deserialize_with = "wire::or_default")]
    assignees: Vec<WireActor>,
    #[serde(default)]
    comments: u64,
    author_association: Option<String>,
    #[serde(deserialize_with = "wire::moment")]
    created_at: Time,
    #[serde(deserialize_with = "wire::moment")]
    updated_at: Time,
}

#[derive(Debug, Deserialize)]
struct WireLabel {
    #[serde(default, deserialize_with = "wire::or_default")]
    name: String,
}

#[derive(Debug, Deserialize)]
struct WireText {
    id: u64,
    user: Option<WireActor>,
    body: Option<String>,
    author_association: Option<String>,
    #[serde(deserialize_with = "wire::moment")]
    created_at: Time,
    #[serde(deserialize_with = "wire::moment")]
    updated_at: Time,
}

#[derive(Debug, Deserialize)]
struct WireEvent {
    id: u64,
    #[serde(default, deserialize_with = "wire::or_default")]
    event: String,
    actor: Option<WireActor>,
    assigner: Option<WireActor>,
    review_requester: Option<WireActor>,
    label: Option<WireLabel>,
    assignee: Option<WireActor>,
    requested_reviewer: Option<WireActor>,
    commit_id: Option<String>,
    #[serde(default, deserialize_with = "wire::time_or_zero")]
    created_at: Time,
}

/// What was made, and has a number of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Made {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
struct MadeIssue {
    number: IssueNumber,
    id: u64,
}

/// How many items one poll reads: the rest comes with the next.
const CHANGED_MAX: usize = 100;

impl Client {
    /// An issue or a pull request.
    pub async fn issue(&self, repo: &RepoName, n: IssueNumber) -> Result<Item> {
        let call = Call::look(repo, Grant::Look).at(&["issues"]).n(n.0);
        Ok(self.get::<WireItem>(&call).await?.into())
    }

    /// All comments on an issue or a pull request, the oldest first.
    pub async fn comments(&self, repo: &RepoName, n: IssueNumber) -> Result<Vec<Text>> {
        let call = Call::look(repo, Grant::Look).at(&["issues"]).n(n.0).at(&["comments"]);
        let texts: Vec<WireText> = self.list(&call, None).await?;
        Ok(texts.into_iter().map(Text::from).collect())
    }

    /// One comment, as it is now.
    pub async fn comment(&self, repo: &RepoName, id: u64) -> Result<Text> {
        let call = Call::look(repo, Grant::Look).at(&["issues", "comments"]).n(id);
        Ok(self.get::<WireText>(&call).await?.into())
    }

    /// Writes a comment and says which it is.
    pub async fn create_comment(&self, repo: &RepoName, n: IssueNumber, body: &str) -> Result<u64> {
        let call = Call::act(Method::POST, repo, Grant::Talk)
            .at(&["issues"])
            .n(n.0)
            .at(&["comments"])
            .json(json!({ "body": body }));
        Ok(self.get::<Made>(&call).await?.id)
    }

    /// Gives a comment another text.
    pub async fn edit_comment(&self, repo: &RepoName, id: u64, body: &str) -> Result<()> {
        let call = Call::act(Method::PATCH, repo, Grant::Talk)
            .at(&["issues", "comments"])
            .n(id)
            .json(json!({ "body": body }));
        self.done(&call).await
    }

    /// Reacts with one of GitHub's words (`+1`, `eyes`, …). A second time changes nothing.
    pub async fn react(&self, repo: &RepoName, on: Target, content: &str) -> Result<()> {
        let call = Call::act(Method::POST, repo, Grant::Talk);
        let call = match on {
            Target::Issue(n) => call.at(&["issues"]).n(n.0),
            Target::Comment(id) => call.at(&["issues", "comments"]).n(id),
            Target::ReviewComment(id) => call.at(&["pulls", "comments"]).n(id),
        };
        self.done(&call.at(&["reactions"]).json(json!({ "content": content }))).await
    }

    /// What was done to an issue or a pull request, the oldest first.
    pub async fn events(&self, repo: &RepoName, n: IssueNumber) -> Result<Vec<ItemEvent>> {
        let call = Call::look(repo, Grant::Look).at(&["issues"]).n(n.0).at(&["events"]);
        let events: Vec<WireEvent> = self.list(&call, None).await?;
        Ok(events.into_iter().map(ItemEvent::from).collect())
    }

    /// Issues and pull requests that changed since then, one page of them.
    pub async fn changed_items(
        &self,
        repo: &RepoName,
        since: Option<Time>,
        etag: Option<&str>,
    ) -> Result<Changed> {
        let mut call = Call::look(repo, Grant::Look)
            .at(&["issues"])
            .query("state", "all")
            .query("sort", "updated")
            .query("direction", "asc")
            .query("per_page", CHANGED_MAX.to_string())
            // An empty one keeps this answer out of what is kept here: pollers keep their own.
            .etag(etag.or(Some("")));
        if let Some(since) = since {
            call = call.query("since", written(since));
        }
        let answer = self.call(&call).await?;
        let items = if answer.is_unchanged {
            None
        } else {
            let asked = self.inner.transport.asked(&call);
            let items: Vec<WireItem> = wire::parse(&answer.body, &asked)?;
            Some(items.into_iter().map(Item::from).collect::<Vec<_>>())
        };
        let is_full = items.as_ref().is_some_and(|items| items.len() >= CHANGED_MAX);
        Ok(Changed {
            items,
            etag: answer.etag,
            more: answer.next.is_some() || is_full,
            poll_after: answer.poll_after,
        })
    }

    /// Adds labels; those that are there already stay.
    pub async fn add_labels(&self, repo: &RepoName, n: IssueNumber, labels: &[&str]) -> Result<()> {
        let call = Call::act(Method::POST, repo, Grant::Talk)
            .at(&["issues"])
            .n(n.0)
            .at(&["labels"])
            .json(json!({ "labels": labels }));
        self.done(&call).await
    }

    /// Removes a label. One that is not there is removed already.
    pub async fn remove_label(&self, repo: &RepoName, n: IssueNumber, label: &str) -> Result<()> {
        let call = Call::act(Method::DELETE, repo, Grant::Talk)
            .at(&["issues"])
            .n(n.0)
            .at(&["labels", label]);
        match self.done(&call).await {
            Err(super::CallError::NotFound { .. }) => Ok(()),
            done => done,
        }
    }

    /// All issues and pull requests that changed since then, the last one first.
    pub async fn items_since(&self, repo: &RepoName, since: Time) -> Result<Vec<Item>> {
        let call = Call::look(repo, Grant::Look)
            .at(&["issues"])
            .query("state", "all")
            .query("sort", "updated")
            .query("since", written(since));
        let items: Vec<WireItem> = self.list(&call, None).await?;
        Ok(items.into_iter().map(Item::from).collect())
    }

    /// Makes an issue a part of another. One that is a part of any is refused.
    pub async fn add_sub_issue(&self, repo: &RepoName, of: IssueNumber, id: u64) -> Result<()> {
        let call = Call::act(Method::POST, repo, Grant::Talk)
            .at(&["issues"])
            .n(of.0)
            .at(&["sub_issues"])
            .json(json!({ "sub_issue_id": id }));
        self.done(&call).await
    }

    /// Opens an issue and says which it is: its number, and its id.
    pub async fn create_issue(
        &self,
        repo: &RepoName,
        new: &NewIssue,
    ) -> Result<(IssueNumber, u64)> {
        let call = Call::act(Method::POST, repo, Grant::Talk)
            .at(&["issues"])
            .json(json!({ "title": new.title, "body": new.body, "labels": new.labels }));
        let made: MadeIssue = self.get(&call).await?;
        Ok((made.number, made.id))
    }
}

/// A moment as GitHub reads it: whole seconds, rounded down.
fn written(time: Time) -> String {
    let seconds = i64::try_from(time.0 / 1_000).unwrap_or(0);
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

impl From<WireItem> for Item {
    fn from(wire: WireItem) -> Self {
        let labels = wire.labels.into_iter().take(LIST_MAX).map(|label| wire::line(label.name));
        let assignees = wire.assignees.into_iter().take(LIST_MAX).map(WireActor::into_actor);
        Self {
            id: wire.id,
            number: wire.number,
            title: wire::line(wire.title),
            body: wire::body(wire.body),
            author: wire::actor(wire.user),
            open: wire.state == "open",
            locked: wire.locked,
            is_pull: wire.pull_request.is_some(),
            labels: labels.collect(),
            assignees: assignees.collect(),
            n_comments: wire.comments,
            association: wire::line(wire.author_association),
            created: wire.created_at,
            updated: wire.updated_at,
        }
    }
}

impl From<WireText> for Text {
    fn from(wire: WireText) -> Self {
        Self {
            id: wire.id,
            author: wire::actor(wire.user),
            body: wire::body(wire.body),
            association: wire::line(wire.author_association),
            created: wire.created_at,
            updated: wire.updated_at,
        }
    }
}

impl From<WireEvent> for ItemEvent {
    fn from(wire: WireEvent) -> Self {
        // For some events GitHub names as actor whom it happened to.
        let by = wire.assigner.or(wire.review_requester).or(wire.actor);
        let whom = wire.assignee.or(wire.requested_reviewer);
        Self {
            id: wire.id,
            event: wire::line(wire.event),
            by: wire::actor(by),
            label: wire.label.map(|label| wire::line(label.name)),
            whom: whom.map(WireActor::into_actor),
            commit: wire::maybe_commit(wire.commit_id.as_ref()),
            created: wire.created_at,
        }
    }
}
