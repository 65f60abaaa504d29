//! How many webhooks a second are acknowledged, and how soon.
//!
//! The listener runs as the daemon runs it, and everything that it hands out is
//! marked done. Deliveries of an ordinary size come in bursts, each over a
//! connection of its own, as from a reverse proxy. The clock runs from the connect to the
//! last byte of the answer; the delivery is synced by then.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use zazen::forge::github::hooks::{Hooks, Options, Secrets, Started};
use zazen_core::id::Time;

use crate::hooked;
use crate::place::REPO;
use crate::report::{Row, Samples, ms};

/// The name of this measurement.
pub(crate) const NAME: &str = "webhooks";

/// How many deliveries a burst has, and how many bursts there are of each kind.
const N_DELIVERIES: usize = 1000;
const N_BURSTS: usize = 3;

/// How many deliveries are under way at the same time.
const N_AT_ONCE: [usize; 3] = [1, 16, 64];

/// How long a body is: that of a comment on an issue, with GitHub's many fields.
const BODY_BYTES: usize = 16 * 1024;

/// The design's limit, in milliseconds.
const P99_MAX: f64 = 20.0;

/// How long a burst may take, so that a hang is an error.
const BURST_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) fn run() -> anyhow::Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    // Like the daemon's own.
    let daemon =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let secrets = Secrets::parse("the secret of a measurement")?;
    let options = options(dir.path(), &secrets)?;
    let Started { hooks, mut deliveries, notes: _ } = daemon.block_on(Hooks::start(options))?;
    let inbox = hooks.inbox().clone();
    let taking = daemon.spawn(async move {
        while let Some(delivery) = deliveries.recv().await {
            inbox.done([delivery.id]).await;
        }
    });
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rows = Vec::new();
    // The first burst is not counted.
    client.block_on(burst((hooks.address(), &secrets), 16, "warm"))?;
    for n_at_once in N_AT_ONCE {
        let (mut took, mut rates) = (Vec::new(), Vec::new());
        for n in 0..N_BURSTS {
            let name = format!("{n_at_once}-{n}");
            let began = Instant::now();
            took.extend(client.block_on(burst((hooks.address(), &secrets), n_at_once, &name))?);
            rates.push(1.0 / began.elapsed().as_secs_f64());
        }
        rows.push(row(n_at_once, &Samples::new(took), &Samples::new(rates)));
    }
    daemon.block_on(hooks.close());
    taking.abort();
    Ok(rows)
}

fn row(n_at_once: usize, took: &Samples, rates: &Samples) -> Row {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rate = rates.p50() * N_DELIVERIES as f64;
    let (p50, p99) = (took.p50(), took.p99());
    let value = format!("{rate:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms");
    Row::new(NAME, format!("deliveries acknowledged, {n_at_once} at once"), value)
        .limit("p99 ≤ 20 ms", p99 <= P99_MAX)
        .how(format!(
            "{N_BURSTS} bursts of {N_DELIVERIES}, {} KB each, signed, parsed and synced",
            BODY_BYTES / 1024
        ))
}

fn options(dir: &Path, secrets: &Secrets) -> anyhow::Result<Options> {
    Ok(Options {
        listen: "127.0.0.1:0".parse().context("an address")?,
        secrets: secrets.clone(),
        inbox: dir.join("inbox"),
        repos: vec![REPO.parse().context("a repository")?],
        now: || Time(1_800_000_000_000),
    })
}

/// Sends a burst, and says how long each delivery took, in milliseconds.
pub(crate) async fn burst(
    (to, secrets): (SocketAddr, &Secrets),
    n_at_once: usize,
    name: &str,
) -> anyhow::Result<Vec<f64>> {
    // Made before, as GitHub's time is not ours.
    let requests = (0..N_DELIVERIES).map(|n| request(secrets, n, &format!("{name}-{n}")));
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(requests.collect());
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..n_at_once {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        senders.spawn(async move {
            let mut took = Vec::new();
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                deliver(to, request).await?;
                took.push(ms(began.elapsed()));
            }
            anyhow::Ok(took)
        });
    }
    let all = async {
        let mut took = Vec::new();
        while let Some(sender) = senders.join_next().await {
            took.extend(sender??);
        }
        anyhow::Ok(took)
    };
    tokio::time::timeout(BURST_TIMEOUT, all).await.context("send a burst")?
}

async fn deliver(to: SocketAddr, request: &[u8]) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if !answer.starts_with(b"HTTP/1.1 202") {
        bail!("the answer is {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

fn request(secrets: &Secrets, n: usize, guid: &str) -> Vec<u8> {
    let body = json!({
        "action": "created",
        "issue": { "number": n + 1, "title": "something", "body": "x".repeat(BODY_BYTES / 2) },
        "comment": { "id": n, "body": "y".repeat(BODY_BYTES / 2) },
        "repository": { "full_name": REPO, "private": true },
    });
    hooked::request(secrets, ("issue_comment", guid), &body)
}
