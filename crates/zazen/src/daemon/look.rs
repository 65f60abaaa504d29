//! From what people wrote to facts: comments, requests, and edited plans.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use zazen_core::engine::{Cause, Fact, IssueRef};
use zazen_core::id::{CommentId, IssueNumber, PlanHash, PullNumber, RepoName, Stream, TaskId};
use zazen_core::intake::{self, PlanOnDisk, Request};
use zazen_core::plan;
use zazen_core::task::{Event, PlanRef, PullHead, State};

use super::Daemon;
use super::contract;
use super::owed::Place;
use super::world::World;
use crate::config::Forge;
use crate::forge::local::BOT;
use crate::forge::{Comment, Issue, PullState};
use crate::home::Home;

/// How long a file that a person is writing is left alone before it is read.
/// Editors write a file in pieces, a few thousandths of a second apart.
pub(super) const SETTLED: Duration = Duration::from_millis(300);

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

/// The tasks whose folder, or a page in it, is among these paths.
pub(super) fn tasks_of(home: &Home, paths: &BTreeSet<PathBuf>) -> BTreeSet<TaskId> {
    let task = |path: &PathBuf| {
        let folder = path.strip_prefix(home.tasks_dir()).ok()?.iter().nth(2)?.to_str()?;
        Some(TaskId(folder.split('-').next()?.parse().ok()?))
    };
    paths.iter().filter_map(task).collect()
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
        self.look_at_pulls(paths).await
    }

    async fn try_look_everywhere(&mut self) -> anyhow::Result<()> {
        self.look_at_requests().await?;
        // One at a time: a list of all tasks, unpacked, would be large.
        for id in (1..self.engine.book().next_task().0).map(TaskId) {
            let Some(task) = self.engine.book().task(id) else { continue };
            if matches!(task.state, State::AwaitingApproval) {
                drop(task);
                self.look_at_plan(id).await?;
            } else if let Some(pull) = open_pull(&task.state) {
                let repo = task.repo.clone();
                drop(task);
                self.look_at_pull(id, &repo, pull).await?;
            }
        }
        Ok(())
    }

    /// Looks again at what was too fresh to be read, or could not be.
    pub(super) async fn look_again(&mut self) -> anyhow::Result<()> {
        for place in self.owed.due() {
            match place {
                Place::Issue(issue) => self.look_at_issue(&issue).await?,
                Place::Conversation(issue) => self.news.look_at(issue),
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
        // Beside copies, a file that a person puts there is nobody's comment.
        if self.world.repo(&at.repo)?.forge == Forge::Local {
            forge.adopt(&at.repo, at.issue, &is_settled)?;
            if self.world.forge.has_stray(&at.repo, at.issue) {
                self.owed.look_soon(Place::Issue(at.clone()));
            }
        }
        if let Some(task) = self.engine.book().issue(&at.repo, at.issue).task {
            self.look_at_plan(task).await?;
            // Whoever merges may delete the branch: it is merged first.
            self.look_at_pull(task, &at.repo, PullNumber(at.issue.0)).await?;
        }
        let issue = forge.issue(&at.repo, at.issue)?;
        let seen = self.engine.book().issue(&at.repo, at.issue).seen;
        let last = CommentId::comment(seen.last(Stream::Comment).unwrap_or(0));
        let mut texts = forge.comments_after(&at.repo, at.issue, last)?;
        if !seen.contains(CommentId::comment(0)) {
            texts.insert(0, own_text(&issue));
        }
        for stream in Stream::ALL.into_iter().filter(|stream| *stream != Stream::Comment) {
            for id in forge.text_ids(&at.repo, at.issue, stream)? {
                if !seen.contains(id) {
                    texts.push(forge.text(&at.repo, (at.issue, id))?);
                }
            }
        }
        for text in texts {
            // What zazen wrote is never a command.
            if text.author != BOT && !self.read_comment(&issue, &text).await? {
                // Each is read once. Those after it wait, so that the order stays.
                self.owed.look_soon(Place::Issue(at.clone()));
                break;
            }
        }
        Ok(())
    }

    /// Takes one comment. Says no when it, or the plan that it may be about, is just being written.
    async fn read_comment(&mut self, issue: &Issue, comment: &Comment) -> anyhow::Result<bool> {
        // What zazen writes is there whole, and says when it was written.
        let path = self.world.forge.text_path(&issue.repo, (issue.number, comment.id));
        if comment.at.is_empty() && !is_settled(&path) {
            return Ok(false);
        }
        if let Some(happened) = comment.happened {
            self.take_happened(issue, (comment, happened)).await?;
            return Ok(true);
        }
        let task = self.engine.book().issue(&issue.repo, issue.number).task;
        let on_disk = match task {
            Some(task) => self.look_at_plan(task).await?,
            None => Some(PlanOnDisk::AsKnown),
        };
        let Some(on_disk) = on_disk else { return Ok(false) };
        let bot = self.world.forge.bot(&issue.repo);
        let asked = intake::Comment {
            repo: &issue.repo,
            issue: issue.number,
            title: &issue.title,
            id: comment.id,
            author: &comment.author,
            permission: comment.permission,
            is_bot: comment.is_bot,
            bots: &[bot.as_deref().unwrap_or(BOT)],
            implied: comment.implied.clone().filter(|_| !comment.is_old),
            pull: issue.proposed.as_ref().map(|proposed| PullHead {
                pull: PullNumber(issue.number.0),
                head: proposed.head.clone(),
            }),
            text: if comment.is_old { "" } else { &comment.body },
        };
        let fact = intake::comment(self.engine.book(), &self.world.rules, &asked, &on_disk);
        self.must_take(fact).await?;
        Ok(true)
    }

    /// Takes in what a person did. Where that is not possible by now, the caller has
    /// to look again: nobody else will say it.
    pub(super) async fn must_take(&mut self, fact: Fact) -> anyhow::Result<()> {
        if self.take_in_all(vec![fact]).await? { Ok(()) } else { bail!("the disk is full") }
    }

    /// Takes a person's edit of a plan, if there is one. Says nothing while it is being written.
    pub(super) async fn look_at_plan(&mut self, id: TaskId) -> anyhow::Result<Option<PlanOnDisk>> {
        let as_known = Ok(Some(PlanOnDisk::AsKnown));
        let Some(task) = self.engine.book().task(id) else { return as_known };
        let (State::AwaitingApproval, Some(known)) = (&task.state, &task.plan) else {
            return as_known;
        };
        let path = Home::plan_page(&self.world.task_dir(&task));
        let text = match fs::read_to_string(&path) {
            Err(err) if err.kind() == ErrorKind::NotFound => return as_known,
            // Not taken for what is known: it may say something else.
            text => text.with_context(|| format!("read {}", path.display()))?,
        };
        let is_known = PlanHash::of(&text) == known.hash || self.pages.is_plan_due(id);
        // A page that was not written again before a crash is no person's edit.
        if is_known || self.pages.last_plan(&task).is_some_and(|last| last == text) {
            return as_known;
        }
        if !is_settled(&path) {
            let issue = IssueRef { repo: task.repo.clone(), issue: task.issue };
            self.owed.look_soon(Place::Issue(issue));
            return Ok(None);
        }
        let plan = match plan::parse(&text) {
            Ok(plan) => plan,
            Err(err) => {
                let hash = PlanHash::of(&text);
                if self.unreadable.insert(id, hash.clone()).as_ref() != Some(&hash) {
                    tracing::warn!("{} cannot be read as a plan: {err}", path.display());
                }
                return Ok(Some(PlanOnDisk::Unreadable { why: err.to_string() }));
            }
        };
        let hash = self.world.keep_plan(&text)?;
        let plan = PlanRef {
            contract: Some(contract::of(&self.world, &task, (&hash, &plan))?),
            hash,
            version: known.version + 1,
            n_steps: count(plan.steps.len()),
            n_questions: count(plan.questions.len()),
        };
        self.must_take(Fact::of(id, Event::PlanEdited { plan })).await?;
        as_known
    }

    /// Takes what people did with pull requests.
    pub(super) async fn look_at_pulls(&mut self, paths: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
        for (repo, number) in pulls_of(&self.world.home, paths) {
            // Pull requests and issues are counted together.
            if let Some(task) = self.engine.book().issue(&repo, IssueNumber(number.0)).task {
                self.look_at_pull(task, &repo, number).await?;
            }
        }
        Ok(())
    }

    async fn look_at_pull(
        &mut self,
        task: TaskId,
        repo: &RepoName,
        number: PullNumber,
    ) -> anyhow::Result<()> {
        let pull = match self.world.forge.pull(repo, number) {
            Err(err) if is_gone(&err) => return Ok(()),
            pull => pull?,
        };
        let Some(task) = self.engine.book().task(task) else { return Ok(()) };
        let was_closed = matches!(task.state, State::Closed { pull: Some(_) });
        let event = match pull.state {
            PullState::Open if was_closed && task.state.pull() == Some(number) => {
                Event::PullReopened { head: pull.head.parse()? }
            }
            _ if open_pull(&task.state) != Some(number) => return Ok(()),
            PullState::Open => return Ok(()),
            PullState::Merged => Event::PullMerged,
            PullState::Closed => Event::PullClosed,
        };
        let id = task.id;
        drop(task);
        self.must_take(Fact::of(id, event)).await
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
                    fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
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

/// The pull request that is open in this state.
fn open_pull(state: &State) -> Option<PullNumber> {
    let is_over = matches!(state, State::Merged { .. } | State::Closed { .. });
    state.pull().filter(|_| !is_over)
}

/// Whether an error says that a file is not there any more.
fn is_gone(err: &anyhow::Error) -> bool {
    let io = err.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|io| io.kind() == ErrorKind::NotFound)
}

/// The issue's own text, as its first comment.
fn own_text(issue: &Issue) -> Comment {
    Comment {
        id: CommentId::comment(0),
        author: issue.author.clone(),
        body: issue.body.clone(),
        at: issue.at.clone(),
        permission: issue.permission,
        is_bot: issue.is_bot,
        key: None,
        is_old: issue.is_old,
        implied: None,
        happened: None,
        reactions: Vec::new(),
    }
}

/// Whether a file was left alone for long enough to be whole.
pub(super) fn is_settled(path: &Path) -> bool {
    let changed = path.metadata().and_then(|meta| meta.modified());
    changed.is_ok_and(|at| SystemTime::now().duration_since(at).map_or(true, |age| age >= SETTLED))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
