//! The command line, as its user meets it.

use std::fs;
use std::io::Read as _;
use std::process::{Output, Stdio};

use expect_test::expect_file;

use crate::harness::model::small_script;
use crate::harness::place::Place;

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("errors are text")
}

/// The program refused with this status, in one sentence on standard error.
fn check_refused(output: &Output, status: i32, words: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.starts_with("error: ") && said.contains(words), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty(), "nothing is on standard output");
}

#[test]
fn a_home_is_not_made_twice() {
    let (place, _model) = Place::with(small_script());
    let before = fs::read(place.home().join("zazen.toml")).expect("the configuration");
    let home = place.home().display().to_string();
    check_refused(&place.try_zazen(&["init", "--yes", &home]), 2, "is a home already");
    assert_eq!(fs::read(place.home().join("zazen.toml")).expect("it is there"), before);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
    let (place, _model) = Place::with(small_script());
    place.configure("[sandbox]\nengine", "[sandbox]\nengin");
    let output = place.try_zazen(&["up"]);
    check_refused(&output, 3, "`engin` is not a key here; did you mean `engine`?");
    let line = fs::read_to_string(place.home().join("zazen.toml"))
        .expect("the configuration")
        .lines()
        .position(|line| line.starts_with("engin "))
        .expect("the line");
    assert!(said(&output).contains(&format!("zazen.toml:{}:", line + 1)), "{}", said(&output));
}

#[test]
fn what_can_be_read_can_be_read_by_machines() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.down();
    for args in [
        &["status", "--json"][..],
        &["repo", "list", "--json"],
        &["issue", "list", "--json"],
        &["issue", "show", "1", "--json"],
        &["issue", "new", "Another", "--json"],
        &["issue", "comment", "1", "Good.", "--json"],
        &["task", "list", "--json"],
        &["task", "show", "1", "--json"],
    ] {
        let answer = place.json(args);
        assert!(answer.is_array() || answer.is_object(), "{args:?}: {answer}");
    }
    let events = place.zazen(&["task", "logs", "1", "--json"]);
    assert!(events.lines().count() > 3, "{events}");
    for line in events.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(event["run"], "1.1");
    }
    let doctor = place.try_zazen(&["doctor", "--json"]);
    let findings: serde_json::Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    assert!(findings.as_array().is_some_and(|all| all.len() > 5), "{findings}");
}

#[test]
fn doctor_says_how_to_mend_what_is_missing() {
    let (mut place, _model) = Place::with(small_script());
    let good = place.try_zazen(&["doctor"]);
    assert_eq!(good.status.code(), Some(0), "{}", String::from_utf8_lossy(&good.stdout));
    place.set("ZAZEN_TEST_KEY", "");
    fs::rename(place.repo(), place.repo().with_file_name("away")).expect("it is moved");
    let bad = place.try_zazen(&["doctor"]);
    let findings = String::from_utf8(bad.stdout).expect("text");
    assert_eq!(bad.status.code(), Some(4), "{findings}");
    for words in ["the variable ZAZEN_TEST_KEY is not set", "is gone"] {
        let mut lines = findings.lines().skip_while(|line| !line.contains(words));
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with("BAD"), "{words}: {findings}");
        assert!(lines.next().is_some_and(|line| line.trim().starts_with("fix: ")), "{findings}");
    }
}

#[test]
fn errors_are_one_sentence_each() {
    let (place, _model) = Place::with(small_script());
    check_refused(&place.try_zazen(&["task", "show", "7"]), 2, "there is no task 7");
    check_refused(&place.try_zazen(&["task", "stop", "7"]), 2, "there is no task 7");
    check_refused(&place.try_zazen(&["issue", "show", "7"]), 2, "there is no issue #7");
    check_refused(&place.try_zazen(&["issue", "comment", "7", "Hi"]), 2, "there is no issue #7");
    check_refused(&place.try_zazen(&["issue", "new", " "]), 2, "a title is one line");
    check_refused(
        &place.try_zazen(&["repo", "add", "/nowhere"]),
        2,
        "there is nothing at `/nowhere`",
    );
    let plain = place.home().display().to_string();
    let repo = place.repo().display().to_string();
    check_refused(&place.try_zazen(&["repo", "add", &repo]), 2, "is in zazen.toml already");
    check_refused(
        &place.try_zazen(&["issue", "list", "--home", &format!("{plain}/tasks")]),
        3,
        "make a home with `zazen init`",
    );
    check_refused(
        &place.try_zazen(&["status", "--home", "/nowhere"]),
        3,
        "make a home with `zazen init`",
    );
}

#[test]
fn every_shell_gets_its_completions() {
    let (place, _model) = Place::with(small_script());
    for shell in ["bash", "zsh", "fish"] {
        let completions = place.zazen(&["completions", shell]);
        assert!(completions.contains("zazen") && completions.contains("doctor"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (place, _model) = Place::with(small_script());
    for n in 0..3 {
        place.zazen(&["issue", "new", &format!("Issue {n}")]);
    }
    for args in [&["issue", "list"][..], &["completions", "bash"], &["--help"], &["doctor"]] {
        let mut child = place
            .command(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("zazen starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        child.wait().expect("it ends");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}

#[test]
fn the_help_is_what_was_reviewed() {
    let (mut place, _model) = Place::with(small_script());
    place.set("COLUMNS", "100");
    let mut all = String::new();
    for args in [
        &[][..],
        &["init"],
        &["repo"],
        &["repo", "add"],
        &["repo", "list"],
        &["issue"],
        &["issue", "new"],
        &["issue", "comment"],
        &["issue", "list"],
        &["issue", "show"],
        &["up"],
        &["status"],
        &["task"],
        &["task", "list"],
        &["task", "show"],
        &["task", "logs"],
        &["task", "stop"],
        &["task", "retry"],
        &["doctor"],
        &["completions"],
        &["demo"],
    ] {
        let help = place.zazen(&[args, &["--help"]].concat());
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        let args = [args, &["--help"]].concat().join(" ");
        all.extend(["$ zazen ", &args, "\n", &help.join("\n"), "\n\n"]);
    }
    expect_file!["snapshots/help.txt"].assert_eq(&all);
}
