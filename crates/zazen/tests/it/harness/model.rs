//! A model's service with a script, on loopback: Anthropic's Messages, streamed.
//! `responses` and `wire` have the other ways to ask it.
//!
//! It keeps no state between calls. What it says is found by what the prompt asks
//! for (`plan`, `implement/2`, …) and by how many answers the request quotes, so a
//! call that is made twice is answered twice with the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::responses;
use super::wire::Wire;

/// What the model says, phase by phase and turn by turn.
pub(crate) type Script = BTreeMap<String, Vec<Turn>>;

/// One answer of the model.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Turn {
    #[serde(default)]
    pub(crate) say: String,
    /// What it wants to have run. Without one, the answer is its last.
    pub(crate) command: Option<String>,
    /// Another tool that it wants to use, with its input.
    #[serde(default)]
    pub(crate) tool: Option<(String, Value)>,
    /// An answer that is an error: its status, and the kind of error.
    pub(crate) error: Option<(u16, String)>,
    /// How long the service wants to be left alone after it, in seconds.
    #[serde(default)]
    pub(crate) after: u32,
}

/// The server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<Arc<Script>>>,
    calls: Arc<Mutex<Vec<Call>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// One call that came in.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) label: String,
    pub(crate) turn: usize,
    pub(crate) key: String,
    /// All headers, as text.
    pub(crate) head: String,
    pub(crate) body: String,
}

#[derive(Clone)]
struct Shared {
    script: Arc<Mutex<Arc<Script>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Turn {
    pub(crate) fn say(text: &str) -> Self {
        Self { say: text.to_owned(), command: None, tool: None, error: None, after: 0 }
    }

    pub(crate) fn run(command: &str) -> Self {
        Self { command: Some(command.to_owned()), ..Self::say("") }
    }

    /// Asks for a tool of a server, say.
    pub(crate) fn call(tool: &str, input: &Value) -> Self {
        Self { tool: Some((tool.to_owned(), input.clone())), ..Self::say("") }
    }

    /// The same with `{word}` and `{number}` filled in: what a trial asks for in its prompt, and
    /// the last number that came back.
    fn filled(&self, body: &str) -> Self {
        let word = body.find("plum-").map_or("", |at| &body[at..at + "plum-".len() + 6]);
        let mut digits = body.split(|c: char| !c.is_ascii_digit());
        let number = digits.rfind(|it| (7..=10).contains(&it.len())).unwrap_or("");
        let fill = |text: &str| text.replace("{word}", word).replace("{number}", number);
        let command = self.command.as_deref().map(fill);
        Self { say: fill(&self.say), command, ..self.clone() }
    }

    pub(crate) fn fail(status: u16, kind: &str) -> Self {
        Self { error: Some((status, kind.to_owned())), ..Self::say("") }
    }

    /// An error that says when it is over: after so many seconds.
    pub(crate) fn fail_for(status: u16, kind: &str, seconds: u32) -> Self {
        Self { after: seconds, ..Self::fail(status, kind) }
    }
}

/// The script of the demo.
pub(crate) fn demo_script() -> Script {
    toml::from_str(include_str!("../../fixtures/demo-answers.toml")).expect("a script")
}

/// A plan with one step, as an agent writes it.
pub(crate) const SMALL_PLAN: &str = "## Summary\n\nThe README says hello.\n\n## Steps\n\n\
    - [ ] 1. Say hello in the README\n  One line at its end.\n\n## Files\n\n- `README.md`\n\n\
    ## Dependencies\n\nNone\n\n## Validation\n\n```sh\ngrep -q hello README.md\n```\n\n\
    ## Risks\n\nNone\n\n## Open questions\n\nNone\n\n## Non-goals\n\nNone\n";

/// A script for the smallest work that is worth a pull request: one step, one line.
pub(crate) fn small_script() -> Script {
    script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("It says hello.")]),
    ])
}

/// A script of these phases.
pub(crate) fn script(phases: &[(&str, Vec<Turn>)]) -> Script {
    phases.iter().map(|(label, turns)| ((*label).to_owned(), turns.clone())).collect()
}

impl Call {
    /// The model that was asked for.
    pub(crate) fn model(&self) -> String {
        let request: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        request["model"].as_str().unwrap_or_default().to_owned()
    }

    /// What the agent was given at its start, as text.
    pub(crate) fn prompt(&self) -> String {
        let request = read(&self.body);
        let content = &request["messages"][0]["content"];
        match content.as_str() {
            Some(text) => text.to_owned(),
            None => content[0]["text"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

impl Model {
    /// The prompts of all runs that asked for `label`, in order.
    pub(crate) fn prompts(&self, label: &str) -> Vec<String> {
        let calls = self.calls().into_iter();
        calls.filter(|call| call.turn == 0 && call.label == label).map(|c| c.prompt()).collect()
    }

    /// Starts a server that follows `script`.
    pub(crate) fn start(script: Script) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(Arc::new(script)));
        let shared = Shared { script: script.clone(), calls: calls.clone() };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port on loopback");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(answer).with_state(shared);
        runtime.handle().spawn(async move {
            axum::serve(listener, app).await.expect("the scripted model serves");
        });
        Self { address, script, calls, runtime: Some(runtime) }
    }

    /// Follows another script from now on.
    pub(crate) fn follow(&self, script: Script) {
        *self.script.lock().expect("no test panics with it") = Arc::new(script);
    }

    /// The base URL to point a route at.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("no test panics with it").clone()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let is_of_responses = is_of_responses(&body);
    let script = shared.script.lock().expect("no test panics with it").clone();
    let request = read(&body);
    let wire = Wire::of(uri.path(), &request);
    let (label, turn) = match wire {
        Some(wire) => {
            let prompt = wire.prompt(&request);
            (of_issue(&script, label(&prompt), &prompt), wire.turn(&request))
        }
        None => (more_exact(&script, label(&prompt(&request)), &request), turn(&request)),
    };
    // A login comes as another header than a key.
    let names = ["x-api-key", "x-goog-api-key", "authorization"];
    let key = names.into_iter().find_map(|name| headers.get(name));
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    let filled = |turns: &Vec<Turn>| turns.get(turn).map(|said| said.filled(&body));
    let said = script.get(&label).and_then(filled);
    shared.calls.lock().expect("no test panics with it").push(Call {
        label: label.clone(),
        turn,
        key: key.to_owned(),
        head: format!("{headers:?}"),
        body,
    });
    if let Some(wire) = wire {
        return wire.answer(&request, said.as_ref(), turn);
    }
    let Some(tool) = bash_tool(&request) else {
        // A harness asks for a title, or counts tokens, on the side.
        return stream(&request, &Turn::say("A title"), None, turn);
    };
    let silent = Turn::say("I have nothing more to say.");
    let said = said.as_ref().unwrap_or(&silent);
    match &said.error {
        Some((status, kind)) if is_of_responses => responses::refuse(*status, kind, said.after),
        Some((status, kind)) => refuse(*status, kind, said.after),
        None if is_of_responses => responses::stream(said, Some(&tool), turn),
        None => stream(&request, said, Some(&tool), turn),
    }
}

fn is_of_responses(body: &str) -> bool {
    serde_json::from_str(body).is_ok_and(|request| responses::is_one(&request))
}

/// A request, as messages.
fn read(body: &str) -> Value {
    let request: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if responses::is_one(&request) { responses::as_messages(&request) } else { request }
}

/// Answers with an error. With status 200 it comes in the stream, after a good beginning.
fn refuse(status: u16, kind: &str, after: u32) -> Response {
    let body = json!({ "type": "error", "error": { "type": kind, "message": kind } });
    if status == 200 {
        let event = format!("event: error\ndata: {body}\n\n");
        return ([(CONTENT_TYPE, "text/event-stream")], event).into_response();
    }
    let status = StatusCode::from_u16(status).expect("a status");
    // Nobody is to wait in a test that is about something else.
    let headers = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, &*after.to_string())];
    (status, headers, body.to_string()).into_response()
}

/// How many answers a request quotes.
fn turn(request: &Value) -> usize {
    let all = request["messages"].as_array();
    all.map_or(0, |all| all.iter().filter(|m| m["role"] == "assistant").count())
}

/// The first that was said in the name of the user.
fn prompt(request: &Value) -> String {
    let first = request["messages"].as_array();
    let first = first.and_then(|all| all.iter().find(|m| m["role"] == "user"));
    first.map(|message| message["content"].to_string()).unwrap_or_default()
}

/// What the prompt asks for, in the words of the phases.
fn label(first: &str) -> String {
    if let Some(rest) = first.split("Carry out step ").nth(1) {
        let step = rest.split(' ').next().unwrap_or_default();
        return format!("implement/{step}");
    }
    for (sign, label) in [
        ("You are to plan a change", "plan"),
        ("This is a short test of whether you work here", "trial"),
        ("Another agent has reviewed the change", "correct-own"),
        ("All steps of an approved plan are done", "correct"),
        ("Review a change before people see it", "review-own"),
        ("The pull request of an approved plan is open", "rework"),
        ("Answer a question about the repository", "ask"),
        ("Review a pull request of the repository", "review"),
        ("The pull request of an approved plan is open", "rework"),
    ] {
        if first.contains(sign) {
            return label.to_owned();
        }
    }
    "aside".to_owned()
}

/// The label for one issue (`implement/1@its title`), a second try or a revision, where the
/// script has words for that.
fn more_exact(script: &Script, label: String, request: &Value) -> String {
    let first = request["messages"][0]["content"].to_string();
    let label = of_issue(script, label, &first);
    if label.contains('@') {
        return label;
    }
    let told = format!("{label}/told");
    if script.contains_key(&told) && request["messages"].to_string().contains(TOLD) {
        return told;
    }
    for (sign, more) in
        [("This was tried before", "again"), ("The plan so far. Revise it", "revised")]
    {
        let exact = format!("{label}/{more}");
        if first.contains(sign) && script.contains_key(&exact) {
            return exact;
        }
    }
    label
}

/// The label for one issue, where the script has words for that.
fn of_issue(script: &Script, label: String, prompt: &str) -> String {
    let is_of_it = |key: &&String| {
        let title = key.strip_prefix(&*label).and_then(|rest| rest.strip_prefix('@'));
        title.is_some_and(|title| prompt.contains(title))
    };
    script.keys().find(is_of_it).cloned().unwrap_or(label)
}

/// What an agent is told while it works has this in it.
const TOLD: &str = "wrote this on the issue just now";

/// The harness's own name for the tool that runs a command.
fn bash_tool(request: &Value) -> Option<String> {
    let tools = request["tools"].as_array()?;
    let name = tools.iter().filter_map(|tool| tool["name"].as_str());
    let is_it = |name: &&str| name.eq_ignore_ascii_case("bash") || *name == "exec_command";
    name.into_iter().find(is_it).map(str::to_owned)
}

/// Writes one answer as Anthropic's stream.
fn stream(request: &Value, said: &Turn, tool: Option<&str>, turn: usize) -> Response {
    let model = request["model"].as_str().unwrap_or("scripted");
    let mut events = String::new();
    let mut event = |value: Value| {
        let name = value["type"].as_str().unwrap_or_default().to_owned();
        write!(events, "event: {name}\ndata: {value}\n\n").expect("it is a string");
    };
    let usage = json!({
        "input_tokens": 900 + 450 * turn, "output_tokens": 1,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 400 * turn,
    });
    event(json!({ "type": "message_start", "message": {
        "id": format!("msg_{turn}"), "type": "message", "role": "assistant", "model": model,
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage,
    }}));
    let mut index = 0;
    if !said.say.is_empty() {
        event(json!({ "type": "content_block_start", "index": index,
            "content_block": { "type": "text", "text": "" } }));
        event(json!({ "type": "content_block_delta", "index": index,
            "delta": { "type": "text_delta", "text": said.say } }));
        event(json!({ "type": "content_block_stop", "index": index }));
        index += 1;
    }
    let command = said.command.as_ref().zip(tool).map(|(command, tool)| {
        (tool.to_owned(), json!({ "command": command, "description": "carry on" }))
    });
    let call = said.tool.clone().or(command);
    if let Some((tool, input)) = &call {
        let input = input.to_string();
        event(json!({ "type": "content_block_start", "index": index, "content_block": {
            "type": "tool_use", "id": format!("toolu_{turn}"), "name": tool, "input": {} } }));
        event(json!({ "type": "content_block_delta", "index": index,
            "delta": { "type": "input_json_delta", "partial_json": input } }));
        event(json!({ "type": "content_block_stop", "index": index }));
    }
    let reason = if call.is_some() { "tool_use" } else { "end_turn" };
    let n_words = said.say.len() + said.command.as_ref().map_or(0, String::len);
    event(json!({ "type": "message_delta",
        "delta": { "stop_reason": reason, "stop_sequence": null },
        "usage": { "output_tokens": n_words / 4 + 1 } }));
    event(json!({ "type": "message_stop" }));
    ([(CONTENT_TYPE, "text/event-stream")], events).into_response()
}
