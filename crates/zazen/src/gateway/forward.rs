//! Makes a call to a model's service, with the real key.
//!
//! What goes out is built here from checked parts; what comes back is a status,
//! the few headers that a harness needs, and a stream. No redirect is followed,
//! as the key would go with it, and nothing compressed is taken, as it could
//! neither be read by the meter nor bounded.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use http_body_util::{Either, Full};
use hyper::StatusCode;
use hyper::body::{Body, Frame};
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue};
use tokio::sync::mpsc;

use super::Routes;
use super::refuse::Refusal;
use super::request::Asked;
use super::route::{Api, Route};
use super::secret::Secret;
use crate::http;

/// What a run's connection is answered with: something whole, or a stream.
pub(super) type Reply = Either<Full<Bytes>, Pipe>;

/// A body that another task sends frame by frame.
#[derive(Debug)]
pub(super) struct Pipe(pub(super) mpsc::Receiver<Result<Bytes, Cut>>);

/// The stream ended before its end; the connection is cut so that the client notices.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct Cut;

/// A service has begun to answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: BoxStream<'static, Result<Bytes, String>>,
}

/// How long a service may send nothing. Answers that are not streamed come all
/// at once after ten minutes at most, which is the vendors' own limit.
const READ_IDLE_TIMEOUT: Duration = Duration::from_secs(620);

/// The headers of an answer that a harness gets to see, whole or by beginning.
const RETURNED: [&str; 5] =
    ["content-type", "retry-after", "request-id", "x-request-id", "x-should-retry"];
const RETURNED_BEGINNINGS: [&str; 4] =
    ["anthropic-ratelimit-", "x-ratelimit-", "x-codex-", "retry-after-"];

/// Anthropic's logins, unlike its keys, go out as bearer tokens and need a beta flag.
const LOGIN_BEGINNING: &str = "sk-ant-oat";
const LOGIN_BETA: &str = "oauth-2025-04-20";

impl Body for Pipe {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.0.poll_recv(context).map(|frame| frame.map(|frame| frame.map(Frame::data)))
    }
}

/// Makes the one client that all routes share.
pub(super) fn client(routes: &Routes) -> anyhow::Result<reqwest::Client> {
    let is_plain = routes.values().all(|route| route.base_url.scheme() == "http");
    let builder = http::client(is_plain).read_timeout(READ_IDLE_TIMEOUT);
    builder.build().context("make the client for the models' services")
}

/// Checks a route before any run uses it.
pub(super) fn check(name: &str, route: &Route) -> anyhow::Result<()> {
    let url = &route.base_url;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host(),
        "the base address of the route `{name}` is not an http or https address"
    );
    anyhow::ensure!(
        url.username().is_empty() && url.password().is_none() && url.query().is_none(),
        "the base address of the route `{name}` holds a login or a query; give the key as the key"
    );
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    anyhow::ensure!(
        !name.is_empty() && name.bytes().all(is_name),
        "the route `{name}` has a name of other things than letters, digits, `-` and `_`"
    );
    anyhow::ensure!(
        !route.is_login || route.api == Api::Anthropic && route.key.is_some(),
        "the route `{name}` is to use a login, which only Anthropic's API takes"
    );
    if let Some(key) = &route.key {
        // The error of the header would be fine to show, but its value is not.
        anyhow::ensure!(
            !key.expose().is_empty() && HeaderValue::from_str(key.expose()).is_ok(),
            "the key of the route `{name}` is empty or has characters that no key has"
        );
    }
    Ok(())
}

/// Makes the call and waits until the answer begins.
pub(super) async fn ask(
    client: &reqwest::Client,
    route: &Route,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let url = route.url((asked.endpoint, &asked.model), asked.query.as_deref());
    let mut headers = asked.headers.clone();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(key) = &route.key {
        sign(&mut headers, route, key)?;
    }
    let request = client.request(asked.endpoint.method(), url).headers(headers);
    let request = if asked.body.is_empty() { request } else { request.body(asked.body.clone()) };
    let response = request.send().await.map_err(|err| failed(err, route))?;
    let is_encoded =
        response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    let why = match response.status() {
        _ if is_encoded => "it sent a compressed answer that was not asked for",
        status if status.is_redirection() => "it redirects, which is not followed; fix its address",
        status if status.is_informational() => "it wants another protocol",
        _ => {
            let status = response.status();
            let mut headers = returned(response.headers());
            if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
                // The key is the gateway's. A run that tries again cannot bring a better one.
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
            let body = response.bytes_stream().map(|part| part.map_err(broken)).boxed();
            return Ok(Answer { status, headers, body });
        }
    };
    Err(Refusal::Upstream { why })
}

fn sign(headers: &mut HeaderMap, route: &Route, key: &Secret) -> Result<(), Refusal> {
    let key = key.expose();
    let is_login =
        route.api == Api::Anthropic && (route.is_login || key.starts_with(LOGIN_BEGINNING));
    let (name, value) = match route.api {
        Api::Anthropic if !is_login => ("x-api-key", key.to_owned()),
        Api::Gemini => ("x-goog-api-key", key.to_owned()),
        Api::Anthropic | Api::OpenAi => (AUTHORIZATION.as_str(), format!("Bearer {key}")),
    };
    // `check` has seen that the key is a header's value.
    let mut value = HeaderValue::from_str(&value).map_err(|_| Refusal::Bug)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    let has_beta = |value: &HeaderValue| value.to_str().is_ok_and(|v| v.contains(LOGIN_BETA));
    if is_login && !headers.get_all("anthropic-beta").iter().any(has_beta) {
        headers.append("anthropic-beta", HeaderValue::from_static(LOGIN_BETA));
    }
    Ok(())
}

fn returned(headers: &HeaderMap) -> HeaderMap {
    let is_returned = |name: &str| {
        RETURNED.contains(&name)
            || RETURNED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    };
    let kept = headers.iter().filter(|(name, _)| is_returned(name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The run is told what failed in general; where, is for the log.
fn failed(err: reqwest::Error, route: &Route) -> Refusal {
    let refusal = if err.is_connect() {
        Refusal::Unreachable
    } else if err.is_timeout() {
        Refusal::Upstream { why: "it was silent for too long" }
    } else {
        Refusal::Upstream { why: "the connection broke" }
    };
    let host = route.base_url.host_str().unwrap_or_default().to_owned();
    let err = anyhow::Error::new(err.without_url());
    tracing::warn!(host, "a call to a model's service failed: {err:#}");
    refusal
}

fn broken(err: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::new(err.without_url()))
}

#[cfg(test)]
mod tests;
