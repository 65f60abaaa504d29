//! What people read of a run, line by line.

use expect_test::{Expect, expect};

use super::{event_line, event_lines};
use crate::id::Time;
use crate::trace::{ChangeKind, Claim, End, Event, FileChange, RateLimit, TodoItem, TodoState};
use crate::usage::Tokens;

fn text(text: &str) -> String {
    text.to_owned()
}

fn call(name: &str, input: &str) -> Event {
    Event::ToolCall { id: text("1"), name: text(name), input: text(input), paths: Vec::new() }
}

fn result(ok: bool, exit: Option<i32>, output: &str) -> Event {
    Event::ToolResult { id: text("1"), ok, exit, output: text(output) }
}

fn end(claim: Claim, words: &str) -> Event {
    Event::End(End { claim, text: text(words), reset: None })
}

fn change(path: &str, kind: ChangeKind) -> FileChange {
    FileChange { path: text(path), kind }
}

fn todo(words: &str, state: TodoState) -> TodoItem {
    TodoItem { text: text(words), state }
}

/// A run of each harness, with everything that can happen in one.
fn events() -> Vec<Event> {
    let used = Tokens { input: 1000, output: 200, cache_read: 0, cache_write: 0 };
    [
        Event::Started { session: None, model: Some(text("a-model")), version: None },
        Event::Thinking { text: String::new() },
        Event::Thinking { text: text("First this,\nthen that.") },
        Event::Text { text: text("Let me look.\n\n- at the program\n") },
        call("Bash", r#"{"command":"cat <<'EOF'\nx\nEOF","description":"carry on"}"#),
        result(true, None, "a   b\n  c\n"),
        call("bash", "sh tests/run.sh"),
        result(false, Some(7), "one is red\n"),
        call("Bash", r#"{"command":"false"}"#),
        result(false, Some(1), "Exit code 1"),
        call("Read", r#"{"file_path":"README.md","limit":5}"#),
        result(false, None, ""),
        call("New", r#"{"n":5}"#),
        result(true, Some(0), ""),
        Event::Delta { text: text("And n") },
        Event::Notice { line: text("{\"type\":\"turn.started\"}") },
        Event::Files {
            changes: vec![change("a.rs", ChangeKind::Added), change("b.rs", ChangeKind::Removed)],
        },
        Event::Todo {
            items: vec![
                todo("Read", TodoState::Done),
                todo("Write", TodoState::Begun),
                todo("Test", TodoState::Waiting),
            ],
        },
        Event::Sub { parent: text("1"), event: Box::new(call("bash", "ls")) },
        Event::Sub { parent: text("1"), event: Box::new(Event::Text { text: text("a\nb") }) },
        Event::Denied { id: None, tool: text("Bash"), why: text("git push is denied") },
        Event::Denied { id: None, tool: text("Bash"), why: String::new() },
        Event::Retry { attempt: 1, why: text("529 overloaded"), wait_millis: Some(500) },
        Event::RateLimit(RateLimit { status: text("allowed_warning"), ..RateLimit::default() }),
        Event::RateLimit(RateLimit {
            status: text("rejected"),
            window: Some(text("five_hour")),
            window_minutes: Some(300),
            used_percent: Some(92),
            resets_at: Some(Time(1_795_227_254_000)),
        }),
        Event::Error { message: text("it went on") },
        Event::Usage { tokens: used, cost_micros: None },
        Event::Usage { tokens: used, cost_micros: Some(18_060) },
        Event::Unknown { line: text("{\"type\":\"new\"}") },
    ]
    .into_iter()
    .chain(Claim::ALL.map(|claim| end(claim, "its words")))
    .collect()
}

fn check(lines: &[String], expected: &Expect) {
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn each_event_in_one_line() {
    let lines: Vec<String> = events().iter().filter_map(event_line).collect();
    check(
        &lines,
        &expect![[r#"
            begins with a-model
            thinks: First this, then that.
            Let me look. - at the program
            $ cat <<'EOF' x EOF
            $ sh tests/run.sh
            status 7
            $ false
            status 1
            Read: README.md
            failed:
            New: {"n":5}
            added a.rs, removed b.rs
            1 of 3 done: Write
            (sub-agent) $ ls
            (sub-agent) a b
            not allowed: git push is denied
            Bash was not allowed
            model call failed, try 1: 529 overloaded
            limit: allowed_warning
            limit `five_hour`: rejected, 92 % used, over at 2026-11-21 02:14 UTC
            error: it went on
            used 1.2k tokens
            used 1.2k tokens, and says $0.0181
            {"type":"new"}
            says it finished: its words
            finished with nothing done: its words
            gave up: its words
            needs a permission: its words
            needs a login: its words
            got an error from the model: its words
            found the model too busy: its words
            reached a limit of the model's service: its words
            got too long for the model: its words
            reached its limit of turns: its words
            reached its limit of money: its words
            crashed: its words
            was stopped: its words
            did not go on: its words
            lost the model's answer in its middle: its words
        "#]],
    );
}

#[test]
fn each_event_in_full() {
    let lines: Vec<String> = events().iter().flat_map(event_lines).collect();
    check(
        &lines,
        &expect![[r#"
            begins with a-model
            ~ First this,
            ~ then that.
            Let me look.

            - at the program
            $ cat <<'EOF'
              x
              EOF
            │ a   b
            │   c
            $ sh tests/run.sh
            │ one is red
            │ status 7
            $ false
            │ Exit code 1
            Read: README.md
            │ failed
            New: {"n":5}
            added a.rs, removed b.rs
            [x] Read
            [>] Write
            [ ] Test
                $ ls
                a
                b
            not allowed: git push is denied
            Bash was not allowed
            model call failed, try 1: 529 overloaded
            limit: allowed_warning
            limit `five_hour`: rejected, 92 % used, over at 2026-11-21 02:14 UTC
            error: it went on
            used 1.2k tokens
            used 1.2k tokens, and says $0.0181
            {"type":"new"}
            says it finished
            finished with nothing done: its words
            gave up: its words
            needs a permission: its words
            needs a login: its words
            got an error from the model: its words
            found the model too busy: its words
            reached a limit of the model's service: its words
            got too long for the model: its words
            reached its limit of turns: its words
            reached its limit of money: its words
            crashed: its words
            was stopped: its words
            did not go on: its words
            lost the model's answer in its middle: its words
        "#]],
    );
}

#[test]
fn long_output_loses_its_middle() {
    let numbers = |n: u32| (1..=n).map(|i| i.to_string() + "\n").collect::<String>();
    assert_eq!(event_lines(&result(true, None, &numbers(21))).len(), 21);
    let lines = event_lines(&result(true, None, &numbers(1000)));
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[11..14], ["│ 12", "│ … 980 more lines", "│ 993"]);
    let [line] = event_lines(&result(true, None, &"ä".repeat(500))).try_into().unwrap();
    assert_eq!(line.chars().count(), 2 + 160 + 1);
}

#[test]
fn what_fools_a_terminal_is_not_shown() {
    let hostile = "\u{1b}]0;owned\u{7}red\u{202e}der\rover";
    for event in [
        Event::Text { text: text(hostile) },
        call("Bash", &serde_json::json!({ "command": hostile }).to_string()),
        call(hostile, "{}"),
        result(true, None, hostile),
        Event::Error { message: text(hostile) },
        Event::Unknown { line: text(hostile) },
    ] {
        for line in event_lines(&event).into_iter().chain(event_line(&event)) {
            assert!(!line.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r', '\n']), "{line:?}");
        }
    }
}
