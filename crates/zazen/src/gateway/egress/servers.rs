//! Servers of tools that are services: the Model Context Protocol over HTTP.
//!
//! A run names a server, and the gateway speaks to the one address that its owner has
//! written, with the key. Nothing of the path, of a query or of credentials goes out, and
//! no redirect is followed. Calls of tools that are not on the owner's list are answered
//! here. Each request is in the egress log, and its bytes count as those to hosts do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use url::Url;

use super::flow::{Direction, End, Flow};
use super::{Denied, Egress};
use crate::gateway::call::unless_over;
use crate::gateway::forward::{Cut, Pipe, Reply};
use crate::gateway::secret::{Screen, Secret};
use crate::gateway::serve::Door;
use crate::http;

/// A server of tools that is reached through the gateway.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where it is, as a whole.
    pub url: Url,
    pub key: Option<Secret>,
    /// The only tools that may be called. Empty means all.
    pub tools: BTreeSet<String>,
}

/// All servers, and what they are asked with.
#[derive(Debug)]
pub(in crate::gateway) struct Servers {
    all: BTreeMap<String, Server>,
    client: reqwest::Client,
}

/// How paths to servers begin.
pub(in crate::gateway) const PATHS: &str = "/mcp/";

/// How large a message to a server may be.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// How large a list of tools may be, where it has to be read.
const LIST_BYTES_MAX: usize = 4 << 20;

/// How long a message may take to arrive from the run.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a server may say nothing. Tools may take minutes.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(600);

/// How long a run may leave what a server says unread before it counts as gone.
const STALL_TIMEOUT: Duration = Duration::from_secs(300);

/// How many pieces of an answer may wait for a run that reads slowly.
const FRAMES_MAX: usize = 4;

/// The headers that go out as they came, and those that come back.
const FORWARDED: [&str; 5] =
    ["accept", "content-type", "last-event-id", "mcp-protocol-version", "mcp-session-id"];
const RETURNED: [&str; 3] = ["content-type", "mcp-session-id", "retry-after"];

/// What a server that is asked for what it has not got answers, by the protocol.
const INVALID_PARAMS: i64 = -32602;

/// What this gateway answers in the protocol's words when it says no.
const REFUSED: i64 = -32000;

/// Why a server was not asked, or did not answer.
#[derive(Debug, thiserror::Error)]
enum No {
    #[error("this is not the token of this run, or the run is over (rule `run-token`)")]
    Token,
    #[error("this run has no such server (rule `mcp`)")]
    Name,
    #[error("a server takes POST, GET and DELETE (rule `mcp`)")]
    Method,
    #[error("the message is larger than {MESSAGE_BYTES_MAX} bytes (rule `request-size`)")]
    TooLarge,
    #[error("the message is not what the protocol has: {0} (rule `mcp`)")]
    Message(&'static str),
    #[error("{0}")]
    Denied(Denied),
    #[error("the server cannot be reached")]
    Unreachable,
    #[error("the server did not answer: {0}")]
    Answer(&'static str),
    #[error("the gateway failed at this request")]
    Bug,
}

/// A request that may go out.
struct Asked {
    name: String,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    /// It asks which tools there are, and not all of them are for agents.
    is_list: bool,
}

type Head = oneshot::Sender<Result<Response<Reply>, No>>;

impl Servers {
    pub(in crate::gateway) fn new(all: BTreeMap<String, Server>) -> anyhow::Result<Self> {
        for (name, server) in &all {
            if let Some(key) = &server.key {
                anyhow::ensure!(
                    !key.expose().is_empty() && HeaderValue::from_str(key.expose()).is_ok(),
                    "the key of the server `{name}` is empty or has characters that no key has"
                );
            }
        }
        let is_plain = all.values().all(|server| server.url.scheme() == "http");
        let client = http::client(is_plain).read_timeout(SILENCE_TIMEOUT).build();
        let client = client.context("make the client for servers of tools")?;
        Ok(Self { all, client })
    }
}

/// Answers one request to a server.
pub(in crate::gateway) async fn answer(
    door: &Arc<Door>,
    head: &Parts,
    body: Incoming,
) -> Response<Reply> {
    match pass(door, head, body).await {
        Ok(response) => response,
        Err(no) => {
            tracing::info!(run = %door.grant.run, "refused a request to a server: {no}");
            let error = json!({ "code": REFUSED, "message": format!("zazen gateway: {no}") });
            say(no.status(), &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
        }
    }
}

async fn pass(door: &Arc<Door>, head: &Parts, body: Incoming) -> Result<Response<Reply>, No> {
    if !door.lets_to_hosts(head) {
        return Err(No::Token);
    }
    let name = head.uri.path().strip_prefix(PATHS).unwrap_or_default();
    let is_given = door.grant.outside.servers.iter().any(|given| given == name);
    let server = door.shared.servers.all.get(name).filter(|_| is_given).ok_or(No::Name)?;
    if ![Method::POST, Method::GET, Method::DELETE].contains(&head.method) {
        return Err(No::Method);
    }
    let body =
        timeout(MESSAGE_TIMEOUT, read(body)).await.map_err(|_| No::Message("it is slow"))??;
    let message = check(&head.method, &body)?;
    if let Some(refused) = refuse_tool(server, &message) {
        return Ok(refused);
    }
    let forwarded = FORWARDED
        .iter()
        .filter_map(|name| Some((HeaderName::from_static(name), head.headers.get(*name)?.clone())));
    let asked = Asked {
        name: name.to_owned(),
        method: head.method.clone(),
        headers: forwarded.collect(),
        body,
        is_list: message["method"] == "tools/list" && !server.tools.is_empty(),
    };
    let (sender, answered) = oneshot::channel();
    door.spawn(run(Arc::clone(door), asked, sender));
    answered.await.unwrap_or(Err(No::Bug))
}

async fn read(mut body: Incoming) -> Result<Bytes, No> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_| No::Message("it broke off"))?.into_data().unwrap_or_default();
        if bytes.len() + data.len() > MESSAGE_BYTES_MAX {
            return Err(No::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// The message of a request, if it is one. Only what is posted has any.
fn check(method: &Method, body: &Bytes) -> Result<Value, No> {
    if *method != Method::POST {
        return if body.is_empty() { Ok(Value::Null) } else { Err(No::Message("it has a body")) };
    }
    let message: Value = serde_json::from_slice(body).map_err(|_| No::Message("it is no JSON"))?;
    // The protocol has no batches any more; one could hide a call.
    if message.is_object() { Ok(message) } else { Err(No::Message("it is not one object")) }
}

/// The answer to a call of a tool that is not for agents.
fn refuse_tool(server: &Server, message: &Value) -> Option<Response<Reply>> {
    let tool = message["params"]["name"].as_str().unwrap_or_default();
    let is_fine = server.tools.is_empty() || server.tools.contains(tool);
    if message["method"] != "tools/call" || is_fine {
        return None;
    }
    let why = format!("the tool `{tool}` is not among those that agents may use here");
    let error = json!({ "code": INVALID_PARAMS, "message": why });
    let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "error": error });
    Some(say(StatusCode::OK, &answer))
}

/// The life of one request, from the note in the log to its end there.
async fn run(door: Arc<Door>, asked: Asked, head: Head) {
    let Some(server) = door.shared.servers.all.get(&asked.name) else { return };
    let began = Instant::now();
    let egress = &door.egress;
    let n = match egress.note(&asked, &server.url).await {
        Ok(n) => n,
        Err(denied) => {
            drop(head.send(Err(No::Denied(denied))));
            return;
        }
    };
    let flow = Flow::new(&egress.allowance);
    let carried = carry(&door, (server, &asked), &flow, head);
    let end = door.stop.run_until_cancelled(carried).await.unwrap_or(End::RunOver);
    egress.log.ended(n, &flow, began.elapsed(), end).await;
}

impl Egress {
    /// Notes that a server is asked. It is on the disk when this returns.
    async fn note(&self, asked: &Asked, url: &Url) -> Result<u64, Denied> {
        if self.allowance.is_spent() {
            return Err(Denied::Spent);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let authority = format!("{}:{port}", url.host_str().unwrap_or_default());
        let rule = format!("mcp.{}", asked.name);
        self.log.asked(asked.method.as_str(), authority, rule).await
    }
}

async fn carry(
    door: &Door,
    (server, asked): (&Server, &Asked),
    flow: &Flow<'_>,
    mut head: Head,
) -> End {
    if flow.take(Direction::Up, asked.body.len()).is_err() {
        drop(head.send(Err(No::Denied(Denied::Spent))));
        return End::Spent;
    }
    let asking = ask(&door.shared.servers.client, server, asked);
    let response = match unless_over(door, head.closed(), asking).await {
        None => return End::Broken,
        Some(Err(no)) => {
            drop(head.send(Err(no)));
            return End::Unreachable;
        }
        Some(Ok(response)) => response,
    };
    let (frames, pipe) = mpsc::channel(FRAMES_MAX);
    let mut answer = Response::new(Reply::Right(Pipe(pipe)));
    *answer.status_mut() = response.status();
    let returned = RETURNED.iter().filter_map(|name| {
        Some((HeaderName::from_static(name), response.headers().get(*name)?.clone()))
    });
    *answer.headers_mut() = returned.collect();
    drop(head.send(Ok(answer)));
    let screen = Screen::new(server.key.as_ref());
    let end = if asked.is_list {
        hand_on_list(door, server, response, (&frames, flow, screen)).await
    } else {
        hand_on(door, response, (&frames, flow, screen)).await
    };
    if end != End::Closed {
        drop(timeout(STALL_TIMEOUT, frames.send(Err(Cut))).await);
    }
    end
}

async fn ask(
    client: &reqwest::Client,
    server: &Server,
    asked: &Asked,
) -> Result<reqwest::Response, No> {
    let mut headers = asked.headers.clone();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(key) = &server.key {
        let value = format!("Bearer {}", key.expose());
        let mut value = HeaderValue::from_str(&value).map_err(|_| No::Bug)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let request = client.request(asked.method.clone(), server.url.clone()).headers(headers);
    let request = if asked.body.is_empty() { request } else { request.body(asked.body.clone()) };
    let response = request.send().await.map_err(|err| {
        let host = server.url.host_str().unwrap_or_default().to_owned();
        let is_connect = err.is_connect();
        let err = anyhow::Error::new(err.without_url());
        tracing::warn!(host, "a request to a server failed: {err:#}");
        if is_connect { No::Unreachable } else { No::Answer("the connection broke") }
    })?;
    let is_encoded =
        response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    match response.status() {
        _ if is_encoded => Err(No::Answer("it sent what was not asked for, compressed")),
        status if status.is_redirection() => Err(No::Answer("it redirects; fix its `url`")),
        status if status.is_informational() => Err(No::Answer("it wants another protocol")),
        _ => Ok(response),
    }
}

type Out<'a> = (&'a mpsc::Sender<Result<Bytes, Cut>>, &'a Flow<'a>, Screen);

/// Hands the answer on, piece by piece.
async fn hand_on(
    door: &Door,
    response: reqwest::Response,
    (out, flow, mut screen): Out<'_>,
) -> End {
    let mut stream = response.bytes_stream();
    loop {
        let (piece, is_last) = match unless_over(door, out.closed(), stream.next()).await {
            None | Some(Some(Err(_))) => return End::Broken,
            Some(Some(Ok(piece))) => (screen.push(piece), false),
            Some(None) => (screen.finish(), true),
        };
        if flow.take(Direction::Down, piece.len()).is_err() {
            return End::Spent;
        }
        if !piece.is_empty() && send(out, piece).await.is_err() {
            return End::Broken;
        }
        if is_last {
            return End::Closed;
        }
    }
}

/// Hands on a list of tools, with those that are for agents.
async fn hand_on_list(
    door: &Door,
    server: &Server,
    response: reqwest::Response,
    (out, flow, mut screen): Out<'_>,
) -> End {
    let mut stream = response.bytes_stream();
    let mut whole = BytesMut::new();
    loop {
        match unless_over(door, out.closed(), stream.next()).await {
            Some(Some(Ok(piece))) if whole.len() + piece.len() <= LIST_BYTES_MAX => {
                whole.extend_from_slice(&screen.push(piece));
            }
            Some(None) => break,
            Some(Some(_)) | None => return End::Broken,
        }
        if flow.take(Direction::Down, 0).is_err() {
            return End::Spent;
        }
    }
    whole.extend_from_slice(&screen.finish());
    if flow.take(Direction::Down, whole.len()).is_err() {
        return End::Spent;
    }
    let cut = cut_list(&server.tools, &String::from_utf8_lossy(&whole));
    if send(out, cut.into()).await.is_err() { End::Broken } else { End::Closed }
}

async fn send(out: &mpsc::Sender<Result<Bytes, Cut>>, piece: Bytes) -> Result<(), ()> {
    match timeout(STALL_TIMEOUT, out.send(Ok(piece))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

/// An answer with only the tools on the list, whether it is JSON or events that hold it.
fn cut_list(only: &BTreeSet<String>, text: &str) -> String {
    let cut = |text: &str| -> Option<String> {
        let mut message: Value = serde_json::from_str(text).ok()?;
        let tools = message.pointer_mut("/result/tools")?.as_array_mut()?;
        tools.retain(|tool| tool["name"].as_str().is_some_and(|name| only.contains(name)));
        Some(message.to_string())
    };
    if let Some(cut) = cut(text) {
        return cut;
    }
    let lines = text.split_inclusive('\n').map(|line| {
        let data = line.strip_prefix("data:").and_then(|data| cut(data.trim()));
        data.map_or_else(|| line.to_owned(), |data| format!("data: {data}\n"))
    });
    lines.collect()
}

fn say(status: StatusCode, message: &Value) -> Response<Reply> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(message.to_string()))));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

impl No {
    fn status(&self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Name => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Message(_) => StatusCode::BAD_REQUEST,
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::Unreachable | Self::Answer(_) => StatusCode::BAD_GATEWAY,
            Self::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[cfg(test)]
mod tests;
