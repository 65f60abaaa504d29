//! Polling: asking GitHub what changed, where no webhook says it.
//!
//! Each repository has a task of its own: it waits until it is due (`schedule`),
//! asks for what changed since its cursor (`cursor`), hands out hints and keeps
//! the cursor once they are dealt with (`progress`). So a crash, or a daemon that was down
//! for days, skips nothing. What GitHub lists nowhere is looked at in turns (`rota`), and a
//! webhook that was lost is a reason to ask (`missed`). The client is a [`Source`], which
//! tests can be, too.

mod cursor;
mod missed;
mod progress;
mod rota;
mod schedule;
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zazen_core::id::{IssueNumber, RepoName, Time};

use self::cursor::Cursor;
use self::progress::Progress;
pub use self::rota::Rota;
pub use self::schedule::{Outcome, Pace, Schedule};
use super::hint::Hint;
use crate::home::Home;

/// Whom to ask what changed.
pub trait Source: Clone + Send + Sync + 'static {
    /// Lists the issues and pull requests that changed at `since` or later, the one that
    /// changed first at the beginning: one page of them.
    ///
    /// With the etag of an earlier answer to the same question, an answer that
    /// is the same as then lists nothing and has the same etag.
    fn changed_items(
        &self,
        repo: &RepoName,
        since: Time,
        etag: Option<&str>,
    ) -> impl Future<Output = Result<Changed, Trouble>> + Send;

    /// The number of the last webhook that could not be delivered; they grow.
    fn failed_delivery(&self) -> impl Future<Output = Result<Option<u64>, Trouble>> + Send;
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    pub items: Vec<ChangedItem>,
    /// There are more, that changed when the last of these did, or later.
    pub more: bool,
    pub etag: Option<String>,
    /// How long GitHub asks to wait before the next question.
    pub pause: Option<Duration>,
}

/// An issue or a pull request, and when it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedItem {
    pub number: IssueNumber,
    pub updated_at: Time,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    #[error("GitHub takes nothing before {}", .until.0)]
    Limited { until: Time },
    #[error("{0}")]
    Failed(String),
}

/// What polling is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where cursors are kept: [`folder`] of the home.
    pub cursors: PathBuf,
    pub repos: Vec<RepoName>,
    pub pace: Pace,
    /// Whether webhooks are listened for whose failed deliveries can be asked for.
    pub has_deliveries: bool,
    /// The daemon's clock.
    pub now: fn() -> Time,
}

/// Something changed in a repository.
#[derive(Debug)]
pub struct Found {
    pub repo: RepoName,
    pub hints: Vec<Hint>,
    /// Dealt with: the cursor may move. Dropped instead, and it is found again.
    pub done: oneshot::Sender<()>,
}

/// The polling of all repositories. It ends when it is dropped.
pub struct Polls {
    repos: BTreeMap<RepoName, Arc<Watched>>,
    now: fn() -> Time,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// What is known of one repository.
struct Watched {
    repo: RepoName,
    schedule: Mutex<Schedule>,
    /// The schedule was changed from outside.
    changed: Notify,
}

/// What the task of one repository works with.
struct Means<S> {
    source: S,
    cursors: PathBuf,
    now: fn() -> Time,
    out: mpsc::Sender<Found>,
    /// Held while GitHub is asked.
    places: Arc<Semaphore>,
}

/// How many repositories are asked about at a time: few, as all of them are due
/// when the daemon starts, and people's commands are asked about in the same minute.
const ASKED_MAX: usize = 4;

/// How many findings may wait for the daemon.
const FOUND_MAX: usize = 16;

/// The longest sleep at a stretch, so that a changed clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// How many pages are asked for at a time. What is left is asked for next.
const PAGES_MAX: usize = 50;

/// The folder of a home that cursors are kept in.
pub fn folder(home: &Home) -> PathBuf {
    home.dot_dir().join("github/poll")
}

impl Polls {
    /// Starts to poll. What is found comes out of the channel.
    pub fn start<S: Source>(source: &S, options: &Options) -> (Self, mpsc::Receiver<Found>) {
        let Options { cursors, repos, pace, has_deliveries, now } = options;
        let (out, found) = mpsc::channel(FOUND_MAX);
        let places = Arc::new(Semaphore::new(ASKED_MAX));
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut watched = BTreeMap::new();
        for repo in repos {
            let means = Means {
                source: source.clone(),
                cursors: cursors.clone(),
                now: *now,
                out: out.clone(),
                places: Arc::clone(&places),
            };
            let one = Arc::new(Watched {
                repo: repo.clone(),
                schedule: Mutex::new(Schedule::new(*pace, now())),
                changed: Notify::new(),
            });
            watched.insert(repo.clone(), Arc::clone(&one));
            let stop = stop.clone();
            tasks.spawn(async move {
                stop.run_until_cancelled(one.poll(means)).await;
            });
        }
        if *has_deliveries {
            let repos = watched.values().cloned().collect();
            let (source, stop, now) = (source.clone(), stop.clone(), *now);
            tasks.spawn(async move {
                stop.run_until_cancelled(missed::watch(source, repos, (missed::EVERY, now))).await;
            });
        }
        (Self { repos: watched, now: *now, stop, tasks }, found)
    }

    /// A webhook told of something in this repository.
    pub fn heard(&self, repo: &RepoName) {
        self.change(repo, Schedule::heard);
    }

    /// Something is going on in this repository: zazen wrote what people may answer.
    pub fn stir(&self, repo: &RepoName) {
        self.change(repo, Schedule::stir);
    }

    /// Asks about this repository at once.
    pub fn wake(&self, repo: &RepoName) {
        self.change(repo, Schedule::wake);
    }

    /// When this repository is asked about next.
    pub fn due(&self, repo: &RepoName) -> Option<Time> {
        self.repos.get(repo)?.schedule().due()
    }

    /// Stops to poll. What is not dealt with is found again.
    pub async fn close(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    fn change(&self, repo: &RepoName, change: fn(&mut Schedule, Time)) {
        if let Some(watched) = self.repos.get(repo) {
            change(&mut watched.schedule(), (self.now)());
            watched.changed.notify_one();
        }
    }
}

impl Watched {
    fn schedule(&self) -> std::sync::MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, now: Time) {
        self.schedule().wake(now);
        self.changed.notify_one();
    }

    async fn poll<S: Source>(&self, means: Means<S>) {
        let mut progress = Progress::new(Cursor::read(&means.cursors, &self.repo, (means.now)()));
        loop {
            self.until_due(means.now).await;
            self.keep(&means, progress.settle());
            let (outcome, pause) = self.ask(&means, &mut progress).await;
            self.schedule().polled((means.now)(), outcome, pause);
        }
    }

    fn keep<S>(&self, means: &Means<S>, cursor: Option<&Cursor>) {
        if let Some(Err(err)) = cursor.map(|cursor| cursor.write(&means.cursors, &self.repo)) {
            tracing::warn!("{err:#}; after a restart, more is looked at again");
        }
    }

    async fn until_due(&self, now: fn() -> Time) {
        loop {
            let due = self.schedule().due().unwrap_or(Time(u64::MAX));
            let left = Duration::from_millis(due.millis_since(now()));
            if left.is_zero() {
                return;
            }
            // Either way, the schedule is looked at again.
            timeout(left.min(SLEEP_MAX), self.changed.notified()).await.ok();
        }
    }

    /// Asks once, and hands out what is new.
    async fn ask<S: Source>(
        &self,
        means: &Means<S>,
        progress: &mut Progress,
    ) -> (Outcome, Option<Duration>) {
        let asked = (means.now)();
        let changed = {
            let Ok(_place) = means.places.acquire().await else { return (Outcome::Failed, None) };
            self.all_changed(&means.source, progress.cursor()).await
        };
        let changed = match changed {
            Ok(changed) => changed,
            Err(Trouble::Limited { until }) => return (Outcome::Limited { until }, None),
            Err(Trouble::Failed(why)) => {
                tracing::warn!(repo = %self.repo, "cannot ask GitHub what changed: {why}");
                return (Outcome::Failed, None);
            }
        };
        let (pause, numbers) = (changed.pause, progress.cursor().unseen(&changed.items));
        if numbers.is_empty() {
            self.keep(means, progress.move_on(changed, asked));
            return (Outcome::Nothing, pause);
        }
        let item = |number| Hint::Item { repo: self.repo.clone(), number };
        let hints = numbers.into_iter().map(item).collect();
        let done = progress.hand_out(changed, asked);
        let sent = means.out.send(Found { repo: self.repo.clone(), hints, done }).await;
        (if sent.is_ok() { Outcome::Found } else { Outcome::Failed }, pause)
    }

    /// Asks for page after page, each from where the one before ended.
    ///
    /// So nothing is skipped when an item changes meanwhile: it moves to the end.
    async fn all_changed<S: Source>(
        &self,
        source: &S,
        cursor: &Cursor,
    ) -> Result<Changed, Trouble> {
        let mut since = cursor.since();
        let mut all = source.changed_items(&self.repo, since, cursor.etag()).await?;
        for _ in 1..PAGES_MAX {
            let Some(last) = all.items.last().filter(|_| all.more) else { break };
            if last.updated_at > since {
                since = last.updated_at;
            } else {
                let repo = &self.repo;
                tracing::warn!(%repo, "more changed within one second than GitHub lists");
                since = since.plus_seconds(1);
            }
            let page = source.changed_items(&self.repo, since, None).await?;
            all.items.extend(page.items);
            (all.more, all.pause) = (page.more, page.pause.or(all.pause));
            // A mark of one page says nothing of the others.
            all.etag = None;
        }
        Ok(all)
    }
}

impl fmt::Debug for Polls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polls").field("repos", &self.repos.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
