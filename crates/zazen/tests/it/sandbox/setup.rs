//! A machine with runs: folders that the sandbox's user reaches, and the verbs
//! of a daemon.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zazen::exec;
use zazen::sandbox::{
    Access, Collect, Container, EngineKind, Ev, EventLine, Exit, LaunchSpec, Limits, Phase, Probe,
    RunDir, SPEC_VERSION, Work, Zazen, observe, probe, probe_container, sandbox_ids, submit,
};
use zazen_core::id::{CommitId, RunId, TaskId};

use crate::harness::machine::skip;
use crate::harness::podman::{Podman, podman};

/// Longer than anything here takes on a busy machine; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(150);

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) struct Machine {
    pub(super) folder: tempfile::TempDir,
    pub(super) engine: EngineKind,
    pub(super) zazen: Zazen,
    /// What containers are made of, where runs are in one.
    pub(super) container: Option<Container>,
}

pub(super) struct Run {
    pub(super) dir: PathBuf,
    pub(super) spec: LaunchSpec,
}

/// A machine with this engine, or nothing where it cannot be had.
pub(super) fn machine(engine: EngineKind) -> Option<Machine> {
    let container = match had(engine) {
        Ok(container) => container,
        Err(why) => {
            skip(&why);
            return None;
        }
    };
    let folder = tempfile::Builder::new().prefix("zazen-it-").tempdir_in("/tmp").unwrap();
    open(folder.path());
    for name in ["runs", "work", "objects"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        open(&folder.path().join(name));
    }
    let zazen = Zazen(env!("CARGO_BIN_EXE_zazen").into());
    Some(Machine { folder, engine, zazen, container })
}

/// What an engine takes, or why it cannot be had on this machine.
fn had(engine: EngineKind) -> Result<Option<Container>, String> {
    match engine {
        EngineKind::Bwrap if !Path::new("/usr/bin/bwrap").exists() => {
            Err("`bwrap` is not installed".to_owned())
        }
        EngineKind::Container => {
            let Podman { socket, image } = podman()?;
            Ok(Some(Container { socket, image, cpus_milli: None }))
        }
        EngineKind::Bwrap | EngineKind::None => Ok(None),
    }
}

pub(super) fn open(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o711)).unwrap();
}

impl Machine {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.path("runs")
    }

    /// A run of a shell script in a workspace of its own.
    pub(super) fn run(&self, n: u32, script: &str) -> Run {
        let workspace = self.path(&format!("work/{n}"));
        fs::create_dir_all(&workspace).unwrap();
        let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        let spec = LaunchSpec {
            v: SPEC_VERSION,
            run: RunId { task: TaskId(7), n },
            engine: self.engine,
            task_marker: "task-7".to_owned(),
            work: Work::Harness { argv, stdin: String::new(), open_until: None },
            env: BTreeMap::new(),
            files: BTreeMap::new(),
            workspace,
            access: Access::ReadWrite,
            objects: self.path("objects"),
            tools: Vec::new(),
            gateway_socket: None,
            collect: None,
            limits: Limits {
                memory_bytes: 512 << 20,
                n_processes_max: 256,
                wall: PATIENCE,
                silence: PATIENCE,
                disk_bytes: 256 << 20,
                output_bytes: 16 << 20,
            },
            container: self.container.clone(),
        };
        Run { dir: self.runs().join(format!("7.{n}")), spec }
    }

    /// What this machine's engine achieves.
    pub(super) async fn probe(&self) -> Probe {
        match &self.container {
            Some(container) => probe_container(container, &self.zazen).await,
            None => probe(self.engine, &self.zazen).await,
        }
    }

    pub(super) async fn submit(&self, run: &Run) {
        submit(&self.zazen, &run.dir, &run.spec).await.unwrap();
    }

    /// Runs a run to its end.
    pub(super) async fn finish(&self, run: &Run) -> Exit {
        self.submit(run).await;
        run.ended().await
    }

    /// Runs a script to its end and returns what it printed.
    pub(super) async fn output(&self, script: &str) -> Vec<String> {
        let run = self.run(1, script);
        self.finish(&run).await;
        run.out()
    }
}

impl Run {
    pub(super) async fn ended(&self) -> Exit {
        eventually(|| match observe(&self.dir).unwrap() {
            Phase::Ended(exit) => Some(exit),
            Phase::Lost => panic!("the run is lost: {:?}", self.events()),
            Phase::Absent | Phase::Starting | Phase::Running => None,
        })
        .await
    }

    pub(super) fn events(&self) -> Vec<EventLine> {
        RunDir::new(&self.dir).read_new(&mut 0).unwrap()
    }

    pub(super) fn out(&self) -> Vec<String> {
        let lines = self.events().into_iter().filter_map(|event| match event.ev {
            Ev::Out { line } | Ev::Err { line } => Some(line),
            _ => None,
        });
        lines.collect()
    }

    /// Waits until the work has printed this line.
    pub(super) async fn printed(&self, line: &str) {
        eventually(|| self.out().iter().any(|printed| printed == line).then_some(())).await;
    }

    /// Waits until the work has printed something.
    pub(super) async fn printed_anything(&self) {
        eventually(|| (!self.out().is_empty()).then_some(())).await;
    }

    /// A repository that has the base and nothing of the run.
    pub(super) fn mirror(&self) -> String {
        self.spec.workspace.with_extension("git").to_string_lossy().into_owned()
    }

    /// Makes the workspace a checkout with one commit, which is the base.
    pub(super) async fn with_repository(mut self) -> Self {
        git(&self.spec.workspace, &["init", "--quiet", "--initial-branch=main"]).await;
        fs::write(self.spec.workspace.join("README"), "one\n").unwrap();
        git(&self.spec.workspace, &["add", "."]).await;
        git(&self.spec.workspace, &["commit", "--quiet", "--message", "base"]).await;
        let base = git(&self.spec.workspace, &["rev-parse", "HEAD"]).await;
        let mirror = self.mirror();
        let clone = ["clone", "--quiet", "--bare", "--no-hardlinks", ".", &mirror];
        git(&self.spec.workspace, &clone).await;
        self.spec.collect = Some(Collect {
            base: base.parse::<CommitId>().unwrap(),
            message: "Do the work".to_owned(),
            author: "Zazen <zazen@example.org>".to_owned(),
            takes_hidden: false,
        });
        self
    }
}

pub(super) async fn git(folder: &Path, args: &[&str]) -> String {
    let command = exec::Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(["-c", "safe.directory=*"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .cwd(folder);
    let output = exec::run(command).await.unwrap();
    assert!(output.status.success(), "git {args:?}: {}", output.stderr_text());
    output.stdout_text().trim().to_owned()
}

/// Waits for something to be there.
pub(super) async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited too long");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The processes of the machine whose command line holds a text.
pub(super) fn processes_with(text: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(text)
    })
    .collect()
}

pub(super) fn is_root() -> bool {
    sandbox_ids().is_some()
}

/// A number of seconds that marks a `sleep` of one test among all others.
pub(super) fn unique_sleep(n: u32) -> String {
    format!("sleep 1000{n}.{}", std::process::id())
}

/// The bare argument, as it stands in a command line.
pub(super) fn argument(sleep: &str) -> &str {
    sleep.trim_start_matches("sleep ")
}
