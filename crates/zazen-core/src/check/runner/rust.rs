//! `cargo test` and cargo-nextest.

use std::sync::LazyLock;

use regex::Regex;

use super::{Runner, Sign, numbers, pattern, sum, test};
use crate::check::{Counts, Fate};

/// What is remembered between lines.
#[derive(Debug, Default)]
pub(super) struct Rust {
    /// The binary whose tests are printed.
    binary: String,
    /// Whether libtest has said that it begins. Its lines look like many others.
    has_begun: bool,
}

static NEXTEST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^\s*(PASS|LEAK|FAIL|TIMEOUT|ABORT|SIG[A-Z]+|TRY \d+ [A-Z]+|FLAKY \d+/\d+)",
        r"\s+\[[\s>]*[\d.]+s\]\s+(?:\(\s*\d+/\d+\)\s+)?(\S+ \S.*)$"
    ))
});

impl Rust {
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        if let Some(rest) = line.strip_prefix("test ") {
            return if self.has_begun { self.libtest(rest) } else { Vec::new() };
        }
        if let Some(rest) = line.strip_prefix("running ") {
            self.has_begun |= rest.ends_with(" tests") || rest.ends_with(" test");
        } else if let Some(rest) = line.trim_start().strip_prefix("Running ") {
            binary(rest).clone_into(&mut self.binary);
        } else if let Some(rest) = line.trim_start().strip_prefix("Doc-tests ") {
            self.binary = format!("{rest} (doc)");
        } else if line.contains("s] ") {
            return nextest(line);
        }
        Vec::new()
    }

    fn libtest(&self, rest: &str) -> Vec<(Runner, Sign)> {
        if let Some(result) = rest.strip_prefix("result: ") {
            return libtest_sum(result);
        }
        let Some((name, fate)) = rest.rsplit_once(" ... ") else { return Vec::new() };
        let word = fate.split([' ', ',', '<', '(']).next().unwrap_or_default();
        let fate = match word {
            "ok" => Fate::Passed,
            "FAILED" => Fate::Failed,
            "ignored" => Fate::Skipped,
            _ => return Vec::new(),
        };
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        test(Runner::Libtest, format!("{} {name}", self.binary).trim_start(), fate)
    }
}

fn libtest_sum(result: &str) -> Vec<(Runner, Sign)> {
    let mut counts = Counts::default();
    for (n, word) in numbers(result) {
        match word {
            "passed" => counts.n_passed = n,
            "failed" => counts.n_failed = n,
            "ignored" => counts.n_skipped = n,
            _ => {}
        }
    }
    sum(Runner::Libtest, counts)
}

/// The name of a binary: `sums`, of `unittests src/lib.rs (target/debug/deps/sums-0123456789)`.
fn binary(rest: &str) -> &str {
    let path = rest.rsplit_once('(').map_or(rest, |(_, path)| path.trim_end_matches(')'));
    let name = path.trim_matches('`').rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('-') {
        Some((name, hash)) if hash.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        Some(_) | None => name,
    }
}

fn nextest(line: &str) -> Vec<(Runner, Sign)> {
    if let Some(rest) = line.trim_start().strip_prefix("Summary [") {
        return nextest_sum(rest);
    }
    let Some(found) = NEXTEST.captures(line) else { return Vec::new() };
    let (how, name) = (&found[1], found[2].to_owned());
    let fate = if how.ends_with("PASS") || how.ends_with("LEAK") || how.starts_with("FLAKY") {
        Fate::Passed
    } else {
        Fate::Failed
    };
    if how.starts_with("TRY") || how.starts_with("FLAKY") {
        return vec![(Runner::Nextest, Sign::Again { name, fate })];
    }
    test(Runner::Nextest, name, fate)
}

/// Reads `2 tests run: 1 passed (1 flaky), 1 failed, 1 skipped`. What is skipped there is
/// what was filtered out, too, and is never named.
fn nextest_sum(rest: &str) -> Vec<(Runner, Sign)> {
    let Some((_, rest)) = rest.split_once("run: ") else { return Vec::new() };
    let mut counts = Counts::default();
    for (n, word) in numbers(rest) {
        match word {
            "passed" => counts.n_passed = n,
            "failed" | "timed" | "exec" => counts.n_failed = counts.n_failed.saturating_add(n),
            _ => {}
        }
    }
    sum(Runner::Nextest, counts)
}
