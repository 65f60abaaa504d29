//! Nothing is lost on GitHub and nothing done twice, whenever the daemon is killed and
//! whichever answer is lost.
//!
//! What people see in the end is compared with a flow that nobody disturbed. A run of the
//! tests kills at a sample of the moments; `bench/crash-moments` goes through all of them.

use std::cell::Cell;

use super::acting::{Seen, undisturbed};
use super::double::faults::Fault;
use super::place::{Hears, OnGitHub};
use crate::crash::moments::{is_every_point_asked_for, points_in};

/// How many tests share the points.
const N_PARTS: usize = 2;

/// How many points each has, where nobody asks for all.
const N_TASTE: usize = 4;

/// The requests that change something on GitHub, in the order of a flow.
const WRITES: [(&str, &str); 7] = [
    ("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments"),
    ("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("POST", "git/receive-pack"),
    ("POST", "/repos/{owner}/{repo}/pulls"),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("POST", "/repos/{owner}/{repo}/check-runs"),
];

macro_rules! parts {
    ($($name:ident = $part:literal,)*) => {$(
        #[test]
        fn $name() {
            kill_at_moments($part);
        }
    )*};
}

parts! {
    a_daemon_killed_at_any_moment_does_nothing_twice_on_github_first_part = 0,
    a_daemon_killed_at_any_moment_does_nothing_twice_on_github_second_part = 1,
}

#[test]
fn a_write_whose_answer_is_lost_is_not_done_twice() {
    every_write_has(&Fault::ReplyLost);
}

#[test]
fn a_write_that_a_proxy_lost_is_not_done_twice() {
    every_write_has(&Fault::BadGatewayAfter);
}

#[test]
fn a_write_that_was_not_heard_is_done_later() {
    every_write_has(&Fault::Unheard);
}

#[test]
fn a_daemon_killed_before_the_answer_finds_what_it_did() {
    let Some(expected) = undisturbed() else { return };
    let Some(mut on) = OnGitHub::small(Hears::Both) else { return };
    for (method, path) in WRITES {
        on.github.fault(method, path, Fault::ReplyLost);
    }
    let n_left = Cell::new(WRITES.len());
    let issue = on.see_through_with(&[], |github, place| {
        let n_now = github.n_faults_left();
        if n_now < n_left.replace(n_now) {
            place.kill();
        }
    });
    assert_eq!(on.github.n_faults_left(), 0, "each of them came up");
    on.finish_as(issue, &expected);
}

fn every_write_has(fault: &Fault) {
    let Some(expected) = undisturbed() else { return };
    let Some(mut on) = OnGitHub::small(Hears::Both) else { return };
    for (method, path) in WRITES {
        on.github.fault(method, path, fault.clone());
    }
    let issue = on.see_through(&[]);
    assert_eq!(on.github.n_faults_left(), 0, "each of them came up");
    on.finish_as(issue, &expected);
}

fn kill_at_moments(part: usize) {
    let Some((expected, points)) = points() else { return };
    let mine: Vec<String> = points.into_iter().skip(part).step_by(N_PARTS).collect();
    let n_tried = if is_every_point_asked_for() { mine.len() } else { N_TASTE };
    let step = mine.len().div_ceil(n_tried);
    let mut bad = Vec::new();
    for point in mine.iter().step_by(step) {
        let Some(mut on) = OnGitHub::small(Hears::Both) else { return };
        let issue = on.see_through(std::slice::from_ref(point));
        let wrong = on.wrong(issue, &expected);
        if wrong.is_empty() {
            on.finish();
        } else {
            bad.push(format!("{point}: {}\n{}", wrong.join("\n"), on.place.log()));
        }
    }
    assert!(bad.is_empty(), "{} went wrong:\n{}", bad.len(), bad.join("\n\n"));
}

/// What people see of a flow that nobody disturbs, and the points that it comes to.
fn points() -> Option<(Seen, Vec<String>)> {
    let mut on = OnGitHub::small(Hears::Both)?;
    let issue = on.see_through(&["never".to_owned()]);
    let seen = on.seen(issue);
    on.place.down();
    let points = points_in(&on.place.log());
    on.finish();
    Some((seen, points))
}
