//! Statuses of commits: what older programs say of them, and what a person's token can show
//! where checks are only for Apps.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use zazen_core::id::{CommitId, RepoName, Time};
use zazen_core::text::one_line;

use super::call::{Call, Grant};
use super::wire::{self, Actor, WireActor};
use super::{Client, Result};

/// A status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub id: u64,
    /// What it is a status of: the name that people see.
    pub context: String,
    /// `success`, `failure`, `pending` or `error`.
    pub state: String,
    pub description: String,
    pub by: Actor,
    pub updated: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct WireStatus {
    #[serde(default)]
    id: u64,
    context: Option<String>,
    state: Option<String>,
    description: Option<String>,
    creator: Option<WireActor>,
    updated_at: Option<String>,
}

/// The longest description that GitHub takes, in characters.
const DESCRIPTION_CHARS_MAX: usize = 140;

impl Client {
    /// All statuses of a commit, the newest first.
    pub async fn statuses(&self, repo: &RepoName, head: &CommitId) -> Result<Vec<Status>> {
        let call = Call::look(repo, Grant::Statuses)
            .at(&["commits", head.as_str(), "statuses"])
            .publishing();
        let statuses: Vec<WireStatus> = self.list(&call, None).await?;
        Ok(statuses.into_iter().map(Status::from).collect())
    }

    /// Shows a status on a commit that says that all is well.
    pub async fn create_status(
        &self,
        repo: &RepoName,
        head: &CommitId,
        (context, description): (&str, &str),
    ) -> Result<()> {
        let call = Call::act(Method::POST, repo, Grant::Mark)
            .at(&["statuses", head.as_str()])
            .publishing()
            .json(json!({
                "state": "success",
                "context": context,
                "description": one_line(description, DESCRIPTION_CHARS_MAX),
            }));
        self.done(&call).await
    }
}

impl From<WireStatus> for Status {
    fn from(wire: WireStatus) -> Self {
        Self {
            id: wire.id,
            context: wire::line(wire.context),
            state: wire::line(wire.state),
            description: wire::line(wire.description),
            by: wire::actor(wire.creator),
            updated: wire.updated_at.as_deref().and_then(wire::time),
        }
    }
}
