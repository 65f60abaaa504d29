//! How the stream of Copilot CLI is read (`--output-format json`). Checked against 1.0.102.
//!
//! A tool that came back is a success whatever the command's status. What went wrong is in
//! `session.error`, before a `result` that only has a status.

use serde_json::Value;
use zazen_core::trace::{ChangeKind, Claim, End, Event, FileChange};

use super::said;

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    error: Option<(Claim, String)>,
    has_begun: bool,
}

pub(crate) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let data = &value["data"];
    let text = |name: &str| data[name].as_str().unwrap_or("").to_owned();
    match value["type"].as_str() {
        Some("session.tools_updated") if !memory.has_begun => {
            memory.has_begun = true;
            let model = data["model"].as_str().map(str::to_owned);
            vec![Event::Started { session: None, model, version: None }]
        }
        Some("assistant.message") if text("content").is_empty() => {
            vec![Event::Notice { line: line.to_owned() }]
        }
        Some("assistant.message") => vec![Event::Text { text: text("content") }],
        Some("assistant.message_delta") => vec![Event::Delta { text: text("deltaContent") }],
        Some("assistant.reasoning") => vec![Event::Thinking { text: text("content") }],
        Some("tool.execution_start") => vec![Event::ToolCall {
            id: text("toolCallId"),
            name: text("toolName"),
            input: data["arguments"].to_string(),
            paths: said::paths(&data["arguments"]),
        }],
        Some("tool.execution_complete") => came_back(data),
        Some("model.call_failure") => {
            let attempt = data["retryAttempt"].as_u64().unwrap_or(0) + 1;
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            let why = format!("{} {}", data["statusCode"], text("errorMessage"));
            vec![Event::Retry { attempt, why, wait_millis: None }]
        }
        Some("session.error") => {
            let message = text("message");
            let claim = match (data["errorType"].as_str(), data["statusCode"].as_u64()) {
                (Some("authentication"), _) => Claim::NeedsLogin,
                (Some("rate_limit" | "quota"), _) => Claim::Quota,
                (_, Some(status)) => said::claim_of_status(status),
                (_, None) => said::claim_of(&message).unwrap_or(Claim::ModelError),
            };
            memory.error = Some((claim, message.clone()));
            vec![Event::Error { message }]
        }
        Some("abort" | "agent.interrupted") => {
            memory.error = Some((Claim::Killed, text("reason")));
            vec![Event::Notice { line: line.to_owned() }]
        }
        Some("result") if value["exitCode"].is_i64() => ended(memory, &value),
        // It is chatty: turns, calls and tasks begin and end, and each is told of.
        Some(kind) if KNOWN.iter().any(|known| kind.starts_with(known)) => {
            vec![Event::Notice { line: line.to_owned() }]
        }
        Some(_) | None => Vec::new(),
    }
}

/// What says nothing about the work.
const KNOWN: [&str; 7] =
    ["session.", "assistant.", "model.call_", "tool.", "user.message", "system.", "shell_"];

fn came_back(data: &Value) -> Vec<Event> {
    let id = data["toolCallId"].as_str().unwrap_or("").to_owned();
    let exit = data["shellExecution"]["exitCode"].as_i64().and_then(|n| i32::try_from(n).ok());
    let ok = data["success"] == true && exit.is_none_or(|code| code == 0);
    let error = data["error"]["message"].as_str();
    let output = error.or(data["result"]["content"].as_str()).unwrap_or("").to_owned();
    let denied = (data["error"]["code"] == "denied").then(|| Event::Denied {
        id: Some(id.clone()),
        tool: String::new(),
        why: output.clone(),
    });
    let result = Event::ToolResult { id, ok, exit, output };
    denied.into_iter().chain([result]).collect()
}

fn ended(memory: &mut Memory, value: &Value) -> Vec<Event> {
    let files = value["usage"]["codeChanges"]["filesModified"].as_array().into_iter().flatten();
    let changes: Vec<FileChange> = files
        .filter_map(Value::as_str)
        .map(|path| FileChange { path: path.to_owned(), kind: ChangeKind::Changed })
        .collect();
    let (claim, text) = match memory.error.take() {
        Some(error) => error,
        None if value["exitCode"] == 0 => (Claim::Finished, String::new()),
        None => (Claim::Crashed, String::new()),
    };
    let session = value["sessionId"].as_str().map(str::to_owned);
    let started = Event::Started { session, model: None, version: None };
    let files = (!changes.is_empty()).then_some(Event::Files { changes });
    let end = Event::End(End { claim, text, reset: None });
    [started].into_iter().chain(files).chain([end]).collect()
}
