//! The append-only record of what happened: the truth about facts.
//!
//! One line of JSON is one record. Each has its number, the hash of the line
//! before it and a checksum, and stands on the disk before its append is
//! acknowledged. The newest records are in the active segment, older ones in
//! sealed segments below `facts/` that are committed and never change.
//!
//! `line` prints and checks one record, `segment` names and seals the files,
//! `replay` reads them, `open` repairs what a crash leaves behind, `write` is the
//! one thread that writes, `reserve` keeps some disk space for the last words.
//! What the events mean is none of the journal's business.

mod line;
mod open;
mod replay;
mod reserve;
mod segment;
mod write;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use zazen_core::id::{TaskId, Time};

pub use self::line::LineHash;
pub use self::open::{open, open_with, read, repair};

use super::boot::BootId;

/// One event, as it is handed in.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Time,
    pub task: Option<TaskId>,
    /// The event's name: small letters, digits, `.`, `_` and `-`.
    pub event: String,
    pub data: Box<RawValue>,
}

/// One event, as it stands in the journal.
#[derive(Debug, Clone)]
pub struct Record {
    /// The number of the record; the journal's own records have numbers, too.
    pub seq: u64,
    /// The boot of the machine in which it was written.
    pub boot: BootId,
    pub entry: Entry,
}

/// A place between two records: what is before it has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The number of the last record before this place, or 0.
    pub seq: u64,
    /// The hash of that record's line.
    pub hash: LineHash,
    /// The number of the segment in which the record stands.
    pub segment: u32,
    /// The bytes of that segment that are before this place.
    pub offset: u64,
}

/// How a journal behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The size from which the active segment is sealed.
    pub segment_bytes_max: u64,
    /// The disk space that is kept back for the last events before it is full.
    pub reserve_bytes: u64,
    /// Ends the process. What the disk holds after a failed sync is unknown, so
    /// nothing may be acknowledged, or tried again, in this process.
    pub on_fatal: fn(&str) -> !,
}

/// A journal that was opened, and what people should know about that.
#[derive(Debug)]
pub struct Opened {
    pub journal: Journal,
    pub notes: Vec<Note>,
}

/// What happened while the journal was opened that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The last lines were not written whole. They were never acknowledged.
    TornTail {
        file: PathBuf,
        /// The line from which on the file was cut.
        line: u64,
        n_bytes: u64,
        /// Where the bytes are kept; `None` when there was not one.
        kept_at: Option<PathBuf>,
    },
    /// The last process ended while it sealed a segment; that was completed, or undone.
    SealingCompleted,
    /// There is no space for the reserve.
    NoReserve { why: String },
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A record was changed or lost after it had been written.
    #[error("read the journal: line {line} of `{}` is damaged: {why}; {remedy}", file.display())]
    Corrupt { file: PathBuf, line: u64, why: String, remedy: String },

    /// A segment is not where it must be.
    #[error("read the journal: `{}` is missing; {remedy}", file.display())]
    Missing { file: PathBuf, remedy: String },

    /// The journal was written by a later zazen.
    #[error(
        "read the journal: line {line} of `{}` has format {version}, which this zazen does not \
         know; use the newer zazen that wrote it", file.display()
    )]
    Newer { file: PathBuf, line: u64, version: u32 },

    /// The position is not one of this journal; open it from the start.
    #[error("read the journal from record {seq}: the record is not where the snapshot says")]
    Elsewhere { seq: u64 },

    /// A record was refused by the caller.
    #[error("take in record {seq} of the journal, line {line} of `{}`", file.display())]
    Refused { file: PathBuf, line: u64, seq: u64, source: anyhow::Error },

    /// The disk or the system refused.
    #[error("{action} `{}`", path.display())]
    Failed { action: &'static str, path: PathBuf, source: io::Error },
}

/// Why an append was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The entry cannot become a record; the disk is as it was.
    #[error("record the event `{event}`: {why}")]
    Invalid { event: String, why: String },

    /// The disk is full. The journal is as it was, and goes on once there is space.
    #[error("record an event: the disk is full")]
    NoSpace,

    /// The journal has ended.
    #[error("record an event: the journal is closed")]
    Gone,
}

/// The journal of a home, open for appending. Clones write to the same journal;
/// when the last one is dropped, everything handed in has been written.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    /// Taken when the journal is dropped, which ends the writer.
    sender: Option<mpsc::Sender<Append>>,
    writer: Option<JoinHandle<()>>,
    position: Arc<Mutex<Position>>,
    reserve: reserve::Reserve,
}

/// Entries on their way to the writer. They become neighbouring records.
struct Append {
    entries: Vec<Entry>,
    done: oneshot::Sender<Result<Position, AppendError>>,
}

/// The size from which a segment is sealed: small enough for a forge to show
/// and for git to pack well, large enough that a year is a few hundred files.
pub const SEGMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The disk space kept back: thousands of last events, and git's own needs.
pub const RESERVE_BYTES: u64 = 8 * 1024 * 1024;

/// How many appends may wait for the writer. It takes in all that wait at once,
/// so a queue this long means that the disk stands still: callers wait then.
const QUEUE_MAX: usize = 1024;

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { file, line, n_bytes, kept_at } => {
                write!(
                    f,
                    "the end of `{}` was not written whole, and was cut at line {line} ({n_bytes} \
                     bytes); nothing that was acknowledged is lost",
                    file.display()
                )?;
                match kept_at {
                    Some(kept_at) => write!(f, "; the cut part is in `{}`", kept_at.display()),
                    None => Ok(()),
                }
            }
            Self::SealingCompleted => f.write_str("a segment that was being sealed is sealed now"),
            Self::NoReserve { why } => write!(f, "no disk space is kept in reserve: {why}"),
        }
    }
}

impl Position {
    /// Before the first record of a journal.
    pub const START: Self = Self { seq: 0, hash: LineHash::NONE, segment: 1, offset: 0 };
}

impl Options {
    /// How the journal of a daemon behaves.
    pub const STANDARD: Self = Self {
        segment_bytes_max: SEGMENT_BYTES_MAX,
        reserve_bytes: RESERVE_BYTES,
        on_fatal: end_process,
    };
}

impl Entry {
    /// Makes an entry whose data is `data`, as JSON.
    pub fn new(
        at: Time,
        task: Option<TaskId>,
        event: impl Into<String>,
        data: &impl Serialize,
    ) -> serde_json::Result<Self> {
        let data = serde_json::value::to_raw_value(data)?;
        Ok(Self { at, task, event: event.into(), data })
    }
}

impl Journal {
    /// Appends entries as neighbouring records, and waits until they are durable.
    ///
    /// The answer is the place after the last of them. A caller that stops
    /// waiting does not stop the entries from being written.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Position, AppendError> {
        let (done, answer) = oneshot::channel();
        let sender = self.shared.sender.as_ref().ok_or(AppendError::Gone)?;
        sender.send(Append { entries, done }).await.map_err(|_| AppendError::Gone)?;
        answer.await.map_err(|_| AppendError::Gone)?
    }

    /// Appends entries from code that is not async, and panics in code that is.
    pub fn append_blocking(&self, entries: Vec<Entry>) -> Result<Position, AppendError> {
        let (done, answer) = oneshot::channel();
        let sender = self.shared.sender.as_ref().ok_or(AppendError::Gone)?;
        sender.blocking_send(Append { entries, done }).map_err(|_| AppendError::Gone)?;
        answer.blocking_recv().map_err(|_| AppendError::Gone)?
    }

    /// The place after the last durable record.
    pub fn position(&self) -> Position {
        *self.shared.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the disk space back that was kept for the last events.
    pub fn release_reserve(&self) -> io::Result<()> {
        self.shared.reserve.release()
    }

    /// Keeps disk space back for the last events, unless it is already kept.
    pub fn reserve_again(&self) -> io::Result<()> {
        self.shared.reserve.keep()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(writer) = self.writer.take() {
            // It ends in a panic only where `on_fatal` panics, which has been heard.
            drop(writer.join());
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("position", &self.position).finish_non_exhaustive()
    }
}

impl OpenError {
    fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Failed { action, path: path.to_owned(), source }
    }
}

/// Says the last words on standard error, and ends the process at once.
fn end_process(message: &str) -> ! {
    use std::io::Write as _;

    tracing::error!("{message}");
    // The log may be buffered, and there will be no time to flush it.
    drop(writeln!(io::stderr(), "zazen: {message}"));
    std::process::abort();
}

/// Whether the disk is full, or what we may use of it.
fn is_no_space(err: &io::Error) -> bool {
    matches!(err.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests;
