//! What is put right before a daemon begins its work, and beside it.
//!
//! The instance lock is held by then, so that everything which looks half done
//! in the home was left there by a daemon that is gone. What cannot be put right
//! is said, with what a person has to do; it keeps nobody from working.

use super::session;
use crate::git::trash;
use crate::home::Home;
use crate::home::atomic;
use crate::home::heal::{self, Finding};

/// Mends the home's git.
pub(super) fn mend(home: &Home) {
    match heal::heal(home) {
        Ok(findings) => findings.iter().for_each(say),
        Err(err) => tracing::warn!("the home's git was not looked over: {err:#}"),
    }
}

fn say(finding: &Finding) {
    match finding {
        Finding::Mended(what) => tracing::warn!("mended: {what}"),
        Finding::ForPeople(what) => tracing::error!("a person has to mend this: {what}"),
    }
}

/// Removes what nobody needs any more. In a large home it takes a while.
pub(super) fn tidy(home: &Home) {
    // Agents fill the first of these, and git looks after the others.
    let except = [home.work_dir(), home.trash_dir(), home.mirrors_dir(), home.remotes_dir()];
    match atomic::remove_stale_temps(home.root(), &except) {
        Ok(0) => {}
        Ok(n) => tracing::info!("removed {n} files that an ended process did not finish"),
        Err(err) => tracing::warn!("files that were not finished are still there: {err}"),
    }
    empty_trash(home);
}

/// Deletes what runs left. It may be much.
pub(super) fn empty_trash(home: &Home) {
    if let Err(err) = session::tidy(home) {
        tracing::warn!("old sessions of agents are still there: {err:#}");
    }
    if let Err(err) = trash::reap(&home.trash_dir()) {
        tracing::warn!("{err:#}");
    }
}
