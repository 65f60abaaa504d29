//! The receipt of a pull request: what is bound to its commit, and how that is written.
//!
//! A [`Receipt`] names by its hash everything that led to one commit. It is the predicate
//! of an in-toto statement ([`statement`]), which stands in a signed envelope
//! ([`envelope`]). [`chain`] is how a recording is bound line by line, [`part`] names the
//! files beside a receipt, and [`link`] says what has to hold, in which order. Signing,
//! files and git are done by the `zazen` crate; see `docs/formats/receipt.md`.

pub mod chain;
pub mod envelope;
mod hash;
pub mod link;
pub mod part;
pub mod statement;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::envelope::{Envelope, KeyId, Unsigned};
pub use self::hash::Hash;
pub use self::link::{Finding, Link, Outcome, Report, Verdict};
pub use self::part::{OfRun, Part};
use crate::id::{CommitId, IssueNumber, PlanHash, RepoName, RunId, TaskId, Time};
use crate::usage::Usage;

/// Everything that led to one commit, by its hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of this format, [`VERSION`].
    pub v: u32,
    /// The version of the zazen that made it.
    pub zazen: String,
    pub task: TaskId,
    pub issue: Issue,
    /// What people asked for beyond the issue, and wrote with their approval.
    pub brief: Hash,
    pub plan: Plan,
    /// The contract that was approved with it. Nothing, where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Hash>,
    /// What the owner had set for this repository, as far as it counted.
    pub policy: Hash,
    pub base: Point,
    pub head: Point,
    /// All runs of the task until then, in order.
    pub runs: Vec<Run>,
    pub hosts: Hosts,
    /// What the guards said of the change. Nothing, where none looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<Guards>,
    pub checks: Checks,
    /// The same command on the base, where that was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Checks>,
    /// What another agent said of the change. Nothing, where none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// What all runs used: the sum of theirs.
    pub usage: Usage,
}

/// The issue, as agents were given it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    pub repo: RepoName,
    pub number: IssueNumber,
    pub text: Hash,
}

/// The approved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub hash: PlanHash,
    pub version: u32,
    /// Who approved exactly that text.
    pub approved_by: String,
}

/// A commit and its tree, as git names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub commit: CommitId,
    /// Forty hexadecimal digits, too.
    pub tree: CommitId,
}

/// One run: who acted, where, how it ended, and what it left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub run: RunId,
    /// What it was for, like `implement/2`.
    pub phase: String,
    /// Nothing for checks, which are run without an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    pub sandbox: Sandbox,
    pub end: End,
    /// What its recording says it used.
    pub usage: Usage,
    /// How many calls were begun and never came to an end. Nobody knows what they cost.
    #[serde(default, skip_serializing_if = "is_none")]
    pub n_unrecorded: u64,
    /// The hashes of its files, by their names in [`OfRun`].
    pub files: BTreeMap<OfRun, Hash>,
    /// Its traffic with the model. Nothing, where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<chain::Sealed>,
}

/// Who acted in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    pub name: String,
    pub harness: String,
    /// Empty, where the program says none.
    pub version: String,
    /// Empty, where the harness chose and never said.
    pub model: String,
}

/// Where a run happened, and what held it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    pub engine: String,
    /// By the names of `achieved` in the run's `exit.json`. Empty, where none came to stand.
    pub achieved: BTreeMap<String, String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// `exited` and so on, or `lost`.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    pub started_at: Time,
    pub ended_at: Time,
}

/// What all runs reached besides the model, and were refused: how often each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    pub reached: BTreeMap<String, u64>,
    pub refused: BTreeMap<String, u64>,
    /// How many of each are not listed, as there are too many.
    pub n_more: u64,
}

/// What the guards said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    pub text: Hash,
    pub n_flags: u32,
    /// Whether something was held back, which a person released.
    pub held: bool,
    /// Who released it; empty, where nothing was held.
    pub released_by: String,
}

/// What the validation command came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    pub run: RunId,
    pub command: String,
    /// The exit status; nothing, where it did not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    pub output: Hash,
}

/// What another agent said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub run: RunId,
    pub text: Hash,
    pub n_findings: u32,
    /// How many of them should be mended before anybody merges the work.
    pub n_blocking: u32,
}

/// The version of receipts that are written, and the only one that is read.
pub const VERSION: u32 = 1;

/// How many runs a receipt may have. A task that is reworked for months has some tens.
pub const RUNS_MAX: usize = 1_000;

/// How many hosts of each kind are listed by their names.
pub const HOSTS_MAX: usize = 200;

/// How long a name in a receipt may be, in characters: hosts, models, people.
pub const NAME_CHARS_MAX: usize = 200;

impl Hosts {
    /// What runs reached and were refused, as far as there is room for it.
    pub fn of(traffic: &crate::host::Traffic) -> Self {
        let reached = traffic.reached.iter().map(|(host, moved)| (host, moved.n_connections));
        let (reached, n_more_reached) = listed(reached);
        let (refused, n_more_refused) = listed(traffic.refused.iter().map(|(h, n)| (h, *n)));
        Self { reached, refused, n_more: n_more_reached + n_more_refused }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

fn listed<'a>(hosts: impl Iterator<Item = (&'a String, u64)>) -> (BTreeMap<String, u64>, u64) {
    let (mut list, mut n_more) = (BTreeMap::new(), 0);
    for (host, n) in hosts {
        if list.len() < HOSTS_MAX {
            *list.entry(name(host)).or_default() += n;
        } else {
            n_more += 1;
        }
    }
    (list, n_more)
}

/// A name as it may stand in a receipt: one line, not too long.
pub fn name(text: &str) -> String {
    crate::text::one_line(text, NAME_CHARS_MAX)
}

#[cfg(test)]
mod tests;
