use std::collections::BTreeMap;
use std::path::PathBuf;

use expect_test::expect;
use zazen_core::trace::{Claim, Event};

use super::{Custom, Patterns, launch, number};
use crate::{Facts, Kit, Launch, Order, Reader, Task};

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

/// As an owner would describe Aider.
fn lines() -> Patterns {
    Patterns {
        error: strings(&["^litellm\\.(?<text>.*)", "^Can't initialize"]),
        usage: strings(&["^Tokens: (?<input>[0-9.,k]+) sent, (?<output>[0-9.,k]+) received"]),
        done: strings(&["^Tokens: ", "^All is done"]),
        text: Vec::new(),
    }
}

fn started(args: &[&str], task: Task) -> Launch {
    let custom = Custom {
        program: PathBuf::from("/opt/owl/bin/owl"),
        folder: PathBuf::from("/opt/owl/bin"),
        model: "large".to_owned(),
        args: strings(args),
        env: [("OWL_URL", "{url}/v1"), ("OWL_KEY", "{key}"), ("OWL_HOME", "{home}/owl")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        lines: lines(),
    };
    let kit = Kit::default();
    let (prompt, route, token) = ("Do it.", "r", "t0ken");
    launch(&custom, Order { task, prompt, route, token, session: None, kit: &kit })
}

#[test]
fn the_prompt_comes_in_the_way_that_the_owner_says() {
    let by_input = started(&["--model", "x/{model}"], Task::Write);
    assert_eq!(by_input.argv, ["/opt/owl/bin/owl", "--model", "x/large"]);
    assert_eq!((by_input.stdin.as_str(), by_input.files.len()), ("Do it.", 0));
    let by_argument = started(&["--message={prompt}"], Task::Write);
    assert_eq!(by_argument.argv[1..], ["--message=Do it."]);
    assert_eq!(by_argument.stdin, "", "its input is closed");
    let by_file = started(&["--message-file", "{prompt_file}"], Task::Read);
    assert_eq!(by_file.argv[1..], ["--message-file", "{home}/prompt.md"]);
    assert_eq!(by_file.stdin, "");
    assert!(by_file.files["prompt.md"].starts_with("Change no file"), "{:?}", by_file.files);
    assert!(by_file.files["prompt.md"].ends_with("Do it."));
    let env = [("OWL_HOME", "{home}/owl"), ("OWL_KEY", "t0ken"), ("OWL_URL", "{gateway}/r/v1")];
    let env: BTreeMap<_, _> =
        env.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    assert_eq!(by_file.env, env);
}

/// What a program came to that printed this and ended with a status.
fn came_to(lines: &Patterns, text: &str, code: i32, has_changed: Option<bool>) -> String {
    let mut reader = Reader::custom(lines);
    for line in text.lines() {
        reader.read(line);
    }
    let end = reader.conclude(&Facts { code: Some(code), has_changed, ..Facts::default() });
    format!("{:?}: {}", end.claim, end.text.replace('\n', " / "))
}

#[test]
fn nothing_is_a_success_that_does_not_say_so() {
    let (done, changed) = ("I did it.\nTokens: 4.6k sent, 12 received.\n", Some(true));
    let cases = [
        (done, 0, changed),
        (done, 1, changed),
        (done, 0, Some(false)),
        ("I did it.\n", 0, changed),
        ("", 0, changed),
        ("litellm.AuthenticationError: Incorrect API key provided\n", 0, changed),
        ("litellm.RateLimitError: slow\nI did it.\nAll is done\n", 0, changed),
        ("All is done\nlitellm.APIError: 500 oh\n", 0, changed),
        ("Gave up: it cannot be done.\nAll is done\n", 0, changed),
    ];
    let all = cases.map(|(text, code, changed)| came_to(&lines(), text, code, changed));
    expect![[r#"
        Finished: I did it.
        Crashed: 
        NothingDone: I did it.
        Crashed: 
        Crashed: 
        NeedsLogin: AuthenticationError: Incorrect API key provided
        Finished: I did it.
        ModelError: APIError: 500 oh
        GaveUp: Gave up: it cannot be done."#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn without_a_last_line_the_status_says_it_and_errors_say_otherwise() {
    let lines = Patterns { error: strings(&["^ERROR"]), ..Patterns::default() };
    let all = [
        came_to(&lines, "Two lines\nof an answer.\n", 0, None),
        came_to(&lines, "Done.\n", 2, Some(true)),
        came_to(&lines, "ERROR no\n", 0, Some(true)),
        came_to(&lines, "ERROR passing\nDone.\n", 0, Some(true)),
        came_to(&lines, "", 0, Some(false)),
        came_to(&lines, "", 0, None),
    ];
    expect![[r#"
        Finished: Two lines / of an answer.
        Crashed: 
        Crashed: ERROR no
        Finished: Done.
        NothingDone: 
        Finished: "#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn lines_are_told_as_what_they_are_and_none_is_lost() {
    let mut lines = lines();
    lines.text = strings(&["^> (?<text>.*)"]);
    let mut reader = Reader::custom(&lines);
    let text =
        "banner\n> Hello.\nlitellm.APIError: oh\nTokens: 1,000 sent, 2k received\nAll is done";
    let events: Vec<Event> = text.lines().flat_map(|line| reader.read(line)).collect();
    let events: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    expect![[r#"
        Notice { line: "banner" }
        Text { text: "Hello." }
        Error { message: "APIError: oh" }
        Usage { tokens: Tokens { input: 1000, output: 2000, cache_read: 0, cache_write: 0 }, cost_micros: None }
        Notice { line: "All is done" }"#]]
    .assert_eq(&events.join("\n"));
    assert_eq!(reader.n_unknown(), 0);
    let end = reader.conclude(&Facts { code: Some(0), ..Facts::default() });
    assert_eq!(end.claim, Claim::Crashed, "nothing was said after the error");
}

#[test]
fn numbers_are_read_as_programs_print_them_for_people() {
    for (text, n) in [
        ("12", Some(12)),
        ("1,234", Some(1_234)),
        ("4.6k", Some(4_600)),
        ("1.25M", Some(1_250_000)),
        ("0.0004k", Some(0)),
        ("99999999999999999999", None),
        ("9999999999999999999k", None),
        ("k", None),
        ("", None),
        ("x", None),
    ] {
        assert_eq!(number(text), n, "{text}");
    }
}

#[test]
fn a_pattern_that_cannot_be_used_is_named() {
    let lines = Patterns { done: strings(&["fine", "(oh"]), ..Patterns::default() };
    expect!["`(oh` is no pattern: error: unclosed group"]
        .assert_eq(&lines.check().unwrap_err().to_string());
    let lines = Patterns { text: strings(&["(a{1000}){1000}"]), ..Patterns::default() };
    assert!(lines.check().is_err(), "it would take too much memory");
    assert!(super::Patterns::default().check().is_ok());
}
