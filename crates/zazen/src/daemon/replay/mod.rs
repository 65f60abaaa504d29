//! `zazen replay`: makes the runs of a task again, from their recordings: those of a task of
//! this home, or those that came in a bundle.
//!
//! Each run is made as it was: the same program with the same arguments and input, on the
//! same commit, in the same kind of sandbox. What asks for a model gets the recorded answers,
//! and there is no other way out. Each begins on the commit that its original began on, so
//! that the first one that comes to something else is the one that differs. Checks are run
//! for real. The task, its branches and its refs are not touched: see `apart`.
//!
//! `recorded` reads what there was, `again` makes a run, `compare` says what it came to.
//! `bundled` unpacks and checks a bundle, `abroad` fits runs to this home that were recorded in
//! another one.

mod abroad;
mod again;
mod bundled;
mod compare;
mod recorded;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use zazen_core::id::{RepoName, RunId, TaskId};
use zazen_core::likeness::Difference;
use zazen_core::price::Prices;

use self::again::{Again, MadeWithTree, Origin};
use self::recorded::load;
pub(super) use self::recorded::{head_of, reader, spec_of, unfinished};
use super::apart::{self, Apart};
use crate::config::{Config, Environment};
use crate::gateway;
use crate::home::Home;
use crate::sandbox::RunDir;

/// Where runs are made again, and with what.
#[derive(Debug)]
pub struct Replay {
    pub home: Home,
    /// The configuration of the home, for where programs are found that have moved, and for all
    /// that is of this machine, where runs come from another one.
    pub config: Config,
    pub environment: Environment,
    pub zazen: PathBuf,
}

/// A task of the home.
#[derive(Debug)]
pub struct OfTask {
    pub task: TaskId,
    pub repo: RepoName,
    pub n_runs: u32,
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    pub task: TaskId,
    pub verdict: Verdict,
    /// The tree that the last run of an agent left, both times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The first run that differs, or could not be made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<RunId>,
    pub runs: Vec<Made>,
    /// How long those runs took that were made again: then, and now.
    pub recorded_ms: u64,
    pub replayed_ms: u64,
    /// How many questions were answered from the recordings.
    pub n_answered: u64,
}

/// What all runs together came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every run that counts came to the same.
    SameTree,
    /// One came to something else.
    Differs,
    /// One could not be made again, and none came to something else.
    Incomplete,
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    pub run: RunId,
    /// What it was for, like `implement/2`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phase: String,
    pub came: Came,
    pub says: String,
    /// The files that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// What else should be known: another version, what it had and has not now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub requests: Requests,
    /// The first request that is not like the recorded one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlike: Option<Unlike>,
    pub recorded_ms: u64,
    pub replayed_ms: u64,
}

/// Whether a run came to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    Same,
    Differs,
    /// It came to nothing then, and nothing builds on it: it is not made again.
    Passed,
    /// It counts, and could not be made again.
    Missing,
}

/// How the questions of a run were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// The very same was recorded.
    pub same: u64,
    /// It differs only in what varies from run to run.
    pub alike: u64,
    /// Another one stands at its place, and has lent its answer.
    pub unlike: u64,
    /// Nothing was recorded.
    pub unanswered: u64,
}

/// A request that is not like the recorded one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unlike {
    /// Counted from 1, among the requests of its run.
    pub n: usize,
    pub turn: u32,
    pub path: String,
    /// Where it differs; nothing, where no answer was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<Difference>,
}

impl Replay {
    /// Replays all runs of a task, in their order. Each is told as soon as it is known.
    pub async fn task(
        &self,
        task: &OfTask,
        tell: &mut dyn FnMut(&Made),
    ) -> anyhow::Result<Replayed> {
        let mirror = apart::mirror(&self.home, &task.repo).await?;
        let apart = self.apart(&format!("replay-{}", task.task)).await?;
        apart.borrow(&mirror.objects()).await?;
        let (replay, repo) = (self, &task.repo);
        let again = Again { replay, apart: &apart, mirror: &mirror, repo, origin: Origin::Home };
        let runs = all(&again, task, tell).await;
        apart.remove().await?;
        Ok(sum_up(task.task, runs?))
    }

    /// A place apart, whose gateway has nobody to ask.
    async fn apart(&self, name: &str) -> anyhow::Result<Apart> {
        let options = gateway::Options {
            routes: BTreeMap::new(),
            prices: Prices::default(),
            budget: self.config.budget.clone(),
            servers: BTreeMap::new(),
        };
        Apart::open(&self.home, name, self.zazen.clone(), options).await
    }
}

async fn all(
    again: &Again<'_>,
    task: &OfTask,
    tell: &mut dyn FnMut(&Made),
) -> anyhow::Result<Vec<MadeWithTree>> {
    let mut runs = Vec::new();
    for n in 1..=task.n_runs {
        let run = RunId { task: task.task, n };
        let loaded = load(&RunDir::new(again.replay.home.run_dir(run)), run)?;
        runs.push(again.told(loaded, tell).await?);
    }
    Ok(runs)
}

fn sum_up(task: TaskId, runs: Vec<MadeWithTree>) -> Replayed {
    let tree = runs.iter().rev().find_map(|(_, tree)| tree.clone());
    let runs: Vec<Made> = runs.into_iter().map(|(again, _)| again).collect();
    let first = |came| runs.iter().find(|again| again.came == came).map(|again| again.run);
    let (verdict, first) = match (first(Came::Differs), first(Came::Missing), first(Came::Same)) {
        (Some(run), ..) => (Verdict::Differs, Some(run)),
        (None, Some(run), _) => (Verdict::Incomplete, Some(run)),
        (None, None, Some(_)) => (Verdict::SameTree, None),
        (None, None, None) => (Verdict::Incomplete, None),
    };
    let made = || runs.iter().filter(|it| matches!(it.came, Came::Same | Came::Differs));
    Replayed {
        task,
        verdict,
        tree: tree.filter(|_| verdict == Verdict::SameTree),
        first,
        recorded_ms: made().map(|again| again.recorded_ms).sum(),
        replayed_ms: made().map(|again| again.replayed_ms).sum(),
        n_answered: made().map(|again| again.requests.answered()).sum(),
        runs,
    }
}

impl Requests {
    fn answered(self) -> u64 {
        self.same + self.alike + self.unlike
    }
}
