//! The other ways to speak to a model: `OpenAI`'s Chat Completions, and Gemini's API.
//!
//! Requests are read as far as the script needs them, and answers are written as the
//! services write theirs. `model` speaks Anthropic's by itself.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::model::Turn;

/// How a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wire {
    api: Api,
    is_streamed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Chat,
    Gemini,
}

/// A tool that is called, and with what.
type Call = (String, Value);

/// Tools that run a command, as agents call theirs.
const SHELLS: [&str; 3] = ["bash", "run_shell_command", "shell"];

impl Wire {
    /// None for Anthropic's.
    pub(super) fn of(path: &str, request: &Value) -> Option<Self> {
        if path.ends_with("/chat/completions") {
            Some(Self { api: Api::Chat, is_streamed: request["stream"] == true })
        } else if path.contains("enerateContent") {
            let is_streamed = path.contains("streamGenerateContent");
            Some(Self { api: Api::Gemini, is_streamed })
        } else {
            None
        }
    }

    /// All that was said in the name of the user.
    pub(super) fn prompt(self, request: &Value) -> String {
        let said: Vec<&Value> = match self.api {
            Api::Chat => list(&request["messages"])
                .filter(|message| message["role"] == "user")
                .map(|message| &message["content"])
                .collect(),
            Api::Gemini => list(&request["contents"])
                .filter(|content| content["role"] == "user")
                .map(|content| &content["parts"])
                .collect(),
        };
        said.into_iter().map(text_of).collect::<Vec<_>>().join("\n")
    }

    /// How many commands have come back.
    pub(super) fn turn(self, request: &Value) -> usize {
        match self.api {
            Api::Chat => list(&request["messages"]).filter(|m| m["role"] == "tool").count(),
            Api::Gemini => list(&request["contents"])
                .flat_map(|content| list(&content["parts"]))
                .filter(|part| part.get("functionResponse").is_some())
                .count(),
        }
    }

    /// The tool that runs a command: its name, and what it takes.
    fn shell(self, request: &Value) -> Option<Call> {
        let tools: Vec<&Value> = match self.api {
            Api::Chat => list(&request["tools"]).map(|tool| &tool["function"]).collect(),
            Api::Gemini => list(&request["tools"])
                .flat_map(|tool| list(&tool["functionDeclarations"]))
                .collect(),
        };
        let is_shell = |tool: &&&Value| SHELLS.iter().any(|name| tool["name"] == *name);
        let tool = tools.iter().find(is_shell)?;
        let takes = ["parameters", "parametersJsonSchema"].map(|name| tool[name].clone());
        let takes = takes.into_iter().find(|takes| !takes.is_null()).unwrap_or_default();
        Some((tool["name"].as_str()?.to_owned(), takes))
    }

    /// One answer.
    pub(super) fn answer(self, request: &Value, said: Option<&Turn>, turn: usize) -> Response {
        let Some((name, takes)) = self.shell(request) else {
            // An agent asks for a title, say, on the side.
            return self.say(request, ("A title", None), turn);
        };
        let Some(said) = said else {
            return self.say(request, ("I have nothing more to say.", None), turn);
        };
        if let Some((status, kind)) = &said.error {
            return self.refuse(*status, kind, said.after);
        }
        let command = said.command.as_ref().map(|command| (name, arguments(command, &takes)));
        let call = said.tool.clone().or(command);
        self.say(request, (&said.say, call), turn)
    }

    fn say(self, request: &Value, (say, call): (&str, Option<Call>), turn: usize) -> Response {
        let events = match (self.api, self.is_streamed) {
            (Api::Chat, true) => chat(request, (say, call), turn),
            (Api::Chat, false) => return at_once(&chat_at_once(request, (say, call), turn)),
            (Api::Gemini, true) => vec![gemini((say, call), turn)],
            (Api::Gemini, false) => return at_once(&gemini((say, call), turn)),
        };
        let mut body = String::new();
        for event in events {
            write!(body, "data: {event}\n\n").expect("it is a string");
        }
        if self.api == Api::Chat {
            body.push_str("data: [DONE]\n\n");
        }
        ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
    }

    /// An answer that ends in the middle of a word, and nothing says that it does.
    fn cut(self) -> Response {
        let event = match self.api {
            Api::Chat => json!({ "id": "chatcmpl-cut", "object": "chat.completion.chunk",
                "choices": [{ "index": 0, "delta": { "role": "assistant", "content": "It is do" },
                    "finish_reason": null }] }),
            Api::Gemini => json!({ "candidates": [{ "index": 0,
                "content": { "role": "model", "parts": [{ "text": "It is do" }] } }] }),
        };
        ([(CONTENT_TYPE, "text/event-stream")], format!("data: {event}\n\n")).into_response()
    }

    /// An answer that is an error.
    fn refuse(self, status: u16, kind: &str, after: u32) -> Response {
        if status == 200 {
            return self.cut();
        }
        let body = match self.api {
            Api::Chat => json!({ "error": { "message": kind, "type": kind, "code": kind } }),
            Api::Gemini if status == 429 && after == 0 => {
                json!({ "error": { "code": status, "message": kind,
                "status": kind, "details": [{
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{ "quotaId": "RequestsPerDayPerProject" }] }] } })
            }
            Api::Gemini => {
                json!({ "error": { "code": status, "message": kind, "status": kind } })
            }
        };
        let status = StatusCode::from_u16(status).expect("a status");
        // Nobody is to wait in a test that is about something else.
        let headers = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, &*after.to_string())];
        (status, headers, body.to_string()).into_response()
    }
}

fn at_once(answer: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

fn chat(request: &Value, (say, call): (&str, Option<Call>), turn: usize) -> Vec<Value> {
    let part = |delta: Value, reason: Option<&str>| {
        json!({ "id": format!("chatcmpl-{turn}"), "object": "chat.completion.chunk", "created": 1,
            "model": request["model"],
            "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] })
    };
    let mut events = vec![part(json!({ "role": "assistant", "content": say }), None)];
    let reason = if call.is_some() { "tool_calls" } else { "stop" };
    if let Some(call) = call {
        events.push(part(json!({ "tool_calls": [tool_call(call, turn)] }), None));
    }
    events.push(part(json!({}), Some(reason)));
    let mut last = part(json!({}), None);
    last["choices"] = json!([]);
    last["usage"] = usage();
    events.push(last);
    events
}

fn chat_at_once(request: &Value, (say, call): (&str, Option<Call>), turn: usize) -> Value {
    let reason = if call.is_some() { "tool_calls" } else { "stop" };
    let mut message = json!({ "role": "assistant", "content": say });
    if let Some(call) = call {
        message["tool_calls"] = json!([tool_call(call, turn)]);
    }
    json!({ "id": format!("chatcmpl-{turn}"), "object": "chat.completion", "created": 1,
        "model": request["model"], "usage": usage(),
        "choices": [{ "index": 0, "message": message, "finish_reason": reason }] })
}

fn tool_call((name, arguments): Call, turn: usize) -> Value {
    let function = json!({ "name": name, "arguments": arguments.to_string() });
    json!({ "index": 0, "id": format!("call_{turn}"), "type": "function", "function": function })
}

fn usage() -> Value {
    json!({ "prompt_tokens": 900, "completion_tokens": 50, "total_tokens": 950 })
}

fn gemini((say, call): (&str, Option<Call>), turn: usize) -> Value {
    // An answer with an empty text is none to Gemini CLI: it carries out what is asked in it,
    // and makes the call again.
    let mut parts = Vec::new();
    if !say.is_empty() {
        parts.push(json!({ "text": say }));
    }
    if let Some((name, args)) = call {
        parts.push(json!({ "functionCall": { "name": name, "args": args } }));
    }
    let content = json!({ "role": "model", "parts": parts });
    json!({ "candidates": [{ "index": 0, "content": content, "finishReason": "STOP" }],
        "modelVersion": "gemini-2.5-pro", "responseId": format!("r{turn}"),
        "usageMetadata": { "promptTokenCount": 900, "candidatesTokenCount": 50,
            "totalTokenCount": 950 } })
}

/// What a tool is given: the command, and whatever else it insists on.
fn arguments(command: &str, takes: &Value) -> Value {
    let mut arguments = json!({ "command": command, "description": "carry on" });
    for name in list(&takes["required"]).filter_map(Value::as_str) {
        if arguments.get(name).is_none() {
            let kind = takes["properties"][name]["type"].as_str().unwrap_or("string");
            arguments[name] = match kind.to_ascii_lowercase().as_str() {
                "boolean" => json!(false),
                "number" | "integer" => json!(1),
                _ => json!("x"),
            };
        }
    }
    arguments
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}
