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
    /// How much of the processors it may use, in the units of the control group.
    pub(in crate::sandbox) cpu_quota: Option<u64>,
    /// Whether its users are other ones than the host's, or at least without any
    /// right that they could gain.
    pub(in crate::sandbox) has_own_users: bool,
}

/// The files of the control groups: version 2, and version 1.
const MEMORY: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const PROCESSES: [&str; 2] = ["/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"];
const CPU: [&str; 2] = ["/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"];
const KILLED: [&str; 2] =
    ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

impl Seen {
    /// What holds a limit that was asked for; nothing, if it is not seen or larger.
    pub(in crate::sandbox) fn held_by(self, seen: Option<u64>, asked: u64) -> Option<LimitedBy> {
        seen.filter(|seen| *seen <= asked).map(|_| self.group())
    }

    /// What holds the limit on processors, if there is one.
    pub(in crate::sandbox) fn cpu_limited_by(self) -> LimitedBy {
        self.cpu_quota.map_or(LimitedBy::Nothing, |_| self.group())
    }

    fn group(self) -> LimitedBy {
        if self.cgroup_v2 { LimitedBy::CgroupV2 } else { LimitedBy::CgroupV1 }
    }
}

/// Reads the limits that hold for this process.
pub(in crate::sandbox) fn seen() -> Seen {
    let quota = CPU.into_iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    Seen {
        cgroup_v2: fs::exists("/sys/fs/cgroup/cgroup.controllers").unwrap_or(false),
        memory_bytes: MEMORY.into_iter().find_map(number_in),
        n_processes: PROCESSES.into_iter().find_map(number_in),
        cpu_quota: quota.split_whitespace().next().and_then(|quota| quota.parse().ok()),
        // The host's own map is all users, each as itself.
        has_own_users: !users.split_whitespace().eq(["0", "0", "4294967295"]) || can_gain_nothing(),
    }
}

/// Whether no capability is left that any program could come by.
fn can_gain_nothing() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bounds = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    bounds.is_some_and(|bounds| bounds.trim().bytes().all(|byte| byte == b'0'))
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
