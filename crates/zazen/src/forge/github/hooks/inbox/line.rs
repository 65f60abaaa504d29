//! One line of the inbox: how it is printed, and how it is checked.
//!
//! A line is JSON with a checksum at its end. It says that a delivery came, or
//! that some are done. Lines do not depend on each other, so a damaged one
//! takes no other with it.

use std::io::Write as _;

use serde::{Deserialize, Serialize};
use zazen_core::id::Time;

use super::{Arrival, Delivery, DeliveryId, Key};
use crate::forge::github::hint::Hint;

/// The version of the format that is written.
pub(super) const FORMAT: u32 = 1;

/// What stands before the checksum, and after it.
const CRC_MARK: &[u8] = b",\"crc\":\"";
const CRC_END: &[u8] = b"\"}\n";

/// How many hexadecimal digits the checksum has.
const CRC_DIGITS: usize = 8;

/// The bytes from the mark of the checksum to the end of the line.
const TAIL_BYTES: usize = CRC_MARK.len() + CRC_DIGITS + CRC_END.len();

#[derive(Debug, Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    said: T,
}

/// The part of a line that a later zazen leaves as it is.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ev", rename_all = "kebab-case")]
pub(super) enum Line {
    /// A delivery came.
    Came {
        n: u64,
        at: Time,
        hook: u64,
        guid: String,
        event: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<String>,
        hints: Vec<Hint>,
    },
    /// Deliveries are done.
    Done { ns: Vec<u64> },
}

/// Why a line does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged(&'static str),
    Newer(u32),
}

/// Prints a line at the end of `out`.
pub(super) fn print(said: &Line, out: &mut Vec<u8>) {
    let start = out.len();
    serde_json::to_writer(&mut *out, &Versioned { v: FORMAT, said })
        .expect("a vector takes every byte, and the line has no map with odd keys");
    // The closing brace comes after the checksum.
    out.pop();
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(CRC_MARK);
    write!(out, "{crc:08x}").expect("a vector takes every byte");
    out.extend_from_slice(CRC_END);
}

/// Parses a line, its newline included.
pub(super) fn parse(line: &[u8]) -> Result<Line, Fault> {
    let n_body = line.len().checked_sub(TAIL_BYTES).ok_or(Fault::Damaged("it is too short"))?;
    let (body, tail) = line.split_at(n_body);
    if !tail.starts_with(CRC_MARK) || !tail.ends_with(CRC_END) {
        return Err(Fault::Damaged("it does not end in a checksum"));
    }
    let crc = format!("{:08x}", crc32fast::hash(body));
    if &tail[CRC_MARK.len()..CRC_MARK.len() + CRC_DIGITS] != crc.as_bytes() {
        return Err(Fault::Damaged("its checksum does not fit"));
    }
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { v }) if v > FORMAT => Err(Fault::Newer(v)),
        Ok(_) => serde_json::from_slice::<Versioned<Line>>(line)
            .map(|line| line.said)
            .map_err(|_| Fault::Damaged("it does not parse")),
        Err(_) => Err(Fault::Damaged("it has no version")),
    }
}

/// Tells deliveries apart: each webhook has GUIDs of its own.
pub(super) fn key(hook: u64, guid: &str) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&hook.to_le_bytes());
    hasher.update(guid.as_bytes());
    let mut key = Key::default();
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

impl Line {
    pub(super) fn came(n: u64, arrival: &Arrival) -> Self {
        let Arrival { hook, guid, at, event, action, hints } = arrival.clone();
        Self::Came { n, at, hook, guid, event, action, hints }
    }
}

impl Delivery {
    pub(super) fn of(n: u64, arrival: Arrival) -> Self {
        let Arrival { at, event, action, hints, hook: _, guid: _ } = arrival;
        let event = match action {
            Some(action) => format!("{event}.{action}"),
            None => event,
        };
        Self { id: DeliveryId(n), at, event, hints }
    }
}
