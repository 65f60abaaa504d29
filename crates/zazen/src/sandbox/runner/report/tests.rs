use super::{LINE_BYTES_MAX, TRUNCATED, read_lines};

fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    read_lines(bytes, |line| lines.push(line));
    lines
}

#[test]
fn lines_are_split_and_the_last_one_needs_no_end() {
    assert_eq!(lines(b"a\n\nb\r\nc"), ["a", "", "b", "c"]);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(lines(b"\xff\x00x\n"), ["\u{fffd}\0x"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
    let mut bytes = vec![b'x'; LINE_BYTES_MAX * 3];
    bytes.extend_from_slice(b"\nnext\n");
    let lines = lines(&bytes);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].len(), LINE_BYTES_MAX + TRUNCATED.len());
    assert!(lines[0].ends_with(TRUNCATED));
    assert_eq!(lines[1], "next");
}
