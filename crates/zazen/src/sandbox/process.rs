//! Processes of this machine, as `/proc` shows them.
//!
//! A process is named by its number *and* the time it started at, because
//! numbers come back. It is killed through a pidfd that was opened before the
//! name was checked, so that the wrong one is never hit.

use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// The name of a process that is never given twice in one boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: i32,
    /// In clock ticks since boot.
    pub start_time: u64,
}

/// A process that is held on to: its number cannot come to mean another one.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) id: ProcessId,
    fd: OwnedFd,
}

/// How much of an environment is looked through. Linux allows more, but the
/// markers of an ordinary process are well before this.
const ENVIRON_BYTES_MAX: u64 = 1 << 20;

impl Handle {
    /// Takes hold of a process, if it is there and not dead.
    pub(super) fn open(pid: i32) -> Option<Self> {
        let fd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        let start_time = start_time(pid)?;
        Some(Self { id: ProcessId { pid, start_time }, fd })
    }

    /// Takes hold of exactly this process.
    pub(super) fn open_exactly(id: ProcessId) -> Option<Self> {
        Self::open(id.pid).filter(|handle| handle.id == id)
    }

    pub(super) fn kill(&self) {
        // It may be gone already, which is what is wanted.
        pidfd_send_signal(&self.fd, Signal::KILL).ok();
    }

    /// Waits until the process has ended, and says whether it has.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(left) = Timespec::try_from(left) else { return false };
            let mut fds = [PollFd::from_borrowed_fd(self.fd.as_fd(), PollFlags::IN)];
            match poll(&mut fds, Some(&left)) {
                Ok(n_ready) => return n_ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

/// Closes all that this process was started with but its three streams.
///
/// A daemon inherits what its shell or its service manager left open, and a
/// descriptor of a folder is a way past every wall. To be called first of all,
/// before anything of our own is open.
pub(super) fn close_inherited() -> anyhow::Result<()> {
    let entries = fs::read_dir("/proc/self/fd").context("list our descriptors")?;
    let open: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // One of them was the list itself, and is closed by now.
        nix::unistd::close(fd).ok();
    }
    Ok(())
}

/// The name of the process that asks.
pub(super) fn own_id() -> ProcessId {
    let pid = rustix::process::getpid().as_raw_pid();
    ProcessId { pid, start_time: start_time(pid).unwrap_or_default() }
}

/// Names this boot of the machine.
pub(super) fn boot_id() -> anyhow::Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("read the boot id")?;
    Ok(id.trim().to_owned())
}

/// The children of a process, including those that are dead and not waited for.
pub(super) fn children(pid: i32) -> Vec<i32> {
    all().into_iter().filter(|child| parent(*child) == Some(pid)).collect()
}

/// All below a process, the nearest first.
pub(super) fn descendants(pid: i32) -> Vec<i32> {
    let parents: Vec<(i32, i32)> =
        all().into_iter().filter_map(|child| Some((child, parent(child)?))).collect();
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let above = found[next];
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(child, _)| child));
        next += 1;
    }
    found.remove(0);
    found
}

/// The numbers of all processes.
pub(super) fn all() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The value of a variable in the environment that a process was started with.
pub(super) fn started_with(pid: i32, variable: &str) -> Option<String> {
    let file = fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    let mut environ = Vec::new();
    file.take(ENVIRON_BYTES_MAX).read_to_end(&mut environ).ok()?;
    let value = environ
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(variable.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// Whether a process is dead, waited for or not.
pub(super) fn is_dead(pid: i32) -> bool {
    stat(pid).is_none_or(|fields| fields.starts_with(['Z', 'X']))
}

fn parent(pid: i32) -> Option<i32> {
    stat(pid)?.split(' ').nth(1)?.parse().ok()
}

fn start_time(pid: i32) -> Option<u64> {
    stat(pid)?.split(' ').nth(19)?.parse().ok()
}

/// The fields of `/proc/<pid>/stat` from the state on. The name before it may
/// hold anything, parentheses and blanks included.
fn stat(pid: i32) -> Option<String> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    stat.rsplit_once(") ").map(|(_, fields)| fields.to_owned())
}
