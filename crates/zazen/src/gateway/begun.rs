//! Notes that a call begins, before it is made.
//!
//! A call is recorded when it has ended. A daemon that is killed in between
//! would forget one that has to be paid; so what it can come to at most is
//! written down first, and counts until the call itself is in the recording.
//! No file is kept where every call came to its end.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::budget::Exceeded;
use zazen_core::limit::Closing;
use zazen_core::price::Prices;
use zazen_core::usage::{Amount, Cost, Tokens, Usage};

use super::record::Bill;
use super::route::Endpoint;

/// The notes of one run.
#[derive(Debug)]
pub(super) struct Begun {
    path: PathBuf,
    /// Opened for the first call. Held only to write one line.
    file: Mutex<Option<File>>,
}

/// One note: a line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The number that the call has in the recording.
    n: u64,
    /// What it can come to.
    most: Amount,
}

/// What the calls of a run come to, by its recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    pub usage: Usage,
    /// The last budget that a call was refused for.
    pub refused: Option<Exceeded>,
    /// How many calls the model's service did not answer well.
    pub n_failed: u64,
    /// The last one of those.
    pub last_failed: Option<Failure>,
    /// What kept the service from answering, and has not come right since.
    pub closing: Option<Closing>,
    /// Whether the last answer that was begun never came to its end.
    pub is_last_cut: bool,
}

/// A call that was not answered well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Failure {
    pub status: u16,
    /// How long the service wants to be left alone, as it says it.
    pub retry_after: Option<String>,
    /// What it said in the middle of its answer.
    pub error: Option<String>,
}

/// What is read of a recorded call.
#[derive(Deserialize)]
struct Line {
    n: u64,
    request: Request,
    response: Failure,
    #[serde(default)]
    tokens: Tokens,
    #[serde(default)]
    bill: Option<Bill>,
    #[serde(default)]
    refused: Option<Exceeded>,
    #[serde(default)]
    closing: Option<Closing>,
}

#[derive(Deserialize)]
struct Request {
    path: String,
    model: String,
}

/// The notes' file ends like this, in the place of the recording's own ending.
const ENDING: &str = "begun";

impl Begun {
    /// The notes beside a recording, and the number after the last one.
    pub(super) fn open(recording: &Path) -> io::Result<(Self, u64)> {
        let path = recording.with_extension(ENDING);
        let n_next = read(&path)?.last().map_or(0, |note| note.n + 1);
        Ok((Self { path, file: Mutex::new(None) }, n_next))
    }

    /// Notes that a call is about to be made.
    ///
    /// A line of some fifty bytes goes to the system's memory, which takes less time than
    /// handing it to another thread would. It is there after the daemon was killed; after
    /// a power failure it may not be.
    pub(super) fn note(&self, n: u64, most: Amount) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Note { n, most })?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            let options = OpenOptions::new().append(true).create(true).mode(0o600).clone();
            *file = Some(options.open(&self.path)?);
        }
        file.as_mut().map_or(Ok(()), |file| file.write_all(&line))
    }
}

/// Removes the notes of a run, if all calls that were begun are in its recording.
pub(super) fn close(recording: &Path) -> anyhow::Result<()> {
    let path = recording.with_extension(ENDING);
    if !path.exists() {
        return Ok(());
    }
    let mut begun: BTreeSet<u64> = read(&path)?.into_iter().map(|note| note.n).collect();
    each_line(recording, |line| {
        begun.remove(&line.n);
    })?;
    if begun.is_empty() {
        fs::remove_file(&path).context("remove the notes of a recording")?;
    }
    Ok(())
}

/// Adds up what the calls of a run used, those included that were begun and never ended.
pub fn sum_up(recording: &Path, prices: &Prices) -> io::Result<Sum> {
    let mut sum = Sum::default();
    let mut begun = read(&recording.with_extension(ENDING))?;
    each_line(recording, |line| {
        begun.retain(|note| note.n != line.n);
        sum.refused = line.refused.or(sum.refused);
        let is_failed = line.response.status >= 400 || line.response.error.is_some();
        if line.refused.is_none() && line.is_billed() {
            sum.is_last_cut = line.response.status < 400 && line.response.error.is_some();
        }
        if is_failed && line.refused.is_none() {
            sum.n_failed += 1;
            sum.last_failed = Some(line.response.clone());
        }
        if line.closing.is_some() {
            sum.closing.clone_from(&line.closing);
        } else if !is_failed && line.is_billed() {
            sum.closing = sum.closing.take().filter(|old| !old.is_for(&line.request.model));
        }
        if let Some(bill) = line.bill {
            sum.usage += bill.usage;
        } else if line.refused.is_none() && line.is_billed() {
            // Recorded by a version that did not write bills.
            let cost = prices.cost(&line.request.model, line.tokens);
            sum.usage += Usage { n_calls: 1, tokens: line.tokens, cost, ..Usage::default() };
        }
    })?;
    for note in begun {
        let cost = Cost::Unknown { known_micros: 0 };
        sum.usage += Usage { n_calls: 1, cost, assumed: note.most, ..Usage::default() };
    }
    Ok(sum)
}

impl Line {
    fn is_billed(&self) -> bool {
        Endpoint::of_path(&self.request.path).is_some_and(Endpoint::is_billed)
    }
}

fn read(path: &Path) -> io::Result<Vec<Note>> {
    match fs::read_to_string(path) {
        // A torn last line is of a call that was never made.
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(err) => Err(err),
    }
}

/// Reads the calls of a recording, as far as their lines are whole.
fn each_line(path: &Path, mut take: impl FnMut(Line)) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(err),
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if let Ok(call) = serde_json::from_slice(&line) {
            take(call);
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
