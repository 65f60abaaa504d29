//! What comes from GitHub: deliveries, findings, and the copies made of them.
//!
//! A hint only says where to look. Each conversation is copied by one job at a time; what
//! is said of it meanwhile makes it be copied once more. Whoever hinted is told that it is
//! dealt with when the last of its conversations is in the home, and not before: until
//! then a crash makes it hint again. See [`crate::forge::github`] for what copying is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use zazen_core::engine::{Book, Fact, IssueRef};
use zazen_core::id::{CommitId, IssueNumber, PullNumber, RepoName, TaskId, Time};
use zazen_core::task::{Event, IssueEnd, State, Task};

use super::owed::Place;
use super::world::World;
use super::{Daemon, keep};
use crate::config::{Forge, Github, GithubLogin, Poll};
use crate::forge::PullState;
use crate::forge::github::hint::Hint;
use crate::forge::github::hooks::{self, Delivery, DeliveryId, Hooks, Inbox, Secrets};
use crate::forge::github::poll::{self, Found, Pace, Polls, Rota};
use crate::forge::github::{Checks, Copied, Known, Look};

/// How many conversations are copied at once. GitHub's limits are for all of them together.
const N_JOBS_MAX: usize = 4;

/// Whoever hinted, and is told when that is dealt with.
#[derive(Debug)]
enum Receipt {
    Delivery(DeliveryId),
    Found(oneshot::Sender<()>),
}

/// What one job brings.
#[derive(Debug)]
pub(super) struct Copy {
    copied: Copied,
    /// The task whose branch is at a commit that is not ours.
    moved: Option<(TaskId, CommitId)>,
    checks: Checks,
}

/// The draft of ours whose conversation is copied, as it stood when that began.
#[derive(Debug, Clone)]
struct Draft {
    task: TaskId,
    head: CommitId,
}

/// What came of copying one conversation.
pub(super) struct Done {
    issue: IssueRef,
    result: anyhow::Result<Copy>,
    receipts: Vec<Arc<Receipt>>,
}

/// See the module.
pub(super) struct News {
    pub(super) deliveries: mpsc::Receiver<Delivery>,
    pub(super) found: mpsc::Receiver<Found>,
    pub(super) copies: JoinSet<(IssueRef, anyhow::Result<Copy>)>,
    hooks: Option<Hooks>,
    polls: Option<Polls>,
    /// Where is looked again though nobody hints.
    rota: Rota,
    under_way: BTreeMap<IssueRef, Vec<Arc<Receipt>>>,
    waiting: BTreeMap<IssueRef, Vec<Arc<Receipt>>>,
    /// Those that could not be copied: somebody says when to try again.
    held: BTreeMap<IssueRef, Vec<Arc<Receipt>>>,
}

impl News {
    /// Listens and asks, as the owner wants it. Without GitHub, nothing ever comes.
    pub(super) async fn start(world: &World, book: &Book) -> anyhow::Result<Self> {
        let mut news = Self::none();
        let (Some(github), Some(config)) = (&world.github, &world.config.github) else {
            return Ok(news);
        };
        let there = world.config.repos.iter().filter(|repo| repo.forge == Forge::Github);
        let repos: Vec<RepoName> = there.map(|repo| repo.name.clone()).collect();
        if let Some(listen) = config.listen {
            let secrets =
                super::github::read_private(&config.webhook_secret).with_context(|| {
                    "read the secret of the webhooks; `zazen github setup` makes one, and without \
                 `github.listen` none are listened for"
                })?;
            let started = Hooks::start(hooks::Options {
                listen,
                secrets: Secrets::parse(&secrets)?,
                inbox: hooks::folder(&world.home),
                repos: repos.clone(),
                now: keep::now,
            })
            .await?;
            for note in &started.notes {
                tracing::warn!("the inbox of webhooks: {note}");
            }
            tracing::info!(
                "webhooks are taken at http://{}{}",
                started.hooks.address(),
                hooks::PATH
            );
            news.deliveries = started.deliveries;
            news.hooks = Some(started.hooks);
        }
        let options = poll::Options {
            cursors: poll::folder(&world.home),
            repos,
            pace: pace(config),
            has_deliveries: news.hooks.is_some() && matches!(config.login, GithubLogin::App { .. }),
            now: keep::now,
        };
        let (polls, found) = Polls::start(github.client(), &options);
        news.found = found;
        news.polls = Some(polls);
        news.rota = Rota::new(pace(config));
        for place in book.tasks().filter_map(|task| place_of(world, &task)) {
            news.rota.add(&place, keep::now());
        }
        Ok(news)
    }

    fn none() -> Self {
        // Without senders, both say at once that nothing comes.
        let (_, deliveries) = mpsc::channel(1);
        let (_, found) = mpsc::channel(1);
        Self {
            deliveries,
            found,
            copies: JoinSet::new(),
            hooks: None,
            polls: None,
            rota: Rota::new(Pace::Off),
            under_way: BTreeMap::new(),
            waiting: BTreeMap::new(),
            held: BTreeMap::new(),
        }
    }

    /// Takes a delivery of a webhook.
    pub(super) async fn take_delivery(&mut self, world: &World, book: &Book, delivery: Delivery) {
        tracing::debug!("GitHub delivers {}", delivery.event);
        let repos: BTreeSet<&RepoName> = delivery.hints.iter().filter_map(Hint::repo).collect();
        if let Some(polls) = &self.polls {
            for repo in repos {
                polls.heard(repo);
            }
        }
        let receipt = Receipt::Delivery(delivery.id);
        self.take_hints((world, book), &delivery.hints, receipt).await;
    }

    /// Takes what a poll found.
    pub(super) async fn take_found(&mut self, world: &World, book: &Book, found: Found) {
        let Found { hints, done, .. } = found;
        self.take_hints((world, book), &hints, Receipt::Found(done)).await;
    }

    async fn take_hints(
        &mut self,
        (world, book): (&World, &Book),
        hints: &[Hint],
        receipt: Receipt,
    ) {
        let receipt = Arc::new(receipt);
        for hint in hints {
            let place = match hint {
                Hint::Item { repo, number } => Some(at(repo, *number)),
                Hint::Checks { repo, head } => task_at(book, repo, |task| is_at(task, head)),
                Hint::Branch { repo, branch } => {
                    task_at(book, repo, |task| is_branch_of(task, branch))
                }
                Hint::Installation => {
                    if let Some(github) = &world.github {
                        github.client().forget_tokens();
                    }
                    None
                }
            };
            if let Some(place) = place {
                self.want(place, [receipt.clone()]);
            }
        }
        self.settle([receipt]).await;
    }

    /// Something may be new there.
    pub(super) fn look_at(&mut self, issue: IssueRef) {
        self.want(issue, []);
    }

    fn want(&mut self, issue: IssueRef, receipts: impl IntoIterator<Item = Arc<Receipt>>) {
        let held = self.held.remove(&issue).unwrap_or_default();
        self.waiting.entry(issue).or_default().extend(held.into_iter().chain(receipts));
    }

    /// Starts what there is room for. `known` says what the home knows of an issue.
    pub(super) fn start_copies(&mut self, world: &Arc<World>, book: &Book) {
        while self.copies.len() < N_JOBS_MAX {
            let next = self.waiting.keys().find(|issue| !self.under_way.contains_key(issue));
            let Some(issue) = next.cloned() else { return };
            let receipts = self.waiting.remove(&issue).unwrap_or_default();
            self.under_way.insert(issue.clone(), receipts);
            let (world, known, draft) = (world.clone(), known(book, &issue), draft(book, &issue));
            self.copies.spawn(async move {
                let result = copy(&world, &issue, (known, draft)).await;
                (issue, result)
            });
        }
    }

    /// Looks where it is time to, though nobody hints: whether checks of a draft have ended,
    /// whether an issue is still there.
    pub(super) fn start_looks(&mut self, world: &Arc<World>, book: &Book) {
        for (issue, much) in self.rota.take(keep::now()) {
            // Whoever copies it looks at all of it.
            if self.under_way.contains_key(&issue) || self.waiting.contains_key(&issue) {
                continue;
            }
            self.under_way.insert(issue.clone(), Vec::new());
            let (world, draft) = (world.clone(), draft(book, &issue));
            self.copies.spawn(async move {
                let result = look(&world, &issue, (draft, much)).await;
                (issue, result)
            });
        }
    }

    /// How long until it is time to look somewhere.
    pub(super) fn patience(&self) -> Duration {
        let due = self.rota.due();
        due.map_or(Duration::MAX, |due| Duration::from_millis(due.millis_since(keep::now())))
    }

    /// Takes up a copy that was made, or not.
    pub(super) fn copied(
        &mut self,
        copied: Result<(IssueRef, anyhow::Result<Copy>), JoinError>,
    ) -> anyhow::Result<Done> {
        let (issue, result) = copied.context("a copy broke down")?;
        let receipts = self.under_way.remove(&issue).unwrap_or_default();
        Ok(Done { issue, result, receipts })
    }

    /// What was copied is in the journal, as far as it asks for something.
    pub(super) async fn taken_in(&mut self, done: Done) {
        self.settle(done.receipts).await;
    }

    /// It has to be copied again, at a time that somebody else finds.
    pub(super) fn hold(&mut self, done: Done) {
        self.held.entry(done.issue).or_default().extend(done.receipts);
    }

    /// zazen did something there, which people may answer.
    fn stir(&mut self, world: &World, task: &Task, now: Time) {
        if let Some(polls) = &self.polls {
            polls.stir(&task.repo);
        }
        // A task is looked at in one place at a time.
        self.rota.remove(&at(&task.repo, task.issue));
        if let Some(PullNumber(pull)) = task.state.pull() {
            self.rota.remove(&at(&task.repo, IssueNumber(pull)));
        }
        if let Some(place) = place_of(world, task) {
            self.rota.stir(&place, now);
        }
    }

    async fn settle(&self, receipts: impl IntoIterator<Item = Arc<Receipt>>) {
        // Where others still hold one, it is for them to settle.
        for receipt in receipts.into_iter().filter_map(Arc::into_inner) {
            match receipt {
                Receipt::Delivery(id) => {
                    if let Some(inbox) = self.hooks.as_ref().map(Hooks::inbox) {
                        Inbox::done(inbox, [id]).await;
                    }
                }
                // Who asked may have ended.
                Receipt::Found(done) => drop(done.send(())),
            }
        }
    }

    /// Ends listening and asking.
    pub(super) async fn close(self) {
        if let Some(hooks) = self.hooks {
            hooks.close().await;
        }
        if let Some(polls) = self.polls {
            polls.close().await;
        }
    }
}

fn pace(config: &Github) -> Pace {
    match config.poll {
        Poll::Auto => Pace::Adaptive,
        Poll::Off => Pace::Off,
        Poll::Every(span) => Pace::Fixed(span),
    }
}

fn at(repo: &RepoName, issue: IssueNumber) -> IssueRef {
    IssueRef { repo: repo.clone(), issue }
}

/// The conversation of the pull request of the task that this is true of.
fn task_at(book: &Book, repo: &RepoName, is_it: impl Fn(&Task) -> bool) -> Option<IssueRef> {
    let mut tasks = book.tasks();
    let task = tasks.find(|task| task.repo == *repo && is_it(task))?;
    let State::Drafted { pull: PullNumber(number), .. } = task.state else { return None };
    Some(at(repo, IssueNumber(number)))
}

fn is_at(task: &Task, commit: &CommitId) -> bool {
    matches!(&task.state, State::Drafted { head, .. } if head == commit)
}

fn is_branch_of(task: &Task, branch: &str) -> bool {
    let number = branch.strip_prefix("zazen/").and_then(|rest| rest.split('-').next());
    number == Some(task.id.to_string().as_str())
}

impl Daemon {
    pub(super) async fn take_delivery(&mut self, delivery: Delivery) {
        self.news.take_delivery(&self.world, self.engine.book(), delivery).await;
    }

    pub(super) async fn take_found(&mut self, found: Found) {
        self.news.take_found(&self.world, self.engine.book(), found).await;
    }

    pub(super) fn start_copies(&mut self) {
        self.news.start_looks(&self.world, self.engine.book());
        self.news.start_copies(&self.world, self.engine.book());
    }

    /// Takes up a copy: what it asks for is in the journal before its hint is dealt with.
    pub(super) async fn take_copy(
        &mut self,
        copied: Result<(IssueRef, anyhow::Result<Copy>), JoinError>,
    ) -> anyhow::Result<()> {
        let done = self.news.copied(copied)?;
        let place = Place::Conversation(done.issue.clone());
        let IssueRef { repo, issue } = &done.issue;
        let copy = match &done.result {
            Ok(copy) => copy,
            Err(err) => {
                tracing::warn!("#{issue} of {repo} cannot be read by now: {err:#}");
                self.owed.owe(place);
                self.news.hold(done);
                return Ok(());
            }
        };
        self.owed.done(&place);
        match copy.copied {
            Copied::UpToDate => self.look_at_issue(&done.issue).await?,
            Copied::Gone => self.take_gone(&done.issue).await?,
            Copied::NotOurs | Copied::There => {}
        }
        if let Some((task, head)) = copy.moved.clone() {
            let by = SOMEBODY.to_owned();
            self.must_take(Fact::of(task, Event::HeadMoved { head, by })).await?;
        }
        if copy.checks == Checks::Pending {
            self.news.rota.pending(&done.issue, keep::now());
        }
        self.news.taken_in(done).await;
        Ok(())
    }

    /// The issue is not to be seen any more: who deleted it is not said.
    async fn take_gone(&mut self, at: &IssueRef) -> anyhow::Result<()> {
        let book = self.engine.book();
        let task = book.issue(&at.repo, at.issue).task.and_then(|id| book.task(id));
        let Some(task) = task.filter(|task| task.issue == at.issue).map(|task| task.id) else {
            return Ok(());
        };
        let (how, by) = (IssueEnd::Deleted, SOMEBODY.to_owned());
        self.must_take(Fact::of(task, Event::IssueEnded { how, by })).await
    }

    /// Where zazen did something, people may answer soon.
    pub(super) fn stir(&mut self, tasks: &BTreeSet<TaskId>) {
        for task in tasks.iter().filter_map(|id| self.engine.book().task(*id)) {
            self.news.stir(&self.world, &task, keep::now());
        }
    }
}

/// Whoever did what GitHub says of nobody.
const SOMEBODY: &str = "somebody";

/// What the home knows of an issue: with work under way, its texts stay as they were.
fn known(book: &Book, issue: &IssueRef) -> Known {
    let state = book.issue(&issue.repo, issue.issue);
    let task = state.task.and_then(|id| book.task(id));
    let is_over = |state: &State| matches!(state, State::Merged { .. } | State::Closed { .. });
    Known {
        is_ours: task.is_some() || !state.others.is_empty(),
        is_frozen: task.is_some_and(|task| !is_over(&task.state)),
    }
}

/// The draft of ours that a conversation is of.
fn draft(book: &Book, issue: &IssueRef) -> Option<Draft> {
    let task = book.issue(&issue.repo, issue.issue).task.and_then(|id| book.task(id))?;
    let State::Drafted { pull, head, .. } = &task.state else { return None };
    (pull.0 == issue.issue.0).then(|| Draft { task: task.id, head: head.clone() })
}

/// Where on GitHub is looked for a task that is not over: at its draft, or at its issue.
fn place_of(world: &World, task: &Task) -> Option<IssueRef> {
    world.github.as_ref().filter(|github| github.has(&task.repo))?;
    if let State::Drafted { pull: PullNumber(number), .. } = task.state {
        return Some(at(&task.repo, IssueNumber(number)));
    }
    let is_over = matches!(
        task.state,
        State::Merged { .. } | State::Closed { .. } | State::Stopped { .. } | State::Failed { .. }
    );
    (!is_over).then(|| at(&task.repo, task.issue))
}

/// Looks at what GitHub does not list: the checks of a draft, or whether an issue is there.
async fn look(
    world: &World,
    at: &IssueRef,
    (draft, much): (Option<Draft>, Look),
) -> anyhow::Result<Copy> {
    let IssueRef { repo, issue } = at;
    let github = world.github.as_ref().context("GitHub is not set up")?;
    let Some(Draft { head, .. }) = draft else {
        let copied = github.look_for(repo, *issue).await?;
        return Ok(Copy { copied, moved: None, checks: Checks::Ended });
    };
    let checks = github.copy_checks((repo, PullNumber(issue.0)), (&head, much)).await?;
    Ok(Copy { copied: Copied::UpToDate, moved: None, checks })
}

/// Copies one conversation. Of a draft of ours, the checks and the branch as well.
async fn copy(
    world: &World,
    at: &IssueRef,
    (known, draft): (Known, Option<Draft>),
) -> anyhow::Result<Copy> {
    let IssueRef { repo, issue } = at;
    let github = world.github.as_ref().context("GitHub is not set up")?;
    let copied = github.copy((repo, *issue), known).await?;
    let Some(draft) = draft.filter(|_| copied == Copied::UpToDate) else {
        return Ok(Copy { copied, moved: None, checks: Checks::Ended });
    };
    let number = PullNumber(issue.0);
    let pull = world.forge.pull(repo, number)?;
    if pull.state != PullState::Open {
        return Ok(Copy { copied, moved: None, checks: Checks::Ended });
    }
    let head: CommitId = pull.head.parse()?;
    if head == draft.head {
        let checks = github.copy_checks((repo, number), (&head, Look::Whole)).await?;
        return Ok(Copy { copied, moved: None, checks });
    }
    let moved = fetch_moved(world, repo, &draft, head).await?;
    let moved = moved.map(|head| (draft.task, head));
    Ok(Copy { copied, moved, checks: Checks::Ended })
}

/// Fetches the commit that a branch of ours was moved to. Nothing, if it is one from before
/// that we have pushed over ourselves since.
async fn fetch_moved(
    world: &World,
    repo: &RepoName,
    draft: &Draft,
    theirs: CommitId,
) -> anyhow::Result<Option<CommitId>> {
    let mirror = world.mirror(repo).await?;
    world.fetch(repo, &mirror).await?;
    if !mirror.has(&theirs).await? {
        return Ok(None);
    }
    let is_older = mirror.is_ancestor(&theirs, &draft.head).await?
        // What was rebased since is below nothing of the branch.
        || mirror.is_kept(draft.task, &theirs).await?;
    Ok(Some(theirs).filter(|_| !is_older))
}
