//! The door of one run: its socket, and who and what may come in.
//!
//! A connection proves nothing; each request must carry this run's own token.
//! All limits are per run, so that a run that misbehaves holds up itself only.
//! What is let in goes on in `call`.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zazen_core::price::covers;

use super::egress::head::First;
use super::egress::servers;
use super::egress::{Denied, Egress};
use super::forward::Reply;
use super::limits::Told;
use super::record::Recorder;
use super::refuse::{Refusal, full};
use super::request::Asked;
use super::route::{Api, Endpoint};
use super::secret::{Secret, Token, Veil};
use super::{CallReport, Grant, Shared, Source, call};

/// What all connections of one run share.
pub(super) struct Door {
    pub(super) grant: Grant,
    pub(super) shared: Arc<Shared>,
    pub(super) usage: mpsc::Sender<CallReport>,
    pub(super) recorder: Recorder,
    pub(super) veil: Veil,
    /// The run is over.
    pub(super) stop: CancellationToken,
    pub(super) egress: Egress,
    /// What this run was told is closed.
    pub(super) told: Told,
    opened: Instant,
    room: Arc<Semaphore>,
    /// Held only to add or to take tasks.
    calls: Mutex<JoinSet<()>>,
}

/// How large a request may be: what the vendors take, too.
pub(super) const REQUEST_BYTES_MAX: usize = 32 << 20;

/// How much of a request that is too large is still read, so that the client
/// gets to see the answer and not only a broken pipe.
const DRAIN_BYTES_MAX: usize = 64 << 20;

/// How many KiB of requests one run may have in the daemon's memory: two of
/// the largest, or hundreds of ordinary ones.
const ROOM_KIB: u32 = 64 << 10;

/// How long a request may take to arrive. It comes from the same machine, or
/// through one tunnel; a minute is a client that plays for time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a connection may be idle, or send its head. Longer than clients
/// keep theirs, so that none is closed as it is used again.
const HEAD_TIMEOUT: Duration = Duration::from_secs(300);

/// How many connections one run may have; more are refused at once. A harness with
/// ten subagents uses about twenty, a package manager that fetches a few dozen.
const CONNECTIONS_MAX: usize = 128;

/// How many headers a model call may have. Harnesses send about thirty.
const HEADERS_MAX: usize = 100;

/// How much of the daemon's memory a connection may take for what it has read and
/// not yet handed on. Heads have to fit into it.
const BUFFER_BYTES_MAX: usize = 128 << 10;

/// The pause after the system refused a connection, for want of file descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long calls get to say what they used, when a run is ended. Longer than
/// the longest single thing that they wait for then, which is to hand in the bill.
const CALLS_TIMEOUT: Duration = Duration::from_secs(40);

/// How much of a refused path is repeated.
const SHOWN_CHARS_MAX: usize = 120;

impl Door {
    pub(super) fn new(
        grant: Grant,
        shared: Arc<Shared>,
        (usage, recorder, veil): (mpsc::Sender<CallReport>, Recorder, Veil),
        egress: Egress,
        stop: CancellationToken,
    ) -> Self {
        Self {
            grant,
            shared,
            usage,
            recorder,
            veil,
            stop,
            egress,
            told: Told::default(),
            opened: Instant::now(),
            room: Arc::new(Semaphore::new(ROOM_KIB as usize)),
            calls: Mutex::new(JoinSet::new()),
        }
    }

    /// Starts a task that is waited for when the run ends.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        while calls.try_join_next().is_some() {}
        calls.spawn(task);
    }

    /// The key that answers must not show.
    pub(super) fn key(&self) -> Option<&Secret> {
        match &self.grant.source {
            Source::Live { route } => self.shared.routes.get(route)?.key.as_ref(),
            Source::Playback(_) | Source::Nobody => None,
        }
    }

    /// The API that an endpoint belongs to, for the shape of errors.
    pub(super) fn api(&self, endpoint: Endpoint) -> Api {
        endpoint.api().or_else(|| self.route_api()).unwrap_or(Api::OpenAi)
    }

    fn route_api(&self) -> Option<Api> {
        match &self.grant.source {
            Source::Live { route } => self.shared.routes.get(route).map(|route| route.api),
            Source::Playback(_) | Source::Nobody => None,
        }
    }

    /// The API that a client believes it speaks to, for the shape of errors.
    fn spoken_api(&self, head: &Parts) -> Api {
        let looks_anthropic = head.uri.path().contains("/v1/messages")
            || head.headers.contains_key("anthropic-version");
        let spoken = match (looks_anthropic, head.headers.contains_key("x-goog-api-key")) {
            (true, _) => Api::Anthropic,
            (false, true) => Api::Gemini,
            (false, false) => Api::OpenAi,
        };
        self.route_api().unwrap_or(spoken)
    }

    /// Whether a request brings the token for hosts, which makes no model call.
    pub(super) fn lets_to_hosts(&self, head: &Parts) -> bool {
        bearers(&head.headers).any(|shown| self.egress.lets_in(shown))
    }

    fn check_token(&self, head: &Parts) -> Result<(), Refusal> {
        let is_over = self.stop.is_cancelled() || self.opened.elapsed() >= self.grant.lifetime;
        if !is_over && carries(head, &self.grant.token) {
            return Ok(());
        }
        Err(Refusal::Token)
    }

    /// The call that a request stands for, if this run may make it.
    fn check_path(&self, head: &Parts) -> Result<Endpoint, Refusal> {
        let path = head.uri.path();
        // A request to a host is the first and only one of its connection.
        if head.uri.authority().is_some() {
            return Err(Refusal::Path { method: shown(head.method.as_str()), path: shown(path) });
        }
        let found = path.strip_prefix('/').and_then(|path| path.split_once('/')).and_then(
            |(name, rest)| match &self.grant.source {
                Source::Live { route } if route == name => {
                    Endpoint::of(self.route_api()?, &head.method, rest)
                }
                Source::Live { .. } | Source::Nobody => None,
                Source::Playback(_) => {
                    Api::ALL.into_iter().find_map(|api| Endpoint::of(api, &head.method, rest))
                }
            },
        );
        found
            .ok_or_else(|| Refusal::Path { method: shown(head.method.as_str()), path: shown(path) })
    }

    fn check_model(&self, asked: &Asked) -> Result<(), Refusal> {
        let Source::Live { route } = &self.grant.source else { return Ok(()) };
        let allowed = self.shared.routes.get(route).map_or(&[][..], |route| &route.models);
        let is_free = allowed.is_empty() || asked.endpoint == Endpoint::Models;
        if is_free || allowed.iter().any(|pattern| covers(pattern, &asked.model)) {
            return Ok(());
        }
        Err(Refusal::Model { model: shown(&asked.model), allowed: allowed.join(", ") })
    }

    /// Waits for the memory that a request takes.
    async fn make_room(&self, headers: &HeaderMap) -> Result<OwnedSemaphorePermit, Refusal> {
        let n_bytes =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let n_bytes = n_bytes.unwrap_or(REQUEST_BYTES_MAX).min(REQUEST_BYTES_MAX);
        let n_kib = u32::try_from(n_bytes.div_ceil(1024).max(1)).unwrap_or(ROOM_KIB);
        match timeout(REQUEST_TIMEOUT, Arc::clone(&self.room).acquire_many_owned(n_kib)).await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(_)) | Err(_) => Err(Refusal::Busy),
        }
    }
}

/// Binds a run's socket. Clients see the old one, or the new one with its right
/// mode, but never none.
pub(super) fn bind(path: &Path, mode: u32) -> anyhow::Result<UnixListener> {
    let what = || format!("open the socket `{}`", path.display());
    let name = path.file_name().context("its path ends in no name").with_context(what)?;
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(anyhow::anyhow!("something that is not a socket is there"))
                .with_context(what);
        }
        Ok(_) | Err(_) => {}
    }
    // No longer than the name itself, as the length of a socket's path is limited.
    let hash = blake3::hash(name.as_encoded_bytes()).to_hex();
    let temporary = path.with_file_name(&hash.as_str()[..name.len().clamp(4, 32)]);
    match std::fs::remove_file(&temporary) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err).with_context(what),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&temporary).with_context(what)?;
    let moved = std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(mode))
        .and_then(|()| std::fs::rename(&temporary, path));
    if moved.is_err() {
        drop(std::fs::remove_file(&temporary));
    }
    moved.with_context(what)?;
    Ok(listener)
}

/// A socket's file, by which it is known again.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl SocketFile {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), id: (found.dev(), found.ino()) })
    }

    /// Removes the file, unless another one has taken its place.
    pub(super) fn remove(&self) {
        if Self::of(&self.path).is_ok_and(|found| found.id == self.id)
            && let Err(err) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), "a socket was not removed: {err}");
        }
    }
}

/// Serves a run until it is over, then waits for the calls under way.
pub(super) async fn serve(door: Arc<Door>, listener: UnixListener) {
    let stop = door.stop.clone();
    let mut connections = JoinSet::new();
    stop.run_until_cancelled(accept(&door, &listener, &mut connections)).await;
    drop(listener);
    let mut calls = {
        let mut calls = door.calls.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    };
    let ended = async { while calls.join_next().await.is_some() {} };
    if timeout(CALLS_TIMEOUT, ended).await.is_err() {
        tracing::error!(run = %door.grant.run, "calls did not end with their run");
        calls.shutdown().await;
    }
    connections.shutdown().await;
}

async fn accept(door: &Arc<Door>, listener: &UnixListener, connections: &mut JoinSet<()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    connections.spawn(connection(Arc::clone(door), stream, place));
                }
                // The answer fits into the socket's buffer; who does not read it misses it.
                Err(_) => drop(stream.try_write(&Denied::Busy.answer())),
            },
            Err(err) => {
                tracing::warn!("a connection to the gateway was not accepted: {err}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(door: Arc<Door>, mut stream: UnixStream, place: OwnedSemaphorePermit) {
    let times = (HEAD_TIMEOUT, door.shared.means.times.head);
    match First::read(&mut stream, times).await {
        First::Model(begun) => {
            let (reader, writer) = stream.into_split();
            let reader = std::io::Cursor::new(begun).chain(reader);
            model(door, tokio::io::join(reader, writer)).await;
        }
        First::Host(head, early) => {
            let served = Arc::clone(&door);
            // In a task that the end of the run waits for, as its end is logged.
            door.spawn(async move {
                served.egress.serve(stream, head, early).await;
                drop(place);
            });
        }
        First::Wrong(denied) => {
            tracing::info!(run = %door.grant.run, "refused a request: {denied}");
            door.egress.refuse_unread(stream, &denied).await;
        }
        First::Gone => {}
    }
}

/// Serves model calls, one after another.
async fn model(door: Arc<Door>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let service = service_fn(move |request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(answer(&door, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(err) = served.await {
        tracing::debug!("a connection to the gateway broke: {err}");
    }
}

async fn answer(door: &Arc<Door>, request: Request<Incoming>) -> Response<Reply> {
    let (head, body) = request.into_parts();
    if is_health(&head) {
        return Response::new(full(Bytes::new()));
    }
    if head.uri.path().starts_with(servers::PATHS) {
        return servers::answer(door, &head, body).await;
    }
    match pass(door, &head, body).await {
        Ok(response) => response,
        Err(refusal) => {
            tracing::info!(run = %door.grant.run, "refused a call: {refusal}");
            refusal.response(door.spoken_api(&head))
        }
    }
}

async fn pass(door: &Arc<Door>, head: &Parts, body: Incoming) -> Result<Response<Reply>, Refusal> {
    door.check_token(head)?;
    let endpoint = door.check_path(head)?;
    let room = door.make_room(&head.headers).await?;
    let body = timeout(REQUEST_TIMEOUT, read(body)).await.unwrap_or(Err(Refusal::Slow))?;
    let asked = Asked::check(endpoint, head, body)?;
    door.check_model(&asked)?;
    call::start(door, asked, room).await
}

async fn read(mut body: Incoming) -> Result<Bytes, Refusal> {
    let mut bytes = BytesMut::new();
    let mut n_bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Body { why: "it broke off".to_owned() })?;
        let data = frame.into_data().unwrap_or_default();
        n_bytes += data.len();
        if n_bytes <= REQUEST_BYTES_MAX {
            bytes.extend_from_slice(&data);
        } else if n_bytes > DRAIN_BYTES_MAX {
            break;
        }
    }
    if n_bytes > REQUEST_BYTES_MAX {
        return Err(Refusal::TooLarge { max: REQUEST_BYTES_MAX });
    }
    Ok(bytes.freeze())
}

fn is_health(head: &Parts) -> bool {
    (head.method == Method::HEAD && head.uri.path() == "/")
        || (head.method == Method::GET && head.uri.path() == "/healthz")
}

/// Whether one of the places in which clients send their key has the token.
fn carries(head: &Parts, token: &Token) -> bool {
    let headers = &head.headers;
    let names = ["x-api-key", "api-key", "x-goog-api-key"];
    let plain = names.iter().flat_map(|name| headers.get_all(*name));
    let mut query = head.uri.query().unwrap_or_default().split('&');
    if query.any(|pair| pair.strip_prefix("key=").is_some_and(|key| token.is(key.as_bytes()))) {
        return true;
    }
    let plain = plain.map(HeaderValue::as_bytes);
    plain.chain(bearers(headers)).any(|shown| token.is(shown.trim_ascii()))
}

/// The bearer tokens of a request.
fn bearers(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, rest) = value.as_bytes().split_at_checked("bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(rest.trim_ascii())
    })
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}
