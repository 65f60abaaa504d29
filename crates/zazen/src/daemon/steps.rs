//! What each step of a task left: the commits between its base and its head, by the runs
//! that made them.
//!
//! It is read from the runs' folders, backwards from the last commit, so that runs on which
//! nothing builds are not in it.

use anyhow::bail;
use zazen_core::id::{CommitId, RunId, TaskId};
use zazen_core::task::Phase;
use zazen_core::text::{one_line, plain};
use zazen_core::words;

use super::agents::Acting;
use super::apart;
use super::ground::Ground;
use super::replay::{head_of, reader, spec_of, unfinished};
use crate::home::Home;
use crate::sandbox::{LaunchSpec, Phase as Stage, RunDir, Work};

/// The commits of a task, from its base to its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    pub base: CommitId,
    /// From the first to the last.
    pub all: Vec<StepLeft>,
}

/// What one run left that work went on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLeft {
    pub run: RunId,
    /// The step of the plan; nothing, for a correction.
    pub step: Option<u32>,
    /// What its commit is called.
    pub title: String,
    pub from: CommitId,
    pub head: CommitId,
}

/// How long a title may be here, in characters.
const TITLE_CHARS_MAX: usize = 100;

/// Reads what the runs of a task left.
pub fn steps(home: &Home, task: TaskId, n_runs: u32) -> anyhow::Result<Steps> {
    let mut left = Vec::new();
    let mut checked = None;
    for n in 1..=n_runs {
        let dir = RunDir::new(home.run_dir(RunId { task, n }));
        let Some(spec) = spec_of(&dir)? else { continue };
        match &spec.work {
            Work::Check { .. } => {
                // The base has checks, too, and they say nothing of where the work ended.
                let ground = Ground::read(&dir)?.filter(|it| it.phase == Phase::Verify);
                checked = ground.map(|ground| ground.from).or(checked);
            }
            Work::Harness { .. } => left.extend(of_run(&dir, &spec)?),
        }
    }
    let last = left.last().map(|left| left.head.clone());
    let Some(mut at) = checked.or(last) else { bail!("no step of task {task} is done") };
    let mut all = Vec::new();
    for step in left.into_iter().rev() {
        if step.head == at {
            at = step.from.clone();
            all.push(step);
        }
    }
    all.reverse();
    if all.is_empty() {
        bail!("what the steps of task {task} left is not kept any more");
    }
    Ok(Steps { base: at, all })
}

fn of_run(dir: &RunDir, spec: &LaunchSpec) -> anyhow::Result<Option<StepLeft>> {
    let Some(wanted) = &spec.collect else { return Ok(None) };
    if !matches!(dir.observe()?, Stage::Ended(_)) {
        return Ok(None);
    }
    let ran = apart::read(dir.clone(), reader(Acting::read(dir).as_ref()))?;
    if unfinished(&ran, false).is_some() {
        return Ok(None);
    }
    let head = head_of(dir, &wanted.base, &ran)?;
    let title = wanted.message.lines().next().unwrap_or_default();
    Ok(Some(StepLeft {
        run: spec.run,
        step: words::step_of(&wanted.message),
        title: one_line(&plain(title), TITLE_CHARS_MAX),
        from: wanted.base.clone(),
        head,
    }))
}
