//! What a run reports: numbered lines in `events.jsonl`, and how it ended.
//!
//! The runner says frames, the supervisor numbers them and keeps them. What a
//! harness prints is text in [`Ev::Out`] and nothing else, whatever it holds.

use serde::{Deserialize, Serialize};
use zazen_core::id::{CommitId, Time};

use super::container::Seen;

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// Counts from 1, without gaps.
    pub seq: u64,
    pub at: Time,
    #[serde(flatten)]
    pub ev: Ev,
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ev", rename_all = "kebab-case")]
pub enum Ev {
    /// The sandbox stands; this is how strong it is.
    Ready { achieved: Achieved },
    /// What must fail in the sandbox was tried.
    Canary { ok: bool, tried: Vec<Tried> },
    /// The work has begun.
    Started { pid: u32 },
    /// A line of the work's stdout.
    Out { line: String },
    /// A line of the work's stderr.
    Err { line: String },
    /// What the work left behind. A claim, to be checked on the bundle.
    Result(Collected),
    /// Something of ours went wrong.
    Failed { message: String },
    /// The run is over.
    Ended { exit: Box<Exit> },
}

/// One thing that the canary tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub what: String,
    pub outcome: Outcome,
}

/// How a forbidden act went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It failed, as it must.
    Refused,
    /// It succeeded. The run must not start.
    Allowed,
    /// Nothing here forbids it, so it was not tried.
    NotTried,
}

/// The commits and the left-overs of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    pub head: CommitId,
    pub base: CommitId,
    /// How many commits of `head` are not in `base`.
    pub n_commits: u64,
    /// 0 when there is nothing new, and no bundle.
    pub bundle_bytes: u64,
    /// The agent made no commit, so this program made one of its changes.
    pub committed_by_runner: bool,
    /// `head` does not descend from `base`.
    pub base_mismatch: bool,
    /// Tracked files that the agent changed after its last commit, the first few.
    pub left_over: Vec<String>,
    /// How many untracked files are left.
    pub untracked_left: u64,
}

/// How a run ended: the content of `exit.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub v: u32,
    /// What the work itself returned, if it ended by itself.
    pub code: Option<i32>,
    /// What signal ended the work, if one did.
    pub signal: Option<i32>,
    pub reason: EndReason,
    /// Nothing, if no sandbox came to stand.
    pub achieved: Option<Achieved>,
    pub started_at: Time,
    pub ended_at: Time,
    /// The number of the last line in `events.jsonl` before `ended`.
    pub last_seq: u64,
}

/// Why a run ended. The first reason counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EndReason {
    /// The work ended by itself.
    Exited,
    /// It took longer than `limits.wall`.
    Deadline,
    /// It said nothing for `limits.silence`.
    Silence,
    /// Someone asked for it.
    Stopped,
    /// It used more than `limits.memory_bytes`.
    Memory,
    /// It wrote more than `limits.disk_bytes`.
    Disk,
    /// It printed more than `limits.output_bytes`.
    OutputCap,
    /// The sandbox let through what it must refuse.
    CanaryFailed,
    /// The sandbox or something else of ours did not work.
    RunnerFailed { message: String },
}

/// How strong a sandbox is, axis by axis. Stored with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Achieved {
    pub files: Level,
    pub network: Level,
    pub processes: Level,
    pub memory_limit: LimitedBy,
    pub processes_limit: LimitedBy,
    pub disk_limit: LimitedBy,
    #[serde(default)]
    pub cpu_limit: LimitedBy,
    /// Whether users, groups and capabilities are the sandbox's own.
    #[serde(default)]
    pub users: Level,
    /// Whether the calls are refused that nothing in a sandbox needs, as the runner found it.
    pub syscall_filter: bool,
    /// Which version of Landlock holds writes to the run's own folders, where one does.
    #[serde(default)]
    pub landlock: Option<u32>,
    /// The real user of the work.
    pub uid: u32,
}

/// Whether an axis is separated from the host.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    #[default]
    None,
    Isolated,
}

/// What holds a limit.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitedBy {
    CgroupV2,
    CgroupV1,
    /// For each process by itself, or for each user.
    Rlimit,
    /// Measured every few seconds.
    Watched,
    #[default]
    Nothing,
}

/// What the runner tells the supervisor, one JSON line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "kebab-case")]
pub(super) enum Frame {
    /// The runner is up and waits to be told to go on.
    Hello(Held),
    /// To be kept as it is.
    Event(Event),
    /// How the work ended. In a container the runner counts who died for want of memory.
    Work { code: Option<i32>, signal: Option<i32>, n_killed_for_memory: u64 },
}

/// What the runner finds itself held by, from inside, before anything else runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// Its system calls are filtered.
    pub(super) filtered: bool,
    /// The version of Landlock that it will put the work under.
    pub(super) landlock: Option<u32>,
    /// In a container, what its engine did: the limits are not ours to set there.
    pub(super) container: Option<Seen>,
}

/// An [`Ev`] in a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    #[serde(flatten)]
    pub(super) ev: Ev,
}

/// How long one line of output may be. The rest of a longer one is dropped,
/// and [`TRUNCATED`] says so.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What stands at the end of a line that was cut.
pub const TRUNCATED: &str = " …[zazen: line cut here]";
