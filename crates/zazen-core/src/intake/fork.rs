//! From `zazen fork` to the fact that there is a task which goes on from another one.

use crate::engine::{Book, Change, Opened};
use crate::id::TaskId;
use crate::task::{Event, Fork, Kind, State};

/// What a fork changes: it is opened with the approved plan, and begins where it is to. Both
/// in one fact, so that no plan is there for the second time without being carried on.
pub(super) fn fork(book: &Book, fork: &Fork, by: &str) -> Result<Vec<Change>, String> {
    let of = fork.of;
    let task = book.task(of).ok_or_else(|| format!("there is no task {of}"))?;
    let plan = task.plan.clone().filter(|_| task.kind == Kind::Change && is_approved(&task.state));
    let plan = plan.ok_or_else(|| format!("the plan of task {of} was not approved"))?;
    if fork.step >= plan.n_steps {
        let last = plan.n_steps.saturating_sub(1);
        return Err(format!(
            "the plan of task {of} has {} steps; a fork begins after step {last} at the latest",
            plan.n_steps
        ));
    }
    let id: TaskId = book.next_task();
    let opened = Opened {
        id,
        kind: Kind::Change,
        repo: task.repo.clone(),
        issue: task.issue,
        title: task.title.clone(),
        request: String::new(),
        by: by.to_owned(),
        review: None,
        plan: Some(plan),
    };
    let event = Event::Forked { fork: fork.clone(), by: by.to_owned() };
    Ok(vec![Change::Opened(opened), Change::Task { task: id, event }])
}

/// Whether a person has approved the plan as it stands.
fn is_approved(state: &State) -> bool {
    state.work().is_some() || state.pull().is_some()
}
