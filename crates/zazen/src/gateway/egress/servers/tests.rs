//! The way to servers of tools, against a real one on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use hyper::{HeaderMap, Uri};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use zazen_core::id::{RunId, TaskId};
use zazen_core::price::Prices;

use super::{Server, cut_list};
use crate::gateway::{Gateway, Grant, Opened, Options, Outside, Secret, Source, Token};

const KEY: &str = "sk-canary-of-the-server-77";

/// What a server was asked: its path with the query, its headers, its body.
type Seen = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

/// A server, and a run's door that leads to it.
struct Place {
    dir: TempDir,
    token: Token,
    seen: Seen,
    _gateway: Gateway,
    opened: Option<Opened>,
    _service: tokio::task::JoinSet<()>,
}

async fn serve(State(seen): State<Seen>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    seen.lock().unwrap().push((uri.to_string(), headers.clone(), body.clone()));
    if body.contains("elsewhere") {
        return Redirect::temporary("http://127.0.0.1:9/").into_response();
    }
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    let echo = format!("{{\"result\":{{\"said\":\"{}\"}}}}", shown.unwrap_or_default());
    let list = r#"{"result":{"tools":[{"name":"find"},{"name":"shut"}]}}"#;
    let answer = if body.contains("tools/list") { list.to_owned() } else { echo };
    let headers =
        [("content-type", "application/json"), ("mcp-session-id", "s-1"), ("set-cookie", "a=b")];
    (headers, answer).into_response()
}

impl Place {
    async fn open(tools: &[&str], bytes: u64) -> Self {
        let seen = Seen::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(serve).with_state(Arc::clone(&seen));
        let mut service = tokio::task::JoinSet::new();
        service.spawn(async move { axum::serve(listener, app).await.unwrap() });
        let server = |path: &str| Server {
            url: format!("http://{address}{path}").parse().unwrap(),
            key: Some(Secret::new(KEY)),
            tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
        };
        let servers = BTreeMap::from([
            ("issues".to_owned(), server("/v2/mcp?team=owls")),
            ("others".to_owned(), server("/others")),
        ]);
        let options = Options {
            routes: BTreeMap::new(),
            prices: Prices::builtin(),
            budget: zazen_core::budget::Budget::default(),
            servers,
        };
        let gateway = Gateway::new(options).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let token = Token::random().unwrap();
        let grant = Grant {
            run: RunId { task: TaskId(7), n: 1 },
            label: "plan".to_owned(),
            token: token.clone(),
            socket: dir.path().join("gateway.sock"),
            source: Source::Nobody,
            record_to: dir.path().join("recording.jsonl"),
            outside: Outside {
                repo: "ada/tally".to_owned(),
                hosts: zazen_core::host::Hosts::default(),
                servers: vec!["issues".to_owned()],
                log_to: dir.path().join("egress.jsonl"),
                download_bytes: bytes,
                upload_bytes: bytes,
            },
            socket_mode: 0o600,
            repo: "ada/tally".parse().unwrap(),
            task_usage: zazen_core::usage::Usage::default(),
            may_use_reserve: false,
            of_task: zazen_core::budget::Limit::default(),
            is_forced: false,
            lifetime: std::time::Duration::from_secs(600),
        };
        let (sender, _calls) = mpsc::channel(4);
        let opened = Some(gateway.open(grant, sender).await.unwrap());
        Self { dir, token, seen, _gateway: gateway, opened, _service: service }
    }

    /// Asks, and returns the whole answer as it comes.
    async fn ask(&self, path: &str, token: &Token, body: &str) -> String {
        let mut stream = UnixStream::connect(self.dir.path().join("gateway.sock")).await.unwrap();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {token}\r\n\
             accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
             mcp-session-id: s-1\r\ncookie: c=d\r\nx-other: e\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    async fn call(&self, body: &str) -> String {
        self.ask("/mcp/issues", &self.token.for_hosts(), body).await
    }

    fn seen(&self) -> Vec<(String, HeaderMap, String)> {
        self.seen.lock().unwrap().clone()
    }

    /// Ends the run, and returns what its log says.
    async fn log(mut self) -> String {
        self.opened.take().unwrap().close().await.unwrap();
        std::fs::read_to_string(self.dir.path().join("egress.jsonl")).unwrap()
    }
}

#[tokio::test]
async fn the_key_is_put_in_and_what_a_run_brings_stays_here() {
    let place = Place::open(&[], 1 << 20).await;
    let token = place.token.for_hosts();
    let answer = place.ask("/mcp/issues?key=mine&team=eve", &token, r#"{"method":"x"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("mcp-session-id: s-1"), "{answer}");
    assert!(!answer.contains("set-cookie") && !answer.contains(KEY), "{answer}");
    let [(path, headers, body)] = place.seen().try_into().unwrap();
    assert_eq!((path.as_str(), body.as_str()), ("/v2/mcp?team=owls", r#"{"method":"x"}"#));
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    let names: BTreeSet<&str> = headers.keys().map(hyper::header::HeaderName::as_str).collect();
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "mcp-session-id",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    assert!(!format!("{headers:?}").contains(&token.to_string()));
}

#[tokio::test]
async fn a_run_reaches_its_own_servers_with_its_own_token_and_nothing_else() {
    let place = Place::open(&[], 1 << 20).await;
    let good = place.token.for_hosts();
    for path in ["/mcp/others", "/mcp/", "/mcp/issues/", "/mcp/issues/x", "/mcp/../mcp/issues"] {
        let answer = place.ask(path, &good, r#"{"method":"x"}"#).await;
        assert!(
            answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 401"),
            "{path}: {answer}"
        );
    }
    // The run's own is for model calls.
    for token in [Token::random().unwrap(), place.token.clone()] {
        let answer = place.ask("/mcp/issues", &token, r#"{"method":"x"}"#).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    for body in ["", "no JSON", "[{}]", "1"] {
        let answer = place.call(body).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
    }
    assert_eq!(place.seen().len(), 0);
}

#[tokio::test]
async fn a_tool_that_is_not_on_the_list_is_neither_shown_nor_called() {
    let place = Place::open(&["find"], 1 << 20).await;
    let list = place.call(r#"{"id":1,"method":"tools/list"}"#).await;
    assert!(list.contains(r#"{"name":"find"}"#) && !list.contains("shut"), "{list}");
    let refused = place.call(r#"{"id":2,"method":"tools/call","params":{"name":"shut"}}"#).await;
    assert!(refused.starts_with("HTTP/1.1 200"), "{refused}");
    assert!(refused.contains(r#""code":-32602"#) && refused.contains(r#""id":2"#), "{refused}");
    assert_eq!(place.seen().len(), 1, "only the list was asked for");
    let called = place.call(r#"{"id":3,"method":"tools/call","params":{"name":"find"}}"#).await;
    assert!(called.contains("said"), "{called}");
    assert_eq!(place.seen().len(), 2);
}

#[tokio::test]
async fn a_redirect_of_a_server_takes_no_key_along() {
    let place = Place::open(&[], 1 << 20).await;
    let answer = place.call(r#"{"method":"elsewhere"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("it redirects"), "{answer}");
}

#[tokio::test]
async fn what_servers_are_asked_is_in_the_log_and_counts_as_what_goes_to_hosts() {
    let place = Place::open(&[], 40).await;
    assert!(place.call(r#"{"method":"x"}"#).await.starts_with("HTTP/1.1 200"));
    let answer = place.call(&format!(r#"{{"method":"{}"}}"#, "x".repeat(40))).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("limits.upload"), "{answer}");
    let log = place.log().await;
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["ev"], &lines[0]["rule"]), (&"allowed".into(), &"mcp.issues".into()));
    assert_eq!(lines[0]["method"], "POST");
    assert!(lines[0]["authority"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!((&lines[1]["ev"], &lines[1]["up"]), (&"ended".into(), &14.into()));
    assert!(!log.contains(KEY) && !log.contains("team"), "{log}");
}

#[test]
fn a_list_is_cut_in_json_and_in_events() {
    let only = BTreeSet::from(["find".to_owned()]);
    let list = r#"{"result":{"tools":[{"name":"find"},{"name":"shut"}]}}"#;
    let cut = r#"{"result":{"tools":[{"name":"find"}]}}"#;
    assert_eq!(cut_list(&only, list), cut);
    let events = format!("event: message\nid: 3\ndata: {list}\n\n");
    assert_eq!(cut_list(&only, &events), format!("event: message\nid: 3\ndata: {cut}\n\n"));
    for other in ["", "data: {}\n\n", "no list", "[1]", "data: [1]\n"] {
        assert_eq!(cut_list(&only, other), other);
    }
}
