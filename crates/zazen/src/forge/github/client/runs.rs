//! Runs of GitHub Actions, for whoever may not look at checks.
//!
//! Checks are for Apps; a person's token may read runs and their jobs, which say the same of
//! CI. Each becomes a check as the App would see it.

use serde::Deserialize;
use zazen_core::id::{CommitId, RepoName};

use super::call::{Call, Grant};
use super::checks::{ACTIONS, CheckRun, CheckState};
use super::{Client, Result, wire};

#[derive(Debug, Deserialize)]
struct WireRun {
    id: u64,
    name: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireJob {
    id: u64,
    name: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    completed_at: Option<String>,
}

impl Client {
    /// What CI says of a commit: the jobs of runs that went wrong, and runs that go on. Of
    /// runs in which nothing is wrong there is nothing to say.
    pub async fn workflow_checks(&self, repo: &RepoName, head: &CommitId) -> Result<Vec<CheckRun>> {
        let call = Call::look(repo, Grant::Logs)
            .at(&["actions", "runs"])
            .query("head_sha", head.as_str())
            .publishing();
        let runs: Vec<WireRun> = self.list(&call, Some("workflow_runs")).await?;
        let mut checks = Vec::new();
        for run in runs {
            match CheckState::of(run.status.as_deref(), run.conclusion.as_deref()) {
                CheckState::Ended(conclusion) if conclusion.is_good() => {}
                CheckState::Ended(_) => checks.extend(self.jobs(repo, run.id).await?),
                state @ (CheckState::Queued | CheckState::Running) => {
                    checks.push(check((run.id, run.id), (run.name, state, None)));
                }
            }
        }
        Ok(checks)
    }

    async fn jobs(&self, repo: &RepoName, run: u64) -> Result<Vec<CheckRun>> {
        let call = Call::look(repo, Grant::Logs)
            .at(&["actions", "runs"])
            .n(run)
            .at(&["jobs"])
            .publishing();
        let jobs: Vec<WireJob> = self.list(&call, Some("jobs")).await?;
        let checks = jobs.into_iter().map(|job| {
            let state = CheckState::of(job.status.as_deref(), job.conclusion.as_deref());
            check((job.id, run), (job.name, state, job.completed_at))
        });
        Ok(checks.collect())
    }
}

fn check(
    (id, run): (u64, u64),
    (name, state, ended): (Option<String>, CheckState, Option<String>),
) -> CheckRun {
    CheckRun {
        id,
        name: wire::line(name),
        head: None,
        state,
        app: ACTIONS.to_owned(),
        app_id: 0,
        external_id: String::new(),
        title: String::new(),
        summary: String::new(),
        url: String::new(),
        workflow_run: Some(run),
        ended: ended.as_deref().and_then(wire::time),
    }
}
