//! Tells what people changed in the home.
//!
//! Folders are watched, not files, since editors replace files. Changes are
//! collected until it is quiet and then told as a set of paths; whoever gets it
//! looks at the files, because a path is told for what zazen writes, too. When
//! changes may have been missed, [`Change::Rescan`] says to look at everything.
//!
//! The kernel watches what changed last, see `hot`; the rest, and everything
//! where the kernel cannot watch, is looked at from time to time, see `scan`.
//! `layout` says what is there to be watched.

mod hot;
mod layout;
mod scan;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use notify::event::ModifyKind;
use notify::{Event, EventKind};
use tokio::sync::mpsc;

use self::hot::Hot;
use self::layout::{PATHS_MAX, add_files, concerns_people};
use self::scan::{Pace, Scan, Scope};
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
    /// Of these, what may be another file or folder than before.
    made: BTreeSet<PathBuf>,
    doubt: Doubt,
    /// When the first and the last of it came in.
    since: Option<(Instant, Instant)>,
}

/// What there is besides the paths, the worst last. It takes in what is before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    #[default]
    None,
    /// Everything is to be looked at.
    Rescan,
    /// The kernel told more than is kept, or could not tell everything.
    Lost,
    /// The kernel has no more watches for us.
    Blind,
}

/// How changes come in.
enum Source {
    /// The kernel tells of what is watched; the rest is looked at.
    Events(Box<Hot>, Scan),
    Scan(Scan),
}

/// How much is watched, and how the rest is looked at.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// How many units of a kind are watched.
    units_max: usize,
    pace: Pace,
}

/// As many issues, and as many tasks, as anybody works on at a time; together
/// they take a megabyte.
const EXTENT: Extent = Extent { units_max: 512, pace: scan::CALM };

/// How long it has to be quiet before changes are told. What a command line
/// leaves must be taken within a tenth of a second; whoever reads a page that an
/// editor may still be writing looks at its age by itself.
const QUIET: Duration = Duration::from_millis(15);

/// How long changes are held back when it does not get quiet.
const HOLD_MAX: Duration = Duration::from_millis(60);

/// How many changes wait to be taken; when nobody takes them, one rescan is owed.
const CHANGES_MAX: usize = 16;

/// Starts to watch a home.
///
/// The first change is a [`Change::Rescan`], told when the watch is in place.
pub fn start(home: &Home, mode: Mode) -> anyhow::Result<(Watch, mpsc::Receiver<Change>)> {
    start_with(home, mode, EXTENT)
}

fn start_with(
    home: &Home,
    mode: Mode,
    extent: Extent,
) -> anyhow::Result<(Watch, mpsc::Receiver<Change>)> {
    let (sender, receiver) = mpsc::channel(CHANGES_MAX);
    let shared = Arc::new(Shared::default());
    let run = Run { home: home.clone(), shared: Arc::clone(&shared), sender, extent };
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
    extent: Extent,
}

impl Run {
    fn run(self, mode: Mode) {
        let mut source = self.source(mode);
        self.shared.add_doubt(Doubt::Rescan);
        loop {
            let Some(mut pending) = self.shared.wait(source.next_at()) else { return };
            if pending.doubt == Doubt::Blind && matches!(source, Source::Events(..)) {
                source = self.scan();
            }
            match &mut source {
                Source::Events(hot, scan) => {
                    if hot.has_cold() {
                        pending.add_found(scan.look_when_due(|unit| hot.contains(unit)));
                    }
                    self.keep_hot(hot, &mut pending);
                }
                Source::Scan(scan) => pending.add_found(scan.look_when_due(|_| false)),
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
        // It begins before the watches are in place, so that nothing falls between.
        let scan = Scan::start(&self.home, Scope::Units, self.extent.pace);
        match self.watch() {
            Ok(hot) => Source::Events(Box::new(hot), scan),
            Err(err) => {
                tracing::warn!("cannot watch the home, so it is looked over regularly: {err}");
                self.scan()
            }
        }
    }

    fn scan(&self) -> Source {
        Source::Scan(Scan::start(&self.home, Scope::All, scan::QUICK))
    }

    fn watch(&self) -> notify::Result<Hot> {
        let root = self.home.root().to_owned();
        let shared = Arc::clone(&self.shared);
        let watcher = notify::recommended_watcher(move |event| shared.take(&root, event))?;
        Hot::start(&self.home, watcher, self.extent.units_max)
    }

    /// Watches what changed, and adds the files that changed while nobody watched them.
    fn keep_hot(&self, hot: &mut Hot, pending: &mut Pending) {
        let kept = if pending.doubt == Doubt::Lost {
            hot.settle()
        } else {
            pending.paths.clone().iter().try_for_each(|path| -> notify::Result<()> {
                if let Some(dir) = hot.take(path, pending.made.contains(path))? {
                    add_files(&dir, &mut pending.paths, 0);
                }
                Ok(())
            })
        };
        if let Err(err) = kept {
            tracing::warn!("cannot watch the home, so it is looked over regularly: {err}");
            self.shared.add_doubt(Doubt::Blind);
        }
    }

    /// Tells what is pending, and says whether anybody listens.
    fn tell(&self, pending: Pending) -> bool {
        let change = match pending {
            Pending { doubt, .. } if doubt > Doubt::None => Change::Rescan,
            Pending { paths, .. } if paths.len() > PATHS_MAX => Change::Rescan,
            Pending { paths, .. } if paths.is_empty() => return !self.sender.is_closed(),
            Pending { paths, .. } => Change::Paths(paths),
        };
        match self.sender.try_send(change) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                // It is tried again with whatever comes in, until someone takes it.
                self.shared.add_doubt(Doubt::Rescan);
                true
            }
        }
    }
}

impl Shared {
    /// Takes in what the kernel tells. This runs in a thread that must not wait.
    fn take(&self, root: &Path, event: notify::Result<Event>) {
        match event {
            Ok(event) if event.need_rescan() => self.add_doubt(Doubt::Lost),
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            Ok(event) => {
                let is_made = !matches!(
                    event.kind,
                    EventKind::Modify(ModifyKind::Metadata(_) | ModifyKind::Data(_))
                );
                let paths: Vec<_> =
                    event.paths.into_iter().filter(|path| concerns_people(root, path)).collect();
                if !paths.is_empty() {
                    self.add(|pending| pending.add_paths(paths, is_made));
                }
            }
            Err(err) if matches!(err.kind, notify::ErrorKind::MaxFilesWatch) => {
                self.add_doubt(Doubt::Blind);
            }
            Err(_) => self.add_doubt(Doubt::Lost),
        }
    }

    fn add_doubt(&self, doubt: Doubt) {
        self.add(|pending| pending.doubt = pending.doubt.max(doubt));
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
    fn add_paths(&mut self, paths: Vec<PathBuf>, is_made: bool) {
        if self.paths.len() > PATHS_MAX {
            self.doubt = self.doubt.max(Doubt::Lost);
        }
        if self.doubt >= Doubt::Lost {
            self.paths.clear();
            self.made.clear();
        } else {
            if is_made {
                self.made.extend(paths.iter().cloned());
            }
            self.paths.extend(paths);
        }
    }

    fn add_found(&mut self, mut found: scan::Found) {
        self.paths.append(&mut found.paths);
        if found.is_unsure {
            self.doubt = self.doubt.max(Doubt::Rescan);
        }
    }
}

impl Source {
    /// When there is something to do though the kernel tells nothing.
    fn next_at(&self) -> Option<Instant> {
        match self {
            Self::Events(hot, _) if !hot.has_cold() => None,
            Self::Events(_, scan) | Self::Scan(scan) => Some(scan.next_at()),
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

#[cfg(test)]
mod tests;
