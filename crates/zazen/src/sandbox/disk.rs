//! Measures what a run has written, now and then.
//!
//! The folders belong to someone hostile: links are not followed, every folder
//! is opened from the one above it, and a tree that is too deep or has too
//! many entries counts as too large. What counts is what the disk holds, so a
//! file with holes counts by its blocks; how long one may pretend to be is
//! limited for each process. Between two looks the disk's free space is
//! watched: a fast writer is looked at early, and what no look finds (files
//! without a name that are held open) ends the run before the disk is full.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

/// The time between two looks at a small tree.
const PAUSE_MIN: Duration = Duration::from_secs(3);

/// How often the free space is read, which costs nothing. A fast disk takes
/// half a gigabyte meanwhile; that much a run can be over its limit.
const GLANCE: Duration = Duration::from_millis(200);

/// A look at a large tree takes long; then we pause this many times as long,
/// so that looking never costs more than a twentieth of a core.
const PAUSE_FACTOR: u32 = 20;

/// The same for a look that comes early, because something fills the disk. It
/// may be something else that does, and then we pay for nothing.
const EARLY_FACTOR: u32 = 4;

/// How many files and folders a run may have. The largest checkouts with all
/// their dependencies have a few hundred thousand.
const N_ENTRIES_MAX: u64 = 4_000_000;

/// What an entry counts at the least, since a disk has only so many of them:
/// less than any file system spends on one.
const ENTRY_BYTES_MIN: u64 = 1 << 10;

/// How deep they may be. This bounds the open folders, too.
const DEPTH_MAX: usize = 200;

/// What a run leaves free of a disk that it found with more, in bytes and in
/// entries: room for zazen's own records, and for a glance that comes late.
const RESERVE: (u64, u64) = (512 << 20, 10_000);

/// What is under some folders.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    n_bytes: u64,
    n_entries: u64,
    too_deep: bool,
}

impl Size {
    pub(super) fn exceeds(self, n_bytes_max: u64) -> bool {
        let n_entries_max = N_ENTRIES_MAX.min(n_bytes_max / ENTRY_BYTES_MIN);
        self.too_deep || self.n_entries > n_entries_max || self.n_bytes > n_bytes_max
    }

    /// This, and what the disk has lost since.
    fn and(self, lost: Self) -> Self {
        Self {
            n_bytes: self.n_bytes.saturating_add(lost.n_bytes),
            n_entries: self.n_entries.saturating_add(lost.n_entries),
            too_deep: self.too_deep,
        }
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
        let at_first = free(&folders);
        let mut free = at_first.clone();
        let mut size = Size::default();
        let (mut looked_at, mut took) = (Instant::now(), Duration::ZERO);
        while ended.recv_timeout(GLANCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            if is_scarce(&at_first, &folders) {
                return exceeded();
            }
            let is_due = looked_at.elapsed() >= PAUSE_MIN.max(took * PAUSE_FACTOR);
            let is_early = looked_at.elapsed() >= took * EARLY_FACTOR;
            let is_feared = || size.and(lost(&free, &folders)).exceeds(n_bytes_max);
            if !(is_due || is_early && is_feared()) {
                continue;
            }
            let began = Instant::now();
            free = self::free(&folders);
            size = Size::default();
            for folder in &folders {
                size.add(folder);
            }
            if size.exceeds(n_bytes_max) {
                return exceeded();
            }
            (looked_at, took) = (Instant::now(), began.elapsed());
        }
    });
    watch
}

/// Whether a disk that had its reserve when the run began has it no more.
fn is_scarce(at_first: &[(u64, u64)], folders: &[PathBuf]) -> bool {
    let sinks = |first, now, reserve| first >= reserve && now < reserve;
    at_first
        .iter()
        .zip(free(folders))
        .any(|(first, now)| sinks(first.0, now.0, RESERVE.0) || sinks(first.1, now.1, RESERVE.1))
}

/// What is free on the disk of each folder, in bytes and in entries.
fn free(folders: &[PathBuf]) -> Vec<(u64, u64)> {
    let free = folders.iter().map(|folder| {
        let stat = rustix::fs::statvfs(folder).ok()?;
        Some((stat.f_bfree.saturating_mul(stat.f_frsize), stat.f_ffree))
    });
    free.map(Option::unwrap_or_default).collect()
}

/// What the disks have lost since, the one that lost most.
fn lost(before: &[(u64, u64)], folders: &[PathBuf]) -> Size {
    let now = free(folders);
    let both = || before.iter().zip(&now);
    Size {
        n_bytes: both().map(|(before, now)| before.0.saturating_sub(now.0)).max().unwrap_or(0),
        n_entries: both().map(|(before, now)| before.1.saturating_sub(now.1)).max().unwrap_or(0),
        too_deep: false,
    }
}

fn open<P: rustix::path::Arg>(at: impl AsFd, path: P) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

#[cfg(test)]
mod tests;
