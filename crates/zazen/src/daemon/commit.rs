//! One batch of changes becomes one or two commits of the home.
//!
//! What people wrote and what zazen wrote are told apart, so that the home's
//! history says who did what.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zazen_core::words;

use super::crash::{self, Moment};
use crate::forge::local::BOT;
use crate::home::Home;
use crate::home::commit::{Author, CommitError, Committer};

/// What a commit takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// What was noted since the last one. Cheap, however large the home is.
    Noted,
    /// Whatever differs from the last commit.
    All,
}

/// How many files are committed at once: git has a limited time for each commit, and after
/// the loss of a snapshot all pages of a home may be due.
const PATHS_MAX: usize = 10_000;

/// What is to be committed.
pub(super) struct Batch {
    pub(super) scope: Scope,
    pub(super) home: Home,
    pub(super) committer: Committer,
    pub(super) changed: BTreeSet<PathBuf>,
    /// Of these zazen knows that it wrote them.
    pub(super) ours: BTreeSet<PathBuf>,
    /// What happened, in the words of the day's page.
    pub(super) lines: Vec<String>,
    pub(super) person: Author,
    /// The moment in which a test wants the daemon to end.
    pub(super) crash: Option<String>,
}

impl Batch {
    /// Commits what people changed, and then what zazen wrote. It blocks, and gives itself
    /// back if it could not be done.
    pub(super) fn commit(mut self) -> Option<Self> {
        crash::point(self.crash.as_deref(), Moment::CommitBefore);
        let done = self.try_commit();
        crash::point(self.crash.as_deref(), Moment::CommitAfter);
        let err = done.err()?;
        tracing::warn!("{err}; it is tried again");
        Some(self)
    }

    fn try_commit(&mut self) -> Result<(), CommitError> {
        if self.scope == Scope::All {
            self.changed.extend(self.committer.uncommitted()?);
        }
        let (ours, theirs): (Vec<PathBuf>, Vec<PathBuf>) =
            self.changed.iter().cloned().partition(|path| self.is_ours(path));
        for part in theirs.chunks(PATHS_MAX) {
            self.committer.commit(part, &self.person, "Keep what people wrote")?;
        }
        for part in ours.chunks(PATHS_MAX) {
            self.committer.commit(part, &Author::zazen(), &words::home_commit(&self.lines))?;
        }
        Ok(())
    }

    fn is_ours(&self, path: &Path) -> bool {
        let home = &self.home;
        self.ours.contains(path)
            || path.starts_with(home.facts_dir())
            || path.starts_with(home.conflicts_dir())
            || path.starts_with(home.root().join("journal"))
            || (path.starts_with(home.root().join("forge")) && is_signed(path))
    }
}

/// Whether a page of the forge says that zazen wrote it.
fn is_signed(path: &Path) -> bool {
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let page = zazen_core::page::Page::parse(&page);
    page.is_ok_and(|page| page.get("author").as_deref() == Some(BOT))
}
