//! Runs one short command in a sandbox of its own, and says what it printed.
//!
//! For what has to be asked of a program that zazen would start in a sandbox anyhow, such
//! as its version. It has no network, no gateway, and a workspace with nothing in it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::engine::{Zazen, observe, submit};
use super::event::Ev;
use super::probe;
use super::run_dir::{Phase, RunDir};
use super::spec::{EngineKind, Work};

/// A command, and what it needs to see.
#[derive(Debug, Clone, Copy)]
pub struct Once<'a> {
    pub argv: &'a [String],
    /// Folders of the host, read-only and at the same paths.
    pub tools: &'a [PathBuf],
    /// How much memory it may use. Programs for node need more than others.
    pub memory_bytes: u64,
    pub timeout: Duration,
}

/// How often it is looked whether it is over.
const PAUSE: Duration = Duration::from_millis(2);

/// How long the sandbox itself may take to come and go.
const SLACK: Duration = Duration::from_secs(5);

/// The lines of its standard output, whatever it ended with.
pub async fn once(kind: EngineKind, zazen: &Zazen, once: Once<'_>) -> anyhow::Result<Vec<String>> {
    let folder = probe::folder()?;
    let mut spec = probe::spec(kind, folder.path())?;
    spec.work = Work::Harness { argv: once.argv.to_vec(), stdin: String::new(), open_until: None };
    "once".clone_into(&mut spec.task_marker);
    spec.tools = once.tools.to_vec();
    spec.env.insert("PATH".to_owned(), "{path}".to_owned());
    spec.limits.memory_bytes = once.memory_bytes;
    spec.limits.n_processes_max = 256;
    spec.limits.wall = once.timeout;
    spec.limits.silence = once.timeout;
    let run_dir = RunDir::new(folder.path().join("run"));
    submit(zazen, run_dir.path(), &spec).await?;
    let deadline = Instant::now() + once.timeout + SLACK;
    while !matches!(observe(run_dir.path())?, Phase::Ended(_) | Phase::Lost) {
        if Instant::now() > deadline {
            super::engine::stop(run_dir.path(), Duration::ZERO).await?;
            bail!("`{}` did not end in time", once.argv.join(" "));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let events = run_dir.read_new(&mut 0).context("read what it printed")?;
    let out = events.into_iter().filter_map(|event| match event.ev {
        Ev::Out { line } => Some(line),
        Ev::Err { .. } | Ev::Ready { .. } | Ev::Started { .. } | Ev::Canary { .. } => None,
        Ev::Result(_) | Ev::Failed { .. } | Ev::Ended { .. } => None,
    });
    Ok(out.collect())
}
