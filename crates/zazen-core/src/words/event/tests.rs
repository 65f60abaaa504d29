//! What people read of a run, line by line.

use expect_test::{Expect, expect};

use super::{event_line, event_lines};
use crate::trace::{Claim, End, Event};
use crate::usage::Tokens;

fn text(text: &str) -> String {
    text.to_owned()
}

fn call(name: &str, input: &str) -> Event {
    Event::ToolCall { id: text("1"), name: text(name), input: text(input) }
}

fn result(ok: bool, exit: Option<i32>, output: &str) -> Event {
    Event::ToolResult { id: text("1"), ok, exit, output: text(output) }
}

fn end(claim: Claim, words: &str) -> Event {
    Event::End(End { claim, text: text(words) })
}

/// A run of each harness, with everything that can happen in one.
fn events() -> Vec<Event> {
    vec![
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
        Event::Retry { attempt: 1, why: text("529 overloaded") },
        Event::RateLimit { status: text("allowed_warning"), resets_at: None },
        Event::Error { message: text("it went on") },
        Event::Usage { tokens: Tokens { input: 1000, output: 200, cache_read: 0, cache_write: 0 } },
        Event::Unknown { line: text("{\"type\":\"new\"}") },
        end(Claim::Finished, "Done."),
        end(Claim::Limit, "30 turns"),
        end(Claim::NeedsLogin, "401"),
        end(Claim::Quota, "429"),
        end(Claim::ModelError, "500"),
        end(Claim::Aborted, "killed"),
    ]
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
        model call failed, try 1: 529 overloaded
        rate limit: allowed_warning
        error: it went on
        used 1.2k tokens
        {"type":"new"}
        says it finished: Done.
        reached its limit: 30 turns
        needs a login: 401
        is out of quota: 429
        got an error from the model: 500
        was stopped: killed
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
        model call failed, try 1: 529 overloaded
        rate limit: allowed_warning
        error: it went on
        used 1.2k tokens
        {"type":"new"}
        says it finished
        reached its limit: 30 turns
        needs a login: 401
        is out of quota: 429
        got an error from the model: 500
        was stopped: killed
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
