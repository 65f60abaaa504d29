//! Ends a run whose agent gets nowhere, and keeps what showed it.
//!
//! The verdict is on the disk before the run is asked to stop. A daemon that is killed
//! between finds it there, stops the run, and judges it by the same evidence.

use std::fs;
use std::io::ErrorKind;

use anyhow::Context as _;
use zazen_core::id::RunId;
use zazen_core::stuck::Verdict;
use zazen_core::words;

use super::crash::{self, Moment};
use super::run::STOP_GRACE;
use super::world::World;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{self, RunDir};

/// The name of the file with the verdict.
const VERDICT_FILE: &str = "stuck.json";

/// The verdict on a run, if there is one.
pub(super) fn verdict(dir: &RunDir) -> anyhow::Result<Option<Verdict>> {
    let path = dir.path().join(VERDICT_FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("read {}", path.display())),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
        Err(err) => Err(err).with_context(|| format!("read {}", path.display())),
    }
}

/// Ends a run, for this reason. What it has done is collected.
pub(super) async fn end(
    world: &World,
    dir: &RunDir,
    (run, verdict): (RunId, &Verdict),
) -> anyhow::Result<()> {
    let kept = Verdict { what: world.clean(&verdict.what), ..verdict.clone() };
    let json = serde_json::to_vec(&kept).context("print a verdict")?;
    let path = dir.path().join(VERDICT_FILE);
    atomic::write(&path, &json, Durability::Durable)
        .with_context(|| format!("write {}", path.display()))?;
    crash::point(world.crash(), Moment::RunStuck);
    tracing::info!("run {run} is ended: {}", words::stuck(&kept));
    sandbox::stop(dir.path(), STOP_GRACE).await
}
