//! How much of a stream is known: a harness that has changed shows here first.

use serde::{Deserialize, Serialize};

/// The lines of a run's stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    pub n: u64,
    /// Those that said nothing known. They are kept as they came.
    pub n_unknown: u64,
}

/// From how many lines in a hundred on a stream is strange. One odd line is no change.
const STRANGE_PERCENT: u64 = 2;

/// From how many lines on. A program writes an odd line now and then.
const STRANGE_MIN: u64 = 2;

impl Lines {
    /// Whether so much is not known that the program must be another than was tested.
    pub fn is_strange(self) -> bool {
        self.n_unknown >= STRANGE_MIN && self.percent_unknown() >= STRANGE_PERCENT
    }

    /// How many of a hundred lines are not known, rounded.
    pub fn percent_unknown(self) -> u64 {
        let n = self.n.max(1);
        self.n_unknown.saturating_mul(100).saturating_add(n / 2) / n
    }
}

impl std::ops::AddAssign for Lines {
    fn add_assign(&mut self, more: Self) {
        self.n = self.n.saturating_add(more.n);
        self.n_unknown = self.n_unknown.saturating_add(more.n_unknown);
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn one_odd_line_is_not_strange_and_many_are() {
        let is_strange = |n_unknown, n| Lines { n, n_unknown }.is_strange();
        assert!(!is_strange(0, 0) && !is_strange(0, 100) && !is_strange(1, 3));
        assert!(!is_strange(2, 1000), "two in a thousand");
        assert!(is_strange(7, 50) && is_strange(3, 3));
        assert_eq!(Lines { n: 50, n_unknown: 7 }.percent_unknown(), 14);
    }
}
