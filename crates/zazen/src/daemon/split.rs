//! Opens the issue of one step of a plan that is split.
//!
//! The step's own plan is kept before there is an issue, and the issue before there is a task
//! for it. Whatever is done and not noted is found again: a plan by its hash, an issue by the
//! key that it carries.

use zazen_core::engine::Fact;
use zazen_core::id::PlanHash;
use zazen_core::intake::PartOpened;
use zazen_core::plan;
use zazen_core::task::{Event, PlanRef, State, Task, Trouble, TroubleKind};
use zazen_core::words;

use super::perform::{Ending, trouble};
use super::world::World;
use crate::forge::NewPart;
use crate::forge::github::client::CallError;

/// Sees to it that there is an issue for this step.
pub(super) async fn open_part(world: &World, task: &Task, step: u32) -> anyhow::Result<Ending> {
    let State::Splitting(split) = &task.state else { return Ok(Ending::Done(Vec::new())) };
    let (_, whole) = world.plan(&split.plan.hash)?;
    let Some(part) = plan::part(&whole, step, task.issue) else {
        return Ok(Ending::Done(Vec::new()));
    };
    let text = plan::print(&part);
    if let Err(err) = plan::parse(&text) {
        let trouble = Trouble::new(TroubleKind::UnreadablePlan, err.to_string());
        return Ok(blocked(task, trouble));
    }
    let hash = world.keep_plan(&text)?;
    let issue = words::part_issue(task, split, &whole, step);
    let (title, body) = (world.clean(&issue.title), world.clean(issue.body.as_str()));
    let key = key(task, &split.plan.hash, step);
    let new = NewPart { of: task.issue, key: &key, title: &title, body: &body, since: split.at };
    let issue = match world.publisher.open_part(&task.repo, &new).await {
        // Asked again, it would be refused again; a person has to see to it.
        Err(err) if is_refused(&err) => {
            return Ok(blocked(task, trouble(TroubleKind::NoIssues, &err)));
        }
        issue => issue?,
    };
    let n_questions = u32::try_from(part.questions.len()).unwrap_or(u32::MAX);
    let plan = PlanRef {
        hash,
        version: 1,
        n_steps: 1,
        n_questions,
        contract: split.plan.contract.clone(),
    };
    let after = whole.comes_after(step);
    Ok(Ending::Part(PartOpened { of: task.id, step, issue, title, plan, after }))
}

/// What an issue is for, the same after a crash. Another plan of the same task has other keys.
fn key(task: &Task, plan: &PlanHash, step: u32) -> String {
    format!("{}/{}/part-{step}", task.id, plan.short())
}

fn blocked(task: &Task, trouble: Trouble) -> Ending {
    Ending::Done(vec![Fact::of(task.id, Event::Blocked { trouble })])
}

fn is_refused(err: &anyhow::Error) -> bool {
    let call = err.chain().find_map(|cause| cause.downcast_ref::<CallError>());
    call.is_some_and(|call| {
        call.is_absent() || matches!(call, CallError::Denied { .. } | CallError::Invalid { .. })
    })
}
