//! A model's service that wants to be left alone for long: the run ends at once, whatever its
//! harness would make of the answer, and the task waits outside.

use std::fs;

use serde_json::Value;
use zazen_core::id::Time;

use crate::harness::model::{Model, Script, Turn};
use crate::harness::place::{Place, Setup};
use crate::{acp, claude, codex};

/// How long the service wants to be left alone, in seconds.
const AN_HOUR: u32 = 3600;

const QUOTA: &str = "the model's service is out of quota";
const BUSY: &str = "the model's service is too busy";

/// A service that refuses to plan.
fn closed(status: u16, kind: &str) -> Model {
    Model::start(Script::from([("plan".to_owned(), vec![Turn::fail_for(status, kind, AN_HOUR)])]))
}

/// The task waits as long as the service said, which was asked once.
fn check_waits(place: &mut Place, model: &Model, words: &str) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["parked", "failed", "awaiting-approval"]);
    let said = place.wait_said(1, &format!("This waits: {words}. By what it says, it is free"));
    let n_asked = model.calls().iter().filter(|call| call.label == "plan").count();
    assert_eq!(n_asked, 1, "who has said no is not asked again");
    let kept = fs::read_to_string(place.home().join(".zazen/limits.json")).expect("it is kept");
    let kept: Value = serde_json::from_str(&kept).expect("it is JSON");
    let mut routes = kept["routes"].as_object().expect("routes").values();
    let closing = &routes.next().expect("a route")["closings"][0];
    let [until, measured] =
        ["until", "measured"].map(|key| closing[key].as_u64().expect("a moment"));
    assert_eq!(until - measured, u64::from(AN_HOUR) * 1000, "{closing}");
    assert!(said.contains(&format!("free again at {}.", Time(until).utc())), "{said}");
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn a_long_wait_ends_the_run_of_claude_code_at_once() {
    for (status, kind, words) in [(429, "rate_limit_error", QUOTA), (529, "overloaded_error", BUSY)]
    {
        let model = closed(status, kind);
        let Some(setup) = claude::setup(&model, "") else { return };
        check_waits(&mut Place::new(&setup), &model, words);
    }
}

#[test]
fn a_long_wait_ends_the_run_of_codex_at_once() {
    for (status, kind, words) in
        [(429, "rate_limit_exceeded", QUOTA), (503, "server_is_overloaded", BUSY)]
    {
        let model = closed(status, kind);
        let Some(mut place) = codex::place(&model, "") else { return };
        check_waits(&mut place, &model, words);
    }
}

#[test]
fn a_long_wait_ends_the_run_of_gemini_cli_at_once() {
    let model = closed(429, "RESOURCE_EXHAUSTED");
    let Some(mut place) = acp::place(&model) else { return };
    check_waits(&mut place, &model, QUOTA);
}

#[test]
fn a_long_wait_ends_the_run_of_the_built_in_harness_at_once() {
    let model = closed(529, "overloaded_error");
    check_waits(&mut Place::new(&Setup::mini("none", &model.url())), &model, BUSY);
}
