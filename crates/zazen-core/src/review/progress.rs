//! Whether corrections lead somewhere: two reviews of the same work, before one and after.

use std::collections::BTreeSet;

use super::{Finding, Review};

/// What became of the findings of one review in the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// They are not found again.
    pub fixed: Vec<Finding>,
    /// They are found again.
    pub still: Vec<Finding>,
    /// They were not found before.
    pub new: Vec<Finding>,
}

/// Of two titles, the share of words that they have in common if they say the same, in percent.
const ALIKE_PERCENT: usize = 60;

impl Progress {
    /// Compares two reviews of the same work.
    pub fn new(earlier: &Review, later: &Review) -> Self {
        let mut progress = Self::default();
        let mut left: Vec<&Finding> = earlier.findings.iter().collect();
        for finding in &later.findings {
            match left.iter().position(|other| is_same(other, finding)) {
                Some(at) => {
                    left.remove(at);
                    progress.still.push(finding.clone());
                }
                None => progress.new.push(finding.clone()),
            }
        }
        progress.fixed = left.into_iter().cloned().collect();
        progress
    }

    /// Whether another correction may help: something was mended, and more of what is found now
    /// is gone than is found again.
    ///
    /// A review that finds as much as before, old or new, would be followed by one that does.
    pub fn converges(&self) -> bool {
        let n_left = self.still.len() + self.new.len();
        let n_before = self.still.len() + self.fixed.len();
        n_left == 0 || (!self.fixed.is_empty() && n_left < n_before)
    }
}

/// Whether two findings are the same: in one file, about one line or in nearly the same words.
///
/// Numbers of lines say little after a correction, and the line itself may be what is left.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let path = |finding: &Finding| finding.place.as_ref().map(|place| place.path.clone());
    if path(one) != path(other) && path(one).is_some() && path(other).is_some() {
        return false;
    }
    let (words, others) = (words(&one.title), words(&other.title));
    let n_shared = words.intersection(&others).count();
    let n_all = words.union(&others).count();
    n_all == 0 || n_shared * 100 >= n_all * ALIKE_PERCENT
}

/// The words of a title that say something, without marks and numbers.
fn words(title: &str) -> BTreeSet<String> {
    let words = title.split(|c: char| !c.is_alphanumeric() && c != '_');
    let says = |word: &&str| !word.is_empty() && !word.bytes().all(|b| b.is_ascii_digit());
    let words = words.filter(says).map(str::to_lowercase);
    words.filter(|word| !SMALL.contains(&word.as_str())).collect()
}

/// Words that say nothing by themselves.
const SMALL: [&str; 14] =
    ["a", "an", "the", "is", "are", "of", "in", "for", "to", "and", "on", "still", "be", "it"];
