//! How the stream of `opencode run --format json` is read. Checked against version 1.18.33.
//!
//! It says neither when it begins nor how it ends: the last step that ends with `stop` is
//! the end. A call is told of when it is done.

use serde_json::Value;
use zazen_core::trace::{Claim, End, Event};
use zazen_core::usage::Tokens;

use super::said;

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    has_begun: bool,
    /// A tool was refused in the step that is under way: a run may end with that.
    is_denied: bool,
}

pub(crate) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let part = &value["part"];
    let text = || part["text"].as_str().unwrap_or("").to_owned();
    let events = match value["type"].as_str() {
        Some("step_start") => {
            memory.is_denied = false;
            vec![Event::Notice { line: line.to_owned() }]
        }
        Some("text") => vec![Event::Text { text: text() }],
        Some("reasoning") => vec![Event::Thinking { text: text() }],
        Some("tool_use") => tool(memory, part),
        Some("step_finish") => finished(memory, part),
        Some("error") => failed(&value["error"]),
        Some(_) | None => return Vec::new(),
    };
    let session = value["sessionID"].as_str().filter(|_| !memory.has_begun);
    let started = session.map(|session| {
        memory.has_begun = true;
        Event::Started { session: Some(session.to_owned()), model: None, version: None }
    });
    started.into_iter().chain(events).collect()
}

fn tool(memory: &mut Memory, part: &Value) -> Vec<Event> {
    let state = &part["state"];
    let id = part["callID"].as_str().unwrap_or("").to_owned();
    let name = part["tool"].as_str().unwrap_or("").to_owned();
    let call = Event::ToolCall {
        id: id.clone(),
        name: name.clone(),
        input: state["input"].to_string(),
        paths: said::paths(&state["input"]),
    };
    let error = state["error"].as_str();
    let exit = state["metadata"]["exit"].as_i64().and_then(|code| i32::try_from(code).ok());
    let ok = state["status"] == "completed" && exit.is_none_or(|code| code == 0);
    let output = error.or(state["output"].as_str()).unwrap_or("").to_owned();
    let is_denied = error.is_some_and(|error| {
        error.starts_with("The user rejected") || error.starts_with("The user has specified a rule")
    });
    memory.is_denied |= is_denied;
    let denied =
        is_denied.then(|| Event::Denied { id: Some(id.clone()), tool: name, why: output.clone() });
    let result = Event::ToolResult { id, ok, exit, output };
    std::iter::once(call).chain(denied).chain([result]).collect()
}

fn finished(memory: &Memory, part: &Value) -> Vec<Event> {
    let (tokens, reason) = (&part["tokens"], part["reason"].as_str());
    let n = |value: &Value| value.as_u64().unwrap_or(0);
    let used = Tokens {
        input: n(&tokens["input"]),
        output: n(&tokens["output"]).saturating_add(n(&tokens["reasoning"])),
        cache_read: n(&tokens["cache"]["read"]),
        cache_write: n(&tokens["cache"]["write"]),
    };
    let cost_micros = part["cost"].as_f64().and_then(said::micros);
    let claim = match reason {
        Some("stop") => Some(Claim::Finished),
        Some("length") => Some(Claim::StreamCut),
        // It does so without end, and each time the answer was cut.
        Some("unknown") => Some(Claim::StreamCut),
        // It ends there, unless another step begins.
        Some("tool-calls") if memory.is_denied => Some(Claim::NeedsPermission),
        Some(_) | None => None,
    };
    let end = claim.map(|claim| Event::End(End { claim, text: String::new(), reset: None }));
    [Event::Usage { tokens: used, cost_micros }].into_iter().chain(end).collect()
}

fn failed(error: &Value) -> Vec<Event> {
    let data = &error["data"];
    let text = data["message"].as_str().or(error["name"].as_str()).unwrap_or("").to_owned();
    let body = data["responseBody"].as_str().unwrap_or("");
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let claim = match data["statusCode"].as_u64() {
        Some(429) => Claim::Quota,
        Some(status) => said::claim_of(&text)
            .filter(|claim| *claim != Claim::NeedsLogin)
            .unwrap_or(said::claim_of_status(status)),
        None => said::claim_of(&text).unwrap_or(Claim::ModelError),
    };
    // Of all harnesses it alone hands on what the service answered.
    let at = body.pointer("/error/resets_at").and_then(Value::as_u64);
    let after = data["responseHeaders"]["retry-after"].as_str().and_then(|s| s.parse().ok());
    let after = after.map(|seconds: u64| zazen_core::trace::Reset::AfterMillis(seconds * 1000));
    let reset = at.and_then(said::moment).or(after).filter(|_| claim == Claim::Quota);
    vec![Event::Error { message: text.clone() }, Event::End(End { claim, text, reset })]
}
