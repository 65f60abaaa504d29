//! Tests of the reader of server-sent events.

use proptest::prelude::*;

use super::*;

fn read(chunks: &[&[u8]]) -> Vec<String> {
    let mut reader = SseReader::default();
    chunks.iter().flat_map(|chunk| reader.push(chunk)).collect()
}

#[test]
fn an_event_ends_at_an_empty_line() {
    let text = b"event: a\ndata: one\n\n: comment\ndata:two\ndata: three\n\nid: 7\n\n";
    assert_eq!(read(&[text]), ["one", "two\nthree"]);
}

#[test]
fn an_event_that_breaks_off_is_none() {
    assert_eq!(read(&[b"data: one\n\ndata: two\n"]), ["one"]);
}

#[test]
fn all_three_line_ends_are_line_ends() {
    assert_eq!(read(&[b"data: a\r\n\r\ndata: b\r\rdata: c\n\n"]), ["a", "b", "c"]);
    assert_eq!(read(&[b"data: a\r", b"\n\r", b"\ndata: b\r", b"\r"]), ["a", "b"]);
}

#[test]
fn a_line_that_is_too_long_costs_its_event_only() {
    let mut reader = SseReader::default();
    assert!(reader.push(b"data: lost\ndata: ").is_empty());
    let part = vec![b'x'; 1 << 20];
    for _ in 0..10 {
        assert!(reader.push(&part).is_empty());
        assert!(reader.line.as_ref().is_none_or(|line| line.len() <= DATA_BYTES_MAX));
    }
    assert!(reader.push(b"\n\n").is_empty());
    assert_eq!(reader.push(b"data: next\n\n"), ["next"]);
}

#[test]
fn many_lines_that_are_too_long_together_are_skipped_as_well() {
    let mut reader = SseReader::default();
    let line = format!("data: {}\n", "x".repeat(1 << 20));
    for _ in 0..20 {
        assert!(reader.push(line.as_bytes()).is_empty());
        assert!(reader.data.as_ref().is_none_or(|data| data.len() <= DATA_BYTES_MAX));
    }
    assert!(reader.push(b"\n").is_empty());
    assert_eq!(reader.push(b"data: next\n\n"), ["next"]);
}

const LINE: &str = "(data: ?|event: |: |)[a-c\u{e9}{}\"]{0,6}(\n|\r\n|\r|\n\n)";

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(
        lines in prop::collection::vec(LINE, 0..30),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let text = lines.concat().into_bytes();
        let whole = read(&[&text]);
        let mut ends: Vec<usize> = cuts.drain(..).map(|cut| cut.index(text.len() + 1)).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let chunks: Vec<&[u8]> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read(&chunks), whole.clone());
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(read(&bytes), whole);
    }
}
