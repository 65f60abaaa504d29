//! The daemon is killed at every kind of moment that it has a name for.
//!
//! An undisturbed flow says in its log how often each moment comes. Then there is one flow for
//! each of these points, or for some of each kind, in which the daemon dies there and is started
//! again. The points are dealt out to several tests, so that they run side by side.

use std::collections::BTreeMap;

use zazen::daemon::crash::Moment;

use super::oracle::{Delivered, check, delivered, see_through};
use super::work::script;
use crate::harness::model::{Model, Turn};
use crate::harness::place::{Place, Setup};

/// How many tests share the points.
const N_PARTS: usize = 3;

/// At which parts of a flow a moment is tried, of a hundred, unless `bench/crash-moments` asks
/// for every one: that takes an hour.
const TASTE: [u64; 2] = [30, 90];

/// What to die of right after a restart.
const AGAIN: [&str; 8] = [
    "journal.before:1",
    "journal.after:1",
    "effect.before:1",
    "effect.after:1",
    "effect.after:2",
    "pages.written:1",
    "commit.before:1",
    "run.ended:1",
];

macro_rules! parts {
    ($($name:ident = $part:literal,)*) => {$(
        #[test]
        fn $name() {
            kill_at_every_moment($part);
        }
    )*};
}

parts! {
    the_daemon_is_killed_at_every_moment_first_part = 0,
    the_daemon_is_killed_at_every_moment_second_part = 1,
    the_daemon_is_killed_at_every_moment_third_part = 2,
}

#[test]
fn the_daemon_is_killed_again_while_it_recovers() {
    let model = Model::start(script());
    let setup = Setup::mini("none", &model.url());
    let (expected, points) = points(&setup);
    let step = points.len() / AGAIN.len();
    let sample = points.iter().step_by(step.max(1)).skip(1).zip(AGAIN.iter().cycle());
    let crashes = sample.map(|(first, second)| vec![first.clone(), (*second).to_owned()]);
    run_all(&setup, &expected, &crashes.collect::<Vec<_>>());
}

/// How many points of the flow with a review are tried: those that come before it are tried by
/// the others.
const N_OF_REVIEW: usize = 4;

#[test]
fn the_daemon_is_killed_while_its_work_is_reviewed_and_corrected() {
    let mut script = script();
    let found = |findings: &str| {
        vec![Turn::say(&format!("## Summary\n\nIt sums by month.\n\n## Findings\n\n{findings}\n"))]
    };
    let mend = "echo 'Months without a sum are left out.' >> README.md";
    script.extend([
        (
            "review-own".to_owned(),
            found("### high: nobody is told of empty months\n\nThey may ask."),
        ),
        ("correct-own".to_owned(), vec![Turn::run(mend), Turn::say("They are told.")]),
        ("review-own@What was found before".to_owned(), found("None.")),
    ]);
    let model = Model::start(script);
    let second = "[agents.second]\nharness = \"mini\"\nmodel = \"claude-opus-4-1\"\n\
        [roles]\nreview = [\"second\"]\n";
    let setup = Setup { more: second.to_owned(), ..Setup::mini("none", &model.url()) };
    let (expected, points) = points(&setup);
    let corrected = model.calls().iter().filter(|call| call.label == "correct-own").count();
    assert!(corrected > 0, "the flow has a correction");
    let step = (points.len() / N_OF_REVIEW).max(1);
    let mine = points.into_iter().step_by(step).map(|point| vec![point]);
    run_all(&setup, &expected, &mine.collect::<Vec<_>>());
}

fn kill_at_every_moment(part: usize) {
    let model = Model::start(script());
    let setup = Setup::mini("none", &model.url());
    let (expected, points) = points(&setup);
    let mine = points.into_iter().skip(part).step_by(N_PARTS);
    run_all(&setup, &expected, &mine.map(|point| vec![point]).collect::<Vec<_>>());
}

/// What a flow delivers that nobody disturbs, and the points that it comes to.
fn points(setup: &Setup) -> (Delivered, Vec<String>) {
    let mut place = Place::new(setup);
    see_through(&mut place, &["never".to_owned()]);
    place.down();
    let points = points_in(&place.log());
    (delivered(&place), points)
}

/// Whether this is no taste, but the hour of `bench/crash-moments`.
pub(crate) fn is_every_point_asked_for() -> bool {
    std::env::var_os("ZAZEN_EVERY_POINT").is_some()
}

/// The points that a daemon came to, by its log: all of them, or some of each moment.
pub(crate) fn points_in(log: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for line in log.lines() {
        let Some((_, point)) = line.split_once("moment ") else { continue };
        let (moment, n) = point.split_once(':').expect("a moment has a count");
        let n: u64 = n.parse().expect("a count");
        counts.entry(moment.to_owned()).and_modify(|most| *most = n.max(*most)).or_insert(n);
    }
    let mut points = Vec::new();
    for moment in Moment::ALL {
        let n = counts.get(moment.word()).copied().unwrap_or(0);
        if Moment::RARE.contains(&moment) {
            continue;
        }
        assert!(n > 0, "the flow never comes to {}", moment.word());
        let mut chosen: Vec<u64> = if is_every_point_asked_for() {
            (1..=n).collect()
        } else {
            TASTE.iter().map(|part| (n * part).div_ceil(100)).collect()
        };
        chosen.dedup();
        points.extend(chosen.iter().map(|n| format!("{}:{n}", moment.word())));
    }
    println!("{} points: {counts:?}", points.len());
    points
}

fn run_all(setup: &Setup, expected: &Delivered, crashes: &[Vec<String>]) {
    let mut n_missed = 0;
    let mut bad = Vec::new();
    for crash in crashes {
        let mut place = Place::new(setup);
        see_through(&mut place, crash);
        let wrong = check(&mut place, expected);
        n_missed += usize::from(!reached(&place, crash));
        if !wrong.is_empty() {
            bad.push(format!("{crash:?}: {}\n{}", wrong.join("\n"), place.log()));
            // Kept for whoever looks into it.
            Box::leak(Box::new(place));
        }
    }
    println!("killed at {} points, {n_missed} of which did not come", crashes.len());
    assert!(bad.is_empty(), "{} of {} went wrong:\n{}", bad.len(), crashes.len(), bad.join("\n\n"));
    // Two flows differ a little: what comes late may come once less.
    assert!(n_missed * 4 <= crashes.len(), "most points have to be reached");
}

/// Whether the flow came to the points: the last thing that each daemon said.
fn reached(place: &Place, crash: &[String]) -> bool {
    let log = place.log();
    crash.iter().all(|point| log.contains(&format!("moment {point}")))
}
