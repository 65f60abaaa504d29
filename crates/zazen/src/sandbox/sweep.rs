//! Ends what runs though no run is known that it belongs to.
//!
//! In a sandbox nothing outlives its supervisor. On the host something may: a
//! supervisor that was killed could not clear up. Every process of a run is in
//! the run's control groups, where there are any, and carries the run's
//! markers in its environment, unless it took pains to lose them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use zazen_core::id::RunId;

use super::cgroup;
use super::container;
use super::engine::stop;
use super::inside::{MARK_OF_RUN, MARK_OF_RUNS, home_mark};
use super::process::{self, Handle};
use super::run_dir::{Phase, RunDir};
use super::spec::EngineKind;

/// One process that the sweep ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    pub run: RunId,
    pub pid: i32,
}

/// The grace of a run that nobody wants any more.
const GRACE: Duration = Duration::from_secs(2);

/// How long a killed process may take to be gone.
const GONE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the processes are gone through. One that is killed may have
/// started another one just before.
const N_ROUNDS_MAX: u32 = 20;

/// Stops all runs in a folder that are not to be kept, and ends what is left
/// of those that are over. Says what it killed.
pub async fn sweep(runs: &Path, keep: &BTreeSet<RunId>) -> anyhow::Result<Vec<Swept>> {
    let mut over = Vec::new();
    for (run, run_dir) in known(runs)? {
        match run_dir.observe() {
            Ok(Phase::Starting | Phase::Running) if keep.contains(&run) => continue,
            Ok(Phase::Starting | Phase::Running) => {
                stop(run_dir.path(), GRACE).await.with_context(|| format!("stop run {run}"))?;
            }
            // A folder that cannot be read is no reason to let processes run.
            Ok(Phase::Absent | Phase::Ended(_) | Phase::Lost) | Err(_) => {}
        }
        over.push((run, run_dir));
    }
    let runs = runs.to_owned();
    let keep = keep.clone();
    let swept = tokio::task::spawn_blocking(move || {
        let mut swept: Vec<Swept> = over
            .into_iter()
            .flat_map(|(run, run_dir)| {
                cgroup::clear(&run_dir).into_iter().map(move |pid| Swept { run, pid })
            })
            .collect();
        swept.extend(kill_marked(&runs, |run| !keep.contains(&run) || !is_alive(&runs, run)));
        swept
    });
    swept.await.context("sweep the processes")
}

/// Ends all that is left of one run. It must have no supervisor any more.
pub(super) fn clear_run(run_dir: &RunDir) -> anyhow::Result<()> {
    cgroup::clear(run_dir);
    let Ok(spec) = run_dir.read_spec() else { return Ok(()) };
    let runs = run_dir.path().parent().unwrap_or(run_dir.path());
    kill_marked(runs, |run| run == spec.run);
    match spec.engine {
        EngineKind::Container => container::clear_run(run_dir, &spec),
        EngineKind::Bwrap | EngineKind::None => Ok(()),
    }
}

/// The runs that have a folder.
fn known(runs: &Path) -> anyhow::Result<Vec<(RunId, RunDir)>> {
    let context = || format!("look into `{}`", runs.display());
    let mut known = Vec::new();
    for entry in fs::read_dir(runs).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let run_dir = RunDir::new(path);
        if let Ok(spec) = run_dir.read_spec() {
            known.push((spec.run, run_dir));
        }
    }
    Ok(known)
}

fn is_alive(runs: &Path, run: RunId) -> bool {
    let known = known(runs).unwrap_or_default();
    known.iter().any(|(known, run_dir)| *known == run && run_dir.is_locked().unwrap_or(true))
}

/// Kills every process that carries the markers of one of these runs.
fn kill_marked(runs: &Path, doomed: impl Fn(RunId) -> bool) -> Vec<Swept> {
    let mark = home_mark(runs);
    let own = process::own_id().pid;
    let mut swept = Vec::new();
    for _ in 0..N_ROUNDS_MAX {
        let mut n_killed = 0;
        for pid in process::all().into_iter().filter(|pid| *pid != own) {
            // Held on to first, looked at then, so that it is the one we looked at.
            let Some(handle) = Handle::open(pid) else { continue };
            let Some(run) = marked_run(pid, &mark).filter(|run| doomed(*run)) else { continue };
            handle.kill();
            handle.wait(GONE_TIMEOUT);
            swept.push(Swept { run, pid });
            n_killed += 1;
        }
        if n_killed == 0 {
            break;
        }
    }
    swept
}

/// Which run of this home a process belongs to, by its markers.
fn marked_run(pid: i32, mark: &str) -> Option<RunId> {
    if process::is_dead(pid) || process::started_with(pid, MARK_OF_RUNS)? != mark {
        return None;
    }
    process::started_with(pid, MARK_OF_RUN)?.parse().ok()
}
