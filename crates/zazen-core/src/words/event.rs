//! One line for one thing that an agent did: for the terminal and the log.

use super::money::tokens;
use crate::text::{one_line, plain};
use crate::trace::{Claim, End, Event};

/// How long such a line may be, in characters.
const LINE_CHARS_MAX: usize = 160;

/// Says what an agent did, in one line. Nothing where there is nothing to say.
pub fn event_line(event: &Event) -> Option<String> {
    let line = match event {
        Event::Started { model, .. } => {
            format!("begins{}", model.as_ref().map(|m| format!(" with {m}")).unwrap_or_default())
        }
        Event::Text { text } => text.clone(),
        Event::Thinking { text } => format!("thinks: {text}"),
        Event::ToolCall { name, input, .. } => format!("$ {name}: {input}"),
        Event::ToolResult { ok: true, .. } => return None,
        Event::ToolResult { exit: Some(exit), .. } => format!("status {exit}"),
        Event::ToolResult { output, .. } => format!("failed: {output}"),
        Event::Retry { attempt, why } => format!("model call failed, try {attempt}: {why}"),
        Event::RateLimit { status, .. } => format!("rate limit: {status}"),
        Event::Usage { tokens: used } => format!("{} tokens", tokens(used.total())),
        Event::Error { message } => format!("error: {message}"),
        Event::End(End { claim, text }) => format!("{}: {text}", claim_word(*claim)),
        Event::Unknown { line } => line.clone(),
    };
    Some(one_line(&plain(&line), LINE_CHARS_MAX))
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
