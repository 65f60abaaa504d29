//! What this client says about a run: one JSON object a line, flushed at once.
//!
//! The words are our own and stable, whatever an agent calls things; what is not
//! known here is kept as [`Event::Raw`]. The same types write and read it. A
//! reader skips lines it does not know, and takes a stream without an `end` for
//! a run that was cut off.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// One line of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The agent has answered for the first time, and said who it is.
    Start { version: String, agent: Option<String>, agent_version: Option<String> },
    /// Its session is open. From here on it could be resumed by this id.
    Session { id: String, resumed: bool, model: Option<String>, mode: Option<String> },
    /// What the agent said, as far as it said it in one go.
    Text { text: String },
    /// What it thought aloud.
    Thought { text: String },
    /// What the agent's program says for itself, in no model's words.
    Notice { text: String },
    /// A tool is used. `input` is JSON, or the command line where that is all there is.
    Call { id: String, name: String, kind: String, input: String },
    /// The agent asked whether it may, and was answered. `why` says which rule it was.
    Permission { id: String, kind: String, title: String, allowed: bool, why: String },
    /// The tool of the same id came back.
    Result { id: String, ok: bool, exit: Option<i32>, output: String },
    /// A file was changed by the tool of this id.
    Change { id: String, path: String, what: Change },
    /// The agent's list of what it means to do, whole each time.
    Plan { items: Vec<Item> },
    /// How full the context is, and what the session has cost so far, as the agent says.
    Context { used: u64, size: u64, cost_micros: Option<u64> },
    /// What it used; `input` leaves out what the cache read or wrote.
    Usage { of: Span, input: u64, output: u64, cache_read: u64, cache_write: u64 },
    /// A model call is tried again.
    Retry { why: String },
    /// The message with this id, which came during the run, was handed over.
    Steered { id: String, how: Steer },
    /// Something went wrong. The run may go on.
    Error { message: String },
    /// What is not known here, as it came.
    Raw { line: String },
    /// The run is over. `text` is the agent's last words, or what went wrong.
    End { claim: Claim, text: String, turns: u32 },
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Added,
    Modified,
    Deleted,
}

/// One item of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub text: String,
    pub status: ItemStatus,
}

/// How far an item of a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemStatus {
    Pending,
    InProgress,
    Completed,
}

/// What usage is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// One call of the model. They add up.
    Call,
    /// All from one prompt to its end.
    Turn,
}

/// How a message reached a running agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Steer {
    /// The agent asked for it between two steps.
    Asked,
    /// As a prompt of its own: what it did was cancelled, or over.
    Prompted,
}

/// How the run ended: a claim, which someone else checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// The agent ended its turn.
    Finished,
    /// The model's answer was longer than it may be.
    MaxTokens,
    /// The agent's own limit of model calls was reached.
    MaxTurns,
    /// The model, or the agent, would not do it.
    Refused,
    /// It was told to stop.
    Cancelled,
    /// The model's service refused the key or the login.
    NeedsLogin,
    /// The model's service is out of quota.
    Quota,
    /// The model's service is too busy.
    Overloaded,
    /// What is to be read is longer than the model can read.
    ContextFull,
    /// The model's service failed in another way.
    ModelError,
    /// The session that was to go on is not there.
    SessionLost,
    /// The agent could not be started.
    NotStarted,
    /// The agent did not answer while it was starting.
    Silent,
    /// The agent ended by itself before it had answered.
    Exited,
    /// The agent was ended by a signal before it had answered.
    Crashed,
    /// The agent's stream ended before it had answered, and the agent did not.
    Cut,
    /// The agent answered what makes no sense.
    Confused,
}

/// Writes events.
#[derive(Debug)]
pub(crate) struct Events<'a, W> {
    out: &'a mut W,
}

impl<'a, W: Write> Events<'a, W> {
    pub(crate) fn new(out: &'a mut W) -> Self {
        Self { out }
    }

    pub(crate) fn emit(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.out.write_all(&line)?;
        self.out.flush()
    }
}
