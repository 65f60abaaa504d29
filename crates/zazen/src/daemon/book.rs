//! The journal and the snapshot, as the daemon keeps them.
//!
//! A [`Fact`] is one record of the journal. The snapshot is the [`Book`] at one
//! place in it, and can be deleted at any time.

use std::fs;

use anyhow::Context as _;
use zazen_core::engine::{Book, Change, Fact, LAYOUT, Unfit};
use zazen_core::id::Time;
use zazen_core::task::Event;

use crate::home::Home;
use crate::home::journal::{self, AppendError, Entry, Journal, Position};
use crate::home::snapshot::{self, Found};

use super::crash::{self, Moment};
use super::day;
use super::pages::Behind;

/// Changes whenever the same journal would lead to another book, or a book is written in
/// another way.
const SHAPE: u32 = 1000 * LAYOUT + 9;

/// How many records come between two snapshots. Reading so many takes a few
/// hundredths of a second.
const SNAPSHOT_EVERY: u64 = 20_000;

/// The journal, open for writing.
pub(super) struct Record {
    journal: Journal,
    home: Home,
    snapshot_at: u64,
    crash: Option<String>,
    /// Whether the disk was full the last time. Said once, not at every try.
    is_full: bool,
}

impl Record {
    /// Opens the journal, and reads what it says. Says also what the pages may not say yet.
    pub(super) fn open(home: &Home, crash: Option<String>) -> anyhow::Result<(Self, Book, Behind)> {
        let (from, mut book) = start(home);
        let mut behind = Behind::default();
        let opened = match journal::open(home, from, &mut |record| {
            take(&mut book, &record, Some(&mut behind))
        }) {
            Err(journal::OpenError::Elsewhere { .. }) => {
                tracing::warn!("the snapshot is not of this journal; reading all of it");
                book = Book::default();
                behind = Behind::default();
                journal::open(home, Position::START, &mut |record| {
                    take(&mut book, &record, Some(&mut behind))
                })
            }
            opened => opened,
        }
        .context("open the journal")?;
        for note in &opened.notes {
            tracing::warn!("{note}");
        }
        let journal = opened.journal;
        let snapshot_at = from.seq;
        let record = Self { journal, home: home.clone(), snapshot_at, crash, is_full: false };
        Ok((record, book, behind))
    }

    /// Makes facts durable. Says no when there is no space; the journal is then as it was.
    pub(super) async fn append(&mut self, facts: &[Fact], at: Time) -> anyhow::Result<bool> {
        crash::point(self.crash.as_deref(), Moment::JournalBefore);
        let entries = facts
            .iter()
            .map(|fact| Entry::new(at, fact.first_task(), name(fact), fact))
            .collect::<Result<Vec<_>, _>>()
            .context("write a fact")?;
        match self.journal.append(entries).await {
            Ok(_) => {
                if std::mem::take(&mut self.is_full) {
                    tracing::info!("there is space on the disk again; going on");
                    if let Err(err) = self.journal.reserve_again() {
                        tracing::warn!("no disk space is kept in reserve: {err}");
                    }
                }
            }
            Err(AppendError::NoSpace) => {
                if !std::mem::replace(&mut self.is_full, true) {
                    tracing::error!("the disk is full: nothing new is begun until there is space");
                }
                return Ok(false);
            }
            Err(err) => return Err(err).context("write to the journal"),
        }
        crash::point(self.crash.as_deref(), Moment::JournalAfter);
        Ok(true)
    }

    /// Writes a snapshot when the last one is old. All pages have to be written: what
    /// comes after a snapshot is all that they may not say after a crash.
    pub(super) fn keep_snapshot(&mut self, book: &Book) {
        let position = self.journal.position();
        if position.seq >= self.snapshot_at + SNAPSHOT_EVERY {
            self.write_snapshot(position, book);
        }
    }

    /// Writes the last snapshot.
    pub(super) fn close(mut self, book: &Book) {
        self.write_snapshot(self.journal.position(), book);
    }

    fn write_snapshot(&mut self, position: Position, book: &Book) {
        self.snapshot_at = position.seq;
        if let Err(err) = snapshot::write(&self.home, SHAPE, position, book) {
            tracing::warn!("no snapshot was written: {err}; the next start is slower");
        }
    }
}

/// Whether a daemon was ever here.
pub(super) fn has_journal(home: &Home) -> bool {
    home.journal_dir().join("active.jsonl").exists()
        || fs::read_dir(home.facts_dir()).is_ok_and(|mut years| years.next().is_some())
}

/// Whether a record can say something about what came of an agent's work, without parsing it.
pub(super) fn is_about_merit(event: &str, data: &str) -> bool {
    // A fact is called after its first change, and may have others.
    [NAMES[1], NAMES[2], NAMES[3]].contains(&event)
        && ["run-begun", "run-ended", "pull-"].iter().any(|word| data.contains(word))
}

/// Reads what the journal says, without touching it. For the command line.
pub fn read_book(home: &Home) -> anyhow::Result<Book> {
    if !has_journal(home) {
        return Ok(Book::default());
    }
    let (from, mut book) = start(home);
    match journal::read(home, from, &mut |record| take(&mut book, &record, None)) {
        Err(journal::OpenError::Elsewhere { .. }) => {
            book = Book::default();
            journal::read(home, Position::START, &mut |record| take(&mut book, &record, None))
        }
        read => read,
    }
    .context("read the journal")?;
    Ok(book)
}

fn start(home: &Home) -> (Position, Book) {
    match snapshot::read::<Book>(home, SHAPE) {
        Found::Good { position, state } => (position, state),
        Found::Absent => (Position::START, Book::default()),
        Found::Unusable { why } => {
            tracing::debug!("the snapshot cannot be used: {why}");
            (Position::START, Book::default())
        }
    }
}

fn take(
    book: &mut Book,
    record: &journal::Record,
    behind: Option<&mut Behind>,
) -> anyhow::Result<()> {
    let entry = &record.entry;
    if !is_ours(&entry.event) {
        // Written by a later zazen, or by the journal itself. It stays in the journal.
        tracing::debug!("record {} is a `{}`, which means nothing here", record.seq, entry.event);
        return Ok(());
    }
    let fact = Fact::parse(entry.data.get())
        .with_context(|| format!("read the event `{}`", entry.event))?;
    let changes = behind.as_ref().map_or_else(Vec::new, |_| fact.changes.clone());
    match (book.take_in(fact, entry.at), behind) {
        (Ok(touched), Some(behind)) => {
            behind.add(touched, day::lines(book, &changes, entry.at));
        }
        (Ok(_), None) | (Err(Unfit::Repeated), _) => {}
        (Err(err), _) => tracing::error!("record {} was passed over: {err}", record.seq),
    }
    Ok(())
}

/// The names under which facts are written.
const NAMES: [&str; 6] = ["opened", "task", "run-begun", "run-ended", "reply", "read"];

fn is_ours(event: &str) -> bool {
    NAMES.contains(&event)
}

/// What a fact is called in the journal, for people who read it.
fn name(fact: &Fact) -> &'static str {
    match fact.changes.first() {
        Some(Change::Opened(_)) => NAMES[0],
        Some(Change::Task { event: Event::RunBegun { .. }, .. }) => NAMES[2],
        Some(Change::Task { event: Event::RunEnded { .. }, .. }) => NAMES[3],
        Some(Change::Task { .. }) => NAMES[1],
        Some(Change::ReplyDue { .. } | Change::Replied { .. }) => NAMES[4],
        None => NAMES[5],
    }
}
