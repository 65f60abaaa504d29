//! How far the proof of some work is, and what is held back.

use std::fmt::Write as _;

use crate::id::{ContentHash, RunId};
use crate::task::{Checks, Task, Work};

/// What stands at the head of the plan's comment while work is being proved.
pub(super) fn headline(work: &Work) -> &'static str {
    if work.proof.wants_review() {
        "**The checks are green.** A second agent reviews the change."
    } else {
        "**The checks are green.** The guards look at the change."
    }
}

/// What a correction is about, at the head of the plan's comment.
pub(super) fn correcting(work: &Work) -> &'static str {
    if work.proof.held().is_some() {
        "**The change is being changed**, as it was held back."
    } else if work.proof.green.is_some() {
        "**A review found something.** An agent is mending that."
    } else {
        "**The checks are red.** An agent is mending that."
    }
}

/// The same, after "task 3".
pub(super) fn correcting_standing(work: &Work) -> &'static str {
    if work.proof.held().is_some() {
        "is being changed, as it was held back"
    } else if work.proof.green.is_some() {
        "is being mended, as its review asks"
    } else {
        "is being mended, as its checks are red"
    }
}

/// Where work stands that is being proved, after "task 3".
pub(super) fn standing(work: &Work) -> &'static str {
    if work.proof.wants_review() { "is being reviewed" } else { "is being examined" }
}

/// What a person can do about work that is held back.
pub(super) fn next_move(hold: &ContentHash) -> String {
    format!(
        "- `/approve {}` lets through exactly what is held back.\n\
         - `/retry` with your remarks has an agent change it.\n\
         - `/plan` with your remarks begins anew; `/stop` leaves it here.",
        hold.short()
    )
}

/// The note that says what is held back. `report` is what the guards say of it.
pub(super) fn held(hold: &ContentHash, report: &str) -> String {
    let mut text = format!(
        "The checks are green, and I hold this back until a person has looked at it.\n\n{}\n",
        next_move(hold)
    );
    if !report.trim().is_empty() {
        let _infallible = write!(text, "\n{}", report.trim_end());
    }
    text
}

/// The same, on the task's page.
pub(super) fn held_back(work: &Work) -> String {
    let hold = work.proof.held().map_or("", |hold| hold.short());
    format!("Held back: a person has to release `{hold}`, or have it changed.\n")
}

/// The day's line for a run of the checks on what was there before, if that is what ended.
pub(super) fn before(name: &str, task: &Task, run: RunId) -> Option<String> {
    let before = task.state.work()?.proof.before.filter(|before| before.run == run)?;
    Some(match before.result {
        Checks::Green => format!("Before {name} began, its checks were green."),
        Checks::Red => format!("Before {name} began, its checks were red already."),
        Checks::Unknown => format!("How the checks were before {name} began is not known."),
    })
}
