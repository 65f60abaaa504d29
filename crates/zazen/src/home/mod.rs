//! The home: the git repository of Markdown that is this zazen's memory.
//!
//! [`Home`] knows where everything is and nothing about what it says; the pages
//! are parsed in the core. Facts are in the [`journal`]; everything below
//! `.zazen/` is git-ignored and belongs to the machine that runs the daemon.
//!
//! [`lock`] keeps a second daemon out, [`atomic`] replaces files, [`snapshot`]
//! saves a start from reading the whole journal, [`skills`] reads what agents are
//! taught, [`commit`] and [`heal`] are the home's git, [`watch`] tells what people changed,
//! [`keys`] signs receipts.

pub mod atomic;
pub mod boot;
pub mod commit;
pub mod heal;
pub mod journal;
pub mod keys;
pub mod lock;
mod repository;
pub mod skills;
pub mod snapshot;
pub mod watch;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use zazen_core::id::{CommitId, RepoName, RunId, TaskId, Time};

use self::atomic::Durability;

/// Where everything of one zazen is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// A folder is not a home.
#[derive(Debug, thiserror::Error)]
pub enum NotAHome {
    #[error(
        "open the home `{}`: there is no `{missing}` in it; make a home with `zazen init`",
        root.display()
    )]
    Incomplete { root: PathBuf, missing: &'static str },

    #[error(
        "find a home: neither `{}` nor a folder above it has a `zazen.toml` and a `.zazen`; make \
         a home with `zazen init`", start.display()
    )]
    NotFound { start: PathBuf },
}

/// The file that a home is configured by.
const CONFIG_PAGE: &str = "zazen.toml";

/// The folder that is not in git.
const DOT_DIR: &str = ".zazen";

/// What keeps that folder out of git.
const IGNORE_LINE: &str = "/.zazen/";

/// The folders that people read.
const PAGE_DIRS: [&str; 7] =
    ["conflicts", "facts", "forge", "journal", "memory/repos", "skills", "tasks"];

/// The folders in the one that is not in git.
const DOT_DIRS: [&str; 8] =
    ["blobs", "inbox", "journal", "mirrors", "quarantine", "remotes", "runs", "work"];

/// How much of a task's slug becomes part of its folder's name: enough to
/// recognise it in a list, short enough for every file system.
const SLUG_CHARS_MAX: usize = 48;

impl Home {
    /// Takes `root` as a home, without looking.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Opens the home at `root`, after a look whether it is one.
    pub fn open(root: &Path) -> Result<Self, NotAHome> {
        let incomplete = |missing| NotAHome::Incomplete { root: root.to_owned(), missing };
        if !root.join(CONFIG_PAGE).is_file() {
            return Err(incomplete(CONFIG_PAGE));
        }
        if !root.join(DOT_DIR).is_dir() {
            return Err(incomplete(DOT_DIR));
        }
        Ok(Self::at(fs::canonicalize(root).unwrap_or_else(|_| root.to_owned())))
    }

    /// Opens the home that `start` is in.
    pub fn find(start: &Path) -> Result<Self, NotAHome> {
        let absolute = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
        absolute
            .ancestors()
            .find_map(|dir| Self::open(dir).ok())
            .ok_or_else(|| NotAHome::NotFound { start: start.to_owned() })
    }

    /// Makes the folders and the git repository of a home, where they are not there yet.
    ///
    /// It is a home once its configuration, the [`config_page`](Self::config_page),
    /// is written as well, which is up to the caller.
    pub fn create(root: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("create `{}`", root.display()))?;
        let root = fs::canonicalize(root).with_context(|| format!("find `{}`", root.display()))?;
        let home = Self { root };
        home.create_folders()
            .with_context(|| format!("create the folders of `{}`", home.root.display()))?;
        home.ignore_dot_dir()
            .with_context(|| format!("write `{}`", home.root.join(".gitignore").display()))?;
        if !home.root.join(".git").exists() {
            repository::init(&home.root)?;
        }
        Ok(home)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `zazen.toml`: the configuration.
    pub fn config_page(&self) -> PathBuf {
        self.root.join(CONFIG_PAGE)
    }

    /// `soul.md`: voice and standing rules.
    pub fn soul_page(&self) -> PathBuf {
        self.root.join("soul.md")
    }

    /// `missions.md`: what people want done.
    pub fn missions_page(&self) -> PathBuf {
        self.root.join("missions.md")
    }

    /// `receipts.pub`: the keys that receipts are signed with.
    pub fn receipt_keys_page(&self) -> PathBuf {
        self.root.join("receipts.pub")
    }

    pub fn memory_dir(&self) -> PathBuf {
        self.root.join("memory")
    }

    pub fn skills_dir(&self) -> PathBuf {
        self.root.join("skills")
    }

    pub fn tasks_dir(&self) -> PathBuf {
        self.root.join("tasks")
    }

    /// The folder of a task, by the month in which it was opened.
    ///
    /// The slug may come from outside: only small letters, digits and single
    /// hyphens of it are used.
    pub fn task_dir(&self, id: TaskId, slug: &str, opened: Time) -> PathBuf {
        let (year, month) = year_and_month(opened);
        let name = match plain_slug(slug) {
            slug if slug.is_empty() => id.to_string(),
            slug => format!("{id}-{slug}"),
        };
        self.tasks_dir().join(year).join(month).join(name)
    }

    /// `task.md` in the folder of a task.
    pub fn task_page(task_dir: &Path) -> PathBuf {
        task_dir.join("task.md")
    }

    /// `plan.md` in the folder of a task.
    pub fn plan_page(task_dir: &Path) -> PathBuf {
        task_dir.join("plan.md")
    }

    /// `guards.json` in the folder of a task: what the guards found, the last time.
    pub fn guards_file(task_dir: &Path) -> PathBuf {
        task_dir.join("guards.json")
    }

    /// `report.md` in the folder of a task.
    pub fn report_page(task_dir: &Path) -> PathBuf {
        task_dir.join("report.md")
    }

    /// `receipt.json` in the folder of a task.
    pub fn receipt_page(task_dir: &Path) -> PathBuf {
        task_dir.join("receipt.json")
    }

    /// The texts that the receipt of a commit has the hashes of, as they were then.
    pub fn receipt_dir(&self, task: TaskId, head: &CommitId) -> PathBuf {
        self.dot_dir().join("receipts").join(task.to_string()).join(head.as_str())
    }

    /// Bundles that were taken in, a folder each.
    pub fn imported_dir(&self) -> PathBuf {
        self.dot_dir().join("imported")
    }

    /// `review.md` in the folder of a task: what a second agent found in the work.
    pub fn review_page(task_dir: &Path) -> PathBuf {
        task_dir.join("review.md")
    }

    /// The day in prose.
    pub fn journal_page(&self, date: Date) -> PathBuf {
        self.root.join("journal").join(format!("{date}.md"))
    }

    /// The sealed segments of the journal.
    pub fn facts_dir(&self) -> PathBuf {
        self.root.join("facts")
    }

    /// The losing sides of merges.
    pub fn conflicts_dir(&self) -> PathBuf {
        self.root.join("conflicts")
    }

    /// The issues of a repository on the local forge, as Markdown.
    pub fn forge_dir(&self, repo: &RepoName) -> PathBuf {
        self.root.join("forge").join(repo.owner()).join(repo.name())
    }

    /// `.zazen`: what is not in git.
    pub fn dot_dir(&self) -> PathBuf {
        self.root.join(DOT_DIR)
    }

    /// The active segment of the journal, and its reserve.
    pub fn journal_dir(&self) -> PathBuf {
        self.dot_dir().join("journal")
    }

    pub fn lock_file(&self) -> PathBuf {
        self.dot_dir().join("lock")
    }

    pub fn snapshot_file(&self) -> PathBuf {
        self.dot_dir().join("snapshot.json")
    }

    /// The boot of the machine in which the objects of the home's git were last looked for.
    pub fn objects_checked_file(&self) -> PathBuf {
        self.dot_dir().join("objects-checked")
    }

    pub fn runs_dir(&self) -> PathBuf {
        self.dot_dir().join("runs")
    }

    /// The trace, the recording and the logs of a run.
    pub fn run_dir(&self, run: RunId) -> PathBuf {
        self.runs_dir().join(run.to_string())
    }

    /// Bare mirrors of the repositories.
    pub fn mirrors_dir(&self) -> PathBuf {
        self.dot_dir().join("mirrors")
    }

    /// Workspaces of runs.
    pub fn work_dir(&self) -> PathBuf {
        self.dot_dir().join("work")
    }

    /// What runs left, on its way out.
    pub fn trash_dir(&self) -> PathBuf {
        self.dot_dir().join("trash")
    }

    /// The bare repositories that the local forge serves.
    pub fn remotes_dir(&self) -> PathBuf {
        self.dot_dir().join("remotes")
    }

    /// Where other programs leave commands for the daemon.
    pub fn inbox_dir(&self) -> PathBuf {
        self.dot_dir().join("inbox")
    }

    /// What is too large for the journal, named by its hash.
    pub fn blobs_dir(&self) -> PathBuf {
        self.dot_dir().join("blobs")
    }

    /// What was cut off or refused, kept for people.
    pub fn quarantine_dir(&self) -> PathBuf {
        self.dot_dir().join("quarantine")
    }

    fn create_folders(&self) -> io::Result<()> {
        for dir in PAGE_DIRS {
            fs::create_dir_all(self.root.join(dir))?;
        }
        // What runs leave there is for the owner of the home only.
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(self.dot_dir())?;
        DOT_DIRS.iter().try_for_each(|dir| private.create(self.dot_dir().join(dir)))
    }

    fn ignore_dot_dir(&self) -> io::Result<()> {
        let file = self.root.join(".gitignore");
        let mut text = match fs::read_to_string(&file) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        if text.lines().any(|line| line.trim() == IGNORE_LINE) {
            return Ok(());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(IGNORE_LINE);
        text.push('\n');
        atomic::write(&file, text.as_bytes(), Durability::Durable)
    }
}

/// The year and the month of a moment (UTC), as the names of folders.
fn year_and_month(time: Time) -> (String, String) {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    // Later than the last year that the calendar knows is as good as that year.
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    let date = moment.to_zoned(TimeZone::UTC).date();
    (format!("{:04}", date.year()), format!("{:02}", date.month()))
}

/// Keeps of a slug what is safe in the name of a folder.
fn plain_slug(slug: &str) -> String {
    let mut plain = String::new();
    for c in slug.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            plain.push(c);
        } else if !plain.is_empty() && !plain.ends_with('-') {
            plain.push('-');
        }
    }
    plain.truncate(SLUG_CHARS_MAX);
    plain.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
