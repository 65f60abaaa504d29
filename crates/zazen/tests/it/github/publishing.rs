//! What is published beside the draft itself, and what happens where it may not be.

use super::double::Double;
use super::double::faults::Fault;
use super::double::state::Permission;
use super::place::{Hears, OnGitHub, said};
use crate::harness::model::small_script;

const REQUESTED: &str = "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers";
const STATUSES: &str = "/repos/{owner}/{repo}/statuses/{sha}";

/// The variable with a person's token.
const VARIABLE: &str = "ZAZEN_TEST_GITHUB_TOKEN";

/// An issue with this text, whose plan was approved: its number.
fn approved(on: &mut OnGitHub, body: &str) -> u64 {
    on.up();
    let issue = {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("Say hello", body);
        alice.comments(issue, "/plan");
        issue
    };
    on.place.wait_for(1, &["awaiting-approval"]);
    on.github.person("alice", Permission::Write).comments(issue, "/implement");
    issue
}

/// A home that is logged in by a person's token with these permissions.
fn by_token(permissions: &[(&str, &str)]) -> Option<OnGitHub> {
    let double = Double::start()?;
    let token = double.token_with(permissions);
    let login = format!("token_env = \"{VARIABLE}\"\n");
    let mut on = OnGitHub::by(double, &login, Hears::Polls, small_script());
    on.place.set(VARIABLE, &token);
    Some(on)
}

#[test]
fn those_who_are_named_are_asked_for_a_review_once() {
    let Some(double) = Double::start() else { return };
    let login = format!("app_id = {}\n", double.app_id());
    let repo = "reviewers = [\"bob\", \"mallory\"]\n";
    let mut on = OnGitHub::by_with(double, (&login, repo), Hears::Webhooks, small_script());
    for login in ["bob", "carol"] {
        on.github.person(login, Permission::Write);
    }
    on.github.fault("POST", REQUESTED, Fault::ReplyLost);
    let form = "### Goal\n\nThe README should say hello.\n\n### Validation command\n\ntrue\n\n\
        ### Reviewer\n\n@carol, Bob\n";
    let issue = approved(&mut on, form);
    on.place.wait_for(1, &["drafted", "failed"]);
    let pull = on.pull()["number"].as_u64().unwrap();
    on.catch_up(issue);
    let events = on.github.events(pull);
    let n_asked = events.iter().filter(|(event, _)| event == "review_requested").count();
    assert_eq!(n_asked, 2, "{events:?}");
    let reviewers = on.pull()["requested_reviewers"].clone();
    let asked: Vec<&str> =
        reviewers.as_array().unwrap().iter().filter_map(|who| who["login"].as_str()).collect();
    assert_eq!(asked, ["bob", "carol"]);
    let told = said(&on.github, pull);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("I could not ask mallory for a review"), "{told:#?}");
    assert_eq!(on.place.task(1).unwrap()["state"], "drafted");
    on.finish();
}

#[test]
fn a_stranger_who_fills_in_the_form_has_nobody_asked() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    on.up();
    on.github.person("bob", Permission::Write);
    let form = "### Goal\n\nThe README should say hello.\n\n### Reviewer\n\nbob\n";
    let issue = on.github.person("mallory", Permission::None).opens_issue("Say hello", form);
    on.github.person("alice", Permission::Write).comments(issue, "/plan");
    on.place.wait_for(1, &["awaiting-approval", "failed"]);
    on.github.person("alice", Permission::Write).comments(issue, "/implement");
    on.place.wait_for(1, &["drafted", "failed"]);
    assert_eq!(on.github.calls_of("POST", REQUESTED).len(), 0);
    on.finish();
}

#[test]
fn with_a_persons_token_the_commit_carries_a_status_once() {
    let Some(double) = Double::start() else { return };
    let token = double.token();
    let login = format!("token_env = \"{VARIABLE}\"\n");
    let mut on = OnGitHub::by(double, &login, Hears::Polls, small_script());
    on.place.set(VARIABLE, &token);
    on.github.fault("POST", STATUSES, Fault::ReplyLost);
    approved(&mut on, "The README should say hello.");
    on.place.wait_for(1, &["drafted", "failed"]);
    let head = on.pull()["head"]["sha"].as_str().unwrap().to_owned();
    let [status] = on.github.statuses(&head).try_into().expect("one status");
    assert_eq!(
        (&status["context"], &status["state"]),
        (&"zazen/evidence".into(), &"success".into())
    );
    let description = status["description"].as_str().unwrap();
    assert!(description.starts_with("passed: "), "{description}");
    assert_eq!(on.github.checks(&head).len(), 0, "only an App may have those");
    on.finish();
}

#[test]
fn a_token_that_may_not_push_is_told_of_and_not_tried_for_ever() {
    let permissions = [
        ("contents", "read"),
        ("issues", "write"),
        ("metadata", "read"),
        ("pull_requests", "write"),
    ];
    let Some(mut on) = by_token(&permissions) else { return };
    let issue = approved(&mut on, "The README should say hello.");
    on.place.wait_for(1, &["drafted", "failed"]);
    check_refused(&mut on, issue);
}

#[test]
fn a_rule_against_the_branch_is_told_of_and_not_tried_for_ever() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    on.github.refuses_pushes("GH013: Repository rule violations found for refs/heads/zazen/1.");
    let issue = approved(&mut on, "The README should say hello.");
    on.place.wait_for(1, &["drafted", "failed"]);
    check_refused(&mut on, issue);
}

/// The task is given up with advice, and nothing is tried any more.
fn check_refused(on: &mut OnGitHub, issue: u64) {
    let words = "the forge does not let zazen publish the work";
    let OnGitHub { github, place, .. } = on;
    let told = place.wait("it says why", |_| {
        let comments = github.comments(issue).into_iter().map(|(_, body)| body);
        comments.into_iter().find(|body| body.contains(words))
    });
    assert!(told.contains("write `/retry`"), "{told}");
    assert!(!told.contains("somebody else's commits"), "{told}");
    assert_eq!(on.place.task(1).unwrap()["state"], "failed");
    let pushes = on.github.calls_of("POST", "git/receive-pack").len();
    let asked = on.github.calls_of("GET", "git/receive-pack").len();
    // Each time without the token first, as git does.
    assert!(asked <= 4, "{asked}");
    on.catch_up(issue);
    assert_eq!(on.github.calls_of("POST", "git/receive-pack").len(), pushes);
    assert_eq!(on.github.calls_of("GET", "git/receive-pack").len(), asked);
    assert_eq!(on.github.pulls().len(), 0);
}
