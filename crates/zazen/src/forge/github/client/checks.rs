//! Checks of commits: those of others, read; our own, reported; logs of jobs.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;
use zazen_core::id::{CommitId, RepoName, Time};

use super::call::{Call, Grant};
use super::items::Made;
use super::wire;
use super::{CallError, Client, Result};

/// A check of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// For a job of GitHub Actions, this is also the job's number.
    pub id: u64,
    pub name: String,
    pub head: Option<CommitId>,
    pub state: CheckState,
    /// The App that reports it, by name and number: `github-actions`, say.
    pub app: String,
    pub app_id: u64,
    /// What its App calls it.
    pub external_id: String,
    pub title: String,
    pub summary: String,
    pub url: String,
    /// The run of GitHub Actions that it is part of.
    pub workflow_run: Option<u64>,
    pub ended: Option<Time>,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    Queued,
    Running,
    Ended(Conclusion),
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    Success,
    Failure,
    Neutral,
    Cancelled,
    Skipped,
    TimedOut,
    ActionRequired,
    Stale,
    StartupFailure,
    /// A word that is not known; it is not success.
    Other,
}

/// A check of ours, as it is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheck {
    pub name: String,
    pub head: CommitId,
    /// By which it is found again after a crash.
    pub external_id: String,
    pub state: CheckState,
    pub title: String,
    pub summary: String,
    pub url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireCheck {
    id: u64,
    #[serde(default, deserialize_with = "wire::or_default")]
    name: String,
    head_sha: Option<String>,
    #[serde(default, deserialize_with = "wire::or_default")]
    status: String,
    conclusion: Option<String>,
    app: Option<WireApp>,
    external_id: Option<String>,
    output: Option<WireOutput>,
    details_url: Option<String>,
    completed_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireApp {
    #[serde(default)]
    id: u64,
    slug: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct WireOutput {
    title: Option<String>,
    summary: Option<String>,
}

/// How much of a job's log is read: its end, where what failed is said.
const LOG_BYTES_MAX: usize = 1 << 20;

/// What GitHub calls the App that runs Actions.
pub(super) const ACTIONS: &str = "github-actions";

/// The longest summary that GitHub takes.
const SUMMARY_CHARS_MAX: usize = 65_535;

impl Client {
    /// The latest checks of a commit, one for each name and App.
    pub async fn check_runs(&self, repo: &RepoName, head: &CommitId) -> Result<Vec<CheckRun>> {
        let call = Call::look(repo, Grant::Checks)
            .at(&["commits", head.as_str(), "check-runs"])
            .publishing();
        let checks: Vec<WireCheck> = self.list(&call, Some("check_runs")).await?;
        Ok(checks.into_iter().map(CheckRun::from).collect())
    }

    /// Shows a check of ours on a commit, and says which it is.
    pub async fn create_check_run(&self, repo: &RepoName, new: &NewCheck) -> Result<u64> {
        let mut body = new.body();
        body.insert("head_sha".to_owned(), json!(new.head.as_str()));
        let call = Call::act(Method::POST, repo, Grant::Report)
            .at(&["check-runs"])
            .publishing()
            .json(body.into());
        Ok(self.get::<Made>(&call).await?.id)
    }

    /// Shows another state of a check of ours.
    pub async fn update_check_run(&self, repo: &RepoName, id: u64, new: &NewCheck) -> Result<()> {
        let call = Call::act(Method::PATCH, repo, Grant::Report)
            .at(&["check-runs"])
            .n(id)
            .publishing()
            .json(new.body().into());
        self.done(&call).await
    }

    /// The end of the log of a job of GitHub Actions.
    pub async fn job_log(&self, repo: &RepoName, job: u64) -> Result<String> {
        let call = Call::look(repo, Grant::Logs).at(&["actions", "jobs"]).n(job).at(&["logs"]);
        let answer = self.call(&call).await?;
        let bytes = match &answer.elsewhere {
            // Its address is a secret in itself; ours stays here.
            Some(url) => self.inner.transport.fetch_elsewhere(url, LOG_BYTES_MAX).await?,
            None => answer.body.slice(answer.body.len().saturating_sub(LOG_BYTES_MAX)..),
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Starts the failed jobs of a run of GitHub Actions again.
    pub async fn rerun_failed(&self, repo: &RepoName, workflow_run: u64) -> Result<()> {
        let call = Call::act(Method::POST, repo, Grant::Rerun)
            .at(&["actions", "runs"])
            .n(workflow_run)
            .at(&["rerun-failed-jobs"]);
        match self.done(&call).await {
            Err(CallError::Denied { why }) => Err(CallError::Denied {
                why: format!("{why}; it takes the permission `actions: write`"),
            }),
            done => done,
        }
    }
}

impl NewCheck {
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
        let summary: String = self.summary.chars().take(SUMMARY_CHARS_MAX).collect();
        put("name", json!(self.name));
        put("external_id", json!(self.external_id));
        put("output", json!({ "title": self.title, "summary": summary }));
        if let Some(url) = &self.url {
            put("details_url", json!(url));
        }
        match self.state {
            CheckState::Queued => put("status", json!("queued")),
            CheckState::Running => put("status", json!("in_progress")),
            CheckState::Ended(conclusion) => {
                put("status", json!("completed"));
                put("conclusion", json!(conclusion.word()))
            }
        };
        body
    }
}

impl CheckState {
    /// What GitHub's two words for it mean.
    pub(super) fn of(status: Option<&str>, conclusion: Option<&str>) -> Self {
        match status {
            Some("completed") => Self::Ended(conclusion.map_or(Conclusion::Other, Conclusion::of)),
            Some("in_progress") => Self::Running,
            _ => Self::Queued,
        }
    }
}

/// The words of GitHub, in both directions.
const CONCLUSIONS: [(&str, Conclusion); 9] = [
    ("success", Conclusion::Success),
    ("failure", Conclusion::Failure),
    ("neutral", Conclusion::Neutral),
    ("cancelled", Conclusion::Cancelled),
    ("skipped", Conclusion::Skipped),
    ("timed_out", Conclusion::TimedOut),
    ("action_required", Conclusion::ActionRequired),
    ("stale", Conclusion::Stale),
    ("startup_failure", Conclusion::StartupFailure),
];

impl Conclusion {
    /// Whether nothing is wrong.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Success | Self::Neutral | Self::Skipped)
    }

    /// What GitHub calls it.
    pub fn word(self) -> &'static str {
        let found = CONCLUSIONS.iter().find(|(_, conclusion)| *conclusion == self);
        found.map_or("neutral", |(word, _)| word)
    }

    fn of(word: &str) -> Self {
        let found = CONCLUSIONS.iter().find(|(known, _)| *known == word);
        found.map_or(Self::Other, |(_, conclusion)| *conclusion)
    }
}

impl From<WireCheck> for CheckRun {
    fn from(wire: WireCheck) -> Self {
        let state = CheckState::of(Some(&wire.status), wire.conclusion.as_deref());
        let (app, app_id) = wire.app.map_or((None, 0), |app| (app.slug, app.id));
        let output = wire.output.unwrap_or_default();
        let (app, url) = (wire::line(app), wire::line(wire.details_url));
        Self {
            id: wire.id,
            name: wire::line(wire.name),
            head: wire::maybe_commit(wire.head_sha.as_ref()),
            state,
            workflow_run: if app == ACTIONS { workflow_run(&url) } else { None },
            app,
            app_id,
            external_id: wire::line(wire.external_id),
            title: wire::line(output.title),
            summary: wire::body(output.summary),
            url,
            ended: wire.completed_at.as_deref().and_then(wire::time),
        }
    }
}

/// The run in an address like `…/actions/runs/123/job/456`.
fn workflow_run(url: &str) -> Option<u64> {
    let url = Url::parse(url).ok()?;
    let mut parts = url.path_segments()?.skip_while(|part| *part != "actions");
    (parts.next() == Some("actions") && parts.next() == Some("runs")).then_some(())?;
    parts.next()?.parse().ok()
}
