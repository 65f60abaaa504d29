//! A model's service on loopback that thinks for no time: Anthropic's Messages.
//!
//! What it says follows from the prompt's phase and from how many answers the
//! request quotes, so it keeps no state. It can hold its answers back until a
//! number of conversations have come together, and it can say the time in a
//! slow stream, so that whoever reads it knows how long each part was under way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::loopback::serve;

/// What the model says in each phase.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// The commands that it wants run while it plans, one a turn.
    pub(crate) plan: Vec<String>,
    /// The commands that it wants run while it carries out a step.
    pub(crate) implement: Vec<String>,
    /// How many conversations come together before any gets its first answer.
    pub(crate) n_together: usize,
    /// How long it thinks before each answer.
    pub(crate) think: Duration,
    /// In how many parts, with a pause between two, it says the last answer of a phase;
    /// 0 for all of it at once.
    pub(crate) n_parts: usize,
}

/// The server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Clone)]
struct Shared {
    script: Arc<Script>,
    together: Arc<Barrier>,
}

/// The path of the stream that says the time.
pub(crate) const TICKING: &str = "ticking";

/// How many parts such a stream has, and the time between two.
pub(crate) const N_TICKS: usize = 20;
const TICK: Duration = Duration::from_millis(5);

/// The pause between two parts of an answer that is said slowly: a model's fifty words a second.
const PART: Duration = Duration::from_millis(20);

/// How much text is one token, about.
const BYTES_PER_TOKEN: usize = 4;

/// A plan of one step that needs no further question.
pub(crate) const PLAN: &str = "# Sum by month\n\n## Approach\n\nOne line more.\n\n## Steps\n\n\
    - [ ] 1. Add a line to the README\n  One line at the end.\n\n## Files\n\n- `README.md`\n\n\
    ## Dependencies\n\nNone\n\n## Validation\n\n```sh\ntrue\n```\n\n## Risks\n\n- None.\n\n\
    ## Open questions\n\nNone\n\n## Non-goals\n\n- Anything else.\n";

impl Script {
    /// `n_turns` answers a phase, the last of which ends it.
    pub(crate) fn trivial(n_turns: usize) -> Self {
        let plan = vec!["ls".to_owned(); n_turns - 1];
        let mut implement = plan.clone();
        if let Some(first) = implement.first_mut() {
            "echo 'One line more.' >> README.md".clone_into(first);
        }
        Self { plan, implement, n_together: 1, think: Duration::ZERO, n_parts: 0 }
    }
}

impl Model {
    pub(crate) fn start(script: Script) -> anyhow::Result<Self> {
        let together = Arc::new(Barrier::new(script.n_together));
        let shared = Shared { script: Arc::new(script), together };
        let (address, runtime) = serve("model", Router::new().fallback(answer).with_state(shared))?;
        Ok(Self { address, runtime: Some(runtime) })
    }

    /// The base URL to point a route at.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(State(shared): State<Shared>, body: String) -> Response {
    if body.contains(TICKING) {
        return ticking();
    }
    let turn = body.matches(r#""role":"assistant""#).count();
    let commands = if body.contains("Carry out step ") {
        &shared.script.implement
    } else {
        &shared.script.plan
    };
    if turn == 0 && shared.script.n_together > 1 {
        shared.together.wait().await;
    }
    if !shared.script.think.is_zero() {
        tokio::time::sleep(shared.script.think).await;
    }
    if commands.get(turn).is_none() && shared.script.n_parts > 0 {
        return slowly(turn, shared.script.n_parts);
    }
    // Claude Code calls it otherwise than `mini`.
    let tool = if body.contains(r#""name":"Bash""#) { "Bash" } else { "bash" };
    let command = commands.get(turn).map(|command| (tool, command.as_str()));
    let text = stream_text((turn, body.len() / BYTES_PER_TOKEN), command);
    ([(CONTENT_TYPE, "text/event-stream")], text).into_response()
}

/// One whole answer, as the vendor streams it.
fn stream_text((turn, n_tokens): (usize, usize), command: Option<(&str, &str)>) -> String {
    let block = match command {
        Some((tool, command)) => {
            let input = json!({ "command": command }).to_string();
            let block = json!({ "type": "tool_use", "id": format!("toolu_{turn}"), "name": tool,
                "input": {} });
            (block, json!({ "type": "input_json_delta", "partial_json": input }))
        }
        None => {
            (json!({ "type": "text", "text": "" }), json!({ "type": "text_delta", "text": PLAN }))
        }
    };
    let reason = if command.is_some() { "tool_use" } else { "end_turn" };
    [
        message_start(turn, n_tokens),
        event(&json!({ "type": "content_block_start", "index": 0, "content_block": block.0 })),
        event(&json!({ "type": "content_block_delta", "index": 0, "delta": block.1 })),
        event(&json!({ "type": "content_block_stop", "index": 0 })),
        message_end(reason),
    ]
    .concat()
}

/// The plan, after so many parts that come one after the other.
fn slowly(turn: usize, n_parts: usize) -> Response {
    let delta = |text: &str| {
        event(&json!({ "type": "content_block_delta", "index": 0,
            "delta": { "type": "text_delta", "text": text } }))
    };
    let parts = stream::unfold(0, move |n| async move {
        let text = match n {
            0 => {
                message_start(turn, 900)
                    + &event(&json!({ "type": "content_block_start", "index": 0,
                        "content_block": { "type": "text", "text": "" } }))
            }
            n if n <= n_parts => {
                tokio::time::sleep(PART).await;
                // What stands before a plan's title is left out.
                delta("One moment. ")
            }
            n if n == n_parts + 1 => {
                delta(&format!("\n\n{PLAN}"))
                    + &event(&json!({ "type": "content_block_stop", "index": 0 }))
                    + &message_end("end_turn")
            }
            _ => return None,
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), n + 1))
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(parts)).into_response()
}

/// A slow stream in which every part says when it was sent.
fn ticking() -> Response {
    let parts = stream::unfold(0, |n| async move {
        let text = match n {
            0 => message_start(0, 900),
            n if n <= N_TICKS => {
                tokio::time::sleep(TICK).await;
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let at = since.unwrap_or_default().as_nanos();
                event(&json!({ "type": "content_block_delta", "index": 0,
                    "delta": { "type": "text_delta", "text": format!("at={at};") } }))
            }
            n if n == N_TICKS + 1 => message_end("end_turn"),
            _ => return None,
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), n + 1))
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(parts)).into_response()
}

fn message_start(turn: usize, n_tokens: usize) -> String {
    event(&json!({ "type": "message_start", "message": {
        "id": format!("msg_{turn}"), "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-5", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": { "input_tokens": n_tokens, "output_tokens": 1,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 400 },
    }}))
}

fn message_end(reason: &str) -> String {
    let end = event(&json!({ "type": "message_delta",
        "delta": { "stop_reason": reason, "stop_sequence": null },
        "usage": { "output_tokens": 40 } }));
    end + &event(&json!({ "type": "message_stop" }))
}

fn event(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap_or_default())
}
