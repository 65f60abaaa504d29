//! Who may start work, and where strangers' texts are read.

use crate::harness::model::{Model, small_script};
use crate::harness::place::{Place, Setup};

const TRUST: &str = "[trust]\npeople = [\"ada\"]\n";

/// A home in which mallory has opened issue 1.
fn with_a_strangers_issue(more: &str) -> (Place, Model) {
    let model = Model::start(small_script());
    let setup = Setup { more: more.to_owned(), ..Setup::mini("none", &model.url()) };
    let place = Place::new(&setup);
    place.configure("name = \"ada\"", "name = \"mallory\"");
    place.zazen(&["issue", "new", "Say hello"]);
    (place, model)
}

#[test]
fn a_stranger_cannot_start_an_agent_and_is_told_so_once() {
    let (mut place, model) = with_a_strangers_issue(TRUST);
    place.up();
    place.comment(1, "/plan");
    let said = place.wait_said(1, "Nothing was started");
    assert!(said.contains("people whom the owner of this zazen trusts"), "{said}");
    place.comment(1, "/plan, now!\n\n/plan");
    place.down();
    place.configure("name = \"mallory\"", "name = \"ada\"");
    place.up();
    place.comment(1, "/status");
    place.wait_said(1, "Nothing was asked for");
    assert_eq!(place.said(1).len(), 2, "{:?}", place.said(1));
    assert_eq!(place.task(1), None);
    assert!(model.calls().is_empty());
    place.down();
}

#[test]
fn what_a_stranger_wrote_is_read_in_no_weaker_sandbox_than_the_owner_allows() {
    let (mut place, model) = with_a_strangers_issue(TRUST);
    place.configure("name = \"mallory\"", "name = \"ada\"");
    place.up();
    place.comment(1, "/plan");
    let said = place.wait_said(1, "I gave up: the sandbox did not hold");
    assert!(said.contains("`trust.strangers_engine` asks for a stronger sandbox"), "{said}");
    assert!(model.calls().is_empty());
    place.down();
}

#[test]
fn an_owner_can_let_strangers_start_work_anywhere() {
    let more = format!("{TRUST}strangers = \"start\"\nstrangers_engine = \"none\"\n");
    let (mut place, _model) = with_a_strangers_issue(&more);
    place.up();
    place.comment(1, "/plan");
    place.wait_for(1, &["awaiting-approval"]);
    place.down();
}
