//! Webhooks as GitHub sends them: its own examples with what is really there put in, signed.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::shared::Shared;
use super::state::{APP_ID, INSTALLATION, WEBHOOK_SECRET, now};
use super::wire::{Ask, fetch};

/// How many deliveries may wait. No test has that many.
pub(super) const OUTBOX_MAX: usize = 1000;

/// What happens to deliveries from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Delivering {
    /// They are sent at once.
    #[default]
    AtOnce,
    /// They are sent twice, with the same id.
    Twice,
    /// They are lost, and GitHub knows it.
    Lost,
    /// They wait until the test releases them.
    Held,
}

/// Where deliveries go.
#[derive(Debug, Default)]
pub(super) struct Hook {
    /// `127.0.0.1:PORT`, and the path.
    pub(super) target: Option<(String, String)>,
    pub(super) how: Delivering,
}

/// One delivery.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) guid: String,
    pub(crate) event: String,
    pub(crate) action: String,
    pub(crate) body: Value,
    /// What the listener answered; 502 if nobody did.
    pub(crate) status: u16,
    pub(crate) is_done: bool,
    pub(super) is_again: bool,
    pub(super) at: String,
}

/// GitHub's examples of each event.
#[derive(Debug)]
pub(super) struct Examples(Vec<Value>);

impl Examples {
    pub(super) fn read(path: &Path) -> Self {
        let text = std::fs::read(path).expect("the examples can be read");
        Self(serde_json::from_slice(&text).expect("the examples are JSON"))
    }

    /// The example that is nearest: of that event, with that action if there is one.
    fn find(&self, event: &str, action: &str) -> Value {
        let all = self.0.iter().find(|known| known["name"] == event);
        let all = all.and_then(|known| known["examples"].as_array()).cloned().unwrap_or_default();
        let fits = |example: &&Value| {
            example["action"] == action && example["issue"]["pull_request"].is_null()
        };
        let found = all.iter().find(fits).or_else(|| all.first());
        found.cloned().unwrap_or_else(|| panic!("GitHub has no example of `{event}`"))
    }
}

impl Delivery {
    /// As the API lists it, or whole.
    pub(super) fn shown(&self, whole: bool) -> Value {
        let status = match self.status {
            200..=299 => "OK",
            502 => "failed to connect to host",
            _ => "Invalid HTTP Response",
        };
        let action = if self.action.is_empty() { Value::Null } else { json!(self.action) };
        let mut shown = json!({
            "id": self.id, "guid": self.guid, "delivered_at": self.at,
            "redelivery": self.is_again, "duration": 0.1, "status": status,
            "status_code": self.status, "event": self.event, "action": action,
            "installation_id": INSTALLATION, "repository_id": self.body["repository"]["id"],
            "throttled_at": null,
        });
        if whole {
            shown["request"] = json!({ "headers": {}, "payload": self.body });
            shown["response"] = json!({ "headers": {}, "payload": "" });
        }
        shown
    }
}

impl Shared {
    /// Makes a delivery of what happened, and sends it as the test wants.
    pub(super) async fn tell(&self, login: &str, event: &str, action: &str, parts: Value) {
        let body = self.payload(login, event, action, parts).await;
        let how = self.hook.lock().expect("no test panics with it").how;
        let ids = {
            let mut state = self.state();
            let n = if how == Delivering::Twice { 2 } else { 1 };
            let id = state.next_id();
            let hash = blake3::hash(format!("{id} {}", self.url).as_bytes()).to_hex();
            let guid =
                format!("{}-{}-11f0-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..28]);
            let mut ids = Vec::new();
            for _ in 0..n {
                let id = state.next_id();
                ids.push(id);
                state.deliveries.push(Delivery {
                    id,
                    guid: guid.clone(),
                    event: event.to_owned(),
                    action: action.to_owned(),
                    body: body.clone(),
                    status: 502,
                    is_done: how == Delivering::Lost,
                    is_again: false,
                    at: now(),
                });
            }
            ids
        };
        if matches!(how, Delivering::AtOnce | Delivering::Twice) {
            for id in ids {
                self.outbox.send(id).await.expect("somebody delivers");
            }
        }
    }

    async fn payload(&self, login: &str, event: &str, action: &str, parts: Value) -> Value {
        let mut body = self.examples.find(event, action);
        let map = body.as_object_mut().expect("an example is an object");
        for name in ["organization", "enterprise", "changes", "assignee", "label"] {
            map.remove(name);
        }
        if !action.is_empty() {
            map.insert("action".to_owned(), action.into());
        }
        let mut parts = parts;
        parts["repository"] = self.read("").await.unwrap_or_default();
        parts["sender"] = self.user(login).await;
        parts["installation"] = json!({ "id": INSTALLATION, "node_id": "MDIz" });
        // An example about a pull request is none about an issue.
        let is_pull = !parts["issue"]["pull_request"].is_null();
        for (name, part) in parts.as_object().cloned().unwrap_or_default() {
            overlay(&mut body[&name], &part);
        }
        if !is_pull && let Some(issue) = body["issue"].as_object_mut() {
            issue.remove("pull_request");
        }
        body
    }

    /// Sends a delivery again, as a new attempt with the same id of the event.
    pub(super) async fn redeliver(&self, id: u64) -> bool {
        let again = {
            let mut state = self.state();
            let Some(mut again) = state.deliveries.iter().find(|d| d.id == id).cloned() else {
                return false;
            };
            again.id = state.next_id();
            (again.is_again, again.is_done, again.status) = (true, false, 502);
            again.at = now();
            state.deliveries.push(again.clone());
            again.id
        };
        self.outbox.send(again).await.expect("somebody delivers");
        true
    }

    async fn deliver(&self, id: u64) {
        let found = self.state().deliveries.iter().find(|d| d.id == id).cloned();
        let Some(delivery) = found else { return };
        let target = self.hook.lock().expect("no test panics with it").target.clone();
        let status = match target {
            Some((address, path)) => match fetch(&address, &request(&delivery, &path)).await {
                Ok(reply) => reply.status,
                Err(_) => 502,
            },
            None => 502,
        };
        let mut state = self.state();
        for known in state.deliveries.iter_mut().filter(|d| d.id == id) {
            (known.status, known.is_done) = (status, true);
        }
    }
}

/// Sends what is in the outbox, one after another, until the runtime ends.
pub(super) async fn deliver_all(shared: Arc<Shared>, mut outbox: mpsc::Receiver<u64>) {
    while let Some(id) = outbox.recv().await {
        shared.deliver(id).await;
    }
}

/// The request that carries a delivery.
pub(super) fn request(delivery: &Delivery, path: &str) -> Ask {
    let body = delivery.body.to_string();
    let sign = |algorithm| {
        let key = hmac::Key::new(algorithm, WEBHOOK_SECRET.as_bytes());
        hex::encode(hmac::sign(&key, body.as_bytes()))
    };
    let mut ask = Ask::new("POST", path);
    ask.method = Method::POST;
    for (name, value) in [
        ("accept", "*/*".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("user-agent", "GitHub-Hookshot/044aadd".to_owned()),
        ("x-github-delivery", delivery.guid.clone()),
        ("x-github-event", delivery.event.clone()),
        ("x-github-hook-id", "532142857".to_owned()),
        ("x-github-hook-installation-target-id", APP_ID.to_string()),
        ("x-github-hook-installation-target-type", "integration".to_owned()),
        ("x-hub-signature", format!("sha1={}", sign(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY))),
        ("x-hub-signature-256", format!("sha256={}", sign(hmac::HMAC_SHA256))),
    ] {
        ask = ask.with(name, &value);
    }
    ask.body = Bytes::from(body);
    ask
}

/// Puts what is there over what the example has. Lists are taken whole.
fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                overlay(under.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}
