//! Which failures of a run are waits, and until when.
//!
//! Quota, an overloaded service and a budget of a day or a month come right by themselves. What
//! the gateway saw counts first: it reads the answers of the service, whatever a harness makes
//! of them.

use zazen_core::budget::Exceeded;
use zazen_core::engine::Patience;
use zazen_core::limit::Closing;
use zazen_core::roster::Role;
use zazen_core::task::{Free, Hold, Known, Outcome, Phase, Task, Trouble, TroubleKind, Why};

use super::evidence;
use super::keep::now;
use super::world::World;
use crate::gateway::Sum;
use crate::sandbox::RunDir;

/// What a run came to, with the failures that time mends as waits.
pub(super) fn judged(
    world: &World,
    (task, phase): (&Task, Phase),
    dir: &RunDir,
    outcome: Outcome,
) -> anyhow::Result<Outcome> {
    let Outcome::Failed { trouble } = outcome else { return Ok(outcome) };
    let fails_over = fails_over(world, task, phase);
    let found = if trouble.kind == TroubleKind::Budget {
        evidence::calls(world, dir)?.refused.and_then(|exceeded| of_budget(&exceeded))
    } else if matches!(trouble.kind, TroubleKind::Quota | TroubleKind::Overloaded) {
        Some(of_service(&evidence::calls(world, dir)?, &trouble))
    } else if trouble.kind == TroubleKind::NeedsLogin && fails_over {
        // No time mends that, but another agent may have its login.
        Some((Why::Login, None))
    } else {
        None
    };
    // A budget is for all agents.
    let fails_over = fails_over && trouble.kind != TroubleKind::Budget;
    Ok(held(world, trouble, (found, fails_over)))
}

/// Whether another agent may take over from the one of this run.
fn fails_over(world: &World, task: &Task, phase: Phase) -> bool {
    let config = &world.config;
    let has_another =
        |role| config.roster.agents(&task.repo, role).len() > 1 && config.quota.fails_over;
    Role::of(phase).is_some_and(has_another)
}

/// What becomes of a run that was not begun, as a budget is used up.
pub(super) fn over_budget(world: &World, exceeded: &Exceeded, trouble: Trouble) -> Outcome {
    held(world, trouble, (of_budget(exceeded), false))
}

fn held(
    world: &World,
    trouble: Trouble,
    (found, fails_over): (Option<(Why, Option<Free>)>, bool),
) -> Outcome {
    let Some((why, free)) = found else { return Outcome::Failed { trouble } };
    let Patience { resumes, wait_max_ms, .. } = world.config.quota.patience();
    let hold = Hold { why, free, resumes, wait_max_ms, fails_over };
    Outcome::Held { hold, trouble }
}

fn of_budget(exceeded: &Exceeded) -> Option<(Why, Option<Free>)> {
    let why = Why::of_budget(exceeded.scope)?;
    let at = exceeded.scope.free_at(now())?;
    Some((why, Some(Free { at, known: Known::Calendar })))
}

/// Why a service did not answer, and until when: by what the gateway read of its answers, then
/// by what the harness read in a form for programs, then by what it read in a text.
fn of_service(calls: &Sum, trouble: &Trouble) -> (Why, Option<Free>) {
    let of_harness = trouble.resets.map(|resets| Free {
        at: resets.at,
        known: if resets.is_approximate { Known::Approximate } else { Known::Reported },
    });
    if let Some(Closing { why, until, .. }) = &calls.closing {
        let of_gateway = until.map(|at| Free { at, known: Known::Reported });
        return (*why, of_gateway.or(of_harness));
    }
    let is_busy = match calls.last_failed.as_ref().map(|last| last.status) {
        // Anthropic's own status, and the usual one.
        Some(529 | 503) => true,
        Some(429) => false,
        Some(_) | None => trouble.kind == TroubleKind::Overloaded,
    };
    (if is_busy { Why::Overloaded } else { Why::Quota }, of_harness)
}
