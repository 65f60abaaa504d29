//! What runs reached, in a line.

use std::fmt::Write as _;

use super::n_of;
use crate::host::Traffic;
use crate::text::one_line;

/// How many hosts are named of each kind. The log has all.
const HOSTS_MAX: usize = 12;

/// How long a refused name is shown, in characters. An agent has chosen it.
const NAME_CHARS_MAX: usize = 80;

/// Writes what was reached, with bytes, and what was refused.
pub fn traffic(traffic: &Traffic) -> String {
    let reached = traffic.reached.iter().map(|(host, moved)| {
        format!(
            "{} ({}, {} up, {} down)",
            name(host),
            n_of(moved.n_connections, "connection"),
            bytes(moved.up),
            bytes(moved.down)
        )
    });
    let refused = traffic.refused.iter().map(|(host, n)| match n {
        1 => name(host),
        n => format!("{} ({n} times)", name(host)),
    });
    let mut parts = Vec::new();
    if traffic.reached.is_empty() {
        parts.push("none reached".to_owned());
    } else {
        parts.push(list(reached));
    }
    if !traffic.refused.is_empty() {
        parts.push(format!("refused: {}", list(refused)));
    }
    parts.join("; ")
}

fn list(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    let n_more = all.len().saturating_sub(HOSTS_MAX);
    let mut shown = all.into_iter().take(HOSTS_MAX).collect::<Vec<_>>().join(", ");
    if n_more > 0 {
        let _infallible = write!(shown, ", and {n_more} more");
    }
    shown
}

/// A host as code, so that nothing becomes a link or a mention.
fn name(host: &str) -> String {
    format!("`{}`", one_line(host, NAME_CHARS_MAX).replace('`', "'"))
}

/// Writes a number of bytes: `950 B`, `12.3 KiB`, `4.1 MiB`.
fn bytes(n: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    match n {
        0..KIB => format!("{n} B"),
        KIB..MIB => format!("{}.{} KiB", n / KIB, n % KIB * 10 / KIB),
        _ => format!("{}.{} MiB", n / MIB, n % MIB * 10 / MIB),
    }
}
