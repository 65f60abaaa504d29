//! What a run did, in one vocabulary for all harnesses.
//!
//! A harness adapter reads its own stream and says what it saw in these
//! events. Nothing is dropped: a line that no adapter knows is
//! [`Event::Unknown`], kept as it came.

use serde::{Deserialize, Serialize};

use crate::usage::Tokens;

/// One thing that a run did or said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The harness is up. Comes before the first model call, where the harness says so.
    Started { session: Option<String>, model: Option<String>, version: Option<String> },
    /// The agent said something.
    Text { text: String },
    /// The agent thought aloud.
    Thinking { text: String },
    /// The agent uses a tool. `input` is the whole input, as JSON or as the command line.
    ToolCall { id: String, name: String, input: String },
    /// A tool came back.
    ToolResult { id: String, ok: bool, exit: Option<i32>, output: String },
    /// The harness tries a model call again.
    Retry { attempt: u32, why: String },
    /// The provider says how near a limit is.
    RateLimit { status: String, resets_at: Option<u64> },
    /// What the harness says it used. The gateway's count is the one that is billed.
    Usage { tokens: Tokens },
    /// The harness says that something went wrong. The run may go on.
    Error { message: String },
    /// The harness says how it ended. This is its claim, not a fact.
    End(End),
    /// A line that the adapter does not know.
    Unknown { line: String },
}

/// How a harness says it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub claim: Claim,
    /// The agent's last words: its answer, or the error.
    pub text: String,
}

/// What a harness claims of its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// It did what was asked, it says.
    Finished,
    /// It reached its limit of turns or of money.
    Limit,
    /// The model's service refused the key or the login.
    NeedsLogin,
    /// The model's service is out of quota, or too busy.
    Quota,
    /// The model's service failed in another way.
    ModelError,
    /// The harness was stopped, or failed by itself.
    Aborted,
}
