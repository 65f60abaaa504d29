//! Runs apart from all tasks: the same sandbox, gateway and judging of commits, and nothing
//! of the engine. Nothing is journalled, no ref of a mirror is written, nobody is told.
//!
//! Each has a place of its own, `.zazen/apart/<name>/`: the folders of its runs, its
//! workspaces, and a repository that shares the mirror's objects and keeps what its runs
//! make. All of it is removed at the end; what a killed process leaves there goes before
//! the place is used again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use zazen_core::budget::Limit;
use zazen_core::id::{RepoName, RunId};
use zazen_core::usage::Usage;
use zazen_harness::Reader;

use super::launch;
use super::run::{
    EGRESS_FILE, GATEWAY_DIR, RECORDING_FILE, keep_error, make_dir, socket, socket_mode,
};
use super::world::{open_way, reachable};
use crate::config::Config;
use crate::gateway::{self, Gateway, Grant, Outside, Source, Token};
use crate::git::collect::{CollectError, Collected, Expect, collect};
use crate::git::{Mirror, Source as Origin, trash, workspace};
use crate::home::Home;
use crate::sandbox::{
    self, Access, Container, EngineKind, Ev, Exit, LaunchSpec, Phase as Stage, RunDir, Work,
};

/// See the module.
pub(super) struct Apart {
    root: PathBuf,
    work: PathBuf,
    /// What its runs make is kept here.
    pub(super) mirror: Mirror,
    zazen: sandbox::Zazen,
    gateway: Gateway,
    _lock: File,
}

/// One run that is to be made.
pub(super) struct Job<'a> {
    pub(super) spec: LaunchSpec,
    /// What its workspace is made of.
    pub(super) content: workspace::Content<'a>,
    pub(super) label: String,
    pub(super) repo: RepoName,
    pub(super) token: Token,
    pub(super) source: Source,
}

/// What a run came to, by its folder.
pub(super) struct Ran {
    pub(super) dir: RunDir,
    pub(super) exit: Option<Exit>,
    pub(super) reader: Reader,
    pub(super) claim: Option<sandbox::Collected>,
    /// What zazen itself failed at, and the last errors of the work.
    pub(super) errors: Vec<String>,
}

/// How many reports of calls wait. Nobody reads them here.
const REPORTS_MAX: usize = 64;

/// How much longer than a run its token is good for.
const TOKEN_SLACK: Duration = Duration::from_secs(60);

/// How often is looked whether a run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How deep the folder of a repository's objects is at the most.
const OBJECTS_DEPTH_MAX: usize = 4;

impl Apart {
    /// Makes a place of this name. It has no objects yet: see [`Self::borrow`].
    pub(super) async fn open(
        home: &Home,
        name: &str,
        zazen: PathBuf,
        options: gateway::Options,
    ) -> anyhow::Result<Self> {
        let all = home.dot_dir().join("apart");
        fs::create_dir_all(&all).with_context(|| format!("make {}", all.display()))?;
        let lock = lock(&all.join(format!("{name}.lock")))?;
        let root = all.join(name);
        // No daemon may ever have been up here.
        let work = home.work_dir();
        fs::create_dir_all(&work).with_context(|| format!("make {}", work.display()))?;
        for dir in [home.root(), &home.dot_dir(), &all, &work] {
            open_way(dir)?;
        }
        if root.exists() {
            clear(&root).await?;
        }
        let work = root.join("work");
        DirBuilder::new().recursive(true).mode(0o711).create(&work)?;
        open_way(&root)?;
        open_way(&work)?;
        sandbox::check_reachable(&work)?;
        // Nothing is ever fetched into it.
        let origin = Origin::Path(root.join("nowhere"));
        let mirror = Mirror::open_or_create(&root.join("mirror.git"), &origin).await?;
        open_way(mirror.dir())?;
        let zazen = sandbox::Zazen(reachable(home, zazen)?);
        let gateway = Gateway::new(options)?;
        Ok(Self { root, work, mirror, zazen, gateway, _lock: lock })
    }

    /// Takes in all objects of a repository, whose files get a second name here.
    pub(super) async fn borrow(&self, objects: &Path) -> anyhow::Result<()> {
        let (from, to) = (objects.to_owned(), self.mirror.objects());
        let linked = tokio::task::spawn_blocking(move || link(&from, &to, 0)).await;
        linked.context("share a mirror's objects")?.context("share a mirror's objects")
    }

    pub(super) fn zazen(&self) -> &sandbox::Zazen {
        &self.zazen
    }

    /// A place in here for something that is no run.
    pub(super) fn room(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder of a run in here.
    pub(super) fn dir(&self, run: RunId) -> RunDir {
        RunDir::new(self.root.join(run.to_string()))
    }

    /// Where the workspace of a run is in here.
    pub(super) fn workspace(&self, run: RunId) -> PathBuf {
        self.work.join(run.to_string())
    }

    /// Makes the run, and waits for its end. In its spec, the paths of its gateway's socket
    /// and of the objects are put in here.
    pub(super) async fn run(&self, job: Job<'_>, reader: Reader) -> anyhow::Result<Ran> {
        let Job { mut spec, content, label, repo, token, source } = job;
        let dir = self.dir(spec.run);
        make_dir(dir.path())?;
        spec.objects = self.mirror.objects();
        let seen_as = super::launch::seen_as(spec.engine, &spec.objects);
        let at = spec.workspace.clone();
        workspace::prepare_with(&self.mirror, &at, content, &seen_as, sandbox::sandbox_ids())
            .await?;
        let mut door = None;
        if spec.gateway_socket.is_some() {
            spec.gateway_socket = Some(socket(&dir));
            make_dir(&dir.path().join(GATEWAY_DIR))?;
            let lifetime = spec.limits.wall.saturating_add(TOKEN_SLACK);
            let grant = grant((&dir, spec.run), (label, repo), (token, source), lifetime);
            let (sender, mut reports) = mpsc::channel(REPORTS_MAX);
            let opened = self.gateway.open(grant, sender).await?;
            door = Some((opened, async move { while reports.recv().await.is_some() {} }));
        }
        sandbox::submit(&self.zazen, dir.path(), &spec).await?;
        let ended = async {
            tokio::select! {
                ended = wait(&dir) => ended,
                // Who does not want to wait any longer leaves no agent at work.
                _ = tokio::signal::ctrl_c() => {
                    sandbox::stop(dir.path(), Duration::ZERO).await?;
                    bail!("it was interrupted")
                }
            }
        };
        match door {
            None => ended.await?,
            Some((door, reading)) => {
                let (ended, ()) = futures_util::future::join(
                    async {
                        let ended = ended.await;
                        let closed = door.close().await.context("close the gateway's door");
                        ended.and(closed)
                    },
                    reading,
                )
                .await;
                ended?;
            }
        }
        let trash = self.root.join("trash");
        trash::remove(&at, &trash)?;
        read(dir, reader)
    }

    /// Takes what a run left in commits.
    pub(super) async fn collect(
        &self,
        ran: &Ran,
        expect: &Expect,
    ) -> Result<Collected, CollectError> {
        collect(&self.mirror, &ran.dir.bundle(), expect).await
    }

    /// Removes the place, whatever agents have left in there.
    pub(super) async fn remove(self) -> anyhow::Result<()> {
        clear(&self.root).await
    }
}

/// A spec without a model, without hosts and, until one is put in, without work.
pub(super) fn bare_spec(
    config: &Config,
    (engine, container): (EngineKind, Option<Container>),
    run: RunId,
    workspace: PathBuf,
) -> LaunchSpec {
    LaunchSpec {
        v: sandbox::SPEC_VERSION,
        run,
        engine,
        task_marker: "apart".to_owned(),
        work: Work::Check { command: "true".to_owned() },
        env: launch::environment(config, BTreeMap::new()),
        files: BTreeMap::new(),
        workspace,
        access: Access::ReadWrite,
        objects: PathBuf::new(),
        tools: launch::tools(config, Vec::new()),
        gateway_socket: None,
        collect: None,
        limits: launch::limits(config),
        container,
    }
}

/// The mirror of a repository, to be read only: a daemon may be at work in it.
pub(super) async fn mirror(home: &Home, repo: &RepoName) -> anyhow::Result<Mirror> {
    let dir = home.mirrors_dir().join(format!("{repo}.git"));
    if !dir.join("HEAD").exists() {
        bail!("the mirror of {repo} is not there any more ({})", dir.display());
    }
    let nowhere = Origin::Path(dir.join("nowhere"));
    Mirror::open_or_create(&dir, &nowhere).await.context("open the mirror")
}

fn grant(
    (dir, run): (&RunDir, RunId),
    (label, repo): (String, RepoName),
    (token, source): (Token, Source),
    lifetime: Duration,
) -> Grant {
    Grant {
        run,
        may_use_reserve: false,
        of_task: Limit::default(),
        is_forced: true,
        task_usage: Usage::default(),
        lifetime,
        label,
        token,
        socket: socket(dir),
        source,
        record_to: dir.path().join(RECORDING_FILE),
        outside: Outside {
            repo: repo.to_string(),
            hosts: zazen_core::host::Hosts::default(),
            servers: Vec::new(),
            log_to: dir.path().join(EGRESS_FILE),
            download_bytes: 0,
            upload_bytes: 0,
        },
        socket_mode: socket_mode(),
        repo,
    }
}

async fn wait(dir: &RunDir) -> anyhow::Result<()> {
    while matches!(dir.observe()?, Stage::Starting | Stage::Running) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    if matches!(dir.observe()?, Stage::Lost | Stage::Absent) {
        // Its supervisor cannot clear up after it any more.
        sandbox::stop(dir.path(), Duration::ZERO).await?;
    }
    Ok(())
}

/// Reads what a run that is over came to.
pub(super) fn read(dir: RunDir, reader: Reader) -> anyhow::Result<Ran> {
    let exit = match dir.observe()? {
        Stage::Ended(exit) => Some(exit),
        Stage::Absent | Stage::Starting | Stage::Running | Stage::Lost => None,
    };
    let mut ran = Ran { dir, exit, reader, claim: None, errors: Vec::new() };
    let mut offset = 0;
    loop {
        let lines = ran.dir.read_new(&mut offset)?;
        if lines.is_empty() {
            return Ok(ran);
        }
        for line in lines {
            match line.ev {
                Ev::Out { line } => drop(ran.reader.read(&line)),
                Ev::Err { line } => {
                    ran.reader.read_error(&line);
                    keep_error(&mut ran.errors, &line);
                }
                Ev::Result(claim) => ran.claim = Some(claim),
                Ev::Failed { message } => keep_error(&mut ran.errors, &message),
                Ev::Ready { .. } | Ev::Canary { .. } | Ev::Started { .. } | Ev::Ended { .. } => {}
            }
        }
    }
}

impl Ran {
    /// How long it took, from the first process to the last.
    pub(super) fn took(&self) -> Duration {
        let took = self.exit.as_ref().map(|exit| exit.ended_at.millis_since(exit.started_at));
        Duration::from_millis(took.unwrap_or(0))
    }
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("the same is under way already ({} is locked); wait for it", path.display())
        }
        Err(TryLockError::Error(err)) => {
            Err(err).with_context(|| format!("lock {}", path.display()))
        }
    }
}

/// Ends what still runs in a place, and removes it.
async fn clear(root: &Path) -> anyhow::Result<()> {
    sandbox::sweep(root, &BTreeSet::new()).await?;
    let root = root.to_owned();
    let cleared = tokio::task::spawn_blocking(move || {
        let trash = root.with_extension("trash");
        trash::remove(&root, &trash)?;
        trash::reap(&trash)?;
        fs::remove_dir(&trash).with_context(|| format!("remove {}", trash.display()))
    });
    cleared.await.context("remove a place")?
}

/// Gives the files of a repository's objects a second name: they are never changed.
fn link(from: &Path, to: &Path, depth: usize) -> anyhow::Result<()> {
    if depth > OBJECTS_DEPTH_MAX {
        bail!("{} is deeper than a repository's objects are", from.display());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name, kind) = (entry.path(), entry.file_name(), entry.file_type()?);
        let is_unfinished = name.to_string_lossy().starts_with("tmp_");
        if kind.is_dir() {
            link(&path, &to.join(name), depth + 1)?;
        } else if kind.is_file() && !is_unfinished {
            let to = to.join(name);
            // On another disk, or where the system does not let us, a copy does it.
            fs::hard_link(&path, &to)
                .or_else(|_| fs::copy(&path, &to).map(|_| ()))
                .with_context(|| format!("link {}", path.display()))?;
        }
    }
    Ok(())
}
