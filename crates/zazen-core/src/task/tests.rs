//! Every legal move, and the moves that are worth a word.

use std::fmt::Write as _;

use expect_test::{expect, expect_file};

use self::waits::{NEVER, UNTIL, held, over, parked, quota};
use super::proof::SENT_BACK_MAX;
use super::trouble::{CORRECTIONS_MAX, FAILURES_MAX};
use super::*;
use crate::id::{AgentName, CommentId, Stream};

mod waits;

/// Prints every legal move. `docs/states.md` is what it prints.
#[test]
fn every_legal_move() {
    let mut text = String::from(
        "# States\n\n\
         Printed by the test `every_legal_move` of `zazen-core` from the function that moves \
         tasks, so it cannot be out of date. What is not here is refused and changes nothing.\n\n\
         Each heading is where a task stands; each line is what may happen there, and where the \
         task stands after it. `(same)` means that it stays where it is, though more may be known \
         of it. `try 2` is the second and last try. Everywhere, and left out below: a comment is \
         shown or acknowledged, a command is taken, the base is found, and a run that nobody \
         waits for comes back.\n",
    );
    for (name, task) in samples() {
        let mut moves: Vec<(String, Vec<String>)> = Vec::new();
        for (event_name, event) in events(&task) {
            if let Ok(next) = evolve(task.clone(), event, Time(2)) {
                let same = next.state.to_string() == task.state.to_string();
                let to = if same { "(same)".to_owned() } else { full(&next.state) };
                match moves.iter_mut().find(|(other, _)| *other == to) {
                    Some((_, names)) => names.push(event_name),
                    None => moves.push((to, vec![event_name])),
                }
            }
        }
        write!(text, "\n## {name}\n\n").unwrap();
        for (to, events) in moves {
            writeln!(text, "- {} → {to}", events.join(", ")).unwrap();
        }
        if text.ends_with("\n\n") {
            text.push_str("- Nothing moves it any more.\n");
        }
    }
    expect_file!["../../../../docs/states.md"].assert_eq(&text);
}

#[test]
fn an_answer_that_comes_too_late_is_refused() {
    let task = task(drafted());
    let approved = Event::PlanApproved {
        by: ada(),
        hash: plan().hash,
        answers: String::new(),
        contract: None,
    };
    let err = evolve(task, approved, Time(2)).unwrap_err().to_string();
    let (head, _) = err.split_once(" {").unwrap();
    expect!["task 1 is drafted and cannot take the event PlanApproved"].assert_eq(head);
}

#[test]
fn a_late_run_of_another_number_changes_nothing() {
    let mut before = task(State::Implementing(work()));
    before.n_runs = 4;
    before.run = Some(Run { id: run_id(4), phase: Phase::Implement { step: 1 }, ..run() });
    for outcome in outcomes() {
        let event = Event::RunEnded { run: run_id(3), outcome, usage: Usage::default() };
        let after = evolve(before.clone(), event, before.changed).unwrap();
        assert_eq!(after, before);
    }
}

#[test]
fn a_run_with_a_number_that_is_not_the_next_does_not_begin() {
    let task = task(State::Received(Try::default()));
    for n in [0, 1, 3] {
        let begun = Event::RunBegun {
            run: run_id(n),
            phase: Phase::Plan,
            from: commit('b'),
            agent: None,
            passed: Vec::new(),
        };
        assert_eq!(evolve(task.clone(), begun, Time(2)).is_ok(), n == task.n_runs + 1, "{n}");
    }
}

#[test]
fn the_second_failure_of_a_phase_ends_it_and_a_retry_counts_from_the_start() {
    let mut task = task(State::Planning(Try::default()));
    for n in 1..FAILURES_MAX {
        task = end(task, failed(TroubleKind::Crash));
        let State::Planning(attempt) = &task.state else { panic!("{}", task.state) };
        assert_eq!(attempt.n_failed, n);
    }
    task = end(task, failed(TroubleKind::Crash));
    assert_eq!(task.state.word(), "failed");

    let task = then(task, retry("look at the log first"));
    let State::Received(attempt) = &task.state else { panic!("{}", task.state) };
    assert_eq!(attempt.n_failed, 0);
    assert_eq!(attempt.remarks, "look at the log first");
    assert!(attempt.trouble.is_some(), "the next agent is told what went wrong");
}

#[test]
fn what_another_try_cannot_mend_fails_at_once() {
    let task = end(task(State::Planning(Try::default())), failed(TroubleKind::NeedsLogin));
    assert_eq!(task.state.word(), "failed");
}

#[test]
fn red_checks_get_one_correction_and_then_fail() {
    let mut task = task(State::Verifying(work()));
    for _ in 0..CORRECTIONS_MAX {
        task = red_for_good(task);
        assert_eq!(task.state.word(), "correcting");
        task = end(task, step_done('d'));
        assert_eq!(task.state.word(), "verifying");
    }
    task = red_for_good(task);
    assert_eq!(task.state.word(), "failed");
    let work = task.state.work().expect("the work is kept");
    assert_eq!(work.head, Some(commit('d')), "with what the correction did");
}

/// Red checks are run once more, and then those of the base, where they are not known.
fn red_for_good(mut task: Task) -> Task {
    let red = || failed(TroubleKind::RedChecks);
    let is_known = task.state.work().is_some_and(|work| work.proof.before.is_some());
    task = end(end(task, red()), red());
    if is_known { task } else { end(task, red()) }
}

#[test]
fn checks_that_are_red_and_then_green_are_flaky() {
    let mut task = end(task(State::Verifying(work())), failed(TroubleKind::RedChecks));
    assert_eq!(task.state.word(), "verifying");
    task = end(task, Outcome::ChecksGreen { head: commit('c') });
    task = end(task, failed(TroubleKind::RedChecks));
    let State::Reviewing(work) = &task.state else { panic!("{}", task.state) };
    assert!(work.proof.is_flaky());
    assert_eq!(work.proof.before.map(|before| before.result), Some(Checks::Red));
}

#[test]
fn nothing_is_let_through_but_what_was_held_back() {
    let held = task(State::Held(held_back()));
    let other = Event::Released { by: ada(), hold: ContentHash::of(b"something else") };
    assert!(evolve(held.clone(), other, Time(2)).is_err());
    let released = then(held.clone(), Event::Released { by: ada(), hold: hold() });
    assert_eq!(released.state.word(), "publishing");

    // The same on another commit needs nobody; something else does.
    let mut task = then(held, retry("bring the test back"));
    task = end(task, step_done('d'));
    let mut task = then(end(task, Outcome::ChecksGreen { head: commit('d') }), looked('d', hold()));
    assert_eq!(task.state.word(), "held", "it was never released");
    task = then(task, Event::Released { by: ada(), hold: hold() });
    let State::Publishing(published) = task.state else { panic!("{}", task.state) };
    let again = Task { state: State::Correcting(published.work), ..self::task(drafted()) };
    let mut again = end(again, step_done('e'));
    again = end(again, Outcome::ChecksGreen { head: commit('e') });
    let same = then(again.clone(), looked('e', hold()));
    assert_eq!(same.state.word(), "publishing");
    let other = then(again, looked('e', ContentHash::of(b"more of it")));
    assert_eq!(other.state.word(), "held");
}

fn looked(head: char, hold: ContentHash) -> Event {
    let examined = Examined { hold: Some(hold), ..examined(false) };
    Event::Examined { head: commit(head), examined }
}

#[test]
fn what_was_released_stays_so_when_the_draft_is_changed() {
    let mut task = then(task(State::Held(held_back())), released());
    for event in [sealed('c'), Event::Pushed { head: commit('c') }] {
        task = then(task, event);
    }
    task = then(task, Event::PullOpened { pull: PullNumber(9) });
    for head in "de".chars() {
        task = end(then(task, fix(2, true)), step_done(head));
        task = end(task, Outcome::ChecksGreen { head: commit(head) });
        task = then(task, looked(head, hold()));
        assert_eq!(task.state.word(), "publishing");
        task = then(then(task, sealed(head)), Event::Pushed { head: commit(head) });
        task = then(task, Event::PullUpdated { head: commit(head) });
    }
}

fn released() -> Event {
    Event::Released { by: ada(), hold: hold() }
}

#[test]
fn a_review_is_sent_back_so_often_and_what_remains_stays() {
    let mut task = task(State::Reviewing(review_due()));
    for head in "def".chars() {
        task = end(task, reviewed(true));
        assert_eq!(task.state.word(), "correcting");
        task = end(task, step_done(head));
        task = end(task, Outcome::ChecksGreen { head: commit(head) });
        let examined = Examined { hold: None, ..examined(true) };
        task = then(task, Event::Examined { head: commit(head), examined });
        assert_eq!(task.state.word(), "reviewing", "the review was about another commit");
        assert!(task.state.work().unwrap().proof.earlier.is_some());
    }
    let work = task.state.work().unwrap();
    assert_eq!(work.proof.n_sent_back, SENT_BACK_MAX);
    task = end(task, reviewed(true));
    assert_eq!(task.state.word(), "publishing");
}

#[test]
fn a_correction_that_changes_nothing_has_nothing_shown_anew() {
    let task = end(task(State::Reviewing(review_due())), reviewed(true));
    let task = end(task, step_done('c'));
    let State::Publishing(published) = &task.state else { panic!("{}", task.state) };
    assert_eq!(published.verified_by, run_id(3));
}

#[test]
fn work_that_nobody_can_review_is_published_and_says_so() {
    let mut task = task(State::Reviewing(review_due()));
    for _ in 0..FAILURES_MAX {
        task = end(task, failed(TroubleKind::UnreadableReview));
    }
    let State::Publishing(published) = &task.state else { panic!("{}", task.state) };
    assert_eq!(published.work.proof.unreviewed, Some(TroubleKind::UnreadableReview));
    assert!(task.notes.is_empty(), "nobody has to do anything about it");
}

#[test]
fn checks_that_could_not_run_are_run_again_and_are_not_red() {
    let task = end(task(State::Verifying(work())), failed(TroubleKind::Deadline));
    assert_eq!(task.state.word(), "verifying");
}

#[test]
fn green_checks_of_another_commit_are_refused() {
    let task = begun(task(State::Verifying(work())));
    let outcome = Outcome::ChecksGreen { head: commit('e') };
    let usage = Usage::default();
    let event = Event::RunEnded { run: task.run.as_ref().unwrap().id, outcome, usage };
    assert!(evolve(task, event, Time(2)).is_err());
}

#[test]
fn empty_work_is_done_once_more_and_then_fails() {
    let fresh = Work { n_done: 0, head: None, ..work() };
    let mut task = task(State::Implementing(fresh));
    let nothing = || Outcome::StepDone { head: commit('b'), n_commits: 0 };
    task = end(task, nothing());
    task = end(task, nothing());
    let State::Implementing(work) = &task.state else { panic!("{}", task.state) };
    assert_eq!(work.n_done, 0);
    assert_eq!(work.attempt.trouble.as_ref().unwrap().kind, TroubleKind::EmptyWork);
    task = end(task, nothing());
    task = end(task, nothing());
    expect!["failed: the agent finished, but nothing was changed"]
        .assert_eq(&task.state.to_string());
}

#[test]
fn a_step_that_had_nothing_to_do_keeps_the_commits_before_it() {
    let task = end(task(State::Implementing(work())), step_done('c'));
    let State::Verifying(work) = &task.state else { panic!("{}", task.state) };
    assert_eq!(work.head, Some(commit('c')));
}

#[test]
fn stop_and_retry_come_back_to_the_right_place() {
    let mut table = String::new();
    for (name, task) in samples() {
        let stop = Event::StopAsked { by: ada() };
        let Ok(stopped) = evolve(task.clone(), stop, Time(2)) else { continue };
        let again = then(stopped, retry(""));
        let base = if again.base.is_some() { "the same base" } else { "a new base" };
        writeln!(table, "{name} → {}, from {base}", full(&again.state)).unwrap();
    }
    expect![[r#"
        Received → received, from a new base
        Received (try 2) → received, from a new base
        Planning → received, from a new base
        Planning (try 2) → received, from a new base
        Awaiting approval → awaiting-approval, from the same base
        Splitting → splitting, from the same base
        Splitting, one step is left → splitting, from the same base
        Queued (step 1 of 2) → queued (step 1 of 2), from a new base
        Implementing (step 1 of 2) → queued (step 1 of 2), from a new base
        Implementing (step 2 of 2) → queued (step 2 of 2), from the same base
        Implementing (step 2 of 2, try 2) → queued (step 2 of 2), from the same base
        Verifying → verifying, from the same base
        Verifying, corrected before → verifying, from the same base
        Verifying, the base → verifying, from the same base
        Verifying, the base → verifying, from the same base
        Reviewing → reviewing, from the same base
        Reviewing, by a second agent → reviewing, from the same base
        Held → held, from the same base
        Correcting → correcting, from the same base
        Publishing, not pushed → publishing, from the same base
        Publishing, pushed → publishing, from the same base
        Rebasing for #9 → rebasing for #9, from the same base
        Correcting for #9 → correcting for #9, from the same base
        Publishing for #9, pushed → publishing for #9, from the same base
        Parked → queued (step 1 of 2), from a new base
        Parked, from rework → correcting for #9, from the same base
        Planning, where a review was asked for → received, from the same base
        Planning, where a question was asked → received, from a new base
    "#]]
    .assert_eq(&table);
}

#[test]
fn an_edit_changes_what_an_approval_binds_to() {
    let old = plan();
    let new = PlanRef { hash: PlanHash::of("edited"), version: 2, ..plan() };
    let task = then(task(State::AwaitingApproval), Event::PlanEdited { plan: new.clone() });
    let approve =
        |hash| Event::PlanApproved { by: ada(), hash, answers: "yes".to_owned(), contract: None };
    assert!(evolve(task.clone(), approve(old.hash), Time(2)).is_err());

    let task = then(task, approve(new.hash.clone()));
    let State::Queued(work) = &task.state else { panic!("{}", task.state) };
    assert_eq!(work.plan, new);
    assert_eq!(work.answers, "yes");
    assert_eq!(task.base, None, "the work starts from the tip of now");
}

#[test]
fn a_pull_request_cannot_be_open_before_its_branch_is_there() {
    let unpushed = task(State::Publishing(published(false)));
    assert!(evolve(unpushed, Event::PullOpened { pull: PullNumber(9) }, Time(2)).is_err());
    let other = Event::Pushed { head: commit('e') };
    assert!(evolve(task(State::Publishing(published(false))), other, Time(2)).is_err());
}

#[test]
fn what_a_run_used_is_counted_however_it_ended() {
    let usage = Usage { n_calls: 3, ..Usage::default() };
    for outcome in outcomes() {
        let before = begun(task(State::Planning(Try::default())));
        let event = Event::RunEnded { run: before.next_run(), outcome, usage };
        let late = evolve(before.clone(), event.clone(), Time(2)).unwrap();
        assert_eq!(late.usage.n_calls, 0, "it is not the run that is under way");
        let Event::RunEnded { outcome, .. } = event else { unreachable!() };
        let run = before.run.as_ref().unwrap().id;
        if let Ok(after) = evolve(before, Event::RunEnded { run, outcome, usage }, Time(2)) {
            assert_eq!(after.usage.n_calls, 3);
        }
    }
}

#[test]
fn every_kind_of_trouble_has_its_words() {
    for kind in TroubleKind::ALL {
        let sentence = kind.sentence();
        assert!(sentence.starts_with(char::is_lowercase), "{sentence}");
        assert!(!sentence.ends_with('.'), "it stands inside a sentence: {sentence}");
        assert!(kind.advice().ends_with('.'), "{}", kind.advice());
        assert!(kind.advice().contains("`/"), "it names a command: {}", kind.advice());
    }
}

// The lists below are made by walking from variant to variant, so that a new one does
// not compile until it has its place.

/// One task for each state, and for what makes a difference inside of one.
fn samples() -> Vec<(String, Task)> {
    let mut samples = Vec::new();
    let mut next = Some(State::Received(Try::default()));
    while let Some(state) = next {
        next = after(&state);
        let task = match &state {
            State::Planning(_) | State::Implementing(_) => begun(task(state)),
            State::Verifying(_) | State::Correcting(_) => begun(task(state)),
            State::Reviewing(work) if work.proof.wants_review() => begun(task(state)),
            State::Received(_)
            | State::AwaitingApproval
            | State::Splitting(_)
            | State::Split(_)
            | State::Queued(_)
            | State::Reviewing(_)
            | State::Held(_)
            | State::Publishing(_)
            | State::Drafted { .. }
            | State::Rebasing(_)
            | State::Parked { .. }
            | State::Merged { .. }
            | State::Closed { .. }
            | State::Stopped { .. }
            | State::Failed { .. } => task(state),
        };
        samples.push((heading(&task.state), task));
    }
    let mut question = begun(task(State::Planning(Try::default())));
    question.kind = Kind::Question;
    let mut review = begun(task(State::Planning(Try::default())));
    review.kind = Kind::Review;
    let at = PullHead { pull: PullNumber(7), head: commit('b') };
    review.review = Some(Box::new(ReviewOf { at, to_post: None }));
    samples.push(("Planning, where a review was asked for".to_owned(), review));
    samples.push(("Planning, where a question was asked".to_owned(), question));
    samples
}

fn after(state: &State) -> Option<State> {
    let tried =
        || Try { n_failed: 1, trouble: Some(trouble(TroubleKind::Crash)), ..Try::default() };
    let first = || Work { n_done: 0, head: None, ..work() };
    Some(match state {
        State::Received(attempt) if attempt.n_failed == 0 => State::Received(tried()),
        State::Received(_) => State::Planning(Try::default()),
        State::Planning(attempt) if attempt.n_failed == 0 => State::Planning(tried()),
        State::Planning(_) => State::AwaitingApproval,
        State::AwaitingApproval => State::Splitting(Box::new(split(0))),
        State::Splitting(of) if of.parts.is_empty() => State::Splitting(Box::new(split(1))),
        State::Splitting(_) => State::Split(Box::new(split(2))),
        State::Split(_) => State::Queued(first()),
        State::Queued(_) => State::Implementing(first()),
        State::Implementing(Work { n_done: 0, .. }) => State::Implementing(work()),
        State::Implementing(Work { attempt, .. }) if attempt.n_failed == 0 => {
            State::Implementing(Work { attempt: tried(), ..work() })
        }
        State::Implementing(_) => State::Verifying(Work { n_done: 2, ..work() }),
        State::Verifying(work) if work.n_corrections == 0 => {
            State::Verifying(Work { n_corrections: CORRECTIONS_MAX, ..work.clone() })
        }
        State::Verifying(work) if work.proof.green.is_none() => State::Verifying(green(None)),
        State::Verifying(_) => State::Reviewing(green(Some(Checks::Green))),
        State::Reviewing(work) if work.proof.examined.is_none() => State::Reviewing(review_due()),
        State::Reviewing(_) => State::Held(held_back()),
        State::Held(_) => State::Correcting(corrected()),
        State::Correcting(work) if work.rework.is_none() => State::Publishing(published(false)),
        State::Correcting(_) => State::Publishing(Published { work: rework(), ..published(true) }),
        State::Publishing(Published { pushed: false, .. }) => State::Publishing(published(true)),
        State::Publishing(Published { work, .. }) if work.rework.is_none() => drafted(),
        State::Drafted { rounds, .. } if !rounds.foreign => State::Drafted {
            pull: PullNumber(9),
            head: commit('c'),
            rounds: Rounds { foreign: true, ..Rounds::default() },
        },
        State::Drafted { .. } => State::Rebasing(Box::new(resting())),
        State::Rebasing(_) => State::Correcting(rework()),
        State::Publishing(_) => State::Merged { pull: PullNumber(9) },
        State::Merged { .. } => State::Closed { pull: Some(PullNumber(9)) },
        State::Closed { .. } => {
            State::Stopped { by: ada(), back: Box::new(State::Queued(first())) }
        }
        State::Stopped { .. } => State::Failed {
            trouble: trouble(TroubleKind::RedChecks),
            back: Box::new(State::Correcting(work())),
        },
        State::Failed { .. } => parked(State::Queued(first())),
        State::Parked { back, .. } if matches!(**back, State::Queued(_)) => {
            parked(State::Correcting(rework()))
        }
        State::Parked { .. } => return None,
    })
}

/// Every event that moves tasks, in words.
#[expect(clippy::too_many_lines, reason = "one event after the other")]
fn events(task: &Task) -> Vec<(String, Event)> {
    let mut events = Vec::new();
    let mut next = Some(Event::PlanSentBack { by: ada(), remarks: String::new() });
    while let Some(event) = next {
        next = event_after(&event);
        match &event {
            Event::RunBegun { .. } => {
                for phase in phases(task) {
                    let from = commit('b');
                    let begun = Event::RunBegun {
                        run: task.next_run(),
                        phase,
                        from,
                        agent: None,
                        passed: Vec::new(),
                    };
                    events.push((format!("a run to {} begins", phase.word()), begun));
                }
            }
            Event::RunEnded { usage, .. } => {
                let Some(run) = &task.run else { continue };
                let is_check = run.phase.is_checks();
                for outcome in outcomes() {
                    let name = name_of_outcome(&outcome);
                    if name == "the checks are red" && !is_check {
                        continue;
                    }
                    let usage = *usage;
                    let ended = Event::RunEnded { run: run.id, outcome: at(outcome, run), usage };
                    events.push((name, ended));
                }
            }
            // These are legal everywhere, and move nothing.
            Event::BaseFound { .. }
            | Event::Shown { .. }
            | Event::Acknowledged { .. }
            | Event::ThreadAnswered { .. }
            | Event::ReviewPosted
            | Event::ResumingSet { .. }
            | Event::Said { .. }
            | Event::Told { .. }
            | Event::CommandTaken { .. } => {
                let after = evolve(task.clone(), event, Time(2)).expect("it is legal everywhere");
                assert_eq!(after.state, task.state);
            }
            Event::PlanSentBack { .. }
            | Event::Examined { .. }
            | Event::Released { .. }
            | Event::Sealed { .. }
            | Event::Forked { .. }
            | Event::PlanEdited { .. }
            | Event::PlanApproved { .. }
            | Event::SplitApproved { .. }
            | Event::PartOpened { .. }
            | Event::WaitWaived { .. }
            | Event::StopAsked { .. }
            | Event::RetryAsked { .. }
            | Event::PutOff { .. }
            | Event::Resumed { .. }
            | Event::Blocked { .. }
            | Event::Pushed { .. }
            | Event::PullOpened { .. }
            | Event::PullMerged
            | Event::PullClosed
            | Event::PullReopened { .. }
            | Event::PullReady { .. }
            | Event::BaseChanged { .. }
            | Event::BranchDeleted { .. }
            | Event::HeadMoved { .. }
            | Event::FixAsked { .. }
            | Event::RebaseAsked { .. }
            | Event::Rebased { .. }
            | Event::NotRebased { .. }
            | Event::ChecksFailed { .. }
            | Event::PullUpdated { .. }
            | Event::IssueEnded { .. } => {
                let name = name_of_event(&event).to_owned();
                let is_told = matches!(
                    event,
                    Event::PullReady { .. }
                        | Event::PutOff { .. }
                        | Event::Resumed { .. }
                        | Event::BaseChanged { .. }
                        | Event::BranchDeleted { .. }
                        | Event::HeadMoved { .. }
                        | Event::Rebased { .. }
                        | Event::NotRebased { .. }
                        | Event::ChecksFailed { .. }
                        | Event::IssueEnded { .. }
                );
                // Legal everywhere, and named where something comes of it.
                let after = evolve(task.clone(), event.clone(), task.changed);
                if !is_told || after.expect("it is legal everywhere") != *task {
                    events.push((name, event));
                }
            }
        }
    }
    events
}

/// Green checks are of the commit that the run was given.
fn at(outcome: Outcome, run: &Run) -> Outcome {
    if let Outcome::ChecksGreen { .. } = outcome {
        return Outcome::ChecksGreen { head: run.from.clone() };
    }
    outcome
}

/// What goes on after the first step of task 3.
fn forked() -> Fork {
    let (base, head) = (commit('b'), Some(commit('c')));
    Fork { of: TaskId(3), step: 1, base, head, agent: None }
}

#[expect(clippy::too_many_lines, reason = "one case after the other")]
fn event_after(event: &Event) -> Option<Event> {
    let digest = Digest(7);
    let comment = CommentId::comment(3);
    Some(match event {
        Event::PlanSentBack { .. } => {
            Event::PlanEdited { plan: PlanRef { hash: PlanHash::of("edited"), ..plan() } }
        }
        Event::PlanEdited { .. } => Event::PlanApproved {
            by: ada(),
            hash: plan().hash,
            answers: String::new(),
            contract: None,
        },
        Event::PlanApproved { .. } => {
            Event::SplitApproved { by: ada(), hash: plan().hash, remarks: String::new() }
        }
        Event::SplitApproved { .. } => {
            Event::PartOpened { step: 1, issue: IssueNumber(31), after: Vec::new() }
        }
        Event::PartOpened { step: 1, .. } => {
            Event::PartOpened { step: 2, issue: IssueNumber(32), after: vec![1] }
        }
        Event::PartOpened { .. } => Event::WaitWaived { by: ada(), remarks: String::new() },
        Event::WaitWaived { .. } => Event::Forked { fork: forked(), by: ada() },
        Event::Forked { .. } => Event::StopAsked { by: ada() },
        Event::StopAsked { .. } => retry(""),
        Event::RetryAsked { .. } => Event::ResumingSet { resumes: false },
        Event::ResumingSet { .. } => Event::Resumed { until: UNTIL },
        Event::Resumed { .. } => Event::PutOff { hold: quota(Some(UNTIL)), passed: Vec::new() },
        Event::PutOff { .. } => Event::BaseFound { base: commit('b') },
        Event::BaseFound { .. } => Event::RunBegun {
            run: run_id(1),
            phase: Phase::Plan,
            from: commit('b'),
            agent: None,
            passed: Vec::new(),
        },
        Event::RunBegun { .. } => {
            let (run, usage) = (run_id(1), Usage::default());
            Event::RunEnded { run, outcome: Outcome::Stopped, usage }
        }
        Event::RunEnded { .. } => Event::Blocked { trouble: trouble(TroubleKind::Repository) },
        Event::Blocked { .. } => Event::Shown { slot: Slot::Plan, digest },
        Event::Shown { .. } => Event::Acknowledged { comment, on: None },
        Event::Acknowledged { .. } => Event::CommandTaken { comment, on: None },
        Event::CommandTaken { .. } => Event::Pushed { head: commit('c') },
        Event::Pushed { .. } => Event::PullOpened { pull: PullNumber(9) },
        Event::PullOpened { .. } => Event::PullMerged,
        Event::PullMerged => Event::PullClosed,
        Event::PullClosed => Event::PullReopened { head: commit('c') },
        Event::PullReopened { .. } => Event::PullReady { by: ada() },
        Event::PullReady { .. } => Event::BaseChanged { base: "next".to_owned() },
        Event::BaseChanged { .. } => Event::BranchDeleted { by: ada() },
        Event::BranchDeleted { .. } => Event::HeadMoved { head: commit('f'), by: ada() },
        Event::HeadMoved { .. } => fix(4, true),
        Event::FixAsked { ask, .. } if ask.by_command => fix(5, false),
        Event::FixAsked { .. } => {
            Event::ChecksFailed { head: commit('c'), evidence: "1 failed".to_owned() }
        }
        Event::ChecksFailed { .. } => Event::PullUpdated { head: commit('c') },
        Event::PullUpdated { .. } => {
            let to = TextRef { on: IssueNumber(9), id: comment };
            Event::ThreadAnswered { to }
        }
        Event::ThreadAnswered { .. } => Event::IssueEnded { how: IssueEnd::Closed, by: ada() },
        Event::IssueEnded { .. } => Event::RebaseAsked { by: ada() },
        Event::RebaseAsked { .. } => rebased(),
        Event::Rebased { .. } => not_rebased(),
        Event::NotRebased { .. } => Event::ReviewPosted,
        Event::ReviewPosted => Event::Said { text: a_text(), by: ada() },
        Event::Said { .. } => Event::Told { text: a_text(), reached: Reached::AtWork },
        Event::Told { .. } => Event::Examined { head: commit('c'), examined: examined(false) },
        Event::Examined { .. } => Event::Released { by: ada(), hold: hold() },
        Event::Released { .. } => {
            Event::Sealed { head: commit('c'), receipt: ContentHash::of(b"a receipt") }
        }
        Event::Sealed { .. } => return None,
    })
}

fn sealed(head: char) -> Event {
    Event::Sealed { head: commit(head), receipt: ContentHash::of(b"a receipt") }
}

fn a_text() -> TextRef {
    TextRef { on: IssueNumber(7), id: CommentId::comment(3) }
}

fn name_of_event(event: &Event) -> &'static str {
    match event {
        Event::PlanSentBack { .. } => "the plan is sent back",
        Event::PlanEdited { .. } => "the plan is edited",
        Event::PlanApproved { .. } => "the plan is approved",
        Event::SplitApproved { .. } => "the plan is to be split",
        Event::PartOpened { step: 1, .. } => "an issue for step 1 is opened",
        Event::PartOpened { .. } => "an issue for the last step is opened",
        Event::WaitWaived { .. } => "it is not to wait for others",
        Event::Forked { .. } => "it goes on from another task",
        Event::StopAsked { .. } => "stop",
        Event::RetryAsked { .. } => "retry",
        Event::ResumingSet { .. } => "it is not to go on by itself",
        Event::PutOff { .. } => "no agent may begin",
        Event::Resumed { .. } => "it is time",
        Event::BaseFound { .. } => "the base is found",
        Event::RunBegun { .. } => "a run begins",
        Event::RunEnded { .. } => "the run ends",
        Event::Blocked { .. } => "blocked",
        Event::Shown { .. } => "shown",
        Event::Acknowledged { .. } => "acknowledged",
        Event::CommandTaken { .. } => "a command is taken",
        Event::Pushed { .. } => "the branch is pushed",
        Event::PullOpened { .. } => "the pull request is opened",
        Event::PullMerged => "the pull request is merged",
        Event::PullClosed => "the pull request is closed",
        Event::PullReopened { .. } => "the pull request is opened again",
        Event::PullReady { .. } => "the draft is turned ready",
        Event::BaseChanged { .. } => "the pull request's base changes",
        Event::BranchDeleted { .. } => "the branch is deleted",
        Event::HeadMoved { .. } => "somebody else pushes to the branch",
        Event::FixAsked { ask, .. } if ask.by_command => "fix",
        Event::FixAsked { .. } => "a review asks for changes",
        Event::ChecksFailed { .. } => "the forge's checks are red",
        Event::PullUpdated { .. } => "the pull request is updated",
        Event::ThreadAnswered { .. } => "a thread is answered",
        Event::IssueEnded { .. } => "the issue is closed",
        Event::RebaseAsked { .. } => "rebase",
        Event::Rebased { .. } => "the commits are on the base",
        Event::NotRebased { .. } => "the commits stay where they are",
        Event::ReviewPosted => "the review is posted",
        Event::Said { .. } => "somebody says something",
        Event::Told { .. } => "the agent is told",
        Event::Examined { .. } => "the guards have looked",
        Event::Released { .. } => "what is held back is released",
        Event::Sealed { .. } => "the receipt is signed",
    }
}

fn phases(task: &Task) -> Vec<Phase> {
    let step = task.state.work().map_or(0, |work| work.n_done) + 1;
    let mut phases = vec![Phase::Plan];
    loop {
        phases.push(match phases.last().expect("it begins with one") {
            Phase::Plan => Phase::Ask,
            Phase::Ask => Phase::Review,
            Phase::Review => Phase::Implement { step },
            Phase::Implement { .. } => Phase::Verify,
            Phase::Verify => Phase::Correct,
            Phase::Correct => Phase::Baseline,
            Phase::Baseline => return phases,
        });
    }
}

/// Every outcome; of the failures, one for each way in which they are treated.
fn outcomes() -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::Planned { plan: plan() }];
    loop {
        outcomes.push(match outcomes.last().expect("it begins with one") {
            Outcome::Planned { .. } => Outcome::Answered { digest: Digest(7) },
            Outcome::Answered { .. } => reviewed(false),
            Outcome::Reviewed { sends_back: false, .. } => reviewed(true),
            Outcome::Reviewed { .. } => step_done('d'),
            Outcome::StepDone { .. } => Outcome::ChecksGreen { head: commit('c') },
            Outcome::ChecksGreen { .. } => failed(TroubleKind::Crash),
            Outcome::Failed { trouble } if trouble.kind == TroubleKind::Crash => {
                failed(TroubleKind::RedChecks)
            }
            Outcome::Failed { trouble } if trouble.kind == TroubleKind::RedChecks => {
                failed(TroubleKind::NeedsLogin)
            }
            Outcome::Failed { .. } => held(quota(None)),
            Outcome::Held { hold, .. } if hold.fails_over => Outcome::Stopped,
            Outcome::Held { hold, .. } if hold.free.is_none() => held(quota(Some(NEVER))),
            Outcome::Held { .. } => held(over(None)),
            Outcome::Stopped => return outcomes,
        });
    }
}

fn name_of_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Planned { .. } => "a plan comes back".to_owned(),
        Outcome::Answered { .. } => "an answer comes back".to_owned(),
        Outcome::Reviewed { sends_back: true, .. } => "a review wants it mended".to_owned(),
        Outcome::Reviewed { .. } => "a review comes back".to_owned(),
        Outcome::StepDone { .. } => "a step is done".to_owned(),
        Outcome::ChecksGreen { .. } => "the checks are green".to_owned(),
        Outcome::Failed { trouble } if trouble.kind == TroubleKind::RedChecks => {
            "the checks are red".to_owned()
        }
        Outcome::Failed { trouble } => match trouble.kind.reaction() {
            Reaction::TryAgain => "the run fails".to_owned(),
            Reaction::GiveUp => "the run fails for good".to_owned(),
        },
        Outcome::Held { hold, .. } if hold.fails_over => {
            "the agent is out of quota where another may take over".to_owned()
        }
        Outcome::Held { hold, .. } if hold.free.is_none() => {
            "the model's quota is used up".to_owned()
        }
        Outcome::Held { .. } => "the model's quota is used up for too long".to_owned(),
        Outcome::Stopped => "the run was stopped".to_owned(),
    }
}

/// The state as a heading: with a capital, and with what its own words leave out.
fn heading(state: &State) -> String {
    let mut words = match state.word() {
        "parked" => "parked".to_owned(),
        _ => state.to_string().replace('-', " "),
    };
    words[..1].make_ascii_uppercase();
    let more = match state {
        State::Publishing(Published { pushed: false, .. }) => ", not pushed",
        State::Publishing(_) => ", pushed",
        State::Drafted { rounds, .. } if rounds.foreign => ", with somebody else's commits",
        State::Verifying(work) if work.proof.is_checked() => ", the base",
        State::Verifying(work) if work.n_corrections > 0 => ", corrected before",
        State::Reviewing(work) if work.proof.wants_review() => ", by a second agent",
        State::Splitting(of) if !of.parts.is_empty() => ", one step is left",
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
        | State::Closed { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => "",
        State::Parked { back, .. } if back.is_rework() => ", from rework",
        State::Parked { .. } => "",
    };
    words + more
}

/// The state; of a wait whose length is not the point, that it is one.
fn full(state: &State) -> String {
    match state {
        State::Parked { back, .. } => format!("parked, and then {back}"),
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
        | State::Publishing(_)
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Merged { .. }
        | State::Closed { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => state.to_string(),
    }
}

/// The plan, with so many issues of its two steps.
fn split(n_parts: u64) -> Split {
    let parts = (1..=n_parts).map(|n| Part { issue: IssueNumber(30 + n), after: Vec::new() });
    let (parts, remarks) = (parts.collect(), String::new());
    Split { plan: plan(), by: ada(), remarks, at: Time(1), parts }
}

fn task(state: State) -> Task {
    Task {
        id: TaskId(1),
        kind: Kind::Change,
        repo: "ada/sums".parse().unwrap(),
        issue: IssueNumber(12),
        title: "Sum by month".to_owned(),
        opened: Time(1),
        changed: Time(1),
        request: String::new(),
        state,
        base: Some(commit('b')),
        n_runs: 0,
        run: None,
        usage: Usage::default(),
        plan: Some(plan()),
        shown: Vec::new(),
        notes: Vec::new(),
        to_acknowledge: Vec::new(),
        to_answer: Vec::new(),
        alone: false,
        to_tell: Vec::new(),
        told: None,
        review: None,
        passed: Vec::new(),
        by_hand: false,
    }
}

/// The task with the run that its state is about.
fn begun(mut task: Task) -> Task {
    let phase = match &task.state {
        State::Received(_) | State::Planning(_) => Phase::Plan,
        State::Queued(work) | State::Implementing(work) => {
            Phase::Implement { step: work.n_done + 1 }
        }
        State::Verifying(work) if work.proof.is_checked() => Phase::Baseline,
        State::Verifying(_) => Phase::Verify,
        State::Reviewing(_) => Phase::Review,
        State::Correcting(_) => Phase::Correct,
        State::AwaitingApproval
        | State::Splitting(_)
        | State::Split(_)
        | State::Held(_)
        | State::Publishing(_)
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Parked { .. }
        | State::Merged { .. }
        | State::Closed { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => panic!("nothing runs in {}", task.state),
    };
    let from = task.state.work().and_then(|work| work.head.clone()).unwrap_or(commit('b'));
    let event =
        Event::RunBegun { run: task.next_run(), phase, from, agent: None, passed: Vec::new() };
    task = then(task, event);
    task
}

/// Lets the next run begin and end.
fn end(task: Task, outcome: Outcome) -> Task {
    let task = begun(task);
    let run = task.run.as_ref().unwrap().id;
    then(task, Event::RunEnded { run, outcome, usage: Usage::default() })
}

#[track_caller]
fn then(task: Task, event: Event) -> Task {
    evolve(task, event, Time(2)).unwrap()
}

fn retry(remarks: &str) -> Event {
    Event::RetryAsked { by: ada(), remarks: remarks.to_owned() }
}

fn failed(kind: TroubleKind) -> Outcome {
    Outcome::Failed { trouble: trouble(kind) }
}

fn step_done(head: char) -> Outcome {
    Outcome::StepDone { head: commit(head), n_commits: 1 }
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble::new(kind, "the evidence".to_owned())
}

fn work() -> Work {
    Work {
        plan: plan(),
        answers: String::new(),
        n_done: 1,
        head: Some(commit('c')),
        n_corrections: 0,
        attempt: Try::default(),
        proof: Box::default(),
        rework: None,
    }
}

/// Work on a pull request that is open, because of a review.
fn rework() -> Work {
    let Event::FixAsked { ask, .. } = fix(1, false) else { unreachable!() };
    let rounds = Rounds { n_by_reviews: 1, n_by_reviews_max: 3, ..Rounds::default() };
    let rework = Rework { rounds, asks: vec![ask], ..resting() };
    Work { n_done: 2, rework: Some(Box::new(rework)), ..work() }
}

/// An open pull request of which nothing is asked.
fn resting() -> Rework {
    Rework::new((PullNumber(9), commit('c'), Rounds::default()), Vec::new())
}

fn rebase() -> Event {
    Event::RebaseAsked { by: ada() }
}

fn rebased() -> Event {
    Event::Rebased { from: commit('c'), onto: commit('9'), head: commit('8') }
}

fn not_rebased() -> Event {
    let why = NotRebased::OnTop { base: commit('b') };
    Event::NotRebased { from: commit('c'), why }
}

/// The n-th text that wants the pull request changed: a command, or a review's comment.
fn fix(n: u64, by_command: bool) -> Event {
    let stream = if by_command { Stream::Comment } else { Stream::ReviewComment };
    let text = TextRef { on: IssueNumber(9), id: CommentId::of(stream, n) };
    let ask = Ask { text, by: ada(), remarks: format!("change {n}"), by_command };
    Event::FixAsked { ask, rounds_max: 3 }
}

fn published(pushed: bool) -> Published {
    let work = Work { n_done: 2, ..work() };
    let receipt = pushed.then(|| ContentHash::of(b"a receipt"));
    Published { work, head: commit('c'), verified_by: run_id(3), pushed, receipt }
}

/// Work whose checks are green, and were that way on the base if that is known.
fn green(before: Option<Checks>) -> Work {
    let before = before.map(|result| Before { run: run_id(4), result });
    let proof = Box::new(Proof { green: Some(run_id(3)), before, ..Proof::default() });
    Work { n_done: 2, proof, ..work() }
}

/// Work that a second agent is to review.
fn review_due() -> Work {
    let mut work = green(Some(Checks::Green));
    work.proof.examined = Some(Examined { hold: None, ..examined(true) });
    work
}

/// Work that a guard holds back.
fn held_back() -> Work {
    let mut work = green(Some(Checks::Green));
    work.proof.examined = Some(examined(false));
    work
}

/// Work whose checks were red, and that is corrected for the last time.
fn corrected() -> Work {
    Work { n_done: 2, n_corrections: CORRECTIONS_MAX, ..work() }
}

fn examined(wants_review: bool) -> Examined {
    let report = ContentHash::of(b"a report");
    let reviewers = if wants_review { vec![AgentName::default()] } else { Vec::new() };
    Examined { report, n_flagged: 1, hold: Some(hold()), reviewers }
}

fn hold() -> ContentHash {
    ContentHash::of(b"what is held")
}

fn reviewed(sends_back: bool) -> Outcome {
    Outcome::Reviewed { digest: Digest(7), n_findings: 2, n_blocking: 1, sends_back }
}

fn drafted() -> State {
    State::Drafted { pull: PullNumber(9), head: commit('c'), rounds: Rounds::default() }
}

fn plan() -> PlanRef {
    PlanRef {
        hash: PlanHash::of("the plan"),
        version: 1,
        n_steps: 2,
        n_questions: 0,
        contract: None,
    }
}

fn run() -> Run {
    Run { id: run_id(1), phase: Phase::Plan, from: commit('b'), begun: Time(1), agent: None }
}

fn run_id(n: u32) -> RunId {
    RunId { task: TaskId(1), n }
}

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn ada() -> String {
    "ada".to_owned()
}

#[test]
fn a_review_is_answered_by_commits_on_the_same_pull_request() {
    let mut task = then(task(drafted()), fix(1, false));
    expect!["correcting for #9"].assert_eq(&task.state.to_string());
    // The rest of the review comes before the agent begins, and one more text after.
    task = begun(then(task, fix(2, false)));
    task = then(task, fix(3, false));
    let State::Correcting(work) = &task.state else { panic!("{}", task.state) };
    let rework = work.rework.as_ref().unwrap();
    assert_eq!((rework.asks.len(), rework.later.len()), (2, 1));
    let run = task.run.as_ref().unwrap().id;
    let usage = Usage::default();
    task = then(task, Event::RunEnded { run, outcome: step_done('d'), usage });
    task = end(task, Outcome::ChecksGreen { head: commit('d') });
    let examined = Examined { hold: None, ..examined(false) };
    task = then(task, Event::Examined { head: commit('d'), examined });
    task = then(task, sealed('d'));
    let opened = Event::PullOpened { pull: PullNumber(10) };
    task = then(task, Event::Pushed { head: commit('d') });
    assert!(evolve(task.clone(), opened, Time(2)).is_err(), "there is one already");
    task = then(task, Event::PullUpdated { head: commit('d') });
    assert_eq!(task.to_answer.len(), 2);
    assert!(task.to_answer.iter().all(|answer| answer.head == Some(commit('d'))));
    let State::Correcting(work) = &task.state else { panic!("{}", task.state) };
    assert_eq!(work.rework.as_ref().unwrap().asks.len(), 1, "what came later is the next round");
    let to = task.to_answer[0].to;
    task = then(task, Event::ThreadAnswered { to });
    assert_eq!(task.to_answer.len(), 1);
}

#[test]
fn reviews_lead_to_so_many_rounds_and_a_command_to_more() {
    let mut task = task(drafted());
    for n in 0..3 {
        task = then(task, fix(n, false));
        task = end(task, Outcome::StepDone { head: commit('c'), n_commits: 0 });
        expect!["drafted as #9"].assert_eq(&task.state.to_string());
    }
    let n_notes = task.notes.len();
    for n in 3..6 {
        task = then(task, fix(n, false));
        assert_eq!(task.state.word(), "drafted");
        assert_eq!(task.notes.len(), n_notes + 1, "it is said once");
    }
    assert_eq!(task.notes.last(), Some(&Note::RoundsUsedUp { n: 3 }));
    task = end(then(task, fix(7, true)), step_done('d'));
    expect!["verifying for #9"].assert_eq(&task.state.to_string());
}

#[test]
fn red_checks_of_the_forge_are_mended_twice_and_not_when_they_say_the_same() {
    let red = |text: &str| Event::ChecksFailed { head: commit('c'), evidence: text.to_owned() };
    let nothing = || Outcome::StepDone { head: commit('c'), n_commits: 0 };
    let once = end(then(task(drafted()), red("10:12 a failed")), nothing());
    let again = then(once.clone(), red("11:30 a failed"));
    assert_eq!(again.notes.last(), Some(&Note::ChecksStayRed { is_same: true }));
    let twice = end(then(once, red("b failed")), nothing());
    let thrice = then(twice, red("c failed"));
    assert_eq!(thrice.notes.last(), Some(&Note::ChecksStayRed { is_same: false }));
    let other = Event::ChecksFailed { head: commit('e'), evidence: String::new() };
    let after = then(task(drafted()), other);
    assert_eq!((after.state, after.notes.len()), (drafted(), 0), "it is not our commit");
}

#[test]
fn somebody_elses_commits_are_left_alone_until_a_person_says_fix() {
    let moved = Event::HeadMoved { head: commit('f'), by: ada() };
    let mut task = then(then(task(drafted()), moved.clone()), moved);
    assert_eq!(task.notes.len(), 1);
    task = then(task, fix(1, false));
    assert_eq!(task.state.word(), "drafted");
    task = begun(then(task, fix(2, true)));
    assert_eq!(task.run.as_ref().unwrap().from, commit('f'), "it builds on theirs");

    let moved = Event::HeadMoved { head: commit('e'), by: ada() };
    task = then(task, moved);
    assert_eq!(task.state.word(), "failed");
    task = then(task, fix(3, true));
    let run = task.run.as_ref().unwrap().id;
    let usage = Usage::default();
    task = then(task, Event::RunEnded { run, outcome: step_done('d'), usage });
    assert_eq!(task.state.work().unwrap().head, Some(commit('e')), "the old run is off it");
}

#[test]
fn a_review_stays_at_its_commit_and_is_posted_once() {
    let mut review = samples().into_iter().find(|(name, _)| name.contains("review")).unwrap().1;
    let stopped = then(review.clone(), Event::StopAsked { by: ada() });
    assert_eq!(then(stopped, retry("")).base, Some(commit('b')));
    let (run, usage) = (review.run.as_ref().unwrap().id, Usage::default());
    let outcome = reviewed(false);
    review = then(review, Event::RunEnded { run, outcome, usage });
    assert_eq!(review.state, State::Closed { pull: None });
    assert_eq!(review.review.as_ref().unwrap().to_post, Some(Digest(7)));
    review = then(review, Event::ReviewPosted);
    assert_eq!(review.review.as_ref().unwrap().to_post, None);
}

#[test]
fn a_rebased_branch_is_checked_anew_before_it_replaces_what_was_published() {
    let mut task = then(then(task(drafted()), rebase()), fix(1, false));
    task = then(task, rebased());
    assert_eq!(task.base, Some(commit('9')));
    expect!["verifying for #9"].assert_eq(&task.state.to_string());
    task = end(task, Outcome::ChecksGreen { head: commit('8') });
    let examined = Examined { hold: None, ..examined(false) };
    task = then(task, Event::Examined { head: commit('8'), examined });
    task = then(task, sealed('8'));
    let State::Publishing(published) = &task.state else { panic!("{}", task.state) };
    let rework = published.work.rework.as_ref().unwrap();
    assert_eq!((&rework.head, &rework.rebased), (&commit('c'), &Some(commit('b'))));
    task = then(task, Event::Pushed { head: commit('8') });
    task = then(task, Event::PullUpdated { head: commit('8') });
    let (pull, head, onto) = (PullNumber(9), commit('8'), commit('9'));
    assert_eq!(task.notes, [Note::Rebased { pull, head, onto }]);
    let State::Correcting(work) = &task.state else { panic!("{}", task.state) };
    let rework = work.rework.as_ref().unwrap();
    assert_eq!((rework.asks.len(), &rework.rebased), (1, &None), "the review is the next round");
}

#[test]
fn a_branch_that_cannot_be_rebased_stays_as_it_was_and_its_reviews_are_not_lost() {
    let before = task(drafted());
    let after = then(then(before.clone(), rebase()), not_rebased());
    assert_eq!((after.state, &after.base), (before.state, &before.base));
    assert_eq!(after.notes.len(), 1);
    let reviewed = then(then(task(drafted()), rebase()), fix(1, false));
    assert_eq!(then(reviewed, not_rebased()).state.word(), "correcting");
    let late = then(then(task(drafted()), rebased()), not_rebased());
    assert_eq!((late.state, late.notes), (drafted(), Vec::new()), "nobody waited for it");
}

#[test]
fn somebody_elses_commits_are_never_rebased() {
    let moved = || Event::HeadMoved { head: commit('f'), by: ada() };
    let mut theirs = then(then(task(drafted()), moved()), rebase());
    let why = NotRebased::Foreign { head: commit('f') };
    assert_eq!(theirs.notes.pop(), Some(Note::NotRebased { why }));
    assert_eq!(theirs.state.word(), "drafted");
    // They come while it is under way, or after: what was made of the old commits is left.
    let during = then(then(then(task(drafted()), rebase()), moved()), rebased());
    assert_eq!((during.state.word(), during.base), ("drafted", Some(commit('b'))));
    let after = then(then(then(task(drafted()), rebase()), rebased()), moved());
    assert_eq!((after.state.word(), &after.base), ("failed", &Some(commit('b'))));
    let work = after.state.work().unwrap();
    assert_eq!(work.head, Some(commit('f')));
    assert_eq!(work.rework.as_ref().unwrap().rebased, None);
}

#[test]
fn a_rebase_that_was_stopped_goes_on_or_makes_way() {
    let stop = Event::StopAsked { by: ada() };
    let stopped = then(then(task(drafted()), rebase()), stop);
    assert_eq!(stopped.state.pull(), Some(PullNumber(9)));
    assert_eq!(then(stopped.clone(), rebased()).state, stopped.state);
    assert_eq!(then(stopped.clone(), retry("")).state.word(), "rebasing");
    assert_eq!(then(stopped.clone(), fix(1, true)).state.word(), "correcting");
    assert_eq!(then(stopped.clone(), fix(1, false)).state, stopped.state);
    let merged = then(stopped, Event::PullMerged);
    assert_eq!(merged.state, State::Merged { pull: PullNumber(9) });
    let gone = then(then(task(drafted()), rebase()), rebased());
    assert_eq!(then(gone, Event::PullClosed).base, Some(commit('b')));
}
