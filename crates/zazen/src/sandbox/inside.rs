//! What the runner is told: the paths as they are inside, and what to try.
//!
//! The harness can read it too, so it holds nothing but the run's own matters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zazen_core::id::RunId;

use super::bwrap;
use super::container;
use super::run_dir::RunDir;
use super::spec::{Access, Collect, EngineKind, LaunchSpec, WORKSPACE_INSIDE, Work};

/// The runner's orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Inside {
    pub(super) run: RunId,
    pub(super) engine: EngineKind,
    pub(super) work: Work,
    pub(super) access: Access,
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    pub(super) paths: Paths,
    /// Where to report, if not on stdout.
    pub(super) channel: Option<PathBuf>,
    pub(super) gateway_socket: Option<PathBuf>,
    pub(super) collect: Option<Collect>,
    pub(super) rlimits: Rlimits,
    pub(super) canary: Forbidden,
}

/// Where things are for the work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Paths {
    pub(super) zazen: PathBuf,
    pub(super) home: PathBuf,
    pub(super) workspace: PathBuf,
    pub(super) out: PathBuf,
    pub(super) tmp: PathBuf,
}

/// What the runner is told when it may begin.
pub(super) const GO: &str = "go";

/// The same, where a control group counts the processes of the run.
pub(super) const GO_COUNTED: &str = "go counted";

/// Limits that hold for each process by itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Rlimits {
    /// Set where no control group counts the processes.
    pub(super) n_processes_max: u64,
    pub(super) file_bytes_max: u64,
}

/// What must fail in the sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Forbidden {
    pub(super) read: Vec<PathBuf>,
    pub(super) write: Vec<PathBuf>,
    /// A port of the host's loopback on which the supervisor listens.
    pub(super) host_port: u16,
}

/// The variables that mark every process of a run, for the sweep of orphans.
///
/// Run ids are unique in one home only, so the folder of the runs is named too.
pub(super) fn markers(run: RunId, run_dir: &RunDir) -> Vec<(String, String)> {
    let path = run_dir.path();
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let runs = home_mark(path.parent().unwrap_or(Path::new("/")));
    vec![(MARK_OF_RUN.to_owned(), run.to_string()), (MARK_OF_RUNS.to_owned(), runs)]
}

/// The variable that says which run a process belongs to.
pub(super) const MARK_OF_RUN: &str = "ZAZEN_RUN";

/// The variable that says whose run it is.
pub(super) const MARK_OF_RUNS: &str = "ZAZEN_RUNS";

/// Names a folder of runs in few letters, without telling its path.
pub(super) fn home_mark(runs: &Path) -> String {
    let runs = runs.canonicalize().unwrap_or_else(|_| runs.to_owned());
    blake3::hash(runs.as_os_str().as_encoded_bytes()).to_hex()[..16].to_owned()
}

impl Inside {
    /// The orders for a run, with the paths that its engine gives it.
    pub(super) fn new(run_dir: &RunDir, spec: &LaunchSpec, zazen: &Path, host_port: u16) -> Self {
        let paths = match spec.engine {
            EngineKind::Bwrap | EngineKind::Container => Paths {
                zazen: bwrap::ZAZEN_INSIDE.into(),
                home: bwrap::HOME_INSIDE.into(),
                workspace: WORKSPACE_INSIDE.into(),
                out: bwrap::OUT_INSIDE.into(),
                tmp: "/tmp".into(),
            },
            EngineKind::None => Paths {
                zazen: zazen.to_owned(),
                home: run_dir.home(),
                workspace: spec.workspace.clone(),
                out: run_dir.out(),
                tmp: run_dir.home().join("tmp"),
            },
        };
        let mut env = spec.env.clone();
        env.insert("ZAZEN_TASK".to_owned(), spec.task_marker.clone());
        env.extend(markers(spec.run, run_dir));
        Self {
            run: spec.run,
            engine: spec.engine,
            work: spec.work.clone(),
            access: spec.access,
            env,
            files: spec.files.clone(),
            channel: (spec.engine == EngineKind::Container).then(container::inside),
            gateway_socket: spec.gateway_socket.as_deref().map(|path| seen(spec.engine, path)),
            collect: spec.collect.clone(),
            rlimits: Rlimits {
                n_processes_max: spec.limits.n_processes_max,
                file_bytes_max: spec.limits.disk_bytes,
            },
            canary: forbidden(run_dir, spec, host_port, &paths),
            paths,
        }
    }
}

/// The gateway's socket, as the runner sees it.
fn seen(engine: EngineKind, socket: &Path) -> PathBuf {
    match socket.file_name() {
        Some(name) if engine.is_isolated() => Path::new(bwrap::GATEWAY_INSIDE).join(name),
        Some(_) | None => socket.to_owned(),
    }
}

fn forbidden(run_dir: &RunDir, spec: &LaunchSpec, host_port: u16, paths: &Paths) -> Forbidden {
    let mut read: Vec<PathBuf> =
        ["/etc/shadow", "/var/run/docker.sock", "/run/dbus"].map(PathBuf::from).to_vec();
    // Who may speak to the engine is root, or as good as.
    read.extend(spec.container.as_ref().map(|container| container.socket.clone()));
    // Where the person who runs zazen keeps keys.
    read.extend(std::env::home_dir().map(|home| home.join(".ssh")));
    // The home's own secrets: this run's spec, the other runs, and what is above.
    read.push(run_dir.spec());
    read.push(run_dir.events());
    read.extend(run_dir.path().ancestors().skip(1).take(2).map(Path::to_owned));
    read.retain(|path| !is_shown(path, paths));
    let mut write: Vec<PathBuf> = [
        "/proc/sys/kernel/core_pattern",
        "/usr/zazen-canary",
        "/zazen-canary",
        "/etc/zazen-canary",
    ]
    .map(PathBuf::from)
    .to_vec();
    if spec.access == Access::ReadOnly {
        write.push(paths.workspace.join(".zazen-canary"));
    }
    Forbidden { read, write, host_port }
}

/// Folders like `/tmp` exist in every sandbox, with nothing of the host in them.
fn is_shown(path: &Path, paths: &Paths) -> bool {
    let empty_ones = [Path::new("/"), Path::new("/home"), Path::new("/run"), &paths.tmp];
    empty_ones.contains(&path)
}
