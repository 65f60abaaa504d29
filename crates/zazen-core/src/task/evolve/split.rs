//! How a plan is split, and how a part of one begins before its time.
//!
//! What is opened stays opened: an issue that comes while the task is stopped is noted all
//! the same, so that nobody opens it again.

use super::{IllegalEvent, State, Task, illegal};
use crate::id::{IssueNumber, PlanHash, Time};
use crate::task::{Event, Part, Split};

/// Moves a task by what is about parts.
pub(super) fn evolve(task: Task, event: Event, at: Time) -> Result<Task, IllegalEvent> {
    if let Event::SplitApproved { by, hash, remarks } = event {
        return approved(task, (by, remarks), (hash, at));
    }
    if let Event::PartOpened { step, issue, after } = event {
        return opened(task, step, (issue, after));
    }
    if let Event::WaitWaived { remarks, .. } = event {
        return waived(task, remarks);
    }
    Ok(task)
}

/// A person had the plan split that has this hash.
fn approved(
    mut task: Task,
    (by, remarks): (String, String),
    (hash, at): (PlanHash, Time),
) -> Result<Task, IllegalEvent> {
    let plan = task.plan.clone().filter(|plan| plan.hash == hash && plan.can_be_split());
    let Some(plan) = plan.filter(|_| task.state == State::AwaitingApproval) else {
        return Err(illegal(&task, "SplitApproved".to_owned()));
    };
    let parts = Vec::new();
    task.state = State::Splitting(Box::new(Split { plan, by, remarks, at, parts }));
    Ok(task)
}

/// A step is an issue now. With the last one, the plan is split.
fn opened(
    mut task: Task,
    step: u32,
    (issue, after): (IssueNumber, Vec<u32>),
) -> Result<Task, IllegalEvent> {
    let name = || format!("PartOpened({step})");
    let Some(place) = place(&mut task.state) else { return Err(illegal(&task, name())) };
    let State::Splitting(mut split) = std::mem::replace(place, State::AwaitingApproval) else {
        return Ok(task);
    };
    let is_next = split.next() == Some(step);
    if is_next {
        split.parts.push(Part { issue, after });
    }
    let is_done = split.next().is_none();
    *place = if is_done { State::Split(split) } else { State::Splitting(split) };
    if is_next { Ok(task) } else { Err(illegal(&task, name())) }
}

/// A person wants a part to begin though what it comes after is not merged.
fn waived(mut task: Task, remarks: String) -> Result<Task, IllegalEvent> {
    let is_unbegun = task.state.is_unbegun() && !task.alone;
    if let State::Queued(work) = &mut task.state
        && is_unbegun
    {
        work.attempt.remarks = remarks;
        task.alone = true;
        return Ok(task);
    }
    Err(illegal(&task, "WaitWaived".to_owned()))
}

/// Where a plan is being split, in a task that was stopped meanwhile as well.
fn place(state: &mut State) -> Option<&mut State> {
    if let State::Stopped { back, .. } | State::Failed { back, .. } = state {
        return place(back);
    }
    matches!(state, State::Splitting(_)).then_some(state)
}
