//! How far a repository has been asked about.
//!
//! Everything that GitHub says changed up to `reached` has been seen. The next
//! question overlaps with that, because GitHub's lists are not always of one
//! moment, and what is known already is left out. A cursor is disposable: without
//! it, three days are looked at again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::id::{IssueNumber, RepoName, Time};

use super::ChangedItem;
use crate::home::atomic::{self, Durability};

/// How far a repository has been asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    v: u32,
    /// Up to here, by GitHub's clock.
    reached: Time,
    /// What was seen within the overlap, and which state of it.
    seen: BTreeMap<IssueNumber, Time>,
    /// GitHub's mark of the last answer to the same question.
    etag: Option<String>,
}

/// The version of the format that is written.
const FORMAT: u32 = 1;

/// How far is looked back without a cursor: a long weekend.
const LOOK_BACK_MS: u64 = 3 * 24 * 60 * 60 * 1000;

/// How far questions overlap.
const OVERLAP_MS: u64 = 2 * 60 * 1000;

/// GitHub's times are whole seconds. What changed this lately may change again
/// in the same second, and is looked at once more.
const SETTLED_MS: u64 = 5 * 1000;

impl Cursor {
    /// The cursor of a repository of which nothing is known.
    pub(super) fn lost(now: Time) -> Self {
        let reached = Time(now.0.saturating_sub(LOOK_BACK_MS));
        Self { v: FORMAT, reached, seen: BTreeMap::new(), etag: None }
    }

    /// Reads a cursor. One that is not there, or does not parse, is lost.
    pub(super) fn read(dir: &Path, repo: &RepoName, now: Time) -> Self {
        let path = path(dir, repo);
        let read = match fs::read(&path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Self::lost(now),
            Err(err) => Err(err.to_string()),
            Ok(bytes) => match serde_json::from_slice::<Self>(&bytes) {
                Ok(cursor) if cursor.v == FORMAT => Ok(cursor),
                Ok(Self { v, .. }) => Err(format!("it has format {v}")),
                Err(err) => Err(err.to_string()),
            },
        };
        read.unwrap_or_else(|why| {
            tracing::warn!("cannot use `{}`: {why}; looking back three days", path.display());
            Self::lost(now)
        })
    }

    pub(super) fn write(&self, dir: &Path, repo: &RepoName) -> anyhow::Result<()> {
        let path = path(dir, repo);
        let what = || format!("write `{}`", path.display());
        fs::create_dir_all(dir.join(repo.owner())).with_context(what)?;
        let text = serde_json::to_vec(self).with_context(what)?;
        atomic::write(&path, &text, Durability::Relaxed).with_context(what)
    }

    /// From when on changes are asked for.
    pub(super) fn since(&self) -> Time {
        Time(self.reached.0.saturating_sub(OVERLAP_MS))
    }

    /// GitHub's mark of the last answer, if the same question is asked again.
    pub(super) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// What of an answer is new.
    pub(super) fn unseen(&self, items: &[ChangedItem]) -> Vec<IssueNumber> {
        let is_new = |item: &&ChangedItem| self.seen.get(&item.number) != Some(&item.updated_at);
        let mut numbers: Vec<_> = items.iter().filter(is_new).map(|item| item.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Takes an answer as seen, that was asked for at `asked`.
    pub(super) fn advance(&mut self, items: &[ChangedItem], etag: Option<String>, asked: Time) {
        let before = self.since();
        for item in items {
            if asked.millis_since(item.updated_at) >= SETTLED_MS {
                self.seen.insert(item.number, item.updated_at);
            }
            // A time that is to come would hide what changes until then.
            self.reached = self.reached.max(item.updated_at.min(asked));
        }
        let since = self.since();
        self.seen.retain(|_, updated_at| *updated_at >= since);
        self.etag = etag.filter(|_| since == before);
    }
}

/// The file of a repository's cursor.
fn path(dir: &Path, repo: &RepoName) -> PathBuf {
    dir.join(repo.owner()).join(format!("{}.json", repo.name()))
}

#[cfg(test)]
mod tests;
