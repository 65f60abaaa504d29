//! The one thread that writes the journal.
//!
//! It takes in all appends that wait, writes them with one call, syncs once and
//! then answers all of them. A full disk refuses the appends and leaves the file
//! as it was. Any other error of the disk ends the process: after a failed sync
//! the kernel may have dropped what it could not write and call the next sync a
//! success, so that only a new process, which reads the disk again, can tell.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};
use zazen_core::id::Time;

use super::line::{self, Chain};
use super::segment::{self, SealError};
use super::{Append, AppendError, Entry, Options, Position};
use crate::home::Home;
use crate::home::boot::BootId;

/// How many bytes are written before a sync, unless one append is larger. Every
/// append of a batch waits for all of it, so a batch is kept to a few milliseconds.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// What the writer thread owns.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) home: Home,
    pub(super) options: Options,
    pub(super) boot: BootId,
    /// The active segment, open for appending.
    pub(super) file: File,
    pub(super) tip: Tip,
    /// The size of the active segment from which it is sealed.
    pub(super) seal_at: u64,
    /// Where everyone can see how far we are; held for one copy only.
    pub(super) position: Arc<Mutex<Position>>,
    /// The lines of the batch at hand.
    pub(super) lines: Vec<u8>,
}

/// Where the journal ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tip {
    pub(super) chain: Chain,
    pub(super) segment: u32,
    pub(super) n_bytes: u64,
    /// When the first event of the active segment happened, if it has one.
    pub(super) first_at: Option<Time>,
}

/// An append whose lines are in the batch.
struct Printed {
    position: Position,
    done: oneshot::Sender<Result<Position, AppendError>>,
}

impl Tip {
    pub(super) fn position(self) -> Position {
        let Chain { seq, hash } = self.chain;
        Position { seq, hash, segment: self.segment, offset: self.n_bytes }
    }
}

impl Writer {
    /// Starts the thread; it ends when there is nobody left who could append.
    pub(super) fn start(mut self, inbox: mpsc::Receiver<Append>) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("journal".to_owned()).spawn(move || self.run(inbox))
    }

    fn run(&mut self, mut inbox: mpsc::Receiver<Append>) {
        while let Some(append) = inbox.blocking_recv() {
            self.lines.clear();
            let mut tip = self.tip;
            let mut batch = Vec::new();
            batch.extend(self.print(append, &mut tip));
            while self.lines.len() < BATCH_BYTES_MAX
                && let Ok(append) = inbox.try_recv()
            {
                batch.extend(self.print(append, &mut tip));
            }
            self.write(batch, tip);
            if self.tip.n_bytes > self.seal_at {
                self.seal();
            }
        }
    }

    /// Prints the lines of an append, or answers that it cannot be done.
    fn print(&mut self, append: Append, tip: &mut Tip) -> Option<Printed> {
        let start = self.lines.len();
        let mut chain = tip.chain;
        for entry in &append.entries {
            match self.print_entry(entry, chain) {
                Ok(next) => chain = next,
                Err(err) => {
                    self.lines.truncate(start);
                    answer(append.done, Err(err));
                    return None;
                }
            }
        }
        tip.chain = chain;
        tip.first_at = tip.first_at.or(append.entries.first().map(|entry| entry.at));
        tip.n_bytes += (self.lines.len() - start) as u64;
        Some(Printed { position: tip.position(), done: append.done })
    }

    fn print_entry(&mut self, entry: &Entry, chain: Chain) -> Result<Chain, AppendError> {
        line::check_event(&entry.event)
            .and_then(|()| chain.print(entry, self.boot, &mut self.lines))
            .map_err(|err| AppendError::Invalid { event: entry.event.clone(), why: err.0 })
    }

    /// Makes the batch durable, and answers everyone who waits for it.
    fn write(&mut self, batch: Vec<Printed>, tip: Tip) {
        if !self.lines.is_empty() {
            match self.file.write_all(&self.lines) {
                Ok(()) => {}
                Err(err) if super::is_no_space(&err) => {
                    self.undo();
                    for Printed { done, .. } in batch {
                        answer(done, Err(AppendError::NoSpace));
                    }
                    return;
                }
                Err(err) => self.fail("write", &err),
            }
            if let Err(err) = self.file.sync_data() {
                self.fail("sync", &err);
            }
        }
        self.tip = tip;
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = tip.position();
        for Printed { position, done } in batch {
            answer(done, Ok(position));
        }
    }

    /// Takes back what part of a batch came into the file.
    fn undo(&self) {
        if let Err(err) = self.file.set_len(self.tip.n_bytes) {
            self.fail("truncate", &err);
        }
    }

    fn seal(&mut self) {
        let Tip { chain, segment, n_bytes, first_at } = self.tip;
        let first_at = first_at.unwrap_or_default();
        // Every byte of the old file is synced, so closing it has nothing to report.
        match segment::seal(&self.home, segment, chain, first_at, self.boot) {
            Ok(started) => {
                self.file = started.file;
                self.tip = Tip {
                    chain: started.chain,
                    segment: segment + 1,
                    n_bytes: started.n_bytes,
                    first_at: None,
                };
                self.seal_at = self.options.segment_bytes_max;
                *self.position.lock().unwrap_or_else(PoisonError::into_inner) = self.tip.position();
            }
            Err(SealError::Postponed(err)) => {
                tracing::warn!("cannot seal segment {segment} of the journal yet: {err}");
                self.seal_at = n_bytes + self.options.segment_bytes_max;
            }
            Err(SealError::Fatal(err)) => self.fail("seal", &err),
        }
    }

    fn fail(&self, action: &str, err: &io::Error) -> ! {
        let file = segment::active_file(&self.home);
        (self.options.on_fatal)(&format!(
            "cannot {action} the journal `{}`: {err}; zazen ends here because it cannot know what \
             the disk holds, and goes on from the disk when it is started again",
            file.display()
        ))
    }
}

fn answer(
    done: oneshot::Sender<Result<Position, AppendError>>,
    result: Result<Position, AppendError>,
) {
    // Who stopped waiting does not want to know.
    drop(done.send(result));
}
