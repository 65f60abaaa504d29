//! What waits for GitHub's limits, kept where `zazen status` finds it.
//!
//! Nothing is decided from it, and it may be deleted at any time.

use std::fs;
use std::path::{Path, PathBuf};

use zazen_core::id::Time;

use super::{Daemon, now};
use crate::forge::github::client::{Waiting, Why};
use crate::home::Home;
use crate::home::atomic::{self, Durability};

/// What waits by now, as the daemon last said it.
pub fn waits(home: &Home) -> Vec<Waiting> {
    let text = fs::read(file(home)).unwrap_or_default();
    let mut waits: Vec<Waiting> = serde_json::from_slice(&text).unwrap_or_default();
    waits.retain(|waiting| waiting.until > now());
    waits
}

fn file(home: &Home) -> PathBuf {
    home.dot_dir().join("github/waits.json")
}

fn write(path: &Path, waits: &[Waiting]) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    atomic::write(path, &serde_json::to_vec(waits)?, Durability::Relaxed)?;
    Ok(())
}

impl Daemon {
    /// Keeps what waits, when that has changed.
    pub(super) fn keep_waits(&mut self) {
        let Some(github) = &self.world.github else { return };
        let mut waits = github.client().waits();
        // A second between two comments is nobody's concern.
        waits.retain(|waiting| waiting.why != Why::Spacing);
        for waiting in &mut waits {
            // To the second: clocks are not finer, and each change is written.
            waiting.until = Time((waiting.until.0 / 1000 + 1) * 1000);
        }
        if waits == self.waits {
            return;
        }
        let path = file(&self.world.home);
        let written = write(&path, &waits);
        if let Err(err) = written {
            tracing::warn!("{} is not written: {err:#}", path.display());
        }
        self.waits = waits;
    }
}
