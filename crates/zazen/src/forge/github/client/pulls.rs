//! Pull requests: found, opened, changed.
//!
//! What is written on them is in `items` and `reviews`.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, json};
use zazen_core::id::{CommitId, PullNumber, RepoName, Time};

use super::call::{Call, Grant};
use super::wire::{self, Actor, LIST_MAX, WireActor};
use super::{Client, Result};
use crate::forge::PullState;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub number: PullNumber,
    pub title: String,
    pub body: String,
    pub author: Actor,
    pub state: PullState,
    pub draft: bool,
    pub locked: bool,
    /// The branch that is proposed, and its last commit.
    pub branch: String,
    pub head: CommitId,
    /// Where that branch is; nothing if that repository is gone.
    pub head_repo: Option<RepoName>,
    /// The branch that it is proposed for, and its last commit that GitHub looked at.
    pub base: String,
    pub base_head: CommitId,
    /// Whether it could be merged; nothing while GitHub is finding out.
    pub mergeable: Option<bool>,
    pub reviewers: Vec<Actor>,
    pub labels: Vec<String>,
    pub created: Time,
    pub updated: Time,
}

/// A pull request to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPull {
    pub title: String,
    pub body: String,
    /// The branch that is proposed.
    pub head: String,
    /// The branch that it is proposed for.
    pub base: String,
    pub draft: bool,
}

/// What is to be changed about a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditPull {
    pub title: Option<String>,
    pub body: Option<String>,
    pub open: Option<bool>,
    pub base: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WirePull {
    number: PullNumber,
    #[serde(default, deserialize_with = "wire::or_default")]
    title: String,
    body: Option<String>,
    user: Option<WireActor>,
    #[serde(default, deserialize_with = "wire::or_default")]
    state: String,
    merged_at: Option<String>,
    #[serde(default, deserialize_with = "wire::or_default")]
    draft: bool,
    #[serde(default, deserialize_with = "wire::or_default")]
    locked: bool,
    head: WireEnd,
    base: WireEnd,
    mergeable: Option<bool>,
    #[serde(default, deserialize_with = "wire::or_default")]
    requested_reviewers: Vec<WireActor>,
    #[serde(default, deserialize_with = "wire::or_default")]
    labels: Vec<WireLabel>,
    #[serde(deserialize_with = "wire::moment")]
    created_at: Time,
    #[serde(deserialize_with = "wire::moment")]
    updated_at: Time,
}

#[derive(Debug, Deserialize)]
struct WireEnd {
    #[serde(rename = "ref")]
    branch: String,
    #[serde(deserialize_with = "wire::commit")]
    sha: CommitId,
    repo: Option<WireRepo>,
}

#[derive(Debug, Deserialize)]
struct WireRepo {
    #[serde(default, deserialize_with = "wire::or_default")]
    full_name: String,
}

#[derive(Debug, Deserialize)]
struct WireLabel {
    #[serde(default, deserialize_with = "wire::or_default")]
    name: String,
}

impl Client {
    /// A pull request.
    pub async fn pull(&self, repo: &RepoName, n: PullNumber) -> Result<Pull> {
        let call = Call::look(repo, Grant::Look).at(&["pulls"]).n(n.0).publishing();
        Ok(self.get::<WirePull>(&call).await?.into())
    }

    /// The pull requests, open or not, that propose this branch of the repository itself.
    pub async fn pulls_of_branch(&self, repo: &RepoName, branch: &str) -> Result<Vec<Pull>> {
        let call = Call::look(repo, Grant::Look)
            .at(&["pulls"])
            .query("state", "all")
            .query("head", format!("{}:{branch}", repo.owner()))
            .publishing();
        let pulls: Vec<WirePull> = self.list(&call, None).await?;
        let pulls = pulls.into_iter().map(Pull::from);
        // A server that does not know the filter answers with all.
        Ok(pulls.filter(|pull| pull.branch == branch && pull.is_of(repo)).collect())
    }

    /// Opens a pull request.
    pub async fn create_pull(&self, repo: &RepoName, new: &NewPull) -> Result<Pull> {
        let call =
            Call::act(Method::POST, repo, Grant::Propose).at(&["pulls"]).publishing().json(json!({
                "title": new.title,
                "body": new.body,
                "head": new.head,
                "base": new.base,
                "draft": new.draft,
                "maintainer_can_modify": false,
            }));
        Ok(self.get::<WirePull>(&call).await?.into())
    }

    /// Changes what is said about a pull request, or closes it.
    pub async fn edit_pull(&self, repo: &RepoName, n: PullNumber, edit: &EditPull) -> Result<Pull> {
        let mut body = Map::new();
        for (key, value) in [("title", &edit.title), ("body", &edit.body), ("base", &edit.base)] {
            if let Some(value) = value {
                body.insert(key.to_owned(), json!(value));
            }
        }
        if let Some(open) = edit.open {
            body.insert("state".to_owned(), json!(if open { "open" } else { "closed" }));
        }
        let call = Call::act(Method::PATCH, repo, Grant::Propose)
            .at(&["pulls"])
            .n(n.0)
            .publishing()
            .json(body.into());
        Ok(self.get::<WirePull>(&call).await?.into())
    }
}

impl Pull {
    /// Whether the proposed branch is in this repository, and not in a fork.
    pub fn is_of(&self, repo: &RepoName) -> bool {
        let head = self.head_repo.as_ref();
        head.is_some_and(|head| head.as_str().eq_ignore_ascii_case(repo.as_str()))
    }
}

impl From<WirePull> for Pull {
    fn from(wire: WirePull) -> Self {
        let state = match wire.state.as_str() {
            "open" => PullState::Open,
            _ if wire.merged_at.is_some() => PullState::Merged,
            _ => PullState::Closed,
        };
        let reviewers = wire.requested_reviewers.into_iter().take(LIST_MAX);
        let labels = wire.labels.into_iter().take(LIST_MAX).map(|label| wire::line(label.name));
        Self {
            number: wire.number,
            title: wire::line(wire.title),
            body: wire::body(wire.body),
            author: wire::actor(wire.user),
            state,
            draft: wire.draft,
            locked: wire.locked,
            branch: wire::line(wire.head.branch),
            head: wire.head.sha,
            head_repo: wire.head.repo.and_then(|repo| repo.full_name.parse().ok()),
            base: wire::line(wire.base.branch),
            base_head: wire.base.sha,
            mergeable: wire.mergeable,
            reviewers: reviewers.map(WireActor::into_actor).collect(),
            labels: labels.collect(),
            created: wire.created_at,
            updated: wire.updated_at,
        }
    }
}
