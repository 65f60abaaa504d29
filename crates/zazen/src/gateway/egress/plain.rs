//! Hands on one plain HTTP request and its answer.
//!
//! What goes out is built here: a method, a path, the authority that was
//! checked, and headers from a list, so that no credential, no cookie and no
//! second reading of the request leaves. The answer comes back without cookies
//! and without anything that is between two neighbours only.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use zazen_core::host::Way;

use super::flow::{Direction, End, Flow};
use super::head::Head;
use super::wanted::Wanted;
use super::{Denied, Times, refuse};

/// The headers that go out as they came. Everything else stays here.
const FORWARDED: [&str; 11] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "pragma",
    "range",
    "user-agent",
];

/// The headers of an answer that stay here: those between neighbours, those that
/// are made anew, and cookies.
const KEPT_BACK: [&str; 12] = [
    "alt-svc",
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How much of a head is read from a host, in bytes.
const ANSWER_HEAD_BYTES_MAX: usize = 64 << 10;

/// How the end of an answer is known to the client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// By its length, which stands in a header; or there is no body.
    Length,
    Chunked,
    /// By the end of the connection, for clients of HTTP/1.0.
    Close,
}

/// Asks the host and hands its answer on.
pub(super) async fn forward(
    mut client: UnixStream,
    host: TcpStream,
    head: &Head,
    (wanted, flow, times): (&Wanted, &Flow<'_>, &Times),
) -> End {
    let mut connections = JoinSet::new();
    let asked = ask(host, head, (wanted, flow, times), &mut connections);
    let response =
        match timeout(times.idle, asked).await.unwrap_or(Err((Denied::Silent, End::Idle))) {
            Ok(response) => response,
            Err((denied, end)) => {
                refuse(&mut client, &denied).await;
                return end;
            }
        };
    hand_on(client, response, head, (wanted, flow, times)).await.err().unwrap_or(End::Closed)
}

async fn ask(
    host: TcpStream,
    head: &Head,
    (wanted, flow, _): (&Wanted, &Flow<'_>, &Times),
    connections: &mut JoinSet<()>,
) -> Result<Response<Incoming>, (Denied, End)> {
    let request = request(head, wanted).ok_or((Denied::Head("its path is none"), End::Closed))?;
    let n_bytes = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    let n_bytes = wanted.path.len() + n_bytes.sum::<usize>();
    flow.take(Direction::Up, n_bytes).map_err(|end| (Denied::Spent, end))?;
    let broken = |_| (Denied::BadAnswer, End::Broken);
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(ANSWER_HEAD_BYTES_MAX)
        .handshake(TokioIo::new(host))
        .await
        .map_err(broken)?;
    connections.spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await.map_err(broken)?;
    // What it wants to become is nothing that was asked for.
    if response.status().is_informational() {
        return Err((Denied::BadAnswer, End::Broken));
    }
    Ok(response)
}

fn request(head: &Head, wanted: &Wanted) -> Option<Request<Empty<Bytes>>> {
    let method = if wanted.is_head { Method::HEAD } else { Method::GET };
    let authority = wanted.authority.to_string();
    // Some hosts do not know themselves with the usual port.
    let usual = format!(":{}", Way::Plain.port());
    let host = authority.strip_suffix(&usual).unwrap_or(&authority);
    let mut request = Request::builder()
        .method(method)
        .uri(&wanted.path)
        .header(HOST, host)
        .header("connection", "close");
    for (name, value) in &head.headers {
        if FORWARDED.contains(&name.as_str()) {
            request = request.header(name, value);
        }
    }
    request.body(Empty::new()).ok()
}

async fn hand_on(
    client: UnixStream,
    response: Response<Incoming>,
    head: &Head,
    (wanted, flow, times): (&Wanted, &Flow<'_>, &Times),
) -> Result<(), End> {
    let (answer, framing) = answer(&response, head, wanted);
    let mut client = BufWriter::new(client);
    let mut body = response.into_body();
    flow.take(Direction::Down, answer.len())?;
    within(times, client.write_all(&answer)).await?;
    while let Some(frame) = timeout(times.idle, body.frame()).await.map_err(|_| End::Idle)? {
        let data = frame.map_err(|_| End::Broken)?.into_data().unwrap_or_default();
        flow.take(Direction::Down, data.len())?;
        if data.is_empty() {
            continue;
        }
        if framing == Framing::Chunked {
            let size = format!("{:x}\r\n", data.len());
            within(times, client.write_all(size.as_bytes())).await?;
        }
        within(times, client.write_all(&data)).await?;
        if framing == Framing::Chunked {
            within(times, client.write_all(b"\r\n")).await?;
        }
        within(times, client.flush()).await?;
    }
    if framing == Framing::Chunked {
        within(times, client.write_all(b"0\r\n\r\n")).await?;
    }
    within(times, client.flush()).await?;
    within(times, client.shutdown()).await
}

async fn within<T>(
    times: &Times,
    work: impl Future<Output = std::io::Result<T>>,
) -> Result<T, End> {
    match timeout(times.idle, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(End::Broken),
        Err(_) => Err(End::Idle),
    }
}

/// The head of the answer, and how its end will be known.
fn answer(response: &Response<Incoming>, head: &Head, wanted: &Wanted) -> (Vec<u8>, Framing) {
    let status = response.status();
    let mut answer =
        format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or(""))
            .into_bytes();
    let mut add = |name: &HeaderName, value: &[u8]| {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value);
        answer.extend_from_slice(b"\r\n");
    };
    for (name, value) in response.headers() {
        if !KEPT_BACK.contains(&name.as_str()) {
            add(name, value.as_bytes());
        }
    }
    let has_no_body =
        wanted.is_head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let length = response.body().size_hint().exact();
    let framing = match (length, response.headers().get(CONTENT_LENGTH)) {
        (_, length) if has_no_body => {
            if let Some(length) = length {
                add(&CONTENT_LENGTH, length.as_bytes());
            }
            Framing::Length
        }
        (Some(length), _) => {
            add(&CONTENT_LENGTH, length.to_string().as_bytes());
            Framing::Length
        }
        (None, _) if head.is_http_1_0 => Framing::Close,
        (None, _) => {
            answer.extend_from_slice(b"transfer-encoding: chunked\r\n");
            Framing::Chunked
        }
    };
    answer.extend_from_slice(b"connection: close\r\n\r\n");
    (answer, framing)
}
