//! What an agent did, for the terminal and the log: in one line, or in full.

use serde_json::Value;

use super::money::tokens;
use crate::text::{one_line, plain};
use crate::trace::{Claim, End, Event};

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
        Event::Thinking { text } => format!("thinks: {text}"),
        Event::ToolCall { name, input, .. } => call(name, input),
        Event::ToolResult { ok: true, .. } => return None,
        Event::ToolResult { exit: Some(exit), .. } => format!("status {exit}"),
        Event::ToolResult { output, .. } => format!("failed: {output}"),
        Event::Retry { attempt, why } => format!("model call failed, try {attempt}: {why}"),
        Event::RateLimit { status, .. } => format!("rate limit: {status}"),
        Event::Usage { tokens: used } => format!("used {} tokens", tokens(used.total())),
        Event::Error { message } => format!("error: {message}"),
        Event::End(End { claim, text }) => format!("{}: {text}", claim_word(*claim)),
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
        Event::Started { .. }
        | Event::Retry { .. }
        | Event::RateLimit { .. }
        | Event::Usage { .. }
        | Event::Error { .. }
        | Event::End(_)
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

fn claim_word(claim: Claim) -> &'static str {
    match claim {
        Claim::Finished => "says it finished",
        Claim::Limit => "reached its limit",
        Claim::NeedsLogin => "needs a login",
        Claim::Quota => "is out of quota",
        Claim::ModelError => "got an error from the model",
        Claim::Aborted => "was stopped",
    }
}

#[cfg(test)]
mod tests;
