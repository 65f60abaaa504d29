//! Opening the journal: as a daemon, as a reader, or to repair it.
//!
//! A torn tail is put into quarantine and cut off, an interrupted sealing is
//! completed; both are told. Damage is refused here and given up only by
//! [`repair`], which a person calls.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::mpsc;
use zazen_core::id::Time;

use super::line::Chain;
use super::replay::{self, Reader, Segment, Torn, Visit};
use super::reserve::Reserve;
use super::segment::{self, Started};
use super::write::{Tip, Writer};
use super::{
    Journal, LineHash, Note, OpenError, Opened, Options, Position, QUEUE_MAX, Shared, is_no_space,
};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::home::boot::BootId;

/// How often [`read`] looks for the active segment, which is away for the moment
/// between two steps of a sealing.
const ACTIVE_TRIES_MAX: usize = 5;

/// Opens the journal of a home as a daemon does; see [`open_with`].
pub fn open(home: &Home, from: Position, visit: Visit<'_>) -> Result<Opened, OpenError> {
    open_with(home, Options::STANDARD, from, visit)
}

/// Opens the journal of a home, and hands every record after `from` to `visit`.
///
/// The caller holds the instance lock of the home. A torn tail is cut off, an
/// interrupted sealing is completed, and both are told in the notes.
pub fn open_with(
    home: &Home,
    options: Options,
    from: Position,
    visit: Visit<'_>,
) -> Result<Opened, OpenError> {
    let boot = BootId::read();
    let dir = home.journal_dir();
    atomic::create_dirs(&dir).map_err(OpenError::failed("create", &dir))?;
    let sealed = segment::list(home)?;
    let mut notes = Vec::new();
    if segment::complete_sealing(home)? {
        notes.push(Note::SealingCompleted);
    }
    let reserve = Reserve { file: dir.join("reserve"), n_bytes: options.reserve_bytes };
    let file = segment::active_file(home);
    if !file.exists() {
        refuse_lost_active(home, sealed.len(), &reserve)?;
        segment::start(&file, 1, Chain::START, now(), boot)
            .map_err(OpenError::failed("create", &file))?;
    }
    let n = active_number(sealed.len());
    let mut active = open_active(home, n, &file)?;
    let mut reader = Reader::new(from, visit);
    reader.read_sealed(&sealed)?;
    let done = reader.read_segment(&mut active)?;
    let chain = reader.finish()?;
    if let Some(torn) = &done.torn {
        notes.push(cut(home, &active, done.n_bytes, torn, &reserve)?);
    }
    let tip = Tip { chain, segment: n, n_bytes: done.n_bytes, first_at: done.first_at };
    let started = continue_active(&active, tip, boot)?;
    if let Err(err) = reserve.keep() {
        notes.push(Note::NoReserve { why: err.to_string() });
    }
    let tip = Tip { chain: started.chain, n_bytes: started.n_bytes, ..tip };
    let position = Arc::new(Mutex::new(tip.position()));
    let writer = Writer {
        home: home.clone(),
        options,
        boot,
        file: started.file,
        tip,
        seal_at: options.segment_bytes_max,
        position: Arc::clone(&position),
        lines: Vec::new(),
    };
    let (sender, inbox) = mpsc::channel(QUEUE_MAX);
    let writer = writer.start(inbox).map_err(OpenError::failed("start the writer of", &file))?;
    let shared = Shared { sender: Some(sender), writer: Some(writer), position, reserve };
    Ok(Opened { journal: Journal { shared: Arc::new(shared) }, notes })
}

/// Reads the journal without changing anything, also while a daemon appends.
///
/// A last line that is just being written is left out. The answer is the place
/// up to which was read.
pub fn read(home: &Home, from: Position, visit: Visit<'_>) -> Result<Position, OpenError> {
    let (file, mut opened) = find_active(home)?;
    // The active segment was opened first: what was sealed since is in it.
    let said = replay::first_number(&mut opened).map_err(OpenError::failed("read", &file))?;
    let mut sealed = segment::list(home)?;
    sealed.truncate(said.map_or(usize::MAX, |n| n.saturating_sub(1) as usize));
    let mut reader = Reader::new(from, visit);
    reader.read_sealed(&sealed)?;
    let n = active_number(sealed.len());
    refuse_lost_sealed(home, n, said)?;
    let active = Segment::new(n, &file, true, opened);
    let done = reader.read_segment(&mut active.map_err(OpenError::failed("read", &file))?)?;
    let chain = reader.finish()?;
    Ok(Tip { chain, segment: n, n_bytes: done.n_bytes, first_at: done.first_at }.position())
}

/// Cuts the active segment before its first damaged line, because a person said so.
///
/// This gives up records that were acknowledged; they are kept in quarantine. The
/// caller holds the instance lock. `None` means that there was nothing to cut.
/// Damage in a sealed segment is not cut: the home's git history has the file.
pub fn repair(home: &Home) -> Result<Option<Note>, OpenError> {
    let dir = home.journal_dir();
    atomic::create_dirs(&dir).map_err(OpenError::failed("create", &dir))?;
    segment::complete_sealing(home)?;
    let sealed = segment::list(home)?;
    let mut ignore = |_| Ok(());
    let mut reader = Reader::new(Position::START, &mut ignore);
    reader.read_sealed(&sealed)?;
    let n = active_number(sealed.len());
    let file = segment::active_file(home);
    if !file.exists() {
        let chain = reader.finish()?;
        segment::start(&file, n, chain, now(), BootId::read())
            .map_err(OpenError::failed("create", &file))?;
        return Ok(Some(Note::TornTail { file, line: 1, n_bytes: 0, kept_at: None }));
    }
    let mut active = open_active(home, n, &file)?;
    let done = reader.read_valid(&mut active)?;
    let Some(torn) = done.torn else { return Ok(None) };
    let reserve = Reserve { file: dir.join("reserve"), n_bytes: 0 };
    cut(home, &active, done.n_bytes, &torn, &reserve).map(Some)
}

/// Opens the active segment for reading. It is number `n`, unless sealed ones are lost.
fn open_active<'a>(home: &Home, n: u32, file: &'a Path) -> Result<Segment<'a>, OpenError> {
    let failed = || OpenError::failed("read", file);
    let mut opened = File::open(file).map_err(failed())?;
    let said = replay::first_number(&mut opened).map_err(failed())?;
    refuse_lost_sealed(home, n, said)?;
    Segment::new(n, file, true, opened).map_err(failed())
}

/// Opens the active segment for appending, with a header if it was cut to nothing.
fn continue_active(active: &Segment<'_>, tip: Tip, boot: BootId) -> Result<Started, OpenError> {
    if tip.n_bytes == 0 {
        return segment::start(active.file, active.n, tip.chain, now(), boot)
            .map_err(OpenError::failed("create", active.file));
    }
    let open = || {
        let file = OpenOptions::new().append(true).open(active.file)?;
        // The last process may have ended between a write and its sync.
        file.sync_data()?;
        Ok(Started { file, chain: tip.chain, n_bytes: tip.n_bytes })
    };
    open().map_err(OpenError::failed("open", active.file))
}

/// Keeps the bytes after the first `n_good` in quarantine, and cuts them off.
fn cut(
    home: &Home,
    segment: &Segment<'_>,
    n_good: u64,
    torn: &Torn,
    reserve: &Reserve,
) -> Result<Note, OpenError> {
    let Torn { at_line, tail } = torn;
    let kept_at = if tail.is_empty() { None } else { Some(keep(home, segment.n, tail, reserve)?) };
    let truncate = || -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(segment.file)?;
        file.set_len(n_good)?;
        file.sync_all()
    };
    truncate().map_err(OpenError::failed("truncate", segment.file))?;
    let file = segment.file.to_owned();
    Ok(Note::TornTail { file, line: *at_line, n_bytes: tail.len() as u64, kept_at })
}

/// Writes the tail of a segment into quarantine, under a name that a second try has too.
fn keep(home: &Home, n: u32, tail: &[u8], reserve: &Reserve) -> Result<PathBuf, OpenError> {
    let dir = home.quarantine_dir();
    let file = dir.join(format!("journal-{n:04}-{}.jsonl", LineHash::of(tail)));
    let write = || {
        atomic::create_dirs(&dir)?;
        atomic::write(&file, tail, Durability::Durable)
    };
    let mut written = write();
    if written.as_ref().is_err_and(is_no_space) {
        reserve.release().map_err(OpenError::failed("remove", &reserve.file))?;
        written = write();
    }
    written.map_err(OpenError::failed("write", &file))?;
    Ok(file)
}

/// Refuses to take a journal whose active segment is gone for a new one.
fn refuse_lost_active(home: &Home, n_sealed: usize, reserve: &Reserve) -> Result<(), OpenError> {
    if n_sealed == 0 && !reserve.file.exists() {
        return Ok(());
    }
    let remedy = format!(
        "bring it back from a backup or from the machine that ran this home; or give its records \
         up and go on from the last sealed ones with `zazen repair` in `{}`",
        home.root().display()
    );
    Err(OpenError::Missing { file: segment::active_file(home), remedy })
}

/// Refuses a journal whose active segment says that there were more before it.
fn refuse_lost_sealed(home: &Home, n: u32, said: Option<u32>) -> Result<(), OpenError> {
    match said {
        Some(said) if said > n => Err(segment::missing(home, n)),
        _ => Ok(()),
    }
}

/// Opens the active segment, or the one that is about to become it.
fn find_active(home: &Home) -> Result<(PathBuf, File), OpenError> {
    let mut file = segment::active_file(home);
    for _ in 0..ACTIVE_TRIES_MAX {
        for candidate in [segment::active_file(home), segment::next_file(home)] {
            match File::open(&candidate) {
                Ok(opened) => return Ok((candidate, opened)),
                Err(err) if err.kind() == io::ErrorKind::NotFound => file = candidate,
                Err(err) => return Err(OpenError::failed("read", &candidate)(err)),
            }
        }
    }
    let remedy = "the home has not been started yet, or its newest records are lost".to_owned();
    Err(OpenError::Missing { file, remedy })
}

fn active_number(n_sealed: usize) -> u32 {
    u32::try_from(n_sealed).expect("the number of a segment fits into its name") + 1
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
