//! The folder of a run: the one truth about it, for any daemon that looks.
//!
//! ```text
//! spec.json         what to run (written by the daemon, then never changed)
//! supervisor.lock   locked as long as the supervisor lives
//! events.jsonl      what happened, append-only and numbered
//! exit.json         how it ended; written last, and as a whole
//! control           a pipe on which the supervisor is asked to stop
//! out/ home/        the result, and the private home of the work
//! channel/          the socket on which a runner in a container reports
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::event::{EventLine, Exit};
use super::process::ProcessId;
use super::spec::{LaunchSpec, SPEC_VERSION};

/// The folder of one run, and the names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir(PathBuf);

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was started here yet.
    Absent,
    /// A supervisor lives, the sandbox does not stand yet.
    Starting,
    Running,
    Ended(Exit),
    /// The supervisor is gone without a word. The run may have done anything.
    Lost,
}

/// Who holds a lock, for people and for a stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) pid: ProcessId,
    pub(super) boot_id: String,
}

/// How much of `events.jsonl` is read at a time. It holds the longest line
/// that there can be: 1 MiB of text with every byte escaped.
const READ_BYTES_MAX: u64 = 8 << 20;

impl RunDir {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    pub fn exit(&self) -> PathBuf {
        self.0.join("exit.json")
    }

    pub fn lock(&self) -> PathBuf {
        self.0.join("supervisor.lock")
    }

    /// What the supervisor says when it cannot say it anywhere else.
    pub fn log(&self) -> PathBuf {
        self.0.join("supervisor.log")
    }

    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// The control groups of the run, one path a line.
    pub fn cgroups(&self) -> PathBuf {
        self.0.join("cgroups")
    }

    /// What the runner gets to read.
    pub fn inside(&self) -> PathBuf {
        self.0.join("inside.json")
    }

    /// The few files of `/etc` that are made for the run.
    pub fn etc(&self) -> PathBuf {
        self.0.join("etc")
    }

    /// The folder of the socket that a runner reports on when it has no pipe to us.
    pub fn channel(&self) -> PathBuf {
        self.0.join("channel")
    }

    pub fn out(&self) -> PathBuf {
        self.0.join("out")
    }

    pub fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    /// The commits of the run, if it made any. Written by the sandbox: open it
    /// without following links.
    pub fn bundle(&self) -> PathBuf {
        self.out().join("result.bundle")
    }

    /// Says how far the run is. Never waits, never disturbs the supervisor.
    pub fn observe(&self) -> anyhow::Result<Phase> {
        if let Some(exit) = self.read_exit()? {
            return Ok(Phase::Ended(exit));
        }
        let alive = self.is_locked()?;
        let begun = fs::metadata(self.events()).is_ok_and(|events| events.len() > 0);
        match (alive, begun) {
            (true, true) => Ok(Phase::Running),
            (true, false) => Ok(Phase::Starting),
            (false, false) => Ok(Phase::Absent),
            // It may have ended between the two looks.
            (false, true) => Ok(self.read_exit()?.map_or(Phase::Lost, Phase::Ended)),
        }
    }

    /// Whether a supervisor lives here.
    pub(super) fn is_locked(&self) -> anyhow::Result<bool> {
        let path = self.lock();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(err) => return Err(err).with_context(|| format!("open `{}`", path.display())),
        };
        // A shared lock, so that two who look do not see each other.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(err)) => {
                Err(err).with_context(|| format!("look at the lock `{}`", path.display()))
            }
        }
    }

    pub(super) fn read_holder(&self) -> anyhow::Result<Holder> {
        read_json(&self.lock())
    }

    pub(super) fn read_spec(&self) -> anyhow::Result<LaunchSpec> {
        let spec: LaunchSpec = read_json(&self.spec())?;
        if spec.v != SPEC_VERSION {
            bail!("`{}` has version {}, not {SPEC_VERSION}", self.spec().display(), spec.v);
        }
        Ok(spec)
    }

    fn read_exit(&self) -> anyhow::Result<Option<Exit>> {
        let path = self.exit();
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Whether there are events after a position. Costs next to nothing.
    pub fn has_more_than(&self, offset: u64) -> bool {
        fs::metadata(self.events()).is_ok_and(|events| events.len() > offset)
    }

    /// Reads the events from a position on, and moves the position behind the
    /// last whole line. Returns nothing when there is nothing more by now.
    pub fn read_new(&self, offset: &mut u64) -> anyhow::Result<Vec<EventLine>> {
        let path = self.events();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(err) => return Err(err).with_context(|| format!("open `{}`", path.display())),
        };
        file.seek(SeekFrom::Start(*offset))
            .with_context(|| format!("read `{}`", path.display()))?;
        let mut bytes = Vec::new();
        file.take(READ_BYTES_MAX)
            .read_to_end(&mut bytes)
            .with_context(|| format!("read `{}`", path.display()))?;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(Vec::new());
        };
        let lines = bytes[..end].split(|byte| *byte == b'\n');
        let lines: Vec<EventLine> = lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .with_context(|| format!("read `{}` after byte {offset}", path.display()))?;
        *offset += end as u64 + 1;
        Ok(lines)
    }
}

/// Writes a file as a whole: those who look see the old one or the new one.
///
/// When this returns, it is on the disk.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        put(path, bytes, File::sync_all)?;
        File::open(folder_of(path))?.sync_all()
    };
    write().with_context(|| format!("write `{}`", path.display()))
}

/// Writes a file as a whole that nobody needs once the machine was down.
///
/// A sandbox does not outlive that either, and a sync takes longer than it.
pub(super) fn write_unsynced(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    put(path, bytes, |_| Ok(())).with_context(|| format!("write `{}`", path.display()))
}

fn put(
    path: &Path,
    bytes: &[u8],
    sync: impl FnOnce(&File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(bytes)?;
    sync(file.as_file())?;
    file.persist(path)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let bytes = fs::read(path).with_context(|| format!("read `{}`", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("read `{}` as JSON", path.display()))
}

#[cfg(test)]
mod tests;
