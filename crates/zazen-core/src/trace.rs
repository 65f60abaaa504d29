//! What a run did, in one vocabulary for all harnesses.
//!
//! A harness adapter reads its own stream and says what it saw in these
//! events. Nothing is dropped: a line that no adapter knows is
//! [`Event::Unknown`], kept as it came. How a harness ended, and when its limits
//! are over, is in [`end`].

mod end;
mod lines;

use serde::{Deserialize, Serialize};

pub use self::end::{Claim, End, Reset, Resets};
pub use self::lines::Lines;
use crate::id::Time;
use crate::usage::Tokens;

/// One thing that a run did or said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The harness is up. Comes before the first model call, where the harness says so.
    Started { session: Option<String>, model: Option<String>, version: Option<String> },
    /// The agent said something.
    Text { text: String },
    /// A piece of what the agent is saying. The whole comes as [`Event::Text`].
    Delta { text: String },
    /// The agent thought aloud.
    Thinking { text: String },
    /// The agent uses a tool. `input` is the whole input, as JSON or as the command line.
    ToolCall {
        id: String,
        name: String,
        input: String,
        /// The files and folders that the call names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<String>,
    },
    /// A tool came back.
    ToolResult { id: String, ok: bool, exit: Option<i32>, output: String },
    /// Files were changed, as the harness says.
    Files { changes: Vec<FileChange> },
    /// The agent's own list of what there is to do, as it stands by now.
    Todo { items: Vec<TodoItem> },
    /// What a sub-agent did, that the tool call `parent` began.
    Sub { parent: String, event: Box<Event> },
    /// The agent wanted to use a tool, and was not allowed to.
    Denied { id: Option<String>, tool: String, why: String },
    /// The harness tries a model call again.
    Retry {
        attempt: u32,
        why: String,
        /// How long it waits before, where it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_millis: Option<u64>,
    },
    /// The provider says how near a limit is.
    RateLimit(RateLimit),
    /// What the harness says it used. The gateway's count is the one that is billed.
    Usage {
        tokens: Tokens,
        /// What the harness says that it cost, in millionths of a US dollar.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_micros: Option<u64>,
    },
    /// The harness says that something went wrong. The run may go on.
    Error { message: String },
    /// The harness says how it ended. This is its claim, not a fact.
    End(End),
    /// A line that the adapter knows, and that says nothing about the work.
    Notice { line: String },
    /// The agent has taken in what was said to it while it works, by the id of that.
    Told { id: String },
    /// A line that the adapter does not know.
    Unknown { line: String },
}

/// A file that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    pub path: String,
    pub kind: ChangeKind,
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// An entry of an agent's list of what there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoItem {
    pub text: String,
    pub state: TodoState,
}

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TodoState {
    Waiting,
    Begun,
    Done,
}

/// How near a limit of the provider is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// The provider's word for how it stands, such as `allowed_warning` or `rejected`.
    pub status: String,
    /// The provider's word for the limit, such as `five_hour`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// How long the limit's window is: 300 for five hours, 10080 for a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_minutes: Option<u32>,
    /// How much of it is used, as the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<u8>,
    /// When it is whole again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Time>,
}
