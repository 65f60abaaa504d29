//! A small GitHub on loopback that answers as a test says, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A request, as it came.
#[derive(Debug, Clone)]
pub(in super::super) struct Seen {
    pub(in super::super) method: String,
    pub(in super::super) path: String,
    pub(in super::super) query: String,
    pub(in super::super) headers: Vec<(String, String)>,
    pub(in super::super) body: Value,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Runs until it is dropped.
pub(in super::super) struct Server {
    pub(in super::super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _serving: JoinSet<()>,
}

type Answer = dyn Fn(&Seen) -> Reply + Send + Sync;
type Shared = (Arc<Answer>, Arc<Mutex<Vec<Seen>>>);

impl Seen {
    pub(in super::super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(in super::super) fn bearer(&self) -> &str {
        self.header("authorization").and_then(|text| text.strip_prefix("Bearer ")).unwrap_or("")
    }

    /// `GET /path`.
    pub(in super::super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Reply {
    pub(in super::super) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    pub(in super::super) fn bytes(body: Vec<u8>) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }

    pub(in super::super) fn said(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message }))
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    pub(in super::super) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Server {
    pub(in super::super) async fn start(
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::default();
        let shared: Shared = (Arc::new(answer), Arc::clone(&seen));
        let router = Router::new().fallback(reply).with_state(shared);
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen, _serving: serving }
    }

    pub(in super::super) fn url(&self) -> url::Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub(in super::super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How often a line was asked for.
    pub(in super::super) fn n(&self, line: &str) -> usize {
        self.seen().iter().filter(|seen| seen.line() == line).count()
    }
}

async fn reply(State((answer, log)): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let headers = head.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let seen = Seen {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let reply = answer(&seen);
    log.lock().unwrap().push(seen);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}
