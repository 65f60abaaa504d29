//! The one way out of every sandbox.
//!
//! One proxy in the daemon, one socket and one token a run. The map, in the
//! order that a request goes:
//!
//! - `serve`: the socket; the token, the path and the size are checked.
//! - `request`, `route`: what is asked, and where it would go.
//! - `egress`: hosts, by `CONNECT` and plain HTTP, and servers of tools. All below is for models.
//! - `call`: the task of one call; streams, bills, records.
//! - `limits`: what the service says of its limits, and whether it is closed for a while.
//! - `budget`, `begun`: who pays for it, and a note before it is made.
//! - `forward` or `playback`: the model's service, or a recording.
//! - `meter` (with `sse`), `record` (with `pieces`): what it used, and what was said.
//! - `refuse`, `secret`: how no is said; what must not be seen.

mod begun;
mod budget;
mod call;
mod egress;
mod forward;
mod limits;
mod meter;
mod pieces;
mod playback;
mod record;
mod refuse;
mod request;
mod route;
mod secret;
mod serve;
mod sse;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zazen_core::budget::{Budget, Exceeded, Limit, Payer};
use zazen_core::engine::Ledger;
use zazen_core::id::{RepoName, RunId};
use zazen_core::limit::Limits;
use zazen_core::price::{Price, Prices};
use zazen_core::usage::Usage;

pub use begun::{Failure, Sum, sum_up};
pub use egress::{EGRESS_VERSION, Line, Outside, Server, What, add_traffic};
pub use playback::{By, Heard, ParseError, Recording};
pub use record::{Bill, Call, CallRequest, CallResponse, FORMAT_VERSION};
pub use route::{Api, Route};
pub use secret::{InvalidToken, Secret, Token};

use budget::Purse;
use egress::servers::Servers;
use egress::{Egress, Means};
use secret::Veil;
use serve::{Door, SocketFile};

/// Where runs may call, and what it costs.
#[derive(Debug, Clone)]
pub struct Options {
    /// By the name that stands first in a path, like `anthropic`.
    pub routes: BTreeMap<String, Route>,
    pub prices: Prices,
    pub budget: Budget,
    /// The servers of tools, by name.
    pub servers: BTreeMap<String, Server>,
}

/// What one run is given.
#[derive(Debug, Clone)]
pub struct Grant {
    pub run: RunId,
    /// What the run is for, like `implement/2`. Recordings are played back by it.
    pub label: String,
    pub token: Token,
    pub socket: PathBuf,
    pub source: Source,
    /// The file that the calls are recorded to, at its end.
    pub record_to: PathBuf,
    /// What it may reach besides the model.
    pub outside: Outside,
    pub socket_mode: u32,
    /// The repository that it is for.
    pub repo: RepoName,
    /// What its task used before it.
    pub task_usage: Usage,
    /// Whether it may use what is kept of its task's budget.
    pub may_use_reserve: bool,
    /// What its task may cost at the most, by what was approved.
    pub of_task: Limit,
    /// Whether a person wants it tried, whatever is known of limits.
    pub is_forced: bool,
    /// How long the token is good for from now on.
    pub lifetime: Duration,
}

/// Where answers come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// From a model's service.
    Live { route: String },
    /// From a recording.
    Playback(Arc<Recording>),
    /// From nobody: this run has no model, and may reach hosts only.
    Nobody,
}

/// What one model call used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    pub run: RunId,
    pub model: String,
    pub usage: Usage,
    /// 499 for a call that the client left before it was answered.
    pub status: u16,
    pub latency_ms: u64,
}

/// The gateway of a daemon.
pub struct Gateway {
    shared: Arc<Shared>,
    /// One task a run. Held only to add one.
    runs: Mutex<JoinSet<()>>,
}

/// The open door of one run. Dropping it ends it, too, but waits for nothing.
#[derive(Debug)]
#[must_use = "a door that is dropped is closed"]
pub struct Opened {
    stop: CancellationToken,
    socket: SocketFile,
    ended: Option<oneshot::Receiver<anyhow::Result<()>>>,
}

/// What all runs share.
struct Shared {
    client: reqwest::Client,
    routes: Routes,
    prices: Prices,
    servers: Servers,
    means: Means,
    /// What a model counts at that has no price.
    unknown: Price,
    purse: Arc<Purse>,
    limits: limits::Known,
}

type Routes = BTreeMap<String, Route>;

/// How long the end of a run waits for its recording. Longer than calls get to
/// end, as their records come after; a disk that takes longer is broken.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);

impl Gateway {
    /// Makes the gateway. Opens nothing.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        Self::with_means(options, Means::standard())
    }

    /// Makes a gateway that reaches hosts by these means.
    fn with_means(options: Options, means: Means) -> anyhow::Result<Self> {
        let Options { routes, prices, budget, servers } = options;
        for (name, route) in &routes {
            forward::check(name, route)?;
        }
        let client = forward::client(&routes)?;
        let (unknown, purse) = (budget.unknown, Arc::new(Purse::new(budget)));
        let servers = Servers::new(servers)?;
        let limits = limits::Known::default();
        let shared =
            Arc::new(Shared { client, routes, prices, servers, means, unknown, purse, limits });
        Ok(Self { shared, runs: Mutex::new(JoinSet::new()) })
    }

    /// Whether calls can go to a service by this route.
    pub fn has(&self, route: &str) -> bool {
        self.shared.routes.contains_key(route)
    }

    /// Counts what was spent before, as the journal has it. Before any run is opened.
    pub fn start_from(&self, ledger: &Ledger) {
        self.shared.purse.start_from(ledger);
    }

    /// Takes up what was known of the limits of routes, as far as they are there.
    pub fn start_with(&self, mut limits: BTreeMap<String, Limits>) {
        limits.retain(|route, _| self.has(route));
        self.shared.limits.start_from(limits);
    }

    /// What is known of the limits of routes, by their names.
    pub fn limits(&self) -> BTreeMap<String, Limits> {
        self.shared.limits.all()
    }

    /// Who is told when that has changed.
    pub fn limits_changed(&self) -> Arc<Notify> {
        self.shared.limits.changed()
    }

    /// What is used up that a run would be paid from.
    pub fn check(&self, payer: &Payer) -> Result<(), Exceeded> {
        self.shared.purse.check(payer)
    }

    /// Counts what a run used that ended while nobody was there. Once, however often it is told.
    pub fn count(&self, payer: &Payer, usage: &Usage) {
        self.shared.purse.count(payer, usage);
    }

    /// Opens a run's door. What its calls use is said to `usage` before the
    /// run sees the end of the answer.
    pub async fn open(
        &self,
        grant: Grant,
        usage: mpsc::Sender<CallReport>,
    ) -> anyhow::Result<Opened> {
        let key = match &grant.source {
            Source::Live { route } => {
                let found = self.shared.routes.get(route);
                found.with_context(|| format!("there is no route `{route}`"))?.key.as_ref()
            }
            Source::Playback(_) | Source::Nobody => None,
        };
        let veil = Veil::new(&grant.token, key);
        let (recorder, writer) = record::open(&grant.record_to, &grant.label, veil.clone()).await?;
        let stop = CancellationToken::new();
        let means = self.shared.means.clone();
        let (egress, log) =
            Egress::open(&grant.outside, (&grant.token, grant.lifetime), means, stop.clone())
                .await?;
        let so_far = self.so_far(&grant.record_to).await?;
        self.shared.purse.open(&grant.payer(), &grant.task_usage, &so_far);
        let (run, recording) = (grant.run, grant.record_to.clone());
        let purse = Arc::clone(&self.shared.purse);
        let path: &Path = &grant.socket;
        let listener = serve::bind(path, grant.socket_mode)?;
        let socket = SocketFile::of(path).context("look at a socket")?;
        let shared = Arc::clone(&self.shared);
        let door =
            Arc::new(Door::new(grant, shared, (usage, recorder, veil), egress, stop.clone()));
        let (sender, ended) = oneshot::channel();
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        while runs.try_join_next().is_some() {}
        runs.spawn(async move {
            let serving = serve::serve(door, listener);
            // The writers end when the door, and with it the last recorder, is dropped.
            let (written, logged, ()) =
                futures_util::future::join3(writer.run(), log.run(), serving).await;
            purse.close(run);
            let closing = tokio::task::spawn_blocking(move || begun::close(&recording));
            let closed = closing.await.context("close a recording").and_then(|closed| closed);
            let written = written.and(closed);
            if let Err(err) = &written {
                tracing::error!("a recording is not whole: {err:#}");
            }
            if let Err(err) = &logged {
                tracing::error!("an egress log is not whole: {err:#}");
            }
            drop(sender.send(written.and(logged)));
        });
        Ok(Opened { stop, socket, ended: Some(ended) })
    }
}

impl Gateway {
    /// What a run that is found again has used until now.
    async fn so_far(&self, recording: &Path) -> anyhow::Result<Usage> {
        let (path, shared) = (recording.to_owned(), Arc::clone(&self.shared));
        let sum = tokio::task::spawn_blocking(move || sum_up(&path, &shared.prices)).await;
        let sum = sum.context("read a recording")?;
        let sum = sum.with_context(|| format!("read the recording `{}`", recording.display()))?;
        Ok(sum.usage)
    }
}

impl Grant {
    /// Who pays for the calls.
    fn payer(&self) -> Payer {
        let Self { run, repo, may_use_reserve, of_task, .. } = self;
        Payer {
            run: *run,
            repo: repo.clone(),
            may_use_reserve: *may_use_reserve,
            of_task: *of_task,
        }
    }
}

impl Opened {
    /// Revokes the token, ends the calls under way and removes the socket.
    /// Returns when the recording is on the disk.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.end();
        let ended = self.ended.take().context("the door was closed before")?;
        tokio::time::timeout(CLOSE_TIMEOUT, ended)
            .await
            .context("the recording was not written in time")?
            .context("the gateway was stopped before its recording was written")?
    }

    fn end(&self) {
        self.stop.cancel();
        self.socket.remove();
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("routes", &self.shared.routes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
