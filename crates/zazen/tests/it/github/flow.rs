//! From an issue on GitHub to a draft pull request there.

use super::double::state::{APP_LOGIN, Permission};
use super::place::{Hears, OnGitHub, said};
use crate::harness::model::demo_script;

#[test]
fn an_issue_becomes_a_checked_draft_pull_request_by_webhooks() {
    an_issue_becomes_a_checked_draft_pull_request(Hears::Webhooks);
}

#[test]
fn an_issue_becomes_a_checked_draft_pull_request_by_polling() {
    an_issue_becomes_a_checked_draft_pull_request(Hears::Polls);
}

#[test]
fn webhooks_and_polling_together_do_nothing_twice() {
    an_issue_becomes_a_checked_draft_pull_request(Hears::Both);
}

fn an_issue_becomes_a_checked_draft_pull_request(hears: Hears) {
    let Some(mut on) = OnGitHub::start(hears, demo_script()) else { return };
    on.up();
    let alice = on.github.person("alice", Permission::Write);
    let issue = alice.opens_issue("Sum by month", "Please sum by month, too.");
    let plan = alice.comments(issue, "/plan");
    on.wait_said(issue, "/implement");
    let alice = on.github.person("alice", Permission::Write);
    alice.comments(issue, "Leave empty months out.\n\n/implement");
    on.place.wait_for(1, &["drafted", "failed"]);

    let pull = on.pull();
    assert_eq!(pull["draft"], true, "{pull}");
    let body = pull["body"].as_str().unwrap();
    assert!(body.contains(&format!("Refs #{issue}")), "{body}");
    assert!(body.contains("all tests passed"), "{body}");
    assert_eq!(pull["head"]["ref"], "zazen/1-sum-by-month");
    let subjects = on.github.subjects("main..zazen/1-sum-by-month");
    assert_eq!(subjects, ["Describe `--by` in the README", "Sum by month with `--by month`"]);
    assert_eq!(on.github.labels(pull["number"].as_u64().unwrap()), ["zazen"]);
    let checks = on.github.checks(pull["head"]["sha"].as_str().unwrap());
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0]["name"], "zazen/evidence");
    assert_eq!(checks[0]["conclusion"], "success");
    assert_eq!(on.github.reactions("comment", plan), [(APP_LOGIN.to_owned(), "eyes".to_owned())]);
    on.wait("the result is told", |on| (said(&on.github, issue).len() > 1).then_some(()));
    let said = said(&on.github, issue);
    assert_eq!(said.len(), 2, "the plan and the result, and nothing else: {said:#?}");
    assert!(said[0].contains("[x] 1."), "the steps are ticked: {}", said[0]);
    on.finish();
}
