//! A file of lines, bound so that a changed one can be named.
//!
//! Each line has a hash. The chain goes from line to line: its head is made of the head
//! before and the line's hash, and the last head is what a receipt states. The list of
//! the lines' hashes is kept beside the file: it is worth nothing unless it leads to that
//! head, and where it does, it tells which line is not as it was. A line that must not be
//! shown can be left out and the rest still be checked.
//!
//! The chain is made when a receipt is. Nothing about how recordings are written depends
//! on it, and those of older versions get one as well.

use serde::{Deserialize, Serialize};

use super::Hash;

/// A file of lines, as a receipt states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    pub n_lines: u64,
    pub head: Hash,
}

/// A chain that is being made.
#[derive(Debug, Clone)]
pub struct Chain {
    n_lines: u64,
    head: [u8; 32],
}

/// What a chain begins with, so that it can stand for nothing else.
const CONTEXT: &str = "zazen 2026 receipt: chain of the lines of a recording";

/// How long a line may be: a request of many megabytes, and its answer.
pub const LINE_BYTES_MAX: usize = 256 << 20;

/// How many lines are bound at the most. A run makes some hundreds of calls.
pub const LINES_MAX: u64 = 1_000_000;

/// What is wrong with a list of hashes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    #[error("line {line} of the list of hashes is not a hash")]
    Line { line: u64 },
    #[error("the list of hashes does not lead to the head that the receipt states")]
    Head,
}

impl Default for Chain {
    fn default() -> Self {
        Self { n_lines: 0, head: blake3::derive_key(CONTEXT, b"") }
    }
}

impl Chain {
    /// Adds a line, without its end. Returns its hash.
    pub fn push(&mut self, line: &[u8]) -> Hash {
        let hash = Hash::of(line);
        self.push_hash(&hash);
        hash
    }

    /// Adds a line of which only the hash is known.
    pub fn push_hash(&mut self, hash: &Hash) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.head);
        hasher.update(hash.as_bytes());
        self.head = *hasher.finalize().as_bytes();
        self.n_lines += 1;
    }

    /// What a receipt states of all lines so far.
    pub fn sealed(&self) -> Sealed {
        Sealed { n_lines: self.n_lines, head: Hash::from(self.head) }
    }
}

/// Prints the hash of one line for the list.
pub fn print_line(hash: &Hash) -> String {
    format!("{hash}\n")
}

/// Reads a list of hashes, and checks that it leads to what was stated.
pub fn parse_list(text: &str, stated: &Sealed) -> Result<Vec<Hash>, ListFault> {
    let mut chain = Chain::default();
    let mut hashes = Vec::new();
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_whole = text.is_empty() || text.ends_with('\n');
    let lines = body.split('\n').filter(|_| !text.is_empty());
    for (line, text) in (1..).zip(lines) {
        let hash = text.parse().map_err(|_| ListFault::Line { line })?;
        chain.push_hash(&hash);
        hashes.push(hash);
    }
    if is_whole && chain.sealed() == *stated { Ok(hashes) } else { Err(ListFault::Head) }
}

/// What was found of lines that are compared with their list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bad {
    /// The line is not the one that stood there. Counts from 1.
    Changed { line: u64 },
    /// A line stands where another line of the same file belongs.
    Moved { line: u64, belongs: u64 },
    /// The file ends before this line.
    Missing { line: u64 },
    /// The file goes on where it should end.
    Added { line: u64 },
}

/// Compares a line with its list. `line` counts from 1.
pub fn compare(hashes: &[Hash], line: u64, found: &Hash) -> Option<Bad> {
    let index = usize::try_from(line.saturating_sub(1)).ok()?;
    match hashes.get(index) {
        None => Some(Bad::Added { line }),
        Some(hash) if hash == found => None,
        Some(_) => match (1..).zip(hashes).find(|(_, hash)| *hash == found) {
            Some((belongs, _)) => Some(Bad::Moved { line, belongs }),
            None => Some(Bad::Changed { line }),
        },
    }
}
