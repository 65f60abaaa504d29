//! What the agent says about its run: one JSON object a line, flushed at once.
//!
//! The same types write and read it. A reader skips lines it does not know, and
//! takes a stream without an `end` for a run that was cut off. `agent` says when
//! each event is sent.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// One line of the agent's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    Start { version: String, model: String, cwd: String },
    /// What the model said in one turn.
    Text { text: String },
    /// A command is about to run; it is empty when the model's call made no sense.
    Call { id: String, command: String },
    /// What the command of the same id did.
    Result { id: String, exit: i32, timed_out: bool, output: String, bytes_cut: u64 },
    /// What one model call used; `input` leaves out what the cache read or wrote.
    Usage { input: u64, output: u64, cache_read: u64, cache_write: u64 },
    /// A model call failed and is about to be tried again.
    Retry { attempt: u32, why: String },
    /// The run cannot go on.
    Error { message: String },
    /// The run is over; `text` is the model's last answer.
    End { claim: Claim, text: String, turns: u32 },
}

/// How the agent says that its run ended: a claim, which someone else checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// The model answered without asking for another command.
    Finished,
    /// The turns were used up.
    Limit,
    /// The endpoint refused the key.
    NeedsLogin,
    /// The endpoint has a limit, and it is reached.
    Quota,
    /// The endpoint is too busy.
    Overloaded,
    /// The conversation is longer than the model can read.
    ContextTooLong,
    /// The model's answer ended in its middle, again and again.
    StreamCut,
    /// The model could not be asked, or made no sense.
    ModelError,
}

/// The shortest token that is looked for in events. A shorter one could be part
/// of any word, and striking it out would only garble the output.
const TOKEN_BYTES_MIN: usize = 8;

/// Writes events, with the token struck out wherever it turns up.
pub(crate) struct Events<'a, W> {
    out: &'a mut W,
    token: String,
}

impl<'a, W: Write> Events<'a, W> {
    pub(crate) fn new(out: &'a mut W, token: String) -> Self {
        Self { out, token }
    }

    pub(crate) fn emit(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_string(event)?;
        if self.token.len() >= TOKEN_BYTES_MIN {
            line = line.replace(&self.token, "[token]");
        }
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        self.out.flush()
    }
}
