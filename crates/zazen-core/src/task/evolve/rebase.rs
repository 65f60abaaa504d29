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
    let State::Drafted { pull, head, rounds } = task.state.clone() else {
        return Err(illegal(&task, "RebaseAsked".to_owned()));
    };
    if rounds.foreign {
        task.notes.push(Note::NotRebased { why: NotRebased::Foreign { head } });
    } else if task.plan.is_some() {
        task.state = State::Rebasing(Box::new(Rework::new((pull, head, rounds), Vec::new())));
    }
    Ok(task)
}

/// The commits are on another base. An answer to what nobody waits for changes nothing.
pub(super) fn done(task: &mut Task, from: &CommitId, (onto, head): (CommitId, CommitId)) {
    if let Some(mut rework) = at(task, from).cloned() {
        rework.rebased = task.base.replace(onto);
        let Some(work) = run_for(task, rework, Some(head)) else { return };
        task.state = State::Verifying(work);
    }
}

/// Nothing was done, for a reason that people are told.
pub(super) fn refused(task: &mut Task, from: &CommitId, why: NotRebased) {
    if let Some(rework) = at(task, from).cloned() {
        task.notes.push(Note::NotRebased { why });
        end_round(task, rework, None);
    }
}

/// What is being put onto its base, if it is at this commit.
fn at<'a>(task: &'a Task, from: &CommitId) -> Option<&'a Rework> {
    let State::Rebasing(rework) = &task.state else { return None };
    Some(&**rework).filter(|rework| rework.head == *from)
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
        State::Parked { back, .. } | State::Stopped { back, .. } | State::Failed { back, .. } => {
            is_out(back)
        }
        State::Received(_)
        | State::Planning(_)
        | State::AwaitingApproval
        | State::Splitting(_)
        | State::Split(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Reviewing(_)
        | State::Held(_)
        | State::Correcting(_)
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Merged { .. }
        | State::Closed { .. } => false,
    }
}
