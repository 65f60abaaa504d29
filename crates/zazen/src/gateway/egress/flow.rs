//! How many bytes a run moves to and from hosts, and how many it may.
//!
//! One allowance for all connections of a run, so that opening more of them
//! gains nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of what a run may move.
#[derive(Debug)]
pub(super) struct Allowance {
    up: AtomicU64,
    down: AtomicU64,
}

/// The bytes of one connection.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    allowance: &'a Allowance,
    up: AtomicU64,
    down: AtomicU64,
}

/// Where bytes go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Up,
    Down,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides had said all.
    Closed,
    /// One of them broke off.
    Broken,
    /// Both were silent for too long, or one did not read.
    Idle,
    /// The run has moved as much as it may.
    Spent,
    /// The host could not be connected to.
    Unreachable,
    RunOver,
}

impl End {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Idle => "idle",
            Self::Spent => "spent",
            Self::Unreachable => "unreachable",
            Self::RunOver => "run-over",
        }
    }
}

impl Allowance {
    pub(super) fn new(up: u64, down: u64) -> Self {
        Self { up: AtomicU64::new(up), down: AtomicU64::new(down) }
    }

    /// Whether one of the two is used up.
    pub(super) fn is_spent(&self) -> bool {
        self.up.load(Ordering::Relaxed) == 0 || self.down.load(Ordering::Relaxed) == 0
    }
}

impl<'a> Flow<'a> {
    pub(super) fn new(allowance: &'a Allowance) -> Self {
        Self { allowance, up: AtomicU64::new(0), down: AtomicU64::new(0) }
    }

    /// Takes bytes off the allowance, before they are handed on. What is too much
    /// uses up the rest, or smaller pieces would still pass.
    pub(super) fn take(&self, direction: Direction, n_bytes: usize) -> Result<(), End> {
        let n_bytes = n_bytes as u64;
        let (left, moved) = match direction {
            Direction::Up => (&self.allowance.up, &self.up),
            Direction::Down => (&self.allowance.down, &self.down),
        };
        let less = |left: u64| Some(left.saturating_sub(n_bytes));
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if before.unwrap_or(0) < n_bytes {
            return Err(End::Spent);
        }
        moved.fetch_add(n_bytes, Ordering::Relaxed);
        Ok(())
    }

    /// The bytes to the host, and from it.
    pub(super) fn moved(&self) -> (u64, u64) {
        (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed))
    }
}
