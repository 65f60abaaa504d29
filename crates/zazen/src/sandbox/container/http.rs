//! One request to a container engine, on a connection of its own.
//!
//! The answers are small, so they are taken whole, up to a limit. Paths carry
//! no version of the API: both engines then speak their newest, and what is
//! asked here has been the same in all of them for years.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

/// What an engine answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// What is asked.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) body: Body,
    pub(super) timeout: Duration,
}

/// What goes with it.
pub(super) enum Body {
    None,
    Json(serde_json::Value),
    Tar(Vec<u8>),
}

/// How long an answer may be: the log of a long build.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Asks one thing.
pub(super) async fn ask(socket: &Path, ask: Ask<'_>) -> anyhow::Result<Answer> {
    let what = format!("{} {}", ask.method, ask.path);
    let context = || format!("ask the container engine at `{}`: {what}", socket.display());
    let timeout = ask.timeout;
    match tokio::time::timeout(timeout, exchange(socket, ask)).await {
        Ok(answer) => answer.with_context(context),
        Err(_) => bail!("{}: no answer within {timeout:?}", context()),
    }
}

async fn exchange(socket: &Path, ask: Ask<'_>) -> anyhow::Result<Answer> {
    let stream = UnixStream::connect(socket).await.context("connect to it")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::builder().method(ask.method).uri(ask.path).header("host", "localhost");
    let (kind, body) = match ask.body {
        Body::None => (None, Bytes::new()),
        Body::Json(json) => (Some("application/json"), serde_json::to_vec(&json)?.into()),
        Body::Tar(tar) => (Some("application/x-tar"), tar.into()),
    };
    let request = match kind {
        Some(kind) => request.header("content-type", kind),
        None => request,
    };
    let request = request.body(Full::new(body))?;
    let answer = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|err| anyhow::anyhow!("read its answer: {err}"))?.to_bytes();
        anyhow::Ok(Answer { status, body })
    };
    // The connection has to be driven for as long as there is no answer.
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    let mut is_open = true;
    std::future::poll_fn(|cx| {
        if is_open && connection.as_mut().poll(cx).is_ready() {
            is_open = false;
        }
        answer.as_mut().poll(cx)
    })
    .await
}

impl Answer {
    /// The answer to a question that may be about something that is not there.
    pub(super) fn found(self) -> anyhow::Result<Option<Self>> {
        if self.status == StatusCode::NOT_FOUND { Ok(None) } else { self.good().map(Some) }
    }

    /// The answer, which has to be a good one.
    pub(super) fn good(self) -> anyhow::Result<Self> {
        // "Not modified" is what is said of something that is so already.
        if self.status.is_success() || self.status == StatusCode::NOT_MODIFIED {
            return Ok(self);
        }
        bail!("the engine says {}: {}", self.status.as_u16(), self.message())
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).context("read the engine's answer")
    }

    /// What it says went wrong.
    pub(super) fn message(&self) -> String {
        #[derive(Deserialize)]
        struct Wrong {
            message: String,
        }
        match serde_json::from_slice::<Wrong>(&self.body) {
            Ok(wrong) => wrong.message,
            Err(_) => String::from_utf8_lossy(&self.body).trim().to_owned(),
        }
    }
}

/// Makes a text fit to be a part of a path or a query.
pub(super) fn quoted(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
