//! `/split` on GitHub: one issue a step, whatever is killed and whichever answer is lost.

use std::cell::Cell;

use super::acting::{mark, said};
use super::double::Double;
use super::double::faults::Fault;
use super::double::state::Permission;
use super::place::{Hears, OnGitHub};
use crate::crash::oracle::check_inside;
use crate::harness::place::Place;

const ISSUES: &str = "/repos/{owner}/{repo}/issues";
const SUB_ISSUES: &str = "/repos/{owner}/{repo}/issues/{issue_number}/sub_issues";

/// The requests that splitting makes, and that change something.
const WRITES: [(&str, &str); 2] = [("POST", ISSUES), ("POST", SUB_ISSUES)];

/// How many steps the plan has.
const N_STEPS: usize = 3;

/// A place whose plan waits, and its issue.
fn planned() -> Option<(OnGitHub, u64)> {
    let mut on = OnGitHub::start(Hears::Both, crate::split::answers())?;
    on.up();
    let issue = {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("Greet", "The program should greet.");
        alice.comments(issue, "/plan");
        issue
    };
    on.wait_said(issue, "`/split` makes an issue of each step");
    Some((on, issue))
}

/// Has the plan split, and waits until that is done. `also` is done at every look.
fn split(on: &mut OnGitHub, issue: u64, also: impl Fn(&Double, &mut Place)) {
    on.github.person("alice", Permission::Write).comments(issue, "/split Keep it short.");
    let OnGitHub { github, place, .. } = on;
    place.wait("the plan is split", |place| {
        also(github, place);
        if place.is_down() {
            place.up();
        }
        place.task(1).filter(|task| task["state"] == "split")
    });
    for (task, part) in (2..).zip(parts(&on.github, issue)) {
        on.place.wait_for(task, &["awaiting-approval"]);
        on.wait_said(part, "`/implement` approves exactly this text");
    }
    on.wait_said(issue, "**Split into 3 issues**");
}

/// The numbers of the issues that zazen opened.
fn parts(github: &Double, issue: u64) -> Vec<u64> {
    let all = github.issues().into_iter().filter_map(|item| item["number"].as_u64());
    all.filter(|number| *number != issue).collect()
}

/// Each step is one issue, which is a part of the other, and has one comment with its plan.
fn check_parts(on: &OnGitHub, issue: u64) {
    let all = on.github.issues();
    let titles: Vec<&str> = all.iter().filter_map(|item| item["title"].as_str()).collect();
    assert_eq!(titles, ["Greet", "Greet in the README", "Part in the README", "Write the news"]);
    let parts = parts(&on.github, issue);
    for (part, n) in parts.iter().zip(1..) {
        let body = on.github.item(*part)["body"].as_str().unwrap_or_default().to_owned();
        assert!(body.starts_with("<!-- zazen:1/"), "{body}");
        assert!(body.contains(&format!("Part of #{issue}: step {n} of {N_STEPS}")), "{body}");
        assert!(body.contains("> Keep it short."), "{body}");
        let said = said(&on.github, *part);
        assert_eq!(said.len(), 1, "{said:#?}");
    }
}

#[test]
fn the_steps_are_sub_issues_and_each_begins_when_what_it_needs_is_merged() {
    let Some((mut on, issue)) = planned() else { return };
    split(&mut on, issue, |_, _| ());
    check_parts(&on, issue);
    let parts = parts(&on.github, issue);
    assert_eq!(on.github.sub_issues(issue), parts);
    let body = on.github.item(parts[1])["body"].as_str().unwrap().to_owned();
    assert!(body.contains(&format!("It comes after #{}.", parts[0])), "{body}");

    let alice = on.github.person("alice", Permission::Write);
    alice.comments(parts[1], "/implement");
    on.wait_said(parts[1], &format!("It waits for #{} to be merged.", parts[0]));
    on.github.person("alice", Permission::Write).comments(parts[0], "/implement");
    on.place.wait_for(2, &["drafted", "failed"]);
    assert_eq!(on.place.task(3).unwrap()["state"], "queued");
    let pull = on.pull()["number"].as_u64().unwrap();
    {
        let alice = on.github.person("alice", Permission::Write);
        alice.marks_ready(pull);
        alice.merges(pull);
    }
    on.place.wait_for(3, &["drafted", "failed"]);
    let readme = on.github.git(&["show", "zazen/3-part-in-the-readme:README.md"]);
    assert!(readme.ends_with("hello\ngoodbye\n"), "{readme}");
    let list = on.wait_said(issue, &format!("- [x] #{} Greet in the README", parts[0]));
    assert!(list.contains(&format!("- [ ] #{} Part in the README", parts[1])), "{list}");
    assert_eq!(super::place::said(&on.github, issue).len(), 1, "the list is where the plan was");
    on.finish();
}

#[test]
fn an_issue_whose_answer_is_lost_is_not_opened_twice() {
    every_write_has(&Fault::ReplyLost);
}

#[test]
fn an_issue_that_a_proxy_lost_is_not_opened_twice() {
    every_write_has(&Fault::BadGatewayAfter);
}

#[test]
fn an_issue_that_was_not_heard_of_is_opened_later() {
    every_write_has(&Fault::Unheard);
}

fn every_write_has(fault: &Fault) {
    let Some((mut on, issue)) = planned() else { return };
    for (method, path) in WRITES {
        on.github.faults(method, path, fault.clone(), N_STEPS);
    }
    split(&mut on, issue, |_, _| ());
    assert_eq!(on.github.n_faults_left(), 0, "each of them came up");
    check_parts(&on, issue);
    assert_eq!(on.github.sub_issues(issue), parts(&on.github, issue));
    on.finish();
}

/// The daemon is killed whenever an answer was lost, before it can try again.
#[test]
fn a_daemon_killed_right_after_an_issue_was_opened_finds_it() {
    let Some((mut on, issue)) = planned() else { return };
    for (method, path) in WRITES {
        on.github.faults(method, path, Fault::ReplyLost, N_STEPS);
    }
    let n_left = Cell::new(on.github.n_faults_left());
    split(&mut on, issue, |github, place| {
        let n_now = github.n_faults_left();
        if n_now < n_left.replace(n_now) {
            place.kill();
        }
    });
    assert_eq!(on.github.n_faults_left(), 0, "each of them came up");
    check_parts(&on, issue);
    assert_eq!(on.github.sub_issues(issue), parts(&on.github, issue));
    on.place.down();
    assert_eq!(check_inside(&on.place), Vec::<String>::new());
    on.finish();
}

#[test]
fn a_server_without_sub_issues_has_the_issues_all_the_same() {
    let Some((mut on, issue)) = planned() else { return };
    on.github.faults("POST", SUB_ISSUES, Fault::Absent, N_STEPS);
    split(&mut on, issue, |_, _| ());
    check_parts(&on, issue);
    assert_eq!(on.github.sub_issues(issue), [0_u64; 0]);
    on.finish();
}

#[test]
fn where_no_issues_can_be_opened_the_task_says_so_and_a_retry_goes_on() {
    let Some((mut on, issue)) = planned() else { return };
    on.github.fault("POST", ISSUES, Fault::Absent);
    on.github.person("alice", Permission::Write).comments(issue, "/split Keep it short.");
    on.wait_said(issue, "I gave up: no issue could be opened for a step.");
    on.github.person("alice", Permission::Write).comments(issue, "/retry");
    on.place.wait_for(1, &["split"]);
    on.wait_said(issue, "**Split into 3 issues**");
    on.catch_up(issue);
    on.finish();
}

/// What zazen writes in an issue of its own is no command of anybody.
#[test]
fn a_stranger_splits_nothing() {
    let Some((mut on, issue)) = planned() else { return };
    let id = on.github.person("mallory", Permission::Read).comments(issue, "/split");
    let key = mark(&format!("reply/{id}"));
    on.wait("the stranger is told", |on| {
        said(&on.github, issue).iter().any(|body| body.starts_with(&key)).then_some(())
    });
    assert_eq!(on.github.issues().len(), 1);
    assert_eq!(on.place.task(1).unwrap()["state"], "awaiting-approval");
    on.finish();
}
