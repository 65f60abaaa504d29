//! What other programs' checks say of a commit of ours.
//!
//! A check that is red for the first time is run once more, where it is a job of GitHub's
//! own: many red jobs are not about the commit. One that stays red becomes a text on the
//! pull request, with the end of the job's log. What follows from it is decided elsewhere.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use zazen_core::id::{CommentId, CommitId, IssueNumber, PullNumber, RepoName, Stream, Time};
use zazen_core::intake::Implied;
use zazen_core::text::{cut_middle, one_line};
use zazen_core::trust::Permission;

use super::GitHub;
use super::client::{CallError, CheckRun, CheckState, Conclusion, Status};
use super::report::CHECK;
use crate::forge::local::Copy;

/// How far the checks of a commit are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Some are still running, so somebody has to look again.
    Pending,
    Ended,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Checks and statuses.
    Whole,
    /// Checks alone, in one call: nothing was done there lately.
    Short,
}

/// How much of a job's log is kept, in bytes. What went wrong is at its end, or is said
/// again there.
const LOG_BYTES_MAX: usize = 16 * 1024;

/// How long the name of a check may be, in characters.
const NAME_CHARS_MAX: usize = 120;

impl GitHub {
    /// Keeps what the checks of our last commit say, where they are red.
    pub async fn copy_checks(
        &self,
        (repo, pull): (&RepoName, PullNumber),
        (head, look): (&CommitId, Look),
    ) -> anyhow::Result<Checks> {
        let runs = match self.checks_of(repo, head).await {
            // A token that may not look at them either is none for red ones.
            Err(CallError::Denied { .. } | CallError::NotFound { .. }) => return Ok(Checks::Ended),
            runs => runs?,
        };
        let mut others: Vec<CheckRun> = runs.into_iter().filter(|run| run.name != CHECK).collect();
        if look == Look::Whole {
            others.extend(self.statuses_of(repo, head).await?);
        }
        let mut checks = Checks::Ended;
        for run in &others {
            match run.state {
                CheckState::Queued | CheckState::Running => checks = Checks::Pending,
                CheckState::Ended(conclusion) if is_red(conclusion) => {
                    if self.keep_red((repo, IssueNumber(pull.0)), head, run).await? {
                        checks = Checks::Pending;
                    }
                }
                CheckState::Ended(_) => {}
            }
        }
        Ok(checks)
    }

    /// The checks of a commit, or what a token that is no App's may know of them.
    async fn checks_of(
        &self,
        repo: &RepoName,
        head: &CommitId,
    ) -> Result<Vec<CheckRun>, CallError> {
        if !self.0.is_shut_out.load(Ordering::Relaxed) {
            match self.0.client.check_runs(repo, head).await {
                Err(CallError::Denied { why }) => {
                    tracing::debug!("runs of Actions are looked at in place of checks: {why}");
                    self.0.is_shut_out.store(true, Ordering::Relaxed);
                }
                checks => return checks,
            }
        }
        self.0.client.workflow_checks(repo, head).await
    }

    /// What programs say of a commit that report no checks but statuses: the last of each.
    async fn statuses_of(
        &self,
        repo: &RepoName,
        head: &CommitId,
    ) -> Result<Vec<CheckRun>, CallError> {
        if self.0.has_no_statuses.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let statuses = match self.0.client.statuses(repo, head).await {
            // An App of before may have no permission for them.
            Err(err @ (CallError::Denied { .. } | CallError::Invalid { .. })) => {
                tracing::debug!("statuses of commits are not looked at: {err}");
                self.0.has_no_statuses.store(true, Ordering::Relaxed);
                return Ok(Vec::new());
            }
            statuses => statuses?,
        };
        let mut seen = BTreeSet::from([CHECK.to_owned()]);
        let last = statuses.into_iter().filter(|status| seen.insert(status.context.clone()));
        Ok(last.map(check_of).collect())
    }

    /// Keeps one red check, or has it run once more, and says whether it did that.
    async fn keep_red(
        &self,
        (repo, issue): (&RepoName, IssueNumber),
        head: &CommitId,
        run: &CheckRun,
    ) -> anyhow::Result<bool> {
        let id = ending(run);
        if self.0.pages.has_text(repo, (issue, id)) {
            return Ok(false);
        }
        let name = one_line(&run.name, NAME_CHARS_MAX).replace('`', "'");
        let title = format!("`{name}` is red on {}.", head.short());
        if !self.was_red((repo, issue), &title)? && self.run_again(repo, run).await? {
            let body = format!("{title} It is run once more, in case that it was not the commit.");
            self.keep_check((repo, issue, id), (run, &body), None)?;
            return Ok(true);
        }
        let log = self.log(repo, run).await;
        let body = format!("{title}\n\n{}", cut_middle(&log, LOG_BYTES_MAX));
        let red = Implied::RedChecks { head: head.clone() };
        self.keep_check((repo, issue, id), (run, &body), Some(red))?;
        Ok(false)
    }

    /// Whether this check was red before, on the same commit.
    fn was_red(
        &self,
        (repo, issue): (&RepoName, IssueNumber),
        title: &str,
    ) -> anyhow::Result<bool> {
        for id in self.0.pages.text_ids(repo, issue, Stream::Checks)? {
            if self.0.pages.text(repo, (issue, id))?.body.starts_with(title) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has the job run once more. Says no where that cannot be had.
    async fn run_again(&self, repo: &RepoName, run: &CheckRun) -> anyhow::Result<bool> {
        let Some(workflow_run) = run.workflow_run else { return Ok(false) };
        match self.0.client.rerun_failed(repo, workflow_run).await {
            Ok(()) => Ok(true),
            Err(err) if err.is_passing() => Err(err).context("run a red job once more"),
            Err(err) => {
                tracing::debug!("`{}` is not run again: {err}", run.name);
                Ok(false)
            }
        }
    }

    async fn log(&self, repo: &RepoName, run: &CheckRun) -> String {
        let said = format!("{}\n\n{}", run.title, run.summary);
        if run.workflow_run.is_none() {
            return said;
        }
        match self.0.client.job_log(repo, run.id).await {
            Ok(log) => log,
            Err(err) => {
                tracing::debug!("no log of `{}`: {err}", run.name);
                said
            }
        }
    }

    fn keep_check(
        &self,
        at: (&RepoName, IssueNumber, CommentId),
        (run, body): (&CheckRun, &str),
        implied: Option<Implied>,
    ) -> anyhow::Result<()> {
        let copy = Copy {
            author: &run.app,
            body,
            at: run.ended.unwrap_or_default(),
            permission: Some(Permission::None),
            association: "",
            is_bot: true,
            implied,
            happened: None,
            is_old: false,
        };
        self.0.pages.keep_text(at, &copy, false)
    }
}

/// A status as the check that it would be.
fn check_of(status: Status) -> CheckRun {
    let state = match status.state.as_str() {
        "pending" => CheckState::Running,
        "success" => CheckState::Ended(Conclusion::Success),
        _ => CheckState::Ended(Conclusion::Failure),
    };
    CheckRun {
        id: status.id,
        name: status.context,
        head: None,
        state,
        app: status.by.login,
        app_id: 0,
        external_id: String::new(),
        title: status.description,
        summary: String::new(),
        url: String::new(),
        workflow_run: None,
        ended: status.updated,
    }
}

fn is_red(conclusion: Conclusion) -> bool {
    matches!(conclusion, Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure)
}

/// The number of this ending of a check: one that is run again ends again, and may keep
/// its own number.
fn ending(run: &CheckRun) -> CommentId {
    let Time(ended) = run.ended.unwrap_or_default();
    let hash = blake3::hash(format!("{} {ended}", run.id).as_bytes());
    let mut bytes = [0; 8];
    bytes[..6].copy_from_slice(&hash.as_bytes()[..6]);
    CommentId::of(Stream::Checks, u64::from_le_bytes(bytes))
}
