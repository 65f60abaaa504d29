//! Deliveries on the disk, from before they are acknowledged until they are dealt with.
//!
//! GitHub sends a delivery once. It is appended to a log and synced before GitHub
//! is told, so no crash loses one, and what was handed out and not marked done is
//! handed out again after a restart. The log is no truth: without it, polling
//! finds what is new. Its format is docs/formats/inbox.md.
//!
//! `line` prints and checks a line, `open` reads what is there, `write` is the
//! one thread that appends, syncs and hands out.

mod line;
mod open;
mod write;

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use zazen_core::id::Time;

use crate::forge::github::hint::Hint;

/// The number of a delivery in the inbox. Marking it done takes nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub u64);

/// A delivery, as it is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    /// When it came.
    pub at: Time,
    /// The event and its action, like `issues.opened`: for a log, and for nothing else.
    pub event: String,
    pub hints: Vec<Hint>,
}

/// A delivery, as it comes in.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// GitHub's number of the webhook, which has GUIDs of its own.
    pub(super) hook: u64,
    /// The same when GitHub delivers the same event again.
    pub(super) guid: String,
    pub(super) at: Time,
    pub(super) event: String,
    pub(super) action: Option<String>,
    pub(super) hints: Vec<Hint>,
}

/// What became of an arrival. It is on the disk by then, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    New,
    /// It came before.
    Known,
}

/// The disk did not take an arrival. The next one may be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keep a delivery in `{}`: {why}", dir.display())]
pub(super) struct NotTaken {
    dir: Arc<Path>,
    why: String,
}

/// What happened while the inbox was opened that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The last lines were not written whole. Nobody was told that they were.
    TornTail { file: PathBuf, n_bytes: u64 },
    /// A line was changed after it was written; its delivery is lost.
    Damaged { file: PathBuf, line: usize, why: String },
}

/// Why an inbox cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a later zazen.
    #[error(
        "read the inbox: line {line} of `{}` has format {version}, which this zazen does not know; \
         use the newer zazen that wrote it, or delete the folder, as polling finds what is new",
        file.display()
    )]
    Newer { file: PathBuf, line: usize, version: u32 },

    /// The disk or the system refused.
    #[error("{action} `{}`", path.display())]
    Failed { action: &'static str, path: PathBuf, source: io::Error },
}

/// An inbox, open for deliveries. Clones are of the same one; when the last one
/// is dropped, everything handed in has been written.
#[derive(Debug, Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
}

struct Shared {
    dir: Arc<Path>,
    /// Taken when the inbox is dropped, which ends the writer.
    asks: Option<mpsc::Sender<Ask>>,
    writer: Option<JoinHandle<()>>,
}

/// What the writer is asked.
enum Ask {
    Take(Arrival, oneshot::Sender<Result<Taken, NotTaken>>),
    Done(Vec<DeliveryId>),
}

/// An inbox that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) inbox: Inbox,
    /// What is not done, the oldest first; then what comes.
    pub(super) deliveries: mpsc::Receiver<Delivery>,
    pub(super) notes: Vec<Note>,
}

/// How an inbox behaves. Tests have smaller ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The size from which a new segment is begun.
    pub(super) segment_bytes: u64,
    /// How many deliveries wait in memory for who takes them; the others wait on the disk.
    pub(super) waiting: usize,
}

/// All that is known of the log. The writer owns it.
#[derive(Debug)]
struct Log {
    dir: Arc<Path>,
    /// The oldest first; what is appended goes to the last.
    segments: VecDeque<Segment>,
    next: u64,
    /// What was taken within the days for which segments are kept.
    seen: HashSet<Key>,
    undone: BTreeSet<u64>,
}

/// One file of the log.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    /// The number of its first delivery, which is its name.
    first: u64,
    n_bytes: u64,
    /// When its first and its last delivery came.
    came: Option<(Time, Time)>,
    keys: Vec<Key>,
}

/// The webhook and the GUID of a delivery, hashed: 128 bits are enough to tell them apart.
type Key = [u8; 16];

/// How many asks may wait for the writer. It takes in all that wait at once, so a
/// queue this long means that the disk stands still.
const ASKS_MAX: usize = 1024;

impl Limits {
    /// A segment of some thousand deliveries, and as many in memory as a daemon
    /// that is busy with something else falls behind in a burst.
    pub(super) const STANDARD: Self = Self { segment_bytes: 1 << 20, waiting: 256 };
}

impl Inbox {
    /// Opens the inbox in a folder, or makes one.
    pub(super) fn open(dir: &Path, limits: Limits, now: Time) -> Result<Opened, OpenError> {
        let (mut log, notes) = open::read(dir)?;
        log.forget_old(now);
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let (out, deliveries) = mpsc::channel(limits.waiting);
        let dir = Arc::clone(&log.dir);
        let writer = write::Writer::new(log, limits, out).start(asked);
        let writer = writer.map_err(OpenError::failed("start the writer of", &dir))?;
        let shared = Shared { dir, asks: Some(asks), writer: Some(writer) };
        Ok(Opened { inbox: Self { shared: Arc::new(shared) }, deliveries, notes })
    }

    /// Appends an arrival and waits until it is on the disk.
    pub(super) async fn take(&self, arrival: Arrival) -> Result<Taken, NotTaken> {
        let gone = |()| self.not_taken("the inbox is closed");
        let (sender, answer) = oneshot::channel();
        let asks = self.shared.asks.as_ref().ok_or(()).map_err(gone)?;
        asks.send(Ask::Take(arrival, sender)).await.map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))?
    }

    /// Marks deliveries as dealt with: they are not handed out again.
    ///
    /// The mark is not synced. One that is lost in a crash costs one more look.
    pub async fn done(&self, deliveries: impl IntoIterator<Item = DeliveryId>) {
        let deliveries: Vec<_> = deliveries.into_iter().collect();
        if let Some(asks) = &self.shared.asks
            && !deliveries.is_empty()
        {
            // A writer that is gone hands out everything again, after the restart.
            drop(asks.send(Ask::Done(deliveries)).await);
        }
    }

    fn not_taken(&self, why: &str) -> NotTaken {
        NotTaken { dir: Arc::clone(&self.shared.dir), why: why.to_owned() }
    }
}

impl OpenError {
    fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Failed { action, path: path.to_owned(), source }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { file, n_bytes } => write!(
                f,
                "the end of `{}` was not written whole, and was cut ({n_bytes} bytes); GitHub was \
                 not told that it had arrived",
                file.display()
            ),
            Self::Damaged { file, line, why } => write!(
                f,
                "line {line} of `{}` is damaged ({why}) and is passed over; polling finds what it \
                 was about",
                file.display()
            ),
        }
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(self.asks.take());
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was heard when it happened.
            drop(writer.join());
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
