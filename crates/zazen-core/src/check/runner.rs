//! How the usual test runners say what became of their tests.
//!
//! Each file knows a family of runners, keeps what it must remember between lines, and
//! answers a line that is none of its own with nothing. A runner that is not known here
//! is not guessed at.

mod go;
mod java;
mod marks;
mod python;
mod ruby;
mod rust;
mod tap;

use super::{Counts, Fate};

/// A family of runners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Runner {
    Libtest,
    Nextest,
    Unittest,
    Pytest,
    /// jest, vitest, mocha and what `node --test` shows in a terminal.
    Marks,
    Tap,
    Go,
    Maven,
    Gradle,
    Rspec,
    Minitest,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// What became of a test.
    Test { name: String, fate: Fate },
    /// What became of a test that had failed, when it was tried again.
    Again { name: String, fate: Fate },
    /// How many tests there were. Several add up.
    Sum(Counts),
    /// The runner does not name all of its tests.
    Partial,
}

/// All of them, with what they remember.
#[derive(Debug, Default)]
pub(super) struct Runners {
    rust: rust::Rust,
    python: python::Python,
    marks: marks::Marks,
    tap: tap::Tap,
    go: go::Go,
    ruby: ruby::Ruby,
}

impl Runners {
    /// What a line says, and who says it.
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        let rust = self.rust.read(line);
        let signs = if rust.is_empty() { self.python.read(line) } else { rust };
        let signs = if signs.is_empty() { self.tap.read(line) } else { signs };
        let signs = if signs.is_empty() { self.go.read(line) } else { signs };
        let signs = if signs.is_empty() { java::read(line) } else { signs };
        let signs = if signs.is_empty() { self.ruby.read(line) } else { signs };
        if signs.is_empty() { self.marks.read(line) } else { signs }
    }

    /// What was still to be said when the output ended.
    pub(super) fn end(&mut self) -> Vec<(Runner, Sign)> {
        self.go.end()
    }
}

/// A list with one sign, or none.
fn test(runner: Runner, name: impl Into<String>, fate: Fate) -> Vec<(Runner, Sign)> {
    vec![(runner, Sign::Test { name: name.into(), fate })]
}

fn sum(runner: Runner, counts: Counts) -> Vec<(Runner, Sign)> {
    vec![(runner, Sign::Sum(counts))]
}

/// A pattern of this file's own, which is right or fails the first test.
fn pattern(text: &str) -> regex::Regex {
    regex::Regex::new(text).expect("a pattern of our own")
}

/// The numbers of a list like `2 failed, 1 passed`, each with the word behind it.
fn numbers(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    (1..words.len()).filter_map(move |i| Some((words[i - 1].parse().ok()?, words[i])))
}

/// Counts of a runner that says how many ran, and how many of them did not pass.
fn ran(n_ran: u64, n_failed: u64, n_skipped: u64) -> Counts {
    let n_passed = n_ran.saturating_sub(n_failed.saturating_add(n_skipped));
    Counts { n_passed, n_failed, n_skipped }
}
