//! Finds changes by looking at all files, where the kernel cannot tell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{DEPTH_MAX, WATCHED_DIRS, is_visible};
use crate::home::Home;
use crate::home::atomic::Stamp;

/// How the files looked the last time.
#[derive(Debug)]
pub(super) struct Scan {
    seen: BTreeMap<PathBuf, Stamp>,
    next_at: Instant,
}

/// How long to wait between two looks at least; people wait for an edit to be seen.
const INTERVAL_MIN: Duration = Duration::from_millis(750);

/// How many times longer than a look the wait after it is, so that looking takes
/// no more than a few per cent of a processor however many files there are.
const INTERVAL_LOOKS: u32 = 30;

impl Scan {
    /// Takes a first look; only what changes after it is found.
    pub(super) fn start(home: &Home) -> Self {
        let (seen, next_at) = look(home);
        Self { seen, next_at }
    }

    pub(super) fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Finds what changed since the last look, if it is time to look again.
    pub(super) fn look_when_due(&mut self, home: &Home) -> Vec<PathBuf> {
        if Instant::now() < self.next_at {
            return Vec::new();
        }
        let (now, next_at) = look(home);
        let before = std::mem::replace(&mut self.seen, now);
        self.next_at = next_at;
        let is_changed = |(path, stamp): &(&PathBuf, &Stamp)| before.get(*path) != Some(*stamp);
        let changed = self.seen.iter().filter(is_changed).map(|(path, _)| path.clone());
        let gone = before.keys().filter(|path| !self.seen.contains_key(*path)).cloned();
        changed.chain(gone).collect()
    }
}

fn look(home: &Home) -> (BTreeMap<PathBuf, Stamp>, Instant) {
    let start = Instant::now();
    let mut seen = BTreeMap::new();
    add(home.root(), DEPTH_MAX, &mut seen);
    add(&home.inbox_dir(), DEPTH_MAX, &mut seen);
    for dir in WATCHED_DIRS {
        add(&home.root().join(dir), 0, &mut seen);
    }
    let end = Instant::now();
    (seen, end + INTERVAL_MIN.max((end - start) * INTERVAL_LOOKS))
}

fn add(dir: &Path, depth: usize, seen: &mut BTreeMap<PathBuf, Stamp>) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_visible(&entry.file_name())) {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = entry.path();
        if is_dir && depth < DEPTH_MAX {
            add(&path, depth + 1, seen);
        } else if !is_dir && let Ok(stamp) = Stamp::of(&path) {
            seen.insert(path, stamp);
        }
    }
}
