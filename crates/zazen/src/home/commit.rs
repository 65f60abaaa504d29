//! Commits of the home, in small batches.
//!
//! A person may work in the same clone, with things staged for a commit of
//! their own. A commit here takes exactly the paths it is given, as they are on
//! the disk, and leaves what is staged for other paths alone: neither committed
//! nor lost. History is only ever added to.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zazen_core::id::CommitId;

use super::Home;
use super::atomic::TEMP_PREFIX;
use super::heal;
use super::repository::{Head, Repository, succeed};
use crate::exec::{Command, Output, run_blocking, run_blocking_each};

/// Commits what changed in a home.
#[derive(Debug, Clone)]
pub struct Committer {
    repository: Repository,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
}

/// What came of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Committed(CommitId),
    /// The paths are in the last commit as they are on the disk.
    Nothing,
}

/// Why there is no commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A person, or a program of theirs, is in the middle of something; try again later.
    #[error("commit the home: {why}")]
    Busy { why: String },

    #[error("commit the home: {0:#}")]
    Failed(anyhow::Error),
}

/// One file that differs from the last commit.
#[derive(Debug, Clone)]
pub struct Change {
    /// Relative to the home.
    path: PathBuf,
    is_untracked: bool,
}

/// How many paths are given to one call as arguments; far below what a system takes.
const PATHS_PER_CALL_MAX: usize = 500;

/// How many changes are committed at once: git syncs a file for each, compares each with all
/// that is there, and has a limited time.
pub const CHANGES_MAX: usize = 2000;

/// What is in the way of a commit of single paths, and what a person calls it.
const UNDER_WAY: [(&str, &str); 5] = [
    ("MERGE_HEAD", "a merge"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
];

impl Author {
    /// The author of what zazen itself writes, and the committer of everything.
    pub fn zazen() -> Self {
        Self { name: "zazen".to_owned(), email: "zazen@localhost".to_owned() }
    }

    /// The author of what a person wrote by hand. Their address is not known.
    pub fn person(name: &str) -> Self {
        Self { name: name.to_owned(), email: "by-hand@localhost".to_owned() }
    }
}

impl Change {
    /// The file, by its absolute path in `home`.
    pub fn path(&self, home: &Home) -> PathBuf {
        home.root().join(&self.path)
    }

    /// Whether this is a file that is just being written, under a name that will not stay.
    pub fn is_temporary(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes())
    }
}

impl Committer {
    pub fn new(home: &Home) -> anyhow::Result<Self> {
        Ok(Self { repository: Repository::open(home.root())? })
    }

    /// Commits the given files and folders as they are on the disk, gone ones included.
    ///
    /// Paths are absolute or relative to the home. Files that git is told to
    /// ignore, and repositories inside the home, are left out.
    pub fn commit(
        &self,
        paths: &[PathBuf],
        author: &Author,
        message: &str,
    ) -> Result<Outcome, CommitError> {
        self.check_idle()?;
        let changes = self.changes(paths)?;
        self.commit_changes(&changes, author, message)
    }

    /// Commits changes that were just listed; at most [`CHANGES_MAX`] of them.
    pub fn commit_changes(
        &self,
        changes: &[Change],
        author: &Author,
        message: &str,
    ) -> Result<Outcome, CommitError> {
        self.check_idle()?;
        if changes.is_empty() {
            return Ok(Outcome::Nothing);
        }
        self.announce_new(changes)?;
        let command = self
            .by(author)
            .args(["commit", "--only", "--quiet", "--no-verify", "--cleanup=whitespace"])
            .args([format!("--message={message}").as_str(), PATHS_FROM_STDIN, NUL_SEPARATED])
            .stdin(list(changes.iter()));
        let output = run(&command)?;
        self.settle_index(changes)?;
        if output.status.success() {
            return self.last().map(Outcome::Committed);
        }
        // Git says so without a word; the paths went back to what they were meanwhile.
        if output.status.code() == Some(1) && output.stderr.is_empty() {
            return Ok(Outcome::Nothing);
        }
        Err(self.refused(&output))
    }

    /// Sees to it that nothing is staged for paths that were just committed.
    ///
    /// Git reads each file twice, once for the commit and once for the index. One that
    /// changed in between is left staged as it was before, and would undo the change.
    fn settle_index(&self, changes: &[Change]) -> Result<(), CommitError> {
        let command = self
            .repository
            .git(["reset", "--quiet", "--no-refresh", PATHS_FROM_STDIN, NUL_SEPARATED])
            .stdin(list(changes.iter()));
        let output = run(&command)?;
        if !output.status.success() {
            // The commit is made; the next one of these paths mends it.
            tracing::debug!("the index was not settled: {}", output.stderr_text().trim());
        }
        Ok(())
    }

    /// Lists everything in the home that is not in its last commit, and hands it over in
    /// parts of at most [`CHANGES_MAX`].
    pub fn each_uncommitted(
        &self,
        take: &mut dyn FnMut(Vec<Change>) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        self.check_idle()?;
        self.each_change(&[PathBuf::from(".")], take)
    }

    /// Says who is in the middle of something, if somebody is.
    fn check_idle(&self) -> Result<(), CommitError> {
        let repository = &self.repository;
        match repository.head() {
            Head::Branch(_) => {}
            Head::Detached(commit) => {
                let why = format!(
                    "an old commit, `{commit}`, is checked out; go back to the branch with \
                     `git switch main`"
                );
                return Err(CommitError::Busy { why });
            }
            Head::Broken => {
                let head = repository.git_dir().join("HEAD");
                let why = format!("`{}` names no branch; restart zazen", head.display());
                return Err(CommitError::Busy { why });
            }
        }
        let found = UNDER_WAY.iter().find(|(file, _)| repository.git_dir().join(file).exists());
        if let Some((_, what)) = found {
            let why = format!("{what} is under way in the home; complete or abort it");
            return Err(CommitError::Busy { why });
        }
        Ok(())
    }

    /// The paths as git wants them, without what is not in the home.
    fn inside(&self, paths: &[PathBuf]) -> Vec<PathBuf> {
        let root = self.repository.root();
        let relative = |path: &PathBuf| {
            let path = if path.is_absolute() { path.strip_prefix(root).ok()? } else { path };
            let is_plain = path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
            (is_plain && !path.as_os_str().is_empty()).then(|| path.to_owned())
        };
        paths.iter().filter_map(relative).collect()
    }

    /// Lists what differs from the last commit in the given files and folders.
    pub fn changes(&self, paths: &[PathBuf]) -> Result<Vec<Change>, CommitError> {
        let mut changes = Vec::new();
        for paths in self.inside(paths).chunks(PATHS_PER_CALL_MAX) {
            self.each_change(paths, &mut |mut part| {
                changes.append(&mut part);
                Ok(())
            })?;
        }
        Ok(changes)
    }

    fn each_change(
        &self,
        paths: &[PathBuf],
        take: &mut dyn FnMut(Vec<Change>) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        let command = self
            .repository
            .git(["status", "--porcelain=v1", "-z", "--no-renames"])
            .args(["--untracked-files=all", "--ignore-submodules=all", "--"])
            .args(paths)
            .env("GIT_OPTIONAL_LOCKS", "0");
        let mut part = Vec::new();
        let mut refused = None;
        let output = run_blocking_each(&command, 0, &mut |entry| {
            let mut add = || -> Result<(), CommitError> {
                part.extend(parse_change(entry)?);
                if part.len() < CHANGES_MAX { Ok(()) } else { take(std::mem::take(&mut part)) }
            };
            add().map_err(|err| {
                refused = Some(err);
                anyhow::anyhow!("the listing was broken off")
            })
        });
        if let Some(err) = refused {
            return Err(err);
        }
        let output = output.map_err(CommitError::Failed)?;
        if !output.status.success() {
            return Err(self.refused(&output));
        }
        if part.is_empty() { Ok(()) } else { take(part) }
    }

    /// Tells git about new files, in a way that a person's own commit leaves out.
    fn announce_new(&self, changes: &[Change]) -> Result<(), CommitError> {
        let new = list(changes.iter().filter(|change| change.is_untracked));
        if new.is_empty() {
            return Ok(());
        }
        let command = self
            .repository
            .git(["add", "--intent-to-add", PATHS_FROM_STDIN, NUL_SEPARATED])
            .stdin(new);
        let output = run(&command)?;
        if output.status.success() { Ok(()) } else { Err(self.refused(&output)) }
    }

    fn last(&self) -> Result<CommitId, CommitError> {
        let read = || -> anyhow::Result<CommitId> {
            let output = succeed(&self.repository.git(["rev-parse", "--verify", "HEAD"]))?;
            output.stdout_text().trim().parse().context("read the name of the last commit")
        };
        read().map_err(CommitError::Failed)
    }

    fn by(&self, author: &Author) -> Command {
        let committer = Author::zazen();
        self.repository
            .git([])
            .env("GIT_AUTHOR_NAME", &author.name)
            .env("GIT_AUTHOR_EMAIL", &author.email)
            .env("GIT_COMMITTER_NAME", committer.name)
            .env("GIT_COMMITTER_EMAIL", committer.email)
    }

    fn refused(&self, output: &Output) -> CommitError {
        let lock = self.repository.index_lock();
        if lock.exists() {
            // A git that took too long was killed, and cannot take its lock along.
            if heal::is_left(&self.repository, &lock) && fs::remove_file(&lock).is_ok() {
                let why = format!("removed `{}`, which a git that died had left", lock.display());
                return CommitError::Busy { why };
            }
            let why = format!("another git is at work, or died there: `{}`", lock.display());
            return CommitError::Busy { why };
        }
        let said = output.stderr_text();
        CommitError::Failed(anyhow::anyhow!("git refused ({}): {}", output.status, said.trim()))
    }
}

/// How git is told that the paths come from its input, so that no list is too long.
const PATHS_FROM_STDIN: &str = "--pathspec-from-file=-";

/// How git is told what stands between them.
const NUL_SEPARATED: &str = "--pathspec-file-nul";

fn run(command: &Command) -> Result<Output, CommitError> {
    run_blocking(command).map_err(CommitError::Failed)
}

/// Parses one entry of git's status: two letters, a space, the path.
fn parse_change(entry: &[u8]) -> Result<Option<Change>, CommitError> {
    let Some((state, path)) = entry.split_at_checked(3) else { return Ok(None) };
    let (state, path) = (&state[..2], Path::new(OsStr::from_bytes(path)));
    if matches!(state, b"DD" | b"AU" | b"UD" | b"UA" | b"DU" | b"AA" | b"UU") {
        let path = path.display();
        return Err(CommitError::Busy { why: format!("`{path}` has a conflict to be resolved") });
    }
    // A path that ends so is a repository of its own.
    if entry.ends_with(b"/") {
        return Ok(None);
    }
    Ok(Some(Change { path: path.to_owned(), is_untracked: state == b"??" }))
}

/// The paths of changes, as git reads them.
fn list<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<u8> {
    let mut list = Vec::new();
    for change in changes {
        list.extend_from_slice(change.path.as_os_str().as_bytes());
        list.push(0);
    }
    list
}

#[cfg(test)]
mod tests;
