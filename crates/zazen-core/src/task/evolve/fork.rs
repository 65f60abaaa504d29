//! A task begins with what a step of another one left.

use super::IllegalEvent;
use super::illegal;
use crate::task::{Fork, Kind, Note, State, Task, Work};

/// The plan was approved for the other task, and the same person wants it carried on here.
/// Only a task that is new can be a fork.
pub(super) fn forked(mut task: Task, fork: Fork, by: String) -> Result<Task, IllegalEvent> {
    let is_new = task.n_runs == 0 && task.kind == Kind::Change && task.fork().is_none();
    let plan = task.plan.clone().filter(|plan| fork.step < plan.n_steps);
    let (State::AwaitingApproval, true, Some(plan)) = (&task.state, is_new, plan) else {
        return Err(illegal(&task, format!("Forked({fork:?})")));
    };
    let work = Work::first(plan, String::new());
    task.state = State::Queued(Work { n_done: fork.step, head: fork.head.clone(), ..work });
    task.base = Some(fork.base.clone());
    task.notes.push(Note::Forked { fork, by });
    Ok(task)
}
