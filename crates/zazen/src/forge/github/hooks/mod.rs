//! Webhooks: GitHub says that something may be new.
//!
//! A delivery is checked (`signature`), reduced to hints (`table`, `payload`),
//! put on the disk (`inbox`) and only then acknowledged (`listen`). Nothing of
//! its content is believed or kept. A webhook that never comes costs time, not
//! work: `poll` finds what is new without it.

mod inbox;
mod listen;
mod payload;
mod signature;
mod table;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zazen_core::id::{RepoName, Time};

pub use self::inbox::{Delivery, DeliveryId, Inbox, Note, OpenError};
pub use self::payload::{NotAnObject, Reduced, reduce};
pub use self::signature::{InvalidSecrets, Secrets};
pub use self::table::{Gives, RULES, Rule, gives};

use crate::home::Home;

/// What a listener is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens, in plain HTTP. A reverse proxy or a tunnel stands before it.
    pub listen: SocketAddr,
    pub secrets: Secrets,
    /// Where deliveries are kept: [`folder`] of the home.
    pub inbox: PathBuf,
    /// The repositories that deliveries count for.
    pub repos: Vec<RepoName>,
    /// The daemon's clock.
    pub now: fn() -> Time,
}

/// A listener that is up.
#[derive(Debug)]
pub struct Started {
    pub hooks: Hooks,
    /// What was not done before, the oldest first, and then what comes. Each is
    /// to be marked done on the [`Inbox`]; what is not is handed out again after
    /// a restart.
    pub deliveries: mpsc::Receiver<Delivery>,
    /// What people should know about the inbox.
    pub notes: Vec<Note>,
}

/// The listener. It ends when it is dropped.
pub struct Hooks {
    address: SocketAddr,
    inbox: Inbox,
    counts: Arc<Counters>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// What came in since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// On the disk, and acknowledged.
    pub accepted: u64,
    /// Delivered again, and acknowledged again.
    pub known: u64,
    /// Of no interest; the table says why.
    pub ignored: u64,
    /// Refused: not signed with the secret, or not a delivery at all.
    pub refused: u64,
    /// Well signed, and the disk did not take them.
    pub failed: u64,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    known: AtomicU64,
    ignored: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// The path that GitHub delivers to.
pub const PATH: &str = "/github/webhook";

/// The folder of a home that deliveries are kept in.
pub fn folder(home: &Home) -> PathBuf {
    home.dot_dir().join("github/inbox")
}

impl Hooks {
    /// Opens the inbox, and listens.
    pub async fn start(options: Options) -> anyhow::Result<Started> {
        Self::start_with(options, listen::Times::STANDARD).await
    }

    async fn start_with(options: Options, times: listen::Times) -> anyhow::Result<Started> {
        let Options { listen, secrets, inbox: dir, repos, now } = options;
        let what = || {
            format!(
                "listen for webhooks on `{listen}`; choose another address in `listen` of \
                 `[github]` in zazen.toml"
            )
        };
        let listener = listen::bind(listen).with_context(what)?;
        let address = listener.local_addr().with_context(what)?;
        let opening = move || inbox::Inbox::open(&dir, inbox::Limits::STANDARD, now());
        let opened = tokio::task::spawn_blocking(opening).await.context("open the inbox")??;
        let counts = Arc::new(Counters::default());
        let stop = CancellationToken::new();
        let door = listen::Door {
            secrets,
            repos,
            now,
            inbox: opened.inbox.clone(),
            counts: Arc::clone(&counts),
            complaints: listen::Complaints::default(),
            room: listen::Door::room(),
            times,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(listen::serve(Arc::new(door), listener, stop.clone()));
        let hooks = Self { address, inbox: opened.inbox, counts, stop, tasks };
        Ok(Started { hooks, deliveries: opened.deliveries, notes: opened.notes })
    }

    /// Where it listens; the port is the one that was found if none was named.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where deliveries are marked done.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub fn counts(&self) -> Counts {
        let Counters { accepted, known, ignored, refused, failed } = &*self.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            accepted: read(accepted),
            known: read(known),
            ignored: read(ignored),
            refused: read(refused),
            failed: read(failed),
        }
    }

    /// Stops to listen. What is under way is cut off; GitHub is told nothing then.
    pub async fn close(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
