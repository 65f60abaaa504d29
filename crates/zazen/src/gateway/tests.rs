//! Tests of the gateway as runs see it: real sockets, and a scripted service on loopback.

use std::os::unix::fs::PermissionsExt as _;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use url::Url;
use zazen_core::id::TaskId;
use zazen_core::usage::{Cost, Tokens};

use super::*;

mod closed;

const KEY: &str = "sk-ant-api03-CANARY-0123456789abcdef";
const PROMPT: &str = r#"{"model":"claude-sonnet-4-5","stream":true,"messages":[]}"#;
const FRAME_1: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":",
    "\"claude-sonnet-4-5-20250929\",\"usage\":{\"input_tokens\":1000,\"output_tokens\":1}}}\n\n"
);
const FRAME_2: &str = concat!(
    "event: message_delta\n",
    "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":100}}\n\n"
);

/// What the scripted service has seen of one request.
#[derive(Debug)]
struct Seen {
    line: String,
    headers: axum::http::HeaderMap,
    body: String,
}

/// A service that answers as each test tells it.
struct Service {
    url: Url,
    seen: mpsc::Receiver<Seen>,
    answers: mpsc::Sender<Response>,
    _tasks: JoinSet<()>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (see, seen) = mpsc::channel(16);
        let (answers, script) = mpsc::channel(16);
        let script = Arc::new(tokio::sync::Mutex::new(script));
        let app = axum::Router::new().fallback(move |request: Request| {
            let (see, script) = (see.clone(), Arc::clone(&script));
            async move {
                let line = format!("{} {}", request.method(), request.uri());
                let headers = request.headers().clone();
                let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
                let body = String::from_utf8(body.to_vec()).unwrap();
                see.send(Seen { line, headers, body }).await.unwrap();
                script.lock().await.recv().await.unwrap()
            }
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, seen, answers, _tasks: tasks }
    }

    async fn will_answer(&self, status: u16, content_type: &str, body: impl Into<Body>) {
        let response = Response::builder().status(status).header("content-type", content_type);
        let response = response
            .header("request-id", "req_7")
            .header("anthropic-ratelimit-tokens-remaining", "9")
            .header("set-cookie", "session=1")
            .header("location", "http://127.0.0.1:1/");
        self.answers.send(response.body(body.into()).unwrap()).await.unwrap();
    }

    /// Answers with a stream that the test feeds.
    async fn will_stream(&self) -> mpsc::Sender<Result<&'static str, std::io::Error>> {
        let (sender, frames) = mpsc::channel(16);
        let frames = stream::unfold(frames, |mut frames| async move {
            frames.recv().await.map(|frame| (frame, frames))
        });
        self.will_answer(200, "text/event-stream", Body::from_stream(frames)).await;
        sender
    }
}

/// One run and its door.
struct Run {
    dir: TempDir,
    token: Token,
    opened: Option<Opened>,
    reports: mpsc::Receiver<CallReport>,
    client: reqwest::Client,
    /// Ends all its runs when it is dropped.
    #[expect(dead_code, reason = "it is only kept")]
    gateway: Arc<Gateway>,
}

impl Run {
    async fn open(gateway: &Arc<Gateway>, source: Source) -> Self {
        Self::open_as(gateway, (source, false)).await
    }

    /// One that a person wants to be tried.
    async fn open_forced(gateway: &Arc<Gateway>, source: Source) -> Self {
        Self::open_as(gateway, (source, true)).await
    }

    async fn open_as(gateway: &Arc<Gateway>, (source, is_forced): (Source, bool)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let token = Token::random().unwrap();
        let (usage, reports) = mpsc::channel(16);
        let grant = Grant {
            run: RunId { task: TaskId(12), n: 3 },
            label: "implement".to_owned(),
            token: token.clone(),
            socket: dir.path().join("gateway.sock"),
            source,
            record_to: dir.path().join("recording.jsonl"),
            outside: nowhere(dir.path()),
            socket_mode: 0o660,
            repo: "ada/tally".parse().unwrap(),
            task_usage: Usage::default(),
            may_use_reserve: false,
            of_task: zazen_core::budget::Limit::default(),
            is_forced,
            lifetime: Duration::from_secs(600),
        };
        let opened = Some(gateway.open(grant, usage).await.unwrap());
        let client = reqwest::Client::builder()
            .unix_socket(dir.path().join("gateway.sock"))
            .tls_certs_only([])
            .build()
            .unwrap();
        let gateway = Arc::clone(gateway);
        Self { dir, token, opened, reports, client, gateway }
    }

    fn post(&self, path: &str, body: &str) -> reqwest::RequestBuilder {
        let request = self.client.post(format!("http://gateway{path}"));
        request.header("x-api-key", self.token.to_string()).body(body.to_owned())
    }

    fn recording(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("recording.jsonl")).unwrap()
    }

    async fn close(&mut self) -> String {
        self.opened.take().unwrap().close().await.unwrap();
        self.recording()
    }
}

/// Nothing but the model.
fn nowhere(dir: &Path) -> Outside {
    Outside {
        repo: "ada/tally".to_owned(),
        hosts: zazen_core::host::Hosts::default(),
        servers: Vec::new(),
        log_to: dir.join("egress.jsonl"),
        download_bytes: 1 << 20,
        upload_bytes: 1 << 20,
    }
}

fn gateway(service: &Service) -> Arc<Gateway> {
    let base_url = service.url.clone();
    let key = Some(Secret::new(KEY));
    let (is_login, models) = (false, Vec::new());
    let anthropic = Route { api: Api::Anthropic, base_url, key, is_login, models };
    let openai = Route { api: Api::OpenAi, ..anthropic.clone() };
    let google = Route { api: Api::Gemini, ..anthropic.clone() };
    let login = Route { is_login: true, ..anthropic.clone() };
    let routes =
        [("anthropic", anthropic), ("openai", openai), ("google", google), ("login", login)];
    let routes = routes.into_iter().map(|(name, route)| (name.to_owned(), route)).collect();
    let (prices, budget) = (Prices::builtin(), Budget::default());
    Arc::new(Gateway::new(Options { routes, prices, budget, servers: BTreeMap::new() }).unwrap())
}

async fn live(service: &Service) -> Run {
    Run::open(&gateway(service), live_source("anthropic")).await
}

fn live_source(route: &str) -> Source {
    Source::Live { route: route.to_owned() }
}

fn playing(recording: &str) -> Source {
    Source::Playback(Arc::new(Recording::parse(recording).unwrap()))
}

async fn json_of(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// The status, the kind of error and its message, as Anthropic's clients read them.
async fn error_of(response: reqwest::Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body = json_of(response).await;
    assert_eq!(body["type"], "error", "{body}");
    let text = |name| body["error"][name].as_str().unwrap().to_owned();
    (status, text("type"), text("message"))
}

#[tokio::test]
async fn a_frame_is_handed_on_before_the_next_one_is_sent() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    let frames = service.will_stream().await;
    frames.send(Ok(FRAME_1)).await.unwrap();
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    let mut body = response.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), FRAME_1);
    frames.send(Ok(FRAME_2)).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), FRAME_2);
    drop(frames);
    assert!(body.next().await.is_none());

    let report = run.reports.recv().await.unwrap();
    assert_eq!(report.run.to_string(), "12.3");
    assert_eq!((report.model.as_str(), report.status), ("claude-sonnet-4-5-20250929", 200));
    let tokens = Tokens { input: 1000, output: 100, ..Tokens::default() };
    assert_eq!(
        report.usage,
        Usage { n_calls: 1, tokens, cost: Cost::Micros(4_500), ..Usage::default() }
    );
}

#[tokio::test]
async fn the_key_is_put_in_and_everything_else_that_opens_doors_is_taken_out() {
    let mut service = Service::start().await;
    let run = live(&service).await;
    service.will_answer(200, "application/json", "{}").await;
    let request = run.post("/anthropic/v1/messages?beta=true&key=theirs", PROMPT);
    let response = request
        .header("authorization", "Bearer sk-theirs")
        .header("api-key", "theirs")
        .header("cookie", "session=theirs")
        .header("proxy-authorization", "Basic theirs")
        .header("x-forwarded-for", "theirs")
        .header("x-goog-api-key", "theirs")
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .send()
        .await
        .unwrap();
    for name in ["request-id", "anthropic-ratelimit-tokens-remaining", "content-type"] {
        assert!(response.headers().contains_key(name), "{name}");
    }
    for name in ["set-cookie", "location"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    let seen = service.seen.recv().await.unwrap();
    assert_eq!(seen.line, "POST /v1/messages?beta=true");
    assert_eq!(seen.headers["x-api-key"], KEY);
    assert_eq!(seen.headers["accept-encoding"], "identity");
    assert_eq!(seen.body, PROMPT);
    let names: Vec<&str> = seen.headers.keys().map(axum::http::HeaderName::as_str).collect();
    let all = format!("{:?}", seen.headers);
    assert!(!all.contains("theirs") && !all.contains(&run.token.to_string()), "{names:?}");
    for name in &names {
        let expected = [
            "accept",
            "accept-encoding",
            "anthropic-version",
            "content-length",
            "content-type",
            "host",
            "x-api-key",
        ];
        assert!(expected.contains(name), "`{name}` went out");
    }
}

#[tokio::test]
async fn a_call_without_this_runs_token_is_refused() {
    let service = Service::start().await;
    let gateway = gateway(&service);
    let run = Run::open(&gateway, live_source("anthropic")).await;
    let other = Run::open(&gateway, live_source("anthropic")).await;
    let post = || run.client.post("http://gateway/anthropic/v1/messages").body(PROMPT);
    let of_other = other.token.to_string();
    for request in [
        post(),
        post().header("x-api-key", ""),
        post().header("x-api-key", "0".repeat(64)),
        post().header("x-api-key", &of_other),
        post().bearer_auth(&of_other),
        post().header("authorization", format!("Basic {}", run.token)),
    ] {
        let (status, kind, message) = error_of(request.send().await.unwrap()).await;
        assert_eq!((status, kind.as_str()), (401, "authentication_error"));
        assert!(message.contains("rule `run-token`"), "{message}");
    }
    service.will_answer(200, "application/json", "{}").await;
    service.will_answer(200, "application/json", "{}").await;
    let own = run.token.to_string();
    for request in [post().bearer_auth(&own), post().header("api-key", &own)] {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn what_is_no_call_of_the_runs_route_is_refused_in_the_apis_words() {
    let mut service = Service::start().await;
    let gateway = gateway(&service);
    let run = Run::open(&gateway, live_source("anthropic")).await;
    for path in [
        "/",
        "/v1/messages",
        "/openai/v1/responses",
        "/anthropic/v1/files",
        "/anthropic/v1/messages/batches",
        "/anthropic//v1/messages",
        "/anthropic/v1/%6dessages",
        "/anthropic/http://127.0.0.1/v1/messages",
    ] {
        let (status, kind, message) = error_of(run.post(path, PROMPT).send().await.unwrap()).await;
        assert_eq!((status, kind.as_str()), (404, "not_found_error"), "{path}");
        assert!(message.contains("rule `model-paths`") && message.contains(path), "{message}");
    }
    let run = Run::open(&gateway, live_source("openai")).await;
    let response = run.post("/openai/v1/files", "{}").send().await.unwrap();
    assert_eq!(response.headers()["x-should-retry"], "false");
    let body = json_of(response).await;
    assert_eq!(body["error"]["code"], "not_found_error", "{body}");
    assert!(service.seen.try_recv().is_err(), "nothing went out");
}

#[tokio::test]
async fn health_is_answered_here_and_without_a_token() {
    let service = Service::start().await;
    let run = live(&service).await;
    assert_eq!(run.client.head("http://gateway/").send().await.unwrap().status(), 200);
    assert_eq!(run.client.get("http://gateway/healthz").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_and_the_client_hears_of_it() {
    let service = Service::start().await;
    let run = live(&service).await;
    let large = "x".repeat(serve::REQUEST_BYTES_MAX + 1);
    let response = run.post("/anthropic/v1/messages", &large).send().await.unwrap();
    let (status, kind, _) = error_of(response).await;
    assert_eq!((status, kind.as_str()), (413, "request_too_large"));
}

#[tokio::test]
async fn a_closed_door_has_no_socket_and_no_token() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    let socket = run.dir.path().join("gateway.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let mut kept = UnixStream::connect(&socket).await.unwrap();
    run.close().await;
    assert!(UnixStream::connect(&socket).await.is_err());
    drop(kept.write_all(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n").await);
    let mut rest = Vec::new();
    drop(kept.read_to_end(&mut rest).await);
    assert!(rest.is_empty(), "a connection from before is closed, too");
    let n_left = std::fs::read_dir(run.dir.path()).unwrap().count();
    assert_eq!(n_left, 2, "only the recording and the egress log");
}

#[tokio::test]
async fn a_door_that_is_dropped_is_closed_and_a_stale_socket_is_replaced() {
    let service = Service::start().await;
    let gateway = gateway(&service);
    let mut run = Run::open(&gateway, live_source("anthropic")).await;
    let socket = run.dir.path().join("gateway.sock");
    let old = run.opened.take();
    let (usage, _reports) = mpsc::channel(16);
    let grant = Grant {
        run: "12.4".parse().unwrap(),
        label: "review".to_owned(),
        token: run.token.clone(),
        socket: socket.clone(),
        source: live_source("anthropic"),
        record_to: run.dir.path().join("other.jsonl"),
        outside: nowhere(run.dir.path()),
        socket_mode: 0o600,
        repo: "ada/tally".parse().unwrap(),
        task_usage: Usage::default(),
        may_use_reserve: false,
        of_task: zazen_core::budget::Limit::default(),
        is_forced: false,
        lifetime: Duration::from_secs(600),
    };
    let new = gateway.open(grant.clone(), usage.clone()).await.unwrap();
    drop(old);
    let health = || run.client.get("http://gateway/healthz").send();
    assert_eq!(health().await.unwrap().status(), 200, "the new socket outlives the old door");
    drop(new);
    assert!(!socket.exists());

    std::fs::write(&socket, "a page").unwrap();
    let err = gateway.open(grant, usage).await.unwrap_err();
    assert!(format!("{err:#}").contains("something that is not a socket is there"), "{err:#}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "a page");
}

#[tokio::test]
async fn a_service_that_is_down_is_said_so_and_costs_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut service = Service::start().await;
    service.url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let mut run = live(&service).await;
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    let (status, kind, message) = error_of(response).await;
    assert_eq!((status, kind.as_str()), (502, "api_error"));
    assert!(!message.contains(&port.to_string()), "{message}");
    let report = run.reports.recv().await.unwrap();
    assert_eq!((report.status, report.usage.cost), (502, Cost::Micros(0)));
    let recording = Recording::parse(&run.close().await).unwrap();
    assert!(!recording.calls()[0].response.complete);
}

#[tokio::test]
async fn a_stream_that_breaks_off_breaks_off_for_the_client_and_has_no_known_cost() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    let frames = service.will_stream().await;
    frames.send(Ok(FRAME_1)).await.unwrap();
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    let mut body = response.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), FRAME_1);
    frames.send(Err(std::io::Error::other("cut"))).await.unwrap();
    assert!(body.next().await.unwrap().is_err());
    let report = run.reports.recv().await.unwrap();
    // 1000 x 3 + 1 x 15.
    assert_eq!(report.usage.cost, Cost::Unknown { known_micros: 3_015 });
    let recording = Recording::parse(&run.close().await).unwrap();
    let response = &recording.calls()[0].response;
    assert_eq!((response.body.as_str(), response.complete), (FRAME_1, false));
    assert_eq!(response.error.as_deref(), Some("the answer ended in its middle"));
}

#[tokio::test]
async fn a_client_that_leaves_is_still_billed_and_recorded() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    let frames = service.will_stream().await;
    frames.send(Ok(FRAME_1)).await.unwrap();
    let mut response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), FRAME_1);
    drop(response);
    let report = run.reports.recv().await.unwrap();
    assert_eq!(report.usage.cost, Cost::Unknown { known_micros: 3_015 });
    frames.closed().await;

    let frames = service.will_stream().await;
    frames.send(Ok(FRAME_1)).await.unwrap();
    frames.send(Ok(FRAME_2)).await.unwrap();
    let mut response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    let mut text = String::new();
    while text.len() < FRAME_1.len() + FRAME_2.len() {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    drop(response);
    drop(frames);
    assert_eq!(run.reports.recv().await.unwrap().usage.cost, Cost::Micros(4_500));
    let recording = Recording::parse(&run.close().await).unwrap();
    let complete: Vec<bool> = recording.calls().iter().map(|c| c.response.complete).collect();
    assert_eq!(complete, [false, true], "one who has read the last event has read all");
}

#[tokio::test]
async fn closing_ends_a_call_under_way_and_keeps_what_it_was() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    let frames = service.will_stream().await;
    frames.send(Ok(FRAME_1)).await.unwrap();
    let mut response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), FRAME_1);
    let recording = Recording::parse(&run.close().await).unwrap();
    assert_eq!(recording.calls()[0].response.body, FRAME_1);
    assert!(run.reports.recv().await.is_some());
    assert!(response.chunk().await.is_err());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_compressed_answer_is_not_taken() {
    let mut service = Service::start().await;
    let mut run = live(&service).await;
    service.will_answer(307, "text/plain", "").await;
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    let (status, _, message) = error_of(response).await;
    assert!(status == 502 && message.contains("redirect"), "{status} {message}");
    let gzip = Response::builder().header("content-encoding", "gzip").body(Body::from("x"));
    service.answers.send(gzip.unwrap()).await.unwrap();
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    let (status, _, message) = error_of(response).await;
    assert!(status == 502 && message.contains("compressed"), "{status} {message}");
    assert_eq!(service.seen.recv().await.unwrap().line, "POST /v1/messages");
    assert_eq!(service.seen.recv().await.unwrap().line, "POST /v1/messages");
    assert!(service.seen.try_recv().is_err());
    let cost = run.reports.recv().await.unwrap().usage.cost;
    assert_eq!(cost, Cost::Unknown { known_micros: 0 }, "who knows what it did");
}

#[tokio::test]
async fn an_error_of_the_service_passes_through_without_the_key_that_it_repeats() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    let error = json!({"type": "error", "error": {"message": format!("bad key {KEY}")}});
    service.will_answer(429, "application/json", error.to_string()).await;
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(json_of(response).await["error"]["message"], "bad key [secret]");
    let report = run.reports.recv().await.unwrap();
    assert_eq!((report.status, report.usage.cost), (429, Cost::Micros(0)));
}

#[tokio::test]
async fn what_is_recorded_can_be_played_back_to_the_byte() {
    let service = Service::start().await;
    let gateway = gateway(&service);
    let mut run = Run::open(&gateway, live_source("anthropic")).await;
    let later = r#"{"messages":[{"role":"assistant","content":"a"}],"model":"claude-sonnet-4-5"}"#;
    let whole = r#"{"model":"claude-sonnet-4-5","usage":{"input_tokens":7,"output_tokens":1}}"#;
    service.will_answer(200, "text/event-stream", [FRAME_1, FRAME_2].concat()).await;
    service.will_answer(200, "application/json", whole).await;
    let mut answers = Vec::new();
    let mut reports = Vec::new();
    for prompt in [PROMPT, later] {
        let response = run.post("/anthropic/v1/messages", prompt).send().await.unwrap();
        answers.push((response.status(), response.text().await.unwrap()));
        reports.push(run.reports.recv().await.unwrap());
    }
    let recorded = run.close().await;

    let mut replay = Run::open(&gateway, playing(&recorded)).await;
    // In another order, twice, and under another route's name.
    for (at, prompt) in [(1, later), (0, PROMPT), (0, PROMPT)] {
        let response = replay.post("/model/v1/messages", prompt).send().await.unwrap();
        assert_eq!((response.status(), response.text().await.unwrap()), answers[at]);
        let report = replay.reports.recv().await.unwrap();
        assert_eq!((report.model, report.usage), (reports[at].model.clone(), reports[at].usage));
    }
    let replayed = Recording::parse(&replay.close().await).unwrap();
    let recorded = Recording::parse(&recorded).unwrap();
    let [first, second] = recorded.calls() else { panic!("two calls were recorded") };
    assert_eq!((first.n, first.turn, second.n, second.turn), (0, 0, 1, 1));
    assert_eq!(replayed.calls()[1].request, first.request);
    assert_eq!(replayed.calls()[1].response, first.response);
    assert_eq!(replayed.calls()[1].tokens, first.tokens);
}

#[tokio::test]
async fn a_question_that_was_not_recorded_is_refused_by_label_and_turn() {
    let service = Service::start().await;
    let run = Run::open(&gateway(&service), playing("")).await;
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    assert_eq!(response.headers()["x-should-retry"], "false");
    let (status, kind, message) = error_of(response).await;
    assert_eq!((status, kind.as_str()), (500, "api_error"));
    assert!(message.contains("`implement`, turn 0, `v1/messages`"), "{message}");
    let response = run.post("/openai/v1/responses", "{}").send().await.unwrap();
    let message = json_of(response).await["error"]["message"].to_string();
    assert!(message.contains("`v1/responses`"), "{message}");
}

#[tokio::test]
async fn no_secret_is_in_a_recording_or_in_what_is_printed() {
    let service = Service::start().await;
    let gateway = gateway(&service);
    let mut run = Run::open(&gateway, live_source("anthropic")).await;
    let token = run.token.to_string();
    let prompt = json!({"model": "m", "messages": [{"role": "user", "content": token}]});
    let answer = format!("{{\"you said\": \"{token} {KEY}\"}}");
    service.will_answer(200, "application/json", answer).await;
    let request = run.post("/anthropic/v1/messages", &prompt.to_string());
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(!text.contains(KEY));
    let printed = format!("{gateway:?} {:?} {:?}", run.opened, run.reports.recv().await);
    let recording = run.close().await;
    for text in [&recording, &printed] {
        assert!(!text.contains(&token) && !text.contains("CANARY"), "{text}");
    }
    assert_eq!(Recording::parse(&recording).unwrap().calls().len(), 1);
    let mode = std::fs::metadata(run.dir.path().join("recording.jsonl")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_recording_goes_on_where_it_was_torn() {
    let service = Service::start().await;
    let gateway = gateway(&service);
    let mut run = Run::open(&gateway, live_source("anthropic")).await;
    service.will_answer(200, "application/json", "{}").await;
    let request = run.post("/anthropic/v1/messages", PROMPT);
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "{}");
    let whole = run.close().await;
    let path = run.dir.path().join("recording.jsonl");
    std::fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();
    let token = run.token.clone();
    let veil = Veil::new(&token, None);
    let (recorder, writer) = record::open(&path, "implement", veil).await.unwrap();
    assert_eq!(recorder.next(), 1);
    drop(recorder);
    writer.run().await.unwrap();
    assert_eq!(run.recording(), whole);
}

#[tokio::test]
async fn both_apis_of_openai_are_spoken_and_streamed_chats_say_their_usage() {
    let mut service = Service::start().await;
    service.url = service.url.join("/v1").unwrap();
    let mut run = Run::open(&gateway(&service), live_source("openai")).await;
    let chat =
        "data: {\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    service.will_answer(200, "text/event-stream", chat).await;
    let body = r#"{"model":"gpt-4o","stream":true,"messages":[]}"#;
    let response = run.post("/openai/v1/chat/completions", body).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), chat);
    let seen = service.seen.recv().await.unwrap();
    assert_eq!(seen.line, "POST /v1/chat/completions");
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    assert!(seen.body.contains(r#""stream_options":{"include_usage":true}"#), "{}", seen.body);
    // 10 x 2.5 + 2 x 10.
    assert_eq!(run.reports.recv().await.unwrap().usage.cost, Cost::Micros(45));

    let whole = r#"{"model":"gpt-5","usage":{"input_tokens":800,"output_tokens":1}}"#;
    service.will_answer(200, "application/json", whole).await;
    let request = run.post("/openai/v1/responses", r#"{"model":"gpt-5","input":"hi"}"#);
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), whole);
    assert_eq!(service.seen.recv().await.unwrap().line, "POST /v1/responses");
    assert_eq!(run.reports.recv().await.unwrap().usage.cost, Cost::Micros(1_010));

    service.will_answer(200, "application/json", "{\"data\":[]}").await;
    let request = run.client.get("http://gateway/openai/v1/models?limit=5&x=y");
    let response = request.bearer_auth(&run.token).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "{\"data\":[]}");
    assert_eq!(service.seen.recv().await.unwrap().line, "GET /v1/models?limit=5");
    assert!(run.reports.try_recv().is_err(), "a list of models is not billed");
}

#[tokio::test]
async fn gemini_is_spoken_streamed_and_counted_with_the_model_from_its_path() {
    let mut service = Service::start().await;
    let mut run = Run::open(&gateway(&service), live_source("google")).await;
    let frames = service.will_stream().await;
    let first = "data: {\"candidates\":[{}],\"usageMetadata\":{\"promptTokenCount\":1000}}\n\n";
    let last = concat!(
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{",
        "\"promptTokenCount\":1000,\"cachedContentTokenCount\":600,",
        "\"candidatesTokenCount\":10,\"thoughtsTokenCount\":90}}\n\n",
    );
    frames.send(Ok(first)).await.unwrap();
    let path = "/google/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse&key=theirs";
    let prompt = r#"{"contents":[{"role":"user"},{"role":"model"}]}"#;
    let request = run.client.post(format!("http://gateway{path}")).body(prompt);
    let request = request.header("x-goog-api-key", run.token.to_string());
    let request = request.header("authorization", "Bearer theirs").header("cookie", "theirs");
    let response = request.send().await.unwrap();
    let mut body = response.bytes_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), first, "handed on before the next one");
    frames.send(Ok(last)).await.unwrap();
    drop(frames);
    assert_eq!(body.next().await.unwrap().unwrap(), last);
    assert!(body.next().await.is_none());

    let seen = service.seen.recv().await.unwrap();
    assert_eq!(seen.line, "POST /v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
    assert_eq!(seen.headers["x-goog-api-key"], KEY);
    let all = format!("{:?}", seen.headers);
    assert!(!all.contains("theirs") && !all.contains(&run.token.to_string()), "{all}");
    let report = run.reports.recv().await.unwrap();
    // 400 x 1.25 + 600 x 0.125 + 100 x 10.
    assert_eq!((report.model.as_str(), report.usage.cost), ("gemini-2.5-pro", Cost::Micros(1_575)));

    // The token may also come where the vendor's own clients put a key.
    service.will_answer(200, "application/json", "{\"totalTokens\":5}").await;
    let path = format!("/google/v1/models/gemini-2.5-pro:countTokens?key={}", run.token);
    let response =
        run.client.post(format!("http://gateway{path}")).body("{}").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let seen = service.seen.recv().await.unwrap();
    assert_eq!(seen.line, "POST /v1beta/models/gemini-2.5-pro:countTokens");
    assert!(run.reports.try_recv().is_err(), "counting is free");
    let recorded = run.close().await;
    let calls = Recording::parse(&recorded).unwrap();
    assert_eq!(
        (calls.calls()[0].turn, calls.calls()[0].request.model.as_str()),
        (1, "gemini-2.5-pro")
    );
    assert!(!recorded.contains("theirs"));

    let replay = Run::open(&gateway(&service), playing(&recorded)).await;
    let path = "/x/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse";
    let response = replay.post(path, prompt).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), [first, last].concat());
    let path = "/x/v1beta/models/gemini-2.5-pro:embedContent";
    let request = replay.client.post(format!("http://gateway{path}"));
    let request = request.header("x-goog-api-key", replay.token.to_string());
    let body = json_of(request.send().await.unwrap()).await;
    assert_eq!(body["error"]["status"], "NOT_FOUND", "{body}");
}

#[tokio::test]
async fn a_login_goes_out_as_a_login() {
    let mut service = Service::start().await;
    let run = Run::open(&gateway(&service), live_source("login")).await;
    service.will_answer(200, "application/json", "{}").await;
    let request = run.client.post("http://gateway/login/v1/messages").body(PROMPT);
    request.bearer_auth(&run.token).send().await.unwrap();
    let seen = service.seen.recv().await.unwrap();
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(seen.headers["anthropic-beta"], "oauth-2025-04-20");
    assert!(!seen.headers.contains_key("x-api-key"));
}

#[tokio::test]
async fn how_long_to_wait_is_passed_on_and_recorded_with_what_went_wrong() {
    let service = Service::start().await;
    let mut run = live(&service).await;
    for status in [429, 529, 503] {
        let response = Response::builder().status(status).header("retry-after", "30");
        let response = response.header("content-type", "application/json").body(Body::from("{}"));
        service.answers.send(response.unwrap()).await.unwrap();
        let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (status, "30".parse().as_ref().unwrap())
        );
        drop(response.bytes().await);
    }
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let stream = format!("{FRAME_1}event: error\ndata: {error}\n\n");
    service.will_answer(200, "text/event-stream", stream).await;
    let response = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    assert!(response.text().await.unwrap().contains("overloaded_error"));

    let calls = Recording::parse(&run.close().await).unwrap();
    let of = |at: usize| &calls.calls()[at];
    let retries: Vec<_> = (0..4).map(|at| of(at).response.retry_after.as_deref()).collect();
    assert_eq!(retries, [Some("30"), Some("30"), Some("30"), None]);
    assert_eq!(of(1).bill.as_ref().unwrap().usage.cost, Cost::Micros(0), "it was not served");
    assert_eq!(of(3).response.error.as_deref(), Some("overloaded_error: Overloaded"));
    let bill = of(3).bill.clone().unwrap();
    assert_eq!(bill.model, "claude-sonnet-4-5-20250929");
    assert_eq!(bill.usage.cost, Cost::Unknown { known_micros: 3_015 });
    let sum = sum_up(&run.dir.path().join("recording.jsonl"), &Prices::builtin()).unwrap();
    assert_eq!((sum.n_failed, sum.last_failed.unwrap().status), (4, 200));
}
