//! The one thread that writes the inbox.
//!
//! It takes in all that waits, writes it with one call, syncs once and then
//! answers all of it; only then are the deliveries handed out. What does not fit
//! into the channel is on the disk, and is read from there when there is room.
//! After an error of the disk nothing of the batch is acknowledged, and the
//! next batch begins a new file: what a failed sync leaves behind is unknown.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};
use zazen_core::id::Time;

use super::line::{self, Line};
use super::open::lines;
use super::{Arrival, Ask, Delivery, DeliveryId, Limits, Log, NotTaken, Taken};

/// What the thread owns.
pub(super) struct Writer {
    log: Log,
    limits: Limits,
    /// The last segment, once it is needed.
    file: Option<File>,
    /// The disk had an error, so the end of the last segment is not what it should be.
    is_doubtful: bool,
    out: mpsc::Sender<Delivery>,
    /// What is handed out next, as soon as the channel has room.
    ready: VecDeque<Delivery>,
    /// What is not done from this number on is on the disk only.
    behind: Option<u64>,
}

/// What is written and synced together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// The lines, each with how far the batch reaches after it.
    lines: Vec<(Line, usize)>,
    deliveries: Vec<Delivery>,
    answers: Vec<(oneshot::Sender<Result<Taken, NotTaken>>, Taken)>,
    /// What is in this batch, and so not in the log's set yet.
    seen: HashSet<super::Key>,
    now: Time,
}

/// How many bytes are written before a sync, so that nobody waits long for others.
const BATCH_BYTES_MAX: usize = 256 << 10;

/// How long deliveries go to one segment, in milliseconds: a day, so that whole
/// days can be removed.
const SEGMENT_MS: u64 = 24 * 60 * 60 * 1000;

impl Writer {
    pub(super) fn new(log: Log, limits: Limits, out: mpsc::Sender<Delivery>) -> Self {
        let behind = log.undone.first().copied();
        Self { log, limits, file: None, is_doubtful: false, out, ready: VecDeque::new(), behind }
    }

    /// Starts the thread; it ends when there is nobody left who could ask.
    pub(super) fn start(mut self, asked: mpsc::Receiver<Ask>) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("github-inbox".to_owned()).spawn(move || self.run(asked))
    }

    fn run(&mut self, mut asked: mpsc::Receiver<Ask>) {
        self.hand_out();
        while let Some(ask) = asked.blocking_recv() {
            let mut batch = Batch::default();
            self.put(ask, &mut batch);
            while batch.bytes.len() < BATCH_BYTES_MAX
                && let Ok(ask) = asked.try_recv()
            {
                self.put(ask, &mut batch);
            }
            self.write(batch);
            self.hand_out();
        }
    }

    fn put(&self, ask: Ask, batch: &mut Batch) {
        match ask {
            Ask::Take(arrival, answer) => self.put_arrival(arrival, answer, batch),
            Ask::Done(done) => {
                let is_open = |n: &u64| self.log.undone.contains(n);
                let ns: Vec<u64> =
                    done.into_iter().map(|DeliveryId(n)| n).filter(is_open).collect();
                if !ns.is_empty() {
                    batch.print(Line::Done { ns });
                }
            }
        }
    }

    fn put_arrival(
        &self,
        arrival: Arrival,
        answer: oneshot::Sender<Result<Taken, NotTaken>>,
        batch: &mut Batch,
    ) {
        let key = line::key(arrival.hook, &arrival.guid);
        // One that is in this batch is known once the batch is on the disk.
        if self.log.seen.contains(&key) || !batch.seen.insert(key) {
            batch.answers.push((answer, Taken::Known));
            return;
        }
        let n = self.log.next + batch.deliveries.len() as u64;
        batch.now = batch.now.max(arrival.at);
        batch.print(Line::came(n, &arrival));
        batch.deliveries.push(Delivery::of(n, arrival));
        batch.answers.push((answer, Taken::New));
    }

    /// Writes a batch, and answers everyone who waits for it.
    fn write(&mut self, batch: Batch) {
        let Batch { bytes, lines, deliveries, answers, seen: _, now } = batch;
        // Marks alone are not worth a sync: one that is lost costs a look.
        let is_synced = !deliveries.is_empty();
        let written = if bytes.is_empty() { Ok(()) } else { self.append(&bytes, is_synced, now) };
        if let Err(err) = written {
            tracing::error!("the inbox `{}` was not written: {err}", self.log.dir.display());
            self.file = None;
            self.is_doubtful = true;
            for (answer, _) in answers {
                let dir = Arc::clone(&self.log.dir);
                drop(answer.send(Err(NotTaken { dir, why: err.to_string() })));
            }
            return;
        }
        let start = self.log.segments.back().map_or(0, |segment| segment.n_bytes);
        for (line, reach) in lines {
            self.log.note(line, start + reach as u64);
        }
        for (answer, taken) in answers {
            // Who stopped waiting is told as a duplicate when it comes again.
            drop(answer.send(Ok(taken)));
        }
        for delivery in deliveries {
            self.queue(delivery);
        }
    }

    fn append(&mut self, bytes: &[u8], is_synced: bool, now: Time) -> io::Result<()> {
        if self.is_doubtful {
            self.cut_last()?;
        }
        if self.is_segment_full(now) {
            self.file = Some(self.log.create_segment()?);
            self.log.forget_old(now);
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open_last()?,
        };
        file.write_all(bytes)?;
        if is_synced {
            file.sync_data()?;
        }
        self.file = Some(file);
        self.is_doubtful = false;
        Ok(())
    }

    /// Takes back what part of a batch came into the file. Nothing is appended before.
    fn cut_last(&self) -> io::Result<()> {
        let Some(segment) = self.log.segments.back() else { return Ok(()) };
        match File::options().write(true).open(&segment.path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
            opened => opened?.set_len(segment.n_bytes),
        }
    }

    /// Whether the last segment is large or old enough; marks alone begin none.
    fn is_segment_full(&self, now: Time) -> bool {
        self.log.segments.back().is_some_and(|segment| {
            let is_old =
                segment.came.is_some_and(|(first, _)| now.millis_since(first) > SEGMENT_MS);
            // An empty one would be followed by one of the same name.
            let is_full = is_old || segment.n_bytes > self.limits.segment_bytes;
            self.log.next > segment.first && (is_full || self.is_doubtful)
        })
    }

    fn open_last(&mut self) -> io::Result<File> {
        match self.log.segments.back() {
            Some(segment) => File::options().append(true).create(true).open(&segment.path),
            None => self.log.create_segment(),
        }
    }

    fn queue(&mut self, delivery: Delivery) {
        if self.behind.is_none() && self.ready.len() < self.limits.waiting {
            self.ready.push_back(delivery);
        } else {
            self.behind.get_or_insert(delivery.id.0);
        }
    }

    /// Hands out what the channel has room for.
    fn hand_out(&mut self) {
        while !self.ready.is_empty() || self.refill() {
            let Ok(room) = self.out.try_reserve() else { return };
            let Some(delivery) = self.ready.pop_front() else { return };
            room.send(delivery);
        }
    }

    /// Reads what is not done from the disk, as much as is held in memory.
    fn refill(&mut self) -> bool {
        let Some(from) = self.behind.take() else { return false };
        let is_wanted = |n: &u64| *n >= from && self.log.undone.contains(n);
        let last = self.log.segments.iter().rposition(|segment| segment.first <= from);
        let paths = self.log.segments.iter().skip(last.unwrap_or(0)).map(|segment| &segment.path);
        'all: for path in paths {
            let bytes = match fs::read(path) {
                Ok(bytes) => bytes,
                Err(err) => {
                    tracing::error!("cannot read the inbox `{}`: {err}", path.display());
                    continue;
                }
            };
            for line in lines(&bytes).filter_map(|line| line::parse(line).ok()) {
                let Line::Came { n, at, hook, guid, event, action, hints } = line else { continue };
                if !is_wanted(&n) {
                    continue;
                }
                if self.ready.len() == self.limits.waiting {
                    self.behind = Some(n);
                    break 'all;
                }
                let arrival = Arrival { hook, guid, at, event, action, hints };
                self.ready.push_back(Delivery::of(n, arrival));
            }
        }
        !self.ready.is_empty()
    }
}

impl Batch {
    fn print(&mut self, line: Line) {
        line::print(&line, &mut self.bytes);
        self.lines.push((line, self.bytes.len()));
    }
}
