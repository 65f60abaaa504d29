//! From an issue to a draft pull request.

use crate::harness::model::{Model, demo_script};
use crate::harness::place::{KEY, Place, Setup, git};

#[test]
fn an_issue_becomes_a_checked_draft_pull_request_without_a_sandbox() {
    an_issue_becomes_a_checked_draft_pull_request("none");
}

#[test]
fn an_issue_becomes_a_checked_draft_pull_request_in_bwrap() {
    an_issue_becomes_a_checked_draft_pull_request("bwrap");
}

fn an_issue_becomes_a_checked_draft_pull_request(engine: &'static str) {
    let model = Model::start(demo_script());
    let mut place = Place::new(&Setup::mini(engine, &model.url()));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["drafted", "failed"]);

    let [pull] = place.pulls().try_into().expect("one pull request");
    assert!(pull.contains("draft: true"), "{pull}");
    assert!(pull.contains("Refs #1"), "{pull}");
    assert!(pull.contains("all tests passed"), "{pull}");
    let branches = place.branches();
    assert_eq!(branches.len(), 1);
    assert_eq!(branches[0].0, "zazen/1-sum-by-month");
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Describe `--by` in the README\nSum by month with `--by month`\n");
    assert!(model.calls().iter().all(|call| call.key == KEY), "the gateway puts the key in");
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}
