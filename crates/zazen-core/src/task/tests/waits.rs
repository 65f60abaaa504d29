//! How tasks wait, and how that ends.

use super::*;
use crate::task::parked::WAITS_MAX;

/// When the samples that are parked go on.
pub(super) const UNTIL: Time = Time(19 * DAY + 14 * HOUR + 5 * MINUTE);

/// Longer than any task waits.
pub(super) const NEVER: Time = Time(253_402_300_799_999);

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What the owner allows here.
const WAIT_MAX: u64 = 32 * DAY;

#[test]
fn a_task_waits_until_the_moment_that_is_named_and_goes_on_where_it_was() {
    let before = task(State::Implementing(work()));
    let parked = end(before, held(quota(Some(UNTIL))));
    expect!["parked (quota) until 1970-01-20 14:05 UTC"].assert_eq(&parked.state.to_string());
    assert_eq!(parked.run, None);
    assert!(!parked.is_at_rest(), "nobody has to act");
    let late = then(parked.clone(), Event::Resumed { until: Time(UNTIL.0 - 1) });
    assert_eq!(late.state, parked.state, "it was about another wait");
    let task = then(parked, Event::Resumed { until: UNTIL });
    let State::Queued(work) = &task.state else { panic!("{}", task.state) };
    assert_eq!((work.n_done, work.attempt.n_failed), (1, 0), "a wait is no failure");
    let again = then(task.clone(), Event::Resumed { until: UNTIL });
    assert_eq!(again.state, task.state, "what is said twice is done once");
}

#[test]
fn waits_of_which_nobody_says_how_long_they_are_grow_and_end() {
    for (why, table) in [
        (Why::Quota, expect!["15 30 60 120 240 240 240 240 240, then failed after 23 hours"]),
        (Why::Overloaded, expect!["1 2 4 8 16 32 60 60 60 60, then failed after 5 hours"]),
    ] {
        let mut task = task(State::Received(Try::default()));
        let (mut now, mut waits) = (Time(DAY), Vec::new());
        let begin = now;
        while task.state.word() != "failed" {
            task = end_at(task, held(Hold { why, ..quota(None) }), now);
            let State::Parked { pause, .. } = &task.state else { continue };
            let until = pause.until.expect("it goes on by itself");
            waits.push((until.millis_since(now) / MINUTE).to_string());
            now = until;
            task = evolve(task, Event::Resumed { until }, now).unwrap();
        }
        let hours = now.millis_since(begin) / HOUR;
        table.assert_eq(&format!("{}, then failed after {hours} hours", waits.join(" ")));
    }
}

#[test]
fn a_service_that_always_says_soon_is_not_asked_for_ever() {
    let mut task = task(State::Received(Try::default()));
    let (mut now, mut n) = (Time(DAY), 0);
    while task.state.word() != "failed" {
        assert!(n <= WAITS_MAX, "it ends");
        n += 1;
        task = end_at(task, held(quota(Some(Time(now.0 + 1)))), now);
        let State::Parked { pause, .. } = &task.state else { continue };
        now = pause.until.expect("it goes on by itself");
        task = evolve(task, Event::Resumed { until: now }, now).unwrap();
    }
    assert!(now.0 < WAIT_MAX, "and not by the time that it may wait");
}

#[test]
fn what_is_free_only_after_the_time_that_a_task_may_wait_fails_at_once_and_says_so() {
    let task = end(task(State::Received(Try::default())), held(quota(Some(NEVER))));
    let State::Failed { trouble, .. } = &task.state else { panic!("{}", task.state) };
    expect![[r#"
        the evidence
        waits since 1970-01-01 00:00 UTC: 0, and would be until 9999-12-31 23:59 UTC"#]]
    .assert_eq(&trouble.evidence);
}

#[test]
fn a_result_ends_the_count_of_waits() {
    let mut task = end(task(State::Implementing(first())), held(quota(None)));
    let until = until_of(&task.state);
    task = then(task, Event::Resumed { until });
    assert!(task.state.attempt().unwrap().waits.is_some());
    task = end(task, step_done('d'));
    assert_eq!(task.state.attempt().unwrap().waits, None);
}

#[test]
fn all_waits_of_a_task_are_one_note() {
    let mut task = task(State::Received(Try::default()));
    for n in 1..6 {
        task = end_at(task, held(quota(Some(Time(n * HOUR)))), Time(2));
        let [Note::Waits { n: counted, pause: Some(_) }] = &task.notes[..] else {
            panic!("{:?}", task.notes)
        };
        assert_eq!(u64::from(*counted), n);
        let until = until_of(&task.state);
        task = evolve(task, Event::Resumed { until }, until).unwrap();
        assert_eq!(task.notes, [Note::Waits { n: *counted_of(&task), pause: None }]);
    }
}

#[test]
fn retry_goes_on_at_once_and_is_not_held_by_what_is_known_of_limits() {
    let parked = end(task(State::Received(Try::default())), held(quota(Some(UNTIL))));
    assert!(!parked.state.is_forced());
    let task = then(parked, retry("now"));
    assert!(task.state.is_forced());
    let State::Received(attempt) = &task.state else { panic!("{}", task.state) };
    assert_eq!(attempt.remarks, "now");
    let again = end(task, held(quota(Some(UNTIL))));
    assert!(!again.state.is_forced(), "it was tried");
}

#[test]
fn a_task_that_may_not_go_on_by_itself_rests_until_a_person_says_so() {
    for free in [None, Some(UNTIL)] {
        let hold = Hold { resumes: false, ..quota(free) };
        let parked = end(task(State::Received(Try::default())), held(hold));
        assert!(parked.is_at_rest(), "{}", parked.state);
        assert_eq!(then(parked, retry("")).state.word(), "received");
    }
}

#[test]
fn what_happens_to_a_parked_task_happens_to_what_it_goes_on_with() {
    let parked = task(parked(State::Correcting(rework())));
    let fixed = then(parked.clone(), fix(7, true));
    let State::Parked { back, .. } = &fixed.state else { panic!("{}", fixed.state) };
    assert_eq!(back.rework().unwrap().asks.len(), 2, "and it is still parked");
    let moved = Event::HeadMoved { head: commit('f'), by: ada() };
    assert_eq!(then(parked.clone(), moved).state.word(), "failed");
    assert_eq!(then(parked.clone(), Event::PullMerged).state.word(), "merged");
    let stopped = then(parked, Event::StopAsked { by: ada() });
    let State::Stopped { back, .. } = &stopped.state else { panic!("{}", stopped.state) };
    assert_eq!(back.word(), "correcting", "a stopped task does not go on by itself");
}

/// A wait for quota, until then.
pub(super) fn quota(until: Option<Time>) -> Hold {
    let free = until.map(|at| Free { at, known: Known::Reported });
    Hold { why: Why::Quota, free, resumes: true, wait_max_ms: WAIT_MAX }
}

pub(super) fn held(hold: Hold) -> Outcome {
    Outcome::Held { hold, trouble: trouble(TroubleKind::Quota) }
}

/// A state that waits until [`UNTIL`].
pub(super) fn parked(back: State) -> State {
    let (why, known) = (Why::Quota, Known::Reported);
    let pause = Pause { why, until: Some(UNTIL), known, resumes: true };
    State::Parked { pause, back: Box::new(back) }
}

/// Lets the next run begin and end at a certain time.
fn end_at(task: Task, outcome: Outcome, at: Time) -> Task {
    let task = begun(task);
    let run = task.run.as_ref().unwrap().id;
    evolve(task, Event::RunEnded { run, outcome, usage: Usage::default() }, at).unwrap()
}

fn first() -> Work {
    Work { n_done: 0, head: None, ..work() }
}

fn until_of(state: &State) -> Time {
    let State::Parked { pause, .. } = state else { panic!("{state} is no wait") };
    pause.until.expect("it is known")
}

fn counted_of(task: &Task) -> &u32 {
    let Some(Note::Waits { n, .. }) = task.notes.first() else { panic!("{:?}", task.notes) };
    n
}
