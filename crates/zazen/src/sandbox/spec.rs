//! What is to be run, and within which limits.
//!
//! A [`LaunchSpec`] is written by the daemon as `spec.json` and is all that a
//! supervisor knows. It holds no secret but the run's own gateway token.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zazen_core::id::{CommitId, RunId};

/// One process to be placed somewhere, with all that it may see and use.
///
/// In `argv`, in the values of `env` and in `files`, `{gateway}` stands for the gateway's
/// address (`http://127.0.0.1:PORT`), `{gateway_host}` for that without its
/// beginning, `{zazen}` for the path of this program, `{home}` for the private
/// home, `{workspace}` for the workspace, and `{path}` for where programs are in
/// the sandbox (in a container its image says so).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchSpec {
    /// The version of this format, [`SPEC_VERSION`].
    pub v: u32,
    pub run: RunId,
    pub engine: EngineKind,
    /// Names the task to the harness and to people who look at processes; it is no secret.
    pub task_marker: String,
    pub work: Work,
    pub env: BTreeMap<String, String>,
    /// Texts that the runner writes into the private home before the work starts, by their
    /// paths in there. Settings of harnesses, mostly.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    pub workspace: PathBuf,
    pub access: Access,
    /// The mirror's objects, which the workspace borrows. Read-only, at [`OBJECTS_INSIDE`].
    pub objects: PathBuf,
    /// More of the host to be shown, read-only and at the same paths.
    pub tools: Vec<PathBuf>,
    /// The gateway's socket, alone in a folder: the folder is what is shown.
    pub gateway_socket: Option<PathBuf>,
    pub collect: Option<Collect>,
    pub limits: Limits,
    /// What the container is made of. There if, and only if, the engine is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
}

/// Where a run happens on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// In namespaces of its own, made by bubblewrap.
    Bwrap,
    /// In a container of podman's or docker's.
    Container,
    /// On the host, among everything else. Said loudly wherever it is shown.
    None,
}

/// What a container is made of, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Where the container engine listens.
    pub socket: PathBuf,
    /// The name of an image that is on the machine. It is never pulled.
    pub image: String,
    /// How much of the processors it may use, in thousandths of one.
    pub cpus_milli: Option<u32>,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Work {
    /// A coding agent.
    Harness {
        argv: Vec<String>,
        stdin: String,
        /// What is in the line of output with which it says that it is done. Where there is
        /// something, its input stays open until then, for what people say meanwhile.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        open_until: Option<String>,
    },
    /// A validation command, for `bash -c` (or `sh -c` where there is no bash).
    Check { command: String },
}

/// What a run may do to its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    ReadOnly,
    ReadWrite,
}

/// How the work is handed back: as commits on top of `base`, in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    pub base: CommitId,
    /// The message of the commit that is made when the agent made none.
    pub message: String,
    /// `Name <address>`, for that commit and as the agent's own identity.
    pub author: String,
    /// Files that are not checked out and that the work wrote anew are changes, too. Else they
    /// are as they were.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_hidden: bool,
}

/// What a run may use. Reaching a limit ends the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub memory_bytes: u64,
    pub n_processes_max: u64,
    /// From the first process to the last.
    pub wall: Duration,
    /// Without one line on stdout or stderr.
    pub silence: Duration,
    /// Of workspace, private home and result together.
    pub disk_bytes: u64,
    /// Of stdout and stderr together.
    pub output_bytes: u64,
}

/// The version of [`LaunchSpec`] that is written, and the only one that is read.
pub const SPEC_VERSION: u32 = 1;

/// Where the mirror's objects are seen in a sandbox: the same for every run,
/// so that a workspace can name it before its run exists.
pub const OBJECTS_INSIDE: &str = "/zazen/objects";

/// Where the workspace is seen in a sandbox.
pub const WORKSPACE_INSIDE: &str = "/workspace";

/// The name of the run's head in its bundle.
pub const RESULT_REF: &str = "refs/zazen/result";

impl EngineKind {
    /// Whether it puts walls around a run.
    pub fn is_isolated(self) -> bool {
        match self {
            Self::Bwrap | Self::Container => true,
            Self::None => false,
        }
    }
}

impl Collect {
    /// The name and the address in `author`.
    pub fn name_and_email(&self) -> (&str, &str) {
        match self.author.split_once('<') {
            Some((name, email)) => (name.trim(), email.trim_end().trim_end_matches('>')),
            None => (self.author.trim(), ""),
        }
    }
}
