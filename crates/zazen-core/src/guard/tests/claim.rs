//! What agents say that is not so.

use super::super::Checks;
use super::super::GuardName::Claims;
use super::sample::Sample;

const TEST: &str = "#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}\n";

fn say(sample: Sample, report: &str) -> String {
    sample.says(report).say(Claims)
}

fn work() -> Sample {
    Sample::default().change("src/add.rs", "a\n", "b\n")
}

#[test]
fn that_tests_pass_needs_a_run_of_tests_that_passed() {
    for claim in [
        "All tests pass.",
        "all 12 tests passed",
        "The full test suite is passing now.",
        "- ✅ 14 passed in 0.3 s",
        "Done. The unit tests are all green.",
    ] {
        let said = say(work().ran("cargo test -p add", true), claim);
        assert_eq!(said, "", "{claim}");
        let said = say(work().ran("ls", true), claim);
        assert_eq!(
            said, "flag - It says that tests pass, and no command of it ran any.\n",
            "{claim}"
        );
        let said = say(work().ran("cargo test", true).ran("cd x && pytest -q", false), claim);
        assert_eq!(
            said,
            "flag - It says that tests pass, and the last that it ran failed: `cd x && pytest \
             -q`.\n",
            "{claim}"
        );
        let red = Sample { checks: Some(Checks::Red), ..work().ran("cargo test", true) };
        assert!(say(red, claim).contains("the checks are red"), "{claim}");
        // Where no trace is there, nothing is known.
        assert_eq!(say(work(), claim), "", "{claim}");
    }
}

#[test]
fn a_claim_that_is_denied_or_uncertain_is_none() {
    let sample = work().ran("ls", true);
    for claim in [
        "I could not run the tests.",
        "All tests should pass.",
        "Not all tests pass.",
        "Please check that all tests pass.",
        "All tests pass once the database is up.",
        "I didn't add tests.",
        "Next: update `src/other.rs`.",
        "```\nAll tests pass.\nI updated `src/other.rs`.\n```",
    ] {
        assert_eq!(say(sample.clone(), claim), "", "{claim}");
    }
}

#[test]
fn that_tests_were_run_needs_a_command() {
    assert!(say(work().ran("ls", true), "I ran the tests.").contains("no command of it ran any"));
    assert_eq!(say(work().ran("npm test", false), "I ran the tests."), "");
}

#[test]
fn that_tests_were_added_needs_new_ones() {
    for claim in ["Added unit tests for it.", "I wrote two test cases.", "Tests were added."] {
        let said = say(work(), claim);
        assert_eq!(
            said, "flag - It says that tests were added, and the change adds none.\n",
            "{claim}"
        );
        assert_eq!(say(work().add("src/sum.rs", TEST), claim), "", "{claim}");
        assert_eq!(say(work().change("tests/data.py", "a\n", "b\n"), claim), "", "{claim}");
        let removed = work().remove("tests/test_a.py", "def test_a():\n    assert a\n");
        assert!(say(removed, claim).contains("adds none"), "{claim}");
    }
}

#[test]
fn that_no_dependency_is_new_is_compared_with_the_manifests() {
    let claim = "No new dependencies were added.";
    let sample = work().change("Cargo.toml", "[dependencies]\n", "[dependencies]\nserde = \"1\"\n");
    assert_eq!(say(sample, claim), "flag - It says that no dependency is new, and one is.\n");
    let sample = work().change(
        "Cargo.toml",
        "[dependencies]\nserde = \"1\"\n",
        "[dependencies]\nserde = \"2\"\n",
    );
    assert_eq!(say(sample, claim), "");
}

#[test]
fn that_no_test_was_touched_is_compared_with_the_tests() {
    let claim = "No tests were removed or changed.";
    let sample = work().change("src/sum.rs", TEST, "fn x() {}\n");
    assert!(say(sample, claim).contains("no test was touched"));
    assert_eq!(say(work(), claim), "");
}

#[test]
fn a_file_that_is_said_to_be_changed_is() {
    let told = |report: &str| say(work(), report);
    assert_eq!(told("Updated `src/add.rs` and `add.rs:12`."), "");
    assert_eq!(
        told("Updated `src/add.rs` and `docs/add.md`."),
        "flag - It says that `docs/add.md` was changed, and it was not.\n"
    );
    assert_eq!(told("Created `./README.md`. Created `./README.md`.").lines().count(), 1);
    // Code, addresses and patterns are no files; a mention is no claim.
    assert_eq!(told("Changed `a.b.c()`, `https://x.y/z.md`, `*.rs`, `foo.bar`, `.md`."), "");
    assert_eq!(told("See `docs/add.md`."), "");
}

#[test]
fn what_an_agent_says_is_quoted_harmlessly_and_within_limits() {
    let report =
        format!("Updated `{}.rs`. Updated \u{1b}[31m`x`y.md`\u{202e}`z.md`.", "a".repeat(500));
    let report = work().says(&report).report();
    for finding in &report.findings {
        assert!(!finding.what.contains(['\u{1b}', '\u{202e}']), "{}", finding.what);
        assert!(!finding.excerpt.contains(['\u{1b}', '\u{202e}']));
        assert!(finding.what.chars().count() <= 400);
    }
}
