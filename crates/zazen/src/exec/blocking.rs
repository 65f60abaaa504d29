//! Runs a command and blocks until it has ended.
//!
//! For the small programs without a runtime: the supervisor and the runner.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Command, DRAIN_TIMEOUT, Output};

/// Runs a command to its end.
pub fn run_blocking(command: &Command) -> anyhow::Result<Output> {
    let mut child = command.spawn_piped()?;
    let pipes = attend(&mut child, command);
    let group = Pid::from_child(&child);
    // Nobody would read what a command prints that nobody attends to.
    let ended = if pipes.is_ok() { wait_until_ended(&child, command.timeout) } else { Ok(false) };
    // The leader is not reaped yet, so the group's number is still its own.
    kill_process_group(group, Signal::KILL).ok();
    let status = child.wait().context("wait for a command")?;
    let [stdout, stderr] = pipes.context("attend to a command")?;
    if !ended? {
        bail!(command.timed_out());
    }
    let (stdout, out_cut) = stdout.recv_timeout(DRAIN_TIMEOUT).unwrap_or((Vec::new(), true));
    let (stderr, err_cut) = stderr.recv_timeout(DRAIN_TIMEOUT).unwrap_or((Vec::new(), true));
    Ok(Output { status, stdout, stderr, truncated: out_cut || err_cut })
}

fn wait_until_ended(child: &Child, timeout: Duration) -> anyhow::Result<bool> {
    let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).context("open a pidfd")?;
    let deadline = std::time::Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        let left = Timespec::try_from(left).context("a timeout that fits")?;
        let mut fds = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&left)) {
            Ok(n_ready) => return Ok(n_ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(err) => return Err(err).context("wait for a command"),
        }
    }
}

/// What a pipe held, and whether there was more than was kept.
type Drained = mpsc::Receiver<(Vec<u8>, bool)>;

/// Feeds a command and drains it, in threads of their own. The system may have none to give.
fn attend(child: &mut Child, command: &Command) -> std::io::Result<[Drained; 2]> {
    if let Some(stdin) = child.stdin.take() {
        feed(stdin, command.stdin.clone())?;
    }
    let stdout = drain(child.stdout.take(), command.output_bytes_max)?;
    let stderr = drain(child.stderr.take(), command.output_bytes_max)?;
    Ok([stdout, stderr])
}

fn feed(mut stdin: ChildStdin, bytes: Vec<u8>) -> std::io::Result<()> {
    // A command that does not read its input is no error.
    thread::Builder::new().spawn(move || stdin.write_all(&bytes).ok()).map(drop)
}

fn drain<R: Read + Send + 'static>(
    pipe: Option<R>,
    n_bytes_max: usize,
) -> std::io::Result<Drained> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().spawn(move || {
        let mut kept = Vec::new();
        let mut n_more = 0;
        if let Some(mut pipe) = pipe {
            pipe.by_ref().take(n_bytes_max as u64).read_to_end(&mut kept).ok();
            n_more = std::io::copy(&mut pipe, &mut std::io::sink()).unwrap_or(0);
        }
        sender.send((kept, n_more > 0)).ok();
    })?;
    Ok(receiver)
}
