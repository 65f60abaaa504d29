//! A git host on loopback: real smart HTTP (`git http-backend`) behind a check of the
//! token, as forges do it. And what is looked at while it keeps a git waiting.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::exec::{Command, run};
use crate::git::{Auth, Source};

/// A host that serves the bare repositories of a folder.
pub(in crate::git) struct Host {
    pub(in crate::git) address: String,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

struct Shared {
    root: PathBuf,
    token: Mutex<String>,
    /// What every request is answered with instead.
    instead: Mutex<Option<(StatusCode, Option<String>)>>,
    /// The requests with a body go on with one of these each.
    gate: Semaphore,
    waiting: Semaphore,
    authorizations: Mutex<Vec<Option<String>>>,
}

/// The token that it takes at first, in the form that GitHub's have.
pub(in crate::git) const TOKEN: &str = "ghs_12_eyJhbGciOi.eyJzZWNyZXQ.c2lnbmF0dXJl";

impl Host {
    pub(in crate::git) async fn serve(root: &Path) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            token: Mutex::new(TOKEN.to_owned()),
            instead: Mutex::new(None),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            waiting: Semaphore::new(0),
            authorizations: Mutex::new(Vec::new()),
        });
        let state = shared.clone();
        let app = axum::Router::new().fallback(move |request: Request| {
            let shared = state.clone();
            async move { shared.answer(request).await }
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, shared, _serving: serving }
    }

    pub(in crate::git) fn source(&self, name: &str) -> Source {
        format!("http://{}/{name}", self.address).parse().unwrap()
    }

    /// From here on another token is the right one.
    pub(in crate::git) fn expire_token(&self) {
        *self.shared.token.lock().unwrap() = "another".to_owned();
    }

    pub(in crate::git) fn answer_with(&self, status: u16, location: Option<String>) {
        let status = StatusCode::from_u16(status).unwrap();
        *self.shared.instead.lock().unwrap() = Some((status, location));
    }

    /// Keeps every request with a body waiting, until it is let go.
    pub(in crate::git) fn hold(&self) {
        self.shared.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Comes back once a request waits.
    pub(in crate::git) async fn wait_for_one(&self) {
        self.shared.waiting.acquire().await.unwrap().forget();
    }

    pub(in crate::git) fn let_go_one(&self) {
        self.shared.gate.add_permits(1);
    }

    pub(in crate::git) fn let_go(&self) {
        self.shared.gate.add_permits(1_000);
    }

    /// What requests brought to prove who they are, in their order.
    pub(in crate::git) fn authorizations(&self) -> Vec<Option<String>> {
        self.shared.authorizations.lock().unwrap().clone()
    }
}

impl Shared {
    async fn answer(&self, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let brought = header(&parts.headers, "authorization");
        self.authorizations.lock().unwrap().push(brought.clone());
        if let Some((status, location)) = self.instead.lock().unwrap().clone() {
            let response = Response::builder().status(status);
            let response = location.into_iter().fold(response, |r, to| r.header("location", to));
            return response.body(Body::from("remote says no")).unwrap();
        }
        let right = basic(&self.token.lock().unwrap());
        if brought.as_deref() != Some(&right) {
            let response =
                Response::builder().status(401).header("www-authenticate", "Basic realm=\"git\"");
            return response.body(Body::empty()).unwrap();
        }
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        if !body.is_empty() {
            self.waiting.add_permits(1);
            self.gate.acquire().await.unwrap().forget();
        }
        let command = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REMOTE_USER", "x-access-token")
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("REQUEST_METHOD", parts.method.as_str())
            .env("PATH_INFO", parts.uri.path())
            .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("CONTENT_TYPE", header(&parts.headers, "content-type").unwrap_or_default())
            .env(
                "HTTP_CONTENT_ENCODING",
                header(&parts.headers, "content-encoding").unwrap_or_default(),
            )
            .env("GIT_PROTOCOL", header(&parts.headers, "git-protocol").unwrap_or_default());
        from_cgi(&run(command.stdin(body.to_vec())).await.unwrap().stdout)
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

/// The header that a token comes in.
pub(in crate::git) fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("x-access-token:{token}")))
}

pub(in crate::git) fn auth() -> Auth {
    Auth::basic("x-access-token", TOKEN)
}

fn from_cgi(bytes: &[u8]) -> Response<Body> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut response = Response::builder();
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(bytes[end + 4..].to_vec())).unwrap()
}

/// The command lines of all processes on this machine, and those of them in whose
/// arguments or environment there is a text.
pub(in crate::git) fn processes_with(texts: &[String]) -> (BTreeSet<String>, Vec<String>) {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // One that is gone, or not a process, has nothing to read.
        let Ok(arguments) = fs::read(entry.path().join("cmdline")) else { continue };
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        let line = String::from_utf8_lossy(&arguments).replace('\0', " ");
        let all = format!("{line} {}", String::from_utf8_lossy(&environ));
        if texts.iter().any(|text| all.contains(text.as_str())) {
            found.push(all);
        }
        seen.insert(line);
    }
    (seen, found)
}
