//! Tests of paying, as runs see it: real sockets, and calls at the same time.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zazen_core::budget::{Limit, Scope};
use zazen_core::price::Prices;

use super::*;
use crate::gateway::{Api, CallReport, Gateway, Grant, Opened, Options, Route, Source, Token};

/// A service whose every answer costs the same: 1,000 tokens in and 1,000 out.
struct Service {
    url: url::Url,
    /// How many calls are being answered, and how many there were at most at a time.
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct State {
    now: AtomicU64,
    most: AtomicU64,
    all: AtomicU64,
    go: Notify,
    waits: std::sync::atomic::AtomicBool,
}

/// What a call costs: 1000 x 3 + 1000 x 15, in millionths.
const CALL: u64 = 18_000;

/// What a call of [`body`] may cost: its bytes, and 2,000 tokens out.
const WORST: u64 = 31_000;

fn body() -> Value {
    json!({"model": "claude-sonnet-4-5", "max_tokens": 2_000, "messages": []})
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let app = axum::Router::new().fallback(move |_: Request| {
            let state = Arc::clone(&shared);
            async move {
                let now = state.now.fetch_add(1, Ordering::SeqCst) + 1;
                state.most.fetch_max(now, Ordering::SeqCst);
                state.all.fetch_add(1, Ordering::SeqCst);
                if state.waits.load(Ordering::SeqCst) {
                    state.go.notified().await;
                } else {
                    tokio::task::yield_now().await;
                }
                state.now.fetch_sub(1, Ordering::SeqCst);
                let usage = json!({"input_tokens": 1_000, "output_tokens": 1_000});
                let answer = json!({"model": "claude-sonnet-4-5", "usage": usage});
                ([("content-type", "application/json")], answer.to_string()).into_response()
            }
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, state, _tasks: tasks }
    }

    fn gateway(&self, limits: &[(Scope, u64)]) -> Arc<Gateway> {
        let limit = |micros| Limit { micros: Some(micros), tokens: None };
        let limits = limits.iter().map(|(scope, micros)| (*scope, limit(*micros))).collect();
        let budget = Budget { limits, reserve_percent: 0, ..Budget::default() };
        let route = |api| Route {
            api,
            base_url: self.url.clone(),
            key: None,
            is_login: false,
            models: vec!["claude-*".to_owned()],
        };
        let routes = [("a", Api::Anthropic), ("o", Api::OpenAi), ("g", Api::Gemini)];
        let routes = routes.into_iter().map(|(name, api)| (name.to_owned(), route(api))).collect();
        Arc::new(
            Gateway::new(Options {
                routes,
                prices: Prices::builtin(),
                budget,
                servers: std::collections::BTreeMap::new(),
            })
            .unwrap(),
        )
    }
}

struct Run {
    dir: tempfile::TempDir,
    token: Token,
    opened: Option<Opened>,
    reports: mpsc::Receiver<CallReport>,
    client: reqwest::Client,
    gateway: Arc<Gateway>,
    route: &'static str,
}

impl Run {
    async fn open(gateway: &Arc<Gateway>, run: &str, route: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let token = Token::random().unwrap();
        let (usage, reports) = mpsc::channel(1_000);
        let socket = dir.path().join("gateway.sock");
        let client = reqwest::Client::builder().unix_socket(socket).tls_certs_only([]);
        let client = client.build().unwrap();
        let gateway = Arc::clone(gateway);
        let mut opened = Self { dir, token, opened: None, reports, client, gateway, route };
        let grant = opened.grant(run);
        opened.opened = Some(opened.gateway.open(grant, usage).await.unwrap());
        opened
    }

    fn grant(&self, run: &str) -> Grant {
        Grant {
            run: run.parse().unwrap(),
            label: "plan".to_owned(),
            token: self.token.clone(),
            socket: self.dir.path().join("gateway.sock"),
            source: Source::Live { route: self.route.to_owned() },
            record_to: self.dir.path().join("recording.jsonl"),
            outside: crate::gateway::Outside {
                repo: "ada/tally".to_owned(),
                hosts: zazen_core::host::Hosts::default(),
                servers: Vec::new(),
                log_to: self.dir.path().join("egress.jsonl"),
                download_bytes: 0,
                upload_bytes: 0,
            },
            socket_mode: 0o600,
            repo: "ada/tally".parse().unwrap(),
            task_usage: Usage::default(),
            may_use_reserve: false,
            of_task: zazen_core::budget::Limit::default(),
            is_forced: false,
            lifetime: Duration::from_secs(600),
        }
    }

    fn call(&self) -> impl Future<Output = reqwest::Response> + use<> {
        let path = match self.route {
            "a" => "/a/v1/messages",
            "o" => "/o/v1/chat/completions",
            _ => "/g/v1beta/models/claude-sonnet-4-5:generateContent",
        };
        let request = self.client.post(format!("http://gateway{path}"));
        let request = request.header("x-api-key", self.token.to_string());
        let sent = request.body(body().to_string()).send();
        async move { sent.await.unwrap() }
    }

    /// How many of so many calls at a time are answered.
    async fn calls(&self, n: usize) -> usize {
        let mut calls = JoinSet::new();
        for _ in 0..n {
            calls.spawn(self.call());
        }
        let answers = calls.join_all().await;
        answers.iter().filter(|answer| answer.status() == 200).count()
    }

    fn sum(&self) -> crate::gateway::Sum {
        let path = self.dir.path().join("recording.jsonl");
        crate::gateway::sum_up(&path, &Prices::builtin()).unwrap()
    }

    async fn close(mut self) -> crate::gateway::Sum {
        self.opened.take().unwrap().close().await.unwrap();
        self.sum()
    }
}

#[tokio::test]
async fn many_calls_at_once_overshoot_by_one_call_at_the_most() {
    let service = Service::start().await;
    for limit in [1, CALL, 2 * CALL + 1, 7 * CALL, WORST * 5] {
        let gateway = service.gateway(&[(Scope::Run, limit)]);
        let run = Run::open(&gateway, "1.1", "a").await;
        let n_answered = run.calls(40).await;
        let sum = run.close().await;
        let spent = sum.usage.counted().micros;
        assert_eq!(spent, n_answered as u64 * CALL);
        assert!(spent >= limit && spent < limit + CALL, "{spent} of {limit}");
        assert_eq!(sum.refused.map(|refused| refused.limit), Some(limit));
    }
}

#[tokio::test]
async fn calls_of_several_runs_share_what_they_share() {
    let service = Service::start().await;
    let limit = 9 * CALL + 1;
    let gateway = service.gateway(&[(Scope::Day, limit), (Scope::Run, 100 * CALL)]);
    let mut runs = Vec::new();
    for n in 1..=4 {
        runs.push(Run::open(&gateway, &format!("{n}.1"), "a").await);
    }
    let all = futures_util::future::join_all(runs.iter().map(|run| run.calls(10))).await;
    assert_eq!(all.iter().sum::<usize>(), 10, "{all:?}");
    assert_eq!(service.state.all.load(Ordering::SeqCst), 10, "the others were not made");
}

#[tokio::test]
async fn a_call_that_does_not_fit_beside_another_waits_for_it() {
    let service = Service::start().await;
    service.state.waits.store(true, Ordering::SeqCst);
    // Room for the worst case of one, and not of two.
    let gateway = service.gateway(&[(Scope::Run, WORST + WORST / 2)]);
    let run = Run::open(&gateway, "1.1", "a").await;
    let mut calls = JoinSet::new();
    for _ in 0..2 {
        calls.spawn(run.call());
    }
    while service.state.all.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // Another run has its own budget, and is not held up.
    let other = Run::open(&gateway, "2.1", "a").await;
    calls.spawn(other.call());
    while service.state.all.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.state.now.load(Ordering::SeqCst), 2);
    service.state.waits.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        let answer = loop {
            service.state.go.notify_waiters();
            match calls.try_join_next() {
                Some(answer) => break answer.unwrap(),
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(service.state.all.load(Ordering::SeqCst), 3);
    assert_eq!(service.state.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_refusal_is_final_in_the_words_of_each_api() {
    let service = Service::start().await;
    for (route, status) in [("a", 403), ("o", 400), ("g", 403)] {
        let gateway = service.gateway(&[(Scope::RepoDay, 1)]);
        let run = Run::open(&gateway, "1.1", route).await;
        let paid = Usage { cost: Cost::Micros(2), ..Usage::default() };
        let payer = Payer {
            run: "9.9".parse().unwrap(),
            repo: "ada/tally".parse().unwrap(),
            may_use_reserve: false,
            of_task: zazen_core::budget::Limit::default(),
        };
        gateway.count(&payer, &paid);
        assert_eq!(gateway.check(&payer).unwrap_err().scope, Scope::RepoDay);
        let answer = run.call().await;
        assert_eq!(answer.status(), status, "{route}");
        assert_eq!(answer.headers()["x-should-retry"], "false");
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("`budget.repo_day`"), "{message}");
        match route {
            "a" => assert_eq!(
                (&body["type"], &body["error"]["type"]),
                (&json!("error"), &json!("budget_exceeded"))
            ),
            "o" => assert_eq!(body["error"]["code"], "budget_exceeded"),
            _ => assert_eq!(
                (&body["error"]["code"], &body["error"]["status"]),
                (&json!(403), &json!("PERMISSION_DENIED"))
            ),
        }
        assert_eq!(run.close().await.usage, Usage::default(), "a refused call costs nothing");
    }
    assert_eq!(service.state.all.load(Ordering::SeqCst), 0, "nothing went out");
}

#[tokio::test]
async fn what_a_run_spent_before_a_restart_counts_after_it() {
    let service = Service::start().await;
    let limits = [(Scope::Run, 3 * CALL), (Scope::Day, 3 * CALL)];
    let run = Run::open(&service.gateway(&limits), "1.1", "a").await;
    assert_eq!(run.calls(2).await, 2);
    let Run { dir, token, opened, client, .. } = run;
    opened.unwrap().close().await.unwrap();
    // A daemon that was killed in the middle of a call leaves its note.
    let (begun, n_next) =
        super::super::begun::Begun::open(&dir.path().join("recording.jsonl")).unwrap();
    assert_eq!(n_next, 0, "the notes of calls that ended are gone");
    begun.note(7, Amount { micros: CALL - 1, tokens: 9 }).unwrap();

    let gateway = service.gateway(&limits);
    let (usage, reports) = mpsc::channel(10);
    let mut run = Run { dir, token, opened: None, reports, client, gateway, route: "a" };
    let grant = run.grant("1.1");
    run.opened = Some(run.gateway.open(grant, usage).await.unwrap());
    assert_eq!(run.calls(5).await, 1, "one millionth was left");
    let sum = run.close().await;
    assert_eq!(sum.usage.counted().micros, 4 * CALL - 1);
    assert!(matches!(sum.usage.cost, Cost::Unknown { known_micros } if known_micros == 3 * CALL));
}

#[tokio::test]
async fn only_the_models_of_the_route_are_asked() {
    let service = Service::start().await;
    let gateway = service.gateway(&[]);
    for (route, path, status) in [
        ("a", "/a/v1/messages", 403),
        ("o", "/o/v1/responses", 400),
        ("g", "/g/v1beta/models/gemini-2.5-pro:generateContent", 403),
        ("g", "/g/v1beta/models/gemini-2.5-pro:countTokens", 403),
    ] {
        let run = Run::open(&gateway, "1.1", route).await;
        let request = run.client.post(format!("http://gateway{path}"));
        let request = request.header("x-goog-api-key", run.token.to_string());
        let answer = request.body(r#"{"model":"gpt-5"}"#).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("rule `models`") && text.contains("claude-*"), "{text}");
    }
    assert_eq!(service.state.all.load(Ordering::SeqCst), 0, "nothing went out");
}

#[tokio::test]
async fn a_token_is_worth_nothing_when_its_time_is_over() {
    let service = Service::start().await;
    let gateway = service.gateway(&[]);
    let mut run = Run::open(&gateway, "1.1", "a").await;
    assert_eq!(run.call().await.status(), 200);
    drop(run.opened.take());
    let (usage, reports) = mpsc::channel(10);
    let grant = Grant { lifetime: Duration::ZERO, ..run.grant("1.1") };
    run.reports = reports;
    run.opened = Some(gateway.open(grant, usage).await.unwrap());
    assert_eq!(run.call().await.status(), 401);
}

#[tokio::test]
async fn a_hold_that_is_lost_counts_as_its_worst_case() {
    let limit = Limit { micros: Some(100), tokens: None };
    let limits = [(Scope::Total, limit)].into_iter().collect();
    let purse = Arc::new(Purse::new(Budget { limits, ..Budget::default() }));
    let payer = Payer {
        run: "1.1".parse().unwrap(),
        repo: "a/b".parse().unwrap(),
        may_use_reserve: false,
        of_task: zazen_core::budget::Limit::default(),
    };
    let worst = Amount { micros: 60, tokens: 1 };
    drop(purse.hold(&payer, worst).await.unwrap());
    purse.hold(&payer, worst).await.unwrap().settle(&Usage::default());
    drop(purse.hold(&payer, worst).await.unwrap());
    let refused = purse.hold(&payer, worst).await.unwrap_err();
    assert!(matches!(refused, Refusal::Budget(exceeded) if exceeded.spent == 120), "{refused:?}");
}
