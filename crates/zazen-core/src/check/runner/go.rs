//! `go test`.

use super::{Runner, Sign};
use crate::check::Fate;

/// What is remembered between lines.
#[derive(Debug, Default)]
pub(super) struct Go {
    /// The tests of the package that is being told of. Its name comes behind them.
    tests: Vec<(String, Fate)>,
    /// Whether each test is told of, and not only those that fail.
    is_verbose: bool,
}

/// How many tests a package may have. What is beyond goes without the package's name.
const N_TESTS_MAX: usize = 20_000;

impl Go {
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        let text = line.trim_start();
        if line.starts_with("=== RUN ") {
            self.is_verbose = true;
        } else if let Some(rest) = text.strip_prefix("--- ") {
            return self.test(rest);
        } else if let Some(rest) = line.strip_prefix("ok  \t") {
            return self.package(rest, Fate::Passed);
        } else if let Some(rest) = line.strip_prefix("FAIL\t") {
            return self.package(rest, Fate::Failed);
        }
        Vec::new()
    }

    /// Reads `FAIL: TestSum (0.00s)`.
    fn test(&mut self, rest: &str) -> Vec<(Runner, Sign)> {
        let Some((word, rest)) = rest.split_once(": ") else { return Vec::new() };
        let fate = match word {
            "PASS" => Fate::Passed,
            "FAIL" => Fate::Failed,
            "SKIP" => Fate::Skipped,
            _ => return Vec::new(),
        };
        let Some((name, _)) = rest.rsplit_once(" (") else { return Vec::new() };
        self.tests.push((name.to_owned(), fate));
        if self.tests.len() > N_TESTS_MAX { self.end() } else { Vec::new() }
    }

    /// Reads `example.com/sum 0.012s`, with a tab: all that was told of before is of this package.
    fn package(&mut self, rest: &str, fate: Fate) -> Vec<(Runner, Sign)> {
        let name = rest.split(['\t', ' ']).next().unwrap_or_default().to_owned();
        let tests = std::mem::take(&mut self.tests);
        let mut signs: Vec<(Runner, Sign)> = tests
            .into_iter()
            .map(|(test, fate)| (Runner::Go, Sign::Test { name: format!("{name} {test}"), fate }))
            .collect();
        if !self.is_verbose {
            signs.push((Runner::Go, Sign::Partial));
        }
        if signs.iter().all(|(_, sign)| *sign == Sign::Partial) {
            signs.push((Runner::Go, Sign::Test { name, fate }));
        }
        signs
    }

    /// What no package was named for.
    pub(super) fn end(&mut self) -> Vec<(Runner, Sign)> {
        let tests = std::mem::take(&mut self.tests).into_iter();
        tests.map(|(name, fate)| (Runner::Go, Sign::Test { name, fate })).collect()
    }
}
