//! Ends commands that a daemon left behind when it was killed.
//!
//! A command has a group of its own and does not notice that nobody waits any more.
//! It is known by an argument that only our own commands for that place have.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How long one of them may take to be gone. It is killed, so only a disk that hangs
/// holds it up.
const GONE_TIMEOUT: Duration = Duration::from_secs(5);

/// Kills every process with an argument that starts so, waits until it is gone, and
/// says how many there were.
pub fn end_leftovers(argument: &str) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| end_leftover(*pid, argument)).count()
}

fn end_leftover(pid: i32, argument: &str) -> bool {
    let own = rustix::process::getpid();
    let Some(pid) = Pid::from_raw(pid).filter(|pid| *pid != own) else { return false };
    // Held on to first, looked at then, so that it is the one we looked at.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    let path = Path::new("/proc").join(pid.as_raw_pid().to_string()).join("cmdline");
    let line = fs::read(path).unwrap_or_default();
    let mut args = line.split(|byte| *byte == 0);
    if !args.any(|arg| arg.starts_with(argument.as_bytes())) {
        return false;
    }
    if pidfd_send_signal(&process, Signal::KILL).is_err() {
        return false;
    }
    let mut fds = [PollFd::new(&process, PollFlags::IN)];
    if let Ok(timeout) = Timespec::try_from(GONE_TIMEOUT) {
        poll(&mut fds, Some(&timeout)).ok();
    }
    true
}
