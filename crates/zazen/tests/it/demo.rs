//! The demo, and the recording that it plays.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;
use serde_json::Value;

use crate::harness::model::{Model, demo_script};
use crate::harness::place::{Place, Setup, git};

/// The bundled recording is what the real gateway records when the scripted model
/// answers the real `mini`. `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_recording_is_what_the_gateway_records() {
    let model = Model::start(demo_script());
    let mut place = Place::new(&Setup::mini("none", &model.url()));
    place.carry_through();
    place.down();
    let mut recording = String::new();
    for run in ["1.1", "1.2", "1.3"] {
        let file = place.home().join(".zazen/runs").join(run).join("recording.jsonl");
        for line in fs::read_to_string(file).expect("a recording").lines() {
            let mut call: Value = serde_json::from_str(line).expect("a call");
            // What differs from one machine to the next is not needed to play it.
            for key in ["bill", "latency_ms"] {
                call.as_object_mut().expect("a call").remove(key);
            }
            call["at_ms"] = 0.into();
            call["request"]["hash"] = "".into();
            call["request"]["body"] = Value::Null;
            writeln!(recording, "{call}").expect("it is a string");
        }
    }
    expect_file!["../../assets/demo/recording.jsonl"].assert_eq(&recording);
}

#[test]
fn the_demo_ends_with_a_draft_pull_request() {
    let dir = tempfile::tempdir().expect("a folder");
    let demo = dir.path().join("demo");
    let output = zazen(&["demo", "--json", "--dir", &demo.display().to_string()]);
    let last = output.lines().last().expect("it says something");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["event"], "draft", "{output}");
    let page = fs::read_to_string(last["page"].as_str().expect("a page")).expect("the page");
    assert!(page.contains("all tests passed"), "{page}");
    let remote = last["remote"].as_str().expect("a remote");
    let branch = last["branch"].as_str().expect("a branch");
    let tip = git(Path::new(remote), &["rev-parse", branch]);
    assert_eq!(tip.trim(), last["commit"].as_str().expect("a commit"));
}

#[expect(clippy::disallowed_methods, reason = "tests start the program as a person does")]
fn zazen(args: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_zazen"))
        .args(args)
        .output()
        .expect("zazen starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
