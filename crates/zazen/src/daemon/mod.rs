//! The one loop.
//!
//! One task owns the [`Engine`]. It sleeps until something happens, takes in all
//! that has happened by then, writes it to the journal, and performs what the
//! engine asks for. The order never changes: intent durable, effect, result
//! durable, pages, commit of the home. It is the only place in the program that
//! waits for more than one thing.
//!
//! Where to go next: [`world`] is what performing needs, `perform` has an arm
//! for each effect, `look` turns what people wrote into facts.

mod agents;
mod apart;
mod bisect;
mod book;
mod checks;
mod commit;
mod commits;
mod containers;
mod contract;
pub mod crash;
mod day;
mod eval;
mod evidence;
mod examine;
mod github;
mod ground;
mod happened;
mod hold;
mod judge;
mod keep;
mod kit;
mod launch;
mod limits;
mod links;
mod look;
mod merit;
mod news;
mod owed;
mod own;
mod page;
mod pages;
mod perform;
mod push;
mod rebase;
mod recover;
mod replay;
mod review;
mod reviewers;
mod run;
mod scanners;
mod seal;
mod session;
mod skills;
mod split;
mod steps;
mod stuck;
mod tell;
mod token;
mod trial;
mod version;
mod waits;
mod world;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use zazen_core::effect::{Effect, Key};
use zazen_core::engine::{Engine, Fact, IssueRef, Policy, Unfit};
use zazen_core::id::{PlanHash, TaskId, Time};
use zazen_core::intake;
use zazen_core::limit::Limits;

pub use self::agents::{Acting, find as find_harness, strange};
pub use self::bisect::{Bisect, Bisected, Found, Point};
use self::book::Record;
pub use self::book::read_book;
pub use self::containers::{kind, kinds, named};
use self::crash::Moment;
pub use self::eval::{Eval, Row};
pub use self::evidence::{calls_of, traffic};
pub use self::examine::{Looked, look};
pub use self::github::github_client;
pub use self::keep::now;
pub use self::kit::{host_program, service};
pub use self::limits::limits;
pub use self::merit::merits;
use self::news::News;
use self::owed::{Owed, Place};
use self::pages::Pages;
use self::perform::{Ending, Report};
pub use self::replay::{Came as ReplayCame, Made, OfTask, Replay, Replayed, Unlike, Verdict};
pub use self::steps::{StepLeft, Steps, steps};
pub use self::trial::{Came, Step, Trial};
pub use self::version::{Asking, untested, version};
pub use self::waits::waits;
pub use self::world::{
    Live, LiveRun, NO_SANDBOX, Options, World, local_forge, read_key, read_plan, runtime, task_dir,
};
use crate::config;
use crate::forge::github::client::Waiting;
use crate::home::watch::{self, Change as Seen, Mode};

/// How many messages of one kind wait. People and agents together send a few a second.
const INBOX_MAX: usize = 1024;

/// How long the loop sleeps when nothing happens. Only a clock that was set back makes it matter.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// How long a drain waits for effects that are under way, agents excepted: those
/// go on by themselves and are found again.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// How long the last pages may take: one that a person is just writing is left alone for
/// a moment, and is to be in the last commit all the same.
const LAST_PAGES_MAX: Duration = Duration::from_secs(2);

/// How often the last pages are tried. A person at the keyboard waits for the end.
const LAST_PAGES_EVERY: Duration = Duration::from_millis(50);

/// Runs until `shutdown`. Agents that are at work then go on by themselves.
pub async fn run(world: Arc<World>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let (sender, mut found) = mpsc::channel(INBOX_MAX);
    let mut daemon = Daemon::start(world, sender).await?;
    let (_watch, mut watched) = watch::start(&daemon.world.home, Mode::Events)?;
    daemon.world.announce(daemon.engine.book().n_tasks());
    let limits = daemon.world.gateway.limits_changed();
    loop {
        // The pages say it before anybody is told.
        daemon.keep_pages();
        daemon.take_limits();
        daemon.perform_next().await?;
        daemon.start_copies();
        daemon.keep_waits();
        let patience = daemon.patience();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(report) = daemon.work.join_next() => daemon.take_reports(report).await?,
            Some(seen) = watched.recv() => match seen {
                Seen::Paths(paths) => daemon.take_paths(&paths).await?,
                // It comes first when the watch is in place: nothing is missed after it.
                Seen::Rescan => {
                    daemon.look_for_issues();
                    daemon.look_everywhere().await?;
                    daemon.pages.look_for(daemon.engine.book().tasks());
                    daemon.pages.commits.commit_all();
                    daemon.reap();
                }
            },
            Some(issue) = found.recv() => daemon.look_at_issue(&issue).await?,
            Some(delivery) = daemon.news.deliveries.recv() => daemon.take_delivery(delivery).await,
            Some(found) = daemon.news.found.recv() => daemon.take_found(found).await,
            Some(copied) = daemon.news.copies.join_next() => daemon.take_copy(copied).await?,
            () = limits.notified() => {}
            Some(all) = daemon.looking.join_next() => daemon.note_looked(all)?,
            () = tokio::time::sleep(patience) => daemon.look_again().await?,
        }
    }
    daemon.drain().await
}

struct Daemon {
    world: Arc<World>,
    engine: Engine,
    record: Record,
    pages: Pages,
    work: JoinSet<Report>,
    /// Deletes old workspaces, which takes long and hurries nobody.
    reaping: JoinSet<()>,
    /// Looks for issues, and says whether all of them were found.
    looking: JoinSet<bool>,
    /// Where the issues that were found go.
    found: mpsc::Sender<IssueRef>,
    /// What comes from GitHub.
    news: News,
    /// What was last said to wait for GitHub's limits.
    waits: Vec<Waiting>,
    /// What was last kept of the limits of models' services.
    limits: BTreeMap<String, Limits>,
    /// What is to be looked at again: a person was just writing there, it could not be
    /// read, or what it says could not be taken.
    owed: Owed,
    /// Edited plans that cannot be read and were complained about, each once.
    unreadable: BTreeMap<TaskId, PlanHash>,
}

impl Daemon {
    async fn start(world: Arc<World>, found: mpsc::Sender<IssueRef>) -> anyhow::Result<Self> {
        recover::mend(&world.home);
        let crash = world.crash().map(str::to_owned);
        let (record, book, behind) = Record::open(&world.home, crash)?;
        let config::Config { n_runs_max, roster, quota, .. } = world.config.clone();
        let policy = Policy { n_runs_max, roster, patience: quota.patience() };
        let engine = Engine::new(policy, book);
        world.gateway.start_from(engine.book().ledger());
        world.gateway.start_with(limits::limits(&world.home));
        world.sweep(&engine).await?;
        let pages = Pages::new(world.clone(), behind)?;
        let news = News::start(&world, engine.book()).await?;
        let mut reaping = JoinSet::new();
        let home = world.home.clone();
        reaping.spawn_blocking(move || recover::tidy(&home));
        Ok(Self {
            world,
            engine,
            record,
            pages,
            work: JoinSet::new(),
            reaping,
            looking: JoinSet::new(),
            found,
            news,
            waits: Vec::new(),
            limits: BTreeMap::new(),
            owed: Owed::default(),
            unreadable: BTreeMap::new(),
        })
    }

    /// Performs what the engine asks for, until it asks for nothing more.
    async fn perform_next(&mut self) -> anyhow::Result<()> {
        let (effects, intents) = self.engine.next_effects(now());
        if !self.take_in_all(intents).await? {
            for effect in effects {
                self.engine.failed(&effect.key(), now());
            }
            return Ok(());
        }
        for effect in effects {
            self.start_effect(effect);
        }
        Ok(())
    }

    fn start_effect(&mut self, effect: Effect) {
        let book = self.engine.book();
        let task = effect.task().and_then(|id| book.task(id)).map(Cow::into_owned);
        let around = task.as_ref().map(|task| book.around(task)).unwrap_or_default();
        let world = self.world.clone();
        tracing::debug!(%effect, "begin");
        self.work.spawn(perform::perform(world, effect, (task, around)));
    }

    async fn take_reports(&mut self, first: Result<Report, JoinError>) -> anyhow::Result<()> {
        let mut reports = vec![first];
        while let Some(report) = self.work.try_join_next() {
            reports.push(report);
        }
        for report in reports {
            let Report { key, ending } = report.context("an effect broke down")?;
            match ending {
                Ending::Part(part) => {
                    // Its task gets its number only here, where nobody else gives one out.
                    let fact = intake::part_opened(self.engine.book(), part);
                    self.conclude(&key, fact.into_iter().collect()).await?;
                }
                Ending::Done(facts) => {
                    if matches!(key, Key::Run(_)) {
                        self.reap();
                    }
                    self.conclude(&key, facts).await?;
                }
                Ending::Later { why } => {
                    tracing::warn!(?key, "will try again: {why}");
                    self.engine.failed(&key, now());
                }
            }
        }
        Ok(())
    }

    /// Takes in what came of an effect. It is asked for again if that is not possible by now.
    async fn conclude(&mut self, key: &Key, facts: Vec<Fact>) -> anyhow::Result<()> {
        if self.take_in_all(facts).await? {
            self.engine.ended(key);
        } else {
            self.engine.failed(key, now());
        }
        Ok(())
    }

    /// Writes facts to the journal, then takes them in. Says no when the disk is full.
    async fn take_in_all(&mut self, facts: Vec<Fact>) -> anyhow::Result<bool> {
        let at = now();
        let facts: Vec<Fact> = facts.into_iter().filter(|fact| self.fits(fact, at)).collect();
        if facts.is_empty() {
            return Ok(true);
        }
        if !self.record.append(&facts, at).await? {
            return Ok(false);
        }
        for fact in facts {
            let changes = fact.changes.clone();
            match self.engine.take_in(fact, at) {
                Ok(touched) => {
                    self.stir(&touched);
                    self.pages.note(self.engine.book(), &touched, (&changes, at));
                }
                // It fitted alone, and not after the one before it.
                Err(err) => tracing::error!("a fact was passed over: {err}"),
            }
        }
        Ok(true)
    }

    fn fits(&self, fact: &Fact, at: Time) -> bool {
        match self.engine.check(fact, at) {
            Ok(()) => true,
            Err(Unfit::Repeated) => false,
            Err(err) => {
                tracing::error!("a fact was passed over: {err}");
                false
            }
        }
    }

    /// Files changed: takes what people wrote in them.
    async fn take_paths(&mut self, paths: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        self.pages.commits.seen(paths);
        let tasks = look::tasks_of(&self.world.home, paths);
        self.pages.look_for(tasks.iter().filter_map(|id| self.engine.book().task(*id)));
        self.look_at_paths(paths).await
    }

    /// Writes the pages that changed, and commits the home when it is quiet.
    fn keep_pages(&mut self) {
        if self.pages.write(self.engine.book()) {
            self.record.keep_snapshot(self.engine.book());
        }
        self.pages.commits.commit_when_quiet();
    }

    /// Begins to delete what runs left behind, unless that is under way.
    fn reap(&mut self) {
        while self.reaping.try_join_next().is_some() {}
        if self.reaping.is_empty() {
            let home = self.world.home.clone();
            self.reaping.spawn_blocking(move || recover::empty_trash(&home));
        }
    }

    fn look_for_issues(&mut self) {
        let (world, found) = (self.world.clone(), self.found.clone());
        self.looking.spawn_blocking(move || look::all_issues(&world, &found));
    }

    fn note_looked(&mut self, all: Result<bool, JoinError>) -> anyhow::Result<()> {
        if !all.context("look for issues")? {
            self.owed.owe(Place::Issues);
        }
        Ok(())
    }

    /// How long to sleep at the most: until an effect may be tried again, or a commit is due.
    fn patience(&self) -> Duration {
        let wake_at = self.engine.wake_at();
        let retry = wake_at.map_or(SLEEP_MAX, |at| Duration::from_millis(at.millis_since(now())));
        let again = self.pages.patience().min(self.owed.patience()).min(self.news.patience());
        retry.min(again).max(Duration::from_millis(5))
    }

    async fn drain(mut self) -> anyhow::Result<()> {
        tracing::info!("draining: no new runs; agents at work go on by themselves");
        self.engine.drain();
        self.world.closing.cancel();
        self.take_limits();
        let deadline = tokio::time::Instant::now() + DRAIN_MAX;
        while let Ok(Some(report)) = tokio::time::timeout_at(deadline, self.work.join_next()).await
        {
            self.take_reports(report).await?;
        }
        self.work.shutdown().await;
        let deadline = tokio::time::Instant::now() + LAST_PAGES_MAX;
        while !self.pages.write(self.engine.book()) && tokio::time::Instant::now() < deadline {
            if !self.pages.has_doubts() {
                tokio::time::sleep(LAST_PAGES_EVERY).await;
            }
        }
        self.news.close().await;
        self.pages.commits.commit_now().await;
        crash::point(self.world.crash(), Moment::DrainEnds);
        if self.pages.write(self.engine.book()) {
            self.record.close(self.engine.book());
        }
        tracing::info!("stopped");
        Ok(())
    }
}
