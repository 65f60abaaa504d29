//! What was there before, remembered by its mark, and not for ever.

use std::collections::{BTreeSet, VecDeque};

/// Stands for texts. Equal marks are equal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark([u8; 16]);

/// The marks that came last.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    marks: BTreeSet<Mark>,
    in_order: VecDeque<Mark>,
}

/// How many are remembered: some 100 KiB for a run. What is forgotten counts as new.
const MARKS_MAX: usize = 2048;

impl Mark {
    /// The mark of these texts together. Where one ends and the next begins, counts.
    pub(super) fn of(texts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let mut mark = [0; 16];
        hasher.finalize_xof().fill(&mut mark);
        Self(mark)
    }
}

impl Seen {
    /// Remembers a mark, and says whether it is new.
    pub(super) fn note(&mut self, mark: Mark) -> bool {
        if !self.marks.insert(mark) {
            return false;
        }
        self.in_order.push_back(mark);
        if self.in_order.len() > MARKS_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.marks.remove(&oldest);
        }
        true
    }
}
