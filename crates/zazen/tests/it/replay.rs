//! `zazen replay`: the runs of a task made again, with the recorded answers and no network.

mod bundle;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::model::{Model, SMALL_PLAN, Turn, demo_script, script};
use crate::harness::place::{Place, Setup, files_below, git, has_bwrap};
use crate::{claude, codex};

/// Replays task 1. Returns the answer, the status, and what was said beside it.
fn replay(place: &Place, args: &[&str]) -> (Value, Option<i32>, String) {
    replay_of(place, &[&["1"], args].concat())
}

/// The same, of whatever is named first.
fn replay_of(place: &Place, args: &[&str]) -> (Value, Option<i32>, String) {
    let output = place.try_zazen(&[&["replay", "--json"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    (answer, output.status.code(), said)
}

/// What came of each run, as `implement/1: same`.
fn came(answer: &Value) -> Vec<String> {
    let runs = answer["runs"].as_array().expect("runs").iter();
    let word = |run: &Value, key: &str| run[key].as_str().unwrap_or_default().to_owned();
    runs.map(|run| format!("{}: {}", word(run, "phase"), word(run, "came"))).collect()
}

const ALL_SAME: [&str; 5] =
    ["plan: same", "implement/1: same", "implement/2: same", "verify: same", "baseline: same"];

/// Takes the demo's issue to its draft and replays it, with the daemon up and with it down.
fn comes_to_the_same(mut place: Place, model: &Model) {
    place.carry_through();
    let n_calls = model.calls().len();
    let before = traces(&place);
    for is_up in [true, false] {
        if !is_up {
            place.down();
        }
        let (answer, status, said) = replay(&place, &[]);
        assert_eq!(status, Some(0), "{answer:#}\n{said}");
        assert_eq!(came(&answer), ALL_SAME, "{answer:#}");
        assert_eq!(answer["verdict"], "same-tree");
        let tree = git(&place.remote(), &["rev-parse", "zazen/1-sum-by-month^{tree}"]);
        assert_eq!(answer["tree"], tree.trim());
        for run in answer["runs"].as_array().expect("runs") {
            let requests = &run["requests"];
            let none = [&requests["unlike"], &requests["unanswered"]];
            assert_eq!(none, [&Value::from(0), &Value::from(0)], "{answer:#}");
        }
    }
    assert_eq!(model.calls().len(), n_calls, "the model's service was asked nothing");
    assert_eq!(traces(&place), before, "no branch, no ref, no page and no journal has changed");
    assert_eq!(left_over(&place), Vec::<PathBuf>::new());
    assert_eq!(place.processes(), Vec::<String>::new());
}

/// What a replay must leave as it is: refs of the mirror and of the remote, and the runs.
fn traces(place: &Place) -> Vec<String> {
    let dot = place.home().join(".zazen");
    let refs = |dir: PathBuf| git(&dir, &["for-each-ref"]);
    let runs = files_below(&dot.join("runs"));
    let runs = runs.iter().map(|(path, bytes)| format!("{} {}", path.display(), bytes.len()));
    let refs = [refs(dot.join("mirrors/local/tally.git")), refs(place.remote())];
    refs.into_iter().chain(runs).collect()
}

/// What is left of places apart, but for their locks.
fn left_over(place: &Place) -> Vec<PathBuf> {
    let dot = place.home().join(".zazen");
    let apart = fs::read_dir(dot.join("apart")).expect("it was there");
    let work = fs::read_dir(dot.join("work")).expect("it is there");
    let all = apart.chain(work).map(|entry| entry.expect("an entry").path());
    all.filter(|path| path.extension().is_none_or(|it| it != "lock")).collect()
}

#[test]
fn a_task_of_mini_comes_to_the_same_tree_without_a_sandbox() {
    let (place, model) = Place::with(demo_script());
    comes_to_the_same(place, &model);
}

#[test]
fn a_task_of_mini_comes_to_the_same_tree_in_bwrap() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(demo_script());
    comes_to_the_same(Place::new(&Setup::mini("bwrap", &model.url())), &model);
}

#[test]
fn a_task_of_claude_code_comes_to_the_same_tree() {
    let model = Model::start(demo_script());
    let Some(setup) = claude::setup(&model, "") else { return };
    comes_to_the_same(Place::new(&setup), &model);
}

#[test]
fn a_task_of_codex_comes_to_the_same_tree() {
    let model = Model::start(demo_script());
    let Some(place) = codex::place(&model, "") else { return };
    comes_to_the_same(place, &model);
}

/// A task with one step, at rest, whose daemon is down.
fn small(commands: &[&str]) -> (Place, Model) {
    let mut turns: Vec<Turn> = commands.iter().map(|command| Turn::run(command)).collect();
    turns.push(Turn::say("It says hello."));
    let plan = ("plan", vec![Turn::say(SMALL_PLAN)]);
    let (mut place, model) = Place::with(script(&[plan, ("implement/1", turns)]));
    place.carry_through();
    place.down();
    (place, model)
}

fn file_of_run(place: &Place, run: &str, name: &str) -> PathBuf {
    place.home().join(".zazen/runs").join(run).join(name)
}

fn edit(path: &PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("it is written");
}

#[test]
fn an_edited_recording_is_found_by_the_first_run_that_differs_and_its_files() {
    let (place, _model) = small(&["echo hello >> README.md"]);
    edit(&file_of_run(&place, "1.2", "recording.jsonl"), "echo hello", "echo hullo");
    let (answer, status, _) = replay(&place, &[]);
    assert_eq!(status, Some(1), "{answer:#}");
    assert_eq!(answer["verdict"], "differs");
    assert_eq!(answer["first"], "1.2");
    assert_eq!(
        came(&answer),
        ["plan: same", "implement/1: differs", "verify: same", "baseline: same"]
    );
    assert_eq!(answer["runs"][1]["files"], serde_json::json!(["README.md"]), "{answer:#}");
    let page = place.try_zazen(&["replay", "1"]);
    let page = String::from_utf8(page.stdout).expect("text");
    assert!(page.contains("differs: run 1.2 is the first that does"), "{page}");
}

#[test]
fn a_question_that_was_never_recorded_is_named() {
    let (place, _model) = small(&["echo hello >> README.md", "cat README.md"]);
    let path = file_of_run(&place, "1.2", "recording.jsonl");
    let text = fs::read_to_string(&path).expect("a recording");
    let first = text.lines().next().expect("a call");
    fs::write(&path, format!("{first}\n")).expect("it is cut");
    let (answer, status, _) = replay(&place, &[]);
    assert_eq!(status, Some(1), "{answer:#}");
    let run = &answer["runs"][1];
    assert_eq!(run["came"], "differs", "{answer:#}");
    assert_eq!(run["says"], "request 2 (turn 1, v1/messages) has no recorded answer");
    assert_eq!(run["unlike"]["n"], 2, "{answer:#}");
}

#[test]
fn a_recording_that_is_gone_is_said() {
    let (place, _model) = small(&["echo hello >> README.md"]);
    fs::remove_file(file_of_run(&place, "1.2", "recording.jsonl")).expect("it was there");
    let (answer, status, _) = replay(&place, &[]);
    assert_eq!(status, Some(1), "{answer:#}");
    assert_eq!(answer["verdict"], "incomplete");
    assert_eq!(answer["first"], "1.2");
    assert_eq!(answer["runs"][1]["says"], "there is no recording of its model calls");
}

#[test]
#[expect(clippy::format_collect, reason = "short lists, in no hurry")]
fn another_version_of_the_harness_is_said_and_what_it_asks_is_compared() {
    let (place, _model) = small(&["echo hello >> README.md"]);
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    edit(&file_of_run(&place, "1.2", "agent.json"), &version, "\"version\": \"0.0.1\"");
    let recording = file_of_run(&place, "1.2", "recording.jsonl");
    edit(&recording, "You are a coding agent", "You are an agent");
    let calls = fs::read_to_string(&recording).expect("a recording");
    let calls: String = calls
        .lines()
        .map(|line| {
            // As another version would have recorded it.
            let mut call: Value = serde_json::from_str(line).expect("a call");
            call["request"]["hash"] = "0".repeat(64).into();
            format!("{call}\n")
        })
        .collect();
    fs::write(&recording, calls).expect("it is written");
    let (answer, status, _) = replay(&place, &[]);
    assert_eq!(status, Some(0), "the work is the same: {answer:#}");
    let run = &answer["runs"][1];
    let notes = run["notes"].to_string();
    let now = env!("CARGO_PKG_VERSION");
    let words = format!("mini was of version 0.0.1, and is of version {now} now");
    assert!(notes.contains(&words), "{notes}");
    assert_eq!(run["requests"]["unlike"], 2, "{answer:#}");
    let differs = &run["unlike"]["differs"];
    assert!(differs["was"].to_string().contains("You are an agent"), "{answer:#}");
    assert!(differs["is"].to_string().contains("You are a coding agent"), "{answer:#}");
}

/// The recorded run could not reach a service on this machine, and neither can the one that
/// is made again: it is in the same sandbox, and its gateway has nobody to ask.
#[test]
fn what_is_made_again_reaches_nothing() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        (
            "implement/1",
            vec![
                Turn::run("echo hello >> README.md; sh try.sh; sh try.sh >> README.md"),
                Turn::say("It says hello."),
            ],
        ),
    ]));
    let mut place = Place::new(&Setup::mini("bwrap", &model.url()));
    let address = model.address;
    let (host, port) = (address.ip(), address.port());
    // By itself, and by the gateway with a token that it may have found.
    let script = format!(
        "bash -c 'exec 3<>/dev/tcp/{host}/{port} && echo reached' 2>/dev/null\n\
         for v in HTTP_PROXY ZAZEN_MINI_TOKEN; do printenv $v >/dev/null && echo has $v; done\n\
         echo tried\n"
    );
    fs::write(place.repo().join("try.sh"), script).expect("a program");
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "Try"]);
    place.carry_through();
    place.down();
    let n_calls = model.calls().len();
    let (answer, status, said) = replay(&place, &[]);
    assert_eq!(status, Some(0), "{answer:#}\n{said}");
    assert_eq!(model.calls().len(), n_calls);
    let page = git(&place.remote(), &["show", "zazen/1-sum-by-month:README.md"]);
    assert!(page.contains("tried") && !page.contains("reached"), "{page}");
}

#[test]
fn a_replay_that_was_killed_leaves_nothing_that_matters() {
    let (place, _model) = small(&["echo hello >> README.md; sleep 2"]);
    let mut child = place.command(&["replay", "1"]).spawn().expect("zazen starts");
    let apart = place.home().join(".zazen/apart/replay-1/1.2");
    for _ in 0..3000 {
        if apart.join("events.jsonl").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert!(apart.exists());
    let (answer, status, said) = replay(&place, &[]);
    assert_eq!(status, Some(0), "{answer:#}\n{said}");
    assert_eq!(left_over(&place), Vec::<PathBuf>::new());
}

#[test]
fn a_task_is_found_by_its_pull_request() {
    let (place, _model) = small(&["echo hello >> README.md"]);
    let pull = place.json(&["task", "show", "1", "--json"])["task"]["state"]["pull"].clone();
    for what in [format!("#{pull}"), format!("local/tally#{pull}")] {
        let answer = place.json(&["replay", &what, "--json"]);
        assert_eq!(answer["verdict"], "same-tree", "{what}: {answer:#}");
    }
    for (what, words) in [
        ("#777", "no task has the pull request"),
        ("9", "there is no task 9"),
        ("seven", "is no task's number and no pull request"),
    ] {
        let output = place.try_zazen(&["replay", what]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
}
