//! Checks that are easier to pass.

use super::super::GuardName::Checks;
use super::sample::Sample;

fn say(path: &str, before: &str, after: &str) -> String {
    Sample::default().change(path, before, after).say(Checks)
}

#[test]
fn failures_that_are_ignored_are_flagged() {
    for (path, before, after) in [
        ("Makefile", "test:\n\tpytest\n", "test:\n\tpytest || true\n"),
        ("run.sh", "make test\n", "make test || exit 0\n"),
        ("run.sh", "make test\n", "set +e\nmake test\n"),
        ("ci/build.yml", "- run: x\n", "- run: x\n  continue-on-error: true\n"),
        ("package.json", "\"test\": \"jest\"\n", "\"test\": \"jest --passWithNoTests\"\n"),
        ("tox.ini", "commands = pytest\n", "commands = pytest --deselect tests/a.py\n"),
        ("tox.ini", "commands = pytest\n", "commands = pytest -k \"not slow\"\n"),
        ("build.gradle", "test {}\n", "test { ignoreFailures = true }\n"),
    ] {
        let said = say(path, before, after);
        assert!(said.contains("has a failure ignored"), "{path}: {said}");
        assert!(said.starts_with("flag "), "{path}: {said}");
        assert_eq!(said.lines().count(), 1, "{path}: {said}");
        // What was there is nothing new, nor is its end.
        assert_eq!(say(path, after, before), "", "{path}");
        assert_eq!(say(path, after, &format!("{after}#\n")), "", "{path}");
    }
}

#[test]
fn a_comment_ignores_nothing_and_neither_does_other_code() {
    assert_eq!(say("run.sh", "a\n", "# make || true\n"), "");
    assert_eq!(say("src/main.rs", "let a = b;\n", "let a = b || true;\n"), "");
    assert_eq!(say("run.sh", "a || true\n", "b || true\n"), "");
}

#[test]
fn limits_that_are_lowered_or_gone_are_flagged() {
    for (path, before, after, what) in [
        ("pyproject.toml", "fail_under = 90\n", "fail_under = 80\n", "90 → 80"),
        ("tox.ini", "pytest --cov-fail-under=90\n", "pytest --cov-fail-under=9\n", "90 → 9"),
        ("jest.config.js", "  branches: 80,\n", "  branches: 79.5,\n", "80 → 79.5"),
        ("codecov.yml", "    threshold: 5\n", "    threshold: 1\n", "5 → 1"),
    ] {
        let said = say(path, before, after);
        assert!(said.contains(&format!("looser than it was: {what}.")), "{path}: {said}");
        assert_eq!(say(path, after, before), "", "{path}");
    }
    let said = say("setup.cfg", "[coverage]\nfail_under = 90\n", "[coverage]\n");
    assert!(said.contains("A limit is gone."), "{said}");
    assert_eq!(say("setup.cfg", "fail_under = 90\n", "fail_under: 95\n"), "");
    assert_eq!(say("setup.cfg", "version = 2\n", "version = 1\n"), "");
}

#[test]
fn tolerances_that_are_widened_are_flagged() {
    for (path, before, after, what) in [
        (
            "tests/test_a.py",
            "assert a == approx(b, abs=1e-6)\n",
            "assert a == approx(b, abs=1e-3)\n",
            "1e-6 → 1e-3",
        ),
        ("tests/a.rs", "let epsilon = 0.01;\n", "let epsilon = 0.1;\n", "0.01 → 0.1"),
        (
            "tests/test_a.py",
            "self.assertAlmostEqual(a, b, places=7)\n",
            "self.assertAlmostEqual(a, b, places=2)\n",
            "7 → 2",
        ),
        ("a.test.js", "expect(a).toBeCloseTo(b, 5)\n", "expect(a).toBeCloseTo(b, 1)\n", "5 → 1"),
    ] {
        let said = say(path, before, after);
        assert!(said.contains(what), "{path}: {said}");
        assert_eq!(say(path, after, before), "", "{path}");
        // In other code a number may be what it has to be.
        assert_eq!(say("src/a.rs", before, after), "");
    }
}

#[test]
fn a_limit_in_a_new_file_was_never_stricter() {
    assert_eq!(Sample::default().add("tox.ini", "fail_under = 1\nx || true\n").say(Checks), "");
}
