//! What looks like a secret.

use super::super::GuardName::Secrets;
use super::super::{Evidence, examine};
use super::sample::Sample;
use crate::secret::Scanner;

/// Made so that no scanner of repositories finds it here.
fn token() -> String {
    format!("ghp_{}", "Zq3vT8kLw0NxB5rYd7HcJ2mPf9SgA4eUi1Ko")
}

#[test]
fn a_secret_in_a_new_line_is_held_and_never_quoted() {
    let after = format!("a\nb\nx(\"{}\")\n", token());
    let sample = Sample::default().change("src/config.py", "a\nb\n", &after);
    assert_eq!(sample.say(Secrets), "hold src/config.py:3 This looks like a GitHub token.\n");
    let json = sample.report().to_json();
    assert!(!json.contains(&token()), "{json}");
    assert!(json.contains("x(\\\"[secret]\\\")"), "{json}");
}

#[test]
fn one_that_was_there_and_one_that_is_gone_are_not() {
    let line = format!("x(\"{}\")\n", token());
    let sample = Sample::default().change("a.py", &line, &format!("{line}x = 1\n"));
    assert_eq!(sample.say(Secrets), "");
    assert_eq!(Sample::default().remove("a.py", &line).say(Secrets), "");
}

#[test]
fn a_key_over_several_lines_has_all_of_them() {
    let body: String = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "\n"]
        .concat()
        .repeat(4);
    let (begin, end) = ("-----BEGIN PRIVATE", "-----END PRIVATE");
    let text = format!("x\n{begin} KEY-----\n{body}{end} KEY-----\ny\n");
    let said = Sample::default().add("key.pem", &text).say(Secrets);
    assert!(said.starts_with("hold key.pem:2-"), "{said}");
}

#[test]
fn examples_may_be_excepted_by_the_beginning_of_their_path() {
    let mut sample = Sample::default()
        .add("tests/fixtures/a.txt", &token())
        .add("src/tests/fixtures/a.txt", &token());
    sample.rules.secret_exceptions.push("tests/fixtures/".to_owned());
    let said = sample.say(Secrets);
    assert_eq!(said, "hold src/tests/fixtures/a.txt:1 This looks like a GitHub token.\n");
    // A key of this zazen is no example.
    let scanner = Scanner::knowing([token().as_str()]);
    let evidence = Evidence { scanner: &scanner, ..sample.evidence() };
    assert_eq!(examine(&evidence).of(Secrets).count(), 2);
}

#[test]
fn no_guard_quotes_a_secret() {
    let line = format!("run: curl -H x({})\n", token());
    let sample = Sample::default()
        .change(".github/workflows/ci.yml", "a\n", &line)
        .change(
            "Cargo.toml",
            "",
            &format!("[dependencies]\nx = {{ git = \"https://{}@x\" }}\n", token()),
        )
        .says(&format!("Updated `{}.rs`.", token()));
    let json = sample.report().to_json();
    assert!(!json.contains(&token()), "{json}");
    assert!(json.contains("[secret]"), "{json}");
}
