//! What the gateway adds to a model call.
//!
//! The same request goes straight to a scripted service on loopback and through
//! the gateway's socket, in turns, each over one kept connection. A slow stream
//! whose parts say when they were sent shows whether anything is held back.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zazen::gateway::{Api, Gateway, Grant, Options, Outside, Route, Secret, Source, Token};
use zazen_core::budget::Budget;
use zazen_core::host::Hosts;
use zazen_core::id::{RunId, TaskId};
use zazen_core::price::Prices;
use zazen_core::usage::Usage;

use crate::model::{Model, N_TICKS, Script, TICKING};
use crate::place::REPO;
use crate::report::{Row, Samples, ms};

/// The name of this measurement.
pub(crate) const NAME: &str = "gateway";

/// How many calls go each way, after some that are not counted.
const N_CALLS: usize = 1000;
const N_WARM_UP: usize = 50;

/// How many slow streams go each way.
const N_STREAMS: usize = 25;

/// How many tunnels are opened.
const N_TUNNELS: usize = 500;

/// How the gateway says that a tunnel stands.
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\n\r\n";

/// How long a prompt is: that of an agent in the middle of its work.
const PROMPT_BYTES: usize = 32 * 1024;

/// The design's limits, in milliseconds.
const P50_MAX: f64 = 1.0;
const P99_MAX: f64 = 5.0;

/// A way to the model.
struct Way {
    sender: SendRequest<Full<Bytes>>,
    token: String,
}

/// How long one call took.
struct Took {
    first_byte: f64,
    whole: f64,
}

pub(crate) fn run() -> anyhow::Result<Vec<Row>> {
    let model = Model::start(Script::trivial(1))?;
    let dir = tempfile::tempdir()?;
    // Like the daemon's own.
    let daemon =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let token = Token::random()?;
    let gateway = Arc::new(Gateway::new(options(&model)?)?);
    let (usage, mut reports) = mpsc::channel(64);
    let door = daemon
        .block_on(gateway.open(grant(dir.path(), &token, outside(dir.path(), &model)?), usage))?;
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rows = client.block_on(async {
        let mut connections = JoinSet::new();
        connections.spawn(async move { while reports.recv().await.is_some() {} });
        let tcp = TcpStream::connect(model.address).await?;
        tcp.set_nodelay(true)?;
        let direct = Way::open(tcp, "none".to_owned(), &mut connections).await?;
        let unix = UnixStream::connect(dir.path().join("gateway.sock")).await?;
        let through = Way::open(unix, token.to_string(), &mut connections).await?;
        let names = ["added until the first byte", "added to the whole call"];
        let mut rows = calls(direct, through, names).await?;
        let tcp = TcpStream::connect(model.address).await?;
        let direct = Way::open(tcp, "none".to_owned(), &mut connections).await?;
        let unix = UnixStream::connect(dir.path().join("gateway.sock")).await?;
        let through = Way::open(unix, token.to_string(), &mut connections).await?;
        rows.push(streams(direct, through).await?);
        rows.push(tunnels(dir.path(), &token, model.address).await?);
        let tcp = TcpStream::connect(model.address).await?;
        tcp.set_nodelay(true)?;
        let direct = Way::open(tcp, "none".to_owned(), &mut connections).await?;
        let tunnel = tunnel(dir.path(), &token, model.address).await?;
        let through = Way::open(tunnel, "none".to_owned(), &mut connections).await?;
        let names = ["tunnel: added until the first byte", "tunnel: added to the whole call"];
        rows.extend(calls(direct, through, names).await?);
        anyhow::Ok(rows)
    })?;
    daemon.block_on(door.close())?;
    Ok(rows)
}

fn options(model: &Model) -> anyhow::Result<Options> {
    let route = Route {
        api: Api::Anthropic,
        base_url: model.url().parse().context("the model's address")?,
        key: Some(Secret::new("sk-bench-000000000000")),
        is_login: false,
        models: Vec::new(),
    };
    let routes = [("anthropic".to_owned(), route)].into();
    Ok(Options {
        routes,
        prices: Prices::builtin(),
        budget: Budget::default(),
        servers: std::collections::BTreeMap::new(),
    })
}

fn grant(dir: &Path, token: &Token, outside: Outside) -> Grant {
    Grant {
        run: RunId { task: TaskId(1), n: 1 },
        label: "plan".to_owned(),
        token: token.clone(),
        socket: dir.join("gateway.sock"),
        source: Source::Live { route: "anthropic".to_owned() },
        record_to: dir.join("recording.jsonl"),
        outside,
        socket_mode: 0o600,
        repo: REPO.parse().expect("it is the name of a repository"),
        task_usage: Usage::default(),
        may_use_reserve: false,
        of_task: zazen_core::budget::Limit::default(),
        is_forced: false,
        lifetime: Duration::from_secs(3600),
    }
}

/// One host of the house: the scripted service itself.
fn outside(dir: &Path, model: &Model) -> anyhow::Result<Outside> {
    let mut hosts = Hosts::default();
    hosts.add_private(&model.address.to_string())?;
    Ok(Outside {
        repo: "bench/bench".to_owned(),
        hosts,
        servers: Vec::new(),
        log_to: dir.join("egress.jsonl"),
        download_bytes: u64::MAX,
        upload_bytes: u64::MAX,
    })
}

/// Opens a tunnel to a host through the gateway.
async fn tunnel(dir: &Path, token: &Token, host: SocketAddr) -> anyhow::Result<UnixStream> {
    let mut stream = UnixStream::connect(dir.join("gateway.sock")).await?;
    let token = token.for_hosts();
    let head = format!(
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = vec![0; ESTABLISHED.len()];
    stream.read_exact(&mut answer).await?;
    if answer != ESTABLISHED {
        bail!("no tunnel: {}", String::from_utf8_lossy(&answer));
    }
    Ok(stream)
}

/// What opening a tunnel takes, beside a connection.
async fn tunnels(dir: &Path, token: &Token, host: SocketAddr) -> anyhow::Result<Row> {
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for n in 0..N_WARM_UP + N_TUNNELS {
        let began = Instant::now();
        drop(TcpStream::connect(host).await?);
        let direct = began.elapsed();
        let began = Instant::now();
        drop(tunnel(dir, token, host).await?);
        if n >= N_WARM_UP {
            bare.push(ms(direct));
            ours.push(ms(began.elapsed()));
        }
    }
    let (bare, ours) = (Samples::new(bare), Samples::new(ours));
    let p50 = ours.p50() - bare.p50();
    let p99 = ours.p99() - bare.p99();
    Ok(Row::new(NAME, "tunnel: added to opening it", format!("p50 +{p50:.2} ms, p99 +{p99:.2} ms"))
        .bare(format!("p50 {:.2} ms, p99 {:.2} ms", bare.p50(), bare.p99()))
        .limit("p50 < 1 ms, p99 < 5 ms", p50 < P50_MAX && p99 < P99_MAX)
        .how(format!("{} each way in turns; the decision is in the log by then", ours.n())))
}

async fn calls(
    mut direct: Way,
    mut through: Way,
    [first, whole]: [&str; 2],
) -> anyhow::Result<Vec<Row>> {
    let body = body(&"x".repeat(PROMPT_BYTES));
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for n in 0..N_WARM_UP + N_CALLS {
        let pair = (direct.call(&body).await?, through.call(&body).await?);
        if n >= N_WARM_UP {
            bare.push(pair.0);
            ours.push(pair.1);
        }
    }
    Ok(vec![
        row(first, &bare, &ours, |took| took.first_byte),
        row(whole, &bare, &ours, |took| took.whole),
    ])
}

fn row(what: &str, bare: &[Took], ours: &[Took], part: fn(&Took) -> f64) -> Row {
    let samples = |all: &[Took]| Samples::new(all.iter().map(part).collect());
    let (bare, ours) = (samples(bare), samples(ours));
    let p50 = ours.p50() - bare.p50();
    let p99 = ours.p99() - bare.p99();
    Row::new(NAME, what, format!("p50 +{p50:.2} ms, p99 +{p99:.2} ms"))
        .bare(format!("p50 {:.2} ms, p99 {:.2} ms", bare.p50(), bare.p99()))
        .limit("p50 < 1 ms, p99 < 5 ms", p50 < P50_MAX && p99 < P99_MAX)
        .how(format!("{} calls each way in turns, {} KB prompt", ours.n(), PROMPT_BYTES / 1024))
}

/// What a part of a slow stream takes from the service to the client, each way.
async fn streams(mut direct: Way, mut through: Way) -> anyhow::Result<Row> {
    let body = body(TICKING);
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..N_STREAMS {
        bare.extend(direct.ticks(&body).await?);
        ours.extend(through.ticks(&body).await?);
    }
    let (bare, ours) = (Samples::new(bare), Samples::new(ours));
    let p50 = ours.p50() - bare.p50();
    let p99 = ours.p99() - bare.p99();
    let how = format!("{} parts each way, one every 5 ms; nothing is held back", ours.n());
    Ok(Row::new(NAME, "added to a part of a stream", format!("p50 +{p50:.2} ms, p99 +{p99:.2} ms"))
        .bare(format!("p50 {:.2} ms, p99 {:.2} ms", bare.p50(), bare.p99()))
        .limit("p50 < 1 ms, p99 < 5 ms", p50 < P50_MAX && p99 < P99_MAX)
        .how(how))
}

fn body(prompt: &str) -> Bytes {
    let messages = json!([{ "role": "user", "content": prompt }]);
    let request = json!({ "model": "claude-sonnet-4-5", "max_tokens": 1000, "stream": true,
        "messages": messages });
    Bytes::from(request.to_string())
}

impl Way {
    async fn open<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        stream: S,
        token: String,
        connections: &mut JoinSet<()>,
    ) -> anyhow::Result<Self> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        connections.spawn(async move { drop(connection.await) });
        Ok(Self { sender, token })
    }

    async fn send(&mut self, body: &Bytes) -> anyhow::Result<Response<hyper::body::Incoming>> {
        let request = Request::post("/anthropic/v1/messages")
            .header("host", "gateway")
            .header("x-api-key", &self.token)
            .header("anthropic-version", "2023-06-01")
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(Full::new(body.clone()))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        if !response.status().is_success() {
            bail!("the answer is {}", response.status());
        }
        Ok(response)
    }

    async fn call(&mut self, body: &Bytes) -> anyhow::Result<Took> {
        let began = Instant::now();
        let mut response = self.send(body).await?;
        let mut first_byte = Duration::ZERO;
        while let Some(frame) = response.body_mut().frame().await {
            frame?;
            if first_byte.is_zero() {
                first_byte = began.elapsed();
            }
        }
        Ok(Took { first_byte: ms(first_byte), whole: ms(began.elapsed()) })
    }

    /// How long each part of a slow stream was under way, in milliseconds.
    async fn ticks(&mut self, body: &Bytes) -> anyhow::Result<Vec<f64>> {
        let mut response = self.send(body).await?;
        let mut ticks = Vec::new();
        while let Some(frame) = response.body_mut().frame().await {
            let frame = frame?;
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
            let text = String::from_utf8_lossy(frame.data_ref().map_or(&[][..], |data| data));
            for part in text.split("at=").skip(1) {
                let at = part.split(';').next().and_then(|at| at.parse::<u64>().ok());
                let at = Duration::from_nanos(at.context("a part says when it was sent")?);
                ticks.push(ms(now.saturating_sub(at)));
            }
        }
        if ticks.len() != N_TICKS {
            bail!("{} of {N_TICKS} parts came", ticks.len());
        }
        Ok(ticks)
    }
}
