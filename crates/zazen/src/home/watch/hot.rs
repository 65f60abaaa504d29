//! Which folders the kernel watches, and what gives way to what.
//!
//! The structure is always watched. Of the units, those are that changed last:
//! they are *hot*. However many units there are, this holds nothing for a cold
//! one; what changes there is found by `scan`, or because its folder is touched,
//! which the watch on the folder above tells. A unit that is told becomes hot.
//!
//! A folder is watched first and listed then, so nothing falls between.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::layout::{DEPTH_MAX, Kind, WATCHED_DIRS, folders, is_watched, leads_to_units, unit_of};
use crate::home::Home;

/// The watches of the kernel.
pub(super) struct Hot {
    home: Home,
    watcher: RecommendedWatcher,
    issues: Units,
    tasks: Units,
    has_cold: bool,
}

/// The hot units of one kind.
#[derive(Debug)]
struct Units {
    max: usize,
    by_path: BTreeMap<PathBuf, Unit>,
    /// The same, the one that was least recently used first.
    by_use: BTreeMap<u64, PathBuf>,
    next_use: u64,
}

#[derive(Debug)]
struct Unit {
    used: u64,
    /// What is watched for it.
    folders: Vec<PathBuf>,
}

/// The units that changed last, found in one pass over all.
struct Latest {
    max: usize,
    units: BinaryHeap<Reverse<(SystemTime, PathBuf)>>,
    is_full: bool,
}

/// How many folders of one unit are watched. Issues and tasks have one or two; a
/// unit with more than this stays cold.
const FOLDERS_PER_UNIT_MAX: usize = 16;

impl Hot {
    /// Watches the structure, and of each kind the `units_max` units that changed last.
    pub(super) fn start(
        home: &Home,
        watcher: RecommendedWatcher,
        units_max: usize,
    ) -> notify::Result<Self> {
        let (issues, tasks) = (Units::new(units_max), Units::new(units_max));
        let mut hot = Self { home: home.clone(), watcher, issues, tasks, has_cold: false };
        hot.settle()?;
        Ok(hot)
    }

    /// Begins anew: at the start, and when the kernel could not tell everything.
    pub(super) fn settle(&mut self) -> notify::Result<()> {
        let root = self.home.root().to_owned();
        self.forget_below(&root);
        self.watch(&root)?;
        self.watch(&self.home.inbox_dir())?;
        let mut latest = self.latest();
        for dir in WATCHED_DIRS.iter().map(|dir| root.join(dir)).filter(|dir| dir.is_dir()) {
            self.watch_structure(&dir, 0, &mut latest)?;
        }
        self.admit_all(latest)
    }

    /// Whether there are, or were, units that are not watched.
    pub(super) fn has_cold(&self) -> bool {
        self.has_cold
    }

    /// Whether a unit is watched.
    pub(super) fn contains(&self, unit: &Path) -> bool {
        [&self.issues, &self.tasks].iter().any(|units| units.by_path.contains_key(unit))
    }

    /// Takes note of a path that was told; `is_made` if it may be another file or folder
    /// than before. Gives the folder in which files may have changed untold, if there is one.
    pub(super) fn take(&mut self, path: &Path, is_made: bool) -> notify::Result<Option<PathBuf>> {
        let root = self.home.root().to_owned();
        let Some((kind, unit)) = unit_of(&root, path) else {
            return if is_made { self.take_structure(path) } else { Ok(None) };
        };
        let is_hot = self.contains(unit);
        let is_new = is_made && (path == unit || path.is_dir());
        if is_hot && !is_new {
            self.units(kind).touch(unit);
            return Ok(None);
        }
        self.forget(kind, unit);
        if !unit.is_dir() {
            return Ok(None);
        }
        self.admit(kind, unit)?;
        Ok(Some(if is_hot { path } else { unit }.to_owned()))
    }

    fn take_structure(&mut self, dir: &Path) -> notify::Result<Option<PathBuf>> {
        if !is_watched(self.home.root(), dir) {
            return Ok(None);
        }
        self.forget_below(dir);
        if !dir.is_dir() {
            return Ok(None);
        }
        let mut latest = self.latest();
        self.watch_structure(dir, 0, &mut latest)?;
        self.admit_all(latest)?;
        Ok(Some(dir.to_owned()))
    }

    /// Watches a folder of the structure with those below it, and collects the units.
    fn watch_structure(
        &mut self,
        dir: &Path,
        depth: usize,
        latest: &mut [Latest; 2],
    ) -> notify::Result<()> {
        // The kernel may still watch another folder that had this name.
        drop(self.watcher.unwatch(dir));
        self.watch(dir)?;
        let root = self.home.root().to_owned();
        let has_units = leads_to_units(&root, dir);
        for dir in folders(dir) {
            match unit_of(&root, &dir).filter(|_| has_units) {
                Some((kind, _)) => latest[kind as usize].add(dir),
                None if depth < DEPTH_MAX => self.watch_structure(&dir, depth + 1, latest)?,
                None => {}
            }
        }
        Ok(())
    }

    fn latest(&self) -> [Latest; 2] {
        [&self.issues, &self.tasks].map(|units| Latest {
            max: units.max,
            units: BinaryHeap::new(),
            is_full: false,
        })
    }

    fn admit_all(&mut self, latest: [Latest; 2]) -> notify::Result<()> {
        for (kind, latest) in [Kind::Issue, Kind::Task].into_iter().zip(latest) {
            self.has_cold |= latest.is_full;
            let mut units = latest.units;
            while let Some(Reverse((_, unit))) = units.pop() {
                self.admit(kind, &unit)?;
            }
        }
        Ok(())
    }

    /// Watches a unit. It stays cold if the kernel does not do it.
    fn admit(&mut self, kind: Kind, unit: &Path) -> notify::Result<()> {
        self.forget(kind, unit);
        while self.units(kind).is_full() && self.evict(kind) {}
        let mut folders = Vec::new();
        let is_watched = match self.watch_unit(unit, &mut folders) {
            Err(err) if !matches!(err.kind, ErrorKind::MaxFilesWatch) => return Err(err),
            watched => watched.is_ok_and(|all| all),
        };
        if is_watched {
            // Others may have given way to it, and it is what changed last.
            self.units(kind).max = self.units(kind).max.max(1);
            while self.units(kind).is_full() && self.evict(kind) {}
            self.units(kind).insert(unit, folders);
        } else {
            self.has_cold = true;
            self.unwatch(&folders);
        }
        Ok(())
    }

    /// Watches the folders of a unit, and says whether it was all of them.
    fn watch_unit(&mut self, dir: &Path, done: &mut Vec<PathBuf>) -> notify::Result<bool> {
        if done.len() == FOLDERS_PER_UNIT_MAX {
            return Ok(false);
        }
        self.watch(dir)?;
        done.push(dir.to_owned());
        for dir in folders(dir) {
            if !self.watch_unit(&dir, done)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Has the kernel watch a folder; hot units give way if that is needed.
    fn watch(&mut self, dir: &Path) -> notify::Result<()> {
        loop {
            match self.watcher.watch(dir, RecursiveMode::NonRecursive) {
                Err(err) if is_gone(&err) => return Ok(()),
                Err(err) if matches!(err.kind, ErrorKind::MaxFilesWatch) => {
                    if !self.give_way() {
                        return Err(err);
                    }
                }
                done => return done,
            }
        }
    }

    /// Makes do with fewer hot units. Says no when there are none.
    fn give_way(&mut self) -> bool {
        let kind = if self.tasks.len() > self.issues.len() { Kind::Task } else { Kind::Issue };
        let n = self.units(kind).len();
        if n == 0 {
            return false;
        }
        let max = n - n.div_ceil(8);
        tracing::info!(
            "the kernel watches no more folders for this user (`fs.inotify.max_user_watches`): \
             only {max} {kind:?}s are watched, the others are looked at from time to time"
        );
        self.units(kind).max = max;
        while self.units(kind).len() > max && self.evict(kind) {}
        true
    }

    /// Makes the unit cold that was least recently used.
    fn evict(&mut self, kind: Kind) -> bool {
        let oldest = self.units(kind).by_use.values().next().cloned();
        self.has_cold |= oldest.is_some();
        oldest.is_some_and(|unit| self.forget(kind, &unit))
    }

    fn forget(&mut self, kind: Kind, unit: &Path) -> bool {
        let folders = self.units(kind).remove(unit);
        self.unwatch(folders.as_deref().unwrap_or_default());
        folders.is_some()
    }

    fn unwatch(&mut self, folders: &[PathBuf]) {
        for dir in folders {
            // One that is gone is not watched any more, which is as good.
            drop(self.watcher.unwatch(dir));
        }
    }

    fn forget_below(&mut self, dir: &Path) {
        for kind in [Kind::Issue, Kind::Task] {
            let units = self.units(kind).by_path.keys();
            let below: Vec<PathBuf> = units.filter(|unit| unit.starts_with(dir)).cloned().collect();
            for unit in below {
                self.forget(kind, &unit);
            }
        }
    }

    fn units(&mut self, kind: Kind) -> &mut Units {
        match kind {
            Kind::Issue => &mut self.issues,
            Kind::Task => &mut self.tasks,
        }
    }
}

impl Units {
    fn new(max: usize) -> Self {
        Self { max, by_path: BTreeMap::new(), by_use: BTreeMap::new(), next_use: 0 }
    }

    fn len(&self) -> usize {
        self.by_path.len()
    }

    fn is_full(&self) -> bool {
        self.len() >= self.max
    }

    fn insert(&mut self, unit: &Path, folders: Vec<PathBuf>) {
        self.by_path.insert(unit.to_owned(), Unit { used: self.next_use, folders });
        self.by_use.insert(self.next_use, unit.to_owned());
        self.next_use += 1;
    }

    fn remove(&mut self, unit: &Path) -> Option<Vec<PathBuf>> {
        let unit = self.by_path.remove(unit)?;
        self.by_use.remove(&unit.used);
        Some(unit.folders)
    }

    fn touch(&mut self, unit: &Path) {
        if let Some(folders) = self.remove(unit) {
            self.insert(unit, folders);
        }
    }
}

impl Latest {
    fn add(&mut self, unit: PathBuf) {
        // Both change when a file is put there, and when it is replaced.
        let changed = [unit.clone(), unit.join("comments")].map(|dir| {
            let changed = fs::symlink_metadata(dir).and_then(|meta| meta.modified());
            changed.unwrap_or(SystemTime::UNIX_EPOCH)
        });
        self.units.push(Reverse((changed[0].max(changed[1]), unit)));
        if self.units.len() > self.max {
            self.units.pop();
            self.is_full = true;
        }
    }
}

/// Whether a folder could not be watched because it is not there any more.
fn is_gone(err: &notify::Error) -> bool {
    match &err.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(err) => {
            matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }
        ErrorKind::Generic(_)
        | ErrorKind::WatchNotFound
        | ErrorKind::InvalidConfig(_)
        | ErrorKind::MaxFilesWatch => false,
    }
}

#[cfg(test)]
mod tests;
