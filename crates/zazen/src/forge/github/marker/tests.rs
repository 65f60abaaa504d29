use super::{CHARS_MAX, fit, key_of, mark};

#[test]
fn a_marked_text_says_its_key() {
    assert_eq!(key_of(&mark("12/plan", "The plan.")), Some("12/plan"));
    assert_eq!(key_of("<!-- zazen:12/plan -->\r\nas GitHub sends it"), Some("12/plan"));
}

#[test]
fn a_quoted_marker_is_none() {
    for text in ["", "> <!-- zazen:12/plan -->", "hello\n<!-- zazen:12/plan -->", "<!-- zazen:12"] {
        assert_eq!(key_of(text), None, "{text:?}");
    }
}

#[test]
fn a_long_text_is_cut_to_what_github_takes_and_says_so() {
    let marked = mark("12/plan", &"ü".repeat(100_000));
    assert!(marked.chars().count() <= CHARS_MAX);
    assert!(marked.contains("too long for a comment"));
    assert_eq!(key_of(&marked), Some("12/plan"));
    assert_eq!(fit("short"), "short");
}
