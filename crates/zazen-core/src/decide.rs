//! What should be under way for one task.
//!
//! [`decide`] looks at a task as it is and says everything that should be under
//! way for it. It does not remember what it said before; [`crate::engine`]
//! compares its answer with what is under way. So a lost message or a restart
//! costs nothing: we look again, and want the same things.

use crate::effect::Effect;
use crate::id::{CommitId, Time};
use crate::task::{Around, Digest, Note, Phase, Run, Saying, Slot, State, Task};

/// What one task wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Effects that need no place.
    pub effects: Vec<Effect>,
    /// The run that should be under way. It needs one of the places.
    pub run: Option<WantedRun>,
    /// When the task is to go on that waits.
    pub resume: Option<Time>,
}

/// A run that should be under way: the present one, or the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRun {
    pub phase: Phase,
    pub from: CommitId,
    /// The run, if it has begun.
    pub begun: Option<Run>,
    /// Approved work goes before what nobody has looked at.
    pub urgent: bool,
}

/// Says what should be under way for `task`, as the issues stand that it has to do with.
pub fn decide(task: &Task, around: &Around) -> Wish {
    let mut wish = Wish { effects: texts(task, around), run: None, resume: None };
    for &text in &task.to_acknowledge {
        wish.effects.push(Effect::Acknowledge { task: task.id, text });
    }
    for answer in &task.to_answer {
        let (to, head) = (answer.to, answer.head.clone());
        wish.effects.push(Effect::AnswerThread { task: task.id, to, head });
    }
    for Saying { text, by } in &task.to_tell {
        let (run, by) = (task.run.as_ref().map(|run| run.id), by.clone());
        wish.effects.push(Effect::Tell { task: task.id, run, text: *text, by });
    }
    if let Some(review) = &task.review
        && let Some(digest) = review.to_post
    {
        let at = review.at.clone();
        wish.effects.push(Effect::PostReview { task: task.id, at, digest });
    }
    if let State::Splitting(split) = &task.state
        && let Some(step) = split.next()
    {
        wish.effects.push(Effect::OpenPart { task: task.id, step });
    }
    if let State::Parked { pause, .. } = &task.state {
        wish.resume = pause.ends();
    }
    if task.run.is_none() && task.waits(around) {
        return wish;
    }
    wish.effects.extend(examining(task));
    let Some((phase, urgent)) = wanted_phase(task) else {
        if let Some(run) = &task.run {
            wish.effects.push(Effect::StopRun { run: run.id });
        }
        wish.effects.extend(publishing(task));
        return wish;
    };
    let from = start(task, phase);
    match (&task.run, &from) {
        // The run under way is for something else. It has to end first.
        (Some(run), from)
            if run.phase != phase || is_waiting(&task.state) || is_off(run, from.as_ref()) =>
        {
            wish.effects.push(Effect::StopRun { run: run.id });
        }
        (Some(run), _) => {
            let from = run.from.clone();
            wish.run = Some(WantedRun { phase, from, begun: Some(run.clone()), urgent });
        }
        (None, Some(from)) => {
            let from = from.clone();
            wish.run = Some(WantedRun { phase, from, begun: None, urgent });
        }
        (None, None) => wish.effects.push(Effect::FindBase { task: task.id }),
    }
    wish
}

/// Says which phase an agent (or the checks) should be in, and whether a person has approved it.
fn wanted_phase(task: &Task) -> Option<(Phase, bool)> {
    use crate::task::Kind;
    match &task.state {
        State::Received(_) | State::Planning(_) => match task.kind {
            Kind::Change => Some((Phase::Plan, false)),
            Kind::Question => Some((Phase::Ask, false)),
            Kind::Review => Some((Phase::Review, false)),
        },
        State::Queued(work) | State::Implementing(work) => {
            Some((Phase::Implement { step: work.n_done + 1 }, true))
        }
        State::Verifying(work) if work.proof.is_checked() => Some((Phase::Baseline, true)),
        State::Verifying(_) => Some((Phase::Verify, true)),
        State::Reviewing(work) if work.proof.wants_review() => Some((Phase::Review, true)),
        State::Correcting(_) => Some((Phase::Correct, true)),
        State::AwaitingApproval
        | State::Splitting(_)
        | State::Split(_)
        | State::Reviewing(_)
        | State::Held(_)
        | State::Publishing(_)
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Parked { .. }
        | State::Merged { .. }
        | State::Closed { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => None,
    }
}

/// Whether a run mends commits that are not what is to be mended any more.
fn is_off(run: &Run, from: Option<&CommitId>) -> bool {
    run.phase == Phase::Correct && from.is_some_and(|from| *from != run.from)
}

/// In these states a run that is under way is one of before.
fn is_waiting(state: &State) -> bool {
    matches!(state, State::Received(_) | State::Queued(_))
}

/// The commit that the next run starts from, if it is known.
fn start(task: &Task, phase: Phase) -> Option<CommitId> {
    if phase == Phase::Baseline {
        return task.base.clone();
    }
    task.state.work().and_then(|work| work.head.clone()).or_else(|| task.base.clone())
}

/// The guards have their look before anything else is made of green checks.
fn examining(task: &Task) -> Option<Effect> {
    let State::Reviewing(work) = &task.state else { return None };
    let head = work.head.clone().filter(|_| work.proof.examined.is_none())?;
    Some(Effect::Examine { task: task.id, head })
}

fn publishing(task: &Task) -> Option<Effect> {
    if let State::Rebasing(rework) = &task.state {
        return Some(Effect::Rebase { task: task.id, head: rework.head.clone() });
    }
    let State::Publishing(published) = &task.state else { return None };
    let head = published.head.clone();
    Some(if published.receipt.is_none() {
        Effect::Seal { task: task.id, head }
    } else if published.pushed && published.work.rework.is_some() {
        Effect::UpdatePull { task: task.id, head }
    } else if published.pushed {
        Effect::OpenPull { task: task.id, head }
    } else {
        Effect::Push { task: task.id, head }
    })
}

/// The texts that should stand on the issue and do not yet.
fn texts(task: &Task, around: &Around) -> Vec<Effect> {
    let mut wanted = Vec::new();
    if task.plan.is_some() {
        wanted.push((Slot::Plan, plan_digest(task, around)));
    }
    for (note, n) in task.notes.iter().zip(1..) {
        wanted.push((Slot::Note(n), note_digest(note)));
    }
    wanted.retain(|&(slot, digest)| task.shown(slot) != Some(digest));
    wanted.into_iter().map(|(slot, digest)| Effect::Show { task: task.id, slot, digest }).collect()
}

/// Changes whenever the plan's comment should show something else.
///
/// The cost is not in it: it changes all the time, and an edit for every call
/// would be noise.
pub fn plan_digest(task: &Task, around: &Around) -> Digest {
    let plan = task.plan.as_ref().map(|plan| plan.hash.as_str()).unwrap_or_default();
    let n_done = task.state.work().map_or(0, |work| work.n_done);
    let told = task.told.as_ref().map(|told| format!("{told:?}")).unwrap_or_default();
    let alone = format!("{plan} {n_done} {}{told}", task.state);
    // The comments of tasks that have to do with no other are as they were before there were any.
    if *around == Around::default() {
        return Digest::of(&alone);
    }
    Digest::of(&format!("{alone} {around:?}"))
}

fn note_digest(note: &Note) -> Digest {
    Digest::of(&format!("{note:?}"))
}
