use serde_json::json;

use super::*;

fn lines(n_bytes_max: usize, parts: &[&[u8]]) -> Vec<String> {
    let mut lines = Lines::new(n_bytes_max);
    let mut found: Vec<String> = parts.iter().flat_map(|part| lines.push(part)).collect();
    found.extend(lines.end());
    found
}

#[test]
fn lines_are_the_same_wherever_the_stream_is_cut() {
    let stream = "{\"a\":\"ä\"}\r\n\n{\"b\":2}\nlast".as_bytes();
    let whole = lines(100, &[stream]);
    assert_eq!(whole, ["{\"a\":\"ä\"}\r", "{\"b\":2}", "last"]);
    for at in 0..=stream.len() {
        assert_eq!(lines(100, &[&stream[..at], &stream[at..]]), whole, "cut at {at}");
    }
}

#[test]
fn of_a_line_that_is_too_long_the_beginning_is_kept_and_the_rest_counted() {
    let found = lines(4, &[b"abcdef", b"gh\nij\n"]);
    assert_eq!(found, ["abcd… (4 more bytes)", "ij"]);
    let huge = vec![b'x'; 64 << 20];
    let mut lines = Lines::new(1 << 10);
    for part in huge.chunks(1 << 16) {
        assert!(lines.push(part).is_empty());
        assert!(lines.begun.capacity() <= 1 << 16, "{}", lines.begun.capacity());
    }
    assert!(lines.push(b"\n")[0].ends_with("(67107840 more bytes)"));
}

#[test]
fn broken_text_is_mended() {
    assert_eq!(lines(100, &[b"{\"a\":\"\xff\"}\n"]), ["{\"a\":\"\u{fffd}\"}"]);
}

#[test]
fn messages_that_stick_together_are_parted() {
    let value = |id: u64| Piece::Value(json!({ "jsonrpc": "2.0", "id": id }));
    let junk = |text: &str| Piece::Junk(text.to_owned());
    for (line, expected) in [
        (r#"{"jsonrpc":"2.0","id":1}"#, vec![value(1)]),
        (r#"{"jsonrpc":"2.0","id":1}{"jsonrpc":"2.0","id":2}"#, vec![value(1), value(2)]),
        (r#"[{"jsonrpc":"2.0","id":1},{"jsonrpc":"2.0","id":2}]"#, vec![value(1), value(2)]),
        (r#"ready. {"jsonrpc":"2.0","id":1} bye"#, vec![junk("ready. "), value(1), junk("bye")]),
        (
            r#"{"jsonrpc":"2.0","id":{"jsonrpc":"2.0","id":2}"#,
            vec![junk(r#"{"jsonrpc":"2.0","id":"#), value(2)],
        ),
        ("äh", vec![junk("äh")]),
        ("", vec![]),
    ] {
        assert_eq!(pieces(line), expected, "{line}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(pieces(&deep), [junk(&deep)]);
}
