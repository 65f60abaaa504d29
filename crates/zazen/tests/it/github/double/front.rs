//! The server that zazen talks to: it records, checks, lets things go wrong, and hands on.
//!
//! It speaks hyper's own way, as only so an answer can be lost: a connection that ends
//! without one.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::description::{Description, Matched};
use super::faults::{Fault, bad_gateway};
use super::shared::{Cx, Shared};
use super::state::{Call, Holder};
use super::wire::{Ask, Reply};
use super::{access, answers, effects, git};

/// How many requests an hour a token has.
const HOURLY_MAX: u64 = 5000;

/// The connection ends here, without an answer.
#[derive(Debug)]
pub(super) struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is lost on purpose")
    }
}

impl std::error::Error for Lost {}

/// Serves until the runtime ends.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { serve_one(&shared, request).await }
            });
            let server = hyper::server::conn::http1::Builder::new();
            // A client that goes away is its own business.
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn serve_one(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let headers = head.headers.iter();
    let ask = Ask {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into()))
            .collect(),
        body,
    };
    // Whoever asked may be killed meanwhile. What was asked is done all the same, to its end.
    let shared = shared.clone();
    let whole = async move { recorded(&shared, ask).await };
    let reply = tokio::runtime::Handle::current().spawn(whole).await;
    let reply = reply.ok().flatten().ok_or(Lost)?;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        if !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection") {
            response = response.header(name, value);
        }
    }
    response.body(Full::new(reply.body)).map_err(|_| Lost)
}

/// Answers one of zazen's requests, with what was planned to go wrong.
async fn recorded(shared: &Arc<Shared>, ask: Ask) -> Option<Reply> {
    let git_ask = git::parse(&ask);
    let matched = Description::get().find(&ask.path);
    let template = match (&git_ask, &matched) {
        (Some(git), _) => git.template.clone(),
        (None, Some(matched)) => matched.template.clone(),
        (None, None) => "unknown".to_owned(),
    };
    if git_ask.is_none() {
        let found = Description::get().check_request(&ask, matched.as_ref());
        shared.state().violations.extend(found);
    }
    let index = record(shared, &ask, &template);
    let fault = shared.next_fault(ask.method.as_str(), &template);
    if let Some(Fault::Slow(wait)) = &fault {
        tokio::time::sleep(*wait).await;
    }
    if fault == Some(Fault::Unheard) {
        return None;
    }
    let refused = fault.as_ref().and_then(Fault::refusal);
    let reply = match (refused, git_ask) {
        (Some(refusal), _) => refusal,
        (None, Some(git)) => answer_git(shared, &ask, &git).await,
        (None, None) => answer_api(shared, &ask, matched).await,
    };
    match fault {
        Some(Fault::ReplyLost) => None,
        Some(Fault::BadGatewayAfter) => {
            shared.state().calls[index].status = 502;
            Some(bad_gateway())
        }
        _ => {
            shared.state().calls[index].status = reply.status;
            Some(reply)
        }
    }
}

fn record(shared: &Shared, ask: &Ask, template: &str) -> usize {
    let mut state = shared.state();
    let token = access::token_of(ask);
    let who = match access::holder_of(&state, token.as_deref()) {
        Ok((holder, _)) => holder.shown(),
        Err(_) if token.is_none() => "nobody".to_owned(),
        Err(_) => "a bad token".to_owned(),
    };
    state.calls.push(Call {
        method: ask.method.to_string(),
        path: ask.path.clone(),
        query: ask.query.clone(),
        template: template.to_owned(),
        body: ask.value(),
        who,
        status: 0,
    });
    state.calls.len() - 1
}

/// Answers a request to the API as GitHub does, limits and conditions included.
pub(super) async fn answer_api(shared: &Arc<Shared>, ask: &Ask, matched: Option<Matched>) -> Reply {
    let token = access::token_of(ask);
    let mut reply = answer_holder(shared, ask, matched, token.as_deref()).await;
    let token = token.unwrap_or_default();
    let is_same = add_condition(ask, &token, &mut reply);
    add_limits(shared, &token, is_same, &mut reply);
    reply
}

async fn answer_holder(
    shared: &Arc<Shared>,
    ask: &Ask,
    matched: Option<Matched>,
    token: Option<&str>,
) -> Reply {
    let Some(at) = matched else { return Reply::error(404, "Not Found") };
    // These need nobody, as on GitHub.
    let is_open = matches!(
        &*at.template,
        "/app-manifests/{code}/conversions" | "/meta" | "/users/{username}"
    );
    let held = access::holder_of(&shared.state(), token);
    let (holder, inner) = match held {
        Ok(held) => held,
        Err(_) if is_open && token.is_none() => (Holder::App, String::new()),
        Err(refusal) => return refusal,
    };
    if !is_open && let Err(refusal) = access::check(&shared.state(), &holder, &ask.method, &at) {
        return refusal;
    }
    let cx = Cx { shared, holder, inner, ask, at };
    // What an effect is made of is read before it, so one at a time.
    let _turn = if ask.method == Method::GET { None } else { Some(shared.turn.lock().await) };
    let before = effects::before(&cx).await;
    let reply = answers::answer(&cx).await;
    if reply.is_success() && ask.method != Method::GET {
        effects::after(&cx, &before, &reply).await;
    }
    reply
}

/// Adds an `ETag` that depends on the token, as GitHub's do, and answers 304 to its own.
fn add_condition(ask: &Ask, token: &str, reply: &mut Reply) -> bool {
    if ask.method != Method::GET || reply.status != 200 {
        return false;
    }
    let mut hash = blake3::Hasher::new();
    hash.update(token.as_bytes()).update(&reply.body);
    let etag = format!("W/\"{}\"", hash.finalize().to_hex());
    let is_same = ask.header("if-none-match").is_some_and(|known| known.contains(&etag));
    if is_same {
        *reply = Reply::empty(304);
    }
    reply.set("etag", &etag);
    reply.set("cache-control", "private, max-age=60, s-maxage=60");
    reply.set("vary", "Accept, Authorization, Cookie, X-GitHub-OTP");
    is_same
}

/// Tells the limits of the token. What has not changed since is free.
fn add_limits(shared: &Shared, token: &str, is_free: bool, reply: &mut Reply) {
    let mut state = shared.state();
    let used = state.used.entry(token.to_owned()).or_default();
    *used += u64::from(!is_free);
    let (used, reset) = (*used, jiff::Timestamp::now().as_second() + 3600);
    drop(state);
    for (name, value) in [
        ("x-ratelimit-limit", HOURLY_MAX.to_string()),
        ("x-ratelimit-remaining", HOURLY_MAX.saturating_sub(used).to_string()),
        ("x-ratelimit-used", used.to_string()),
        ("x-ratelimit-reset", reset.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-github-api-version-selected", "2022-11-28".to_owned()),
    ] {
        if reply.header(name).is_none() {
            reply.set(name, &value);
        }
    }
}

async fn answer_git(shared: &Arc<Shared>, ask: &Ask, git_ask: &git::GitAsk) -> Reply {
    let token = access::token_of(ask);
    let held = access::holder_of(&shared.state(), token.as_deref());
    let holder = match held {
        Ok((holder, _)) => Some(holder),
        Err(_) if token.is_none() => None,
        Err(mut refusal) => {
            refusal.set("www-authenticate", "Basic realm=\"GitHub\"");
            return refusal;
        }
    };
    if let Err(refusal) = git::check(&shared.state(), holder.as_ref(), git_ask) {
        return refusal;
    }
    let is_app = holder.as_ref().is_some_and(Holder::is_app);
    if !git::carries_push(ask) {
        return shared.git_backend(ask.clone(), is_app).await;
    }
    let _turn = shared.turn.lock().await;
    let before = shared.git.heads(&git_ask.owner, super::state::NAME);
    let reply = shared.git_backend(ask.clone(), is_app).await;
    let after = shared.git.heads(&git_ask.owner, super::state::NAME);
    let login = holder.as_ref().map_or("ghost", Holder::login).to_owned();
    for moved in git::moved(&before, &after) {
        effects::branch_moved(shared, &login, &git_ask.owner, &moved).await;
    }
    reply
}
