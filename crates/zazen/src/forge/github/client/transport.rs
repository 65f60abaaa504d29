//! Sends calls and judges what comes back.
//!
//! A look may be repeated a few times; an act is sent once, and its error says
//! whether something may have happened. Nothing is followed to another place,
//! nothing compressed is taken, and every answer has a limit of size and time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap,
    HeaderValue, IF_NONE_MATCH, LINK, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use url::Url;
use zazen_core::id::Time;

use super::call::{Call, Kind};
use super::error::{self, CallError, Result};
use super::kept::{Copy, Kept};
use super::pace::{Heard, Limits};
use super::queue::Queues;
use super::token::Bearer;
use crate::http;

/// See the module.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    pub(super) api: Url,
    pub(super) queues: Queues,
    pub(super) kept: Kept,
    /// How many calls are under way at once.
    places: Semaphore,
    /// How far GitHub's clock is ahead of ours, in milliseconds, as its last answer said.
    ahead: AtomicI64,
}

/// A good answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) body: Bytes,
    /// The address of the next page. Only its query is ever used.
    pub(super) next: Option<Url>,
    pub(super) etag: Option<String>,
    /// The caller's etag still holds, and there is no body.
    pub(super) is_unchanged: bool,
    /// How long to wait before the next poll, if GitHub says so.
    pub(super) poll_after: Option<Duration>,
    /// Where the answer itself is, for the calls that lead elsewhere.
    pub(super) elsewhere: Option<Url>,
}

/// How long GitHub may think. It gives up itself after ten seconds.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer may take to come, once it has begun.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// How large an answer may be. A page of a hundred long comments fits.
pub(super) const BODY_BYTES_MAX: usize = 8 << 20;

/// How many calls may be under way at once; GitHub allows a hundred.
const PLACES: usize = 8;

/// How long a call waits for one of them: as long as those before it may take.
const PLACE_TIMEOUT: Duration = Duration::from_secs(90);

/// How often a look is sent in all, and the waits in between.
const TRIES_MAX: usize = 3;
const TRY_WAITS: [Duration; TRIES_MAX - 1] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The version of the API that the calls are written for.
const API_VERSION: &str = "2022-11-28";

/// The clocks' difference is never believed beyond a day.
const AHEAD_MAX: i64 = 86_400_000;

impl Transport {
    pub(super) fn new(api: Url, limits: Limits) -> anyhow::Result<Self> {
        check_api(&api)?;
        let http = client(&api)?;
        let queues = Queues::new(limits, wall());
        Ok(Self {
            http,
            api,
            queues,
            kept: Kept::default(),
            places: Semaphore::new(PLACES),
            ahead: AtomicI64::new(0),
        })
    }

    /// Makes a call, and makes it again where that does no harm.
    pub(super) async fn exchange(&self, call: &Call, bearer: &Bearer) -> Result<Answer> {
        let url = call.url(&self.api)?;
        let mut waits = TRY_WAITS.iter();
        loop {
            let answered = self.once(call, &url, bearer).await;
            match (&answered, call.kind) {
                // Where GitHub says to wait, the queue knows for how long.
                (Err(CallError::Limited { .. } | CallError::Unreachable { .. }), Kind::Look) => {
                    let Some(wait) = waits.next() else { return answered };
                    sleep(*wait).await;
                }
                _ => return answered,
            }
        }
    }

    /// GitHub's time.
    pub(super) fn now(&self) -> Time {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Time(wall().0.saturating_add_signed(ahead))
    }

    async fn once(&self, call: &Call, url: &Url, bearer: &Bearer) -> Result<Answer> {
        let asked = self.asked(call);
        let turn = self.queues.turn(bearer.account, call.kind, call.rank).await?;
        let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(unreachable(&asked, "earlier calls hang", false));
        };
        let kept = match (&call.etag, call.kind) {
            (None, Kind::Look) => self.kept.get(bearer.serial, url),
            _ => None,
        };
        let etag = call.etag.as_deref().or(kept.as_ref().map(|copy| copy.etag.as_str()));
        let may_act = call.kind == Kind::Act;
        let response = self.send(call, url, (bearer, etag)).await;
        let response = response
            .map_err(|failed| unreachable(&asked, failed.why, may_act && failed.was_sent))?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.learn_clock(&headers);
        let body = match read(response, BODY_BYTES_MAX).await {
            Ok(body) => body,
            Err(ReadError::TooLarge) => {
                turn.hear(heard(status, &headers, b"", self.now()));
                let why = format!("{asked} is answered with more than {BODY_BYTES_MAX} bytes");
                return Err(if may_act { after(why) } else { CallError::Broken { why } });
            }
            Err(ReadError::BrokeOff) => {
                turn.hear(heard(status, &headers, b"", self.now()));
                return Err(unreachable(&asked, "the answer broke off", may_act));
            }
        };
        let heard = heard(status, &headers, &body, self.now());
        if let Some(until) = turn.hear(heard) {
            return Err(CallError::Limited { until });
        }
        drop(turn);
        let answer = Answer {
            next: next_page(&headers, &self.api),
            etag: text(&headers, "etag").map(str::to_owned),
            is_unchanged: status == StatusCode::NOT_MODIFIED,
            poll_after: number(&headers, "x-poll-interval").map(Duration::from_secs),
            elsewhere: text(&headers, "location").and_then(|text| self.api.join(text).ok()),
            body,
        };
        if status == StatusCode::NOT_MODIFIED {
            return match kept {
                Some(copy) if call.etag.is_none() => Ok(answer.with(copy)),
                _ if call.etag.is_some() => Ok(answer),
                _ => Err(error::of_status(304, &asked, "")),
            };
        }
        if status == StatusCode::FOUND && call.kind == Kind::Look && answer.elsewhere.is_some() {
            return Ok(answer);
        }
        if !status.is_success() {
            return Err(failed(status, &asked, (&answer.body, bearer), may_act));
        }
        if let (Some(etag), None, Kind::Look) = (&answer.etag, &call.etag, call.kind) {
            let copy =
                Copy { etag: etag.clone(), body: answer.body.clone(), next: answer.next.clone() };
            self.kept.put(bearer.serial, url, copy);
        }
        Ok(Answer { elsewhere: None, ..answer })
    }

    /// What the call is called in messages.
    pub(super) fn asked(&self, call: &Call) -> String {
        error::asked(&call.method, &call.path(), self.api.host_str().unwrap_or_default())
    }

    async fn send(
        &self,
        call: &Call,
        url: &Url,
        (bearer, etag): (&Bearer, Option<&str>),
    ) -> std::result::Result<Response, SendError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert("x-github-api-version", HeaderValue::from_static(API_VERSION));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("zazen/", env!("CARGO_PKG_VERSION"))),
        );
        let not_sent = |why| SendError { why, was_sent: false };
        if let Some(secret) = &bearer.secret {
            let word = format!("Bearer {}", secret.expose());
            let mut value = HeaderValue::from_str(&word)
                .map_err(|_| not_sent("the token has characters that no token has"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        let mut request = self.http.request(call.method.clone(), url.clone()).headers(headers);
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        match timeout(HEAD_TIMEOUT, request.send()).await {
            Err(_) => Err(SendError { why: "there was no answer in time", was_sent: true }),
            Ok(Err(err)) if err.is_connect() => Err(not_sent("no connection can be made")),
            Ok(Err(err)) if err.is_builder() => Err(not_sent("it cannot be sent like that")),
            Ok(Err(_)) => Err(SendError { why: "the connection broke", was_sent: true }),
            Ok(Ok(response)) if response.headers().contains_key(CONTENT_ENCODING) => {
                Err(SendError { why: "the answer is compressed, unasked", was_sent: true })
            }
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// Fetches what another host holds for us, without a word of who we are: the end of it.
    pub(super) async fn fetch_elsewhere(&self, url: &Url, n_bytes: usize) -> Result<Bytes> {
        let host = error::short(url.host_str().unwrap_or_default());
        let what = format!("a file at `{host}`");
        if !http::may_carry_secrets(url) || !url.username().is_empty() {
            return Err(CallError::Broken { why: format!("{what} is offered without encryption") });
        }
        let sent = timeout(HEAD_TIMEOUT, self.http.get(url.clone()).send()).await;
        let Ok(Ok(response)) = sent else { return Err(unreachable(&what, "no answer", false)) };
        if !response.status().is_success() {
            return Err(error::of_status(response.status().as_u16(), &what, ""));
        }
        match timeout(BODY_TIMEOUT, read_end(response, n_bytes)).await {
            Ok(Some(end)) => Ok(end),
            Ok(None) | Err(_) => Err(unreachable(&what, "it broke off", false)),
        }
    }

    fn learn_clock(&self, headers: &HeaderMap) {
        let date = text(headers, DATE.as_str());
        let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
            return;
        };
        let ours = i64::try_from(wall().0).unwrap_or(i64::MAX);
        let ahead = date.timestamp().as_millisecond().saturating_sub(ours);
        // The header has whole seconds, and an answer takes a moment: that is no difference.
        let ahead = if ahead.abs() < 5_000 { 0 } else { ahead.clamp(-AHEAD_MAX, AHEAD_MAX) };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Answer {
    /// The answer that was kept, with what is new in this one.
    fn with(self, copy: Copy) -> Self {
        let Copy { etag, body, next } = copy;
        Self { body, next, etag: Some(etag), is_unchanged: false, ..self }
    }
}

/// A call got no answer.
struct SendError {
    why: &'static str,
    was_sent: bool,
}

enum ReadError {
    TooLarge,
    BrokeOff,
}

/// Refuses an address to which no token may be sent.
pub(super) fn check_api(api: &Url) -> anyhow::Result<()> {
    anyhow::ensure!(
        api.username().is_empty()
            && api.password().is_none()
            && api.query().is_none()
            && api.fragment().is_none(),
        "`github.api` holds a login or a query; write it like `https://HOST/api/v3`"
    );
    anyhow::ensure!(
        http::may_carry_secrets(api),
        "`github.api` is not `https://…`; a token is sent in the clear to this machine only"
    );
    Ok(())
}

fn client(api: &Url) -> anyhow::Result<reqwest::Client> {
    let builder = http::client(api.scheme() == "http");
    builder.build().context("make the client for GitHub")
}

/// The error of an answer that is not one of success. No token is in it, should it be echoed.
fn failed(
    status: StatusCode,
    asked: &str,
    (body, bearer): (&Bytes, &Bearer),
    may_act: bool,
) -> CallError {
    if status.is_server_error() {
        let why = format!("{asked}: GitHub has trouble (status {})", status.as_u16());
        return CallError::Unreachable { why, may_have_acted: may_act };
    }
    let mut said = said(body);
    if let Some(secret) = &bearer.secret {
        said = said.replace(secret.expose(), "…");
    }
    error::of_status(status.as_u16(), asked, &said)
}

fn unreachable(asked: &str, why: &str, may_have_acted: bool) -> CallError {
    let also = if may_have_acted { "; it may have been done all the same" } else { "" };
    CallError::Unreachable { why: format!("{asked}: {why}{also}"), may_have_acted }
}

/// The error of an act that GitHub did, as far as we can tell.
pub(super) fn after(why: String) -> CallError {
    CallError::Unreachable { why, may_have_acted: true }
}

async fn read(mut response: Response, n_bytes_max: usize) -> std::result::Result<Bytes, ReadError> {
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| ReadError::BrokeOff)? {
            if body.len() + chunk.len() > n_bytes_max {
                return Err(ReadError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    timeout(BODY_TIMEOUT, whole).await.unwrap_or(Err(ReadError::BrokeOff))
}

/// Reads a file and keeps its end, which is where what failed is said.
async fn read_end(mut response: Response, n_bytes: usize) -> Option<Bytes> {
    let mut end = BytesMut::new();
    loop {
        let Some(chunk) = response.chunk().await.ok()? else { break };
        end.extend_from_slice(&chunk);
        if end.len() > 2 * n_bytes {
            let rest = end.split_off(end.len() - n_bytes);
            end = rest;
        }
    }
    let n_over = end.len().saturating_sub(n_bytes);
    Some(end.freeze().slice(n_over..))
}

/// What an answer says of limits.
fn heard(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Time) -> Heard {
    let left = number(headers, "x-ratelimit-remaining");
    let reset = number(headers, "x-ratelimit-reset");
    let hour = left.zip(reset).map(|(left, reset)| {
        let limit = number(headers, "x-ratelimit-limit").unwrap_or(left);
        (limit, left, reset.saturating_mul(1_000).saturating_sub(now.0))
    });
    let wait = number(headers, RETRY_AFTER.as_str()).map(|seconds| seconds.saturating_mul(1_000));
    let is_refused = match status.as_u16() {
        429 => true,
        403 => wait.is_some() || left == Some(0) || speaks_of_limits(body),
        503 => wait.is_some(),
        _ => false,
    };
    Heard { is_refused, wait, hour }
}

fn speaks_of_limits(body: &[u8]) -> bool {
    let said = said(body).to_ascii_lowercase();
    said.contains("rate limit") || said.contains("abuse detection")
}

/// What GitHub says of an error: its message, and the first reasons.
fn said(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else {
        return String::new();
    };
    let message = value.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
    let errors = value.get("errors").and_then(serde_json::Value::as_array);
    let reasons = errors.into_iter().flatten().take(3).filter_map(|error| {
        let text = |key: &str| error.get(key).and_then(serde_json::Value::as_str);
        let whole = error.as_str().or_else(|| text("message"));
        whole
            .map(str::to_owned)
            .or_else(|| Some(format!("{} {}", text("field").unwrap_or_default(), text("code")?)))
    });
    let all: Vec<String> = std::iter::once(message.to_owned()).chain(reasons).collect();
    error::short(&all.join("; "))
}

fn next_page(headers: &HeaderMap, api: &Url) -> Option<Url> {
    let links = text(headers, LINK.as_str())?;
    let link = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let (_, rest) = link.split_once('<')?;
    api.join(rest.split_once('>')?.0).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

fn wall() -> Time {
    let millis = jiff::Timestamp::now().as_millisecond();
    Time(u64::try_from(millis).unwrap_or(0))
}
