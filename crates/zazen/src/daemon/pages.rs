//! The pages that follow from the journal, and the commits of the home.
//!
//! A page is a function of the book: it can be written again at any time, and
//! losing one costs nothing. What people wrote in it survives: zazen changes its
//! own keys and its own marked parts, and puts a part that a person changed
//! aside in `conflicts/` before it writes over it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinSet;
use zazen_core::engine::{Book, Change};
use zazen_core::id::{TaskId, Time};
use zazen_core::page::Page;
use zazen_core::task::Task;
use zazen_core::words;

use super::crash::{self, Moment};
use super::day::{self, Line, Seen};
use super::keep::now;
use super::world::World;
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::home::commit::{Author, CommitError, Committer};

/// How long the home is quiet before it is committed.
const QUIET: Duration = Duration::from_secs(1);

/// How long a change waits for a commit at the most.
const COMMIT_MAX: Duration = Duration::from_secs(10);

/// How long pages that could not be written wait for the next try: the disk is
/// full, say, or a person is just writing there.
const RETRY: Duration = Duration::from_secs(1);

/// How many tasks' pages are written before the loop looks at other things. After a
/// crash, those of many tasks may be due; writing so many takes a few hundredths of a second.
const TASKS_PER_TURN: usize = 100;

/// How many lines are looked for on the days' pages after a restart. A crash loses
/// the last few; more than this come up only where there is no snapshot.
const LINES_BEHIND_MAX: usize = 10_000;

/// What may be behind the journal after a restart.
#[derive(Debug, Default)]
pub(super) struct Behind {
    tasks: BTreeSet<TaskId>,
    lines: VecDeque<Line>,
}

impl Behind {
    pub(super) fn add(&mut self, tasks: BTreeSet<TaskId>, lines: Vec<Line>) {
        self.tasks.extend(tasks);
        self.lines.extend(lines);
        while self.lines.len() > LINES_BEHIND_MAX {
            self.lines.pop_front();
        }
    }
}

/// The pages that are due, and the paths that wait for a commit.
pub(super) struct Pages {
    world: Arc<World>,
    committer: Committer,
    due: BTreeSet<TaskId>,
    /// Tasks whose pages are likely to be right, and are looked at to be sure.
    doubtful: BTreeSet<TaskId>,
    lines: Vec<Line>,
    /// Not before this are pages tried again that could not be written.
    retry_at: Option<Instant>,
    /// What zazen wrote, and with what it was last seen to be written.
    ours: BTreeSet<PathBuf>,
    theirs: BTreeSet<PathBuf>,
    is_rest_due: bool,
    since: Option<(Instant, Instant)>,
    commit_lines: Vec<String>,
    /// The commit that is being made. Git takes too long for the loop to wait for it.
    /// What could not be committed comes back.
    committing: JoinSet<Option<Batch>>,
}

impl Pages {
    /// Takes up the pages after a restart. What the last daemon left undone is done:
    /// pages that may be behind are written again, and what is not committed is.
    pub(super) fn new(world: Arc<World>, mut behind: Behind) -> anyhow::Result<Self> {
        let committer = Committer::new(&world.home)?;
        let mut pages = Self {
            world,
            committer,
            due: BTreeSet::new(),
            doubtful: behind.tasks,
            lines: Vec::new(),
            retry_at: None,
            ours: BTreeSet::new(),
            theirs: BTreeSet::new(),
            is_rest_due: true,
            since: None,
            commit_lines: Vec::new(),
            committing: JoinSet::new(),
        };
        match day::write(&pages.world.home, behind.lines.make_contiguous(), Seen::Maybe) {
            Ok(paths) => pages.wrote(paths),
            Err(err) => tracing::warn!("the day's page was not written: {err:#}"),
        }
        let batch = pages.take_batch();
        pages.begin_commit(batch);
        Ok(pages)
    }

    /// Notes what the changes mean for the pages.
    pub(super) fn note(
        &mut self,
        book: &Book,
        touched: &BTreeSet<TaskId>,
        (changes, at): (&[Change], Time),
    ) {
        self.due.extend(touched);
        self.lines.extend(day::lines(book, changes, at));
    }

    /// Whether a task's pages are behind the book, so that what is on disk says nothing.
    pub(super) fn is_due(&self, task: TaskId) -> bool {
        self.due.contains(&task)
    }

    /// Whether there are pages left to be looked at after a restart.
    pub(super) fn has_doubts(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// Notes that files changed. Those that zazen itself wrote are no news.
    pub(super) fn seen(&mut self, paths: &BTreeSet<PathBuf>) {
        let root = self.world.home.root();
        let dot = self.world.home.dot_dir();
        let news: Vec<PathBuf> = paths
            .iter()
            .filter(|path| path.starts_with(root) && !path.starts_with(&dot))
            .filter(|path| !self.ours.contains(*path) && !path.is_dir())
            .cloned()
            .collect();
        if !news.is_empty() {
            self.theirs.extend(news);
            self.touch();
        }
    }

    /// Writes the pages that are due. Says whether all of them are as the book says.
    pub(super) fn write(&mut self, book: &Book) -> bool {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        self.retry_at = None;
        let mut tasks = std::mem::take(&mut self.due);
        while tasks.len() < TASKS_PER_TURN
            && let Some(id) = self.doubtful.pop_first()
        {
            tasks.insert(id);
        }
        for task in tasks.into_iter().filter_map(|id| book.task(id)) {
            match self.write_task(task) {
                Ok(paths) => self.wrote(paths),
                Err(err) => {
                    tracing::warn!("the pages of task {} were not written: {err:#}", task.id);
                    self.due.insert(task.id);
                }
            }
        }
        self.write_day();
        if !self.due.is_empty() || !self.lines.is_empty() {
            self.retry_at = Some(Instant::now() + RETRY);
        }
        self.retry_at.is_none() && self.doubtful.is_empty()
    }

    fn write_day(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        match day::write(&self.world.home, &self.lines, Seen::Never) {
            Ok(paths) => {
                self.wrote(paths);
                self.commit_lines.extend(self.lines.drain(..).map(|line| line.text));
            }
            Err(err) => tracing::warn!("the day's page was not written: {err:#}"),
        }
    }

    fn wrote(&mut self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            crash::point(self.world.crash(), Moment::PagesWritten);
            self.ours.extend(paths);
            self.touch();
        }
    }

    fn touch(&mut self) {
        let now = Instant::now();
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
    }

    fn write_task(&self, task: &Task) -> anyhow::Result<Vec<PathBuf>> {
        let dir = self.world.task_dir(task);
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let mut written = Vec::new();
        let plan = match &task.plan {
            Some(plan) => Some(self.world.plan(&plan.hash)?),
            None => None,
        };
        let path = Home::task_page(&dir);
        let before = read_if_there(&path)?;
        let progress = words::progress(task, plan.as_ref().map(|(_, plan)| plan));
        let after = task_page(task, before.as_deref(), &progress);
        match after {
            Ok((page, intact)) => {
                if !intact {
                    written.push(self.put_aside(&path, before.as_deref().unwrap_or_default())?);
                }
                written.extend(put_if_new(&path, before.as_deref(), &page)?);
            }
            // The page cannot be read. It is a person's now; the journal has the truth.
            Err(err) => tracing::warn!("{} is left as it is: {err}", path.display()),
        }
        if let Some((text, _)) = &plan {
            written.extend(self.write_plan(task, &dir, text)?);
        }
        Ok(written)
    }

    /// Writes the plan's page when the plan is zazen's news, and never over a person's edit.
    fn write_plan(&self, task: &Task, dir: &Path, text: &str) -> anyhow::Result<Option<PathBuf>> {
        let path = Home::plan_page(dir);
        let before = read_if_there(&path)?;
        let written = self.last_plan(task);
        match &before {
            Some(before) if before == text => {
                if written.as_deref() != Some(text) {
                    // Only the page was written before a crash.
                    self.note_plan(task, text)?;
                }
                return Ok(None);
            }
            // What stands there is not what zazen wrote the last time: a person's edit.
            Some(before) if written.as_deref().is_some_and(|last| last != before) => {
                if written.as_deref() == Some(text) {
                    return Ok(None);
                }
                self.put_aside(&path, before)?;
            }
            Some(_) | None => {}
        }
        put_if_new(&path, before.as_deref(), text)?;
        self.note_plan(task, text)?;
        Ok(Some(path))
    }

    fn note_plan(&self, task: &Task, text: &str) -> anyhow::Result<()> {
        atomic::write(&self.last_plan_file(task), text.as_bytes(), Durability::Relaxed)?;
        Ok(())
    }

    /// The text of the plan's page as zazen last wrote it: what an edit is told by.
    pub(super) fn last_plan(&self, task: &Task) -> Option<String> {
        fs::read_to_string(self.last_plan_file(task)).ok()
    }

    fn last_plan_file(&self, task: &Task) -> PathBuf {
        self.world.home.blobs_dir().join(format!("written-{}.md", task.id))
    }

    /// Keeps the losing side of a conflict. It is never deleted.
    fn put_aside(&self, path: &Path, text: &str) -> anyhow::Result<PathBuf> {
        let name = path.strip_prefix(self.world.home.root()).unwrap_or(path);
        let name = name.to_string_lossy().replace('/', "-");
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let dir = self.world.home.conflicts_dir();
        fs::create_dir_all(&dir)?;
        let aside = dir.join(format!("{}-{name}", &hash[..8]));
        atomic::write(&aside, text.as_bytes(), Durability::Durable)?;
        tracing::warn!("your text in {} is kept in {}", path.display(), aside.display());
        Ok(aside)
    }

    /// How long until there is something to do: a page to be written, or a commit.
    pub(super) fn patience(&self) -> Duration {
        if !self.doubtful.is_empty() && self.retry_at.is_none() {
            return Duration::ZERO;
        }
        let retry = self.retry_at.map(|at| at.saturating_duration_since(Instant::now()));
        self.commit_patience().min(retry.unwrap_or(Duration::MAX))
    }

    fn commit_patience(&self) -> Duration {
        match self.since {
            None => Duration::MAX,
            Some((first, last)) => {
                let due = (last + QUIET).min(first + COMMIT_MAX);
                due.saturating_duration_since(Instant::now())
            }
        }
    }

    /// Begins a commit when the home was quiet, and none is under way.
    pub(super) fn commit_when_quiet(&mut self) {
        while let Some(ended) = self.committing.try_join_next() {
            self.take_back(ended);
        }
        let is_due = self.since.is_some() && self.commit_patience().is_zero();
        if is_due && self.committing.is_empty() {
            let batch = self.take_batch();
            self.begin_commit(batch);
        }
    }

    /// Commits all that differs from the last commit, and waits for it.
    pub(super) async fn commit_now(&mut self) {
        while let Some(ended) = self.committing.join_next().await {
            self.take_back(ended);
        }
        // What was written in the last moments has not been told yet.
        self.is_rest_due = true;
        let batch = self.take_batch();
        self.begin_commit(batch);
        while let Some(ended) = self.committing.join_next().await {
            self.take_back(ended);
        }
    }

    fn begin_commit(&mut self, batch: Batch) {
        let committer = self.committer.clone();
        self.committing.spawn_blocking(move || batch.commit(&committer));
    }

    /// Takes back what could not be committed: it is tried again with the next commit.
    fn take_back(&mut self, ended: Result<Option<Batch>, tokio::task::JoinError>) {
        let Ok(Some(batch)) = ended else { return };
        self.theirs.extend(batch.theirs);
        self.ours.extend(batch.ours);
        self.is_rest_due |= batch.is_rest;
        self.commit_lines.splice(0..0, batch.lines);
        let later = Instant::now() + COMMIT_MAX;
        self.since.get_or_insert((later, later));
    }

    fn take_batch(&mut self) -> Batch {
        self.since = None;
        Batch {
            world: self.world.clone(),
            theirs: std::mem::take(&mut self.theirs).into_iter().collect(),
            ours: std::mem::take(&mut self.ours).into_iter().collect(),
            is_rest: std::mem::take(&mut self.is_rest_due),
            lines: std::mem::take(&mut self.commit_lines),
        }
    }
}

/// What one commit (or two: people's first) is made of.
struct Batch {
    world: Arc<World>,
    theirs: Vec<PathBuf>,
    ours: Vec<PathBuf>,
    /// Whether all that is not committed belongs to it: what an ended daemon, and
    /// people while there was none, left there.
    is_rest: bool,
    lines: Vec<String>,
}

impl Batch {
    /// Makes the commits. Returns itself if that could not be done by now.
    fn commit(mut self, committer: &Committer) -> Option<Self> {
        crash::point(self.world.crash(), Moment::CommitBefore);
        let done = self.try_commit(committer);
        crash::point(self.world.crash(), Moment::CommitAfter);
        let err = done.err()?;
        tracing::warn!("the home was not committed: {err:#}; it is tried again");
        Some(self)
    }

    fn try_commit(&mut self, committer: &Committer) -> Result<(), CommitError> {
        if self.is_rest {
            for path in committer.uncommitted()? {
                let path = self.world.home.root().join(path);
                if is_written_by_zazen(&self.world.home, &path) {
                    self.ours.push(path);
                } else {
                    self.theirs.push(path);
                }
            }
        }
        let person = Author::person(&self.world.config.name);
        committer.commit(&self.theirs, &person, "Keep what people wrote")?;
        committer.commit(&self.ours, &Author::zazen(), &words::home_commit(&self.lines))?;
        Ok(())
    }
}

/// Whether a path is one of the pages that only zazen makes.
fn is_written_by_zazen(home: &Home, path: &Path) -> bool {
    let is_page = path.file_name().is_some_and(|name| name == "task.md" || name == "plan.md");
    (is_page && path.starts_with(home.tasks_dir()))
        || ["conflicts", "facts", "journal"].iter().any(|dir| path.starts_with(home.root().join(dir)))
}

/// The task's page: what a person wrote in it, with zazen's keys and parts as they are now.
/// Says also whether zazen's parts were left alone by people.
fn task_page(
    task: &Task,
    before: Option<&str>,
    progress: &str,
) -> Result<(String, bool), zazen_core::page::ParseError> {
    let fresh = format!("---\n---\n\n# {}\n\n## Brief\n\n## Notes\n\n", one_line(&task.title));
    let mut page = Page::parse(before.unwrap_or(&fresh))?;
    let issue = format!("{}#{}", task.repo, task.issue);
    for (key, value) in [
        ("task", task.id.to_string()),
        ("issue", issue),
        ("state", task.state.word().to_owned()),
        ("changed", time(task.changed)),
    ] {
        page.set(key, &value);
    }
    let mut parts = BTreeMap::from([("progress", progress.to_owned())]);
    parts.extend(words::result(task).map(|result| ("result", result)));
    let intact = parts.keys().all(|name| page.region(name).is_none_or(|region| region.intact));
    for (name, text) in &parts {
        page.set_region(name, text);
    }
    Ok((page.print(), intact))
}

fn one_line(text: &str) -> String {
    zazen_core::text::one_line(text, 200)
}

fn time(at: zazen_core::id::Time) -> String {
    let millis = i64::try_from(at.0.min(now().0)).unwrap_or(0);
    jiff::Timestamp::from_millisecond(millis)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn read_if_there(path: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err).with_context(|| format!("read {}", path.display())),
    }
}

/// Writes a page unless it says this already, and not over a change of the last moment.
fn put_if_new(path: &Path, before: Option<&str>, after: &str) -> anyhow::Result<Option<PathBuf>> {
    if before == Some(after) {
        return Ok(None);
    }
    if read_if_there(path)?.as_deref() != before {
        anyhow::bail!("{} was changed in this moment; it will be written again", path.display());
    }
    atomic::write(path, after.as_bytes(), Durability::Relaxed)
        .with_context(|| format!("write {}", path.display()))?;
    Ok(Some(path.to_owned()))
}
