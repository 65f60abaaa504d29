//! A service that answers nothing for a while, as runs see it.

use zazen_core::limit::{Meter, Share};

use super::*;

impl Service {
    async fn will_refuse(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut response = Response::builder().status(status);
        for (name, value) in [("content-type", "application/json")].iter().chain(headers) {
            response = response.header(*name, *value);
        }
        self.answers.send(response.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    }

    async fn will_do(&self) {
        self.will_refuse(200, &[], r#"{"model":"m","usage":{"input_tokens":1}}"#).await;
    }

    /// How many calls came in since this was last asked.
    fn n_seen(&mut self) -> usize {
        std::iter::from_fn(|| self.seen.try_recv().ok()).count()
    }
}

async fn run_on(gateway: &Arc<Gateway>, route: &str) -> Run {
    Run::open(gateway, live_source(route)).await
}

const LONG: [(&str, &str); 1] = [("retry-after", "3600")];
const OVER: &str = r#"{"type":"error","error":{"type":"rate_limit_error","message":"enough"}}"#;
const GEMINI: &str = "/google/v1beta/models/gemini-3-pro:generateContent";

#[tokio::test]
async fn a_long_wait_is_final_for_each_vendors_clients_and_is_not_asked_for_again() {
    let mut service = Service::start().await;
    let gateway = gateway(&service);
    for (route, path, status, is_theirs) in [
        ("anthropic", "/anthropic/v1/messages", 429, true),
        ("openai", "/openai/v1/responses", 400, true),
        ("google", GEMINI, 403, false),
    ] {
        let mut run = run_on(&gateway, route).await;
        service.will_refuse(429, &LONG, OVER).await;
        let refused = run.post(path, PROMPT).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), status, "{route}");
        assert_eq!(refused.headers()["x-should-retry"], "false", "{route}");
        let waits = |answer: &reqwest::Response| answer.headers().contains_key("retry-after");
        assert_eq!(waits(&refused), route != "openai", "{route}: some would wait for so long");
        let body = refused.text().await.unwrap();
        assert_eq!(body == OVER, is_theirs, "{route}: {body}");

        let again = run.post(path, PROMPT).send().await.unwrap();
        assert_eq!(again.status().as_u16(), status, "{route}");
        assert_eq!(again.headers()["x-should-retry"], "false", "{route}");
        assert_eq!(waits(&again), route != "openai", "{route}");
        if let Some(wait) = again.headers().get("retry-after") {
            let wait: u64 = wait.to_str().unwrap().parse().unwrap();
            assert!((3500..=3600).contains(&wait), "{route}: {wait}");
        }
        let body = again.text().await.unwrap();
        assert!(body.contains("the model's service is out of quota for"), "{route}: {body}");
        assert!(body.contains("(rule `limits`)"), "{route}: {body}");
        assert_eq!(service.n_seen(), 1, "{route}: it is asked once");

        let recording = run.close().await;
        let sum = sum_up(&run.dir.path().join("recording.jsonl"), &Prices::builtin()).unwrap();
        let closing = sum.closing.expect("the run's folder says why it ended");
        assert!(closing.until.is_some(), "{route}: {recording}");
        assert_eq!(sum.usage.cost, Cost::default(), "{route}: a refusal costs nothing");
        assert!(gateway.limits()[route].closings(closing.measured).count() == 1);
    }
}

#[tokio::test]
async fn a_short_wait_is_the_harness_own_matter() {
    let mut service = Service::start().await;
    let mut run = live(&service).await;
    for _ in 0..2 {
        service.will_refuse(429, &[("retry-after", "2")], OVER).await;
        let refused = run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), 429);
        assert_eq!(refused.headers()["retry-after"], "2");
        assert!(!refused.headers().contains_key("x-should-retry"));
        assert_eq!(refused.text().await.unwrap(), OVER);
    }
    assert_eq!(service.n_seen(), 2);
    run.close().await;
    let sum = sum_up(&run.dir.path().join("recording.jsonl"), &Prices::builtin()).unwrap();
    assert_eq!((sum.closing, sum.n_failed), (None, 2));
}

#[tokio::test]
async fn an_account_without_credit_ends_its_run_and_closes_nothing_for_others() {
    let mut service = Service::start().await;
    let gateway = gateway(&service);
    let run = run_on(&gateway, "openai").await;
    let empty = r#"{"error":{"code":"insufficient_quota","message":"see your plan"}}"#;
    service.will_refuse(429, &[], empty).await;
    for is_first in [true, false] {
        let refused = run.post("/openai/v1/responses", PROMPT).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), 400);
        let body = refused.text().await.unwrap();
        assert_eq!(body.contains("see your plan"), is_first, "{body}");
    }
    assert_eq!(service.n_seen(), 1);
    service.will_do().await;
    let other = run_on(&gateway, "openai").await;
    let answered = other.post("/openai/v1/responses", PROMPT).send().await.unwrap();
    assert_eq!(answered.status().as_u16(), 200);
}

#[tokio::test]
async fn other_runs_are_refused_too_but_one_that_a_person_wants_and_what_answers_is_open() {
    let mut service = Service::start().await;
    let gateway = gateway(&service);
    let first = run_on(&gateway, "anthropic").await;
    service.will_refuse(429, &LONG, OVER).await;
    let path = "/anthropic/v1/messages";
    assert_eq!(first.post(path, PROMPT).send().await.unwrap().status().as_u16(), 429);
    let other = run_on(&gateway, "anthropic").await;
    assert_eq!(other.post(path, PROMPT).send().await.unwrap().status().as_u16(), 429);
    let haiku = PROMPT.replace("sonnet", "haiku");
    assert_eq!(service.n_seen(), 1);
    service.will_do().await;
    let another_model = other.post(path, &haiku).send().await.unwrap();
    assert_eq!(another_model.status().as_u16(), 200, "the wait was one of a single model");
    let forced = Run::open_forced(&gateway, live_source("anthropic")).await;
    service.will_refuse(429, &LONG, OVER).await;
    for _ in 0..2 {
        assert_eq!(forced.post(path, PROMPT).send().await.unwrap().status().as_u16(), 429);
    }
    assert_eq!(service.n_seen(), 2, "it is tried once");
    let again = Run::open_forced(&gateway, live_source("anthropic")).await;
    service.will_do().await;
    assert_eq!(again.post(path, PROMPT).send().await.unwrap().status().as_u16(), 200);
    service.will_do().await;
    assert_eq!(other.post(path, PROMPT).send().await.unwrap().status().as_u16(), 200);
    assert_eq!(service.n_seen(), 2);
}

#[tokio::test]
async fn what_a_good_answer_says_of_limits_is_known_and_survives() {
    let service = Service::start().await;
    let before = gateway(&service);
    let run = run_on(&before, "anthropic").await;
    let told = before.limits_changed();
    let reset = (call::now_ms() / 1000 + 3600).to_string();
    let headers = [
        ("anthropic-ratelimit-unified-5h-utilization", "0.92"),
        ("anthropic-ratelimit-unified-5h-reset", &*reset),
    ];
    let body = r#"{"model":"m","usage":{"input_tokens":1}}"#;
    service.will_refuse(200, &headers, body).await;
    run.post("/anthropic/v1/messages", PROMPT).send().await.unwrap();
    told.notified().await;
    let next = gateway(&service);
    let mut kept = before.limits();
    kept.insert("gone".to_owned(), kept["anthropic"].clone());
    next.start_with(kept);
    assert!(!next.limits().contains_key("gone"), "routes that are not there are forgotten");
    let limits = next.limits().remove("anthropic").expect("it is known");
    let now = zazen_core::id::Time(call::now_ms());
    let windows: Vec<_> = limits.windows(now).collect();
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0].of, Meter::Plan { minutes: 300, class: None });
    assert_eq!(windows[0].used(), Some(Share::of_thousandths(920)));
}
