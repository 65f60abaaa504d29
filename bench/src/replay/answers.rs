//! A model that does the tasks of the samples: Anthropic's Messages and `OpenAI`'s Responses.
//!
//! It keeps no state but the number of its calls: what it says follows from the prompt's
//! phase and from how many answers the request quotes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::samples::{LOOKS, Sample};
use crate::loopback::serve;

/// The server. It ends when this is dropped.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    n_calls: Arc<AtomicU64>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Clone)]
struct Shared {
    sample: &'static Sample,
    n_calls: Arc<AtomicU64>,
}

/// How long it thinks before each answer. Real models take longer.
pub(super) const THINK: Duration = Duration::from_millis(500);

const PLAN: &str = "## Summary\n\nThe mean, too.\n\n## Steps\n\n- [ ] 1. Add `mean`\n  \
    Beside `total`.\n- [ ] 2. Describe it in the README\n  One line.\n\n## Files\n\n\
    - `README.md`\n- `src/lib.rs`\n- `months.py`\n- `months.js`\n\n\
    ## Dependencies\n\nNone\n\n## Validation\n\n```sh\ntrue\n```\n\n## Risks\n\nNone\n\n\
    ## Open questions\n\nNone\n\n## Non-goals\n\nNone\n";

impl Service {
    pub(super) fn start(sample: &'static Sample) -> anyhow::Result<Self> {
        let n_calls = Arc::new(AtomicU64::new(0));
        let shared = Shared { sample, n_calls: Arc::clone(&n_calls) };
        let (address, runtime) = serve("model", Router::new().fallback(answer).with_state(shared))?;
        Ok(Self { address, n_calls, runtime: Some(runtime) })
    }

    pub(super) fn n_calls(&self) -> u64 {
        self.n_calls.load(Ordering::Relaxed)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Shared>, body: String) -> Response {
    shared.n_calls.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(THINK).await;
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let steps = shared.sample.steps;
    let (commands, last): (&[&str], &str) = if body.contains("Carry out step 1 of") {
        (steps[0], "`mean` is there.")
    } else if body.contains("Carry out step 2 of") {
        (steps[1], "The README says so.")
    } else {
        (&LOOKS, PLAN)
    };
    let tools = request["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shells = ["bash", "Bash", "exec_command"];
    let names = tools.iter().filter_map(|tool| tool["name"].as_str());
    let shell = names.into_iter().find(|name| shells.contains(name));
    let is_responses = request["input"].is_array();
    let items = if is_responses { &request["input"] } else { &request["messages"] };
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_call = |item: &&Value| item["role"] == "assistant" || item["type"] == "function_call";
    let turn = items.iter().filter(is_call).count();
    let call = commands.get(turn).zip(shell);
    let text = if is_responses { responses(turn, call, last) } else { messages(turn, call, last) };
    ([(CONTENT_TYPE, "text/event-stream")], text).into_response()
}

fn messages(turn: usize, call: Option<(&&str, &str)>, last: &str) -> String {
    let (block, delta, reason) = if let Some((command, tool)) = call {
        let input = json!({ "command": command }).to_string();
        let id = format!("toolu_{turn}");
        let block = json!({ "type": "tool_use", "id": id, "name": tool, "input": {} });
        (block, json!({ "type": "input_json_delta", "partial_json": input }), "tool_use")
    } else {
        let block = json!({ "type": "text", "text": "" });
        (block, json!({ "type": "text_delta", "text": last }), "end_turn")
    };
    [
        event(&json!({ "type": "message_start", "message": {
            "id": format!("msg_{turn}"), "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5", "content": [], "stop_reason": null,
            "stop_sequence": null, "usage": { "input_tokens": 900, "output_tokens": 1 } } })),
        event(&json!({ "type": "content_block_start", "index": 0, "content_block": block })),
        event(&json!({ "type": "content_block_delta", "index": 0, "delta": delta })),
        event(&json!({ "type": "content_block_stop", "index": 0 })),
        event(&json!({ "type": "message_delta",
            "delta": { "stop_reason": reason, "stop_sequence": null },
            "usage": { "output_tokens": 40 } })),
        event(&json!({ "type": "message_stop" })),
    ]
    .concat()
}

fn responses(turn: usize, call: Option<(&&str, &str)>, last: &str) -> String {
    let id = format!("resp_{turn}");
    let item = if let Some((command, tool)) = call {
        let input = json!({ "cmd": command, "yield_time_ms": 30_000 }).to_string();
        json!({ "type": "function_call", "id": format!("fc_{turn}"),
            "call_id": format!("call_{turn}"), "name": tool, "arguments": input })
    } else {
        let content = json!([{ "type": "output_text", "text": last, "annotations": [] }]);
        json!({ "type": "message", "id": format!("msg_{turn}"), "role": "assistant",
            "content": content })
    };
    let usage = json!({ "input_tokens": 900, "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": 40, "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": 940 });
    [
        event(&json!({ "type": "response.created", "response": { "id": id } })),
        event(&json!({ "type": "response.output_item.done", "item": item })),
        event(&json!({ "type": "response.completed", "response": { "id": id, "usage": usage } })),
    ]
    .concat()
}

fn event(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default())
}
