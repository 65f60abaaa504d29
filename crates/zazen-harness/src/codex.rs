//! How the stream of `codex exec --json` is read. Checked against version 0.169.0.
//!
//! An `error` line is not the end: only `turn.completed` and `turn.failed` are. A refused
//! tool is told of on the standard error alone.

mod launch;

use std::collections::BTreeSet;

use serde_json::Value;
use zazen_core::trace::{ChangeKind, Claim, End, Event, FileChange, TodoItem, TodoState};
use zazen_core::usage::Tokens;

use super::said;

pub(crate) use self::launch::{SESSIONS, launch};

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    /// The calls that were told of when they began.
    begun: BTreeSet<String>,
}

pub(crate) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let word = |name: &str| value.get(name).map(text_of);
    match value["type"].as_str() {
        Some("thread.started") => {
            vec![Event::Started { session: word("thread_id"), model: None, version: None }]
        }
        Some("turn.started") => vec![Event::Notice { line: line.to_owned() }],
        Some("item.started") => read_item(memory, &value["item"], false),
        Some("item.updated") if value["item"]["type"] == "todo_list" => {
            read_item(memory, &value["item"], true)
        }
        Some("item.updated") if value["item"].is_object() => {
            vec![Event::Notice { line: line.to_owned() }]
        }
        Some("item.completed") => read_item(memory, &value["item"], true),
        Some("turn.completed") => completed(&value["usage"]),
        Some("turn.failed") => {
            let text = text_of(&value["error"]["message"]);
            let claim = said::claim_of(&text).unwrap_or(Claim::ModelError);
            vec![Event::End(End { claim, text, reset: None })]
        }
        Some("error") if value["message"].is_string() => vec![error(&text_of(&value["message"]))],
        Some(_) | None => Vec::new(),
    }
}

/// A refused tool, where a line of the standard error tells of one.
pub(crate) fn denied(line: &str) -> Option<Event> {
    let is_one = line.contains("codex_core::tools::router") && line.contains("rejected");
    let why = line.split_once("error=").map_or(line, |(_, why)| why);
    is_one.then(|| Event::Denied { id: None, tool: String::new(), why: why.to_owned() })
}

fn error(message: &str) -> Event {
    let Some(rest) = message.strip_prefix("Reconnecting... ") else {
        return Event::Error { message: message.to_owned() };
    };
    let attempt = rest.split('/').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let why = rest.split_once('(').map_or(rest, |(_, why)| why.trim_end_matches(')'));
    Event::Retry { attempt, why: why.to_owned(), wait_millis: None }
}

fn completed(usage: &Value) -> Vec<Event> {
    let end = Event::End(End { claim: Claim::Finished, text: String::new(), reset: None });
    if !usage.is_object() {
        return vec![end];
    }
    let n = |name: &str| usage[name].as_u64().unwrap_or(0);
    let (cache_read, cache_write) = (n("cached_input_tokens"), n("cache_write_input_tokens"));
    let input = n("input_tokens").saturating_sub(cache_read).saturating_sub(cache_write);
    let tokens = Tokens { input, output: n("output_tokens"), cache_read, cache_write };
    vec![Event::Usage { tokens, cost_micros: None }, end]
}

fn read_item(memory: &mut Memory, item: &Value, is_done: bool) -> Vec<Event> {
    let text = |name: &str| item.get(name).map(text_of).unwrap_or_default();
    let id = text("id");
    let call = match item["type"].as_str() {
        Some("agent_message") => return vec![Event::Text { text: text("text") }],
        Some("reasoning") => return vec![Event::Thinking { text: text("text") }],
        Some("error") => return vec![Event::Error { message: text("message") }],
        Some("todo_list") => return vec![todo(item)],
        Some("command_execution") => ("shell", text("command")),
        Some("file_change") => ("apply_patch", item["changes"].to_string()),
        Some("mcp_tool_call") => {
            let name = format!("{}.{}", text("server"), text("tool"));
            return called(memory, item, (&name, text("arguments")), is_done);
        }
        Some("web_search") => ("web_search", text("query")),
        _ => return vec![Event::Unknown { line: item.to_string() }],
    };
    let mut events = called(memory, item, (call.0, call.1), is_done);
    if is_done && item["type"] == "file_change" && item["status"] == "completed" {
        events.push(Event::Files { changes: changes(item) });
    }
    if id.is_empty() { vec![Event::Unknown { line: item.to_string() }] } else { events }
}

/// A call, unless it was told of when it began, and what came back. Short ones are told of
/// only when they are done.
fn called(
    memory: &mut Memory,
    item: &Value,
    (name, input): (&str, String),
    is_done: bool,
) -> Vec<Event> {
    let id = text_of(&item["id"]);
    let mut events = Vec::new();
    if memory.begun.insert(id.clone()) {
        let paths = changes(item).into_iter().map(|change| change.path).collect();
        events.push(Event::ToolCall { id: id.clone(), name: name.to_owned(), input, paths });
    }
    if is_done {
        memory.begun.remove(&id);
        let exit = item["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
        let ok = item["status"] != "failed" && item["status"] != "declined";
        let output = ["aggregated_output", "result", "error"]
            .iter()
            .find_map(|name| item.get(name).filter(|value| !value.is_null()))
            .map(text_of)
            .unwrap_or_default();
        events.push(Event::ToolResult { id, ok, exit, output });
    }
    events
}

fn changes(item: &Value) -> Vec<FileChange> {
    let read = |change: &Value| {
        let kind = match change["kind"].as_str() {
            Some("add") => ChangeKind::Added,
            Some("delete") => ChangeKind::Removed,
            Some(_) | None => ChangeKind::Changed,
        };
        Some(FileChange { path: change["path"].as_str()?.to_owned(), kind })
    };
    item["changes"].as_array().into_iter().flatten().filter_map(read).collect()
}

fn todo(item: &Value) -> Event {
    let read = |item: &Value| {
        let is_done = item["completed"].as_bool().unwrap_or(false);
        let state = if is_done { TodoState::Done } else { TodoState::Waiting };
        TodoItem { text: text_of(&item["text"]), state }
    };
    Event::Todo { items: item["items"].as_array().into_iter().flatten().map(read).collect() }
}

/// A string as it is, nothing for nothing, anything else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
