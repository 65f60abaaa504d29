//! What the next agent is told of the one before.

use expect_test::expect;

use super::*;

fn call(id: &str, name: &str, input: &str) -> Event {
    let paths = Vec::new();
    Event::ToolCall { id: id.to_owned(), name: name.to_owned(), input: input.to_owned(), paths }
}

fn result(id: &str, exit: Option<i32>, ok: bool) -> Event {
    Event::ToolResult { id: id.to_owned(), ok, exit, output: "…".to_owned() }
}

fn account(events: &[Event]) -> Account {
    let mut account = Account::default();
    for event in events {
        account.see(event);
    }
    account
}

#[test]
fn files_commands_with_their_ends_and_the_last_words() {
    let told = account(&[
        Event::Text { text: "I begin.".to_owned() },
        call("1", "Bash", r#"{"command":"make test\nls"}"#),
        result("1", Some(2), false),
        call("2", "Edit", r#"{"file_path":"src/a.rs","old_string":"a","new_string":"b"}"#),
        result("2", None, true),
        call("3", "Read", r#"{"file_path":"src/b.rs"}"#),
        result("3", None, true),
        call("4", "bash", "cargo build"),
        result("4", Some(0), true),
        Event::Text { text: "Now the tests.".to_owned() },
        call("5", "bash", "sleep 99"),
    ]);
    expect![[r#"
        Files that it changed: src/a.rs
        Commands that it ran:
        $ make test ls -> status 2
        $ cargo build -> status 0
        $ sleep 99 -> it did not come back
        Its last words: Now the tests.
    "#]]
    .assert_eq(&told.text());
}

#[test]
fn what_did_nothing_has_nothing_to_tell() {
    assert!(account(&[]).is_empty());
    let retry = Event::Retry { attempt: 1, why: "429".to_owned(), wait_millis: None };
    assert!(account(&[retry]).is_empty());
}

#[test]
fn much_is_told_briefly() {
    let run = |n: usize| {
        let (id, command) = (n.to_string(), format!("echo {n} {}", "x".repeat(500)));
        [call(&id, "bash", &command), result(&id, Some(0), true)]
    };
    let told = account(&(0..1000).flat_map(run).collect::<Vec<_>>()).text();
    assert!(
        told.starts_with("Commands that it ran, without the first 970:\n$ echo 970 "),
        "{told}"
    );
    assert!(told.len() < 8 * 1024, "{}", told.len());
}
