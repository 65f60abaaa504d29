//! The pages that follow from the journal, and the commits of the home.
//!
//! A page is a function of the book: it can be written again at any time, and
//! losing one costs nothing. What people wrote in it survives: zazen changes its
//! own keys and its own marked parts, and puts a part that a person changed
//! aside in `conflicts/` before it writes over it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::{JoinError, JoinSet};
use zazen_core::engine::{Book, Change};
use zazen_core::id::{TaskId, Time};
use zazen_core::page::{Page, ParseError};
use zazen_core::plan::Plan;
use zazen_core::task::{Digest, Kind, Task};
use zazen_core::text::{fence, one_line, plain};
use zazen_core::words;

use super::commit::{Batch, Scope};
use super::keep::now;
use super::look::{SETTLED, is_settled};
use super::world::World;
use crate::home::Home;
use crate::home::atomic::{self, Durability, ReplaceError, Stamp};
use crate::home::commit::{Author, Committer};

/// How long the home is quiet before it is committed.
const QUIET: Duration = Duration::from_secs(1);

/// How long a change waits for a commit at the most.
const COMMIT_MAX: Duration = Duration::from_secs(10);

/// How long after a commit that failed it is tried again. A person's own git is done by then.
const COMMIT_AGAIN: Duration = Duration::from_secs(2);

/// How far behind the journal the pages can be when a daemon is killed, in milliseconds.
/// They are written some thousandths of a second later; a full disk may delay them.
const BEHIND_MAX_MS: u64 = 60 * 1000;

/// The pages that are due, and the paths that wait for a commit.
pub(super) struct Pages {
    world: Arc<World>,
    committer: Committer,
    /// The tasks with a page that is behind the book.
    due: BTreeSet<TaskId>,
    /// Of these, the ones whose plan's page is.
    plans_due: BTreeSet<TaskId>,
    /// Each task's page as this daemon last wrote it: another text is a person's.
    written: BTreeMap<TaskId, Digest>,
    /// What was last complained about, so that it is said once.
    complaints: BTreeMap<TaskId, String>,
    lines: Vec<String>,
    /// Everything that changed since the last commit.
    changed: BTreeSet<PathBuf>,
    /// What zazen wrote since the last commit.
    ours: BTreeSet<PathBuf>,
    /// When the first and the last of it changed.
    since: Option<(Instant, Instant)>,
    commit_lines: Vec<String>,
    /// The commit that is being made. Git takes too long for the loop to wait for it.
    committing: JoinSet<Option<Batch>>,
    /// What the next commit takes in.
    scope: Scope,
}

/// Whether a page says what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    All,
    /// A person is just writing it. An editor that empties the file first would lose
    /// what is written to it after it was replaced.
    Later,
}

impl Pages {
    /// Begins with the pages that the last daemon may not have come to.
    pub(super) fn new(world: Arc<World>, book: &Book) -> anyhow::Result<Self> {
        let committer = Committer::new(&world.home)?;
        let last = book.tasks().map(|task| task.changed).max().unwrap_or(Time(0));
        let is_late = |task: &&Task| last.millis_since(task.changed) <= BEHIND_MAX_MS;
        let due: BTreeSet<TaskId> = book.tasks().filter(is_late).map(|task| task.id).collect();
        Ok(Self {
            world,
            committer,
            plans_due: due.clone(),
            due,
            written: BTreeMap::new(),
            complaints: BTreeMap::new(),
            lines: Vec::new(),
            changed: BTreeSet::new(),
            ours: BTreeSet::new(),
            since: None,
            commit_lines: Vec::new(),
            committing: JoinSet::new(),
            scope: Scope::Noted,
        })
    }

    /// Notes what the changes mean for the pages.
    pub(super) fn note(&mut self, book: &Book, touched: &BTreeSet<TaskId>, changes: &[Change]) {
        self.due.extend(touched);
        self.plans_due.extend(touched);
        for change in changes {
            match change {
                Change::Opened(opened) => {
                    let what = match opened.kind {
                        Kind::Change => "asked for a plan",
                        Kind::Question => "asked a question",
                    };
                    self.lines.push(format!(
                        "{} {what} on {} #{}: task {}.",
                        opened.by, opened.repo, opened.issue, opened.id
                    ));
                }
                Change::Task { task, event } => {
                    let task = book.task(*task);
                    self.lines.extend(task.and_then(|task| words::day_line(task, event)));
                }
                Change::ReplyDue { .. } | Change::Replied { .. } => {}
            }
        }
    }

    /// Notes that these tasks' pages are to be there: a person may have deleted them.
    pub(super) fn look_for<'a>(&mut self, tasks: impl Iterator<Item = &'a Task>) {
        for task in tasks {
            let dir = self.world.task_dir(task);
            let is_gone = |path: PathBuf| !path.exists();
            if is_gone(Home::task_page(&dir))
                || (task.plan.is_some() && is_gone(Home::plan_page(&dir)))
            {
                self.due.insert(task.id);
            }
        }
    }

    /// Whether a plan's page is behind the book, so that what is on disk says nothing.
    pub(super) fn is_plan_due(&self, task: TaskId) -> bool {
        self.plans_due.contains(&task)
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
    }

    /// Writes every page that is due.
    pub(super) fn write(&mut self, book: &Book) {
        let mut behind = BTreeSet::new();
        for id in std::mem::take(&mut self.due) {
            let Some(task) = book.task(id) else { continue };
            match self.write_pages(task) {
                Ok(Written::All) => drop(self.complaints.remove(&id)),
                Ok(Written::Later) => drop(behind.insert(id)),
                Err(err) => {
                    let why = format!("the pages of task {id} were not written: {err:#}");
                    self.complain(id, why);
                    behind.insert(id);
                }
            }
        }
        self.due = behind;
        let lines = std::mem::take(&mut self.lines);
        if !lines.is_empty() {
            for line in &lines {
                tracing::info!("{line}");
            }
            match self.write_day(&lines) {
                Ok(path) => self.wrote(vec![path]),
                Err(err) => tracing::warn!("the day's page was not written: {err:#}"),
            }
            self.commit_lines.extend(lines);
        }
    }

    fn wrote(&mut self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            self.changed.extend(paths.iter().cloned());
            self.ours.extend(paths);
            self.touch();
        }
    }

    fn touch(&mut self) {
        let now = Instant::now();
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
    }

    fn complain(&mut self, task: TaskId, why: String) {
        if self.complaints.get(&task) != Some(&why) {
            tracing::warn!("{why}");
            self.complaints.insert(task, why);
        }
    }

    fn write_pages(&mut self, task: &Task) -> anyhow::Result<Written> {
        let dir = self.world.task_dir(task);
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let plan = match &task.plan {
            Some(plan) => Some(self.world.plan(&plan.hash)?),
            None => None,
        };
        if let Some((text, _)) = &plan
            && self.write_plan(task, &dir, text)? == Written::Later
        {
            return Ok(Written::Later);
        }
        self.plans_due.remove(&task.id);
        self.write_task(task, &dir, plan.as_ref().map(|(_, plan)| plan))
    }

    fn write_task(
        &mut self,
        task: &Task,
        dir: &Path,
        plan: Option<&Plan>,
    ) -> anyhow::Result<Written> {
        let path = Home::task_page(dir);
        let seen = Stamp::of(&path).ok();
        let before = read_if_there(&path)?;
        let last = self.written.get(&task.id).copied();
        if before.as_deref().is_some_and(|text| Some(Digest::of(text)) != last)
            && !is_settled(&path)
        {
            return Ok(Written::Later);
        }
        let brief = if before.is_none() { self.brief(task) } else { String::new() };
        let progress = words::progress(task, plan);
        let (page, intact) = match task_page(task, before.as_deref().unwrap_or(&brief), &progress) {
            Ok(made) => made,
            Err(err) => {
                // It is a person's now; the journal has the truth.
                self.complain(task.id, format!("{} is left as it is: {err}", path.display()));
                return Ok(Written::All);
            }
        };
        if before.as_deref() != Some(&page) {
            if !intact {
                let aside = self.put_aside(&path, before.as_deref().unwrap_or_default())?;
                self.wrote(vec![aside]);
            }
            if put(&path, seen, &page)? == Written::Later {
                return Ok(Written::Later);
            }
            self.wrote(vec![path]);
        }
        self.written.insert(task.id, Digest::of(&page));
        Ok(Written::All)
    }

    /// The page of a new task: what was asked for. From then on it is people's.
    fn brief(&self, task: &Task) -> String {
        let issue = self.world.forge.issue(&task.repo, task.issue);
        let asked = issue.map_or_else(|_| String::new(), |issue| issue.body);
        let asked = plain(&format!("{asked}\n\n{}", task.request));
        // The title may say it all.
        let asked = match asked.trim() {
            "" => String::new(),
            asked => fence(asked, "text") + "\n",
        };
        format!("---\n---\n\n# {}\n\n## Brief\n\n{asked}## Notes\n\n", title(task))
    }

    /// Writes the plan's page when the plan is zazen's news, and never over a person's edit.
    fn write_plan(&mut self, task: &Task, dir: &Path, text: &str) -> anyhow::Result<Written> {
        let path = Home::plan_page(dir);
        let seen = Stamp::of(&path).ok();
        let before = read_if_there(&path)?;
        let written = self.last_plan(task);
        let is_edit = written.is_some() && written != before;
        match &before {
            // It is there; a person may have put it there.
            Some(there) if there == text => {
                self.keep_last_plan(task, text)?;
                return Ok(Written::All);
            }
            // A person's edit that was not taken (too late, or unreadable) stays where it is,
            // unless there is a new plan to show.
            Some(_) if is_edit && written.as_deref() == Some(text) => return Ok(Written::All),
            Some(_) if is_edit && !is_settled(&path) => return Ok(Written::Later),
            Some(there) if is_edit => {
                let aside = self.put_aside(&path, there)?;
                self.wrote(vec![aside]);
            }
            Some(_) | None => {}
        }
        if put(&path, seen, text)? == Written::Later {
            return Ok(Written::Later);
        }
        self.keep_last_plan(task, text)?;
        self.wrote(vec![path]);
        Ok(Written::All)
    }

    fn keep_last_plan(&self, task: &Task, text: &str) -> anyhow::Result<()> {
        if self.last_plan(task).as_deref() == Some(text) {
            return Ok(());
        }
        atomic::write(&self.last_plan_file(task), text.as_bytes(), Durability::Relaxed)
            .context("note what the plan's page says")
    }

    /// The text of the plan's page as zazen last wrote it: what an edit is told by.
    fn last_plan(&self, task: &Task) -> Option<String> {
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

    fn write_day(&self, lines: &[String]) -> anyhow::Result<PathBuf> {
        use std::io::Write as _;

        let zoned = jiff::Zoned::now();
        let path = self.world.home.journal_page(zoned.date());
        let is_new = !path.exists();
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        let title = if is_new { format!("# {}\n\n", zoned.date()) } else { String::new() };
        let time = zoned.strftime("%H:%M").to_string();
        let lines: Vec<String> = lines.iter().map(|line| format!("- {time} {line}\n")).collect();
        let text = format!("{title}{}", lines.concat());
        let mut file = fs::File::options().create(true).append(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// How long until a commit is due, or a page that could not be written is tried again.
    pub(super) fn patience(&self) -> Duration {
        if self.due.is_empty() {
            self.commit_patience()
        } else {
            self.commit_patience().min(SETTLED)
        }
    }

    fn commit_patience(&self) -> Duration {
        match self.since {
            None if self.committing.is_empty() => Duration::MAX,
            // Whether it went well is to be seen then.
            None => COMMIT_AGAIN,
            Some((first, last)) => {
                let due = (last + QUIET).min(first + COMMIT_MAX);
                due.saturating_duration_since(Instant::now())
            }
        }
    }

    /// Begins a commit when the home was quiet, and none is under way.
    pub(super) fn commit_when_quiet(&mut self) {
        while let Some(done) = self.committing.try_join_next() {
            self.note_commit(done);
        }
        if self.since.is_some() && self.commit_patience().is_zero() && self.committing.is_empty() {
            self.start_commit();
        }
    }

    /// Has everything committed, noted or not: what people wrote while no daemon was up.
    pub(super) fn commit_all(&mut self) {
        self.scope = Scope::All;
        self.touch();
    }

    /// Commits everything, and waits for it.
    pub(super) async fn commit_now(&mut self) {
        while self.committing.join_next().await.is_some() {}
        self.scope = Scope::All;
        self.start_commit();
        while self.committing.join_next().await.is_some() {}
    }

    /// What a commit that failed was to take in is taken in by the next one.
    fn note_commit(&mut self, left: Result<Option<Batch>, JoinError>) {
        let left = match left {
            Ok(None) => return,
            Ok(Some(batch)) => batch,
            Err(err) => return tracing::error!("a commit of the home broke down: {err}"),
        };
        self.scope = left.scope;
        self.changed.extend(left.changed);
        self.ours.extend(left.ours);
        self.commit_lines.splice(0..0, left.lines);
        let later = Instant::now() + COMMIT_AGAIN;
        self.since = self.since.or(Some((later, later)));
    }

    fn start_commit(&mut self) {
        self.since = None;
        let batch = Batch {
            scope: std::mem::replace(&mut self.scope, Scope::Noted),
            home: self.world.home.clone(),
            committer: self.committer.clone(),
            changed: std::mem::take(&mut self.changed),
            ours: std::mem::take(&mut self.ours),
            lines: std::mem::take(&mut self.commit_lines),
            person: Author::person(&self.world.config.name),
        };
        self.committing.spawn_blocking(move || batch.commit());
    }
}

/// The task's page: what a person wrote in it, with zazen's keys and parts as they are now.
/// Says also whether zazen's parts were left alone by people.
fn task_page(task: &Task, before: &str, progress: &str) -> Result<(String, bool), ParseError> {
    let mut page = Page::parse(before)?;
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

fn title(task: &Task) -> String {
    one_line(&task.title, 200)
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

/// Writes a page, and not over a change of the last moment.
fn put(path: &Path, seen: Option<Stamp>, text: &str) -> anyhow::Result<Written> {
    let context = || format!("write {}", path.display());
    match seen {
        Some(seen) => match atomic::replace_if_unchanged(path, seen, text.as_bytes()) {
            Ok(()) => Ok(Written::All),
            Err(ReplaceError::Changed(_)) => Ok(Written::Later),
            Err(err @ ReplaceError::Failed { .. }) => Err(err).with_context(context),
        },
        None if path.exists() => Ok(Written::Later),
        None => {
            atomic::write(path, text.as_bytes(), Durability::Relaxed).with_context(context)?;
            Ok(Written::All)
        }
    }
}
