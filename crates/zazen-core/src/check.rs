//! What a validation command printed, as people read it.
//!
//! [`Reader`] finds the tests in it and what became of each, for the usual test
//! runners; [`Compared`] tells what a change broke from what was broken before;
//! [`trim`] cuts the output where a person would. All of it was printed by programs
//! that an agent may have written: it is evidence of what was printed, has limits,
//! and decides nothing. Whether the checks are green is told by the exit status alone.

mod compare;
mod coverage;
mod reader;
mod runner;
mod trim;

use std::collections::{BTreeMap, BTreeSet};

pub use self::compare::Compared;
pub use self::coverage::{Coverage, MARK, parts, script};
pub use self::reader::{Reader, read};
pub use self::trim::trim;

/// What became of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Skipped,
    Passed,
    Failed,
}

/// How many tests there were, by their fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub n_passed: u64,
    pub n_failed: u64,
    pub n_skipped: u64,
}

/// The tests that an output tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// As the runners' summaries say; counted by name, where a runner has none.
    pub counts: Counts,
    /// The tests that are named. Many runners name only those that failed.
    pub tests: BTreeMap<String, Fate>,
    /// Whether every test is named, so that one that is missing is not there.
    pub is_complete: bool,
    /// The tests that the runner itself called flaky.
    pub flaky: BTreeSet<String>,
}

/// One time that the validation command was run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// Whether it ended with status 0.
    pub is_green: bool,
    /// What it told of tests. Nothing, where the runner is not known.
    pub found: Option<Found>,
    /// What the coverage command said, where there is one and it did.
    pub coverage: Option<Coverage>,
}

/// The validation command before and after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks {
    /// On the commit that the work is on top of, where it was run there.
    pub before: Option<Ran>,
    pub after: Ran,
    /// Whether it was red at first, and green when it was run again on the same commit.
    pub is_flaky: bool,
}

impl Counts {
    pub fn total(self) -> u64 {
        self.n_passed.saturating_add(self.n_failed).saturating_add(self.n_skipped)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            n_passed: self.n_passed.saturating_add(other.n_passed),
            n_failed: self.n_failed.saturating_add(other.n_failed),
            n_skipped: self.n_skipped.saturating_add(other.n_skipped),
        }
    }

    fn of(fate: Fate) -> Self {
        let none = Self::default();
        match fate {
            Fate::Passed => Self { n_passed: 1, ..none },
            Fate::Failed => Self { n_failed: 1, ..none },
            Fate::Skipped => Self { n_skipped: 1, ..none },
        }
    }
}

impl Checks {
    /// What the change did to the tests, where both outputs tell of some.
    pub fn compared(&self) -> Option<Compared> {
        let before = self.before.as_ref()?.found.as_ref()?;
        Some(Compared::new(before, self.after.found.as_ref()?))
    }

    /// How many tests fewer there are than before. For the guard of tests.
    pub fn n_dropped(&self) -> u64 {
        self.compared().map_or(0, |compared| compared.n_dropped)
    }
}

#[cfg(test)]
mod tests;
