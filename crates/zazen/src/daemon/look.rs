//! From what people wrote to facts: comments, requests, and edited plans.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use zazen_core::engine::{Cause, Fact, IssueRef};
use zazen_core::id::{CommentId, IssueNumber, PlanHash, PullNumber, RepoName, TaskId};
use zazen_core::intake::{self, PlanOnDisk, Request};
use zazen_core::plan;
use zazen_core::task::{Event, PlanRef, State};

use super::Daemon;
use super::world::World;
use crate::forge::local::BOT;
use crate::forge::{Comment, Issue, PullState};
use crate::home::Home;

/// How long a file that a person is writing is left alone before it is read.
/// Editors write a file in pieces, a few thousandths of a second apart.
pub(super) const SETTLED: Duration = Duration::from_millis(300);

/// How long to wait, at the longest, before looking again at what cannot be read. A
/// page that a person broke stays broken until they save it, and that is seen at once.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// Something to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Issue(IssueRef),
    /// Which issues there are.
    Issues,
    /// All that is not an issue.
    Everywhere,
}

/// What is to be looked at again, and when.
#[derive(Debug, Default)]
pub(super) struct Owed(BTreeMap<Place, Debt>);

#[derive(Debug, Clone, Copy)]
struct Debt {
    due: Instant,
    wait: Duration,
}

impl Owed {
    /// It could not be looked at. Each time in a row the wait is twice as long.
    pub(super) fn owe(&mut self, place: Place) {
        let wait = self.0.get(&place).map_or(SETTLED, |debt| (debt.wait * 2).min(AGAIN_MAX));
        self.0.insert(place, Debt { due: Instant::now() + wait, wait });
    }

    /// A person is just writing there.
    fn look_soon(&mut self, place: Place) {
        self.0.insert(place, Debt { due: Instant::now() + SETTLED, wait: SETTLED });
    }

    fn done(&mut self, place: &Place) {
        // What is to be looked at soon was not looked at to its end.
        if self.0.get(place).is_some_and(|debt| debt.due <= Instant::now()) {
            self.0.remove(place);
        }
    }

    /// What is due. It stays owed until it is done.
    fn take_due(&self) -> Vec<Place> {
        let now = Instant::now();
        self.0.iter().filter(|(_, debt)| debt.due <= now).map(|(place, _)| place.clone()).collect()
    }

    /// How long until something is due.
    pub(super) fn patience(&self) -> Duration {
        let due = self.0.values().map(|debt| debt.due).min();
        due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }
}

/// The ending of a request's file.
pub(crate) const REQUEST_ENDING: &str = "json";

/// Looks at every issue that there is, and names those where something may be new.
/// Says whether all of them were found.
pub(super) fn all_issues(world: &Arc<World>, found: &mpsc::Sender<IssueRef>) -> bool {
    let mut all = true;
    for repo in &world.config.repos {
        let issues = world.forge.issue_numbers(&repo.name).unwrap_or_else(|err| {
            tracing::warn!("the issues of {} cannot be read by now: {err:#}", repo.name);
            all = false;
            Vec::new()
        });
        for issue in issues {
            if found.blocking_send(IssueRef { repo: repo.name.clone(), issue }).is_err() {
                return all;
            }
        }
    }
    all
}

/// The issues that these paths belong to.
fn issues_of(home: &Home, paths: &BTreeSet<PathBuf>) -> BTreeSet<IssueRef> {
    paths.iter().filter_map(|path| issue_of(home, path)).collect()
}

fn issue_of(home: &Home, path: &Path) -> Option<IssueRef> {
    let mut parts = path.strip_prefix(home.root().join("forge")).ok()?.iter();
    let repo = format!("{}/{}", parts.next()?.to_str()?, parts.next()?.to_str()?);
    let repo: RepoName = repo.parse().ok()?;
    if parts.next()? != "issues" {
        return None;
    }
    let issue = IssueNumber(parts.next()?.to_str()?.parse().ok()?);
    Some(IssueRef { repo, issue })
}

/// The pull requests whose pages these paths are.
fn pulls_of(home: &Home, paths: &BTreeSet<PathBuf>) -> Vec<(RepoName, PullNumber)> {
    let pull = |path: &PathBuf| {
        let mut parts = path.strip_prefix(home.root().join("forge")).ok()?.iter();
        let repo = format!("{}/{}", parts.next()?.to_str()?, parts.next()?.to_str()?);
        if parts.next()? != "pulls" {
            return None;
        }
        let n = parts.next()?.to_str()?.strip_suffix(".md")?.parse().ok()?;
        Some((repo.parse().ok()?, PullNumber(n)))
    };
    paths.iter().filter_map(pull).collect()
}

/// The tasks whose plan's page is among these paths.
fn plans_of(home: &Home, paths: &BTreeSet<PathBuf>) -> BTreeSet<TaskId> {
    let task = |path: &PathBuf| {
        let inside = path.strip_prefix(home.tasks_dir()).ok()?;
        if inside.file_name()? != "plan.md" {
            return None;
        }
        let folder = inside.parent()?.file_name()?.to_str()?;
        Some(TaskId(folder.split('-').next()?.parse().ok()?))
    };
    paths.iter().filter_map(task).collect()
}

/// Whether one of these paths is a request of the command line.
fn touches_requests(home: &Home, paths: &BTreeSet<PathBuf>) -> bool {
    let inbox = home.inbox_dir();
    paths.iter().any(|path| path.starts_with(&inbox))
}

impl Daemon {
    /// Looks at everything that is not an issue. At the start, and when the watch lost its way.
    pub(super) async fn look_everywhere(&mut self) -> anyhow::Result<()> {
        match self.try_look_everywhere().await {
            Ok(()) => self.owed.done(&Place::Everywhere),
            Err(err) => self.owe_everything(&err),
        }
        Ok(())
    }

    fn owe_everything(&mut self, err: &anyhow::Error) {
        tracing::warn!("not everything could be looked at by now: {err:#}");
        self.owed.owe(Place::Everywhere);
    }

    /// Looks at what changed.
    pub(super) async fn look_at_paths(&mut self, paths: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        for issue in issues_of(&self.world.home, paths) {
            self.look_at_issue(&issue).await?;
        }
        if let Err(err) = self.try_look_at_paths(paths).await {
            self.owe_everything(&err);
        }
        Ok(())
    }

    async fn try_look_at_paths(&mut self, paths: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        if touches_requests(&self.world.home, paths) {
            self.look_at_requests().await?;
        }
        for task in plans_of(&self.world.home, paths) {
            self.look_at_plan(task).await?;
        }
        for (repo, pull) in pulls_of(&self.world.home, paths) {
            self.look_at_pull(&repo, pull).await?;
        }
        Ok(())
    }

    async fn try_look_everywhere(&mut self) -> anyhow::Result<()> {
        self.look_at_requests().await?;
        let waiting: Vec<TaskId> = self
            .engine
            .book()
            .tasks()
            .filter(|task| matches!(task.state, State::AwaitingApproval))
            .map(|task| task.id)
            .collect();
        for task in waiting {
            self.look_at_plan(task).await?;
        }
        let drafted = self.engine.book().tasks().filter_map(|task| match task.state {
            State::Drafted { pull, .. } => Some((task.repo.clone(), pull)),
            _ => None,
        });
        for (repo, pull) in drafted.collect::<Vec<_>>() {
            self.look_at_pull(&repo, pull).await?;
        }
        Ok(())
    }

    /// Looks again at what was too fresh to be read, or could not be.
    pub(super) async fn look_again(&mut self) -> anyhow::Result<()> {
        for place in self.owed.take_due() {
            match place {
                Place::Issue(issue) => self.look_at_issue(&issue).await?,
                Place::Issues => {
                    self.owed.done(&Place::Issues);
                    self.look_for_issues();
                }
                Place::Everywhere => self.look_everywhere().await?,
            }
        }
        Ok(())
    }

    /// Reads the comments of an issue that were not read yet.
    pub(super) async fn look_at_issue(&mut self, at: &IssueRef) -> anyhow::Result<()> {
        let place = Place::Issue(at.clone());
        match self.read_issue(at).await {
            Ok(()) => self.owed.done(&place),
            Err(err) => {
                tracing::warn!("issue #{} of {} cannot be read by now: {err:#}", at.issue, at.repo);
                self.owed.owe(place);
            }
        }
        Ok(())
    }

    async fn read_issue(&mut self, at: &IssueRef) -> anyhow::Result<()> {
        let forge = self.world.forge.clone();
        if self.world.repo(&at.repo).is_err() || !forge.has_issue(&at.repo, at.issue)? {
            return Ok(());
        }
        forge.adopt(&at.repo, at.issue, &is_settled)?;
        if self.has_stray(at) {
            self.owed.look_soon(Place::Issue(at.clone()));
        }
        let issue = forge.issue(&at.repo, at.issue)?;
        let seen = self.engine.book().issue(&at.repo, at.issue).seen;
        if seen.is_none() {
            let text = Comment {
                id: CommentId(0),
                author: issue.author.clone(),
                body: issue.body.clone(),
                at: String::new(),
                key: None,
                reactions: Vec::new(),
            };
            self.read_comment(&issue, &text).await?;
        }
        let seen = seen.unwrap_or(CommentId(0));
        for comment in forge.comments_after(&at.repo, at.issue, seen)? {
            // What zazen wrote is never a command.
            if comment.author != BOT {
                self.read_comment(&issue, &comment).await?;
            }
        }
        Ok(())
    }

    fn has_stray(&self, at: &IssueRef) -> bool {
        self.world.forge.has_stray(&at.repo, at.issue)
    }

    async fn read_comment(&mut self, issue: &Issue, comment: &Comment) -> anyhow::Result<()> {
        let task = self.engine.book().issue(&issue.repo, issue.number).task;
        let on_disk = match task {
            Some(task) => self.look_at_plan(task).await?,
            None => PlanOnDisk::AsKnown,
        };
        let asked = intake::Comment {
            repo: &issue.repo,
            issue: issue.number,
            title: &issue.title,
            id: comment.id,
            author: &comment.author,
            text: &comment.body,
        };
        let fact = intake::comment(self.engine.book(), &asked, &on_disk);
        self.must_take(fact).await
    }

    /// Takes a person's edit of a plan, if there is one.
    pub(super) async fn look_at_plan(&mut self, id: TaskId) -> anyhow::Result<PlanOnDisk> {
        let Some(task) = self.engine.book().task(id) else { return Ok(PlanOnDisk::AsKnown) };
        let (State::AwaitingApproval, Some(known)) = (&task.state, &task.plan) else {
            return Ok(PlanOnDisk::AsKnown);
        };
        let path = Home::plan_page(&self.world.task_dir(task));
        let text = match fs::read_to_string(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(PlanOnDisk::AsKnown),
            // Not taken for what is known: it may say something else.
            text => text.with_context(|| format!("read {}", path.display()))?,
        };
        let is_known = PlanHash::of(&text) == known.hash || self.pages.is_due(id);
        // A page that was not written again before a crash is no person's edit.
        if is_known || self.pages.last_plan(task).is_some_and(|last| last == text) {
            return Ok(PlanOnDisk::AsKnown);
        }
        let plan = match plan::parse(&text) {
            Ok(plan) => plan,
            Err(err) => {
                tracing::warn!("{} cannot be read as a plan: {err}", path.display());
                return Ok(PlanOnDisk::Unreadable { why: err.to_string() });
            }
        };
        let plan = PlanRef {
            hash: self.world.keep_plan(&text)?,
            version: known.version + 1,
            n_steps: count(plan.steps.len()),
            n_questions: count(plan.questions.len()),
        };
        self.must_take(Fact::of(id, Event::PlanEdited { plan })).await?;
        Ok(PlanOnDisk::AsKnown)
    }

    /// Takes what a person did with a pull request.
    async fn look_at_pull(&mut self, repo: &RepoName, number: PullNumber) -> anyhow::Result<()> {
        let is_its = |state: &State| matches!(state, State::Drafted { pull, .. } if *pull == number);
        let task = self
            .engine
            .book()
            .tasks()
            .find(|task| task.repo == *repo && is_its(&task.state))
            .map(|task| task.id);
        let Some(task) = task else { return Ok(()) };
        let event = match self.world.forge.pull(repo, number)?.state {
            PullState::Open => return Ok(()),
            PullState::Merged => Event::PullMerged,
            PullState::Closed => Event::PullClosed,
        };
        self.must_take(Fact::of(task, event)).await
    }

    /// Takes in what a person did. Where that is not possible by now, the caller has
    /// to look again: nobody else will say it.
    async fn must_take(&mut self, fact: Fact) -> anyhow::Result<()> {
        if self.take_in_all(vec![fact]).await? { Ok(()) } else { bail!("the disk is full") }
    }

    /// Takes the requests of the command line.
    pub(super) async fn look_at_requests(&mut self) -> anyhow::Result<()> {
        let dir = self.world.home.inbox_dir();
        let Ok(entries) = fs::read_dir(&dir) else { return Ok(()) };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == REQUEST_ENDING))
            .collect();
        files.sort();
        for file in files {
            match self.take_request(&file).await {
                Ok(true) => {
                    fs::remove_file(&file)
                        .with_context(|| format!("remove {}", file.display()))?;
                }
                Ok(false) => bail!("the disk is full"),
                Err(err) if err.is::<io::Error>() => return Err(err),
                Err(err) => {
                    tracing::warn!("the request {} was put aside: {err:#}", file.display());
                    fs::rename(&file, file.with_extension("refused"))?;
                }
            }
        }
        Ok(())
    }

    /// Says whether the request is done with.
    async fn take_request(&mut self, file: &Path) -> anyhow::Result<bool> {
        let text = fs::read_to_string(file).context("read it")?;
        let request: Request = serde_json::from_str(&text).context("it is not a request")?;
        let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if self.engine.book().was_taken(&Cause::Request { id: id.clone() }) {
            return Ok(true);
        }
        let fact = intake::request(self.engine.book(), &id, &request)
            .map_err(|why| anyhow::anyhow!("{why}"))?;
        self.take_in_all(vec![fact]).await
    }
}

/// Whether a file was left alone for long enough to be whole.
fn is_settled(path: &Path) -> bool {
    let changed = path.metadata().and_then(|meta| meta.modified());
    changed.is_ok_and(|at| {
        SystemTime::now().duration_since(at).map_or(true, |age| age >= SETTLED)
    })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
