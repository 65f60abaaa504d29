//! What the work came to as it was done.

use zazen_core::id::RunId;
use zazen_core::task::{Phase, Task};
use zazen_core::usage::Usage;

use super::super::agents::Acting;
use super::super::apart;
use super::super::evidence::calls_of;
use super::super::ground::Ground;
use super::super::replay::{reader, spec_of};
use super::super::steps::steps;
use super::{Eval, Row};
use crate::sandbox::{RunDir, Work};

pub(super) async fn row(eval: &Eval, task: &Task) -> anyhow::Result<Row> {
    let steps = steps(&eval.home, task.id, task.n_runs)?;
    let mirror = apart::mirror(&eval.home, &task.repo).await?;
    let head = steps.all.last().map_or(&steps.base, |last| &last.head);
    let stat = mirror.diff_stat(&steps.base, head).await?;
    let mut usage = Usage::default();
    let (mut took_ms, mut who) = (0, String::new());
    for step in &steps.all {
        usage += calls_of(&eval.home, step.run, &eval.config.prices)?.usage;
        let dir = RunDir::new(eval.home.run_dir(step.run));
        let acting = Acting::read(&dir);
        let ran = apart::read(dir, reader(acting.as_ref()))?;
        took_ms += u64::try_from(ran.took().as_millis()).unwrap_or(u64::MAX);
        if who.is_empty() {
            who = acting.map(|acting| acting.words()).unwrap_or_default();
        }
    }
    let n_steps = task.plan.as_ref().map_or(0, |plan| plan.n_steps);
    let n_done = steps.all.iter().filter_map(|step| step.step).max().unwrap_or(0);
    Ok(Row {
        task: task.id,
        agent: None,
        who,
        checks: checks(eval, task)?,
        n_done,
        n_steps,
        n_files: stat.files.len(),
        n_added: stat.files.iter().map(|file| file.added).sum(),
        n_removed: stat.files.iter().map(|file| file.removed).sum(),
        usage,
        took_ms,
        says: String::new(),
    })
}

/// How the last checks of a task ended.
fn checks(eval: &Eval, task: &Task) -> anyhow::Result<Option<bool>> {
    for n in (1..=task.n_runs).rev() {
        let dir = RunDir::new(eval.home.run_dir(RunId { task: task.id, n }));
        let is_check = spec_of(&dir)?.is_some_and(|spec| matches!(spec.work, Work::Check { .. }));
        let ground = Ground::read(&dir)?;
        if is_check && ground.is_none_or(|ground| ground.phase == Phase::Verify) {
            let exit = apart::read(dir, reader(None))?.exit;
            return Ok(exit.map(|exit| exit.code == Some(0)));
        }
    }
    Ok(None)
}
