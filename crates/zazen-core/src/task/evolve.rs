//! One event moves one task.

mod fork;
mod parked;
mod proof;
mod rebase;
mod rework;
mod split;

use super::told;
use super::trouble::{CORRECTIONS_MAX, FAILURES_MAX, Reaction};
use super::{
    Event, Kind, Note, Outcome, OwnReview, Passed, Phase, PlanRef, Published, Rounds, Run, Saying,
    Slot, State, Task, TextRef, Trouble, TroubleKind, Try, Work,
};
use crate::id::{CommitId, Time};

/// The event does not fit the state.
///
/// This is a bug in whoever sent the event. People on the forge never see it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("task {task} is {state} and cannot take the event {event}")]
pub struct IllegalEvent {
    task: crate::id::TaskId,
    state: &'static str,
    event: String,
}

/// Moves `task` by one `event` that happened at `at`.
///
/// Every legal pair of state and event is one arm, here or in a function that
/// is called from here. The table in `docs/states.md` is printed from this
/// function by a test, so the two cannot disagree.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub fn evolve(mut task: Task, event: Event, at: Time) -> Result<Task, IllegalEvent> {
    if matches!(task.state, State::Parked { .. }) {
        return parked::evolve(task, event, at);
    }
    let is_said = matches!(
        event,
        Event::Shown { .. } | Event::Acknowledged { .. } | Event::ThreadAnswered { .. }
    );
    if !is_said {
        task.changed = at;
    }
    match event {
        Event::Shown { slot, digest } => show(&mut task, slot, digest),
        Event::Acknowledged { comment, on } => {
            let text = TextRef { on: on.unwrap_or(task.issue), id: comment };
            task.to_acknowledge.retain(|other| *other != text);
        }
        Event::CommandTaken { comment, on } => {
            let text = TextRef { on: on.unwrap_or(task.issue), id: comment };
            if !task.to_acknowledge.contains(&text) {
                task.to_acknowledge.push(text);
            }
        }
        Event::Said { text, by } => told::said(&mut task, Saying { text, by }),
        Event::Told { text, reached } => told::told(&mut task, text, reached),
        Event::ResumingSet { resumes } => task.by_hand = !resumes,
        Event::ReviewPosted => rework::posted(&mut task),
        Event::ThreadAnswered { to } => task.to_answer.retain(|answer| answer.to != to),
        Event::ChecksFailed { head, evidence } => {
            rework::checks_failed(&mut task, &head, evidence);
        }
        Event::HeadMoved { head, by } => rework::head_moved(&mut task, &head, &by),
        Event::FixAsked { ask, rounds_max } => return rework::fix_asked(task, ask, rounds_max),
        Event::RebaseAsked { .. } => return rebase::asked(task),
        Event::Rebased { from, onto, head } => rebase::done(&mut task, &from, (onto, head)),
        Event::NotRebased { from, why } => rebase::refused(&mut task, &from, why),
        Event::BaseFound { base } => task.base = Some(base),
        Event::RunBegun { run, phase, from, agent, passed } => {
            return begin(task, Run { id: run, phase, from, begun: at, agent }, passed);
        }
        Event::PutOff { hold, passed } => parked::put_off(&mut task, hold, passed),
        Event::RunEnded { run, outcome, usage } if is_awaited(&task, run) => {
            let run = task.run.take().expect("just looked");
            task.usage += usage;
            return end(task, &run, outcome);
        }
        // A run that nobody waits for came back. There is nothing to do.
        Event::RunEnded { .. } => {}
        Event::SplitApproved { .. } | Event::PartOpened { .. } | Event::WaitWaived { .. } => {
            return split::evolve(task, event, at);
        }
        Event::Forked { fork, by } => return fork::forked(task, fork, by),
        Event::StopAsked { .. } | Event::RetryAsked { .. } | Event::Blocked { .. } => {
            return interrupt(task, event);
        }
        Event::PlanSentBack { .. }
        | Event::PlanEdited { .. }
        | Event::PlanApproved { .. }
        | Event::Sealed { .. }
        | Event::Pushed { .. }
        | Event::PullOpened { .. }
        | Event::PullUpdated { .. } => return advance(task, event),
        Event::Examined { head, examined } => return proof::examined(task, (head, examined)),
        Event::Released { hold, .. } => return proof::released(task, hold),
        Event::PullMerged => return rework::closed(task, true),
        Event::PullClosed => return rework::closed(task, false),
        Event::PullReopened { head } => return rework::reopened(task, head),
        Event::BranchDeleted { by } => return Ok(rework::branch_deleted(task, by)),
        Event::IssueEnded { how, by } => return Ok(rework::issue_ended(task, how, by)),
        Event::BaseChanged { base } => rework::base_changed(&mut task, base),
        // It is theirs to say, and nothing follows. Who is not parked has gone on already.
        Event::PullReady { .. } | Event::Resumed { .. } => {}
    }
    Ok(task)
}

fn is_awaited(task: &Task, run: crate::id::RunId) -> bool {
    task.run.as_ref().is_some_and(|current| current.id == run)
}

/// How often texts were shown must not matter, so they are kept in order.
fn show(task: &mut Task, slot: Slot, digest: super::Digest) {
    match task.shown.binary_search_by_key(&slot, |(slot, _)| *slot) {
        Ok(i) => task.shown[i].1 = digest,
        Err(i) => task.shown.insert(i, (slot, digest)),
    }
}

/// A run is about to start: what waited is under way.
fn begin(mut task: Task, run: Run, passed: Vec<Passed>) -> Result<Task, IllegalEvent> {
    let event = || format!("RunBegun({})", run.phase);
    if task.run.is_some() || run.id != task.next_run() {
        return Err(illegal(&task, event()));
    }
    task.state = match (task.state, run.phase) {
        (State::Received(attempt) | State::Planning(attempt), phase)
            if phase == first_phase(task.kind) =>
        {
            State::Planning(attempt)
        }
        (State::Queued(work) | State::Implementing(work), Phase::Implement { step })
            if step == work.n_done + 1 =>
        {
            State::Implementing(work)
        }
        (State::Verifying(work), Phase::Verify) if !work.proof.is_checked() => {
            State::Verifying(work)
        }
        (State::Verifying(work), Phase::Baseline) if work.proof.is_checked() => {
            State::Verifying(work)
        }
        (State::Reviewing(work), Phase::Review) if work.proof.wants_review() => {
            State::Reviewing(work)
        }
        (state @ State::Correcting(_), Phase::Correct) => state,
        (state, _) => {
            task.state = state;
            return Err(illegal(&task, event()));
        }
    };
    // It reads all that was said.
    task.told = None;
    task.n_runs = run.id.n;
    parked::took_over(&mut task.notes, &run, passed);
    task.run = Some(run);
    Ok(task)
}

fn first_phase(kind: Kind) -> Phase {
    match kind {
        Kind::Change => Phase::Plan,
        Kind::Question => Phase::Ask,
        Kind::Review => Phase::Review,
    }
}

/// The run that was under way came back.
fn end(mut task: Task, run: &Run, outcome: Outcome) -> Result<Task, IllegalEvent> {
    parked::learn(&mut task.passed, (run, &outcome), task.changed);
    task.state = match (task.state, outcome) {
        (State::Planning(_), Outcome::Planned { plan }) if task.kind == Kind::Change => {
            task.plan = Some(plan);
            State::AwaitingApproval
        }
        (State::Planning(_), Outcome::Answered { digest }) if task.kind == Kind::Question => {
            task.notes.push(Note::Answered { digest });
            State::Closed { pull: None }
        }
        (State::Planning(_), Outcome::Reviewed { digest, .. }) if task.kind == Kind::Review => {
            rework::reviewed(task.review.as_deref_mut(), digest)
        }
        (State::Implementing(work), Outcome::StepDone { head, .. }) => {
            step_done(work, head, run, &mut task.notes)
        }
        // Somebody else's commits came under it.
        (State::Correcting(work), _) if work.head.as_ref().is_some_and(|h| *h != run.from) => {
            State::Correcting(work)
        }
        (State::Correcting(work), Outcome::StepDone { head, .. })
            if rework::is_unchanged(&work, run, &head) =>
        {
            task.state = State::AwaitingApproval;
            rework::nothing_changed(&mut task, work, run);
            return Ok(task);
        }
        (State::Correcting(work), Outcome::StepDone { head, .. }) => {
            proof::corrected(work, (run, head), &mut task.notes)
        }
        (State::Verifying(work), outcome) if proof::is_of_checks(run, &outcome) => {
            task.state = State::AwaitingApproval;
            let state = proof::checked(&mut task, work, (run, outcome));
            task.state = state;
            return Ok(task);
        }
        (State::Reviewing(work), Outcome::Reviewed { n_findings, n_blocking, sends_back, .. }) => {
            let review = OwnReview { run: run.id, n_findings, n_blocking };
            proof::reviewed(work, (review, sends_back), &mut task.notes)
        }
        (
            state @ (State::Planning(_)
            | State::Implementing(_)
            | State::Verifying(_)
            | State::Reviewing(_)
            | State::Correcting(_)),
            outcome @ (Outcome::Failed { .. } | Outcome::Held { .. } | Outcome::Stopped),
        ) => {
            task.state = state;
            came_to_nothing(&mut task, run, outcome);
            return Ok(task);
        }
        // A run that was told to stop comes back, or finished just before it was.
        (
            state @ (State::Stopped { .. }
            | State::Failed { .. }
            | State::Drafted { .. }
            | State::Merged { .. }
            | State::Closed { .. }),
            _,
        ) => state,
        // A new plan was asked for while the old one was being written or carried out.
        (state @ (State::Received(_) | State::Queued(_) | State::Rebasing(_)), _) => state,
        (state, outcome) => {
            task.state = state;
            return Err(illegal(&task, format!("RunEnded({outcome:?})")));
        }
    };
    Ok(task)
}

fn came_to_nothing(task: &mut Task, run: &Run, outcome: Outcome) {
    match outcome {
        Outcome::Failed { trouble } => run_failed(task, trouble),
        Outcome::Held { hold, trouble } => parked::hold(task, run, (hold, trouble)),
        // It was stopped for another reason than a person's: it starts again.
        Outcome::Stopped
        | Outcome::Planned { .. }
        | Outcome::Answered { .. }
        | Outcome::Reviewed { .. }
        | Outcome::StepDone { .. }
        | Outcome::ChecksGreen { .. } => {}
    }
}

fn step_done(work: Work, head: CommitId, run: &Run, notes: &mut Vec<Note>) -> State {
    let n_done = work.n_done + 1;
    let head = if head == run.from { work.head.clone() } else { Some(head) };
    let work = Work { n_done, head, attempt: Try::default(), ..work };
    if n_done < work.plan.n_steps {
        return State::Implementing(work);
    }
    if work.head.is_some() {
        return State::Verifying(work);
    }
    let trouble = Trouble::new(TroubleKind::EmptyWork, String::new());
    let attempt = Try { trouble: Some(trouble.clone()), ..Try::default() };
    let from_the_start = Work { n_done: 0, attempt, ..work };
    if from_the_start.n_corrections < CORRECTIONS_MAX {
        let n_corrections = from_the_start.n_corrections + 1;
        return State::Implementing(Work { n_corrections, ..from_the_start });
    }
    give_up(State::Queued(from_the_start), trouble, notes)
}

fn red_checks(work: Work, trouble: Trouble, notes: &mut Vec<Note>) -> State {
    if work.n_corrections < CORRECTIONS_MAX {
        let attempt = Try { trouble: Some(trouble), ..Try::default() };
        return State::Correcting(Work { n_corrections: work.n_corrections + 1, attempt, ..work });
    }
    let attempt = Try { trouble: Some(trouble.clone()), ..Try::default() };
    give_up(State::Correcting(Work { attempt, ..work }), trouble, notes)
}

fn run_failed(task: &mut Task, trouble: Trouble) {
    let Some(attempt) = attempt_of(&mut task.state) else { return };
    attempt.n_failed += 1;
    attempt.trouble = Some(trouble.clone());
    if trouble.kind.reaction() == Reaction::TryAgain && attempt.n_failed < FAILURES_MAX {
        return;
    }
    attempt.n_failed = 0;
    task.state = give_up(task.state.clone(), trouble, &mut task.notes);
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
fn give_up(state: State, trouble: Trouble, notes: &mut Vec<Note>) -> State {
    let state = match state {
        State::Reviewing(work) if work.proof.examined.is_some() => {
            return proof::unreviewed(work, trouble.kind, notes);
        }
        state => state,
    };
    notes.push(Note::Failed { trouble: trouble.clone() });
    State::Failed { trouble, back: Box::new(waiting(state)) }
}

/// A person, or the world, breaks in.
fn interrupt(mut task: Task, event: Event) -> Result<Task, IllegalEvent> {
    task.state = match (task.state, event) {
        (
            state @ (State::Received(_)
            | State::Planning(_)
            | State::AwaitingApproval
            | State::Splitting(_)
            | State::Queued(_)
            | State::Implementing(_)
            | State::Verifying(_)
            | State::Reviewing(_)
            | State::Held(_)
            | State::Correcting(_)
            | State::Publishing(_)
            | State::Rebasing(_)),
            Event::StopAsked { by },
        ) => {
            task.notes.push(Note::Stopped { by: by.clone() });
            State::Stopped { by, back: Box::new(waiting(state)) }
        }
        (
            State::Stopped { back, .. } | State::Failed { back, .. },
            Event::RetryAsked { remarks, .. },
        ) => {
            // A review stays at its commit.
            if is_fresh(&back) && task.kind != Kind::Review {
                // A tip that was found long ago may be old by now.
                task.base = None;
            }
            let mut state = *back;
            parked::try_anew(&mut task.passed, &mut state, (remarks, task.changed));
            state
        }
        (State::Held(work), Event::RetryAsked { remarks, .. }) => proof::sent_back(work, remarks),
        (
            state @ (State::Received(_)
            | State::Splitting(_)
            | State::Queued(_)
            | State::Planning(_)
            | State::Implementing(_)
            | State::Verifying(_)
            | State::Reviewing(_)
            | State::Correcting(_)
            | State::Publishing(_)),
            Event::Blocked { trouble },
        ) => give_up(state, trouble, &mut task.notes),
        (state @ (State::Stopped { .. } | State::Failed { .. }), Event::Blocked { .. }) => state,
        (state, event) => {
            task.state = state;
            return Err(illegal(&task, format!("{event:?}")));
        }
    };
    Ok(task)
}

/// The task goes on.
fn advance(mut task: Task, event: Event) -> Result<Task, IllegalEvent> {
    let is_rework = task.state.is_rework();
    // What is an issue by now is not planned again.
    let has_parts = task.state.has_parts();
    task.state = match (task.state, event) {
        (
            State::AwaitingApproval
            | State::Received(_)
            | State::Planning(_)
            | State::Held(_)
            | State::Stopped { .. }
            | State::Failed { .. },
            Event::PlanSentBack { remarks, .. },
        ) if task.kind == Kind::Change && !is_rework && !has_parts => {
            task.base = None;
            task.request = remarks;
            State::Received(Try::default())
        }
        (State::AwaitingApproval, Event::PlanEdited { plan }) => {
            task.plan = Some(plan);
            State::AwaitingApproval
        }
        (State::AwaitingApproval, Event::PlanApproved { hash, answers, contract, .. })
            if task.plan.as_ref().is_some_and(|plan| {
                let shown = plan.contract.as_ref().map(|shown| &shown.hash);
                // Records of before have none.
                plan.hash == hash && (contract.is_none() || contract.as_ref() == shown)
            }) =>
        {
            let plan = task.plan.clone().expect("just looked");
            task.base = None;
            State::Queued(Work::first(plan, answers))
        }
        (State::Publishing(published), Event::Sealed { head, receipt })
            if published.head == head =>
        {
            State::Publishing(Published { receipt: Some(receipt), ..published })
        }
        (State::Publishing(published), Event::Pushed { head })
            if published.head == head && published.receipt.is_some() =>
        {
            State::Publishing(Published { pushed: true, ..published })
        }
        (State::Publishing(published), Event::PullOpened { pull })
            if published.pushed && !is_rework =>
        {
            task.notes.push(Note::Drafted { pull });
            let released = published.work.proof.released;
            let rounds = Rounds { released, ..Rounds::default() };
            State::Drafted { pull, head: published.head, rounds }
        }
        (State::Publishing(published), Event::PullUpdated { head })
            if published.pushed && published.head == head && is_rework =>
        {
            task.state = State::AwaitingApproval;
            rework::updated(&mut task, published);
            return Ok(task);
        }
        (state, event) => {
            task.state = state;
            return Err(illegal(&task, format!("{event:?}")));
        }
    };
    Ok(task)
}

impl Work {
    /// The work as it begins: nothing done.
    fn first(plan: PlanRef, answers: String) -> Self {
        Self {
            plan,
            answers,
            n_done: 0,
            head: None,
            n_corrections: 0,
            attempt: Try::default(),
            proof: Box::default(),
            rework: None,
        }
    }
}

/// The state to come back to: nothing in it says that a run is under way.
fn waiting(state: State) -> State {
    if let State::Planning(attempt) = state {
        State::Received(attempt)
    } else if let State::Implementing(work) = state {
        State::Queued(work)
    } else {
        state
    }
}

/// Whether nothing has been done in this state that rests on a certain commit.
fn is_fresh(state: &State) -> bool {
    matches!(state, State::Received(_) | State::Queued(Work { n_done: 0, head: None, .. }))
}

/// The try that is counted in this state, and that the next agent is told about.
fn attempt_of(state: &mut State) -> Option<&mut Try> {
    match state {
        State::Received(attempt) | State::Planning(attempt) => Some(attempt),
        State::Queued(work)
        | State::Implementing(work)
        | State::Verifying(work)
        | State::Reviewing(work)
        | State::Correcting(work) => Some(&mut work.attempt),
        State::AwaitingApproval
        | State::Held(_)
        | State::Splitting(_)
        | State::Split(_)
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

fn illegal(task: &Task, event: String) -> IllegalEvent {
    IllegalEvent { task: task.id, state: task.state.word(), event }
}
