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
        let [Note::Waits { n: counted, pause: Some(_), .. }] = &task.notes[..] else {
            panic!("{:?}", task.notes)
        };
        assert_eq!(u64::from(*counted), n);
        let until = until_of(&task.state);
        task = evolve(task, Event::Resumed { until }, until).unwrap();
        let n = *counted_of(&task);
        let nobody = (Vec::new(), None);
        let over = Note::Waits { n, pause: None, passed: nobody.0, taken: nobody.1 };
        assert_eq!(task.notes, [over]);
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
fn a_task_whose_person_wants_to_be_asked_does_not_go_on_by_itself() {
    let before = task(State::Received(Try::default()));
    let before = then(before, Event::ResumingSet { resumes: false });
    let parked = end(before.clone(), held(quota(Some(UNTIL))));
    assert!(parked.is_at_rest(), "{}", parked.state);
    let off = then(before, Event::PutOff { hold: over(Some(UNTIL)), passed: Vec::new() });
    assert!(off.is_at_rest(), "{}", off.state);
    let task = then(parked, retry(""));
    let parked = end(then(task, Event::ResumingSet { resumes: true }), held(quota(Some(UNTIL))));
    assert!(!parked.is_at_rest(), "{}", parked.state);
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

#[test]
fn a_task_whose_agent_is_held_goes_on_with_another_and_remembers_until_when() {
    let before = task(State::Implementing(work()));
    let after = end(before, held(over(Some(UNTIL))));
    let State::Queued(work) = &after.state else { panic!("{}", after.state) };
    assert_eq!((work.n_done, work.attempt.n_failed), (1, 0), "it is no failure");
    assert_eq!(work.attempt.waits.map(|waits| waits.n), Some(1), "and it is counted");
    let [passed] = &after.passed[..] else { panic!("{:?}", after.passed) };
    assert_eq!((passed.agent.as_str(), passed.until, passed.n), ("default", Some(UNTIL), 1));
    assert!(passed.is_shut(Time(UNTIL.0 - 1)) && !passed.is_shut(UNTIL));
    assert_eq!(after.notes, [], "there is nothing to say until somebody takes over");
    let done = end(after, step_done('d'));
    assert_eq!(done.passed, [], "who brought something back has a service that is there");
}

#[test]
fn an_agent_that_says_soon_again_and_again_is_passed_over_for_longer_and_longer() {
    let mut task = task(State::Received(Try::default()));
    let (mut now, mut minutes) = (Time(DAY), Vec::new());
    while task.state.word() != "failed" {
        task = end_at(task, held(over(Some(Time(now.0 + 1)))), now);
        let until = task.passed[0].until.expect("a quota is free again some day");
        minutes.push(until.millis_since(now) / MINUTE);
        now = until;
    }
    assert_eq!(&minutes[..8], [0, 0, 0, 120, 240, 240, 240, 240]);
    assert_eq!(minutes.len(), WAITS_MAX as usize + 1);
}

#[test]
fn where_no_agent_may_act_a_task_waits_for_the_first_that_may() {
    let passed = |agent: &str, until| Passed {
        agent: agent.parse().unwrap(),
        why: Why::Quota,
        until,
        known: Known::Reported,
        n: 1,
    };
    let both = vec![passed("deep", Some(NEVER)), passed("quick", Some(UNTIL))];
    let off = Event::PutOff { hold: over(Some(UNTIL)), passed: both.clone() };
    let parked = then(task(State::Queued(first())), off.clone());
    expect!["parked (quota) until 1970-01-20 14:05 UTC"].assert_eq(&parked.state.to_string());
    let [Note::Waits { n: 1, pause: Some(_), passed: said, taken: None }] = &parked.notes[..]
    else {
        panic!("{:?}", parked.notes)
    };
    assert_eq!(*said, both);
    let twice = then(parked.clone(), off.clone());
    assert_eq!(twice.state, parked.state, "what is said twice is done once");
    let stopped = then(parked, Event::StopAsked { by: ada() });
    assert_eq!(then(stopped, off).state.word(), "stopped", "it has come too late");
}

#[test]
fn what_is_always_said_to_be_free_soon_is_looked_at_less_and_less_often() {
    let mut task = task(State::Queued(first()));
    let (mut now, mut minutes) = (Time(DAY), Vec::new());
    while minutes.len() < 20 {
        let off = Event::PutOff { hold: quota(Some(Time(now.0 + 1))), passed: Vec::new() };
        task = evolve(task, off, now).unwrap();
        let until = until_of(&task.state);
        minutes.push(until.millis_since(now) / MINUTE);
        now = until;
        task = evolve(task, Event::Resumed { until }, now).unwrap();
    }
    assert_eq!(minutes[..6], [0, 0, 0, 120, 240, 240], "a service may be wrong three times");
    assert!(now.0 > 3 * DAY, "and the task waits for it all the same");
    let held = evolve(begun(task), run_held(), now).unwrap();
    let off = Event::PutOff { hold: quota(Some(Time(now.0 + MINUTE))), passed: Vec::new() };
    let parked = evolve(held, off, now).unwrap();
    assert_eq!(until_of(&parked.state), Time(now.0 + MINUTE), "a run begins the count anew");
}

#[test]
fn where_all_agents_lack_a_login_a_person_has_to_act() {
    let hold = Hold { why: Why::Login, ..over(None) };
    let passed = hold.passed("deep".parse().unwrap(), 0, Time(DAY));
    assert!(passed.is_shut(NEVER), "no time mends that");
    let off = Event::PutOff { hold, passed: vec![passed.clone()] };
    let mut before = task(State::Queued(first()));
    before.passed.push(passed);
    let failed = then(before, off);
    let State::Failed { trouble, .. } = &failed.state else { panic!("{}", failed.state) };
    assert_eq!((trouble.kind, &*trouble.evidence), (TroubleKind::NeedsLogin, "deep: login"));
    assert_eq!(then(failed, retry("")).passed, [], "and then all of them are tried");
}

/// A wait for quota, until then.
pub(super) fn quota(until: Option<Time>) -> Hold {
    let free = until.map(|at| Free { at, known: Known::Reported });
    Hold { why: Why::Quota, free, resumes: true, wait_max_ms: WAIT_MAX, fails_over: false }
}

/// The same, where another agent may take over.
pub(super) fn over(until: Option<Time>) -> Hold {
    Hold { fails_over: true, ..quota(until) }
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

/// The next run is held, and another agent may take over.
fn run_held() -> Event {
    Event::RunEnded { run: run_id(1), outcome: held(over(Some(UNTIL))), usage: Usage::default() }
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
