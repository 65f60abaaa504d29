//! What guards hold back: the task waits for a person, and goes on with exactly that.

use std::fs;

use crate::harness::model::{Model, SMALL_PLAN, Turn, script};
use crate::harness::place::Place;

/// An agent that does what it is told, and something with it.
fn place_with(more: &str) -> (Place, Model) {
    let work = format!("echo hello >> README.md && {more}");
    Place::with(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        ("implement/1", vec![Turn::run(&work), Turn::say("All tests pass. It says hello.")]),
    ]))
}

/// The guards' report of a task.
fn report(place: &Place, id: u64) -> String {
    fs::read_to_string(place.task_folder(id).join("guards.json")).unwrap()
}

#[test]
fn a_changed_workflow_waits_until_a_person_has_approved_exactly_that() {
    let workflow = "mkdir -p .github/workflows && echo 'on: push' > .github/workflows/ci.yml";
    let (mut place, _model) = place_with(workflow);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["held", "drafted", "failed"]);
    let said = place.wait_said(1, "I hold this back");
    assert!(said.contains("`.github/workflows/ci.yml:1`"), "{said}");
    assert!(said.contains("on: push"), "{said}");
    assert!(place.pulls().is_empty());
    assert!(place.branches().is_empty());

    place.comment(1, "/approve 0123456789ab");
    place.wait_said(1, "Nothing was released");
    let hash = said.split("`/approve ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    place.comment(1, &format!("/approve {hash}"));
    place.wait_for(1, &["drafted", "failed"]);
    assert_eq!(place.pulls().len(), 1);
    let report = report(&place, 1);
    assert!(report.contains("\"protected\""), "{report}");
    // The agent said that tests pass, and ran none.
    assert!(report.contains("\"claims\""), "{report}");
    place.down();
}

#[test]
fn honest_work_is_not_held_and_its_report_is_empty() {
    let (mut place, _model) = Place::with(crate::harness::model::small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["held", "drafted", "failed"]);
    assert_eq!(place.pulls().len(), 1);
    assert_eq!(report(&place, 1), "{\n  \"findings\": []\n}\n");
    place.down();
}

#[test]
fn a_guard_that_the_owner_turned_off_holds_nothing() {
    let workflow = "mkdir -p .github/workflows && echo 'on: push' > .github/workflows/ci.yml";
    let (mut place, _model) = place_with(workflow);
    let page = place.home().join("zazen.toml");
    let off = "[policy.guards]\nprotected = \"off\"\nscope = \"flag\"\n";
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, format!("{text}\n{off}")).unwrap();
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["held", "drafted", "failed"]);
    assert_eq!(place.pulls().len(), 1);
    place.down();
}
