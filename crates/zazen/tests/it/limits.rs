//! A model's service that wants to be left alone for long: the run ends at once, whatever its
//! harness would make of the answer, and the task waits outside.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use zazen_core::id::Time;

use crate::harness::model::{Call, Model, Script, Turn, small_script};
use crate::harness::place::{Place, Setup};
use crate::speakers::{self, Program};
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
    // A title that an agent asks for on the side comes without tools.
    let is_asked = |call: &&Call| call.label == "plan" && call.body.contains("\"tools\"");
    let n_asked = model.calls().iter().filter(is_asked).count();
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
fn a_long_wait_ends_the_run_of_opencode_at_once() {
    wait_for(&speakers::OPENCODE);
}

#[test]
fn a_long_wait_ends_the_run_of_qwen_code_at_once() {
    wait_for(&speakers::QWEN);
}

#[test]
fn a_long_wait_ends_the_run_of_copilot_cli_at_once() {
    wait_for(&speakers::COPILOT);
}

fn wait_for(program: &Program) {
    let model = closed(429, "rate_limit_exceeded");
    let Some(mut place) = speakers::place(program, &model) else { return };
    check_waits(&mut place, &model, QUOTA);
}

#[test]
fn a_long_wait_ends_the_run_of_the_built_in_harness_at_once() {
    let model = closed(529, "overloaded_error");
    check_waits(&mut Place::new(&Setup::mini("none", &model.url())), &model, BUSY);
}

/// A place whose route is known to have these limits.
fn place_with(limits: &Value, more: &str) -> (Place, Model) {
    let model = Model::start(small_script());
    let setup = Setup { more: more.to_owned(), ..Setup::mini("none", &model.url()) };
    let place = Place::new(&setup);
    let kept = json!({ "version": 1, "routes": { "anthropic": limits } });
    let dir = place.home().join(".zazen");
    fs::create_dir_all(&dir).expect("a folder");
    fs::write(dir.join("limits.json"), kept.to_string()).expect("a file");
    (place, model)
}

/// Now, in milliseconds.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    u64::try_from(since.as_millis()).expect("it is before the year 584,556,019")
}

/// The task waits without a run until a person wants it tried.
fn check_waits_without_a_run(place: &mut Place, model: &Model, words: &str) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["parked", "failed", "awaiting-approval"]);
    let said = place.wait_said(1, &format!("This waits: {words}"));
    assert!(said.contains("Write `/retry` to try at once"), "{said}");
    assert!(!place.home().join(".zazen/runs/1.1").exists(), "no run was begun");
    assert_eq!(model.calls().len(), 0, "nobody was asked");
    place.comment(1, "/retry");
    place.wait_for(1, &["awaiting-approval", "failed"]);
    assert_ne!(model.calls().len(), 0);
}

#[test]
fn a_route_that_is_known_to_be_closed_is_not_asked_and_retry_has_it_tried() {
    let (now, hour) = (now(), 3_600_000);
    let closing = json!({ "why": "quota", "until": now + hour, "measured": now });
    let (mut place, model) = place_with(&json!({ "closings": [closing] }), "");
    let until = Time(now + hour).utc();
    let status = place.zazen(&["status"]);
    assert!(status.contains(&format!("limits of anthropic: {QUOTA} until {until}")), "{status}");
    let words = format!("{QUOTA}. By what it says, it is free again at {until}.");
    check_waits_without_a_run(&mut place, &model, &words);
    // It answered: nothing is closed any more, and the step begins by itself.
    place.approve();
    place.wait_for(1, &["drafted", "failed", "parked"]);
    assert_eq!(place.task(1).expect("a task")["state"], "drafted");
    place.down();
    let status = place.json(&["status", "--json"]);
    assert_eq!(status["limits"][0]["state"], "unknown", "{status}");
}

#[test]
fn what_is_kept_for_people_is_not_used_and_retry_has_it_tried() {
    let (now, hour) = (now(), 3_600_000);
    let window = json!({ "of": { "plan": { "minutes": 300 } }, "used": 700,
        "resets": now + hour, "measured": now });
    let more = "[quota]\npace = true\nreserve = \"30%\"\n";
    let (mut place, model) = place_with(&json!({ "windows": [window] }), more);
    let until = Time(now + hour).utc();
    let status = place.json(&["status", "--json"]);
    assert_eq!(status["limits"][0]["mode"], "wait", "{status}");
    assert_eq!(status["limits"][0]["windows"][0]["used_percent"], 70, "{status}");
    let words = format!(
        "what is left of the model's quota is kept for later. It is free again at {until}."
    );
    check_waits_without_a_run(&mut place, &model, &words);
    place.down();
}
