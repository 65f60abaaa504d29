//! The schedule, played through without a clock.

use super::*;

const START: Time = Time(1_800_000_000_000);
const HOUR: u64 = 60 * 60 * 1000;

/// Plays until `end`, and says when it asked. `outcome` says what asking comes to.
fn play(schedule: &mut Schedule, end: Time, mut outcome: impl FnMut(Time) -> Outcome) -> Vec<Time> {
    let mut asked = Vec::new();
    while let Some(due) = schedule.due().filter(|due| *due < end) {
        asked.push(due);
        schedule.polled(due, outcome(due), None);
    }
    asked
}

fn hours(n: u64) -> Time {
    Time(START.0 + n * HOUR)
}

#[test]
fn an_idle_repository_takes_at_most_fifteen_calls_in_any_hour() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    let asked = play(&mut schedule, hours(24), |_| Outcome::Nothing);
    for (n, begin) in asked.iter().enumerate() {
        let n_calls = asked[n..].iter().filter(|at| at.millis_since(*begin) < HOUR).count();
        assert!(n_calls <= 15, "{n_calls} calls in the hour after call {n}");
    }
    let last = asked.iter().filter(|at| at.0 >= hours(23).0).count();
    assert_eq!(last, 12);
}

#[test]
fn a_repository_in_which_something_is_going_on_is_asked_about_every_twenty_seconds() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    play(&mut schedule, hours(2), |_| Outcome::Nothing);
    let asked = play(&mut schedule, hours(3), |_| Outcome::Found);
    assert!(asked.windows(2).all(|pair| pair[1].millis_since(pair[0]) == 20_000));
    // Once nothing is found any more, it is soon slow again.
    let asked = play(&mut schedule, hours(4), |_| Outcome::Nothing);
    assert!(asked.len() <= 15, "{}", asked.len());
}

#[test]
fn zazens_own_words_make_it_quick_for_a_while() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    play(&mut schedule, hours(2), |_| Outcome::Nothing);
    schedule.stir(hours(2));
    assert!(schedule.due().unwrap().millis_since(hours(2)) <= 20_000);
    let asked = play(&mut schedule, hours(3), |_| Outcome::Nothing);
    assert!((5..=16).contains(&asked.len()), "{}", asked.len());
}

#[test]
fn where_webhooks_are_heard_it_is_asked_rarely() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    schedule.heard(START);
    play(&mut schedule, hours(1), |_| Outcome::Nothing);
    let asked = play(&mut schedule, hours(2), |_| Outcome::Nothing);
    assert_eq!(asked.len(), 4);
    // Webhooks without end put it off, but not for ever.
    let mut n_asked = 0;
    for second in 0..3600 {
        let now = hours(2).plus_seconds(second);
        schedule.heard(now);
        if schedule.due().is_some_and(|due| due <= now) {
            schedule.polled(now, Outcome::Found, None);
            n_asked += 1;
        }
    }
    assert!((3..=5).contains(&n_asked), "{n_asked}");
}

#[test]
fn a_change_that_no_webhook_told_of_ends_the_trust_in_them() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    schedule.heard(START);
    play(&mut schedule, hours(2), |_| Outcome::Nothing);
    let due = schedule.due().unwrap();
    schedule.polled(due, Outcome::Found, None);
    assert_eq!(schedule.due().unwrap().millis_since(due), 20_000);
    // What a webhook told of before is no reason.
    schedule.heard(due);
    let due = schedule.due().unwrap();
    schedule.polled(due, Outcome::Found, None);
    assert_eq!(schedule.due().unwrap().millis_since(due), 300_000);
}

#[test]
fn webhooks_that_stay_away_are_not_counted_on_for_long() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    schedule.heard(START);
    play(&mut schedule, hours(7), |_| Outcome::Nothing);
    let asked = play(&mut schedule, hours(8), |_| Outcome::Nothing);
    assert_eq!(asked.len(), 12);
}

#[test]
fn what_github_asks_for_is_obeyed() {
    for pace in [Pace::Adaptive, Pace::Fixed(Duration::from_secs(30))] {
        let mut schedule = Schedule::new(pace, START);
        schedule.polled(START, Outcome::Found, Some(Duration::from_secs(90)));
        assert_eq!(schedule.due(), Some(START.plus_seconds(90)));
        schedule.polled(START, Outcome::Limited { until: START.plus_seconds(1000) }, None);
        assert_eq!(schedule.due(), Some(START.plus_seconds(1000)));
        // A limit that is over is no reason to hurry, and one of years is a mistake.
        schedule.polled(START, Outcome::Limited { until: Time(0) }, None);
        assert_eq!(schedule.due(), Some(START.plus_seconds(20)));
        schedule.polled(START, Outcome::Limited { until: Time(u64::MAX) }, None);
        assert_eq!(schedule.due(), Some(START.plus_seconds(7200)));
    }
}

#[test]
fn a_fixed_pace_stays() {
    let mut schedule = Schedule::new(Pace::Fixed(Duration::from_secs(60)), START);
    schedule.heard(START);
    schedule.stir(START);
    assert_eq!(play(&mut schedule, hours(1), |_| Outcome::Nothing).len(), 60);
}

#[test]
fn without_a_pace_it_is_asked_when_it_is_woken_until_there_is_an_answer() {
    let mut schedule = Schedule::new(Pace::Off, START);
    assert_eq!(schedule.due(), Some(START), "to catch up");
    schedule.polled(START, Outcome::Failed, None);
    assert!(schedule.due().is_some_and(|due| due > START));
    schedule.polled(hours(1), Outcome::Found, None);
    assert_eq!(schedule.due(), None);
    schedule.stir(hours(2));
    schedule.heard(hours(2));
    assert_eq!(schedule.due(), None);
    schedule.wake(hours(3));
    assert!(schedule.due().is_some_and(|due| due <= hours(3)));
}

#[test]
fn failures_make_it_slower_and_a_wake_makes_it_ask_at_once() {
    let mut schedule = Schedule::new(Pace::Adaptive, START);
    let asked = play(&mut schedule, hours(1), |_| Outcome::Failed);
    assert!(asked.len() <= 15, "{}", asked.len());
    schedule.wake(hours(1));
    assert_eq!(schedule.due(), Some(hours(1)));
}
