//! Finds tests in an output, line by line, whatever runner printed them.

use std::collections::BTreeMap;

use super::runner::{Runner, Runners, Sign};
use super::{Counts, Fate, Found};
use crate::text::{one_line, plain};

/// How many tests are remembered by name. The largest suites that people run at once have fewer.
const N_TESTS_MAX: usize = 50_000;

/// How long a line may be that is read for a test, in bytes. Longer ones are data.
const LINE_BYTES_MAX: usize = 4096;

/// How long the name of a test may be, in characters.
const NAME_CHARS_MAX: usize = 240;

/// Reads an output line by line.
#[derive(Debug, Default)]
pub struct Reader {
    runners: Runners,
    tests: BTreeMap<String, Fate>,
    flaky: std::collections::BTreeSet<String>,
    tallies: BTreeMap<Runner, Tally>,
    /// Whether there were more tests than are remembered.
    is_full: bool,
}

/// What one runner said.
#[derive(Debug, Default)]
struct Tally {
    /// The sum of its summaries, if it printed one.
    summed: Option<Counts>,
    named: Counts,
    /// Whether it does not name all of its tests.
    is_partial: bool,
}

/// What a line is, for whoever cuts the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    Test(Fate),
    Summary,
}

/// Reads a whole output.
pub fn read(output: &str) -> Option<Found> {
    let mut reader = Reader::default();
    for line in output.lines() {
        reader.line(line);
    }
    reader.finish()
}

impl Reader {
    /// Reads one line.
    pub fn line(&mut self, line: &str) {
        self.see(line);
    }

    pub(super) fn see(&mut self, line: &str) -> Seen {
        if line.len() > LINE_BYTES_MAX {
            return Seen::Nothing;
        }
        let line = plain(line);
        let mut seen = Seen::Nothing;
        for (runner, sign) in self.runners.read(line.trim_end()) {
            let now = self.take(runner, sign);
            if now != Seen::Nothing {
                seen = now;
            }
        }
        seen
    }

    fn take(&mut self, runner: Runner, sign: Sign) -> Seen {
        let tally = self.tallies.entry(runner).or_default();
        match sign {
            Sign::Test { name, fate } => {
                let name = one_line(&name, NAME_CHARS_MAX);
                match self.tests.get_mut(&name) {
                    // A summary that repeats it. Of two words for it, the worse counts.
                    Some(known) if fate > *known => {
                        tally.rename(*known, fate);
                        *known = fate;
                    }
                    Some(_) => {}
                    None => self.add(runner, name, fate),
                }
                Seen::Test(fate)
            }
            Sign::Again { name, fate } => {
                let name = one_line(&name, NAME_CHARS_MAX);
                if let Some(known) = self.tests.get_mut(&name) {
                    tally.rename(*known, fate);
                    *known = fate;
                } else {
                    self.add(runner, name.clone(), fate);
                }
                if fate == Fate::Passed && self.tests.contains_key(&name) {
                    self.flaky.insert(name);
                }
                Seen::Test(fate)
            }
            Sign::Sum(counts) => {
                tally.summed = Some(tally.summed.unwrap_or_default().plus(counts));
                Seen::Summary
            }
            Sign::Partial => {
                tally.is_partial = true;
                Seen::Nothing
            }
        }
    }

    fn add(&mut self, runner: Runner, name: String, fate: Fate) {
        let tally = self.tallies.entry(runner).or_default();
        tally.named = tally.named.plus(Counts::of(fate));
        if self.tests.len() < N_TESTS_MAX {
            self.tests.insert(name, fate);
        } else {
            self.is_full = true;
        }
    }

    /// What was found, if anything was.
    pub fn finish(mut self) -> Option<Found> {
        for (runner, sign) in self.runners.end() {
            self.take(runner, sign);
        }
        let Self { tests, flaky, tallies, is_full, .. } = self;
        let is_known = |tally: &Tally| tally.summed.is_some() || tally.named.total() > 0;
        if !tallies.values().any(is_known) {
            return None;
        }
        let counts = tallies.values().map(|tally| tally.summed.unwrap_or(tally.named));
        let is_complete = !is_full
            && tallies.values().all(|tally| {
                let is_all = tally.summed.is_none_or(|summed| summed == tally.named);
                is_all && !tally.is_partial
            });
        Some(Found {
            counts: counts.fold(Counts::default(), Counts::plus),
            tests,
            is_complete,
            flaky,
        })
    }
}

impl Tally {
    /// A test that was counted with one fate has another.
    fn rename(&mut self, from: Fate, to: Fate) {
        let less = match from {
            Fate::Passed => &mut self.named.n_passed,
            Fate::Failed => &mut self.named.n_failed,
            Fate::Skipped => &mut self.named.n_skipped,
        };
        *less = less.saturating_sub(1);
        self.named = self.named.plus(Counts::of(to));
    }
}
