use serde_json::json;

use super::*;

fn like_text(text: &str) -> String {
    text_like(text, &Places::default())
}

#[test]
fn what_varies_is_taken_out() {
    for (text, expected) in [
        ("Today's date is 2026-12-01.", "Today's date is ‹date›."),
        ("at 2026-12-01T11:16:52.118Z it", "at ‹date› it"),
        ("Tue Dec  1 11:15:40 UTC 2026", "‹date›"),
        ("Date:   Tue Dec 1 11:15:40 2026 +0000", "Date:   ‹date›"),
        ("Tue, 1 Dec 2026 11:15:40 +0000", "‹date›"),
        ("-rw-r--r-- 1 a a 177 Dec  1 11:09 x", "-rw-r--r-- 1 a a 177 ‹date› x"),
        ("finished in 0.31s", "finished in ‹duration›"),
        ("real\t0m0.004s", "real\t‹duration›"),
        ("it took 12 ms and 3 seconds", "it took ‹duration› and ‹duration›"),
        ("session 0197b2f0-6f0e-7c33-8a31-0d6f5ac7c1aa", "session ‹uuid›"),
        ("[work 5c319aa] Say hello", "[work ‹hash›] Say hello"),
        ("HEAD is 5c319aa0aa5c319aa0aa5c319aa0aa5c319aa0aa", "HEAD is ‹hash›"),
        ("see /tmp/claude-60800/x/tasks/b1.output", "see ‹temporary›"),
        ("http://127.0.0.1:43521/v1", "http://‹port›/v1"),
        ("OS Version: Linux 6.12.0-amd64", "OS Version: ‹kernel›"),
        ("Chunk ID: 9f3a01\nWall time: 0.0512 seconds", "‹chunk›\n‹duration› seconds"),
        ("x-anthropic-billing-header: cc_version=2.1; cch=1f;\nYou", "‹billing›\nYou"),
    ] {
        assert_eq!(like_text(text), expected, "{text}");
    }
}

#[test]
fn what_says_something_stays() {
    for text in [
        "a facade, deadbee, 1234567 and 3 files",
        "version 2.1.329 of 12 steps",
        "May I go on? In March there were 3.",
        "src/tmp/file.rs and template",
        "4 passed; 0 failed",
    ] {
        assert_eq!(like_text(text), text);
    }
}

#[test]
fn places_of_a_run_are_taken_out_the_longest_first() {
    let places = Places::new([
        ("/srv/runs/1.2".to_owned(), HOME),
        ("/srv/runs/1.2/work".to_owned(), WORKSPACE),
        ("/".to_owned(), "‹root›"),
    ]);
    let text = "cd /srv/runs/1.2/work; ls /srv/runs/1.2/x";
    assert_eq!(text_like(text, &places), "cd ‹workspace›; ls ‹home›/x");
}

#[test]
fn who_asks_is_left_out_and_what_is_asked_is_not() {
    let asked = |session: &str, text: &str| {
        let messages = json!([{ "user": "kept", "text": text }]);
        json!({ "metadata": { "user_id": session }, "messages": messages })
    };
    let places = Places::default();
    let (one, two) = (asked("a", "on 2026-12-01"), asked("b", "on 2026-12-02"));
    assert_eq!(like(&one, &places), like(&two, &places));
    assert_ne!(like(&one, &places), like(&asked("a", "on Monday"), &places));
    assert_eq!(like(&one, &places)["messages"][0]["user"], "kept");
}

#[test]
fn the_first_difference_is_named_with_its_place() {
    let was = json!({ "a": [1, { "b/c": "the tests pass" }], "z": 1 });
    let is = json!({ "a": [1, { "b/c": "the tests fail" }], "z": 2 });
    let found = first_difference(&was, &is).unwrap();
    assert_eq!(found.at, "/a/1/b~1c");
    assert_eq!((found.was.as_str(), found.is.as_str()), ("the tests pass", "the tests fail"));
    assert_eq!(first_difference(&was, &was), None);
    let shorter = first_difference(&json!([1, 2]), &json!([1])).unwrap();
    assert_eq!((shorter.at.as_str(), shorter.is.as_str()), ("/1", "nothing"));
}

/// A hostile request costs time in proportion, and no more.
#[test]
fn long_texts_are_gone_through_once() {
    let text = "2026-12-01 a1b2c3d ".repeat(200_000);
    assert!(like_text(&text).starts_with("‹date› ‹hash› "));
}

#[test]
fn the_docs_list_every_rule() {
    let page = include_str!("../../../../docs/replay.md");
    for Rule { what, becomes, .. } in RULES {
        let row = format!("| {what} | `{becomes}` |");
        assert!(page.contains(&row), "docs/replay.md lacks this row:\n{row}");
    }
    for Field { name, what } in FIELDS {
        let row = format!("| `{name}` | {what} |");
        assert!(page.contains(&row), "docs/replay.md lacks this row:\n{row}");
    }
}
