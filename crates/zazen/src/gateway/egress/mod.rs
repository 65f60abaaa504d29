//! The way to hosts: `CONNECT` and plain HTTP, to a list and nowhere else.
//!
//! A request is decided once, in this order: its head (`head`), the run's
//! token, what it wants (`wanted`), the list, the addresses (`resolve`), the
//! log (`log`). Only then is a checked address connected to, and bytes are
//! carried (`tunnel`, `plain`) within the run's allowance (`flow`). A refusal
//! (`deny`) is an answer at once. Services that offer tools are in `servers`. Model
//! calls never come here: see `serve`.

mod deny;
mod flow;
pub(super) mod head;
mod log;
mod plain;
mod resolve;
pub(super) mod servers;
mod tunnel;
mod wanted;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zazen_core::host::{Hosts, Way};

pub use log::{EGRESS_VERSION, Line, What, add_traffic};
pub use servers::Server;

pub(super) use deny::Denied;
pub(super) use log::Writer;
pub(super) use resolve::{Resolve, System};

use super::secret::Token;
use flow::{Allowance, End, Flow};
use head::Head;
use log::Log;
use wanted::Wanted;

/// What a run may reach besides its model.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The repository whose list it is, for what is said.
    pub repo: String,
    pub hosts: Hosts,
    /// The servers of tools that the run may ask, by name.
    pub servers: Vec<String>,
    /// The file that every decision is written to, at its end.
    pub log_to: PathBuf,
    /// How much the run may fetch from hosts, all in all.
    pub download_bytes: u64,
    /// How much it may send to them.
    pub upload_bytes: u64,
}

/// How long each thing may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// A head, once its first byte is there. It comes from the same machine.
    pub(super) head: Duration,
    /// The addresses of a name. Resolvers ask twice, for five seconds each.
    pub(super) lookup: Duration,
    /// A connection to one address: two lost packets and a slow way.
    pub(super) connect: Duration,
    /// Silence in both directions. Registries think for seconds, not for minutes.
    pub(super) idle: Duration,
}

/// What a gateway reaches hosts with.
#[derive(Debug, Clone)]
pub(super) struct Means {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) times: Times,
}

/// The way to hosts of one run.
pub(super) struct Egress {
    /// For hosts only: it makes no model call.
    token: Token,
    opened: Instant,
    /// How long the token counts.
    lifetime: Duration,
    repo: String,
    hosts: Hosts,
    means: Means,
    log: Log,
    allowance: Allowance,
    lookups: Semaphore,
    /// The run is over.
    stop: CancellationToken,
}

/// What was decided in favour of a request. It stands in the log.
struct Granted {
    n: u64,
    wanted: Wanted,
    addresses: Vec<std::net::SocketAddr>,
}

/// How many names one run may have looked up at a time. Each takes a thread of
/// the daemon for as long as the resolver thinks.
const LOOKUPS_MAX: usize = 4;

/// How long a refusal may take to be read. It fits into the socket's buffer.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer to `CONNECT` that is the beginning of a tunnel.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

impl Means {
    /// The system's resolver, and patience for the internet.
    pub(super) fn standard() -> Self {
        let times = Times {
            head: Duration::from_secs(20),
            lookup: Duration::from_secs(12),
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(120),
        };
        Self { resolver: Arc::new(System), times }
    }
}

impl Egress {
    pub(super) async fn open(
        outside: &Outside,
        (token, lifetime): (&Token, Duration),
        means: Means,
        stop: CancellationToken,
    ) -> anyhow::Result<(Self, Writer)> {
        let (log, writer) = log::open(&outside.log_to).await?;
        let egress = Self {
            token: token.for_hosts(),
            opened: Instant::now(),
            lifetime,
            repo: outside.repo.clone(),
            hosts: outside.hosts.clone(),
            means,
            log,
            allowance: Allowance::new(outside.upload_bytes, outside.download_bytes),
            lookups: Semaphore::new(LOOKUPS_MAX),
            stop,
        };
        Ok((egress, writer))
    }

    /// Serves one request: it is the only one of its connection.
    pub(super) async fn serve(&self, mut stream: UnixStream, head: Head, early: Bytes) {
        let granted = match self.stop.run_until_cancelled(self.decide(&head)).await {
            None => return,
            Some(Err(denied)) => {
                self.log.refused(Some(&head), &denied).await;
                return refuse(&mut stream, &denied).await;
            }
            Some(Ok(granted)) => granted,
        };
        let began = Instant::now();
        let flow = Flow::new(&self.allowance);
        let carried = self.carry(stream, &head, (&granted, early), &flow);
        let end = self.stop.run_until_cancelled(carried).await.unwrap_or(End::RunOver);
        self.log.ended(granted.n, &flow, began.elapsed(), end).await;
    }

    /// Refuses a request whose head is none.
    pub(super) async fn refuse_unread(&self, mut stream: UnixStream, denied: &Denied) {
        self.log.refused(None, denied).await;
        refuse(&mut stream, denied).await;
    }

    /// Decides about a request. What is granted is on the disk by then.
    async fn decide(&self, head: &Head) -> Result<Granted, Denied> {
        self.check_token(head)?;
        let wanted = Wanted::check(head)?;
        let Some(rule) = self.hosts.find(wanted.way, &wanted.authority) else {
            let authority = wanted.authority.to_string();
            return Err(Denied::Hosts { authority, repo: self.repo.clone() });
        };
        if self.allowance.is_spent() {
            return Err(Denied::Spent);
        }
        let addresses = {
            let _turn = self.lookups.acquire().await.map_err(|_| Denied::Bug)?;
            resolve::addresses(&self.means, &wanted.authority, rule.reach).await?
        };
        let n = self.log.allowed(head, &wanted, rule, &addresses).await?;
        Ok(Granted { n, wanted, addresses })
    }

    /// Whether a token is the one for hosts, and still good.
    pub(super) fn lets_in(&self, shown: &[u8]) -> bool {
        let is_over = self.stop.is_cancelled() || self.opened.elapsed() >= self.lifetime;
        !is_over && self.token.is(shown)
    }

    fn check_token(&self, head: &Head) -> Result<(), Denied> {
        let shown = head.only("proxy-authorization")?.ok_or(Denied::Token)?;
        let is_ours = wanted::credential(shown).is_some_and(|text| self.token.is(&text));
        let is_over = self.stop.is_cancelled() || self.opened.elapsed() >= self.lifetime;
        if is_ours && !is_over { Ok(()) } else { Err(Denied::Token) }
    }

    async fn carry(
        &self,
        mut client: UnixStream,
        head: &Head,
        (granted, early): (&Granted, Bytes),
        flow: &Flow<'_>,
    ) -> End {
        let times = &self.means.times;
        let host = match resolve::dial(&granted.addresses, times).await {
            Ok(host) => host,
            Err(denied) => {
                refuse(&mut client, &denied).await;
                return End::Unreachable;
            }
        };
        match granted.wanted.way {
            Way::Tunnel => tunnel(client, host, early, (flow, times)).await,
            Way::Plain => plain::forward(client, host, head, (&granted.wanted, flow, times)).await,
        }
    }
}

async fn tunnel(
    mut client: UnixStream,
    host: TcpStream,
    early: Bytes,
    (flow, times): (&Flow<'_>, &Times),
) -> End {
    if client.write_all(ESTABLISHED).await.is_err() {
        return End::Broken;
    }
    tunnel::carry(client, host, early, (flow, times.idle)).await
}

/// Says no, and why. Nothing more is read.
async fn refuse(stream: &mut UnixStream, denied: &Denied) {
    let answer = denied.answer();
    let said = async { stream.write_all(&answer).await.is_ok() && stream.shutdown().await.is_ok() };
    if !timeout(REFUSAL_TIMEOUT, said).await.unwrap_or(false) {
        tracing::debug!("a refusal was not read: {denied}");
    }
}

#[cfg(test)]
mod tests;
