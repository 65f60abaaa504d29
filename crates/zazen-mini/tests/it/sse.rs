//! Answers of a model as both wires carry them.

use serde_json::{Value, json};
use zazen_mini::Api;

use crate::server::Reply;

/// A piece of an answer.
pub(crate) enum Part<'a> {
    Text(&'a str),
    /// A signed thought; only one wire has it.
    Thought(&'a str),
    /// A call of `bash`: id and command.
    Bash(&'a str, &'a str),
    /// A call of any tool with any arguments: id, tool, arguments.
    Call(&'a str, &'a str, &'a str),
}

pub(crate) use Part::{Bash, Call, Text, Thought};

/// A whole answer that stopped for the usual reason.
pub(crate) fn answer(api: Api, parts: &[Part]) -> Reply {
    Reply::Stream(events(api, parts, None))
}

/// A whole answer that ran into the model's output limit.
pub(crate) fn answer_at_limit(api: Api, parts: &[Part]) -> Reply {
    let stop = match api {
        Api::Anthropic => "max_tokens",
        Api::OpenAi => "length",
    };
    Reply::Stream(events(api, parts, Some(stop)))
}

/// The beginning of an answer, up to where its end would be.
pub(crate) fn beginning(api: Api, parts: &[Part]) -> String {
    let events = events(api, parts, None);
    let end = match api {
        Api::Anthropic => "event: message_delta",
        Api::OpenAi => "data: [DONE]",
    };
    events[..events.find(end).unwrap()].to_owned()
}

fn events(api: Api, parts: &[Part], stop: Option<&str>) -> String {
    match api {
        Api::Anthropic => anthropic(parts, stop),
        Api::OpenAi => open_ai(parts, stop),
    }
}

/// Every answer has used 90 tokens of input, 10 read from the cache, 7 of output,
/// and, where the wire tells, 5 written to the cache.
fn anthropic(parts: &[Part], stop: Option<&str>) -> String {
    let usage = json!({
        "input_tokens": 90, "cache_read_input_tokens": 10,
        "cache_creation_input_tokens": 5, "output_tokens": 1,
    });
    let mut text = String::new();
    let mut event = |name: &str, mut data: Value| {
        data["type"] = name.into();
        text.extend(["event: ", name, "\ndata: ", &data.to_string(), "\n\n"]);
    };
    event("message_start", json!({ "message": { "role": "assistant", "usage": usage } }));
    event("ping", json!({}));
    for (index, part) in parts.iter().enumerate() {
        let (block, deltas) = match part {
            Text(text) => {
                (json!({ "type": "text", "text": "" }), pieces(text, "text_delta", "text"))
            }
            Thought(thought) => (
                json!({ "type": "thinking", "thinking": "", "signature": "" }),
                vec![
                    json!({ "type": "thinking_delta", "thinking": thought }),
                    json!({ "type": "signature_delta", "signature": "c2lnbmVk" }),
                ],
            ),
            Bash(id, command) => (
                json!({ "type": "tool_use", "id": id, "name": "bash", "input": {} }),
                pieces(
                    &json!({ "command": command }).to_string(),
                    "input_json_delta",
                    "partial_json",
                ),
            ),
            Call(id, tool, arguments) => (
                json!({ "type": "tool_use", "id": id, "name": tool, "input": {} }),
                pieces(arguments, "input_json_delta", "partial_json"),
            ),
        };
        event("content_block_start", json!({ "index": index, "content_block": block }));
        for delta in deltas {
            event("content_block_delta", json!({ "index": index, "delta": delta }));
        }
        event("content_block_stop", json!({ "index": index }));
    }
    let stop = stop.unwrap_or(if has_calls(parts) { "tool_use" } else { "end_turn" });
    let delta = json!({ "stop_reason": stop, "stop_sequence": null });
    event("message_delta", json!({ "delta": delta, "usage": { "output_tokens": 7 } }));
    event("message_stop", json!({}));
    text
}

fn open_ai(parts: &[Part], stop: Option<&str>) -> String {
    let mut text = String::new();
    let mut chunk = |data: Value| text.extend(["data: ", &data.to_string(), "\n\n"]);
    let choice = |delta: Value, stop: Option<&str>| {
        json!({ "object": "chat.completion.chunk",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": stop }] })
    };
    let mut n_calls = 0;
    for part in parts {
        let (id, tool, arguments) = match part {
            Text(text) => {
                for piece in halves(text) {
                    chunk(choice(json!({ "role": "assistant", "content": piece }), None));
                }
                continue;
            }
            Thought(_) => continue,
            Bash(id, command) => (id, &"bash", json!({ "command": command }).to_string()),
            Call(id, tool, arguments) => (id, tool, (*arguments).to_owned()),
        };
        let [first, second] = halves(&arguments);
        let call = json!({ "index": n_calls, "id": id, "type": "function",
            "function": { "name": tool, "arguments": first } });
        chunk(choice(json!({ "tool_calls": [call] }), None));
        let more = json!({ "index": n_calls, "function": { "arguments": second } });
        chunk(choice(json!({ "tool_calls": [more] }), None));
        n_calls += 1;
    }
    let stop = stop.unwrap_or(if has_calls(parts) { "tool_calls" } else { "stop" });
    chunk(choice(json!({}), Some(stop)));
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107,
        "prompt_tokens_details": { "cached_tokens": 10 } });
    chunk(json!({ "choices": [], "usage": usage }));
    text.push_str("data: [DONE]\n\n");
    text
}

fn has_calls(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Bash(..) | Call(..)))
}

fn pieces(text: &str, kind: &str, field: &str) -> Vec<Value> {
    halves(text).iter().map(|piece| json!({ "type": kind, field: piece })).collect()
}

fn halves(text: &str) -> [&str; 2] {
    let n_first = text.chars().count() / 2;
    let middle = text.chars().take(n_first).map(char::len_utf8).sum();
    let (first, second) = text.split_at(middle);
    [first, second]
}
