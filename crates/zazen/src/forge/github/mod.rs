//! GitHub: the conversation is copied into the home, and answered there.
//!
//! Readers only ever read pages. A hint says that something may be new; then `copy` asks
//! GitHub what is true and keeps the texts as pages. `speak` is what zazen writes there.
//! [`client`] knows the API; [`hooks`] takes deliveries, [`poll`] asks where none come.

mod checks;
pub mod client;
mod copy;
pub mod hint;
pub mod hooks;
mod marker;
mod pace;
mod parts;
pub mod poll;
mod report;
mod reviewers;
mod reviews;
mod speak;
mod trigger;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use zazen_core::id::{RepoName, Time};
use zazen_core::trust::Permission;

pub use self::checks::{Checks, Look};
use self::client::Client;
pub use self::copy::{Copied, Known};
use self::marker::HomeMark;
use self::pace::Pace;
use super::local::Local;
use crate::home::Home;

/// GitHub, for the repositories of one home. Cheap to clone.
#[derive(Clone)]
pub struct GitHub(Arc<Inner>);

struct Inner {
    client: Client,
    pages: Local,
    /// When zazen was pointed at each repository. What was written before asks for nothing.
    since: BTreeMap<RepoName, Time>,
    pace: Pace,
    /// By which this home knows its own texts again.
    mark: HomeMark,
    /// Whether this login may not look at checks, as it was told once.
    is_shut_out: AtomicBool,
    /// Whether it may not look at statuses either.
    has_no_statuses: AtomicBool,
    /// What people may do, as it was said not long ago.
    permissions: Mutex<BTreeMap<(RepoName, String), (Permission, Instant)>>,
}

impl GitHub {
    /// Speaks to GitHub for these repositories. The first time that it is told of one is
    /// kept on a page beside its issues.
    pub fn new(
        client: Client,
        (home, pages): (&Home, Local),
        repos: impl IntoIterator<Item = RepoName>,
    ) -> anyhow::Result<Self> {
        let since = repos.into_iter().map(|repo| Ok((repo.clone(), pages.since(&repo)?)));
        let since = since.collect::<anyhow::Result<_>>()?;
        let (pace, permissions) = (Pace::default(), Mutex::default());
        let mark = HomeMark::of(&home.dot_dir().join("github/home"))?;
        Ok(Self(Arc::new(Inner {
            client,
            pages,
            since,
            pace,
            mark,
            is_shut_out: AtomicBool::new(false),
            has_no_statuses: AtomicBool::new(false),
            permissions,
        })))
    }

    /// The API itself.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Whether a repository is there.
    pub fn has(&self, repo: &RepoName) -> bool {
        self.0.since.contains_key(repo)
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub").field("since", &self.0.since).finish_non_exhaustive()
    }
}
