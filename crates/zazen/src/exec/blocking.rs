//! Runs a command and blocks until it has ended.
//!
//! For the small programs without a runtime: the supervisor and the runner.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Command, DRAIN_TIMEOUT, Output};

/// Runs a command to its end.
pub fn run_blocking(command: &Command) -> anyhow::Result<Output> {
    let mut child = command.spawn_piped()?;
    let pipes = attend(&mut child, command);
    // Nobody would read what a command prints that nobody attends to.
    let ended = if pipes.is_ok() { wait_until_ended(&child, command.timeout) } else { Ok(false) };
    end(child, command, pipes, ended)
}

/// Runs a command whose standard output may be long, and hands it over in pieces, each
/// ended by `separator` (which is taken off). Of the output nothing is kept.
///
/// The time that `each` takes does not count against the command. Its error ends the command.
pub fn run_blocking_each(
    command: &Command,
    separator: u8,
    each: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Output> {
    let mut child = command.spawn_piped()?;
    let parts = send_parts(child.stdout.take());
    let pipes = attend(&mut child, command);
    let handed = match (&pipes, parts) {
        (Ok(_), Ok(parts)) => hand_over(&parts, command.timeout, separator, each),
        (Ok(_), Err(err)) => Err(err).context("attend to a command"),
        (Err(_), _) => Ok(Some(Duration::ZERO)),
    };
    let ended = match handed {
        Ok(Some(left)) if pipes.is_ok() => wait_until_ended(&child, left),
        Ok(_) => Ok(false),
        Err(err) => Err(err),
    };
    end(child, command, pipes, ended)
}

/// Hands over the pieces, and says how much of `left` is left, if any is.
fn hand_over(
    parts: &mpsc::Receiver<Vec<u8>>,
    mut left: Duration,
    separator: u8,
    each: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Option<Duration>> {
    let mut rest = Vec::new();
    loop {
        let began = Instant::now();
        let part = match parts.recv_timeout(left) {
            Ok(part) => part,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        left = left.saturating_sub(began.elapsed());
        for piece in part.split_inclusive(|byte| *byte == separator) {
            rest.extend_from_slice(piece);
            if let Some(whole) = rest.strip_suffix(&[separator]) {
                each(whole)?;
                rest.clear();
            }
        }
    }
    if !rest.is_empty() {
        each(&rest)?;
    }
    Ok(Some(left))
}

/// Kills what is left of the command, and says what it did.
fn end(
    mut child: Child,
    command: &Command,
    pipes: std::io::Result<[Drained; 2]>,
    ended: anyhow::Result<bool>,
) -> anyhow::Result<Output> {
    let group = Pid::from_child(&child);
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
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
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

/// How much of a long output is on its way at once: a few parts of this size.
const PART_BYTES: usize = 64 << 10;

/// How many parts wait until somebody takes them. The command waits then, too.
const PARTS_MAX: usize = 2;

/// Reads a pipe in a thread of its own, so that waiting for it has a limit.
fn send_parts<R: Read + Send + 'static>(
    pipe: Option<R>,
) -> std::io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::sync_channel(PARTS_MAX);
    thread::Builder::new().spawn(move || {
        let Some(mut pipe) = pipe else { return };
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            let read = pipe.by_ref().take(PART_BYTES as u64).read_to_end(&mut part);
            if read.is_err() || part.is_empty() || sender.send(part).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
