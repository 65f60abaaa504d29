//! How the stream of Gemini CLI is read (`-o stream-json`). Checked against version 0.61.0.
//!
//! What is said comes in pieces. An exit status is the service's, modulo 256. An answer that
//! was cut is told of as a success: only who sees it on its way knows.

use serde_json::Value;
use zazen_core::trace::{Claim, End, Event};
use zazen_core::usage::Tokens;

use super::said;

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    /// What is being said.
    text: String,
}

/// How much of what is being said is kept.
const TEXT_BYTES_MAX: usize = 8 << 20;

pub(crate) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let word = |name: &str| value[name].as_str().unwrap_or("").to_owned();
    let (kind, role) = (value["type"].as_str(), value["role"].as_str());
    if let (Some("message"), Some("assistant"), Some(true)) = (kind, role, value["delta"].as_bool())
    {
        let text = word("content");
        if memory.text.len() + text.len() <= TEXT_BYTES_MAX {
            memory.text.push_str(&text);
        }
        return vec![Event::Delta { text }];
    }
    let events = match kind {
        Some("init") => vec![Event::Started {
            session: value["session_id"].as_str().map(str::to_owned),
            model: value["model"].as_str().map(str::to_owned),
            version: None,
        }],
        Some("message") if role == Some("assistant") => {
            vec![Event::Text { text: word("content") }]
        }
        Some("message") if role.is_some() => vec![Event::Notice { line: line.to_owned() }],
        Some("tool_use") => vec![Event::ToolCall {
            id: word("tool_id"),
            name: word("tool_name"),
            input: value["parameters"].to_string(),
            paths: said::paths(&value["parameters"]),
        }],
        Some("tool_result") => came_back(&value),
        Some("error") => vec![Event::Error { message: word("message") }],
        Some("result") if value["status"].is_string() => ended(&value),
        Some(_) | None => return Vec::new(),
    };
    let said = std::mem::take(&mut memory.text);
    let said = (!said.is_empty()).then_some(Event::Text { text: said });
    said.into_iter().chain(events).collect()
}

fn came_back(value: &Value) -> Vec<Event> {
    let id = value["tool_id"].as_str().unwrap_or("").to_owned();
    let output = value["output"].as_str().unwrap_or("").to_owned();
    let ok = value["status"] == "success";
    // A command that failed is a success, too; only its text says so.
    let exit = output
        .rsplit_once("Command exited with code: ")
        .and_then(|(_, code)| code.split_whitespace().next()?.parse().ok());
    let is_denied = value["error"]["type"] == "policy_violation";
    let denied = is_denied.then(|| Event::Denied {
        id: Some(id.clone()),
        tool: String::new(),
        why: output.clone(),
    });
    let ok = ok && exit.is_none_or(|code: i32| code == 0);
    denied.into_iter().chain([Event::ToolResult { id, ok, exit, output }]).collect()
}

fn ended(value: &Value) -> Vec<Event> {
    let stats = &value["stats"];
    let n = |name: &str| stats[name].as_u64().unwrap_or(0);
    let tokens = Tokens {
        input: n("input_tokens").saturating_sub(n("cached")),
        output: n("output_tokens"),
        cache_read: n("cached"),
        cache_write: 0,
    };
    let text = value["error"]["message"].as_str().unwrap_or("").to_owned();
    let claim = match (value["status"].as_str(), value["error"]["type"].as_str()) {
        (Some("success"), _) => Claim::Finished,
        (_, Some("FatalTurnLimitedError")) => Claim::TurnLimit,
        (_, Some("FatalAuthenticationError")) => Claim::NeedsLogin,
        (_, Some("FatalCancellationError")) => Claim::Killed,
        _ => said::claim_of(&text).unwrap_or(Claim::ModelError),
    };
    let usage = stats.is_object().then_some(Event::Usage { tokens, cost_micros: None });
    usage.into_iter().chain([Event::End(End { claim, text, reset: None })]).collect()
}

/// What a status means that it ends with.
pub(crate) fn claim_of_code(code: i32) -> Option<Claim> {
    match code {
        41 => Some(Claim::NeedsLogin),
        53 => Some(Claim::TurnLimit),
        130 => Some(Claim::Killed),
        // The service's status, of which one byte is left.
        144..=255 => Some(said::claim_of_status(u64::from(code.unsigned_abs()) + 256)),
        _ => None,
    }
}
