//! Finds changes by looking, where the kernel does not tell.
//!
//! Nothing is remembered about any file: the kernel notes in each when it was
//! changed, and whatever was changed since the last round began is told. A file
//! that was removed shows as its folder. A round is taken in slices, so that
//! whoever looks can attend to other things meanwhile.

use std::collections::BTreeSet;
use std::fs::{self, Metadata, ReadDir};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::layout::{
    DEPTH_MAX, PATHS_MAX, WATCHED_DIRS, add_files, is_visible, leads_to_units, unit_of,
};
use crate::home::Home;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All that people change.
    All,
    /// The units, except for those that are watched.
    Units,
}

/// How often is looked, and how much of it at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How many times longer than a look the wait after it is.
    pub(super) rest: u32,
    /// How long to look at once.
    pub(super) slice: Duration,
    /// How long after the begin of a round the next one begins at the earliest.
    pub(super) round_min: Duration,
    /// How long a round may take because of the waits in it.
    pub(super) round_max: Duration,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) paths: BTreeSet<PathBuf>,
    /// The clock was set back, so that nothing can be said.
    pub(super) is_unsure: bool,
}

/// A look that goes on and on.
#[derive(Debug)]
pub(super) struct Scan {
    home: Home,
    scope: Scope,
    pace: Pace,
    /// What was changed before this was found by an earlier round.
    since: SystemTime,
    round: Option<Round>,
    /// How many slices the last round took.
    n_slices: u32,
    next_at: Instant,
    /// When was last looked, by both clocks.
    last: (SystemTime, Instant),
}

/// A round, and how far it is.
#[derive(Debug)]
struct Round {
    begun: (SystemTime, Instant),
    roots: Vec<PathBuf>,
    open: Vec<ReadDir>,
    n_slices: u32,
}

/// A file or folder, just looked at.
struct Seen {
    path: PathBuf,
    meta: Metadata,
    is_root: bool,
}

/// How exact the times in files are taken to be. File systems round them, at the
/// worst to two seconds, and adjusted clocks drift.
const SLACK: Duration = Duration::from_secs(2);

/// While the kernel tells of nothing, people wait for this: a few per cent of a
/// core, however many files there are, and not more often than this.
pub(super) const QUICK: Pace = Pace {
    rest: 30,
    slice: Duration::MAX,
    round_min: Duration::from_millis(750),
    round_max: Duration::MAX,
};

/// Beside the kernel's events: a thirtieth of a per cent of a core, in slices
/// that nobody notices. Only with hundreds of thousands of units is it more.
pub(super) const CALM: Pace = Pace {
    rest: 3000,
    slice: Duration::from_millis(5),
    round_min: Duration::from_secs(60),
    round_max: Duration::from_secs(30 * 60),
};

impl Scan {
    /// Finds what is changed from now on.
    pub(super) fn start(home: &Home, scope: Scope, pace: Pace) -> Self {
        let last = (SystemTime::now(), Instant::now());
        let next_at = last.1 + pace.round_min;
        let (home, since) = (home.clone(), last.0);
        Self { home, scope, pace, since, round: None, n_slices: 1, next_at, last }
    }

    pub(super) fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Takes the next slice, if it is time for it. Units that are `watched` are passed over.
    pub(super) fn look_when_due(&mut self, watched: impl Fn(&Path) -> bool) -> Found {
        let mut found = Found::default();
        let begun = Instant::now();
        if begun < self.next_at {
            return found;
        }
        if self.is_clock_set_back() {
            found.is_unsure = true;
            self.since = self.last.0;
            self.round = None;
        }
        let round = self.round.take().unwrap_or_else(|| Round::begin(&self.home, self.scope));
        let rest = self.take_slice(round, &watched, &mut found);
        self.next_at = self.next_at.max(begun + begun.elapsed() + rest);
        found
    }

    /// Looks until the slice or the round is over, and says how long to rest then.
    fn take_slice(
        &mut self,
        mut round: Round,
        watched: &impl Fn(&Path) -> bool,
        found: &mut Found,
    ) -> Duration {
        let begun = Instant::now();
        round.n_slices += 1;
        // At least one step each time, however slow everything is.
        loop {
            let Some(seen) = round.next() else {
                self.n_slices = round.n_slices;
                self.since = round.begun.0;
                self.next_at = round.begun.1 + self.pace.round_min;
                return self.rest(begun.elapsed());
            };
            let (is_looked_into, is_told) = self.judge(&seen, watched);
            if is_looked_into {
                round.look_into(&seen.path);
            }
            if is_told {
                self.add(seen, found);
            }
            if begun.elapsed() >= self.pace.slice || found.paths.len() > PATHS_MAX {
                self.round = Some(round);
                return self.rest(begun.elapsed());
            }
        }
    }

    fn rest(&self, cost: Duration) -> Duration {
        cost.saturating_mul(self.pace.rest).min(self.pace.round_max / self.n_slices)
    }

    /// Whether to look into a folder, and whether to tell of it.
    fn judge(&self, seen: &Seen, watched: &impl Fn(&Path) -> bool) -> (bool, bool) {
        let root = self.home.root();
        let unit = unit_of(root, &seen.path).map(|(_, unit)| unit);
        let is_looked_at = match (self.scope, unit) {
            // The folders in the home itself are roots, or do not concern people.
            (Scope::All, _) => seen.is_root || !seen.meta.is_dir() || !self.is_top(&seen.path),
            (Scope::Units, Some(unit)) => unit != seen.path || !watched(unit),
            (Scope::Units, None) => leads_to_units(root, &seen.path),
        };
        let is_told =
            self.is_since(changed(&seen.meta)) && (self.scope == Scope::All || unit.is_some());
        (is_looked_at && seen.meta.is_dir(), is_looked_at && is_told)
    }

    fn is_top(&self, path: &Path) -> bool {
        path.parent() == Some(self.home.root())
    }

    fn add(&self, seen: Seen, found: &mut Found) {
        let modified = seen.meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        if seen.meta.is_dir() && !self.is_since(modified) {
            // It was moved there, and what is in it knows nothing of that.
            add_files(&seen.path, &mut found.paths, 0);
        }
        found.paths.insert(seen.path);
    }

    fn is_since(&self, at: SystemTime) -> bool {
        at + SLACK >= self.since
    }

    fn is_clock_set_back(&mut self) -> bool {
        let now = (SystemTime::now(), Instant::now());
        let (before, at) = std::mem::replace(&mut self.last, now);
        now.0 + SLACK < before + now.1.duration_since(at)
    }
}

impl Round {
    fn begin(home: &Home, scope: Scope) -> Self {
        let mut roots: Vec<PathBuf> =
            WATCHED_DIRS.iter().map(|dir| home.root().join(dir)).collect();
        if scope == Scope::All {
            roots.extend([home.inbox_dir(), home.root().to_owned()]);
        }
        let begun = (SystemTime::now(), Instant::now());
        Self { begun, roots, open: Vec::new(), n_slices: 0 }
    }

    fn next(&mut self) -> Option<Seen> {
        loop {
            let Some(dir) = self.open.last_mut() else {
                let path = self.roots.pop()?;
                match fs::metadata(&path) {
                    Ok(meta) => return Some(Seen { path, meta, is_root: true }),
                    Err(_) => continue,
                }
            };
            match dir.next() {
                None => drop(self.open.pop()),
                Some(Ok(entry)) if is_visible(&entry.file_name()) => {
                    if let Ok(meta) = entry.metadata() {
                        return Some(Seen { path: entry.path(), meta, is_root: false });
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn look_into(&mut self, dir: &Path) {
        if self.open.len() < DEPTH_MAX
            && let Ok(entries) = fs::read_dir(dir)
        {
            self.open.push(entries);
        }
    }
}

/// When a file or folder was changed, moved or had its times set.
fn changed(meta: &Metadata) -> SystemTime {
    let secs = Duration::from_secs(u64::try_from(meta.ctime()).unwrap_or_default());
    let nanos = Duration::from_nanos(u64::try_from(meta.ctime_nsec()).unwrap_or_default());
    SystemTime::UNIX_EPOCH + secs + nanos
}

#[cfg(test)]
mod tests;
