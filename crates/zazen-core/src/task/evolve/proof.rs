//! How work is proved: checks, the base's checks, guards, a person's release, a review.

use super::super::proof::{RELEASED_MAX, SENT_BACK_MAX};
use super::super::{Before, Checks, Examined, OwnReview};
use super::{
    IllegalEvent, Note, Outcome, Phase, Published, Run, State, Task, Trouble, TroubleKind, Try,
    Work, illegal, red_checks,
};
use crate::id::{CommitId, ContentHash};

/// A run of the checks came back that says something of them.
pub(super) fn checked(task: &mut Task, mut work: Work, (run, outcome): (&Run, Outcome)) -> State {
    if run.phase == Phase::Baseline {
        work.proof.before = Some(Before { run: run.id, result: result_of(&outcome) });
    } else if let Outcome::Failed { trouble } = outcome {
        work.proof.n_red += 1;
        work.attempt.trouble = Some(trouble);
    } else {
        work.proof.green = Some(run.id);
        work.attempt = Try::default();
    }
    let knows_before = work.proof.before.is_some() || work.rework.is_some() || task.base.is_none();
    if !work.proof.is_checked() || !knows_before {
        return State::Verifying(work);
    }
    if work.proof.green.is_some() {
        return State::Reviewing(work);
    }
    let red = Trouble::new(TroubleKind::RedChecks, String::new());
    let trouble = work.attempt.trouble.clone().unwrap_or(red);
    red_checks(work, trouble, &mut task.notes)
}

fn result_of(outcome: &Outcome) -> Checks {
    match outcome {
        Outcome::ChecksGreen { .. } => Checks::Green,
        Outcome::Failed { trouble } if trouble.kind == TroubleKind::RedChecks => Checks::Red,
        Outcome::Failed { .. }
        | Outcome::Planned { .. }
        | Outcome::Answered { .. }
        | Outcome::Reviewed { .. }
        | Outcome::StepDone { .. }
        | Outcome::Held { .. }
        | Outcome::Stopped => Checks::Unknown,
    }
}

/// Whether an outcome is one that checks come to. On the base, what cannot be run to its end
/// is not tried again: nothing depends on it.
pub(super) fn is_of_checks(run: &Run, outcome: &Outcome) -> bool {
    match (run.phase, outcome) {
        (_, Outcome::ChecksGreen { head }) => *head == run.from,
        (Phase::Baseline, Outcome::Failed { .. }) => true,
        (_, Outcome::Failed { trouble }) => trouble.kind == TroubleKind::RedChecks,
        (_, _) => false,
    }
}

/// The guards have looked at the change.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
pub(super) fn examined(
    mut task: Task,
    (head, examined): (CommitId, Examined),
) -> Result<Task, IllegalEvent> {
    task.state = match task.state {
        State::Reviewing(mut work) if work.head.as_ref() == Some(&head) => {
            work.proof.examined = Some(examined);
            go_on(work, &mut task.notes)
        }
        state => {
            task.state = state;
            return Err(illegal(&task, "Examined".to_owned()));
        }
    };
    Ok(task)
}

/// A person lets through what was held back.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
pub(super) fn released(mut task: Task, hold: ContentHash) -> Result<Task, IllegalEvent> {
    task.state = match task.state {
        State::Held(mut work) if work.proof.held() == Some(&hold) => {
            if work.proof.released.len() >= RELEASED_MAX {
                work.proof.released.remove(0);
            }
            work.proof.released.push(hold);
            go_on(work, &mut task.notes)
        }
        state => {
            task.state = state;
            return Err(illegal(&task, "Released".to_owned()));
        }
    };
    Ok(task)
}

/// A second agent has reviewed the work.
pub(super) fn reviewed(
    mut work: Work,
    (review, sends_back): (OwnReview, bool),
    notes: &mut Vec<Note>,
) -> State {
    work.proof.review = Some(review);
    work.attempt = Try::default();
    if sends_back && work.proof.n_sent_back < SENT_BACK_MAX {
        work.proof.n_sent_back += 1;
        return State::Correcting(work);
    }
    go_on(work, notes)
}

/// An agent that was to mend what a review or a guard found came back.
pub(super) fn corrected(work: Work, (run, head): (&Run, CommitId), notes: &mut Vec<Note>) -> State {
    let is_shown = work.proof.green.is_some();
    if is_shown && head == run.from {
        // It changed nothing: what was shown of this commit stays so.
        return go_on(Work { attempt: Try::default(), ..work }, notes);
    }
    let proof = Box::new(work.proof.renewed());
    State::Verifying(Work { head: Some(head), attempt: Try::default(), proof, ..work })
}

/// There will be no review, for this reason. The work is as good without one, and says so.
pub(super) fn unreviewed(mut work: Work, kind: TroubleKind, notes: &mut Vec<Note>) -> State {
    work.proof.unreviewed = Some(kind);
    work.attempt = Try::default();
    go_on(work, notes)
}

/// A person wants what is held back changed, not let through.
pub(super) fn sent_back(work: Work, remarks: String) -> State {
    State::Correcting(Work { attempt: Try { remarks, ..Try::default() }, ..work })
}

/// What comes after the guards: a person, a review, or the forge.
fn go_on(work: Work, notes: &mut Vec<Note>) -> State {
    if let Some(hold) = work.proof.held() {
        notes.push(Note::Held { hold: hold.clone() });
        return State::Held(work);
    }
    let (Some(head), Some(verified_by)) = (work.head.clone(), work.proof.green) else {
        return State::Verifying(work);
    };
    if work.proof.wants_review() {
        return State::Reviewing(work);
    }
    State::Publishing(Published { work, head, verified_by, pushed: false, receipt: None })
}
