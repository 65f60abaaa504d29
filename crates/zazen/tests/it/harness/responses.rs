//! The scripted model, asked by the Responses API.
//!
//! A request is put into the words of the other API, so that both find the same answers.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::model::Turn;

/// Whether this is a request of that API.
pub(crate) fn is_one(request: &Value) -> bool {
    request["input"].is_array()
}

/// The same request as messages. What a model says in one answer is one message, however
/// many items it has.
pub(crate) fn as_messages(request: &Value) -> Value {
    let mut messages: Vec<Value> = Vec::new();
    for item in request["input"].as_array().into_iter().flatten() {
        let text = item["content"][0]["text"].as_str().unwrap_or_default();
        let role = match item["type"].as_str() {
            Some("function_call" | "custom_tool_call" | "reasoning") => "assistant",
            Some("function_call_output" | "custom_tool_call_output") => "user",
            _ => item["role"].as_str().unwrap_or_default(),
        };
        let is_same = messages.last().is_some_and(|last| last["role"] == "assistant");
        match role {
            "assistant" if is_same => {}
            "assistant" => messages.push(json!({ "role": "assistant", "content": text })),
            // What a harness says of the machine is not what the run was asked.
            "user" if text.starts_with("<environment_context>") => {}
            "user" if item["output"].is_null() => {
                messages.push(json!({ "role": "user", "content": text }));
            }
            "user" => messages.push(json!({ "role": "user", "content": item["output"] })),
            _ => {}
        }
    }
    json!({ "model": request["model"], "messages": messages, "tools": request["tools"] })
}

/// Answers with an error. With status 200 the stream ends in the middle of a word.
pub(crate) fn refuse(status: u16, kind: &str, after: u32) -> Response {
    if status == 200 {
        let mut events = Events::default();
        events.add(&json!({ "type": "response.created", "response": { "id": "resp_cut" } }));
        events.add(&json!({ "type": "response.output_item.added",
            "item": { "type": "message", "id": "msg_cut", "role": "assistant", "content": [] } }));
        events.add(&json!({ "type": "response.output_text.delta", "delta": "It is do" }));
        return events.response();
    }
    let body = json!({ "error": { "type": kind, "code": kind, "message": kind } });
    let status = StatusCode::from_u16(status).expect("a status");
    let response = (status, [(CONTENT_TYPE, "application/json")], body.to_string());
    let response = response.into_response();
    if after == 0 {
        response
    } else {
        ([(RETRY_AFTER, after.to_string())], response).into_response()
    }
}

/// Writes one answer as that API's stream.
pub(crate) fn stream(said: &Turn, tool: Option<&str>, turn: usize) -> Response {
    let mut events = Events::default();
    let id = format!("resp_{turn}");
    events.add(&json!({ "type": "response.created", "response": { "id": id } }));
    if !said.say.is_empty() {
        let content = json!([{ "type": "output_text", "text": said.say, "annotations": [] }]);
        events.add(&json!({ "type": "response.output_item.done", "item": {
            "type": "message", "id": format!("msg_{turn}"), "role": "assistant",
            "content": content } }));
    }
    let command = said.command.as_ref().zip(tool).map(|(command, tool)| {
        // It leaves a command alone that takes longer than this, and asks what now.
        (tool.to_owned(), json!({ "cmd": command, "yield_time_ms": 30_000 }))
    });
    if let Some((tool, input)) = said.tool.clone().or(command) {
        events.add(&json!({ "type": "response.output_item.done", "item": {
            "type": "function_call", "id": format!("fc_{turn}"), "call_id": format!("call_{turn}"),
            "name": tool, "arguments": input.to_string() } }));
    }
    let n_words = said.say.len() + said.command.as_ref().map_or(0, String::len);
    let (input, output) = (900 + 850 * turn, n_words / 4 + 1);
    let usage = json!({
        "input_tokens": input, "input_tokens_details": { "cached_tokens": 400 * turn },
        "output_tokens": output, "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": input + output,
    });
    events.add(&json!({ "type": "response.completed", "response": { "id": id, "usage": usage } }));
    events.response()
}

/// A stream of events in the making.
#[derive(Debug, Default)]
struct Events(String);

impl Events {
    fn add(&mut self, event: &Value) {
        let name = event["type"].as_str().unwrap_or_default();
        write!(self.0, "event: {name}\ndata: {event}\n\n").expect("it is a string");
    }

    fn response(self) -> Response {
        ([(CONTENT_TYPE, "text/event-stream")], self.0).into_response()
    }
}
