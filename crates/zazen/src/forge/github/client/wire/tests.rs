//! Tests of what answers have in common.

use super::*;

#[test]
fn texts_are_cut_at_whole_characters() {
    assert_eq!(cut("äöü".to_owned(), 2), "äö");
    assert_eq!(cut("äöü".to_owned(), 3), "äöü");
    assert_eq!(body(Some("ä".repeat(70_000))).chars().count(), BODY_CHARS_MAX);
    assert_eq!(line(None), "");
}

#[test]
fn a_moment_is_read_in_any_zone_and_never_made_up() {
    assert_eq!(time("2026-11-21T09:00:00Z"), time("2026-11-21T10:00:00+01:00"));
    assert_eq!(time("1970-01-01T00:00:01Z"), Some(Time(1_000)));
    for text in ["", "yesterday", "2026-11-21", "1969-01-01T00:00:00Z"] {
        assert_eq!(time(text), None, "{text}");
    }
}

#[test]
fn people_are_compared_by_id_where_it_is_known() {
    let actor = |login: &str, id| Actor { login: login.to_owned(), id, is_bot: false };
    assert!(actor("ada", 1).is(&actor("renamed", 1)));
    assert!(!actor("ada", 1).is(&actor("ada", 2)));
    assert!(actor("z[bot]", 0).is(&actor("Z[bot]", 9)));
    assert!(!actor("", 0).is(&actor("", 0)), "nobody is nobody");
}

#[test]
fn an_answer_that_cannot_be_read_is_not_quoted() {
    let said =
        parse::<Vec<u8>>(b"{\"token\":\"ghs_x\"}", "`GET x` at `h`").unwrap_err().to_string();
    assert!(said.starts_with("`GET x` at `h` is answered") && !said.contains("ghs"), "{said}");
}
