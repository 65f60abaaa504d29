//! Which failures of a run are waits, and until when.
//!
//! Quota, an overloaded service and a budget of a day or a month come right by themselves. What
//! the gateway saw counts first: it reads the answers of the service, whatever a harness makes
//! of them.

use zazen_core::budget::Exceeded;
use zazen_core::engine::Patience;
use zazen_core::id::Time;
use zazen_core::roster::Role;
use zazen_core::task::{Free, Hold, Known, Outcome, Phase, Task, Trouble, TroubleKind, Why};

use super::evidence;
use super::keep::now;
use super::world::World;
use crate::gateway::Failure;
use crate::sandbox::RunDir;

/// A wait that clients sit out by themselves. What is over sooner says nothing of when the
/// service is free again: the harness has tried it and failed.
const SHORT_WAIT_MS: u64 = 60 * 1000;

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
        Some(of_service(evidence::calls(world, dir)?.last_failed.as_ref(), &trouble, now()))
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

/// Why a service did not answer, and until when: by the last call that it refused, or else by
/// what the harness says.
fn of_service(last: Option<&Failure>, trouble: &Trouble, now: Time) -> (Why, Option<Free>) {
    let is_busy = match last.map(|last| last.status) {
        // Anthropic's own status, and the usual one.
        Some(529 | 503) => true,
        Some(429) => false,
        Some(_) | None => trouble.kind == TroubleKind::Overloaded,
    };
    let why = if is_busy { Why::Overloaded } else { Why::Quota };
    let seconds = last.and_then(|last| last.retry_after.as_deref()?.trim().parse::<u64>().ok());
    let wait = seconds.map(|seconds| seconds.saturating_mul(1000));
    let of_call = wait
        .filter(|wait| *wait >= SHORT_WAIT_MS)
        .map(|wait| Free { at: Time(now.0.saturating_add(wait)), known: Known::Reported });
    let of_harness = trouble.resets.map(|resets| Free {
        at: resets.at,
        known: if resets.is_approximate { Known::Approximate } else { Known::Reported },
    });
    // The harness names the end of a window; a delay is only when to ask again.
    (why, of_harness.filter(|free| free.known == Known::Reported).or(of_call).or(of_harness))
}
