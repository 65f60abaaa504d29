//! The pages that follow from the journal.
//!
//! A page is a function of the book: it can be written again at any time, and
//! losing one costs nothing. What people wrote in it survives: zazen changes its
//! own keys and its own marked parts, and puts a part that a person changed
//! aside in `conflicts/` before it writes over it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use zazen_core::engine::{Book, Change};
use zazen_core::id::{TaskId, Time};
use zazen_core::plan::Plan;
use zazen_core::task::{Around, Digest, Task};
use zazen_core::text::{fence, plain};
use zazen_core::words;

use super::commits::Commits;
use super::crash::{self, Moment};
use super::day::{self, Line, Seen};
use super::look::{SETTLED, is_settled};
use super::page::{task_page, title};
use super::world::World;
use crate::home::Home;
use crate::home::atomic::{self, Durability, ReplaceError, Stamp};

/// How long pages that could not be written wait for the next try: the disk is
/// full, say, or a person is just writing there.
const WRITE_AGAIN: Duration = Duration::from_millis(500);

/// How many tasks' pages are written before the loop looks at other things. After a
/// crash, those of many tasks may be due; writing so many takes a few hundredths of a second.
const TASKS_PER_TURN: usize = 100;

/// How long a page that was written may look as if a person were just writing it. The
/// clock of a file system is a little behind.
const FRESH: Duration = SETTLED.saturating_mul(2);

/// How many lines are looked for on the days' pages after a restart. A crash loses
/// the last few; more than this come up only where there is no snapshot.
const LINES_BEHIND_MAX: usize = 10_000;

/// What the journal says since the last snapshot, and the pages may not say yet.
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

/// The pages that are due.
pub(super) struct Pages {
    world: Arc<World>,
    /// The tasks with a page that is behind the book.
    due: BTreeSet<TaskId>,
    /// Of these, the ones whose plan's page is.
    plans_due: BTreeSet<TaskId>,
    /// Tasks whose pages could not be written, and are tried again at `write_at`.
    again: BTreeSet<TaskId>,
    /// Tasks whose pages are likely to be right, and are looked at to be sure.
    doubtful: BTreeSet<TaskId>,
    /// The tasks' pages that were written just now: another text in them is a person's.
    /// Those of a while ago are told by their age.
    written: BTreeMap<TaskId, (Digest, Instant)>,
    /// What was last complained about, so that it is said once.
    complaints: BTreeMap<TaskId, String>,
    lines: Vec<Line>,
    /// Not before this is tried again what could not be written.
    write_at: Option<Instant>,
    pub(super) commits: Commits,
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
    /// Begins with what the last daemon may not have come to.
    pub(super) fn new(world: Arc<World>, mut behind: Behind) -> anyhow::Result<Self> {
        let commits = Commits::new(&world)?;
        let mut pages = Self {
            world,
            due: BTreeSet::new(),
            plans_due: behind.tasks.clone(),
            again: BTreeSet::new(),
            doubtful: behind.tasks,
            written: BTreeMap::new(),
            complaints: BTreeMap::new(),
            lines: Vec::new(),
            write_at: None,
            commits,
        };
        match day::write(&pages.world.home, behind.lines.make_contiguous(), Seen::Maybe) {
            Ok(paths) => pages.wrote(paths),
            Err(err) => tracing::warn!("the day's page was not written: {err:#}"),
        }
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
        self.plans_due.extend(touched);
        self.lines.extend(day::lines(book, changes, at));
    }

    /// Notes that these tasks' pages are to be there: a person may have deleted them.
    pub(super) fn look_for<'a>(&mut self, tasks: impl Iterator<Item = Cow<'a, Task>>) {
        for task in tasks {
            let dir = self.world.task_dir(&task);
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

    /// Whether there are pages left to be looked at after a restart.
    pub(super) fn has_doubts(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// Writes the pages that are due. Says whether all of them are as the book says.
    pub(super) fn write(&mut self, book: &Book) -> bool {
        if self.write_at.is_some_and(|at| at <= Instant::now()) {
            self.write_at = None;
            self.due.append(&mut self.again);
        }
        self.written.retain(|_, (_, at)| at.elapsed() < FRESH);
        let mut tasks = std::mem::take(&mut self.due);
        while tasks.len() < TASKS_PER_TURN
            && let Some(id) = self.doubtful.pop_first()
        {
            tasks.insert(id);
        }
        for task in tasks.into_iter().filter_map(|id| book.task(id)) {
            match self.write_pages(&task, &book.around(&task)) {
                Ok(Written::All) => drop(self.complaints.remove(&task.id)),
                Ok(Written::Later) => drop(self.again.insert(task.id)),
                Err(err) => {
                    let why = format!("the pages of task {} were not written: {err:#}", task.id);
                    self.complain(task.id, why);
                    self.again.insert(task.id);
                }
            }
        }
        if self.write_at.is_none() {
            self.write_day();
        }
        if !self.again.is_empty() || !self.lines.is_empty() {
            self.write_at.get_or_insert(Instant::now() + WRITE_AGAIN);
        }
        self.write_at.is_none() && self.doubtful.is_empty()
    }

    fn write_day(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        match day::write(&self.world.home, &self.lines, Seen::Never) {
            Ok(paths) => {
                self.wrote(paths);
                let lines = self.lines.drain(..).map(|line| line.text);
                self.commits.say(lines.inspect(|line| tracing::info!("{line}")));
            }
            Err(err) => tracing::warn!("the day's page was not written: {err:#}"),
        }
    }

    fn wrote(&mut self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            crash::point(self.world.crash(), Moment::PagesWritten);
            self.commits.wrote(paths);
        }
    }

    fn complain(&mut self, task: TaskId, why: String) {
        if self.complaints.get(&task) != Some(&why) {
            tracing::warn!("{why}");
            self.complaints.insert(task, why);
        }
    }

    /// The task's plan. Where its text is lost, the pages are written without it.
    fn plan(&mut self, task: &Task) -> Option<(String, Plan)> {
        let plan = self.world.plan(&task.plan.as_ref()?.hash);
        plan.map_err(|err| self.complain(task.id, format!("task {}: {err:#}", task.id))).ok()
    }

    fn write_pages(&mut self, task: &Task, around: &Around) -> anyhow::Result<Written> {
        let dir = self.world.task_dir(task);
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        let plan = self.plan(task);
        if let Some((text, _)) = &plan
            && self.write_plan(task, &dir, text)? == Written::Later
        {
            return Ok(Written::Later);
        }
        self.plans_due.remove(&task.id);
        let plan = plan.as_ref().map(|(_, plan)| plan);
        let progress = words::progress(task, plan, around);
        self.write_task(task, &dir, &progress)
    }

    fn write_task(&mut self, task: &Task, dir: &Path, progress: &str) -> anyhow::Result<Written> {
        let path = Home::task_page(dir);
        let seen = Stamp::of(&path).ok();
        let before = read_if_there(&path)?;
        let last = self.written.get(&task.id).map(|(digest, _)| *digest);
        if before.as_deref().is_some_and(|text| Some(Digest::of(text)) != last)
            && !is_settled(&path)
        {
            return Ok(Written::Later);
        }
        let brief = if before.is_none() { self.brief(task) } else { String::new() };
        let (page, intact) = match task_page(task, before.as_deref().unwrap_or(&brief), progress) {
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
            self.written.insert(task.id, (Digest::of(&page), Instant::now()));
        }
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

    /// How long until there is something to do: pages to be written, or a commit.
    pub(super) fn patience(&self) -> Duration {
        if self.has_doubts() {
            return Duration::ZERO;
        }
        let write = self.write_at.map(|at| at.saturating_duration_since(Instant::now()));
        self.commits.patience().min(write.unwrap_or(Duration::MAX))
    }
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
