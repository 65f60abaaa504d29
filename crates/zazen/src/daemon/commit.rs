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
use crate::home::commit::{Author, CHANGES_MAX, Change, CommitError, Committer};

/// What a commit takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// What was noted since the last one. Cheap, however large the home is.
    Noted,
    /// Whatever differs from the last commit.
    All,
}

/// A file, by a hash of its path: after the loss of a snapshot, all pages of a home are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark([u8; 8]);

/// What is to be committed.
pub(super) struct Batch {
    pub(super) scope: Scope,
    pub(super) home: Home,
    pub(super) committer: Committer,
    pub(super) changed: BTreeSet<PathBuf>,
    /// Of these zazen knows that it wrote them.
    pub(super) ours: BTreeSet<Mark>,
    /// What happened, in the words of the day's page.
    pub(super) lines: Vec<String>,
    pub(super) person: Author,
    /// The moment in which a test wants the daemon to end.
    pub(super) crash: Option<String>,
}

impl Mark {
    pub(super) fn of(path: &Path) -> Self {
        let hash = blake3::hash(path.as_os_str().as_encoded_bytes());
        let (mark, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        Self(*mark)
    }
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
        match self.scope {
            Scope::Noted => {
                let noted: Vec<PathBuf> = self.changed.iter().cloned().collect();
                self.commit_all(self.committer.changes(&noted)?)
            }
            Scope::All => {
                let batch = &*self;
                self.committer.each_uncommitted(&mut |mut part| {
                    part.retain(|change| !change.is_temporary());
                    batch.commit_all(part)
                })
            }
        }
    }

    fn commit_all(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let (ours, theirs): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| self.is_ours(&change.path(&self.home)));
        for part in theirs.chunks(CHANGES_MAX) {
            self.committer.commit_changes(part, &self.person, "Keep what people wrote")?;
        }
        for part in ours.chunks(CHANGES_MAX) {
            let message = words::home_commit(&self.lines);
            self.committer.commit_changes(part, &Author::zazen(), &message)?;
        }
        Ok(())
    }

    fn is_ours(&self, path: &Path) -> bool {
        let home = &self.home;
        self.ours.contains(&Mark::of(path))
            || path.starts_with(home.facts_dir())
            || path.starts_with(home.conflicts_dir())
            || path.starts_with(home.root().join("journal"))
            || path == home.receipt_keys_page()
            || (path.starts_with(home.tasks_dir())
                && path.extension().is_some_and(|it| it == "json"))
            || (path.starts_with(home.root().join("forge")) && is_signed(path))
    }
}

/// Whether a page of the forge says that zazen wrote it.
fn is_signed(path: &Path) -> bool {
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let page = zazen_core::page::Page::parse(&page);
    page.is_ok_and(|page| page.get("author").as_deref() == Some(BOT))
}
