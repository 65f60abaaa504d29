//! Reads the inbox that an earlier process left.
//!
//! Every line that is whole counts. What stands after the last whole line of the
//! last file was being written when the process ended, and is cut; a damaged line
//! elsewhere is passed over. Both are told.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use zazen_core::id::Time;

use super::line::{Fault, Line, key, parse};
use super::{Log, Note, OpenError, Segment};
use crate::home::atomic;

/// What a segment's name ends with.
const EXTENSION: &str = "jsonl";

/// How long segments are kept, in milliseconds. GitHub delivers again, when it is
/// asked to, for three days; a day more makes up for clocks.
const KEPT_MS: u64 = 4 * 24 * 60 * 60 * 1000;

/// Reads the log in a folder, which is made if it is not there.
pub(super) fn read(dir: &Path) -> Result<(Log, Vec<Note>), OpenError> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(dir).map_err(OpenError::failed("create", dir))?;
    let mut log = Log {
        dir: dir.into(),
        segments: VecDeque::new(),
        next: 1,
        seen: HashSet::new(),
        undone: BTreeSet::new(),
    };
    let mut notes = Vec::new();
    let found = list(dir).map_err(OpenError::failed("list", dir))?;
    for (n, (first, path)) in found.iter().enumerate() {
        let bytes = fs::read(path).map_err(OpenError::failed("read", path))?;
        log.begin(*first, path.clone());
        let is_last = n + 1 == found.len();
        let n_whole = log.take_in(&bytes, is_last, &mut notes)?;
        if n_whole < bytes.len() && is_last {
            cut(path, n_whole as u64).map_err(OpenError::failed("cut", path))?;
            let n_bytes = (bytes.len() - n_whole) as u64;
            notes.push(Note::TornTail { file: path.clone(), n_bytes });
        }
    }
    Ok((log, notes))
}

/// The path of the segment that begins with this delivery.
pub(super) fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:012}.{EXTENSION}"))
}

/// Yields the lines of a file, their newlines included.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == EXTENSION);
        let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(first) = first.filter(|_| is_segment) {
            found.push((first, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn cut(path: &Path, n_bytes: u64) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    file.set_len(n_bytes)?;
    file.sync_all()
}

impl Log {
    /// Begins a segment, which is appended to from now on.
    pub(super) fn begin(&mut self, first: u64, path: PathBuf) {
        self.next = self.next.max(first);
        let segment = Segment { path, first, n_bytes: 0, came: None, keys: Vec::new() };
        self.segments.push_back(segment);
    }

    /// Takes in a file. Returns how far its last whole line reaches.
    fn take_in(
        &mut self,
        bytes: &[u8],
        is_last: bool,
        notes: &mut Vec<Note>,
    ) -> Result<usize, OpenError> {
        let file = self.segments.back().map(|segment| segment.path.clone()).unwrap_or_default();
        let (mut at, mut n_whole, mut damaged) = (0, 0, Vec::new());
        for (n, text) in lines(bytes).enumerate() {
            at += text.len();
            match parse(text) {
                Ok(line) => {
                    n_whole = at;
                    notes.append(&mut damaged);
                    self.note(line, at as u64);
                }
                Err(Fault::Newer(version)) => {
                    return Err(OpenError::Newer { file, line: n + 1, version });
                }
                Err(Fault::Damaged(why)) => {
                    let (file, why) = (file.clone(), why.to_owned());
                    damaged.push(Note::Damaged { file, line: n + 1, why });
                }
            }
        }
        if !is_last {
            notes.append(&mut damaged);
        }
        Ok(n_whole)
    }

    /// Takes in what the last segment says, up to `n_bytes` of it.
    pub(super) fn note(&mut self, line: Line, n_bytes: u64) {
        let Some(segment) = self.segments.back_mut() else { return };
        segment.n_bytes = n_bytes;
        match line {
            Line::Came { n, at, hook, guid, .. } => {
                let key = key(hook, &guid);
                segment.keys.push(key);
                segment.came = Some((segment.came.map_or(at, |(first, _)| first), at));
                self.seen.insert(key);
                self.undone.insert(n);
                self.next = self.next.max(n + 1);
            }
            Line::Done { ns } => {
                for n in ns {
                    self.undone.remove(&n);
                }
            }
        }
    }

    /// Removes the oldest segments while they are past their time and all done.
    pub(super) fn forget_old(&mut self, now: Time) {
        while let [Some(oldest), Some(next)] = [self.segments.front(), self.segments.get(1)] {
            let is_old = oldest.came.is_none_or(|(_, last)| now.millis_since(last) > KEPT_MS);
            let is_done = self.undone.range(oldest.first..next.first).next().is_none();
            if !is_old || !is_done {
                return;
            }
            match fs::remove_file(&oldest.path) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!("cannot remove `{}`: {err}", oldest.path.display());
                    return;
                }
                _ => {}
            }
            for key in self.segments.pop_front().into_iter().flat_map(|old| old.keys) {
                self.seen.remove(&key);
            }
        }
    }

    /// Creates the segment that begins with the next delivery.
    pub(super) fn create_segment(&mut self) -> io::Result<File> {
        let path = segment_path(&self.dir, self.next);
        let file = File::options().create(true).append(true).open(&path)?;
        atomic::sync_dir(&self.dir)?;
        if self.segments.back().is_none_or(|last| last.path != path) {
            self.begin(self.next, path);
        }
        Ok(file)
    }
}
