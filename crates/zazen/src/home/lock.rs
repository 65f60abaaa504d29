//! The instance lock: one home has one zazen at a time.
//!
//! The kernel holds the lock for as long as the process lives and lets go of it
//! however the process ends. What the file says is for people only.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use zazen_core::id::Time;

use super::Home;
use super::boot::BootId;

/// The right to be the zazen of a home; given back when it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given back when it is dropped"]
pub struct Lock {
    _file: File,
}

/// Why the lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{0}")]
    Held(Held),

    #[error("take the lock `{}`", path.display())]
    Failed { path: PathBuf, source: io::Error },
}

/// Who has the lock, as far as the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub path: PathBuf,
    pub holder: Option<Holder>,
}

/// What a process says about itself when it takes the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub boot: BootId,
    pub since: Time,
}

/// More than what a holder writes; whatever else is in the file is not read.
const HOLDER_BYTES_MAX: u64 = 1024;

/// How often the lock is tried for, and how long between two tries: together far
/// longer than a look at it takes, and too short for a person to wait.
const N_TRIES: u32 = 5;
const TRY_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

impl Lock {
    /// Takes the lock of a home, at once or not at all.
    pub fn take(home: &Home) -> Result<Self, LockError> {
        let path = home.lock_file();
        let failed = |source| LockError::Failed { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match try_for_a_moment(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file);
                return Err(LockError::Held(Held { path, holder }));
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_holder(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Who only looks at the lock holds it for an instant, and is not to be taken for a daemon.
fn try_for_a_moment(file: &File) -> Result<(), TryLockError> {
    for _ in 0..N_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_PAUSE),
            other => return other,
        }
    }
    file.try_lock()
}

/// Says who holds the lock of a home, if anybody does. Waits for nothing.
pub fn holder(home: &Home) -> Option<Holder> {
    let mut file = File::open(home.lock_file()).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => read_holder(&mut file),
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(HOLDER_BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(file: &mut File) -> io::Result<()> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let since = Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    let holder = Holder { pid: std::process::id(), boot: BootId::read(), since };
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", serde_json::to_string(&holder)?)
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let home = self.path.parent().and_then(Path::parent).unwrap_or(&self.path);
        f.write_str("take the home's lock: another zazen ")?;
        if let Some(Holder { pid, since, .. }) = self.holder {
            let since = i64::try_from(since.0).unwrap_or(i64::MAX);
            write!(f, "(process {pid}")?;
            if let Ok(since) = jiff::Timestamp::from_millisecond(since) {
                write!(f, ", since {since:.0}")?;
            }
            f.write_str(") ")?;
        }
        write!(f, "runs in `{}`; stop that one first", home.display())
    }
}

#[cfg(test)]
mod tests;
