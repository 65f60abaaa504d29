//! `zazen harness`: what is said of agents, and an agent tried for real.
//!
//! The real programs are those that `ZAZEN_CLAUDE` and `ZAZEN_CODEX` name; see `claude`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::harness::model::{Model, Script, Turn, script, small_script};
use crate::harness::place::{KEY, Place, Setup, has_bwrap};
use crate::{acp, claude, codex};

/// What a model says that does what a trial asks for.
fn obedient() -> Script {
    script(&[(
        "trial",
        vec![
            Turn::run("echo {word} > trial.txt"),
            Turn::run("sh proof.sh"),
            Turn::run("cp trial.txt copied.txt"),
            Turn::say("{number}"),
            Turn::say("{word}"),
        ],
    )])
}

/// Tries an agent. Returns the answer, and the status that it ended with.
fn try_agent(place: &Place, args: &[&str]) -> (Value, Option<i32>) {
    let args = [&["harness", "test", "--json"], args].concat();
    let output = place.try_zazen(&args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    (answer, output.status.code())
}

/// What came of each step, as `step: good`.
fn steps(answer: &Value) -> Vec<String> {
    let steps = answer["steps"].as_array().expect("steps").iter();
    let word = |step: &Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
    steps.map(|step| format!("{}: {}", word(step, "what"), word(step, "came"))).collect()
}

/// One step, as text.
fn step(answer: &Value, what: &str) -> String {
    let steps = answer["steps"].as_array().expect("steps").iter();
    steps.filter(|step| step["what"] == what).map(ToString::to_string).collect()
}

#[test]
fn an_agent_that_works_is_tried_step_by_step_and_leaves_nothing() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(obedient());
    let place = Place::new(&Setup::mini("bwrap", &model.url()));
    let (answer, status) = try_agent(&place, &["default"]);
    assert_eq!(status, Some(0), "{answer:#}");
    assert_eq!(
        steps(&answer),
        [
            "program: good",
            "sandbox: good",
            "start: good",
            "model: good",
            "end: good",
            "command: good",
            "edit: good",
            "commit: good",
            "denied command: good",
            "session: absent",
            "meter: good",
        ],
        "{answer:#}"
    );
    assert!(step(&answer, "meter").contains('$'), "{answer:#}");
    assert!(answer["folder"].is_null());
    let calls = model.calls();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.key == KEY));
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn an_agent_without_a_sandbox_works_and_is_said_to_have_none() {
    let (place, _model) = Place::with(obedient());
    let (answer, status) = try_agent(&place, &["default"]);
    assert_eq!(status, Some(0), "{answer:#}");
    let said = step(&answer, "sandbox");
    assert!(said.contains(r#""came":"unsure""#) && said.contains("no sandbox"), "{answer:#}");
}

#[test]
fn claude_code_passes_its_trial_and_goes_on_with_its_session() {
    let model = Model::start(obedient());
    let Some(setup) = claude::setup(&model, "") else { return };
    check_works(&model, &Place::new(&setup));
}

#[test]
fn codex_passes_its_trial_and_goes_on_with_its_session() {
    let model = Model::start(obedient());
    let Some(place) = codex::place(&model, "") else { return };
    check_works(&model, &place);
}

#[test]
fn gemini_cli_passes_its_trial_without_a_session() {
    let model = Model::start(obedient());
    let Some(place) = acp::place(&model) else { return };
    let answer = check_good(&model, &place);
    assert!(step(&answer, "session").contains(r#""came":"absent""#), "{answer:#}");
}

fn check_works(model: &Model, place: &Place) {
    let answer = check_good(model, place);
    assert!(step(&answer, "session").contains(r#""came":"good""#), "{answer:#}");
    let calls = model.calls();
    assert_eq!(calls.last().map(|call| call.turn), Some(4), "the second run knows the first");
}

fn check_good(model: &Model, place: &Place) -> Value {
    let (answer, status) = try_agent(place, &["default"]);
    assert_eq!(status, Some(0), "{answer:#}");
    for what in [
        "program",
        "sandbox",
        "start",
        "model",
        "end",
        "command",
        "edit",
        "commit",
        "denied command",
    ] {
        assert!(step(&answer, what).contains(r#""came":"good""#), "{what}: {answer:#}");
    }
    let calls = model.calls();
    assert!(calls.iter().all(|call| !call.body.contains(KEY)), "the agent does not know the key");
    answer
}

#[test]
fn a_key_that_is_refused_is_what_the_trial_says_and_it_fails() {
    if !has_bwrap() {
        return;
    }
    let refused = vec![Turn::fail(401, "authentication_error")];
    let model = Model::start(script(&[("trial", refused)]));
    let place = Place::new(&Setup::mini("bwrap", &model.url()));
    let (answer, status) = try_agent(&place, &["mini"]);
    assert_eq!(status, Some(4), "{answer:#}");
    let said = step(&answer, "model");
    assert!(said.contains(r#""came":"bad""#) && said.contains("status 401"), "{answer:#}");
    assert!(said.contains("mend the key of `[models.anthropic]`"), "{answer:#}");
    assert!(step(&answer, "edit").is_empty(), "what cannot be told is not said: {answer:#}");
    let folder = answer["folder"].as_str().expect("it is kept for a look");
    assert!(Path::new(folder).join("home/.zazen/runs/1.1/events.jsonl").exists());
    fs::remove_dir_all(folder).expect("it can be removed");
}

#[test]
fn a_denied_command_that_is_done_in_another_way_is_no_pass() {
    if !has_bwrap() {
        return;
    }
    let mut turns = obedient().remove("trial").expect("turns");
    turns[2] = Turn::run("cat trial.txt > copied.txt");
    let model = Model::start(script(&[("trial", turns)]));
    let place = Place::new(&Setup::mini("bwrap", &model.url()));
    let (answer, status) = try_agent(&place, &["default"]);
    assert_eq!(status, Some(4), "{answer:#}");
    assert!(step(&answer, "denied command").contains(r#""came":"bad""#), "{answer:#}");
    fs::remove_dir_all(answer["folder"].as_str().expect("a folder")).expect("it can be removed");
}

#[test]
fn a_trial_costs_no_more_than_it_may() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(obedient());
    let place = Place::new(&Setup::mini("bwrap", &model.url()));
    let (answer, status) = try_agent(&place, &["default", "--budget", "0.000001"]);
    assert_eq!(status, Some(4), "{answer:#}");
    assert!(step(&answer, "model").contains("--budget"), "{answer:#}");
    fs::remove_dir_all(answer["folder"].as_str().expect("a folder")).expect("it can be removed");
}

#[test]
fn a_program_that_is_not_there_is_named_with_how_to_get_it() {
    let model = Model::start(obedient());
    let mut setup = Setup::mini("none", &model.url());
    setup.more = "[agents.gone]\nharness = \"claude\"\nprogram = \"/nowhere/claude\"\n".to_owned();
    let place = Place::new(&setup);
    let (answer, status) = try_agent(&place, &["gone"]);
    assert_eq!(status, Some(4), "{answer:#}");
    let said = step(&answer, "program");
    assert!(said.contains("/nowhere/claude") && said.contains("npm install"), "{answer:#}");
    assert!(model.calls().is_empty());
    let list = place.json(&["harness", "list", "--json"]);
    let gone = list["agents"].as_array().expect("agents").iter().find(|it| it["agent"] == "gone");
    assert!(gone.expect("it is listed")["trouble"].to_string().contains("/nowhere"), "{list:#}");
}

#[test]
fn what_came_of_each_agents_work_is_listed_by_role() {
    let (mut place, _model) = Place::with(small_script());
    place.carry_through();
    place.down();
    let list = place.json(&["harness", "list", "--json"]);
    let agent = &list["agents"][0];
    assert_eq!((&agent["agent"], &agent["harness"]), (&"default".into(), &"mini".into()));
    assert_eq!(agent["version"], env!("CARGO_PKG_VERSION"));
    let merit = &agent["merits"]["implement"];
    assert_eq!((&merit["n_tasks"], &merit["n_drafted"]), (&1.into(), &1.into()), "{list:#}");
    assert_eq!((&merit["n_merged"], &merit["n_failed"]), (&0.into(), &0.into()), "{list:#}");
    assert!(merit["usage"]["n_calls"].as_u64() > Some(0), "{list:#}");
    let page = place.zazen(&["harness", "list", "--abilities"]);
    assert!(page.contains("implement: 1 task, 1 drafted"), "{page}");
    assert!(page.contains("does plan, implement, correct, review, ask"), "{page}");
    let [pull] = place.pulls().try_into().expect("one pull request");
    let named = format!("- Agent: mini {} with claude-sonnet-4-5\n", env!("CARGO_PKG_VERSION"));
    assert!(pull.contains(&named), "{pull}");
}

#[test]
fn a_version_that_was_not_tested_and_a_stream_that_is_not_known_are_said_and_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("claude");
    // What no Claude Code writes, and an end that every one does.
    let text = "#!/bin/sh\n[ \"$1\" = --version ] && { echo '9.9.9 (Claude Code)'; exit; }\n\
        for n in 1 2 3; do echo '{\"type\":\"hologram\",\"n\":1}'; done\n\
        echo '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\
        \"result\":\"ok\"}'\n";
    fs::write(&program, text).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may be run");
    let model = Model::start(small_script());
    let mut setup = Setup::mini("none", &model.url());
    setup.harness = format!("use = \"claude\"\nprogram = \"{}\"\n", program.display());
    let mut place = Place::new(&setup);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed"]);
    let log = place.log();
    assert!(log.contains("claude 9.9.9 is not the version that zazen was tested with"), "{log}");
    let words = "claude 9.9.9 wrote 75 % lines that zazen does not know (3 of 4); tested with";
    for args in [&["task", "show", "1"][..], &["task", "logs", "1"]] {
        let page = place.zazen(args);
        assert!(page.contains(words), "{args:?}: {page}");
    }
    let doctor = String::from_utf8(place.try_zazen(&["doctor"]).stdout).expect("text");
    assert!(doctor.contains("is not the version that zazen was tested with"), "{doctor}");
    // All of its last runs together: it was tried more than once.
    assert!(doctor.contains("wrote 75 % lines that zazen does not know"), "{doctor}");
    place.down();
}
