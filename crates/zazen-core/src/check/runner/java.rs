//! Maven's Surefire, and Gradle.

use std::sync::LazyLock;

use regex::Regex;

use super::{Runner, Sign, pattern, ran, sum, test};
use crate::check::Fate;

/// `Tests run: 3, Failures: 1, Errors: 0, Skipped: 1`.
static MAVEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\[\w+\] )?\s*Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)(.*)$",
    )
});

/// `[ERROR] SumTest.isRed -- Time elapsed: 0.004 s <<< FAILURE!`.
static MAVEN_RED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:\[\w+\] )?\s*(\S+)\s+(?:-- )?Time elapsed: \S+ s\S*\s+<<< (?:FAILURE|ERROR)!$")
});

/// `SumTest > isRed() FAILED`.
static GRADLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^([\w.$]+ > .+) (PASSED|FAILED|SKIPPED)$"));

/// `3 tests completed, 1 failed, 1 skipped`.
static GRADLE_SUM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(\d+) tests? completed(?:, (\d+) failed)?(?:, (\d+) skipped)?$"));

pub(super) fn read(line: &str) -> Vec<(Runner, Sign)> {
    if line.contains("Tests run: ") {
        return maven(line);
    }
    if line.ends_with('!') {
        let found = MAVEN_RED.captures(line);
        return found.map_or_else(Vec::new, |found| test(Runner::Maven, &found[1], Fate::Failed));
    }
    if line.contains(" > ") {
        return gradle(line);
    }
    let Some(found) = GRADLE_SUM.captures(line) else { return Vec::new() };
    let n = |i| found.get(i).and_then(|n| n.as_str().parse::<u64>().ok()).unwrap_or(0);
    sum(Runner::Gradle, ran(n(1), n(2), n(3)))
}

/// The line of a module. Those of the classes say how long they took, and are part of it.
fn maven(line: &str) -> Vec<(Runner, Sign)> {
    let Some(found) = MAVEN.captures(line) else { return Vec::new() };
    if !found[5].is_empty() {
        return Vec::new();
    }
    let n = |i: usize| found[i].parse::<u64>().unwrap_or(0);
    sum(Runner::Maven, ran(n(1), n(2).saturating_add(n(3)), n(4)))
}

fn gradle(line: &str) -> Vec<(Runner, Sign)> {
    let Some(found) = GRADLE.captures(line) else { return Vec::new() };
    let fate = match &found[2] {
        "PASSED" => Fate::Passed,
        "FAILED" => Fate::Failed,
        _ => Fate::Skipped,
    };
    test(Runner::Gradle, &found[1], fate)
}
