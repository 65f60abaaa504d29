//! Measures what a run has written, now and then.
//!
//! The folders belong to someone hostile: links are not followed, every folder
//! is opened from the one above it, and a tree that is too deep or has too
//! many entries counts as too large.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

/// The least time between two looks. A fast disk fills 10 GB meanwhile, which
/// a machine that runs agents has to have.
const PAUSE_MIN: Duration = Duration::from_secs(3);

/// A look at a large tree takes long; then we pause this many times as long,
/// so that looking never costs more than a twentieth of a core.
const PAUSE_FACTOR: u32 = 20;

/// How many files and folders a run may have. The largest checkouts with all
/// their dependencies have a few hundred thousand.
const N_ENTRIES_MAX: u64 = 4_000_000;

/// How deep they may be. This bounds the open folders, too.
const DEPTH_MAX: usize = 200;

/// What is under some folders.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    n_bytes: u64,
    n_entries: u64,
    too_deep: bool,
}

impl Size {
    pub(super) fn exceeds(self, n_bytes_max: u64) -> bool {
        self.too_deep || self.n_entries > N_ENTRIES_MAX || self.n_bytes > n_bytes_max
    }

    /// Adds what is under a folder. What vanishes meanwhile is not counted.
    pub(super) fn add(&mut self, folder: &Path) {
        if let Ok(folder) = open(CWD, folder) {
            self.add_below(&folder, 0);
        }
    }

    fn add_below(&mut self, folder: &OwnedFd, depth: usize) {
        if depth > DEPTH_MAX {
            self.too_deep = true;
            return;
        }
        let Ok(entries) = Dir::read_from(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            self.n_entries += 1;
            self.n_bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
            if self.n_entries > N_ENTRIES_MAX || self.too_deep {
                return;
            }
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory
                && let Ok(below) = open(folder, name)
            {
                self.add_below(&below, depth + 1);
            }
        }
    }
}

/// Watches folders, and calls `exceeded` once they are too large. The watch
/// ends when what is returned is dropped.
pub(super) fn watch(
    folders: Vec<PathBuf>,
    n_bytes_max: u64,
    exceeded: impl FnOnce() + Send + 'static,
) -> mpsc::SyncSender<()> {
    let (watch, ended) = mpsc::sync_channel::<()>(1);
    thread::spawn(move || {
        let mut pause = PAUSE_MIN.min(Duration::from_millis(500));
        while ended.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
            let began = Instant::now();
            let mut size = Size::default();
            for folder in &folders {
                size.add(folder);
            }
            if size.exceeds(n_bytes_max) {
                return exceeded();
            }
            pause = PAUSE_MIN.max(began.elapsed() * PAUSE_FACTOR);
        }
    });
    watch
}

fn open<P: rustix::path::Arg>(at: impl AsFd, path: P) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

#[cfg(test)]
mod tests;
