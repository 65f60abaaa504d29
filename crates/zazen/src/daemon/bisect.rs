//! `zazen bisect`: which step of a task broke a check, or mended it.
//!
//! The command is run on the base and on the last commit, in fresh sandboxes without a model
//! and without a network, and then between the two until the step is found where it changes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;
use zazen_core::id::{CommitId, RepoName, RunId, TaskId};
use zazen_core::price::Prices;
use zazen_harness::Name;

use super::apart::{self, Apart, Job};
use super::containers;
use super::replay::spec_of;
use super::steps::{StepLeft, Steps};
use crate::config::Config;
use crate::gateway::{self, Source, Token};
use crate::git::workspace::Content;
use crate::home::Home;
use crate::sandbox::{self, EngineKind, LaunchSpec, RunDir, Work};

/// What is looked for, and where.
#[derive(Debug)]
pub struct Bisect {
    pub home: Home,
    pub config: Config,
    pub zazen: PathBuf,
    pub task: TaskId,
    pub repo: RepoName,
    pub n_runs: u32,
    /// For a shell.
    pub command: String,
    /// Whether it is run on every commit, though the step is found.
    pub is_thorough: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bisected {
    pub task: TaskId,
    pub found: Found,
    /// The step at which it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
    /// Whether it changes once at the most, as far as was looked.
    pub is_monotone: bool,
    /// All that were tried, in the order of the commits.
    pub tried: Vec<Point>,
    pub n_untried: usize,
}

/// What became of the command between the base and the last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    Broke,
    Mended,
    /// It passes on the base and on the last commit.
    Passes,
    /// It fails on both.
    Fails,
}

/// A commit on which the command was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// 0 is the base.
    pub n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    pub title: String,
    pub commit: CommitId,
    pub passes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
}

impl Bisect {
    /// Finds the step. Each commit is told as soon as the command was run on it.
    pub async fn run(self, steps: Steps, tell: &mut dyn FnMut(&Point)) -> anyhow::Result<Bisected> {
        let mirror = apart::mirror(&self.home, &self.repo).await?;
        let options = gateway::Options {
            routes: BTreeMap::new(),
            prices: Prices::default(),
            budget: self.config.budget.clone(),
            servers: BTreeMap::new(),
        };
        let name = format!("bisect-{}", self.task);
        let zazen = self.zazen.clone();
        let apart = Apart::open(&self.home, &name, zazen, options).await?;
        apart.borrow(&mirror.objects()).await?;
        let searched = Search { bisect: &self, apart: &apart, steps, tried: BTreeMap::new() };
        let found = searched.all(tell).await;
        apart.remove().await?;
        found
    }
}

struct Search<'a> {
    bisect: &'a Bisect,
    apart: &'a Apart,
    steps: Steps,
    tried: BTreeMap<usize, Point>,
}

impl Search<'_> {
    async fn all(mut self, tell: &mut dyn FnMut(&Point)) -> anyhow::Result<Bisected> {
        let last = self.steps.all.len();
        let (first_passes, last_passes) =
            (self.passes(0, tell).await?, self.passes(last, tell).await?);
        let (mut below, mut above) = (0, last);
        while first_passes != last_passes && above - below > 1 {
            let middle = usize::midpoint(below, above);
            if self.passes(middle, tell).await? == first_passes {
                below = middle;
            } else {
                above = middle;
            }
        }
        // Where both ends agree, a change can only be seen by looking at all between them.
        if self.bisect.is_thorough || first_passes == last_passes {
            for n in 0..last {
                self.passes(n, tell).await?;
            }
        }
        let found = match (first_passes, last_passes) {
            (true, false) => Found::Broke,
            (false, true) => Found::Mended,
            (true, true) => Found::Passes,
            (false, false) => Found::Fails,
        };
        let tried: Vec<Point> = self.tried.into_values().collect();
        let n_changes = tried.windows(2).filter(|pair| pair[0].passes != pair[1].passes).count();
        let at = tried.iter().find(|point| point.n == above && first_passes != last_passes);
        Ok(Bisected {
            task: self.bisect.task,
            found,
            at: at.cloned(),
            is_monotone: n_changes <= 1,
            n_untried: last + 1 - tried.len(),
            tried,
        })
    }

    async fn passes(&mut self, n: usize, tell: &mut dyn FnMut(&Point)) -> anyhow::Result<bool> {
        if let Some(point) = self.tried.get(&n) {
            return Ok(point.passes);
        }
        let point = self.try_on(n).await?;
        tell(&point);
        let passes = point.passes;
        self.tried.insert(n, point);
        Ok(passes)
    }

    /// Runs the command on what the nth step left.
    async fn try_on(&self, n: usize) -> anyhow::Result<Point> {
        let step = n.checked_sub(1).and_then(|n| self.steps.all.get(n));
        let commit = step.map_or(&self.steps.base, |step| &step.head);
        if !self.apart.mirror.has(commit).await? {
            bail!("the commit {} is not in the mirror any more", commit.short());
        }
        // In a place of its own: no run of the task is meant.
        let run = RunId { task: self.bisect.task, n: u32::try_from(n)?.saturating_add(1) };
        let spec = self.spec(run)?;
        let content =
            Content { commit, files: commit, hides_agent_config: false, also_hidden: &[] };
        let token = Token::random().context("make a token")?;
        let (label, repo) = ("bisect".to_owned(), self.bisect.repo.clone());
        let job = Job { spec, content, label, repo, token, source: Source::Nobody };
        let ran = self.apart.run(job, Name::Mini.reader(None)).await?;
        let Some(exit) = ran.exit else { bail!("the supervisor of a try is gone without a word") };
        if exit.reason != sandbox::EndReason::Exited {
            bail!("the command was ended on {}: {}", commit.short(), exit.reason.word());
        }
        Ok(Point {
            n,
            run: step.map(|step| step.run),
            step: step.and_then(|step| step.step),
            title: step
                .map_or_else(|| "the base".to_owned(), |StepLeft { title, .. }| title.clone()),
            commit: commit.clone(),
            passes: exit.code == Some(0),
            status: exit.code,
        })
    }

    fn spec(&self, run: RunId) -> anyhow::Result<LaunchSpec> {
        let Bisect { config, home, repo, command, .. } = self.bisect;
        let of_repo = config.repos.iter().find(|it| it.name == *repo);
        let of_repo = of_repo.with_context(|| format!("{repo} is not in zazen.toml any more"))?;
        let engine = containers::kind(of_repo.engine);
        let container = match engine {
            EngineKind::Bwrap | EngineKind::None => None,
            // An image that was built for the task's runs is the one to try in.
            EngineKind::Container => {
                let runs = self.steps.all.iter().map(|step| RunDir::new(home.run_dir(step.run)));
                let mut specs = runs.filter_map(|dir| spec_of(&dir).ok().flatten());
                let made_of = specs.find_map(|spec| spec.container);
                Some(made_of.context("no run of the task was in a container; which is unknown")?)
            }
        };
        let at = self.apart.workspace(run);
        let mut spec = apart::bare_spec(config, (engine, container), run, at);
        spec.work = Work::Check { command: command.clone() };
        Ok(spec)
    }
}
