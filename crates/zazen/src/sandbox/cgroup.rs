//! The control groups of one run: memory and processes.
//!
//! Version 2 where it is ours to write to, else version 1 (which takes root),
//! else none, and the runner sets what can be set for a process alone. The
//! groups are made below our own, so that a limit that was put on the daemon
//! holds for its runs too.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::event::LimitedBy;
use super::process::{self, Handle};
use super::run_dir::{RunDir, write_unsynced};
use super::spec::Limits;

/// The groups that a run is in. Empty where there are none to be had.
#[derive(Debug, Default)]
pub(super) struct Cgroups {
    memory: Option<Group>,
    processes: Option<Group>,
}

#[derive(Debug, Clone)]
struct Group {
    path: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// How long the kernel may take to let go of the dead. It takes milliseconds
/// unless a process hangs in a device.
const EMPTY_TIMEOUT: Duration = Duration::from_secs(5);

impl Cgroups {
    /// Makes the groups, as far as they can be had, and notes them in the run's folder.
    pub(super) fn create(run_dir: &RunDir, name: &str, limits: &Limits) -> anyhow::Result<Self> {
        let groups = Self::create_v2(name, limits).unwrap_or_else(|| Self {
            memory: create_v1("memory", name, |path| limit_memory_v1(path, limits)),
            processes: create_v1("pids", name, |path| {
                write(path, "pids.max", limits.n_processes_max)
            }),
        });
        let noted: Vec<String> =
            groups.paths().iter().map(|path| path.display().to_string()).collect();
        write_unsynced(&run_dir.cgroups(), noted.join("\n").as_bytes())?;
        Ok(groups)
    }

    fn create_v2(name: &str, limits: &Limits) -> Option<Self> {
        let base = own_group("/sys/fs/cgroup", "0::")?;
        if !base.join("cgroup.controllers").exists() {
            return None;
        }
        // This fails where the daemon itself is in the group, and is set already
        // where someone prepared it. What counts is whether the files are there.
        fs::write(base.join("cgroup.subtree_control"), "+memory +pids").ok();
        let path = base.join(name);
        fs::create_dir(&path).ok()?;
        let set = write(&path, "memory.max", limits.memory_bytes)
            .and_then(|()| write(&path, "pids.max", limits.n_processes_max));
        if set.is_err() {
            fs::remove_dir(&path).ok();
            return None;
        }
        write(&path, "memory.swap.max", 0).ok();
        let group = Group { path, version: Version::V2 };
        Some(Self { memory: Some(group.clone()), processes: Some(group) })
    }

    /// Puts a process in, and all that it will start.
    pub(super) fn add(&self, pid: i32) -> std::io::Result<()> {
        for path in self.paths() {
            fs::write(path.join("cgroup.procs"), pid.to_string())?;
        }
        Ok(())
    }

    /// How many processes were killed for want of memory.
    pub(super) fn n_killed_for_memory(&self) -> u64 {
        let Some(group) = &self.memory else { return 0 };
        let file = match group.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        let text = fs::read_to_string(group.path.join(file)).unwrap_or_default();
        let n_killed = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        n_killed.and_then(|n_killed| n_killed.trim().parse().ok()).unwrap_or(0)
    }

    pub(super) fn memory_limited_by(&self) -> LimitedBy {
        limited_by(self.memory.as_ref()).unwrap_or(LimitedBy::Nothing)
    }

    pub(super) fn processes_limited_by(&self) -> LimitedBy {
        limited_by(self.processes.as_ref()).unwrap_or(LimitedBy::Rlimit)
    }

    fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = [&self.memory, &self.processes]
            .into_iter()
            .flatten()
            .map(|group| group.path.as_path())
            .collect();
        paths.dedup();
        paths
    }
}

/// Kills all that is in the groups of a run, and removes them.
/// Returns what was killed.
pub(super) fn clear(run_dir: &RunDir) -> Vec<i32> {
    let noted = fs::read_to_string(run_dir.cgroups()).unwrap_or_default();
    let mut killed = Vec::new();
    for path in noted.lines().map(Path::new) {
        let deadline = Instant::now() + EMPTY_TIMEOUT;
        while path.exists() && fs::remove_dir(path).is_err() && Instant::now() < deadline {
            killed.extend(kill_members(path));
        }
    }
    killed.sort_unstable();
    killed.dedup();
    killed
}

/// Kills who is in a group now, and waits for them a moment.
fn kill_members(path: &Path) -> Vec<i32> {
    let members = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    let members: Vec<Handle> =
        members.lines().filter_map(|pid| Handle::open(pid.parse().ok()?)).collect();
    let killed = members.iter().filter(|member| !process::is_dead(member.id.pid));
    let killed = killed.map(|member| member.id.pid).collect();
    for member in &members {
        member.kill();
    }
    if members.is_empty() {
        // Nobody is seen any more; the kernel is about to notice.
        std::thread::sleep(Duration::from_millis(1));
    }
    for member in &members {
        member.wait(Duration::from_millis(50));
    }
    killed
}

fn create_v1(
    controller: &str,
    name: &str,
    limit: impl Fn(&Path) -> std::io::Result<()>,
) -> Option<Group> {
    let mount = format!("/sys/fs/cgroup/{controller}");
    let path = own_group(&mount, &format!(":{controller}:"))?.join("zazen").join(name);
    fs::create_dir_all(&path).ok()?;
    if limit(&path).is_err() {
        fs::remove_dir(&path).ok();
        return None;
    }
    Some(Group { path, version: Version::V1 })
}

fn limit_memory_v1(path: &Path, limits: &Limits) -> std::io::Result<()> {
    write(path, "memory.limit_in_bytes", limits.memory_bytes)?;
    // Memory and swap together; the file is there only if swap is accounted.
    write(path, "memory.memsw.limit_in_bytes", limits.memory_bytes).ok();
    Ok(())
}

/// The folder of our own group: below the mount where that is seen, else the mount.
fn own_group(mount: &str, marked: &str) -> Option<PathBuf> {
    let mount = PathBuf::from(mount);
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.split_once(marked).map(|(_, path)| path))?;
    let below = mount.join(own.trim_start_matches('/'));
    Some(if below.is_dir() { below } else { mount })
}

fn write(path: &Path, file: &str, value: u64) -> std::io::Result<()> {
    fs::write(path.join(file), value.to_string())
}

fn limited_by(group: Option<&Group>) -> Option<LimitedBy> {
    group.map(|group| match group.version {
        Version::V1 => LimitedBy::CgroupV1,
        Version::V2 => LimitedBy::CgroupV2,
    })
}
