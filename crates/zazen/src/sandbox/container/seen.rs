//! The limits of a container, as they are seen from inside.
//!
//! An engine may be asked for limits and not keep them: podman without root
//! cannot on control groups of version 1, and only warns. So the runner reads
//! what holds, before there is any work that could tell it something else.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::sandbox::event::LimitedBy;

/// What a runner sees of its own limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Seen {
    pub(in crate::sandbox) cgroup_v2: bool,
    pub(in crate::sandbox) memory_bytes: Option<u64>,
    pub(in crate::sandbox) n_processes: Option<u64>,
    /// Whether system calls are filtered.
    pub(in crate::sandbox) syscall_filter: bool,
}

/// The files of the control groups: version 2, and version 1.
const MEMORY: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const PROCESSES: [&str; 2] = ["/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"];
const KILLED: [&str; 2] =
    ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

impl Seen {
    /// What holds a limit that was asked for; nothing, if it is not seen or larger.
    pub(in crate::sandbox) fn held_by(self, seen: Option<u64>, asked: u64) -> Option<LimitedBy> {
        let by = if self.cgroup_v2 { LimitedBy::CgroupV2 } else { LimitedBy::CgroupV1 };
        seen.filter(|seen| *seen <= asked).map(|_| by)
    }
}

/// Reads the limits that hold for this process.
pub(in crate::sandbox) fn seen() -> Seen {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let filter = status.lines().find_map(|line| line.strip_prefix("Seccomp:"));
    Seen {
        cgroup_v2: fs::exists("/sys/fs/cgroup/cgroup.controllers").unwrap_or(false),
        memory_bytes: MEMORY.into_iter().find_map(number_in),
        n_processes: PROCESSES.into_iter().find_map(number_in),
        syscall_filter: filter.is_some_and(|mode| mode.trim() == "2"),
    }
}

/// How many processes of this container were killed for want of memory.
pub(in crate::sandbox) fn n_killed_for_memory() -> u64 {
    let killed = KILLED.into_iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    });
    killed.unwrap_or(0)
}

/// The number in a file; none if it says `max`.
fn number_in(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
