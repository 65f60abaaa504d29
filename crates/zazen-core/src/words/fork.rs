//! Where a task comes from that goes on from another one.

use super::person;
use crate::task::{Fork, Task};

/// The note on the issue.
pub(super) fn note(fork: &Fork, by: &str) -> String {
    let from = from(fork);
    let by = person(by);
    match &fork.agent {
        Some(agent) => format!(
            "This goes on from {from}, as {by} asked, by `{agent}`. It has a branch and a pull \
             request of its own; the other ones stay as they are."
        ),
        None => format!(
            "This goes on from {from}, as {by} asked. It has a branch and a pull request of its \
             own; the other ones stay as they are."
        ),
    }
}

/// The line of the day.
pub(super) fn line(name: &str, fork: &Fork, by: &str) -> String {
    format!("{} had {name} go on from {}.", person(by), from(fork))
}

/// A line for the page and for the pull request, where there is something to say.
pub(super) fn provenance(task: &Task) -> Option<String> {
    task.fork().map(|fork| format!("Forked from {}.", from(fork)))
}

fn from(fork: &Fork) -> String {
    match fork.step {
        0 => format!("the base of task {}", fork.of),
        step => format!("task {} after step {step}", fork.of),
    }
}
