//! One small process for each run, which outlives the daemon.
//!
//! It starts the sandbox, numbers and keeps what the runner reports, holds the
//! run to its limits, and writes how it ended, last. Everything is in the
//! run's folder; nobody needs to be connected to it. It does not decide
//! anything about tasks.
//!
//! If it is killed, the sandbox dies with it, and the run is lost: the lock is
//! free and there is no `exit.json`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{DumpableBehavior, set_child_subreaper, set_dumpable_behavior, setsid};

use super::cgroup;
use super::container;
use super::event::{EndReason, Ev, Exit};
use super::process;
use super::run_dir::{Holder, RunDir, write_whole};
use super::spec::{EngineKind, SPEC_VERSION};
pub(super) use child::{ask_to_stop, tell};
use journal::Journal;
pub(super) use watch::COLLECT_TIMEOUT;
use watch::Ended;

mod child;
mod journal;
mod watch;

/// How long to try for the lock. Those who only look hold it for microseconds.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the processes of a run may take to be gone once they are killed.
const GONE_TIMEOUT: Duration = Duration::from_secs(10);

/// What is said on stdout once the lock is held.
pub(super) const LOCKED: &str = "locked";

/// Runs as the supervisor of the run whose folder this is.
pub fn supervise(run_dir: &Path) -> ExitCode {
    match supervise_locked(&RunDir::new(run_dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            // Stderr is `supervisor.log`.
            writeln!(std::io::stderr(), "{err:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn supervise_locked(run_dir: &RunDir) -> anyhow::Result<()> {
    process::close_inherited()?;
    // It fails for who leads a group already, and then there is no need.
    setsid().ok();
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("close ourselves to others")?;
    let Some(_lock) = lock(run_dir)? else {
        // Another one has the run. That is what was asked for, too.
        say_locked();
        return Ok(());
    };
    say_locked();
    let begun = fs::metadata(run_dir.events()).is_ok_and(|events| events.len() > 0);
    if begun || run_dir.exit().exists() {
        return Ok(());
    }
    set_child_subreaper(Some(rustix::process::getpid())).context("adopt orphans")?;
    let mut journal = Journal::create(&run_dir.events())?;
    let started_at = journal::now();
    let ended = watch::run(run_dir, &mut journal).unwrap_or_else(|err| {
        if let Err(err) = clear_container(run_dir) {
            // Stderr is `supervisor.log`; the daemon's next sweep removes it.
            writeln!(std::io::stderr(), "the container may be left: {err:#}").ok();
        }
        Ended::without_work(EndReason::RunnerFailed { message: format!("{err:#}") })
    });
    let cleared = clear(run_dir);
    let mut reason = ended.reason;
    if let EndReason::RunnerFailed { message } = &reason {
        journal.append(Ev::Failed { message: message.clone() })?;
    } else if let Err(err) = cleared {
        // The run is not over as long as something of it runs.
        reason = EndReason::RunnerFailed { message: format!("{err:#}") };
    }
    let exit = Exit {
        v: SPEC_VERSION,
        code: ended.code,
        signal: ended.signal,
        reason,
        achieved: ended.achieved,
        started_at,
        ended_at: journal::now(),
        last_seq: journal.last_seq(),
    };
    journal.append(Ev::Ended { exit: Box::new(exit.clone()) })?;
    journal.sync()?;
    // Who reads how it ended, reads what it was for, too.
    File::open(run_dir.spec()).and_then(|spec| spec.sync_all()).context("keep the spec")?;
    let json = serde_json::to_vec(&exit).context("print how the run ended")?;
    write_whole(&run_dir.exit(), &json)
}

/// Takes the lock of the run, or finds that another one has it.
fn lock(run_dir: &RunDir) -> anyhow::Result<Option<File>> {
    let path = run_dir.lock();
    let context = || format!("lock `{}`", path.display());
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .mode(0o600)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(context)?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(err)) => return Err(err).with_context(context),
        }
    }
    let holder = Holder { pid: process::own_id(), boot_id: process::boot_id()? };
    let json = serde_json::to_vec(&holder).context("print who we are")?;
    file.set_len(0).and_then(|()| file.write_all(&json)).with_context(context)?;
    Ok(Some(file))
}

fn say_locked() {
    let mut stdout = std::io::stdout();
    // A daemon that is gone by now needs no answer.
    writeln!(stdout, "{LOCKED}").and_then(|()| stdout.flush()).ok();
}

/// Removes the container of a run that failed half way, if it has one.
fn clear_container(run_dir: &RunDir) -> anyhow::Result<()> {
    let spec = run_dir.read_spec()?;
    match spec.engine {
        EngineKind::Container => container::clear_run(run_dir, &spec),
        EngineKind::Bwrap | EngineKind::None => Ok(()),
    }
}

/// Ends what is left of the run, wherever it hides.
fn clear(run_dir: &RunDir) -> anyhow::Result<()> {
    cgroup::clear(run_dir);
    let own = process::own_id().pid;
    let deadline = Instant::now() + GONE_TIMEOUT;
    loop {
        reap();
        let left: Vec<i32> = process::descendants(own);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the processes {left:?} of this run do not end, though they were killed");
        }
        for handle in left.into_iter().filter_map(process::Handle::open) {
            handle.kill();
            handle.wait(Duration::from_millis(20));
        }
    }
}

fn reap() {
    use rustix::process::{WaitOptions, wait};
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}
