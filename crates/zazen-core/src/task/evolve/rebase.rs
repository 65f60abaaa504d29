//! How a task puts the branch of its open pull request onto the base as that is by now.
//!
//! What comes of it is checked anew and then replaces what was published, as other rework
//! does. A branch that has people's commits on it is left alone.

use super::rework::{end_round, run_for};
use super::{IllegalEvent, Note, State, Task, illegal};
use crate::id::CommitId;
use crate::task::{NotRebased, Rework};

/// A person wants the branch on its base.
pub(super) fn asked(mut task: Task) -> Result<Task, IllegalEvent> {
    match task.state {
        State::Drafted { head, rounds, pull } if rounds.foreign => {
            task.notes.push(Note::NotRebased { why: NotRebased::Foreign { head: head.clone() } });
            task.state = State::Drafted { pull, head, rounds };
        }
        State::Drafted { pull, head, rounds } if task.plan.is_some() => {
            task.state = State::Rebasing(Box::new(Rework::new((pull, head, rounds), Vec::new())));
        }
        state => {
            task.state = state;
            return Err(illegal(&task, "RebaseAsked".to_owned()));
        }
    }
    Ok(task)
}

/// The commits are on another base. An answer to what nobody waits for changes nothing.
pub(super) fn done(task: &mut Task, from: &CommitId, (onto, head): (CommitId, CommitId)) {
    if let Some(mut rework) = take(task, from) {
        rework.rebased = task.base.replace(onto);
        let Some(work) = run_for(task, rework, Some(head)) else { return };
        task.state = State::Verifying(work);
    }
}

/// Nothing was done, for a reason that people are told.
pub(super) fn refused(task: &mut Task, from: &CommitId, why: NotRebased) {
    if let Some(rework) = take(task, from) {
        task.notes.push(Note::NotRebased { why });
        end_round(task, rework, None);
    }
}

/// Takes what is being put onto its base out of the task, if it is at this commit.
fn take(task: &mut Task, from: &CommitId) -> Option<Rework> {
    match std::mem::replace(&mut task.state, State::AwaitingApproval) {
        State::Rebasing(rework) if rework.head == *from => Some(*rework),
        state => {
            task.state = state;
            None
        }
    }
}

/// Work that was put onto another base is off the branch: what is there builds on the old one.
pub(super) fn forget(task: &mut Task) {
    let old = task.state.rework().and_then(|rework| rework.rebased.clone());
    if let Some(old) = old.filter(|_| !is_out(&task.state)) {
        task.base = Some(old);
    }
}

/// Whether what was put onto another base is on the branch.
fn is_out(state: &State) -> bool {
    match state {
        State::Publishing(published) => published.pushed,
        State::Stopped { back, .. } | State::Failed { back, .. } => is_out(back),
        State::Received(_)
        | State::Planning(_)
        | State::AwaitingApproval
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Correcting(_)
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Merged { .. }
        | State::Closed { .. } => false,
    }
}
