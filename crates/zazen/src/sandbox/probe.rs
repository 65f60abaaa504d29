//! Finds out what kind of sandbox there is on this machine, by making one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use zazen_core::id::{RunId, TaskId};

use super::cause::{self, Cause};
use super::engine::{Zazen, observe, submit};
use super::event::{Achieved, EndReason, Ev, Level, LimitedBy, Outcome};
use super::run_dir::{Phase, RunDir};
use super::spec::{Access, Container, EngineKind, LaunchSpec, Limits, SPEC_VERSION, Work};

/// What an engine achieves here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub kind: EngineKind,
    /// Whether a run can be started and is shut in. Never so for [`EngineKind::None`].
    pub isolated: bool,
    /// Whether a run can be started at all.
    pub works: bool,
    pub axes: Vec<Axis>,
    /// From the request to the end of a run that does nothing.
    pub took: Duration,
}

/// One thing that a sandbox should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    pub name: &'static str,
    pub achieved: bool,
    /// How it stands, for people.
    pub detail: String,
    /// What to do about it, where something can be done.
    pub fix: Option<String>,
}

impl Probe {
    /// What is wrong, and what to do about it, in one sentence.
    pub fn worst(&self, name: &str) -> String {
        let worst = self.axes.iter().find(|axis| !axis.achieved);
        let what = worst.map_or(String::new(), |axis| format!(": {}: {}", axis.name, axis.detail));
        let fix = worst.and_then(|axis| axis.fix.clone());
        let fix = fix.unwrap_or_else(|| "run `zazen doctor`".to_owned());
        format!("the sandbox `{name}` does not hold here{what}; {fix}")
    }
}

/// How long the probe may take in all.
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// How often it is looked whether it is over.
const PROBE_PAUSE: Duration = Duration::from_millis(2);

/// How the probe ends where results could not be handed back.
const NO_GIT: i32 = 43;

/// Really starts one sandbox, and says axis by axis what came of it.
pub async fn probe(kind: EngineKind, zazen: &Zazen) -> Probe {
    probe_with(kind, None, zazen).await
}

/// The same, in a container: with this engine and this image.
pub async fn probe_container(container: &Container, zazen: &Zazen) -> Probe {
    probe_with(EngineKind::Container, Some(container), zazen).await
}

async fn probe_with(kind: EngineKind, container: Option<&Container>, zazen: &Zazen) -> Probe {
    let began = Instant::now();
    match try_once(kind, container, zazen).await {
        Ok((achieved, leaks)) => {
            let mut axes = axes(&achieved);
            axes.extend(leaks);
            let shut = axes.iter().take(N_WALLS).all(|axis| axis.achieved);
            let isolated = shut && axes.iter().all(|axis| !axis.name.starts_with("canary"));
            Probe { kind, isolated, works: true, axes, took: began.elapsed() }
        }
        Err(err) => {
            let cause = cause_of(kind, &format!("{err:#}"));
            let axes = vec![Axis {
                name: "start",
                achieved: false,
                detail: cause.what,
                fix: Some(cause.fix),
            }];
            Probe { kind, isolated: false, works: false, axes, took: began.elapsed() }
        }
    }
}

fn cause_of(kind: EngineKind, message: &str) -> Cause {
    match kind {
        EngineKind::Bwrap => cause::of(message),
        EngineKind::Container => cause::of_container(message),
        EngineKind::None => Cause { what: message.to_owned(), fix: cause::NO_IDEA.to_owned() },
    }
}

async fn try_once(
    kind: EngineKind,
    container: Option<&Container>,
    zazen: &Zazen,
) -> anyhow::Result<(Achieved, Vec<Axis>)> {
    let folder = folder()?;
    let mut spec = spec(kind, folder.path())?;
    spec.container = container.cloned();
    let run_dir = RunDir::new(folder.path().join("run"));
    submit(zazen, run_dir.path(), &spec).await?;
    let deadline = Instant::now() + PROBE_TIMEOUT;
    let exit = loop {
        match observe(run_dir.path())? {
            Phase::Ended(exit) => break exit,
            Phase::Lost => bail!("the supervisor of the probe died"),
            Phase::Absent | Phase::Starting | Phase::Running => {}
        }
        if Instant::now() > deadline {
            super::engine::stop(run_dir.path(), Duration::ZERO).await?;
            bail!("the probe did not end within {PROBE_TIMEOUT:?}");
        }
        tokio::time::sleep(PROBE_PAUSE).await;
    };
    match (exit.reason, exit.code, exit.achieved) {
        (EndReason::Exited, Some(0), Some(achieved)) => Ok((achieved, Vec::new())),
        (EndReason::Exited, Some(NO_GIT), _) => bail!("there is no `git` in the image"),
        (EndReason::CanaryFailed, _, Some(achieved)) => Ok((achieved, leaks(&run_dir)?)),
        (EndReason::RunnerFailed { message }, _, _) => bail!(message),
        (reason, code, _) => bail!("the probe ended with {reason:?} and code {code:?}"),
    }
}

/// A folder where the sandbox's user gets to for certain, which a home may not be.
pub(super) fn folder() -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("zazen-probe-").tempdir_in("/tmp");
    let folder = folder.context("make a folder in `/tmp`")?;
    open_to_all(folder.path())?;
    Ok(folder)
}

/// A run that does nothing but look for git.
pub(super) fn spec(kind: EngineKind, folder: &Path) -> anyhow::Result<LaunchSpec> {
    let make = |name: &str| -> anyhow::Result<PathBuf> {
        let path = folder.join(name);
        fs::create_dir(&path).with_context(|| format!("make `{}`", path.display()))?;
        open_to_all(&path)?;
        Ok(path)
    };
    Ok(LaunchSpec {
        v: SPEC_VERSION,
        run: RunId { task: TaskId(0), n: 0 },
        engine: kind,
        task_marker: "probe".to_owned(),
        work: Work::Check { command: format!("command -v git >/dev/null || exit {NO_GIT}") },
        env: std::collections::BTreeMap::new(),
        files: std::collections::BTreeMap::new(),
        workspace: make("workspace")?,
        access: Access::ReadOnly,
        objects: make("objects")?,
        tools: Vec::new(),
        gateway_socket: None,
        collect: None,
        limits: Limits {
            memory_bytes: 256 << 20,
            n_processes_max: 64,
            wall: PROBE_TIMEOUT,
            silence: PROBE_TIMEOUT,
            disk_bytes: 64 << 20,
            output_bytes: 1 << 20,
        },
        container: None,
    })
}

fn open_to_all(path: &Path) -> anyhow::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o711))
        .with_context(|| format!("open `{}` to the sandbox's user", path.display()))
}

/// How many of the first [`axes`] are walls; the others are limits.
const N_WALLS: usize = 5;

fn axes(achieved: &Achieved) -> Vec<Axis> {
    let wall = |name, level| Axis {
        name,
        achieved: level == Level::Isolated,
        detail: match level {
            Level::Isolated => "its own",
            Level::None => "the host's: an agent can do all that its user can",
        }
        .to_owned(),
        fix: (level == Level::None).then(|| "use the engine `bwrap`".to_owned()),
    };
    let limit = |name, by: LimitedBy| Axis {
        name,
        achieved: matches!(by, LimitedBy::CgroupV1 | LimitedBy::CgroupV2 | LimitedBy::Watched),
        detail: match by {
            LimitedBy::CgroupV2 => "a control group, version 2",
            LimitedBy::CgroupV1 => "a control group, version 1",
            LimitedBy::Rlimit => "a limit of the user, not of the run",
            LimitedBy::Watched => "measured every few seconds",
            LimitedBy::Nothing => "not limited",
        }
        .to_owned(),
        fix: matches!(by, LimitedBy::Rlimit | LimitedBy::Nothing).then(|| {
            "run the daemon in a control group of its own (systemd: `Delegate=yes`)".to_owned()
        }),
    };
    vec![
        wall("files", achieved.files),
        wall("network", achieved.network),
        wall("processes", achieved.processes),
        wall("users", achieved.users),
        filter(achieved.syscall_filter),
        landlock(achieved.landlock),
        limit("memory limit", achieved.memory_limit),
        limit("processes limit", achieved.processes_limit),
        limit("disk limit", achieved.disk_limit),
        Axis {
            name: "CPU limit",
            achieved: achieved.cpu_limit != LimitedBy::Nothing,
            detail: match achieved.cpu_limit {
                LimitedBy::Nothing => "not limited: runs share it with everybody".to_owned(),
                LimitedBy::CgroupV1
                | LimitedBy::CgroupV2
                | LimitedBy::Rlimit
                | LimitedBy::Watched => "held".to_owned(),
            },
            fix: None,
        },
    ]
}

fn filter(achieved: bool) -> Axis {
    let detail = if achieved {
        "filtered"
    } else {
        "not filtered: the host's kernel is reached as by any program"
    };
    let fix = (!achieved).then(|| "use a kernel with `CONFIG_SECCOMP_FILTER`".to_owned());
    Axis { name: "system calls", achieved, detail: detail.to_owned(), fix }
}

fn landlock(version: Option<u32>) -> Axis {
    let detail = match version {
        Some(version) => format!("writes held to the run's folders, version {version}"),
        None => "not to be had: the mounts alone hold".to_owned(),
    };
    let fix = "use Linux 5.19 or newer, with `landlock` in the list of its `lsm=`";
    let fix = version.is_none().then(|| fix.to_owned());
    Axis { name: "Landlock", achieved: version.is_some(), detail, fix }
}

/// What the canary got through to.
fn leaks(run_dir: &RunDir) -> anyhow::Result<Vec<Axis>> {
    let events = run_dir.read_new(&mut 0)?;
    let tried = events.into_iter().find_map(|event| match event.ev {
        Ev::Canary { tried, .. } => Some(tried),
        Ev::Ready { .. } | Ev::Started { .. } | Ev::Out { .. } | Ev::Err { .. } => None,
        Ev::Result(_) | Ev::Failed { .. } | Ev::Ended { .. } => None,
    });
    let leaked = tried.into_iter().flatten().filter(|tried| tried.outcome == Outcome::Allowed);
    let axes = leaked.map(|tried| Axis {
        name: "canary",
        achieved: false,
        detail: format!("it could {}", tried.what),
        fix: None,
    });
    Ok(axes.collect())
}
