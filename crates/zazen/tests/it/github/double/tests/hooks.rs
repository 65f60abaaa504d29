//! Webhooks as they arrive: signed, with what is really there, and not always once.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Program, app_token};
use crate::github::double::Double;
use crate::github::double::deliveries::Delivering;
use crate::github::double::state::Permission;

/// What arrived: the event, the id, and the body.
type Arrived = Arc<Mutex<Vec<(String, String, Value)>>>;

/// Listens for webhooks, and refuses what is not signed.
fn listen(double: &Double) -> Arrived {
    let arrived = Arrived::default();
    let app = Router::new().fallback(take).with_state(arrived.clone());
    let listener = double.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    double.hook_to(&format!("http://{address}/webhook"));
    double.handle().spawn(async move { axum::serve(listener, app).await });
    arrived
}

async fn take(State(arrived): State<Arrived>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"canary-webhook-2f1d9c40b7");
    let signature = header("x-hub-signature-256");
    let signature = hex::decode(signature.trim_start_matches("sha256=")).unwrap_or_default();
    if ring::hmac::verify(&key, body.as_bytes(), &signature).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let body = serde_json::from_str(&body).expect("it is JSON");
    let entry = (header("x-github-event"), header("x-github-delivery"), body);
    arrived.lock().expect("no test panics with it").push(entry);
    StatusCode::ACCEPTED
}

#[test]
fn deeds_arrive_as_signed_webhooks() {
    let Some(double) = Double::start() else { return };
    let arrived = listen(&double);
    let alice = double.person("alice", Permission::Write);
    let number = alice.opens_issue("Sum by month", "Please.");
    let id = alice.comments(number, "/plan");
    alice.edits_comment(id, "/plan now");
    alice.labels(number, "zazen:plan");
    let commit = alice.pushes_commit("work", "a.txt", "a\n");
    let pull = alice.opens_pull("Work", "work");
    double.person("bob", Permission::Write).reviews(pull, "changes_requested", "No.", &[]);
    let run = double.ci_begins("work", &commit, "test");
    double.ci_ends(run, "failure", "");
    alice.merges(pull);
    double.settle();
    let arrived = arrived.lock().expect("no test panics with it").clone();
    let told: Vec<String> = arrived
        .iter()
        .map(|(event, _, body)| format!("{event} {}", body["action"].as_str().unwrap_or("-")))
        .collect();
    let expected = [
        "issues opened",
        "issue_comment created",
        "issue_comment edited",
        "issues labeled",
        "push -",
        "pull_request opened",
        "pull_request_review submitted",
        "check_run completed",
        "check_suite completed",
        "workflow_run completed",
        "pull_request closed",
        "push -",
    ];
    assert_eq!(told, expected);
    let (_, guid, comment) = &arrived[1];
    assert_eq!(guid.len(), 36);
    assert_eq!(comment["comment"]["id"], id);
    assert_eq!(comment["comment"]["body"], "/plan");
    assert_eq!(comment["issue"]["number"], number);
    assert!(comment["issue"]["pull_request"].is_null());
    assert_eq!(comment["repository"]["full_name"], "ada/tally");
    assert_eq!(comment["sender"]["login"], "alice");
    assert_eq!(comment["installation"]["id"], double.installation());
    assert_eq!(arrived[2].2["changes"]["body"]["from"], "/plan");
    assert_eq!(arrived[4].2["after"], commit);
    assert_eq!(arrived[6].2["review"]["state"], "changes_requested");
    assert_eq!(arrived[10].2["pull_request"]["merged"], true);
    double.finish();
}

#[test]
fn webhooks_get_lost_come_twice_and_in_another_order() {
    let Some(double) = Double::start() else { return };
    let arrived = listen(&double);
    let texts = || {
        double.settle();
        let arrived = arrived.lock().expect("no test panics with it");
        let texts = arrived.iter().map(|(_, _, body)| body["comment"]["body"].clone());
        texts.filter(|text| !text.is_null()).collect::<Vec<_>>()
    };
    let number = double.owner().opens_issue("One", "");
    double.deliver(Delivering::Lost);
    double.owner().comments(number, "lost");
    double.deliver(Delivering::Twice);
    double.owner().comments(number, "twice");
    assert_eq!(texts(), ["twice", "twice"]);
    double.deliver(Delivering::Held);
    double.owner().comments(number, "first");
    double.owner().comments(number, "second");
    double.release_shuffled();
    assert_eq!(texts(), ["twice", "twice", "second", "first"]);

    let app = Program::new(&double, &app_token(&double, 300));
    let failed = app.get("/app/hook/deliveries?status=failure").value();
    assert_eq!(failed.as_array().map(Vec::len), Some(1), "{failed}");
    let path = format!("/app/hook/deliveries/{}/attempts", failed[0]["id"]);
    assert_eq!(app.post(&path, &Value::Null).status, 202);
    assert_eq!(texts().last(), Some(&json!("lost")));
    let all = app.get("/app/hook/deliveries").value();
    assert_eq!((&all[0]["guid"], &all[0]["redelivery"]), (&failed[0]["guid"], &json!(true)));
    double.finish();
}

#[test]
fn a_webhook_that_nobody_takes_is_listed_as_failed() {
    let Some(double) = Double::start() else { return };
    double.owner().opens_issue("One", "");
    double.settle();
    assert_eq!(double.deliveries()[0].status, 502);
    double.finish();
}
