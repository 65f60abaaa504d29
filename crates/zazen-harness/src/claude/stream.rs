//! How the stream of Claude Code is read, and that of Qwen Code, which took it over.
//!
//! `subtype` says "success" for failed runs too, so only `is_error` counts. An answer comes
//! in as many lines as it has blocks, so what a line says of its usage is not added up.

use serde::Deserialize;
use serde_json::{Value, json};
use zazen_core::trace::{Claim, End, Event, RateLimit, TodoItem, TodoState};
use zazen_core::usage::Tokens;

use crate::said;

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    /// The kind of the last error that the model's service answered with.
    api_error: Option<String>,
    /// Denials that were told of when they happened.
    denied: Vec<String>,
    /// It is Qwen Code, whose count of what was sent includes what the cache had.
    is_qwen: bool,
}

impl Memory {
    /// For the stream of Qwen Code.
    pub(crate) fn of_qwen() -> Self {
        Self { is_qwen: true, ..Self::default() }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    System(Box<System>),
    Assistant(Said),
    User(Said),
    CommandLifecycle {},
    RateLimitEvent { rate_limit_info: Limit },
    StreamEvent { event: Value },
    ControlRequest { request: Value },
    ControlResponse { response: Value },
    Result(Box<Ended>),
}

#[derive(Deserialize)]
struct System {
    subtype: String,
    session_id: Option<String>,
    model: Option<String>,
    claude_code_version: Option<String>,
    qwen_code_version: Option<String>,
    attempt: Option<u32>,
    retry_delay_ms: Option<u64>,
    error: Option<Value>,
    error_status: Option<u16>,
    message: Option<String>,
    tool_name: Option<String>,
    tool_use_id: Option<String>,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Said {
    message: Message,
    #[serde(default)]
    is_api_error_message: bool,
    error: Option<String>,
    parent_tool_use_id: Option<String>,
    /// It is what was said to it, and was just taken in.
    #[serde(default, rename = "isReplay")]
    is_replay: bool,
    uuid: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Limit {
    status: String,
    resets_at: Option<u64>,
    rate_limit_type: Option<String>,
    utilization: Option<f64>,
}

/// The last line. What it says beside `is_error` is taken as it comes: a field that
/// another version writes in another way must not hide that the run has ended.
#[derive(Deserialize)]
struct Ended {
    is_error: bool,
    #[serde(default)]
    subtype: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    terminal_reason: Value,
    #[serde(default)]
    stop_reason: Value,
    #[serde(default)]
    api_error_status: Value,
    #[serde(default)]
    api_error: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    total_cost_usd: Value,
    #[serde(default)]
    permission_denials: Value,
}

pub(crate) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let notice = || Event::Notice { line: line.to_owned() };
    match serde_json::from_str::<Line>(line) {
        Ok(Line::System(system)) => read_system(memory, *system).into_iter().collect(),
        Ok(Line::Assistant(said)) => read_said(memory, said),
        Ok(Line::User(Said { is_replay: true, uuid, .. })) => {
            vec![Event::Told { id: uuid.unwrap_or_default() }]
        }
        // That what was said waits, is worked on, or is done.
        Ok(Line::CommandLifecycle {}) => vec![notice()],
        Ok(Line::User(said)) => {
            let parent = said.parent_tool_use_id;
            let read = |block: &Value| came_back(block).unwrap_or_else(notice);
            within(parent, blocks(said.message).iter().map(read).collect())
        }
        Ok(Line::RateLimitEvent { rate_limit_info }) => {
            vec![Event::RateLimit(read_limit(rate_limit_info))]
        }
        Ok(Line::StreamEvent { event }) => vec![read_piece(&event).unwrap_or_else(notice)],
        // What is asked and answered on the way is not about the work.
        Ok(
            Line::ControlRequest { request: Value::Object(_) }
            | Line::ControlResponse { response: Value::Object(_) },
        ) => vec![notice()],
        Ok(Line::Result(ended)) => read_result(memory, &ended),
        Ok(Line::ControlRequest { .. } | Line::ControlResponse { .. }) | Err(_) => Vec::new(),
    }
}

fn read_system(memory: &mut Memory, system: System) -> Option<Event> {
    match system.subtype.as_str() {
        "init" => Some(Event::Started {
            session: system.session_id,
            model: system.model,
            version: system.claude_code_version.or(system.qwen_code_version),
        }),
        "api_retry" => {
            let status = system.error_status.map(|status| format!("{status} ")).unwrap_or_default();
            let error = system.error.as_ref().map(text_of).unwrap_or_default();
            let why = format!("{status}{error}");
            let attempt = system.attempt.unwrap_or(0);
            Some(Event::Retry { attempt, why, wait_millis: system.retry_delay_ms })
        }
        "retry" => {
            let attempt = system.data["attempt"].as_u64().unwrap_or(0);
            let why = system.data["reason"].as_str().unwrap_or("").to_owned();
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            Some(Event::Retry { attempt, why, wait_millis: system.data["delayMs"].as_u64() })
        }
        "permission_denied" => {
            memory.denied.extend(system.tool_use_id.clone());
            Some(Event::Denied {
                id: system.tool_use_id,
                tool: system.tool_name.unwrap_or_default(),
                why: system.message.unwrap_or_default(),
            })
        }
        // It says how much is thought, not what: that comes when it is done.
        "thinking_tokens" => Some(Event::Thinking { text: String::new() }),
        _ => None,
    }
}

fn read_limit(limit: Limit) -> RateLimit {
    let Limit { status, resets_at, rate_limit_type, utilization } = limit;
    let window_minutes = match rate_limit_type.as_deref() {
        Some("five_hour") => Some(5 * 60),
        Some(window) if window.starts_with("seven_day") => Some(7 * 24 * 60),
        Some(_) | None => None,
    };
    let resets_at = resets_at.and_then(said::time);
    let used_percent = utilization.and_then(said::percent);
    RateLimit { status, window: rate_limit_type, window_minutes, used_percent, resets_at }
}

/// A piece of what is being said. The whole comes in a line of its own.
fn read_piece(event: &Value) -> Option<Event> {
    let text = event.pointer("/delta/text")?.as_str()?;
    Some(Event::Delta { text: text.to_owned() })
}

/// An error of the model's service comes as if the agent had said it.
fn read_said(memory: &mut Memory, said: Said) -> Vec<Event> {
    if !said.is_api_error_message {
        return within(
            said.parent_tool_use_id,
            blocks(said.message).iter().flat_map(|block| read_block(memory, block)).collect(),
        );
    }
    let message = text_of(&said.message.content);
    memory.api_error = said.error;
    vec![Event::Error { message }]
}

/// What a sub-agent did is told apart by the call that began it.
fn within(parent: Option<String>, events: Vec<Event>) -> Vec<Event> {
    let Some(parent) = parent else { return events };
    let wrap = |event| Event::Sub { parent: parent.clone(), event: Box::new(event) };
    events.into_iter().map(wrap).collect()
}

fn blocks(message: Message) -> Vec<Value> {
    match message.content {
        Value::Array(blocks) => blocks,
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn read_block(memory: &Memory, block: &Value) -> Vec<Event> {
    let field = |name: &str| block.get(name).map(text_of).unwrap_or_default();
    vec![match block.get("type").and_then(Value::as_str) {
        Some("text") if memory.is_qwen && field("text").starts_with("[API Error: ") => {
            Event::Error { message: field("text") }
        }
        Some("text") => Event::Text { text: field("text") },
        Some("thinking") => Event::Thinking { text: field("thinking") },
        Some("tool_use") => {
            let call = Event::ToolCall {
                id: field("id"),
                name: field("name"),
                input: field("input"),
                paths: said::paths(&block["input"]),
            };
            let todo = todo(&block["input"]);
            return std::iter::once(call).chain(todo).collect();
        }
        _ => Event::Unknown { line: block.to_string() },
    }]
}

/// The list of what there is to do, where a call writes one.
fn todo(input: &Value) -> Option<Event> {
    let items = input.get("todos")?.as_array()?.iter().map(|item| {
        let state = match item.get("status").and_then(Value::as_str) {
            Some("completed") => TodoState::Done,
            Some("in_progress") => TodoState::Begun,
            Some(_) | None => TodoState::Waiting,
        };
        Some(TodoItem { text: item.get("content")?.as_str()?.to_owned(), state })
    });
    Some(Event::Todo { items: items.collect::<Option<_>>()? })
}

fn came_back(block: &Value) -> Option<Event> {
    if block.get("type")?.as_str()? != "tool_result" {
        // A notice that Claude Code gives to the model in the name of the user.
        return None;
    }
    let ok = !block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
    let output = block.get("content").map(text_of).unwrap_or_default();
    let exit = output
        .strip_prefix("Exit code ")
        .filter(|_| !ok)
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|code| code.parse().ok());
    let id = block.get("tool_use_id").map(text_of).unwrap_or_default();
    Some(Event::ToolResult { id, ok, exit, output })
}

/// A string as it is, a list of text blocks joined, nothing for nothing, anything
/// else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.iter().all(|part| part.get("text").is_some()) => {
            parts.iter().map(|part| text_of(&part["text"])).collect::<Vec<_>>().join("\n")
        }
        Value::Array(_) | Value::Object(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn read_result(memory: &Memory, ended: &Ended) -> Vec<Event> {
    let mut events = Vec::new();
    // Those that were told of when they happened are not told of again.
    for denial in ended.permission_denials.as_array().into_iter().flatten() {
        let id = denial["tool_use_id"].as_str().map(str::to_owned);
        if id.as_ref().is_none_or(|id| !memory.denied.contains(id)) {
            let tool = denial["tool_name"].as_str().unwrap_or("").to_owned();
            events.push(Event::Denied { id, tool, why: String::new() });
        }
    }
    if ended.usage.is_object() {
        let n = |name: &str| ended.usage[name].as_u64().unwrap_or(0);
        let cache_read = n("cache_read_input_tokens");
        let sent = n("input_tokens");
        let tokens = Tokens {
            input: if memory.is_qwen { sent.saturating_sub(cache_read) } else { sent },
            output: n("output_tokens"),
            cache_read,
            cache_write: n("cache_creation_input_tokens"),
        };
        let cost_micros = ended.total_cost_usd.as_f64().and_then(said::micros);
        events.push(Event::Usage { tokens, cost_micros });
    }
    let text = match (&ended.result, &ended.errors, &ended.error["message"]) {
        (Value::Null, Value::Array(errors), _) => {
            errors.iter().map(text_of).collect::<Vec<_>>().join("; ")
        }
        (Value::Null, Value::Null, message) => text_of(message),
        (Value::Null, errors, _) => text_of(errors),
        (result, _, _) => text_of(result),
    };
    let claim = claim(memory, ended, &text);
    events.push(Event::End(End { claim, text, reset: None }));
    events
}

fn claim(memory: &Memory, ended: &Ended, text: &str) -> Claim {
    let word = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let (subtype, reason) = (word(&ended.subtype), word(&ended.terminal_reason));
    if !ended.is_error && subtype == "success" {
        let is_refused = ended.stop_reason == "refusal";
        return if is_refused { Claim::GaveUp } else { Claim::Finished };
    }
    match (subtype.as_str(), reason.as_str()) {
        ("error_max_turns", _) | (_, "max_turns") => return Claim::TurnLimit,
        ("error_max_budget_usd", _) | (_, "budget_exhausted") => return Claim::Budget,
        (_, "prompt_too_long") => return Claim::ContextTooLong,
        (_, "aborted_tools" | "aborted_streaming") => return Claim::Killed,
        // It never came to ask the model.
        ("error_during_execution", "") if !memory.is_qwen => return Claim::Crashed,
        // It asked again for an answer of which nothing came, and nothing came again.
        ("error_during_execution", "completed") if text.contains("last_content_type=none") => {
            return Claim::StreamCut;
        }
        _ => {}
    }
    // An error that the run got over is no reason for its end.
    let kind = memory.api_error.as_deref().filter(|_| ended.terminal_reason == "api_error");
    match (ended.api_error_status.as_u64(), kind.unwrap_or(&word(&ended.api_error))) {
        (_, "usage_limit_reached" | "rate_limit" | "billing_error") => Claim::Quota,
        (_, "authentication_failed") => Claim::NeedsLogin,
        (_, "overloaded") => Claim::Overloaded,
        (Some(status), _) => said::claim_of_status(status),
        (None, _) if memory.is_qwen => said::claim_of(text).unwrap_or(Claim::ModelError),
        (None, _) => Claim::ModelError,
    }
}
