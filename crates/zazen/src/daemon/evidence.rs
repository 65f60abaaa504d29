//! What a run left behind for people: its output, its cost, its agent's words.
//!
//! All of it is read from the run's folder, by any daemon, at any later time.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use zazen_core::host::Traffic;
use zazen_core::id::RunId;
use zazen_core::price::Prices;
use zazen_core::task::Task;
use zazen_core::text::{cut_middle, plain};
use zazen_core::usage::Usage;
use zazen_core::words;

use super::agents::Acting;
use super::run::{ANSWER_FILE, EGRESS_FILE, RECORDING_FILE};
use super::world::World;
use crate::gateway;
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{Ev, Exit, LaunchSpec, Phase as Stage, RunDir};

/// The name of the file with what the run used, written when it has ended.
const USAGE_FILE: &str = "usage.json";

/// What a run used: the sum of what its recording says.
pub(super) fn usage(world: &World, dir: &RunDir) -> anyhow::Result<Usage> {
    let usage = calls(world, dir)?.usage;
    let kept = dir.path().join(USAGE_FILE);
    if dir.path().join(RECORDING_FILE).exists() {
        atomic::write(&kept, &serde_json::to_vec(&usage)?, Durability::Relaxed)?;
    }
    Ok(usage)
}

/// What the model calls of a run came to.
pub(super) fn calls(world: &World, dir: &RunDir) -> anyhow::Result<gateway::Sum> {
    sum_up(dir, &world.config.prices)
}

/// What the model calls of a run came to until now. For the command line.
pub fn calls_of(home: &Home, run: RunId, prices: &Prices) -> anyhow::Result<gateway::Sum> {
    sum_up(&RunDir::new(home.run_dir(run)), prices)
}

pub(super) fn sum_up(dir: &RunDir, prices: &Prices) -> anyhow::Result<gateway::Sum> {
    let path = dir.path().join(RECORDING_FILE);
    gateway::sum_up(&path, prices).with_context(|| format!("read {}", path.display()))
}

/// The text that the agent answered a question with.
pub(super) fn answer(world: &World, task: &Task) -> anyhow::Result<String> {
    let run = RunId { task: task.id, n: task.n_runs };
    let path = world.home.run_dir(run).join(ANSWER_FILE);
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

/// What the agent of a run said at its end, if that is still there.
pub(super) fn words_of(world: &World, run: RunId) -> String {
    fs::read_to_string(world.home.run_dir(run).join(ANSWER_FILE)).unwrap_or_default()
}

/// What the work of a run printed, both streams in order, cut in the middle.
pub(super) fn output(world: &World, run: RunId, bytes_max: usize) -> anyhow::Result<String> {
    output_of(&RunDir::new(world.home.run_dir(run)), bytes_max)
}

pub(super) fn output_of(dir: &RunDir, bytes_max: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut offset = 0;
    loop {
        let lines = dir.read_new(&mut offset)?;
        if lines.is_empty() {
            return Ok(cut_middle(&text, bytes_max));
        }
        for line in lines {
            if let Ev::Out { line } | Ev::Err { line } = line.ev {
                text.push_str(&plain(&line));
                text.push('\n');
            }
        }
        // Twice the limit keeps a head and a tail that are long enough for any cut.
        if text.len() > bytes_max * 4 {
            text = cut_middle(&text, bytes_max * 2);
        }
    }
}

/// Where a run happened and what held, in words.
pub(super) fn sandbox_words(world: &World, run: RunId) -> anyhow::Result<String> {
    let dir = RunDir::new(world.home.run_dir(run));
    let Stage::Ended(Exit { achieved: Some(achieved), .. }) = dir.observe()? else {
        return Ok("unknown".to_owned());
    };
    // The run's own engine: another may have been set since.
    let spec = fs::read(dir.spec()).with_context(|| format!("read the spec of run {run}"))?;
    let spec: LaunchSpec =
        serde_json::from_slice(&spec).with_context(|| format!("read the spec of run {run}"))?;
    Ok(format!("{}: {achieved}", spec.engine.word()))
}

/// What all runs of a task reached so far, and what they were refused.
pub fn traffic(home: &Home, task: &Task) -> anyhow::Result<Traffic> {
    let mut traffic = Traffic::default();
    for n in 1..=task.n_runs {
        let path = home.run_dir(RunId { task: task.id, n }).join(EGRESS_FILE);
        gateway::add_traffic(&path, &mut traffic)
            .with_context(|| format!("read {}", path.display()))?;
    }
    Ok(traffic)
}

/// Who acted in the runs of a task, in the order in which they first did.
pub(super) fn agents(world: &World, task: &Task) -> Vec<String> {
    let mut agents = Vec::new();
    for n in 1..=task.n_runs {
        let acting = Acting::in_run(&world.home, RunId { task: task.id, n });
        let Some(words) = acting.map(|acting| acting.words()) else { continue };
        if !agents.contains(&words) {
            agents.push(words);
        }
    }
    agents
}

/// What each agent said at the end of its step, in order.
pub(super) fn reports(world: &World, task: &Task) -> Vec<String> {
    let mut reports: BTreeMap<u32, String> = BTreeMap::new();
    for n in 1..=task.n_runs {
        let dir = RunDir::new(world.home.run_dir(RunId { task: task.id, n }));
        let Some(step) = step_of(&dir) else { continue };
        if let Ok(answer) = fs::read_to_string(dir.path().join(ANSWER_FILE)) {
            reports.insert(step, answer);
        }
    }
    reports.into_values().collect()
}

/// The step that a run was for, by the commit message that it was given.
fn step_of(dir: &RunDir) -> Option<u32> {
    let spec: LaunchSpec = serde_json::from_slice(&fs::read(dir.spec()).ok()?).ok()?;
    words::step_of(&spec.collect?.message)
}
