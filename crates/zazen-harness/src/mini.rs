//! `mini`, the built-in harness: zazen's own binary, inside the sandbox.

use std::collections::BTreeMap;

use zazen_core::trace::{Claim, End, Event};
use zazen_core::usage::Tokens;

use super::{Launch, Mini, Order};

/// The variable that brings `mini` its run's token.
pub const TOKEN_VARIABLE: &str = "ZAZEN_MINI_TOKEN";

pub(super) fn launch(mini: &Mini, order: Order<'_>) -> Launch {
    let Order { task: _, prompt, route, token, session: _, kit } = order;
    let argv = [
        "{zazen}",
        "mini",
        "--api",
        mini.api,
        "--base-url",
        // With the version, which clients of OpenAI's API expect in the base address.
        &format!("{{gateway}}/{route}/v1"),
        "--model",
        &mini.model,
        "--turns",
        &mini.n_turns_max.to_string(),
    ];
    let denied = kit.denied.commands.iter();
    let denied = denied.flat_map(|command| ["--deny".to_owned(), command.to_string()]);
    Launch {
        argv: argv.into_iter().map(str::to_owned).chain(denied).collect(),
        stdin: prompt.to_owned(),
        env: BTreeMap::from([(TOKEN_VARIABLE.to_owned(), token.to_owned())]),
        files: BTreeMap::new(),
        open_until: None,
        tools: Vec::new(),
    }
}

pub(super) fn read(line: &str) -> Vec<Event> {
    use zazen_mini::event::{Claim as MiniClaim, Event as MiniEvent};

    let Ok(event) = serde_json::from_str::<MiniEvent>(line) else {
        return Vec::new();
    };
    vec![match event {
        MiniEvent::Start { version, model, .. } => {
            Event::Started { session: None, model: Some(model), version: Some(version) }
        }
        MiniEvent::Text { text } => Event::Text { text },
        MiniEvent::Call { id, command } => {
            Event::ToolCall { id, name: "bash".to_owned(), input: command, paths: Vec::new() }
        }
        MiniEvent::Result { id, exit, timed_out, output, bytes_cut: _ } => {
            let output = if timed_out { output + "\n(it took too long)" } else { output };
            Event::ToolResult { id, ok: exit == 0, exit: Some(exit), output }
        }
        MiniEvent::Usage { input, output, cache_read, cache_write } => {
            let tokens = Tokens { input, output, cache_read, cache_write };
            Event::Usage { tokens, cost_micros: None }
        }
        MiniEvent::Retry { attempt, why } => Event::Retry { attempt, why, wait_millis: None },
        MiniEvent::Error { message } => Event::Error { message },
        MiniEvent::End { claim, text, .. } => {
            let claim = match claim {
                MiniClaim::Finished => Claim::Finished,
                MiniClaim::Limit => Claim::TurnLimit,
                MiniClaim::NeedsLogin => Claim::NeedsLogin,
                MiniClaim::Quota => Claim::Quota,
                MiniClaim::Overloaded => Claim::Overloaded,
                MiniClaim::ContextTooLong => Claim::ContextTooLong,
                MiniClaim::StreamCut => Claim::StreamCut,
                MiniClaim::ModelError => Claim::ModelError,
            };
            Event::End(End { claim, text, reset: None })
        }
    }]
}
