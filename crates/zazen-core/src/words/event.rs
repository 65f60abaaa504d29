//! What an agent did, for the terminal and the log: in one line, or in full.

use serde_json::Value;

use super::money::{cost, tokens};
use crate::text::{one_line, plain};
use crate::trace::{ChangeKind, Claim, End, Event, FileChange, RateLimit, TodoItem, TodoState};
use crate::usage::Cost;

/// How long such a line may be, in characters.
const LINE_CHARS_MAX: usize = 160;

/// How many lines of what a tool was given or gave are shown at its beginning, and how
/// many at its end. Enough for a small script, and for the sum at the end of a test run.
const N_LINES_FIRST: usize = 12;
const N_LINES_LAST: usize = 8;

/// What tools call the one thing that says what they are about to do.
const TELLING: [&str; 7] =
    ["command", "file_path", "notebook_path", "pattern", "path", "url", "description"];

/// Says what an agent did, in one line. Nothing where there is nothing to say.
pub fn event_line(event: &Event) -> Option<String> {
    let line = match event {
        Event::Started { model, .. } => {
            format!("begins{}", model.as_ref().map(|m| format!(" with {m}")).unwrap_or_default())
        }
        Event::Text { text } => text.clone(),
        Event::Thinking { text } if text.is_empty() => return None,
        // The whole of it comes later, and a notice says nothing about the work.
        Event::Delta { .. } | Event::Notice { .. } => return None,
        Event::Thinking { text } => format!("thinks: {text}"),
        Event::ToolCall { name, input, .. } => call(name, input),
        Event::ToolResult { ok: true, .. } => return None,
        Event::ToolResult { exit: Some(exit), .. } => format!("status {exit}"),
        Event::ToolResult { output, .. } => format!("failed: {output}"),
        Event::Files { changes } => files(changes),
        Event::Todo { items } => todo(items),
        Event::Sub { event, .. } => format!("(sub-agent) {}", event_line(event)?),
        Event::Denied { tool, why, .. } => denied(tool, why),
        Event::Retry { attempt, why, .. } => format!("model call failed, try {attempt}: {why}"),
        Event::RateLimit(limit) => rate_limit(limit),
        Event::Usage { tokens: used, cost_micros } => {
            let says = |micros: &u64| format!(", and says {}", cost(Cost::Micros(*micros)));
            let cost = cost_micros.as_ref().map(says).unwrap_or_default();
            format!("used {} tokens{cost}", tokens(used.total()))
        }
        Event::Error { message } => format!("error: {message}"),
        Event::End(End { claim, text, .. }) => format!("{}: {text}", claim_word(*claim)),
        Event::Told { .. } => "reads what it was told".to_owned(),
        Event::Unknown { line } => line.clone(),
    };
    Some(one_line(&plain(&line), LINE_CHARS_MAX))
}

/// Says what an agent did, in as many lines as it takes. Empty where there is nothing to say.
pub fn event_lines(event: &Event) -> Vec<String> {
    match event {
        Event::Text { text } => lines(text),
        Event::Thinking { text } => indented("~ ", lines(text)),
        Event::ToolCall { name, input, .. } => {
            let mut lines = middle_cut(lines(&call(name, input)));
            lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, "  "));
            lines
        }
        Event::ToolResult { ok, exit, output, .. } => {
            let mut shown = middle_cut(lines(output));
            match exit {
                // Some harnesses say it by themselves.
                Some(exit) if *exit != 0 && !output.starts_with("Exit code") => {
                    shown.push(format!("status {exit}"));
                }
                _ if !ok && shown.is_empty() => shown.push("failed".to_owned()),
                Some(_) | None => {}
            }
            indented("│ ", shown)
        }
        // The words with which it ends stand right before, as what it said.
        Event::End(End { claim: Claim::Finished, .. }) => vec!["says it finished".to_owned()],
        Event::Todo { items } => items.iter().map(todo_line).collect(),
        Event::Sub { event, .. } => indented("    ", event_lines(event)),
        Event::Started { .. }
        | Event::Delta { .. }
        | Event::Notice { .. }
        | Event::Files { .. }
        | Event::Denied { .. }
        | Event::Retry { .. }
        | Event::RateLimit(_)
        | Event::Usage { .. }
        | Event::Error { .. }
        | Event::End(_)
        | Event::Told { .. }
        | Event::Unknown { .. } => event_line(event).into_iter().collect(),
    }
}

/// What a tool is about to do: the command, or the tool and the one thing that matters.
fn call(name: &str, input: &str) -> String {
    let value: Value = serde_json::from_str(input).unwrap_or(Value::Null);
    let telling = TELLING.iter().find_map(|field| Some((*field, value.get(field)?.as_str()?)));
    match telling {
        Some(("command", command)) => format!("$ {command}"),
        Some((_, what)) => format!("{name}: {what}"),
        None if value.is_object() => format!("{name}: {input}"),
        // The command itself.
        None => format!("$ {input}"),
    }
}

fn files(changes: &[FileChange]) -> String {
    let change = |FileChange { path, kind }: &FileChange| match kind {
        ChangeKind::Added => format!("added {path}"),
        ChangeKind::Changed => format!("changed {path}"),
        ChangeKind::Removed => format!("removed {path}"),
    };
    changes.iter().map(change).collect::<Vec<_>>().join(", ")
}

/// How far a list is, and what is being done.
fn todo(items: &[TodoItem]) -> String {
    let n_done = items.iter().filter(|item| item.state == TodoState::Done).count();
    let begun = items.iter().find(|item| item.state == TodoState::Begun);
    let begun = begun.map(|item| format!(": {}", item.text)).unwrap_or_default();
    format!("{n_done} of {} done{begun}", items.len())
}

fn todo_line(item: &TodoItem) -> String {
    let mark = match item.state {
        TodoState::Waiting => "[ ]",
        TodoState::Begun => "[>]",
        TodoState::Done => "[x]",
    };
    format!("{mark} {}", one_line(&plain(&item.text), LINE_CHARS_MAX))
}

fn denied(tool: &str, why: &str) -> String {
    if why.is_empty() { format!("{tool} was not allowed") } else { format!("not allowed: {why}") }
}

fn rate_limit(limit: &RateLimit) -> String {
    let RateLimit { status, window, window_minutes, used_percent, resets_at } = limit;
    let window = match (window, window_minutes) {
        (Some(window), _) => format!(" `{window}`"),
        (None, Some(minutes)) => format!(" of {minutes} minutes"),
        (None, None) => String::new(),
    };
    let status = if status.is_empty() { String::new() } else { format!(": {status}") };
    let used = used_percent.map(|percent| format!(", {percent} % used")).unwrap_or_default();
    let over = resets_at.map(|at| format!(", over at {}", at.utc())).unwrap_or_default();
    format!("limit{window}{status}{used}{over}")
}

fn lines(text: &str) -> Vec<String> {
    plain(text).trim_end().lines().map(str::to_owned).collect()
}

fn indented(by: &str, lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("{by}{line}")).collect()
}

/// Leaves the first and the last lines, each of a length that can be read.
fn middle_cut(mut lines: Vec<String>) -> Vec<String> {
    let n_cut = lines.len().saturating_sub(N_LINES_FIRST + N_LINES_LAST);
    if n_cut > 1 {
        let note = format!("… {n_cut} more lines");
        lines.splice(N_LINES_FIRST..N_LINES_FIRST + n_cut, [note]);
    }
    lines.iter().map(|line| line_cut(line)).collect()
}

/// Unlike [`one_line`], keeps the white space: it is code or a table.
fn line_cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// How an end is claimed, in words that fit after "the agent".
pub fn claim_word(claim: Claim) -> &'static str {
    match claim {
        Claim::Finished => "says it finished",
        Claim::NothingDone => "finished with nothing done",
        Claim::GaveUp => "gave up",
        Claim::NeedsPermission => "needs a permission",
        Claim::NeedsLogin => "needs a login",
        Claim::ModelError => "got an error from the model",
        Claim::Overloaded => "found the model too busy",
        Claim::Quota => "reached a limit of the model's service",
        Claim::ContextTooLong => "got too long for the model",
        Claim::TurnLimit => "reached its limit of turns",
        Claim::Budget => "reached its limit of money",
        Claim::Crashed => "crashed",
        Claim::Killed => "was stopped",
        Claim::Hung => "did not go on",
        Claim::StreamCut => "lost the model's answer in its middle",
    }
}

#[cfg(test)]
mod tests;
