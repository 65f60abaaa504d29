//! The files of the journal: where they are, and how one is sealed.
//!
//! `.zazen/journal/active.jsonl` takes the appends. When it is large enough it
//! is moved to `facts/<yyyy>/<mm>/NNNN.jsonl`, and a new active segment stands
//! ready as `next.jsonl` before that, so that there is no moment at which a
//! journal without an active segment could be mistaken for a new one:
//!
//! 1. `next.jsonl` is written, with the header that follows the last record.
//! 2. `active.jsonl` is moved below `facts/`.
//! 3. `next.jsonl` becomes `active.jsonl`.
//!
//! A process that ends between two steps is made up for by [`complete_sealing`].

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zazen_core::id::Time;

use super::line::{Chain, LineHash};
use super::{Entry, OpenError};
use crate::home::atomic::{self, Durability};
use crate::home::boot::BootId;
use crate::home::{Home, year_and_month};

/// The event of the record that every segment starts with.
pub(super) const HEADER_EVENT: &str = "segment";

/// What a segment's first record says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The number of the segment, counted from 1 over all time.
    pub(super) n: u32,
    prev_seq: u64,
    prev_hash: LineHash,
}

/// A segment that will not change any more.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) n: u32,
    pub(super) file: PathBuf,
}

/// A segment that was just started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) file: File,
    pub(super) chain: Chain,
    pub(super) n_bytes: u64,
}

/// How a sealing that did not succeed left the journal.
#[derive(Debug)]
pub(super) enum SealError {
    /// The active segment is as it was, and can be sealed another time.
    Postponed(io::Error),
    /// What is on the disk is not known.
    Fatal(io::Error),
}

pub(super) fn active_file(home: &Home) -> PathBuf {
    home.journal_dir().join("active.jsonl")
}

pub(super) fn next_file(home: &Home) -> PathBuf {
    home.journal_dir().join("next.jsonl")
}

/// Lists the sealed segments in their order, and checks that none is missing.
pub(super) fn list(home: &Home) -> Result<Vec<Sealed>, OpenError> {
    let facts = home.facts_dir();
    let mut sealed = Vec::new();
    for year in folders(&facts)? {
        for month in folders(&year)? {
            sealed.extend(segments(&month)?);
        }
    }
    sealed.sort_by(|a, b| a.n.cmp(&b.n).then_with(|| a.file.cmp(&b.file)));
    for (expected, segment) in (1..).zip(&sealed) {
        if segment.n > expected {
            return Err(missing(home, expected));
        }
        if segment.n < expected {
            return Err(OpenError::Corrupt {
                file: segment.file.clone(),
                line: 1,
                why: format!("there are two sealed segments with number {}", segment.n),
                remedy: "remove the one that the home's git history does not have".to_owned(),
            });
        }
    }
    Ok(sealed)
}

/// Says that a sealed segment is not there.
pub(super) fn missing(home: &Home, n: u32) -> OpenError {
    let file = home.facts_dir().join(format!("*/*/{n:04}.jsonl"));
    let remedy = "bring it back from the home's git history: `git log -- facts` names the commits";
    OpenError::Missing { file, remedy: remedy.to_owned() }
}

/// Completes a sealing that the last process did not, and says whether there was one.
pub(super) fn complete_sealing(home: &Home) -> Result<bool, OpenError> {
    let (active, next) = (active_file(home), next_file(home));
    if !next.exists() {
        return Ok(false);
    }
    if active.exists() {
        fs::remove_file(&next).map_err(OpenError::failed("remove", &next))?;
    } else {
        fs::rename(&next, &active).map_err(OpenError::failed("rename", &next))?;
    }
    let dir = home.journal_dir();
    atomic::sync_dir(&dir).map_err(OpenError::failed("sync", &dir))?;
    Ok(true)
}

/// Writes a new segment into `file`, with nothing but its header.
pub(super) fn start(
    file: &Path,
    n: u32,
    chain: Chain,
    at: Time,
    boot: BootId,
) -> io::Result<Started> {
    let header = Header { n, prev_seq: chain.seq, prev_hash: chain.hash };
    let entry = Entry::new(at, None, HEADER_EVENT, &header)?;
    let mut line = Vec::new();
    let chain =
        chain.print(&entry, boot, &mut line).expect("the header of a segment is a short line");
    atomic::write(file, &line, Durability::Durable)?;
    let file = OpenOptions::new().append(true).open(file)?;
    Ok(Started { file, chain, n_bytes: line.len() as u64 })
}

/// Seals the active segment, number `n`, whose first event is of `first_at`.
pub(super) fn seal(
    home: &Home,
    n: u32,
    chain: Chain,
    first_at: Time,
    boot: BootId,
) -> Result<Started, SealError> {
    let (active, next) = (active_file(home), next_file(home));
    let (sealed, started) = prepare(home, n, chain, first_at, boot).map_err(|err| {
        // What stays behind is removed by the next start.
        drop(fs::remove_file(&next));
        if may_be_postponed(&err) { SealError::Postponed(err) } else { SealError::Fatal(err) }
    })?;
    let month = sealed.parent().expect("a sealed segment is in the folder of a month");
    let complete = || -> io::Result<()> {
        atomic::sync_dir(month)?;
        atomic::sync_dir(&home.journal_dir())?;
        fs::rename(&next, &active)?;
        atomic::sync_dir(&home.journal_dir())
    };
    complete().map_err(SealError::Fatal)?;
    Ok(started)
}

/// Does the steps after which nothing has changed if they fail, and the move.
fn prepare(
    home: &Home,
    n: u32,
    chain: Chain,
    first_at: Time,
    boot: BootId,
) -> io::Result<(PathBuf, Started)> {
    let sealed = sealed_file(home, n, first_at);
    let month = sealed.parent().expect("a sealed segment is in the folder of a month");
    atomic::create_dirs(month)?;
    if sealed.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let started = start(&next_file(home), n + 1, chain, first_at, boot)?;
    fs::rename(active_file(home), &sealed)?;
    Ok((sealed, started))
}

fn sealed_file(home: &Home, n: u32, first_at: Time) -> PathBuf {
    let (year, month) = year_and_month(first_at);
    home.facts_dir().join(year).join(month).join(format!("{n:04}.jsonl"))
}

/// Whether an error only means that a file could not be made here and now.
fn may_be_postponed(err: &io::Error) -> bool {
    use rustix::io::Errno;

    matches!(
        Errno::from_io_error(err),
        Some(
            Errno::NOSPC
                | Errno::DQUOT
                | Errno::ACCESS
                | Errno::PERM
                | Errno::ROFS
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOMEM
                | Errno::XDEV
        )
    ) || err.kind() == io::ErrorKind::AlreadyExists
}

/// Lists the folders in `dir` whose names are numbers.
fn folders(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let is_number = |path: &PathBuf| path.is_dir() && number(path, "").is_some();
    Ok(entries(dir)?.into_iter().filter(is_number).collect())
}

fn segments(month: &Path) -> Result<Vec<Sealed>, OpenError> {
    let sealed = |file: PathBuf| Some(Sealed { n: number(&file, ".jsonl")?, file });
    Ok(entries(month)?.into_iter().filter_map(sealed).collect())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(dir) {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(err) => Err(err),
        }
    };
    list().map_err(OpenError::failed("list", dir))
}

fn number(path: &Path, suffix: &str) -> Option<u32> {
    let digits = path.file_name()?.to_str()?.strip_suffix(suffix)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}
