//! When the home is committed.
//!
//! Changes are gathered until it is quiet. What goes into a commit, and under
//! whose name, is said in `commit`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};

use super::commit::{Batch, Mark, Scope};
use super::world::World;
use crate::home::commit::{Author, Committer};

/// What waits for a commit.
pub(super) struct Commits {
    world: Arc<World>,
    committer: Committer,
    /// What changed since the last commit; not much, see [`NOTED_MAX`].
    changed: BTreeSet<PathBuf>,
    /// What zazen wrote since the last commit.
    ours: BTreeSet<Mark>,
    /// When the first and the last of it changed.
    since: Option<(Instant, Instant)>,
    lines: Vec<String>,
    /// The commit that is being made. Git takes too long for the loop to wait for it.
    committing: JoinSet<Option<Batch>>,
    /// What the next commit takes in.
    scope: Scope,
}

/// How long the home is quiet before it is committed.
const QUIET: Duration = Duration::from_secs(1);

/// How long a change waits for a commit at the most.
const COMMIT_MAX: Duration = Duration::from_secs(10);

/// How long after a commit that failed it is tried again. A person's own git is done by then.
const COMMIT_AGAIN: Duration = Duration::from_secs(2);

/// How often is looked whether a commit is done while more waits for the next one.
const COMMIT_LOOK: Duration = Duration::from_millis(100);

/// How often the last commit is tried. A person at the keyboard waits for the end.
const N_LAST_COMMITS_MAX: u32 = 3;

/// How many changed files are noted. Where there are more (all pages are due, say, because
/// the snapshot was lost), git lists what changed: that is quicker, and takes no memory here.
const NOTED_MAX: usize = 1000;

impl Commits {
    pub(super) fn new(world: &Arc<World>) -> anyhow::Result<Self> {
        Ok(Self {
            committer: Committer::new(&world.home)?,
            world: Arc::clone(world),
            changed: BTreeSet::new(),
            ours: BTreeSet::new(),
            since: None,
            lines: Vec::new(),
            committing: JoinSet::new(),
            scope: Scope::All,
        })
    }

    /// Notes that files changed.
    pub(super) fn seen(&mut self, paths: &BTreeSet<PathBuf>) {
        let root = self.world.home.root();
        let dot = self.world.home.dot_dir();
        let is_page =
            |path: &&PathBuf| path.starts_with(root) && !path.starts_with(&dot) && !path.is_dir();
        let n_before = self.changed.len();
        self.changed.extend(paths.iter().filter(is_page).cloned());
        if self.changed.len() > n_before {
            self.touch();
        }
        self.keep_few();
    }

    fn keep_few(&mut self) {
        if self.changed.len() > NOTED_MAX {
            self.changed.clear();
            self.scope = Scope::All;
        }
    }

    /// Notes that zazen wrote these files.
    pub(super) fn wrote(&mut self, paths: Vec<PathBuf>) {
        self.ours.extend(paths.iter().map(|path| Mark::of(path)));
        self.changed.extend(paths);
        self.touch();
        self.keep_few();
    }

    /// Notes what happened, for the commit's message.
    pub(super) fn say(&mut self, lines: impl Iterator<Item = String>) {
        self.lines.extend(lines);
    }

    fn touch(&mut self) {
        let now = Instant::now();
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
    }

    /// How long until there is something to do.
    pub(super) fn patience(&self) -> Duration {
        match self.since {
            None if self.committing.is_empty() => Duration::MAX,
            // Whether it went well is to be seen then.
            None => COMMIT_AGAIN,
            Some((first, last)) => {
                let due = (last + QUIET).min(first + COMMIT_MAX);
                let wait = due.saturating_duration_since(Instant::now());
                if self.committing.is_empty() { wait } else { wait.max(COMMIT_LOOK) }
            }
        }
    }

    /// Begins a commit when the home was quiet, and none is under way.
    pub(super) fn commit_when_quiet(&mut self) {
        while let Some(done) = self.committing.try_join_next() {
            self.note(done);
        }
        if self.since.is_some() && self.committing.is_empty() && self.patience().is_zero() {
            self.start();
        }
    }

    /// Has everything committed, noted or not: what people wrote while no daemon was up.
    pub(super) fn commit_all(&mut self) {
        self.scope = Scope::All;
        self.touch();
    }

    /// Commits everything, and waits for it. What fails in passing is tried again, but not
    /// for long: the next daemon commits what this one leaves.
    pub(super) async fn commit_now(&mut self) {
        self.join().await;
        for _ in 0..N_LAST_COMMITS_MAX {
            self.scope = Scope::All;
            self.start();
            self.join().await;
            if self.since.is_none() {
                return;
            }
        }
    }

    async fn join(&mut self) {
        while let Some(done) = self.committing.join_next().await {
            self.note(done);
        }
    }

    /// What a commit that failed was to take in is taken in by the next one.
    fn note(&mut self, left: Result<Option<Batch>, JoinError>) {
        let left = match left {
            Ok(None) => return,
            Ok(Some(batch)) => batch,
            Err(err) => return tracing::error!("a commit of the home broke down: {err}"),
        };
        self.scope = self.scope.max(left.scope);
        self.changed.extend(left.changed);
        self.ours.extend(left.ours);
        self.keep_few();
        self.lines.splice(0..0, left.lines);
        let later = Instant::now() + COMMIT_AGAIN;
        self.since = self.since.or(Some((later, later)));
    }

    fn start(&mut self) {
        self.since = None;
        let batch = Batch {
            scope: std::mem::replace(&mut self.scope, Scope::Noted),
            home: self.world.home.clone(),
            committer: self.committer.clone(),
            changed: std::mem::take(&mut self.changed),
            ours: std::mem::take(&mut self.ours),
            lines: std::mem::take(&mut self.lines),
            person: Author::person(&self.world.config.name),
            crash: self.world.crash().map(str::to_owned),
        };
        self.committing.spawn_blocking(move || batch.commit());
    }
}
