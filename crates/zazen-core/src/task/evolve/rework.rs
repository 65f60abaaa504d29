//! How rework moves a task, and what people do with its pull request and its issue.

use super::super::Proof;
use super::super::rework::{Answer, Ask, CHECK_ROUNDS_MAX, IssueEnd, ReviewOf, Rework, Rounds};
use super::{
    IllegalEvent, Note, Published, Run, State, Task, Trouble, TroubleKind, Try, Work, give_up,
    illegal, rebase, waiting,
};
use crate::id::{CommitId, PullNumber, Stream};
use crate::task::Digest;

/// A person wants the pull request changed.
pub(super) fn fix_asked(mut task: Task, ask: Ask, n_max: u32) -> Result<Task, IllegalEvent> {
    let state = std::mem::replace(&mut task.state, State::AwaitingApproval);
    match (state, ask.by_command) {
        // Nobody's commits are built upon because of a review: who wrote them may go on.
        (state @ State::Drafted { .. }, false) if is_theirs(&state) => task.state = state,
        (State::Drafted { pull, head, mut rounds }, _) if task.plan.is_some() => {
            rounds.n_by_reviews_max = n_max;
            next_round(&mut task, (pull, head, rounds), vec![ask]);
        }
        (State::Correcting(mut work), _) if has_room(&work) => {
            let is_idle = task.run.is_none();
            if let Some(rework) = &mut work.rework {
                rework.rounds.n_by_reviews_max = n_max;
                let asks = if is_idle { &mut rework.asks } else { &mut rework.later };
                asks.push(ask);
            }
            task.state = State::Correcting(work);
        }
        (
            mut state @ (State::Verifying(_)
            | State::Reviewing(_)
            | State::Held(_)
            | State::Publishing(_)),
            _,
        ) if state.work().is_some_and(has_room) => {
            put_off(proved(&mut state).and_then(|work| work.rework.as_deref_mut()), (ask, n_max));
            task.state = state;
        }
        (State::Rebasing(mut rework), _) if rework.has_room() => {
            put_off(Some(&mut *rework), (ask, n_max));
            task.state = State::Rebasing(rework);
        }
        (State::Stopped { back, .. }, true) if matches!(*back, State::Rebasing(_)) => {
            let State::Rebasing(mut rework) = *back else { return Ok(task) };
            rework.later.push(ask);
            end_round(&mut task, *rework, None);
        }
        // A person said stop: only a person's command ends that.
        (state @ State::Stopped { .. }, false) if state.pull().is_some() => task.state = state,
        (State::Stopped { back, .. } | State::Failed { back, .. }, _)
            if back.work().is_some_and(has_room) =>
        {
            task.state = again(*back, ask, task.run.is_some());
        }
        (state, _) => {
            task.state = state;
            return Err(illegal(&task, "FixAsked".to_owned()));
        }
    }
    Ok(task)
}

fn is_theirs(state: &State) -> bool {
    matches!(state, State::Drafted { rounds, .. } if rounds.foreign)
}

fn has_room(work: &Work) -> bool {
    work.rework.as_ref().is_some_and(|rework| rework.has_room())
}

/// The work that is on its way from the last commit to the forge.
fn proved(state: &mut State) -> Option<&mut Work> {
    if let State::Verifying(work) | State::Reviewing(work) | State::Held(work) = state {
        return Some(work);
    }
    let State::Publishing(published) = state else { return None };
    Some(&mut published.work)
}

fn put_off(rework: Option<&mut Rework>, (ask, n_max): (Ask, u32)) {
    if let Some(rework) = rework {
        // What led to this round may not have been a review.
        rework.rounds.n_by_reviews_max = n_max;
        rework.later.push(ask);
    }
}

/// Rework that failed or was stopped begins again, from its finished commits.
fn again(back: State, ask: Ask, is_running: bool) -> State {
    let Some(mut work) = back.work().cloned() else { return back };
    work.n_corrections = 0;
    work.attempt.n_failed = 0;
    if let Some(rework) = &mut work.rework {
        let asks = if is_running { &mut rework.later } else { &mut rework.asks };
        asks.push(ask);
    }
    State::Correcting(work)
}

/// Begins a round, if there is one left.
fn next_round(
    task: &mut Task,
    (pull, head, mut rounds): (PullNumber, CommitId, Rounds),
    asks: Vec<Ask>,
) {
    if asks.iter().any(|ask| ask.by_command) {
        let Rounds { n_by_reviews_max, released, .. } = rounds;
        rounds = Rounds { n_by_reviews_max, released, ..Rounds::default() };
    } else if rounds.n_by_reviews >= rounds.n_by_reviews_max {
        if !rounds.told_of_reviews {
            task.notes.push(Note::RoundsUsedUp { n: rounds.n_by_reviews });
            rounds.told_of_reviews = true;
        }
        task.state = State::Drafted { pull, head, rounds };
        return;
    } else {
        rounds.n_by_reviews += 1;
    }
    begin(task, Rework::new((pull, head, rounds), asks), None);
}

fn begin(task: &mut Task, rework: Rework, trouble: Option<Trouble>) {
    if let Some(work) = run_for(task, rework, None) {
        let attempt = Try { trouble, ..Try::default() };
        task.state = State::Correcting(Work { attempt, ..work });
    }
}

/// The work that a round is, at the commit that it goes on from. A task without a plan has
/// none, and its draft stays as it is.
pub(super) fn run_for(task: &mut Task, rework: Rework, head: Option<CommitId>) -> Option<Work> {
    let Some(plan) = task.plan.clone() else {
        let Rework { pull, head, rounds, .. } = rework;
        task.state = State::Drafted { pull, head, rounds };
        return None;
    };
    let released = rework.rounds.released.clone();
    Some(Work {
        answers: String::new(),
        n_done: plan.n_steps,
        plan,
        head: head.or_else(|| Some(rework.head.clone())),
        n_corrections: 0,
        attempt: Try::default(),
        proof: Box::new(Proof { released, ..Proof::default() }),
        rework: Some(Box::new(rework)),
    })
}

/// Checks on the forge are red. Only those on our own last commit are ours to mend.
pub(super) fn checks_failed(task: &mut Task, red: &CommitId, evidence: String) {
    let State::Drafted { pull, head, rounds } = &mut task.state else { return };
    if head != red || rounds.foreign {
        return;
    }
    let digest = Digest::of_output(&evidence);
    let is_same = rounds.red == Some(digest);
    if is_same || rounds.n_by_checks >= CHECK_ROUNDS_MAX {
        if !rounds.told_of_checks {
            rounds.told_of_checks = true;
            task.notes.push(Note::ChecksStayRed { is_same });
        }
        return;
    }
    let (pull, head) = (*pull, head.clone());
    let (n_by_checks, red) = (rounds.n_by_checks + 1, Some(digest));
    let rounds = Rounds { n_by_checks, red, ..rounds.clone() };
    let trouble = Trouble::new(TroubleKind::RedChecks, evidence);
    begin(task, Rework::new((pull, head, rounds), Vec::new()), Some(trouble));
}

/// The agent came back, and there is no new commit: nothing to check, nothing to publish.
pub(super) fn is_unchanged(work: &Work, run: &Run, head: &CommitId) -> bool {
    *head == run.from && work.rework.as_ref().is_some_and(|rework| rework.head == run.from)
}

/// Ends a round without a new commit.
pub(super) fn nothing_changed(task: &mut Task, work: Work, run: &Run) {
    task.notes.push(Note::Unchanged { run: run.id });
    if let Some(rework) = work.rework {
        end_round(task, *rework, None);
    }
}

/// Ends a round: the branch is pushed and the pull request says so.
pub(super) fn updated(task: &mut Task, published: Published) {
    let Some(mut rework) = published.work.rework else { return };
    rework.rounds.released = published.work.proof.released;
    let (pull, head) = (rework.pull, published.head.clone());
    task.notes.push(match task.base.clone().filter(|_| rework.rebased.is_some()) {
        Some(onto) => Note::Rebased { pull, head, onto },
        None => Note::Reworked { pull, head },
    });
    end_round(task, *rework, Some(published.head));
}

/// Ends a round. What was asked for since is the next one.
pub(super) fn end_round(task: &mut Task, rework: Rework, new: Option<CommitId>) {
    let Rework { pull, head, rounds, asks, later, .. } = rework;
    let threads = asks.into_iter().filter(|ask| is_thread(ask.text.id.stream));
    task.to_answer.extend(threads.map(|ask| Answer { to: ask.text, head: new.clone() }));
    let at = (pull, new.unwrap_or(head), rounds);
    if later.is_empty() {
        let (pull, head, rounds) = at;
        task.state = State::Drafted { pull, head, rounds };
    } else {
        next_round(task, at, later);
    }
}

fn is_thread(stream: Stream) -> bool {
    match stream {
        Stream::Review | Stream::ReviewComment => true,
        Stream::Comment | Stream::Event | Stream::Checks => false,
    }
}

/// The branch is at a commit that zazen did not make.
pub(super) fn head_moved(task: &mut Task, theirs: &CommitId, by: &str) {
    if is_ours(&task.state, theirs) {
        return;
    }
    let note = || Note::Foreign { by: by.to_owned(), head: theirs.clone() };
    rebase::forget(task);
    let state = std::mem::replace(&mut task.state, State::AwaitingApproval);
    let has_pull = state.pull().is_some();
    task.state = match (state, has_pull) {
        (State::Drafted { pull, rounds, .. }, _) => {
            if !rounds.foreign {
                task.notes.push(note());
            }
            let rounds = Rounds { foreign: true, ..rounds };
            State::Drafted { pull, head: theirs.clone(), rounds }
        }
        (
            state @ (State::Correcting(_)
            | State::Verifying(_)
            | State::Reviewing(_)
            | State::Held(_)
            | State::Publishing(_)),
            true,
        ) => {
            let evidence = format!("{by} moved the branch to {theirs}");
            let trouble = Trouble::new(TroubleKind::ForeignBranch, evidence);
            give_up(on_top(state, theirs), trouble, &mut task.notes)
        }
        (State::Rebasing(rework), _) => {
            task.notes.push(note());
            let Rework { pull, rounds, mut later, .. } = *rework;
            // Nobody's commits are built upon because of a review.
            later.retain(|ask| ask.by_command);
            let rounds = Rounds { foreign: true, ..rounds };
            let theirs =
                Rework { later, ..Rework::new((pull, theirs.clone(), rounds), Vec::new()) };
            return end_round(task, theirs, None);
        }
        (State::Stopped { by, back }, true) => {
            State::Stopped { by, back: Box::new(on_top(*back, theirs)) }
        }
        (State::Failed { trouble, back }, true) => {
            State::Failed { trouble, back: Box::new(on_top(*back, theirs)) }
        }
        (state, _) => state,
    };
}

/// Whether a commit is one that this work stands at, or has made.
fn is_ours(state: &State, head: &CommitId) -> bool {
    let of_work = state.work().is_some_and(|work| work.head.as_ref() == Some(head));
    let of_pull = state.rework().is_some_and(|rework| rework.head == *head);
    of_work || of_pull || matches!(state, State::Drafted { head: ours, .. } if ours == head)
}

/// The rework, begun anew on top of somebody else's commits. Our own unpublished ones are kept
/// by the mirror, and are not part of it any more.
fn on_top(state: State, theirs: &CommitId) -> State {
    if let State::Rebasing(mut rework) = state {
        rework.head = theirs.clone();
        rework.rounds.foreign = true;
        return State::Rebasing(rework);
    }
    let Some(mut work) = state.work().cloned() else { return state };
    work.head = Some(theirs.clone());
    work.n_corrections = 0;
    let released = std::mem::take(&mut work.proof.released);
    work.proof = Box::new(Proof { released, ..Proof::default() });
    if let Some(rework) = &mut work.rework {
        rework.head = theirs.clone();
        rework.rebased = None;
        rework.rounds.foreign = false;
    }
    State::Correcting(work)
}

/// The review is on the forge.
pub(super) fn posted(task: &mut Task) {
    if let Some(review) = &mut task.review {
        review.to_post = None;
    }
}

/// A review is there, and is to be posted.
pub(super) fn reviewed(review: Option<&mut ReviewOf>, digest: Digest) -> State {
    if let Some(review) = review {
        review.to_post = Some(digest);
    }
    State::Closed { pull: None }
}

/// A closed pull request is open again.
pub(super) fn reopened(mut task: Task, head: CommitId) -> Result<Task, IllegalEvent> {
    let State::Closed { pull: Some(pull) } = task.state else {
        return Err(illegal(&task, "PullReopened".to_owned()));
    };
    task.state = State::Drafted { pull, head, rounds: Rounds::default() };
    Ok(task)
}

pub(super) fn base_changed(task: &mut Task, base: String) {
    if is_open(&task.state) {
        task.notes.push(Note::BaseChanged { base });
    }
}

/// A branch that a person deleted is not pushed again before a person says so.
pub(super) fn branch_deleted(mut task: Task, by: String) -> Task {
    if is_open(&task.state) {
        task.notes.push(Note::BranchDeleted { by: by.clone() });
        if is_working(&task.state) {
            task.state = State::Stopped { by, back: Box::new(waiting(task.state)) };
        }
    }
    task
}

/// Work on an issue that is gone stops, unless its pull request is open already.
pub(super) fn issue_ended(mut task: Task, how: IssueEnd, by: String) -> Task {
    let is_begun = is_working(&task.state) || task.state == State::AwaitingApproval;
    if how != IssueEnd::Locked && is_begun && task.state.pull().is_none() {
        task.notes.push(Note::IssueEnded { how, by: by.clone() });
        task.state = State::Stopped { by, back: Box::new(waiting(task.state)) };
    }
    task
}

fn is_open(state: &State) -> bool {
    state.pull().is_some() && !is_over(state)
}

fn is_over(state: &State) -> bool {
    matches!(state, State::Merged { .. } | State::Closed { .. })
}

fn is_working(state: &State) -> bool {
    match state {
        State::Received(_)
        | State::Planning(_)
        | State::Splitting(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Reviewing(_)
        | State::Held(_)
        | State::Correcting(_)
        | State::Publishing(_)
        | State::Parked { .. }
        | State::Rebasing(_) => true,
        State::AwaitingApproval
        | State::Split(_)
        | State::Drafted { .. }
        | State::Merged { .. }
        | State::Closed { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => false,
    }
}

/// Merged or closed, whatever is being done to it.
pub(super) fn closed(mut task: Task, is_merged: bool) -> Result<Task, IllegalEvent> {
    let Some(pull) = task.state.pull().filter(|_| !is_over(&task.state)) else {
        let event = if is_merged { "PullMerged" } else { "PullClosed" };
        return Err(illegal(&task, event.to_owned()));
    };
    rebase::forget(&mut task);
    task.state =
        if is_merged { State::Merged { pull } } else { State::Closed { pull: Some(pull) } };
    Ok(task)
}
