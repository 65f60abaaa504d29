//! The rota, played through without a clock, and beside the schedule of the questions.

use super::super::{Outcome, Schedule};
use super::*;

const START: Time = Time(1_800_000_000_000);
const HOUR: u64 = 60 * 60 * 1000;

fn at(number: u64) -> IssueRef {
    IssueRef { repo: "ada/tally".parse().unwrap(), issue: IssueNumber(number) }
}

/// Plays until `end`, and says what was looked at when.
fn play(rota: &mut Rota, end: Time) -> Vec<(Time, u64)> {
    let mut looks = Vec::new();
    while let Some(due) = rota.due().filter(|due| *due < end) {
        let taken = rota.take(due);
        assert!(!taken.is_empty(), "something was due at {due:?}");
        looks.extend(taken.into_iter().map(|(place, _)| (due, place.issue.0)));
    }
    looks
}

fn hours(n: u64) -> Time {
    Time(START.0 + n * HOUR)
}

#[test]
fn what_was_stirred_is_looked_at_soon_and_then_later_and_later() {
    let mut rota = Rota::new(Pace::Adaptive);
    rota.stir(&at(7), START);
    let looks = play(&mut rota, hours(1));
    let after: Vec<u64> = looks.iter().map(|(when, _)| when.millis_since(START) / 1000).collect();
    assert_eq!(after, [30, 90, 210, 450, 930, 1890, 3090]);
}

#[test]
fn however_much_is_open_it_takes_turns_three_times_an_hour() {
    let mut rota = Rota::new(Pace::Adaptive);
    (1..=100).for_each(|number| rota.add(&at(number), START));
    let looks = play(&mut rota, hours(100));
    for (n, (begin, _)) in looks.iter().enumerate() {
        let n_looks =
            looks[n..].iter().filter(|(when, _)| when.millis_since(*begin) < HOUR).count();
        assert!(n_looks <= 3, "{n_looks} looks in the hour after look {n}");
    }
    let seen: std::collections::BTreeSet<u64> = looks.iter().map(|(_, number)| *number).collect();
    assert_eq!(seen.len(), 100, "each has had its turn");
}

#[test]
fn a_look_in_turn_is_a_short_one() {
    let mut rota = Rota::new(Pace::Adaptive);
    rota.add(&at(7), START);
    assert_eq!(rota.take(hours(1)), [(at(7), Look::Short)]);
}

#[test]
fn an_idle_repository_with_open_drafts_takes_at_most_fifteen_calls_in_any_hour() {
    let (mut rota, mut schedule) =
        (Rota::new(Pace::Adaptive), Schedule::new(Pace::Adaptive, START));
    (1..=10).for_each(|number| rota.stir(&at(number), START));
    let mut calls: Vec<Time> =
        play(&mut rota, hours(24)).into_iter().map(|(when, _)| when).collect();
    while let Some(due) = schedule.due().filter(|due| *due < hours(24)) {
        calls.push(due);
        schedule.polled(due, Outcome::Nothing, None);
    }
    calls.sort_unstable();
    // What was done in the first hour is not idle.
    let idle: Vec<Time> = calls.into_iter().filter(|when| *when >= hours(1)).collect();
    for (n, begin) in idle.iter().enumerate() {
        let n_calls = idle[n..].iter().filter(|when| when.millis_since(*begin) < HOUR).count();
        assert!(n_calls <= 15, "{n_calls} calls in the hour after call {n}");
    }
}

#[test]
fn what_is_under_way_is_looked_at_every_two_minutes() {
    let mut rota = Rota::new(Pace::Adaptive);
    rota.stir(&at(7), START);
    let mut last = START;
    for _ in 0..20 {
        let due = rota.due().unwrap();
        assert!(due.millis_since(last) <= 120_000);
        assert_eq!(rota.take(due), [(at(7), Look::Whole)]);
        rota.pending(&at(7), due);
        last = due;
    }
    // It is not known any more, so it is not under way.
    rota.remove(&at(7));
    rota.pending(&at(7), last);
    assert_eq!(rota.due(), None);
}

#[test]
fn what_an_owner_has_fixed_is_as_quick_as_that() {
    let mut rota = Rota::new(Pace::Fixed(Duration::from_secs(1)));
    rota.stir(&at(7), START);
    assert_eq!(rota.due(), Some(START.plus_seconds(1)));
    rota.take(START.plus_seconds(1));
    rota.pending(&at(7), START.plus_seconds(1));
    assert_eq!(rota.due(), Some(START.plus_seconds(2)));
}
