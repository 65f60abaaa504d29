//! Keeps the beginning and the end of a text of any length in bounded memory.
//!
//! Not a file: what is cut is gone. `bash` fills one for each command.

use std::collections::VecDeque;

use crate::prompt;

/// The head and the tail of what was pushed, and how much fell out between them.
pub(crate) struct Clip {
    head: Vec<u8>,
    head_max: usize,
    tail: VecDeque<u8>,
    tail_max: usize,
    n_cut: u64,
}

impl Clip {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let head_max = bytes_max / 2;
        let tail_max = bytes_max - head_max;
        Self { head: Vec::new(), head_max, tail: VecDeque::new(), tail_max, n_cut: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let n_head = bytes.len().min(self.head_max - self.head.len());
        let (head, rest) = bytes.split_at(n_head);
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let n_over = self.tail.len().saturating_sub(self.tail_max);
        self.tail.drain(..n_over);
        self.n_cut += n_over as u64;
    }

    /// The text, with a line in place of what was cut, and how many bytes that was.
    pub(crate) fn into_text(mut self) -> (String, u64) {
        if self.n_cut == 0 {
            // Joined first, so that no character is split where the halves meet.
            self.head.extend(self.tail);
            return (String::from_utf8_lossy(&self.head).into_owned(), 0);
        }
        let tail: Vec<u8> = self.tail.into();
        let head = String::from_utf8_lossy(&self.head);
        let tail = String::from_utf8_lossy(&tail);
        (prompt::cut(&head, self.n_cut, &tail), self.n_cut)
    }
}

#[cfg(test)]
mod tests;
