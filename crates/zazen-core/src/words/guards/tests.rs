use expect_test::expect;

use super::super::tests::{HOSTILE, check_harmless};
use super::*;
use crate::id::ContentHash;

fn finding(guard: GuardName, level: Level, what: &str) -> Finding {
    Finding {
        guard,
        level,
        path: Some("src/login.rs".to_owned()),
        lines: Some((3, 9)),
        what: what.to_owned(),
        excerpt: "#[test]\nfn logs_in() {".to_owned(),
        content: ContentHash::of(b"x"),
    }
}

fn report() -> Report {
    let mut findings = vec![
        finding(GuardName::Tests, Level::Hold, "The test `logs_in` is gone."),
        finding(GuardName::Scope, Level::Flag, "The plan does not name `src/login.rs`."),
        finding(GuardName::Scope, Level::Flag, "The plan does not name `build.rs`."),
    ];
    findings[1].lines = None;
    findings[1].excerpt = String::new();
    findings[2].path = None;
    findings[2].excerpt = String::new();
    Report { findings, off: vec![GuardName::Licence] }
}

#[test]
fn the_line_says_how_many_guards_passed_and_which_did_not() {
    assert_eq!(
        guards(&report()),
        "7 passed; 1 flagged: scope (2); 1 held: tests (1); 1 off: licences"
    );
    assert_eq!(guards(&Report::default()), "10 passed");
}

#[test]
fn findings_are_listed_with_their_place_and_lines() {
    expect![[r#"
        - **held**, tests at `src/login.rs:3-9`: The test `logs_in` is gone.

        ```text
        #[test]
        fn logs_in() {
        ```

        - flagged, scope at `src/login.rs`: The plan does not name `src/login.rs`.
        - flagged, scope: The plan does not name `build.rs`.
    "#]]
    .assert_eq(&guard_findings(&report()));
    assert_eq!(held_findings(&report()).lines().count(), 7);
    assert_eq!(guard_findings(&Report::default()), "");
}

#[test]
fn long_lists_are_cut() {
    let mut report = report();
    let one = report.findings[0].clone();
    report.findings = vec![one; FINDINGS_MAX + 3];
    let text = guard_findings(&report);
    assert!(text.ends_with("- and 3 more\n"), "{text}");
    assert_eq!(text.matches("```text").count(), EXCERPTS_MAX);
    assert_eq!(text.matches("**held**").count(), FINDINGS_MAX);
}

#[test]
fn what_comes_from_a_change_is_harmless() {
    let mut report = report();
    report.findings[0].path = Some(HOSTILE.to_owned());
    report.findings[0].what = HOSTILE.to_owned();
    report.findings[0].excerpt = HOSTILE.to_owned();
    check_harmless(&guard_findings(&report));
    check_harmless(&held_findings(&report));
}
