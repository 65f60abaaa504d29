//! Tells what people changed in the home.
//!
//! Folders are watched, not files, since editors replace files. Changes are
//! collected until it is quiet and then told as a set of paths; whoever gets it
//! looks at the files, because a path is told for what zazen writes, too. When
//! changes may have been missed, [`Change::Rescan`] says to look at everything.
//! Where the kernel cannot watch, the files are looked at from time to time.

mod scan;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use self::scan::Scan;
use super::Home;

/// Something changed in the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These files or folders were changed, made or removed.
    Paths(BTreeSet<PathBuf>),
    /// Anything may have been changed.
    Rescan,
}

/// How changes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The kernel tells, or if it cannot, as with `Scan`.
    Events,
    /// All files are looked at from time to time.
    Scan,
}

/// A watch over a home; it ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Held only to add to it or to take it.
    pending: Mutex<Pending>,
    woken: Condvar,
    is_stopped: AtomicBool,
}

/// What has not been told yet.
#[derive(Debug, Default)]
struct Pending {
    paths: BTreeSet<PathBuf>,
    is_rescan: bool,
    /// When the first and the last of it came in.
    since: Option<(Instant, Instant)>,
    /// The kernel has no more watches for us.
    is_blind: bool,
}

/// How changes come in.
enum Source {
    Events(RecommendedWatcher),
    Scan(Scan),
}

/// The folders with pages that people edit. `facts/`, `journal/` and
/// `conflicts/` are written by zazen and read by people.
const WATCHED_DIRS: [&str; 4] = ["forge", "memory", "skills", "tasks"];

/// How long it has to be quiet before changes are told. What a command line
/// leaves must be taken within a tenth of a second; whoever reads a page that an
/// editor may still be writing looks at its age by itself.
const QUIET: Duration = Duration::from_millis(15);

/// How long changes are held back when it does not get quiet.
const HOLD_MAX: Duration = Duration::from_millis(60);

/// After this time a new folder is looked into once more: files that were put
/// into it before the kernel watched it are not told otherwise.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// How many changed paths are collected. To look at everything is as quick then.
const PATHS_MAX: usize = 4096;

/// How many changes wait to be taken; when nobody takes them, one rescan is owed.
const CHANGES_MAX: usize = 16;

/// How deep folders below a watched one are looked into.
const DEPTH_MAX: usize = 16;

/// Starts to watch a home.
///
/// The first change is a [`Change::Rescan`], told when the watch is in place.
pub fn start(home: &Home, mode: Mode) -> anyhow::Result<(Watch, mpsc::Receiver<Change>)> {
    let (sender, receiver) = mpsc::channel(CHANGES_MAX);
    let shared = Arc::new(Shared::default());
    let run = Run { home: home.clone(), shared: Arc::clone(&shared), sender, new: Vec::new() };
    let thread = thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || run.run(mode))
        .context("start the thread that watches the home")?;
    Ok((Watch { shared, thread: Some(thread) }, receiver))
}

/// What the thread owns.
struct Run {
    home: Home,
    shared: Arc<Shared>,
    sender: mpsc::Sender<Change>,
    /// New folders, and when to look into them once more.
    new: Vec<(Instant, PathBuf)>,
}

impl Run {
    fn run(mut self, mode: Mode) {
        let mut source = self.source(mode);
        self.shared.add_rescan();
        loop {
            let wait_until = match &source {
                Source::Events(_) => self.new.iter().map(|(at, _)| *at).min(),
                Source::Scan(scan) => Some(scan.next_at()),
            };
            let Some(mut pending) = self.shared.wait(wait_until) else { return };
            if pending.is_blind && matches!(source, Source::Events(_)) {
                source = self.scan();
                pending.is_rescan = true;
            }
            match &mut source {
                Source::Events(watcher) => self.look_into_new(&mut pending.paths, watcher),
                Source::Scan(scan) => pending.paths.extend(scan.look_when_due(&self.home)),
            }
            if !self.tell(pending) {
                return;
            }
        }
    }

    fn source(&self, mode: Mode) -> Source {
        if mode == Mode::Scan {
            return self.scan();
        }
        match self.watch() {
            Ok(watcher) => Source::Events(watcher),
            Err(err) => {
                tracing::warn!("cannot watch the home, so it is looked over regularly: {err}");
                self.scan()
            }
        }
    }

    fn scan(&self) -> Source {
        Source::Scan(Scan::start(&self.home))
    }

    fn watch(&self) -> notify::Result<RecommendedWatcher> {
        let root = self.home.root().to_owned();
        let shared = Arc::clone(&self.shared);
        let mut watcher = notify::recommended_watcher(move |event| shared.take(&root, event))?;
        watcher.watch(self.home.root(), RecursiveMode::NonRecursive)?;
        for dir in WATCHED_DIRS.iter().map(|dir| self.home.root().join(dir)) {
            if dir.is_dir() {
                watcher.watch(&dir, RecursiveMode::Recursive)?;
            }
        }
        let inbox = self.home.inbox_dir();
        if inbox.is_dir() {
            watcher.watch(&inbox, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }

    /// Adds the files in new folders, twice, and watches new top folders.
    fn look_into_new(&mut self, paths: &mut BTreeSet<PathBuf>, watcher: &mut RecommendedWatcher) {
        let now = Instant::now();
        let (due, later) =
            std::mem::take(&mut self.new).into_iter().partition(|(at, _)| *at <= now);
        self.new = later;
        let again: Vec<(Instant, PathBuf)> = due;
        for dir in paths.iter().filter(|path| path.is_dir()).cloned().collect::<Vec<_>>() {
            if self.is_watched_top(&dir)
                && let Err(err) = watcher.watch(&dir, RecursiveMode::Recursive)
            {
                tracing::warn!("cannot watch `{}`: {err}", dir.display());
                self.shared.add_blindness();
            }
            add_files(&dir, paths, 0);
            self.new.push((now + SECOND_LOOK, dir));
        }
        for (_, dir) in again {
            add_files(&dir, paths, 0);
        }
    }

    fn is_watched_top(&self, dir: &Path) -> bool {
        dir.parent() == Some(self.home.root())
            && dir.file_name().is_some_and(|name| WATCHED_DIRS.iter().any(|dir| name == *dir))
    }

    /// Tells what is pending, and says whether anybody listens.
    fn tell(&self, pending: Pending) -> bool {
        let change = match pending {
            Pending { is_rescan: true, .. } => Change::Rescan,
            Pending { paths, .. } if paths.len() > PATHS_MAX => Change::Rescan,
            Pending { paths, .. } if paths.is_empty() => return !self.sender.is_closed(),
            Pending { paths, .. } => Change::Paths(paths),
        };
        match self.sender.try_send(change) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                // It is tried again with whatever comes in, until someone takes it.
                self.shared.add_rescan();
                true
            }
        }
    }
}

impl Shared {
    /// Takes in what the kernel tells. This runs in a thread that must not wait.
    fn take(&self, root: &Path, event: notify::Result<Event>) {
        match event {
            Ok(event) if event.need_rescan() => self.add_rescan(),
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            Ok(event) => {
                let paths: Vec<_> =
                    event.paths.into_iter().filter(|path| concerns_people(root, path)).collect();
                if !paths.is_empty() {
                    self.add(|pending| pending.add_paths(paths));
                }
            }
            Err(err) if matches!(err.kind, notify::ErrorKind::MaxFilesWatch) => {
                self.add_blindness();
            }
            Err(_) => self.add_rescan(),
        }
    }

    fn add_rescan(&self) {
        self.add(|pending| pending.is_rescan = true);
    }

    fn add_blindness(&self) {
        self.add(|pending| pending.is_blind = true);
    }

    fn add(&self, change: impl FnOnce(&mut Pending)) {
        let mut pending = self.lock();
        change(&mut pending);
        let now = Instant::now();
        let first = pending.since.map_or(now, |(first, _)| first);
        pending.since = Some((first, now));
        self.woken.notify_all();
    }

    /// Waits until there is something to tell and it is quiet, or until `until`.
    /// `None` means that the watch has ended.
    fn wait(&self, until: Option<Instant>) -> Option<Pending> {
        let mut pending = self.lock();
        loop {
            if self.is_stopped.load(Ordering::Relaxed) {
                return None;
            }
            let due = pending.since.map(|(first, last)| (last + QUIET).min(first + HOLD_MAX));
            let wake_at = [due, until].into_iter().flatten().min();
            let now = Instant::now();
            pending = match wake_at {
                Some(at) if at <= now => return Some(std::mem::take(&mut *pending)),
                Some(at) => {
                    let waited = self.woken.wait_timeout(pending, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                // Whoever drops the watch, or changes a file, wakes us.
                None => self.woken.wait(pending).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn add_paths(&mut self, paths: Vec<PathBuf>) {
        if self.paths.len() > PATHS_MAX {
            self.is_rescan = true;
        }
        if self.is_rescan {
            self.paths.clear();
        } else {
            self.paths.extend(paths);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        self.shared.add(|_| ());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            drop(thread.join());
        }
    }
}

/// Whether a path is one that people, or programs of theirs, change.
fn concerns_people(root: &Path, path: &Path) -> bool {
    let Ok(relative) = path.strip_prefix(root) else { return false };
    let (relative, is_inbox) = match relative.strip_prefix(".zazen/inbox") {
        Ok(relative) => (relative, true),
        Err(_) => (relative, false),
    };
    let Some(first) = relative.iter().next() else { return false };
    let is_page = relative.iter().count() == 1 || WATCHED_DIRS.iter().any(|dir| first == *dir);
    (is_inbox || is_page) && relative.iter().all(is_visible)
}

/// Whether a name is that of a page, and not of an editor's or our own temporary file.
fn is_visible(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.starts_with(b".") && !name.ends_with(b"~")
}

/// Adds the files and folders below a folder.
fn add_files(dir: &Path, paths: &mut BTreeSet<PathBuf>, depth: usize) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_visible(&entry.file_name())) {
        if paths.len() > PATHS_MAX {
            return;
        }
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        paths.insert(entry.path());
        if is_dir && depth < DEPTH_MAX {
            add_files(&entry.path(), paths, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests;
