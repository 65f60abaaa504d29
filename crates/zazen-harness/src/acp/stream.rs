//! Reads what `zazen acp` prints.

use serde_json::Value;
use zazen_acp::event::{Change, Claim as Said, Event as Line, ItemStatus};
use zazen_core::trace::{ChangeKind, Claim, End, Event, FileChange, TodoItem, TodoState};
use zazen_core::usage::Tokens;

use crate::said;

/// What has to be known of the lines before to read the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    /// What the agent calls itself.
    agent: String,
    version: Option<String>,
    /// What the session has cost so far, as the agent says.
    cost_micros: Option<u64>,
    n_retries: u32,
}

/// It says of a turn what its last step used.
const SAYS_LAST_STEP_ONLY: &str = "OpenCode";

pub(crate) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let Ok(event) = serde_json::from_str::<Line>(line) else { return Vec::new() };
    let notice = || Event::Notice { line: line.to_owned() };
    vec![match event {
        Line::Start { agent, agent_version, .. } => {
            memory.agent = agent.unwrap_or_default();
            memory.version = agent_version;
            notice()
        }
        Line::Session { id, model, .. } => {
            Event::Started { session: Some(id), model, version: memory.version.clone() }
        }
        Line::Text { text } => Event::Text { text },
        Line::Thought { text } => Event::Thinking { text },
        Line::Call { id, name, input, .. } => {
            let paths = serde_json::from_str::<Value>(&input).map(|input| said::paths(&input));
            Event::ToolCall { id, name, input, paths: paths.unwrap_or_default() }
        }
        Line::Permission { id, title, allowed: false, why, .. } => {
            Event::Denied { id: Some(id), tool: title, why }
        }
        Line::Result { id, ok, exit, output } => Event::ToolResult { id, ok, exit, output },
        Line::Change { path, what, .. } => {
            let kind = match what {
                Change::Added => ChangeKind::Added,
                Change::Modified => ChangeKind::Changed,
                Change::Deleted => ChangeKind::Removed,
            };
            Event::Files { changes: vec![FileChange { path, kind }] }
        }
        Line::Plan { items } => Event::Todo { items: items.into_iter().map(todo).collect() },
        Line::Context { cost_micros, .. } => {
            memory.cost_micros = cost_micros.or(memory.cost_micros);
            notice()
        }
        Line::Usage { input, output, cache_read, cache_write, .. } => {
            let tokens = Tokens { input, output, cache_read, cache_write };
            let is_part = memory.agent == SAYS_LAST_STEP_ONLY;
            let tokens = if is_part { Tokens::default() } else { tokens };
            Event::Usage { tokens, cost_micros: memory.cost_micros.take() }
        }
        Line::Retry { why } => {
            memory.n_retries += 1;
            Event::Retry { attempt: memory.n_retries, why, wait_millis: None }
        }
        Line::Error { message } => Event::Error { message },
        Line::Raw { line } => Event::Unknown { line },
        Line::End { claim, text, .. } => Event::End(end(claim, text)),
        Line::Steered { id, .. } => Event::Told { id },
        Line::Notice { .. } | Line::Permission { .. } => notice(),
    }]
}

fn todo(item: zazen_acp::event::Item) -> TodoItem {
    let state = match item.status {
        ItemStatus::Pending => TodoState::Waiting,
        ItemStatus::InProgress => TodoState::Begun,
        ItemStatus::Completed => TodoState::Done,
    };
    TodoItem { text: item.text, state }
}

fn end(said: Said, text: String) -> End {
    let claim = match said {
        Said::Finished => Claim::Finished,
        Said::MaxTokens => {
            let text = "the model's answer is longer than it may be".to_owned();
            return End { claim: Claim::ModelError, text, reset: None };
        }
        Said::MaxTurns => Claim::TurnLimit,
        Said::Refused => Claim::GaveUp,
        Said::Cancelled => Claim::Killed,
        Said::NeedsLogin => Claim::NeedsLogin,
        Said::Quota => Claim::Quota,
        Said::Overloaded => Claim::Overloaded,
        Said::ContextFull => Claim::ContextTooLong,
        Said::ModelError => Claim::ModelError,
        Said::Silent => Claim::Hung,
        Said::SessionLost
        | Said::NotStarted
        | Said::Exited
        | Said::Crashed
        | Said::Cut
        | Said::Confused => Claim::Crashed,
    };
    End { claim, text, reset: None }
}
