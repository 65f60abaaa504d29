//! What is known of the limits of models' services, kept for `zazen status` and the next daemon.
//!
//! A cache: it may be deleted at any time, and is filled by the next answers of a service. What is
//! in it is believed only as far as it can be true (`Limits::checked`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zazen_core::id::Time;
use zazen_core::limit::{Closing, Limits, Mode};
use zazen_core::roster::{Closed, Role, Shut};
use zazen_core::task::{Free, Known, Why};

use super::{Daemon, now};
use crate::config::Config;
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
    let text = atomic::read_small(&file(home), BYTES_MAX).unwrap_or_default();
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

fn write(path: &Path, routes: &BTreeMap<String, Limits>) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let kept = Kept { version: VERSION, routes: routes.clone() };
    atomic::write(path, &serde_json::to_vec(&kept)?, Durability::Relaxed)?;
    Ok(())
}

/// The agents that may not be begun now: their service has said that it answers nothing, or what
/// is left of its windows is for something else.
fn closed(config: &Config, limits: &BTreeMap<String, Limits>, now: Time) -> Closed {
    let mut closed = Closed::default();
    for (name, agent) in &config.agents {
        let Some(limits) = limits.get(&agent.route) else { continue };
        let model = (!agent.model.is_empty()).then_some(agent.model.as_str());
        let closing = match model {
            Some(model) => limits.closed(model, now),
            None => limits.closed_for_all(now),
        };
        if let Some(Closing { why, until, .. }) = closing {
            let free = until.map(|at| Free { at, known: Known::Reported });
            closed.agents.insert(name.clone(), Shut { why: *why, free });
        }
        let Some(pace) = config.quota.pace else { continue };
        for role in Role::ALL {
            if let Some(at) = pace.opens(limits, (Mode::of(role), model), now) {
                let free = Some(Free { at, known: Known::Calendar });
                closed.roles.insert((name.clone(), role), Shut { why: Why::Reserve, free });
            }
        }
    }
    closed
}

impl Daemon {
    /// Takes in what is known of limits: the engine is told, and it is kept when it has changed.
    pub(super) fn take_limits(&mut self) {
        let limits = self.world.gateway.limits();
        self.engine.close(closed(&self.world.config, &limits, now()));
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
