//! One line of the journal: how it is printed, and how it is checked.
//!
//! A line is valid by itself when it ends in a newline, its checksum fits and
//! it parses. Whether it follows the line before it is told by its number and
//! by the hash of that line, which [`Chain`] checks. Nothing here reads or
//! writes a file; see `replay` and `write` for that.

use std::fmt;
use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zazen_core::id::{TaskId, Time};

use super::{Entry, Record};
use crate::home::boot::BootId;

/// The version of the format that is written.
pub(super) const FORMAT: u32 = 1;

/// How long a line may be, its newline included. Events are small; what is
/// bigger goes to a blob that the event names.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024;

/// How long the name of an event may be: it is a name, not a text.
const EVENT_BYTES_MAX: usize = 64;

/// What stands before the checksum.
const CRC_MARK: &[u8] = b",\"crc\":\"";

/// What stands after the checksum, and ends the line.
const CRC_END: &[u8] = b"\"}\n";

/// How many hexadecimal digits the checksum has.
const CRC_DIGITS: usize = 8;

/// The bytes from the mark of the checksum to the end of the line.
const TAIL_BYTES: usize = CRC_MARK.len() + CRC_DIGITS + CRC_END.len();

/// The first eight bytes of the blake3 hash of a line, its newline included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LineHash([u8; 8]);

/// What the next line has to follow: the number and the hash of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) seq: u64,
    pub(super) hash: LineHash,
}

/// A line that is valid by itself.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    v: u32,
    pub(super) seq: u64,
    pub(super) at: u64,
    boot: &'a str,
    task: Option<u32>,
    pub(super) ev: &'a str,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    ph: &'a str,
}

/// Why a line is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes are not those of a line that was written whole.
    Damaged(String),
    /// The line is whole, and in a format that this zazen does not know.
    Newer { version: u32 },
}

/// Why an entry cannot be printed as a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unprintable(pub(super) String);

impl LineHash {
    /// What the first line of a journal follows.
    pub(super) const NONE: Self = Self([0; 8]);

    pub(super) fn of(line: &[u8]) -> Self {
        let hash = blake3::hash(line);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        Self(first)
    }
}

impl Chain {
    /// What the first line of a journal follows.
    pub(super) const START: Self = Self { seq: 0, hash: LineHash::NONE };

    /// Prints an entry as the line that follows, at the end of `out`.
    pub(super) fn print(
        self,
        entry: &Entry,
        boot: BootId,
        out: &mut Vec<u8>,
    ) -> Result<Self, Unprintable> {
        let start = out.len();
        let seq = self.seq + 1;
        let task = entry.task.map_or_else(|| "null".to_owned(), |task| task.to_string());
        // A line break can stand in JSON only where a space may stand too.
        let data = entry.data.get().replace(['\n', '\r'], " ");
        write!(
            out,
            concat!(
                r#"{{"v":{},"seq":{},"at":{},"boot":"{}","task":{},"#,
                r#""ev":"{}","data":{},"ph":"{}""#
            ),
            FORMAT, seq, entry.at.0, boot, task, entry.event, data, self.hash,
        )
        .expect("a vector takes every byte");
        let crc = crc32fast::hash(&out[start..]);
        out.extend_from_slice(CRC_MARK);
        write!(out, "{crc:08x}").expect("a vector takes every byte");
        out.extend_from_slice(CRC_END);
        let n_bytes = out.len() - start;
        if n_bytes > LINE_BYTES_MAX {
            out.truncate(start);
            return Err(Unprintable(format!(
                "its line would have {n_bytes} bytes, and {LINE_BYTES_MAX} is the limit; \
                 put the data into a blob and name it"
            )));
        }
        Ok(Self { seq, hash: LineHash::of(&out[start..]) })
    }

    /// Checks that a valid line is the one that follows.
    pub(super) fn check(self, line: &Line<'_>) -> Result<(), String> {
        if line.seq != self.seq + 1 {
            return Err(format!("it has number {} where {} must be", line.seq, self.seq + 1));
        }
        if line.ph != self.hash.to_string() {
            return Err(format!("it does not follow the record before it, {}", self.seq));
        }
        Ok(())
    }
}

impl Line<'_> {
    /// The hash of the line before, as this line has it.
    pub(super) fn follows(&self) -> Option<LineHash> {
        self.ph.to_owned().try_into().ok()
    }

    pub(super) fn to_record(&self) -> Record {
        Record {
            seq: self.seq,
            boot: self.boot.parse().unwrap_or_default(),
            entry: Entry {
                at: Time(self.at),
                task: self.task.map(TaskId),
                event: self.ev.to_owned(),
                data: self.data.to_owned(),
            },
        }
    }
}

/// Parses a line, its newline included, that is valid by itself.
pub(super) fn parse(line: &[u8]) -> Result<Line<'_>, Fault> {
    let damaged = |why: &str| Fault::Damaged(why.to_owned());
    if line.len() > LINE_BYTES_MAX {
        return Err(damaged("it is longer than a record can be"));
    }
    if !line.ends_with(b"\n") {
        return Err(damaged("it does not end in a newline"));
    }
    let Some(n_body) = line.len().checked_sub(TAIL_BYTES) else {
        return Err(damaged("it is too short for a record"));
    };
    let (body, tail) = line.split_at(n_body);
    // Compared as text: an upper-case digit would be a changed byte, too.
    let crc = format!("{:08x}", crc32fast::hash(body));
    if !tail.starts_with(CRC_MARK) || !tail.ends_with(CRC_END) {
        return Err(damaged("it does not end in a checksum"));
    }
    if &tail[CRC_MARK.len()..CRC_MARK.len() + CRC_DIGITS] != crc.as_bytes() {
        return Err(damaged("its checksum does not fit"));
    }
    match serde_json::from_slice::<Line<'_>>(line) {
        Ok(parsed) if parsed.v == FORMAT => Ok(parsed),
        Ok(parsed) => Err(Fault::Newer { version: parsed.v }),
        Err(err) => match version(line) {
            Some(v) if v > FORMAT => Err(Fault::Newer { version: v }),
            _ => Err(Fault::Damaged(format!("it does not parse: {err}"))),
        },
    }
}

/// Checks the name of an event.
pub(super) fn check_event(event: &str) -> Result<(), Unprintable> {
    let is_plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    if event.is_empty() || event.len() > EVENT_BYTES_MAX || !event.bytes().all(is_plain) {
        return Err(Unprintable(format!(
            "an event's name is 1 to {EVENT_BYTES_MAX} small letters, digits, `.`, `_` and `-`"
        )));
    }
    if event == super::segment::HEADER_EVENT {
        return Err(Unprintable("the name is the journal's own".to_owned()));
    }
    Ok(())
}

/// Reads the version of a line whose other fields may be anything.
fn version(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    serde_json::from_slice::<Versioned>(line).ok().map(|versioned| versioned.v)
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl From<LineHash> for String {
    fn from(hash: LineHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for LineHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match u64::from_str_radix(&text, 16) {
            Ok(hash) if text.len() == 16 => Ok(Self(hash.to_be_bytes())),
            _ => Err(format!("`{text}` is not the hash of a line (sixteen hexadecimal digits)")),
        }
    }
}
