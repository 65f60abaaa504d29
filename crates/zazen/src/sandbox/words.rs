//! How sandboxes and their ends are spoken of, the same everywhere.

use std::fmt;

use super::event::{Achieved, EndReason, Level, LimitedBy};
use super::spec::EngineKind;

impl EngineKind {
    /// The word for this engine, as it stands in `zazen.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bwrap => "bwrap",
            Self::Container => "container",
            Self::None => "none",
        }
    }
}

impl EndReason {
    /// The word for this end.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Exited => "by itself",
            Self::Deadline => "at the time limit",
            Self::Silence => "silent for too long",
            Self::Stopped => "stopped",
            Self::Memory => "at the memory limit",
            Self::Disk => "at the disk limit",
            Self::OutputCap => "at the output limit",
            Self::CanaryFailed => "the sandbox leaks",
            Self::RunnerFailed { .. } => "could not be run",
        }
    }
}

/// What a sandbox achieved, axis by axis, in one line.
impl fmt::Display for Achieved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [self.files, self.network, self.processes, self.users];
        if all.iter().all(|level| *level == Level::None) {
            f.write_str("nothing is isolated")?;
        } else {
            let names = [
                ("files", self.files),
                ("network", self.network),
                ("processes", self.processes),
                ("users", self.users),
            ];
            let held: Vec<&str> = names
                .iter()
                .filter(|(_, level)| *level == Level::Isolated)
                .map(|(n, _)| *n)
                .collect();
            write!(f, "{} isolated", held.join(", "))?;
        }
        let filtered = if self.syscall_filter { "filtered" } else { "not filtered" };
        write!(f, "; system calls {filtered}")?;
        match self.landlock {
            Some(version) => write!(f, "; writes held by Landlock {version}")?,
            None => f.write_str("; no Landlock")?,
        }
        write!(
            f,
            "; memory {}, processes {}, disk {}, CPU {}; user {}",
            limited(self.memory_limit),
            limited(self.processes_limit),
            limited(self.disk_limit),
            limited(self.cpu_limit),
            self.uid,
        )
    }
}

fn limited(by: LimitedBy) -> &'static str {
    match by {
        LimitedBy::CgroupV2 => "held by cgroup v2",
        LimitedBy::CgroupV1 => "held by cgroup v1",
        LimitedBy::Rlimit => "held for each process",
        LimitedBy::Watched => "watched",
        LimitedBy::Nothing => "not limited",
    }
}

#[cfg(test)]
mod tests;
