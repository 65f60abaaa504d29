//! What is known of the limits of models' services, kept for `zazen status` and the next daemon.
//!
//! A cache: it may be deleted at any time, and is filled by the next answers of a service. What is
//! in it is believed only as far as it can be true (`Limits::checked`).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zazen_core::limit::Limits;

use super::{Daemon, now};
use crate::home::Home;
use crate::home::atomic::{self, Durability};

/// The file, as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// By the names of the routes.
    routes: BTreeMap<String, Limits>,
}

/// The version of the file that is written and read.
const VERSION: u32 = 1;

/// How much of the file is read. A route has some kilobytes at most.
const BYTES_MAX: u64 = 1 << 20;

/// What is known of the limits of routes, by their names, as the daemon last kept it.
pub fn limits(home: &Home) -> BTreeMap<String, Limits> {
    let text = read(&file(home)).unwrap_or_default();
    let kept: Kept = serde_json::from_slice(&text).unwrap_or_default();
    if kept.version != VERSION {
        return BTreeMap::new();
    }
    let routes = kept.routes.into_iter();
    routes.map(|(route, limits)| (route, limits.checked(now()))).collect()
}

fn file(home: &Home) -> PathBuf {
    home.dot_dir().join("limits.json")
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

fn write(path: &Path, routes: &BTreeMap<String, Limits>) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let kept = Kept { version: VERSION, routes: routes.clone() };
    atomic::write(path, &serde_json::to_vec(&kept)?, Durability::Relaxed)?;
    Ok(())
}

impl Daemon {
    /// Keeps what is known of limits, when that has changed.
    pub(super) fn keep_limits(&mut self) {
        let limits = self.world.gateway.limits();
        if limits == self.limits {
            return;
        }
        let path = file(&self.world.home);
        if let Err(err) = write(&path, &limits) {
            tracing::warn!("{} is not written: {err:#}", path.display());
        }
        self.limits = limits;
    }
}
