use super::{CHARS_MAX, HomeMark, fit, marker};

fn home(name: &str) -> HomeMark {
    HomeMark(name.to_owned())
}

#[test]
fn a_marked_text_says_its_key() {
    let ours = home("0123456789");
    let text = ours.mark("12/plan", "The plan.");
    assert_eq!(text, "<!-- zazen:12/plan by 0123456789 -->\nThe plan.");
    assert_eq!(marker(&text).map(|marker| marker.key), Some("12/plan"));
    assert!(ours.is_mark("12/plan", &text));
    assert!(ours.is_mark("12/plan", &text.replace('\n', "\r\n")), "as GitHub sends it");
    assert!(!ours.is_mark("1/plan", &text));
}

#[test]
fn a_text_of_another_home_is_not_ours() {
    let text = home("aaaaaaaaaa").mark("12/plan", "Another plan.");
    assert!(!home("0123456789").is_mark("12/plan", &text));
    // Written before homes had names.
    assert!(home("0123456789").is_mark("12/plan", "<!-- zazen:12/plan -->\nThe plan."));
}

#[test]
fn a_home_keeps_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("github/home");
    let first = HomeMark::of(&file).unwrap();
    assert_eq!(HomeMark::of(&file).unwrap(), first);
    assert_ne!(HomeMark::of(&dir.path().join("another")).unwrap(), first);
    std::fs::write(&file, "-->").unwrap();
    let err = HomeMark::of(&file).unwrap_err().to_string();
    assert!(err.contains("delete it to get another"), "{err}");
}

#[test]
fn a_quoted_marker_is_none() {
    for text in ["", "> <!-- zazen:12/plan -->", "hello\n<!-- zazen:12/plan -->", "<!-- zazen:12"] {
        assert_eq!(marker(text), None, "{text:?}");
    }
}

#[test]
fn a_long_text_is_cut_to_what_github_takes_and_says_so() {
    let ours = home("0123456789");
    let marked = ours.mark("12/plan", &"ü".repeat(100_000));
    assert!(marked.chars().count() <= CHARS_MAX);
    assert!(marked.contains("too long for a comment"));
    assert!(ours.is_mark("12/plan", &marked));
    assert_eq!(fit("short"), "short");
}
