//! unittest and pytest.

use std::sync::LazyLock;

use regex::Regex;

use super::{Runner, Sign, pattern, ran, sum, test};
use crate::check::{Counts, Fate};

/// What is remembered between lines.
#[derive(Debug, Default)]
pub(super) struct Python {
    /// A test of unittest whose fate comes with the next line, behind its description.
    pending: Option<String>,
    /// How many tests unittest says that it ran. What became of them comes later.
    n_ran: Option<u64>,
}

/// `test_two (tests.test_sum.Sums.test_two) ... ok`, or without its end.
static UNITTEST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:(FAIL|ERROR): )?([\w.]+) \(([\w.]+)\)((?: [(\[].*[)\]])?)(?: \.\.\. (.*))?$")
});

/// `tests/test_sum.py::Sums::test_two PASSED  [ 25%]`, and the same turned round.
static PYTEST: LazyLock<Regex> = LazyLock::new(|| {
    let fate = "(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)";
    let before = r"(?:\[gw\d+\] \[ *\d+%\] )?";
    let after = r"(?: \(.*\))?(?: +\[ *\d+%\])?";
    let name = r"(\S+::.+?)";
    pattern(&format!(r"^{before}(?:{fate} {name}(?: - .*)?|{name} {fate}{after})$"))
});

impl Python {
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        if line.contains("::") {
            return pytest(line);
        }
        if line.trim_matches(['=', ' ']).ends_with('s') && line.contains(" in ") {
            let ran = self.ran(line);
            return if ran { Vec::new() } else { pytest_sum(line) };
        }
        if line.starts_with("OK") || line.starts_with("FAILED (") || line.starts_with("NO TESTS") {
            return self.unittest_sum(line);
        }
        self.unittest(line)
    }

    /// Reads `Ran 4 tests in 0.001s`.
    fn ran(&mut self, line: &str) -> bool {
        let n = line.strip_prefix("Ran ").and_then(numbers_first);
        self.n_ran = n.or(self.n_ran);
        n.is_some()
    }

    fn unittest_sum(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        let Some(n_ran) = self.n_ran.take() else { return Vec::new() };
        let mut counts = Counts::default();
        for part in line.split(['(', ',', ')']) {
            let Some((what, n)) = part.trim().split_once('=') else { continue };
            let Ok(n) = n.parse::<u64>() else { continue };
            match what {
                "failures" | "errors" | "unexpected successes" => {
                    counts.n_failed = counts.n_failed.saturating_add(n);
                }
                "skipped" | "expected failures" => {
                    counts.n_skipped = counts.n_skipped.saturating_add(n);
                }
                _ => {}
            }
        }
        // A test with several parts that fail is one that ran.
        sum(Runner::Unittest, ran(n_ran, counts.n_failed, counts.n_skipped))
    }

    fn unittest(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        if let Some(found) = UNITTEST.captures(line) {
            self.pending = None;
            let name = unittest_name(&found[2], &found[3]) + &found[4];
            if found.get(1).is_some() {
                return test(Runner::Unittest, name, Fate::Failed);
            }
            let Some(end) = found.get(5) else {
                self.pending = Some(name);
                return Vec::new();
            };
            return ends(name, end.as_str());
        }
        match (self.pending.take(), line.rsplit_once(" ... ")) {
            (Some(name), Some((_, end))) => ends(name, end),
            (pending, None) if line.is_empty() => {
                self.pending = pending;
                Vec::new()
            }
            (_, _) => Vec::new(),
        }
    }
}

fn ends(name: String, end: &str) -> Vec<(Runner, Sign)> {
    let fate = match end {
        "ok" => Fate::Passed,
        "FAIL" | "ERROR" | "unexpected success" => Fate::Failed,
        "expected failure" => Fate::Skipped,
        _ if end.starts_with("skipped") => Fate::Skipped,
        _ => return Vec::new(),
    };
    test(Runner::Unittest, name, fate)
}

fn numbers_first(text: &str) -> Option<u64> {
    let (n, rest) = text.split_once(' ')?;
    rest.starts_with("test").then(|| n.parse().ok())?
}

/// The whole name: older versions leave the test's own out of the path.
fn unittest_name(own: &str, path: &str) -> String {
    let has_own = path.strip_suffix(own).is_some_and(|before| before.ends_with('.'));
    if has_own { path.to_owned() } else { format!("{path}.{own}") }
}

fn pytest(line: &str) -> Vec<(Runner, Sign)> {
    let Some(found) = PYTEST.captures(line) else { return Vec::new() };
    let (word, name) = match (found.get(1), found.get(4)) {
        (Some(word), _) => (word, found.get(2)),
        (None, Some(word)) => (word, found.get(3)),
        (None, None) => return Vec::new(),
    };
    let fate = match word.as_str() {
        "PASSED" | "XPASS" => Fate::Passed,
        "SKIPPED" | "XFAIL" => Fate::Skipped,
        _ => Fate::Failed,
    };
    name.map_or_else(Vec::new, |name| test(Runner::Pytest, name.as_str(), fate))
}

/// Reads `2 failed, 1 passed, 1 skipped in 0.05s`, with or without the bars around it.
fn pytest_sum(line: &str) -> Vec<(Runner, Sign)> {
    let line = line.trim_matches(['=', ' ']);
    let Some((list, _)) = line.rsplit_once(" in ") else { return Vec::new() };
    let mut counts = Counts::default();
    for part in list.split(", ") {
        let Some((n, word)) = part.split_once(' ') else { return Vec::new() };
        let Ok(n) = n.parse::<u64>() else { return Vec::new() };
        let count = match word {
            "passed" | "xpassed" => &mut counts.n_passed,
            "failed" | "error" | "errors" => &mut counts.n_failed,
            "skipped" | "xfailed" => &mut counts.n_skipped,
            "deselected" | "warning" | "warnings" | "rerun" => continue,
            _ => return Vec::new(),
        };
        *count = count.saturating_add(n);
    }
    sum(Runner::Pytest, counts)
}
