//! The listener: who and what may come in, and what is answered.
//!
//! Anybody on the internet may connect. A request without a well-formed
//! signature is refused before its body is read, and nothing is parsed before
//! the signature fits. Memory, time and the number of connections have limits.
//! A connection carries one request, so none is closed just as it is used again.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zazen_core::id::{RepoName, Time};

use super::inbox::{Arrival, Inbox, Taken};
use super::payload::{Reduced, reduce};
use super::signature::{SIGNATURE_HEADER, Secrets, Signature};
use super::{Counters, PATH};

/// What all connections share.
pub(super) struct Door {
    pub(super) secrets: Secrets,
    pub(super) repos: Vec<RepoName>,
    pub(super) now: fn() -> Time,
    pub(super) inbox: Inbox,
    pub(super) counts: Arc<Counters>,
    pub(super) complaints: Complaints,
    /// KiB of large bodies that may be in memory.
    pub(super) room: Arc<Semaphore>,
    pub(super) times: Times,
}

/// How long each thing may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) head: Duration,
    pub(super) body: Duration,
    pub(super) connection: Duration,
}

/// Says that deliveries are refused, but not for each of them: anybody can send one.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Mutex<Option<Instant>>,
    n_since: AtomicU64,
}

/// What is told to a sender that has shown to be GitHub.
enum Told {
    Accepted,
    Known,
    Ignored(&'static str),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("there is nothing here; webhooks go to `{PATH}`")]
    Path,
    #[error("webhooks are sent with POST")]
    Method,
    #[error("not signed with this webhook's secret, by SHA-256")]
    Signature,
    #[error("larger than GitHub sends, which is {BODY_BYTES_MAX} bytes at most")]
    TooLarge,
    #[error("it did not arrive in time")]
    Slow,
    #[error("it broke off")]
    Broken,
    #[error("the header `{0}` is missing or odd")]
    Header(&'static str),
    #[error("the webhook's content type must be application/json")]
    ContentType,
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("too much at once; deliver it again later")]
    Busy,
    #[error("it could not be kept; deliver it again later")]
    NotTaken,
}

/// How large a delivery may be. GitHub sends no larger one.
const BODY_BYTES_MAX: usize = 25 << 20;

/// Up to this size a body needs no room of its own: the number of connections
/// bounds what they take together (64 MiB). Ordinary ones have 10 to 60 KiB.
const SMALL_BYTES_MAX: usize = 256 << 10;

/// How many KiB of larger bodies may be in memory: two of the largest.
const ROOM_KIB: u32 = 64 << 10;

/// How many connections there may be. More wait in the kernel's queue, so that a
/// burst takes no file descriptors from the rest of the daemon.
const CONNECTIONS_MAX: usize = 256;

/// How many connections may wait in the kernel's queue. Of those that find it full, the
/// kernel loses some, so it is longer than a burst; the kernel's own limit is the same.
const BACKLOG: u32 = 4096;

/// How many headers a delivery may have: GitHub's twelve, and those of proxies.
const HEADERS_MAX: usize = 64;

/// How large a head may be. GitHub's has less than 1 KiB, and proxies add some.
const BUFFER_BYTES_MAX: usize = 16 << 10;

/// The pause after the system refused a connection, for want of file descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often it is said that deliveries are refused.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// How long a GUID, the name of an event and a number in a header may be.
const WORD_BYTES_MAX: usize = 64;

/// How long the sender of something that could not be kept should wait, in seconds.
const RETRY_SECONDS: &str = "60";

impl Times {
    /// GitHub gives up on a delivery after ten seconds, GitHub Enterprise after
    /// thirty: who is slower waits for no answer. A whole connection is a head, room
    /// for the body, the body, the disk, and a client that does not read.
    pub(super) const STANDARD: Self = Self {
        head: Duration::from_secs(10),
        body: Duration::from_secs(30),
        connection: Duration::from_secs(75),
    };
}

impl Door {
    pub(super) fn room() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(ROOM_KIB as usize))
    }

    async fn take(&self, head: &HeaderMap, body: Incoming) -> Result<Told, Refusal> {
        let signature = signature(head).ok_or(Refusal::Signature)?;
        let length = content_length(head)?;
        let _room = self.make_room(length).await?;
        let body =
            timeout(self.times.body, read(body, length)).await.unwrap_or(Err(Refusal::Slow))?;
        if !self.secrets.signed(&body, &signature) {
            return Err(Refusal::Signature);
        }
        self.take_signed(head, &body).await
    }

    /// Takes what GitHub has signed. Only the body is: headers may be anybody's.
    async fn take_signed(&self, head: &HeaderMap, body: &[u8]) -> Result<Told, Refusal> {
        let event = word(head, "x-github-event")?.to_owned();
        let guid = word(head, "x-github-delivery")?.to_owned();
        if !is_json(head) {
            return Err(Refusal::ContentType);
        }
        let hook = word(head, "x-github-hook-id").ok().and_then(|hook| hook.parse().ok());
        match reduce(&event, body, &self.repos) {
            Err(_) => Err(Refusal::NotAnObject),
            Ok(Reduced::Ignored(why)) => Ok(Told::Ignored(why)),
            Ok(Reduced::Hints { action, hints }) => {
                let (at, hook) = ((self.now)(), hook.unwrap_or_default());
                let arrival = Arrival { hook, guid, at, event, action, hints };
                match self.inbox.take(arrival).await {
                    Ok(Taken::New) => Ok(Told::Accepted),
                    Ok(Taken::Known) => Ok(Told::Known),
                    Err(_) => Err(Refusal::NotTaken),
                }
            }
        }
    }

    /// Waits for the memory that a large body takes.
    async fn make_room(
        &self,
        length: Option<usize>,
    ) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        let n_bytes = length.unwrap_or(BODY_BYTES_MAX);
        if n_bytes <= SMALL_BYTES_MAX {
            return Ok(None);
        }
        let n_kib = u32::try_from(n_bytes.div_ceil(1024)).unwrap_or(ROOM_KIB);
        match timeout(self.times.body, Arc::clone(&self.room).acquire_many_owned(n_kib)).await {
            Ok(Ok(room)) => Ok(Some(room)),
            Ok(Err(_)) | Err(_) => Err(Refusal::Busy),
        }
    }

    fn count(&self, answer: &Result<Told, Refusal>) {
        let Counters { accepted, known, ignored, refused, failed } = &*self.counts;
        let count = match answer {
            Ok(Told::Accepted) => accepted,
            Ok(Told::Known) => known,
            Ok(Told::Ignored(_)) => ignored,
            Err(Refusal::NotTaken) => failed,
            Err(_) => refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes the address.
pub(super) fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A daemon that is started again finds connections of the one before winding down.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// Serves until it is told to stop.
pub(super) async fn serve(door: Arc<Door>, listener: TcpListener, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    stop.run_until_cancelled(accept(&door, &listener, &mut connections)).await;
    drop(listener);
    connections.shutdown().await;
}

async fn accept(door: &Arc<Door>, listener: &TcpListener, connections: &mut JoinSet<()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The place first: who finds none waits outside.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                connections.spawn(connection(Arc::clone(door), stream, place));
            }
            Err(err) => {
                tracing::warn!("a connection for a webhook was not accepted: {err}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(door: Arc<Door>, stream: TcpStream, place: OwnedSemaphorePermit) {
    // An answer is one small packet.
    stream.set_nodelay(true).ok();
    let times = door.times;
    let service = service_fn(move |request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(answer(&door, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(times.head)
        .keep_alive(false)
        // Who has sent all may close that way, and still waits for the answer.
        .half_close(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(times.connection, served).await {
        Ok(Ok(())) => {}
        Ok(Err(err)) => tracing::debug!("a connection for a webhook broke: {err}"),
        Err(_) => tracing::debug!("a connection for a webhook took too long"),
    }
    drop(place);
}

async fn answer(door: &Door, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let told = match (head.uri.path(), &head.method) {
        ("/healthz", &Method::GET | &Method::HEAD) => return plain(StatusCode::OK, "ok"),
        (PATH, &Method::POST) => {
            let told = door.take(&head.headers, body).await;
            door.count(&told);
            told
        }
        (PATH, _) => Err(Refusal::Method),
        _ => Err(Refusal::Path),
    };
    match told {
        Ok(Told::Accepted) => plain(StatusCode::ACCEPTED, "accepted"),
        Ok(Told::Known) => plain(StatusCode::ACCEPTED, "known: it was delivered before"),
        Ok(Told::Ignored(why)) => plain(StatusCode::OK, &format!("ignored: {why}")),
        Err(refusal) => {
            door.complaints.hear(&refusal);
            refusal.response()
        }
    }
}

impl Refusal {
    fn response(&self) -> Response<Full<Bytes>> {
        let status = match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Signature => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::Header(_) | Self::NotAnObject => StatusCode::BAD_REQUEST,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Busy | Self::NotTaken => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = plain(status, &self.to_string());
        let headers = response.headers_mut();
        if *self == Self::Method {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        }
        response
    }
}

impl Complaints {
    fn hear(&self, refusal: &Refusal) {
        tracing::debug!("refused a webhook: {refusal}");
        if *refusal != Refusal::Signature {
            return;
        }
        let n_since = self.n_since.fetch_add(1, Ordering::Relaxed) + 1;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            *last = Some(Instant::now());
            self.n_since.store(0, Ordering::Relaxed);
            tracing::warn!(
                "refused {n_since} webhooks that are not signed with the secret; if they are \
                 GitHub's, its webhook has another secret than `webhook_secret_file`"
            );
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Reads a body, up to what its head says, or to what is the most of all.
async fn read(mut body: Incoming, length: Option<usize>) -> Result<Bytes, Refusal> {
    let mut bytes = BytesMut::new();
    let max = length.unwrap_or(BODY_BYTES_MAX);
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| Refusal::Broken)?.into_data().unwrap_or_default();
        if bytes.len() + data.len() > max {
            return Err(Refusal::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

fn content_length(head: &HeaderMap) -> Result<Option<usize>, Refusal> {
    let Some(value) = head.get(CONTENT_LENGTH) else { return Ok(None) };
    let length: Option<usize> = value.to_str().ok().and_then(|value| value.trim().parse().ok());
    match length {
        Some(length) if length <= BODY_BYTES_MAX => Ok(Some(length)),
        Some(_) | None => Err(Refusal::TooLarge),
    }
}

/// The one signature of a request. Two are as bad as none: which one would count?
fn signature(head: &HeaderMap) -> Option<Signature> {
    let mut values = head.get_all(SIGNATURE_HEADER).iter();
    let value = values.next()?;
    values.next().is_none().then(|| Signature::parse(value.as_bytes()))?
}

/// The one word that a header holds.
fn word<'a>(head: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let value = head.get(name).and_then(|value| value.to_str().ok());
    value
        .filter(|word| (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(is_plain))
        .ok_or(Refusal::Header(name))
}

fn is_json(head: &HeaderMap) -> bool {
    let value = head.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}
