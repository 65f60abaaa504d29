//! A model that may not be asked for a while: the task waits, and goes on by itself.

use crate::harness::model::{Script, Turn, script, small_script};
use crate::harness::place::{Place, git};

/// A plan that ends with an account that is used up, for as long as that says.
fn used_up(how_long: &str) -> Script {
    script(&[("plan", vec![refusal(how_long)])])
}

fn refusal(how_long: &str) -> Turn {
    Turn::fail(429, &format!("usage_limit_reached, try again in {how_long}"))
}

/// How many comments of zazen's are about waits.
fn n_notes(place: &Place) -> usize {
    place.said(1).iter().filter(|body| body.contains("for the model. It does not wait")).count()
}

/// The task's draft is there, once, with one comment about waits.
fn check_drafted(place: &mut Place) {
    place.wait_for(1, &["drafted", "failed"]);
    place.wait_said(1, "the checks passed on exactly its commit");
    place.down();
    assert_eq!(n_notes(place), 1, "{:?}", place.said(1));
    assert_eq!(place.pulls().len(), 1);
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn a_task_without_quota_goes_on_by_itself_to_its_draft_when_that_is_over() {
    let (mut place, model) = Place::with(used_up("4 seconds"));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["parked", "failed"]);
    let said = place.wait_said(1, "This waits: the model's service is out of quota.");
    assert!(said.contains("It is free again at about"), "{said}");
    assert!(said.contains("It then goes on by itself."), "{said}");
    model.follow(small_script());
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.wait_said(1, "It does not wait any more.");

    // In the middle of a step, with something done.
    let mut answers = small_script();
    let half = vec![Turn::run("echo one >> README.md"), refusal("4 seconds")];
    answers.insert("implement/1".to_owned(), half);
    model.follow(answers);
    place.approve();
    place.wait_for(1, &["parked", "failed"]);
    model.follow(small_script());
    check_drafted(&mut place);
    let [(branch, _)] = place.branches().try_into().expect("one branch");
    let readme = git(&place.remote(), &["show", &format!("{branch}:README.md")]);
    assert!(readme.ends_with("one\nhello\n"), "what was done before the wait is there: {readme}");
    let day = place.zazen(&["task", "show", "1"]);
    assert!(!day.contains("passed over"), "there is nobody else: {day}");
}

#[test]
fn a_daemon_that_is_killed_while_a_task_waits_has_it_go_on_when_its_time_has_come() {
    let (mut place, model) = Place::with(used_up("4 seconds"));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["parked", "failed"]);
    place.kill();
    model.follow(small_script());
    place.up();
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.approve();
    check_drafted(&mut place);
}

#[test]
fn retry_has_a_task_go_on_before_its_time() {
    let (mut place, model) = Place::with(used_up("5 hours"));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["parked", "failed"]);
    model.follow(small_script());
    place.comment(1, "/retry");
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.approve();
    check_drafted(&mut place);
}

#[test]
fn a_task_whose_person_wants_to_be_asked_waits_for_retry() {
    let (mut place, model) = Place::with(used_up("1 second"));
    place.up();
    place.zazen(&["issue", "new", "Sum by month", "--body", "/plan --no-resume keep it small"]);
    place.wait_for(1, &["parked", "failed"]);
    let said = place.wait_said(1, "This waits: the model's service is out of quota.");
    assert!(said.ends_with("Write `/retry` when it is to go on."), "{said}");
    let status = place.json(&["status", "--json"]);
    assert_eq!(status["needs_you"][0]["task"], 1, "{status}");
    model.follow(small_script());
    place.comment(1, "/retry");
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.down();
}
