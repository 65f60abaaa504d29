//! What runs reached, and what they were refused: sums, for evidence.

use std::collections::BTreeMap;

use serde::Serialize;

/// What some runs reached and were refused, by host and port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    pub reached: BTreeMap<String, Moved>,
    /// How often each was refused. The names are text, whatever they claim to be.
    pub refused: BTreeMap<String, u64>,
}

/// The connections to one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub n_connections: u64,
    /// Bytes to the host.
    pub up: u64,
    /// Bytes from it.
    pub down: u64,
}

impl Traffic {
    /// Counts a connection that was allowed.
    pub fn reach(&mut self, authority: &str) {
        self.reached.entry(authority.to_owned()).or_default().n_connections += 1;
    }

    /// Adds the bytes of a connection, to the host and from it.
    pub fn moved(&mut self, authority: &str, (up, down): (u64, u64)) {
        let moved = self.reached.entry(authority.to_owned()).or_default();
        moved.up = moved.up.saturating_add(up);
        moved.down = moved.down.saturating_add(down);
    }

    /// Counts a request that was refused.
    pub fn refuse(&mut self, authority: &str) {
        *self.refused.entry(authority.to_owned()).or_default() += 1;
    }

    /// Whether nothing was reached and nothing refused.
    pub fn is_empty(&self) -> bool {
        self.reached.is_empty() && self.refused.is_empty()
    }
}
