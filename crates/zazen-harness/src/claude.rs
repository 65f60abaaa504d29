//! Claude Code, driven by `claude -p` with its `stream-json` output.
//!
//! Checked against version 2.1.329. What its stream is not to be believed in:
//! `subtype` says "success" for failed runs too, so only `is_error` counts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use zazen_core::trace::{Claim, End, Event};
use zazen_core::usage::Tokens;

use super::{Claude, Launch, Order, Session, Task};

/// How often Claude Code itself tries a failed model call again. Its own default
/// of ten keeps a refused key waiting for minutes.
const N_RETRIES: u32 = 4;

/// Tools that need the network, a person, or a session that goes on after the answer,
/// and those that would move the work to another directory, where nobody looks for it.
const NEVER: &str = "WebFetch WebSearch AskUserQuestion EnterPlanMode ExitPlanMode \
    CronCreate CronDelete CronList ScheduleWakeup EnterWorktree ExitWorktree";

/// Where its sessions are: one file each, named by their ids, in a folder for each place.
pub(super) const SESSIONS: &str = "claude/projects";

/// Tools that change files.
const NEVER_WHEN_READING: &str = "Edit Write NotebookEdit";

pub(super) fn launch(claude: &Claude, order: Order<'_>) -> Launch {
    let Order { task, prompt, route, token, session } = order;
    let program = claude.program.display().to_string();
    let n_turns_max = claude.n_turns_max.to_string();
    let never = match task {
        Task::Read => format!("{NEVER} {NEVER_WHEN_READING}"),
        Task::Write => NEVER.to_owned(),
    };
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
        &never,
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    argv.extend(match session {
        Some(Session::New(id)) => vec!["--session-id".to_owned(), id.to_owned()],
        // It keeps its name, and forgets all flags: they are given again.
        Some(Session::Resumed(id)) => vec!["--resume".to_owned(), id.to_owned()],
        None => Vec::new(),
    });
    argv.extend(of_repository(claude, route));
    if !claude.model.is_empty() {
        argv.extend(["--model".to_owned(), claude.model.clone()]);
    }
    let token_variable =
        if claude.is_login { "CLAUDE_CODE_OAUTH_TOKEN" } else { "ANTHROPIC_API_KEY" };
    let env = [
        ("ANTHROPIC_BASE_URL", base_url(route)),
        (token_variable, token.to_owned()),
        ("CLAUDE_CONFIG_DIR", "{home}/claude".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", N_RETRIES.to_string()),
        // What it would remember is thrown away with its home when the run is over.
        ("CLAUDE_CODE_DISABLE_AUTO_MEMORY", "1".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        // Lets it run where the daemon is root and there is no other user to be.
        ("IS_SANDBOX", "1".to_owned()),
    ];
    Launch {
        argv,
        stdin: prompt.to_owned(),
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        files: BTreeMap::new(),
        tools: vec![claude.folder.clone()],
    }
}

/// What of the repository's own settings counts: hooks and servers are programs that it
/// names, and nobody has looked at them. Its instructions are in the prompt.
fn of_repository(claude: &Claude, route: &str) -> Vec<String> {
    let sources = if claude.repo_programs.hooks { "user,project" } else { "user" };
    let mut argv = vec!["--setting-sources".to_owned(), sources.to_owned()];
    if !claude.repo_programs.mcp {
        argv.push("--strict-mcp-config".to_owned());
    }
    if claude.repo_programs.hooks || claude.repo_programs.mcp {
        // These win over the repository's, which could send the calls elsewhere.
        let env = json!({ "ANTHROPIC_BASE_URL": base_url(route) });
        let settings =
            json!({ "enableAllProjectMcpServers": claude.repo_programs.mcp, "env": env });
        argv.extend(["--settings".to_owned(), settings.to_string()]);
    }
    argv
}

/// Where the calls of a run go.
fn base_url(route: &str) -> String {
    format!("{{gateway}}/{route}")
}

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// The kind of the last error that the model's service answered with.
    api_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    System(System),
    Assistant(Said),
    User { message: Message },
    RateLimitEvent { rate_limit_info: RateLimit },
    Result(Box<Ended>),
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
struct Said {
    message: Message,
    #[serde(default)]
    is_api_error_message: bool,
    error: Option<String>,
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
    api_error_status: Value,
    #[serde(default)]
    api_error: Value,
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    usage: Value,
}

pub(super) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    match serde_json::from_str::<Line>(line) {
        Ok(Line::System(system)) => read_system(system).into_iter().collect(),
        Ok(Line::Assistant(said)) => read_said(memory, said),
        Ok(Line::User { message }) => blocks(message).iter().filter_map(came_back).collect(),
        Ok(Line::RateLimitEvent { rate_limit_info: RateLimit { status, resets_at } }) => {
            vec![Event::RateLimit { status, resets_at }]
        }
        Ok(Line::Result(ended)) => read_result(memory, &ended),
        Err(_) => Vec::new(),
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
        // It says how much is thought, not what: that comes when it is done.
        "thinking_tokens" => Some(Event::Thinking { text: String::new() }),
        _ => None,
    }
}

/// An error of the model's service comes as if the agent had said it.
fn read_said(memory: &mut Memory, said: Said) -> Vec<Event> {
    if !said.is_api_error_message {
        return blocks(said.message).iter().map(read_block).collect();
    }
    let message = text_of(&said.message.content);
    memory.api_error = said.error;
    vec![Event::Error { message }]
}

fn blocks(message: Message) -> Vec<Value> {
    match message.content {
        Value::Array(blocks) => blocks,
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn read_block(block: &Value) -> Event {
    let field = |name: &str| block.get(name).map(text_of).unwrap_or_default();
    match block.get("type").and_then(Value::as_str) {
        Some("text") => Event::Text { text: field("text") },
        Some("thinking") => Event::Thinking { text: field("thinking") },
        Some("tool_use") => {
            Event::ToolCall { id: field("id"), name: field("name"), input: field("input") }
        }
        _ => Event::Unknown { line: block.to_string() },
    }
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
    if ended.usage.is_object() {
        let n = |name: &str| ended.usage[name].as_u64().unwrap_or(0);
        let tokens = Tokens {
            input: n("input_tokens"),
            output: n("output_tokens"),
            cache_read: n("cache_read_input_tokens"),
            cache_write: n("cache_creation_input_tokens"),
        };
        events.push(Event::Usage { tokens });
    }
    let text = match (&ended.result, &ended.errors) {
        (Value::Null, Value::Array(errors)) => {
            errors.iter().map(text_of).collect::<Vec<_>>().join("; ")
        }
        (Value::Null, errors) => text_of(errors),
        (result, _) => text_of(result),
    };
    events.push(Event::End(End { claim: claim(memory, ended), text }));
    events
}

fn claim(memory: &Memory, ended: &Ended) -> Claim {
    if !ended.is_error && ended.subtype == "success" {
        return Claim::Finished;
    }
    let word = |value: &Value| value.as_str().unwrap_or("").to_owned();
    match (word(&ended.subtype).as_str(), word(&ended.terminal_reason).as_str()) {
        ("error_max_turns" | "error_max_budget_usd", _) => return Claim::Limit,
        (_, "max_turns" | "budget_exhausted") => return Claim::Limit,
        (_, "aborted_tools" | "aborted_streaming") => return Claim::Aborted,
        // It never came to ask the model.
        ("error_during_execution", "") => return Claim::Aborted,
        _ => {}
    }
    // An error that the run got over is no reason for its end.
    let kind = memory.api_error.as_deref().filter(|_| ended.terminal_reason == "api_error");
    match (ended.api_error_status.as_u64(), kind.unwrap_or(&word(&ended.api_error))) {
        (Some(401 | 403), _) | (_, "authentication_failed") => Claim::NeedsLogin,
        (Some(429 | 529), _) => Claim::Quota,
        (_, "usage_limit_reached" | "rate_limit" | "billing_error") => Claim::Quota,
        _ => Claim::ModelError,
    }
}
