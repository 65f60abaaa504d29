//! Processes, as `/proc` shows them: whose they are, and what they use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// A process below a daemon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) role: Role,
}

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Daemon,
    Supervisor,
    Bwrap,
    Runner,
    Harness,
    /// What the harness started, and git.
    Other,
}

/// How many ticks of processor time a second has: the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// A process with all that are below it.
pub(crate) fn tree(root: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for pid in pids {
        if let Some(parent) = stat(pid, 1).first() {
            children.entry(u32::try_from(*parent).unwrap_or(0)).or_default().push(pid);
        }
    }
    let mut found = BTreeSet::new();
    let mut due = vec![root];
    while let Some(pid) = due.pop() {
        if found.insert(pid) {
            due.extend(children.get(&pid).into_iter().flatten());
        }
    }
    found.into_iter().map(|pid| Process { pid, role: role(pid) }).collect()
}

fn role(pid: u32) -> Role {
    let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split('\0');
    let program = words.next().unwrap_or_default();
    if program.ends_with("/bwrap") {
        return Role::Bwrap;
    }
    match words.next() {
        Some("up") => Role::Daemon,
        Some("supervise") => Role::Supervisor,
        Some("runner") => Role::Runner,
        Some("mini") => Role::Harness,
        _ => Role::Other,
    }
}

/// Its share of memory: a page that several use counts in parts.
pub(crate) fn pss_kb(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// The memory of a process that is in use now, shared pages and all.
pub(crate) fn rss_kb(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/status"), "VmRSS:")
}

/// How long this thread has been at work, in nanoseconds of the processor.
pub(crate) fn thread_nanos() -> anyhow::Result<u64> {
    let path = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(path).with_context(|| format!("read {path}"))?;
    let nanos = text.split_whitespace().next().and_then(|word| word.parse().ok());
    nanos.with_context(|| format!("{path} says `{text}`"))
}

/// Has the most memory that this process ever had counted from now on.
pub(crate) fn forget_peak() -> anyhow::Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("begin to measure memory")
}

/// The most that it ever was.
pub(crate) fn rss_peak_kb(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// The part of it that is no file: heap and stacks.
pub(crate) fn anonymous_kb(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/status"), "RssAnon:")
}

fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// The processor time of a process, with that of the children that it has waited for.
pub(crate) fn cpu(pid: u32) -> Duration {
    let n_ticks: u64 = stat(pid, 11).into_iter().take(4).sum();
    Duration::from_millis(n_ticks * 1000 / TICKS_PER_SECOND)
}

/// The processor time of the threads of a process, to the nanosecond, children left out.
pub(crate) fn own_cpu(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// The numbers in `/proc/<pid>/stat`, from the `skip`-th after the name on.
fn stat(pid: u32, skip: usize) -> Vec<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything.
    let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    rest.split(' ').skip(skip).map_while(|field| field.parse().ok()).collect()
}
