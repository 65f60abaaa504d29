//! `RSpec` and minitest.

use std::sync::LazyLock;

use regex::Regex;

use super::{Runner, Sign, pattern, ran, sum, test};
use crate::check::Fate;

/// What is remembered between lines.
#[derive(Debug, Default)]
pub(super) struct Ruby {
    /// Whether the next line names a test of minitest that failed.
    is_next_red: bool,
}

/// `3 examples, 1 failure, 1 pending`.
static RSPEC_SUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?",
        r"(?:, \d+ errors? occurred outside of examples)?$"
    ))
});

/// `3 runs, 3 assertions, 1 failures, 0 errors, 1 skips`.
static MINITEST_SUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(\d+) (?:runs|tests), \d+ assertions, (\d+) failures, (\d+) errors, (\d+) skips")
});

/// `SumTest#test_red = 0.00 s = F`.
static MINITEST: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S+#\S+) = [\d.]+ s = ([.FES])$"));

impl Ruby {
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        let is_red = std::mem::take(&mut self.is_next_red);
        if let Some(rest) = line.strip_prefix("rspec ./") {
            return rspec(rest);
        }
        if is_red && line.contains('#') {
            let name = line.split([' ', ':']).next().unwrap_or_default();
            return test(Runner::Minitest, name, Fate::Failed);
        }
        if line.ends_with(") Failure:") || line.ends_with(") Error:") {
            self.is_next_red = true;
            return Vec::new();
        }
        if let Some(found) = RSPEC_SUM.captures(line) {
            let n = |i| found.get(i).and_then(|n| n.as_str().parse::<u64>().ok()).unwrap_or(0);
            return sum(Runner::Rspec, ran(n(1), n(2), n(3)));
        }
        if let Some(found) = MINITEST_SUM.captures(line) {
            let n = |i: usize| found[i].parse::<u64>().unwrap_or(0);
            return sum(Runner::Minitest, ran(n(1), n(2).saturating_add(n(3)), n(4)));
        }
        let Some(found) = MINITEST.captures(line) else { return Vec::new() };
        let fate = match &found[2] {
            "." => Fate::Passed,
            "S" => Fate::Skipped,
            _ => Fate::Failed,
        };
        test(Runner::Minitest, &found[1], fate)
    }
}

/// Reads `spec/sum_spec.rb:5 # Sum adds two numbers`. Lines move; what is described does not.
fn rspec(rest: &str) -> Vec<(Runner, Sign)> {
    let Some((place, name)) = rest.split_once(" # ") else { return Vec::new() };
    let path = place.split([':', '[']).next().unwrap_or(place);
    test(Runner::Rspec, format!("{path} {name}"), Fate::Failed)
}
