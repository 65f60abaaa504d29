//! Claude Code, driven by `claude -p` with its `stream-json` output.
//!
//! Checked against version 2.1.329. What its stream is not to be believed in:
//! `subtype` says "success" for failed runs too, so only `is_error` counts.

use serde::Deserialize;
use serde_json::Value;
use zazen_core::trace::{Claim, End, Event};
use zazen_core::usage::Tokens;

use super::{Claude, Launch, Task};

/// How often Claude Code itself tries a failed model call again. Its own default
/// of ten keeps a refused key waiting for minutes.
const N_RETRIES: u32 = 4;

/// Tools that change files, or that need a person or the network.
const NEVER_WHEN_READING: &str = "Edit Write NotebookEdit WebFetch WebSearch AskUserQuestion";
const NEVER_WHEN_WRITING: &str = "WebFetch WebSearch AskUserQuestion";

pub(super) fn launch(
    claude: &Claude,
    task: Task,
    prompt: &str,
    (route, token): (&str, &str),
) -> Launch {
    let program = claude.program.display().to_string();
    let n_turns_max = claude.n_turns_max.to_string();
    let mut argv: Vec<String> = [
        program.as_str(),
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--dangerously-skip-permissions",
        "--max-turns",
        &n_turns_max,
        "--disallowedTools",
        match task {
            Task::Read => NEVER_WHEN_READING,
            Task::Write => NEVER_WHEN_WRITING,
        },
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    if !claude.model.is_empty() {
        argv.extend(["--model".to_owned(), claude.model.clone()]);
    }
    let env = [
        ("ANTHROPIC_BASE_URL", format!("{{gateway}}/{route}")),
        ("ANTHROPIC_API_KEY", token.to_owned()),
        ("CLAUDE_CONFIG_DIR", "{home}/claude".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", N_RETRIES.to_string()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        // Lets it run where the daemon is root and there is no other user to be.
        ("IS_SANDBOX", "1".to_owned()),
    ];
    Launch {
        argv,
        stdin: prompt.to_owned(),
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        tools: vec![claude.folder.clone()],
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    System(System),
    Assistant { message: Message },
    User { message: Message },
    RateLimitEvent { rate_limit_info: RateLimit },
    Result(Ended),
}

#[derive(Deserialize)]
struct System {
    subtype: String,
    session_id: Option<String>,
    model: Option<String>,
    claude_code_version: Option<String>,
    attempt: Option<u32>,
    error: Option<Value>,
    error_status: Option<u16>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    status: String,
    resets_at: Option<u64>,
}

#[derive(Deserialize)]
struct Ended {
    #[serde(default)]
    is_error: bool,
    #[serde(default)]
    subtype: String,
    result: Option<String>,
    terminal_reason: Option<String>,
    api_error_status: Option<u16>,
    api_error: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
    usage: Option<ResultUsage>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "they are Claude Code's names")]
struct ResultUsage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: u64,
}

pub(super) fn read(line: &str) -> Vec<Event> {
    let unknown = || vec![Event::Unknown { line: line.to_owned() }];
    match serde_json::from_str::<Line>(line) {
        Ok(Line::System(system)) => read_system(system).map_or_else(unknown, |event| vec![event]),
        Ok(Line::Assistant { message }) => blocks(message).iter().filter_map(said).collect(),
        Ok(Line::User { message }) => blocks(message).iter().filter_map(came_back).collect(),
        Ok(Line::RateLimitEvent { rate_limit_info: RateLimit { status, resets_at } }) => {
            vec![Event::RateLimit { status, resets_at }]
        }
        Ok(Line::Result(ended)) => read_result(&ended),
        Err(_) => unknown(),
    }
}

fn read_system(system: System) -> Option<Event> {
    match system.subtype.as_str() {
        "init" => Some(Event::Started {
            session: system.session_id,
            model: system.model,
            version: system.claude_code_version,
        }),
        "api_retry" => {
            let status = system.error_status.map(|status| format!("{status} ")).unwrap_or_default();
            let error = system.error.as_ref().map(text_of).unwrap_or_default();
            let why = format!("{status}{error}");
            Some(Event::Retry { attempt: system.attempt.unwrap_or(0), why })
        }
        "permission_denied" => {
            Some(Event::Error { message: system.message.unwrap_or_else(|| "denied".to_owned()) })
        }
        _ => None,
    }
}

fn blocks(message: Message) -> Vec<Value> {
    match message.content {
        Value::Array(blocks) => blocks,
        Value::String(text) => vec![serde_json::json!({ "type": "text", "text": text })],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn said(block: &Value) -> Option<Event> {
    let field = |name: &str| block.get(name).map(text_of).unwrap_or_default();
    Some(match block.get("type")?.as_str()? {
        "text" => Event::Text { text: field("text") },
        "thinking" => Event::Thinking { text: field("thinking") },
        "tool_use" => {
            Event::ToolCall { id: field("id"), name: field("name"), input: field("input") }
        }
        _ => Event::Unknown { line: block.to_string() },
    })
}

fn came_back(block: &Value) -> Option<Event> {
    if block.get("type")?.as_str()? != "tool_result" {
        // The prompt itself, or a notice that Claude Code gives to itself.
        return None;
    }
    let ok = !block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
    let output = block.get("content").map(text_of).unwrap_or_default();
    let exit = output
        .strip_prefix("Exit code ")
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|code| code.parse().ok());
    let id = block.get("tool_use_id").map(text_of).unwrap_or_default();
    Some(Event::ToolResult { id, ok, exit, output })
}

/// A string as it is, a list of text blocks joined, anything else as JSON.
fn text_of(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    let parts = value.as_array().filter(|parts| parts.iter().all(|part| part["text"].is_string()));
    match parts {
        Some(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        None => value.to_string(),
    }
}

fn read_result(ended: &Ended) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(usage) = &ended.usage {
        let tokens = Tokens {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_read: usage.cache_read_input_tokens,
            cache_write: usage.cache_creation_input_tokens,
        };
        events.push(Event::Usage { tokens });
    }
    let text = match &ended.result {
        Some(text) => text.clone(),
        None => ended.errors.join("; "),
    };
    events.push(Event::End(End { claim: claim(ended), text }));
    events
}

fn claim(ended: &Ended) -> Claim {
    if !ended.is_error && ended.subtype == "success" {
        return Claim::Finished;
    }
    let reason = ended.terminal_reason.as_deref().unwrap_or("");
    match (ended.api_error_status, ended.api_error.as_deref(), reason) {
        (_, _, "max_turns") => Claim::Limit,
        (Some(401 | 403), _, _) => Claim::NeedsLogin,
        (Some(429 | 529), _, _) | (_, Some("usage_limit_reached"), _) => Claim::Quota,
        (_, _, "aborted_tools" | "aborted_streaming") => Claim::Aborted,
        _ if ended.subtype == "error_max_turns" || ended.subtype == "error_max_budget_usd" => {
            Claim::Limit
        }
        _ => Claim::ModelError,
    }
}
