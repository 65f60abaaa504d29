//! Everything that performing an effect needs: the home, the forge, mirrors,
//! the gateway, the harness. Shared by all effects, changed by none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;
use zazen_core::engine::Engine;
use zazen_core::id::{PlanHash, RepoName, RunId, Time};
use zazen_core::intake::Rules;
use zazen_core::plan::{self, Plan};
use zazen_core::secret::Scanner;
use zazen_core::task::{Phase, Task};
use zazen_core::text::slug;
use zazen_core::usage::Usage;
use zazen_core::words;

use super::agents::Agents;
use super::containers;
use super::kit;
use super::scanners::Scanners;
use super::version::Asking;
use crate::config::Forge;
use crate::config::{self, Config, Environment};
use crate::forge::Publisher;
use crate::forge::github::GitHub;
use crate::forge::github::client::Purpose;
use crate::forge::local::Local;
use crate::gateway::{self, Gateway, Recording};
use crate::git::{Auth, FetchError, Mirror, Source};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::home::lock::Lock;
use crate::sandbox::{self, EngineKind};

/// Said wherever somebody runs without a sandbox.
pub const NO_SANDBOX: &str = "WARNING: no sandbox. Agents run as you, with your files, your \
    network and your keys in reach. Set `sandbox.engine = \"bwrap\"` to shut them in.";

/// What a daemon is started with.
#[derive(Debug)]
pub struct Options {
    pub home: Home,
    pub config: Config,
    pub environment: Environment,
    /// The program that supervisors and runners are started from: zazen itself.
    pub zazen: PathBuf,
}

/// See the module.
pub struct World {
    pub home: Home,
    pub config: Config,
    /// What people wrote, as pages.
    pub forge: Local,
    pub(super) publisher: Publisher,
    /// Where some repositories' conversations are, if that is set up.
    pub(super) github: Option<GitHub>,
    pub live: Live,
    /// Cancelled when the daemon is about to end: who follows a run lets go of it.
    pub closing: CancellationToken,
    /// What the owner has set for all that people write.
    pub(super) rules: Rules,
    pub(super) environment: Environment,
    pub(super) engine: EngineKind,
    pub(super) zazen: sandbox::Zazen,
    pub(super) agents: Agents,
    pub(super) gateway: Gateway,
    /// What answers in place of a service, by the routes.
    playbacks: BTreeMap<String, Arc<Recording>>,
    scanners: Scanners,
    mirrors: Mutex<BTreeMap<RepoName, Arc<tokio::sync::Mutex<Option<Mirror>>>>>,
    /// Held for the daemon's life: there is one for a home.
    _lock: Lock,
}

/// What is under way right now, for displays. Nothing is decided from it.
#[derive(Debug, Clone, Default)]
pub struct Live(Arc<Mutex<BTreeMap<RunId, LiveRun>>>);

/// One run, as it is right now.
#[derive(Debug, Clone)]
pub struct LiveRun {
    pub phase: Phase,
    pub since: Time,
    pub usage: Usage,
    /// The last thing the agent said or did, in a few words.
    pub last: String,
    /// What it was told while it works, by the ids of that.
    pub told: BTreeSet<String>,
}

impl Live {
    /// A copy of all that is under way.
    pub fn all(&self) -> BTreeMap<RunId, LiveRun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn begin(&self, run: RunId, phase: Phase, since: Time) {
        let live = LiveRun {
            phase,
            since,
            usage: Usage::default(),
            last: String::new(),
            told: BTreeSet::new(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(run, live);
    }

    pub(super) fn end(&self, run: RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
    }

    /// Whether the agent of a run has taken this in.
    pub(super) fn was_told(&self, run: RunId, id: &str) -> bool {
        let live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        live.get(&run).is_some_and(|live| live.told.contains(id))
    }

    pub(super) fn change(&self, run: RunId, change: impl FnOnce(&mut LiveRun)) {
        if let Some(live) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&run) {
            change(live);
        }
    }
}

/// What a daemon runs on.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build()
}

impl World {
    /// Makes ready all that a daemon needs, and refuses where a protection is missing.
    pub async fn open(options: Options) -> anyhow::Result<Arc<Self>> {
        let Options { home, config, environment, zazen } = options;
        let lock = Lock::take(&home)?;
        let engine = containers::kind(config.sandbox.engine);
        open_ways(&home)?;
        let zazen = sandbox::Zazen(reachable(&home, zazen)?);
        for kind in containers::kinds(&config) {
            match kind {
                EngineKind::Container => containers::check(&config, &zazen).await?,
                EngineKind::Bwrap | EngineKind::None => check_sandbox(kind, &zazen).await?,
            }
        }
        let forge = local_forge(&home, &config);
        let playbacks = playbacks(&config)?;
        let options = gateway_options(&config, &environment)?;
        let keys = options.routes.values().filter_map(|route| route.key.clone());
        let keys = keys.chain(options.servers.values().filter_map(|server| server.key.clone()));
        let keys = keys.collect();
        let github = github(&config, &environment, (&home, &forge))?;
        let scanners = Scanners::new(keys, github.clone());
        let gateway = Gateway::new(options)?;
        let mut agents = Agents::find(&config, &environment)?;
        let asking = Asking { kind: engine, zazen: &zazen, home: Some(&home) };
        agents.learn_versions(asking, &config.used_agents()).await;
        let (trust, rework_rounds) = (config.trust.clone(), config.policy.rework_rounds);
        let rules = Rules { trust, rework_rounds };
        Ok(Arc::new(Self {
            publisher: Publisher::new(forge.clone(), github.clone()),
            github,
            forge,
            rules,
            live: Live::default(),
            closing: CancellationToken::new(),
            engine,
            zazen,
            agents,
            gateway,
            playbacks,
            scanners,
            mirrors: Mutex::new(BTreeMap::new()),
            home,
            config,
            environment,
            _lock: lock,
        }))
    }

    /// Says who is up, with what.
    pub(super) fn announce(&self, n_tasks: usize) {
        let repos: Vec<&str> = self.config.repos.iter().map(|repo| repo.name.as_str()).collect();
        let repos = if repos.is_empty() { "no repositories".to_owned() } else { repos.join(", ") };
        let tasks = words::n_of(n_tasks as u64, "task");
        tracing::info!(
            "up in {}: {} in {}, {repos}, {tasks}",
            self.home.root().display(),
            self.agents.words(),
            self.engine.word()
        );
    }

    /// The moment in which a test wants this daemon to end.
    pub(super) fn crash(&self) -> Option<&str> {
        self.environment.crash.as_deref()
    }

    /// A text from outside as it may be kept and shown: without secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        self.scanner().redact(text).into_owned()
    }

    /// Knows the keys of all routes, the forge's tokens, and the shapes of other secrets.
    pub(super) fn scanner(&self) -> Arc<Scanner> {
        self.scanners.now()
    }

    /// What answers the calls of a run. A route that is gone from the configuration has nobody.
    pub(super) fn source(&self, route: &str) -> gateway::Source {
        if let Some(recording) = self.playbacks.get(route) {
            return gateway::Source::Playback(recording.clone());
        }
        if self.gateway.has(route) {
            return gateway::Source::Live { route: route.to_owned() };
        }
        tracing::warn!("the route `{route}`, which a run uses, is not in zazen.toml any more");
        gateway::Source::Nobody
    }

    /// What git needs to reach a repository. Nothing, where it asks for nothing.
    pub(super) async fn auth(
        &self,
        repo: &RepoName,
        purpose: Purpose,
    ) -> anyhow::Result<Option<Auth>> {
        let Some(github) = self.github.as_ref().filter(|github| github.has(repo)) else {
            return Ok(None);
        };
        Ok(Some(github.client().git_auth(repo, purpose).await?))
    }

    /// Takes over what a repository has. A token that ended before its time is minted anew.
    pub(super) async fn fetch(&self, repo: &RepoName, mirror: &Mirror) -> anyhow::Result<()> {
        let auth = self.auth(repo, Purpose::Read).await?;
        match mirror.fetch(auth.as_ref()).await {
            Err(FetchError::Unauthorized { .. }) if auth.is_some() => {
                self.forget_tokens();
                let auth = self.auth(repo, Purpose::Read).await?;
                Ok(mirror.fetch(auth.as_ref()).await?)
            }
            fetched => Ok(fetched?),
        }
    }

    /// Has new tokens minted from now on: git was not let in with the one it had.
    pub(super) fn forget_tokens(&self) {
        if let Some(github) = &self.github {
            github.client().forget_tokens();
        }
    }

    /// What the configuration says of a repository.
    pub(super) fn repo(&self, name: &RepoName) -> anyhow::Result<&config::Repo> {
        let found = self.config.repos.iter().find(|repo| repo.name == *name);
        found.with_context(|| format!("{name} is not in zazen.toml; `zazen repo add` adds it"))
    }

    /// Where the runs of a repository happen.
    pub(super) fn engine_of(&self, name: &RepoName) -> anyhow::Result<EngineKind> {
        Ok(containers::kind(self.repo(name)?.engine))
    }

    /// The mirror of a repository. One at a time may use it.
    pub(super) async fn mirror(
        &self,
        name: &RepoName,
    ) -> anyhow::Result<tokio::sync::OwnedMappedMutexGuard<Option<Mirror>, Mirror>> {
        let slot = {
            let mut mirrors = self.mirrors.lock().unwrap_or_else(PoisonError::into_inner);
            mirrors.entry(name.clone()).or_default().clone()
        };
        let mut slot = slot.lock_owned().await;
        if slot.is_none() {
            let source: Source = self.repo(name)?.source.parse()?;
            let dir = self.home.mirrors_dir().join(format!("{name}.git"));
            if let Some(parent) = dir.parent() {
                fs::create_dir_all(parent)?;
                open_way(parent)?;
                parent.parent().map_or(Ok(()), open_way)?;
            }
            let mirror = Mirror::open_or_create(&dir, &source).await?;
            // This daemon holds the home, so nobody else is at work in there.
            mirror.recover()?;
            *slot = Some(mirror);
        }
        Ok(tokio::sync::OwnedMutexGuard::map(slot, |slot| {
            slot.as_mut().expect("it was just put there")
        }))
    }

    /// Kills what is left of runs that are over, and says so.
    pub(super) async fn sweep(&self, engine: &Engine) -> anyhow::Result<()> {
        let keep = engine.book().tasks().filter_map(|task| Some(task.run.as_ref()?.id)).collect();
        let killed = sandbox::sweep(&self.home.runs_dir(), &keep).await?;
        for process in killed {
            tracing::warn!(
                "killed process {}, which run {} had left behind",
                process.pid,
                process.run
            );
        }
        containers::sweep(self, &keep).await
    }

    /// The folder of a task's pages.
    pub fn task_dir(&self, task: &Task) -> PathBuf {
        task_dir(&self.home, task)
    }

    /// Keeps the exact text of a plan, by its hash.
    pub(super) fn keep_plan(&self, text: &str) -> anyhow::Result<PlanHash> {
        let hash = PlanHash::of(text);
        let path = self.plan_file(&hash);
        if !path.exists() {
            atomic::write(&path, text.as_bytes(), Durability::Durable)
                .with_context(|| format!("keep the plan in {}", path.display()))?;
        }
        Ok(hash)
    }

    /// The exact text of a plan, and what it says.
    pub(super) fn plan(&self, hash: &PlanHash) -> anyhow::Result<(String, Plan)> {
        read_plan(&self.home, hash)
    }

    fn plan_file(&self, hash: &PlanHash) -> PathBuf {
        plan_file(&self.home, hash)
    }
}

/// The folder of a task's pages.
pub fn task_dir(home: &Home, task: &Task) -> PathBuf {
    home.task_dir(task.id, &slug(&task.title), task.opened)
}

/// Reads the exact text of a plan, and what it says.
pub fn read_plan(home: &Home, hash: &PlanHash) -> anyhow::Result<(String, Plan)> {
    let path = plan_file(home, hash);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("read the plan in {}", path.display()))?;
    let plan = plan::parse(&text).map_err(|err| anyhow::anyhow!("read plan {hash}: {err}"))?;
    Ok((text, plan))
}

fn plan_file(home: &Home, hash: &PlanHash) -> PathBuf {
    home.blobs_dir().join(format!("{hash}.md"))
}

/// GitHub, for the repositories that are there.
fn github(
    config: &Config,
    environment: &Environment,
    (home, pages): (&Home, &Local),
) -> anyhow::Result<Option<GitHub>> {
    let mut there = config.repos.iter().filter(|repo| repo.forge == Forge::Github).peekable();
    let Some(first) = there.peek() else { return Ok(None) };
    let client = super::github_client(config, environment)?.with_context(|| {
        format!(
            "{} is on GitHub, and zazen.toml does not say how to log in there; `zazen github \
             setup` makes an App",
            first.name
        )
    })?;
    let repos = there.map(|repo| repo.name.clone());
    GitHub::new(client, (home, pages.clone()), repos).map(Some)
}

/// The local forge of a home.
pub fn local_forge(home: &Home, config: &Config) -> Local {
    Local::new(home.root().join("forge"), home.dot_dir().join("locks"), config.name.clone())
}

/// Really starts one sandbox, and refuses where it does not hold.
async fn check_sandbox(engine: EngineKind, zazen: &sandbox::Zazen) -> anyhow::Result<()> {
    let probe = sandbox::probe(engine, zazen).await;
    if probe.works && (probe.isolated || engine == EngineKind::None) {
        return Ok(());
    }
    bail!("{}", probe.worst(engine.word()))
}

/// The recordings that answer in place of a service, by their routes.
fn playbacks(config: &Config) -> anyhow::Result<BTreeMap<String, Arc<Recording>>> {
    let used = config.used_routes();
    let mut playbacks = BTreeMap::new();
    for (name, model) in &config.models {
        let config::Target::Playback { recording } = &model.target else { continue };
        if !used.contains(name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(recording)
            .with_context(|| format!("read the recording {}", recording.display()))?;
        let recording = Recording::parse(&text)
            .with_context(|| format!("read the recording {}", recording.display()))?;
        playbacks.insert(name.clone(), Arc::new(recording));
    }
    Ok(playbacks)
}

pub(super) fn gateway_options(
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<gateway::Options> {
    let mut routes = BTreeMap::new();
    let used = config.used_routes();
    for (name, model) in &config.models {
        let config::Target::Live { base_url, key, is_login } = &model.target else { continue };
        let is_used = used.contains(name.as_str());
        let api = match model.api {
            config::Api::Anthropic => gateway::Api::Anthropic,
            config::Api::OpenAi => gateway::Api::OpenAi,
            config::Api::Gemini => gateway::Api::Gemini,
        };
        let key = match read_key(key, environment) {
            Ok(key) => key,
            // A route that nothing uses may lack its key.
            Err(_) if !is_used => continue,
            Err(err) => return Err(err).with_context(|| format!("prepare the route `{name}`")),
        };
        let (base_url, models) = (base_url.clone(), model.allow.clone());
        let route = gateway::Route { api, base_url, key, is_login: *is_login, models };
        routes.insert(name.clone(), route);
    }
    let (prices, budget) = (config.prices.clone(), config.budget.clone());
    let servers = kit::services(config, environment)?;
    Ok(gateway::Options { routes, prices, budget, servers })
}

/// Reads a model's key. It goes to the gateway and nowhere else.
pub fn read_key(
    key: &config::Key,
    environment: &Environment,
) -> anyhow::Result<Option<gateway::Secret>> {
    let text = match key {
        config::Key::None => return Ok(None),
        config::Key::Variable(name) => environment
            .variable(name)
            .with_context(|| format!("the variable {name} is not set; it should hold the key"))?,
        config::Key::File(path) => fs::read_to_string(path)
            .with_context(|| format!("read the key from {}", path.display()))?,
    };
    Ok(Some(gateway::Secret::new(text.trim())))
}

/// Lets the sandbox's own user pass, where that is not the daemon's.
fn open_ways(home: &Home) -> anyhow::Result<()> {
    for dir in [home.dot_dir(), home.runs_dir(), home.work_dir(), home.mirrors_dir()] {
        fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
        open_way(&dir)?;
    }
    open_way(home.root())?;
    sandbox::check_reachable(&home.runs_dir())
}

pub(super) fn open_way(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    if sandbox::sandbox_ids().is_none() {
        return Ok(());
    }
    let mode = dir.metadata()?.permissions().mode() | 0o011;
    fs::set_permissions(dir, fs::Permissions::from_mode(mode))
        .with_context(|| format!("open {} to the sandbox's user", dir.display()))
}

/// The program for supervisors and runners: zazen itself, or a copy of it where the
/// sandbox's user could not get at it (below the home of root, say).
pub(super) fn reachable(home: &Home, zazen: PathBuf) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;

    if sandbox::check_reachable(&zazen).is_ok() {
        return Ok(zazen);
    }
    let dir = home.dot_dir().join("bin");
    fs::create_dir_all(&dir)?;
    open_way(&dir)?;
    let copy = dir.join("zazen");
    let context = || format!("copy {} to {}", zazen.display(), copy.display());
    let bytes = fs::read(&zazen).with_context(context)?;
    atomic::write(&copy, &bytes, Durability::Relaxed).with_context(context)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).with_context(context)?;
    Ok(copy)
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("home", &self.home).finish_non_exhaustive()
    }
}
