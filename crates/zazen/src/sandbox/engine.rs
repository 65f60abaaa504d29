//! What the daemon does with runs: start one, look at one, stop one.
//!
//! The run's folder is the only handle. A daemon that was restarted calls the
//! same functions with the same folder and finds the run as it is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use zazen_core::id::RunId;

use super::inside::markers;
use super::process::{self, Handle};
use super::run_dir::{Phase, RunDir, write_unsynced};
use super::spec::{EngineKind, LaunchSpec, SPEC_VERSION};
use super::supervisor::{COLLECT_TIMEOUT, LOCKED, ask_to_stop};
use super::{bwrap, container, reach, sweep};
use crate::exec::Command;

/// The program that is the supervisor and the runner: zazen itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zazen(pub PathBuf);

/// The supervisor of a run ended before it had the run.
#[derive(Debug, thiserror::Error)]
#[error("the supervisor of run {run} did not start: {said}")]
pub struct DidNotStart {
    run: RunId,
    said: String,
}

/// How long a supervisor may take to have its lock: it is the first thing it does.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// What a stop takes beyond the grace and the collecting, on a busy machine.
const STOP_SLACK: Duration = Duration::from_secs(15);

/// How many texts a run may get into its private home. A harness has a handful of settings.
const FILES_MAX: usize = 256;

/// How long one of them may be. They are kept with the run.
const FILE_BYTES_MAX: usize = 256 << 10;

/// How often a run that is to stop is looked at.
const STOP_PAUSE: Duration = Duration::from_millis(10);

/// Starts a run, unless it was started before, and returns once it has a
/// supervisor. Calling it again for the same folder does nothing.
pub async fn submit(zazen: &Zazen, run_dir: &Path, spec: &LaunchSpec) -> anyhow::Result<()> {
    let run_dir = RunDir::new(run_dir);
    if run_dir.observe()? != Phase::Absent {
        return Ok(());
    }
    prepare(zazen, &run_dir, spec)?;
    let log = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(run_dir.log());
    let log = log.context("make `supervisor.log`")?;
    let mut command = Command::new(&zazen.0).arg("supervise").arg(run_dir.path());
    for (key, value) in markers(spec.run, &run_dir) {
        command = command.env(key, value);
    }
    let mut supervisor = command.spawn_outliving(log).context("start the supervisor")?;
    let stdout = supervisor.stdout.take().context("listen to the supervisor")?;
    let mut first = String::new();
    let mut stdout = BufReader::new(stdout);
    let said = tokio::time::timeout(LOCK_TIMEOUT, stdout.read_line(&mut first)).await;
    match said {
        Ok(Ok(_)) if first.trim() == LOCKED => Ok(()),
        Ok(_) => {
            let log = fs::read_to_string(run_dir.log()).unwrap_or_default();
            bail!(DidNotStart { run: spec.run, said: log.trim().to_owned() })
        }
        Err(_) => {
            supervisor.start_kill().ok();
            bail!("the supervisor of run {} has no lock after {LOCK_TIMEOUT:?}", spec.run)
        }
    }
}

/// Says how far a run is.
pub fn observe(run_dir: &Path) -> anyhow::Result<Phase> {
    RunDir::new(run_dir).observe()
}

/// Stops a run and waits until nothing of it runs any more. What it has done
/// is collected. A run that is over already is none to stop.
pub async fn stop(run_dir: &Path, grace: Duration) -> anyhow::Result<()> {
    let run_dir = RunDir::new(run_dir);
    let deadline = Instant::now() + grace + COLLECT_TIMEOUT + STOP_SLACK;
    let mut asked = false;
    while run_dir.is_locked()? {
        if !asked {
            // Until it listens. It does so right after it has its lock.
            asked = ask_to_stop(&run_dir.control(), grace)?;
        }
        if Instant::now() > deadline {
            kill_supervisor(&run_dir)?;
            break;
        }
        tokio::time::sleep(STOP_PAUSE).await;
    }
    if matches!(run_dir.observe()?, Phase::Lost | Phase::Absent) {
        tokio::task::spawn_blocking(move || sweep::clear_run(&run_dir))
            .await
            .context("clear up after a lost run")??;
    }
    Ok(())
}

/// Kills a supervisor that does not listen; its sandbox dies with it.
fn kill_supervisor(run_dir: &RunDir) -> anyhow::Result<()> {
    let holder = run_dir.read_holder()?;
    if holder.boot_id == process::boot_id()?
        && let Some(supervisor) = Handle::open_exactly(holder.pid)
    {
        supervisor.kill();
        supervisor.wait(STOP_SLACK);
    }
    Ok(())
}

/// Checks what can be checked before anything is started, and writes the spec.
fn prepare(zazen: &Zazen, run_dir: &RunDir, spec: &LaunchSpec) -> anyhow::Result<()> {
    check(spec)?;
    fs::create_dir_all(run_dir.path())
        .with_context(|| format!("make the run's folder `{}`", run_dir.path().display()))?;
    match spec.engine {
        EngineKind::Bwrap => bwrap::check(run_dir, spec, &zazen.0)?,
        EngineKind::Container => container::check(run_dir, spec)?,
        EngineKind::None => {
            for path in [run_dir.path(), &spec.workspace, &zazen.0] {
                reach::check_reachable(path)?;
            }
        }
    }
    if let Some(socket) = &spec.gateway_socket {
        check_gateway(socket)?;
    }
    reach::hand_over(&spec.workspace)?;
    let json = serde_json::to_vec_pretty(spec).context("print the spec")?;
    write_unsynced(&run_dir.spec(), &json)
}

fn check(spec: &LaunchSpec) -> anyhow::Result<()> {
    if spec.v != SPEC_VERSION {
        bail!("the spec has version {}, and this zazen knows {SPEC_VERSION}", spec.v);
    }
    if spec.collect.is_some() && spec.access == super::spec::Access::ReadOnly {
        bail!("a run that must not write has nothing to collect; drop `collect`");
    }
    for key in spec.env.keys() {
        if key.is_empty() || key.contains(['=', '\0']) {
            bail!("`{key}` is no name for a variable");
        }
    }
    check_files(&spec.files)?;
    Ok(())
}

/// The texts for the private home: where they may be, and that they are few.
fn check_files(files: &BTreeMap<String, String>) -> anyhow::Result<()> {
    if files.len() > FILES_MAX {
        bail!("a run gets {} files with it; {FILES_MAX} is the most", files.len());
    }
    for (path, text) in files {
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if !path.split('/').all(is_part) {
            bail!("`{path}` is not a path in the private home");
        }
        if text.len() > FILE_BYTES_MAX {
            bail!("`{path}` has {} bytes; {FILE_BYTES_MAX} is the most", text.len());
        }
    }
    Ok(())
}

/// The folder of the socket is shown as a whole, so nothing else may be in it.
fn check_gateway(socket: &Path) -> anyhow::Result<()> {
    let folder = socket.parent().context("the gateway's socket has no folder")?;
    reach::check_reachable(folder)?;
    for entry in
        fs::read_dir(folder).with_context(|| format!("look into `{}`", folder.display()))?
    {
        let name = entry.context("look into the gateway's folder")?.file_name();
        if Some(name.as_os_str()) != socket.file_name() {
            bail!(
                "`{}` holds `{}` beside the gateway's socket; give each run's socket a folder \
                 of its own",
                folder.display(),
                name.display()
            );
        }
    }
    reach::check_enterable(folder)?;
    if socket.exists() { reach::check_writable(socket) } else { Ok(()) }
}
