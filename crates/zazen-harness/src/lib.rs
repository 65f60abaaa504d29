//! One file a coding agent: how it is started, and how its stream is read.
//!
//! An adapter is two plain functions: [`Harness::launch`] says with what
//! arguments, input and environment the program is started in a sandbox, and a
//! [`Reader`] turns the lines that it prints into events of
//! [`zazen_core::trace`]. Nothing here starts a process or touches a file.

mod ability;
mod acp;
mod aider;
mod claude;
mod codex;
mod copilot;
mod custom;
mod gemini;
mod kit;
mod mini;
mod name;
mod opencode;
mod reader;
mod said;
mod version;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use self::ability::{
    Abilities, Choice, Commands, Denies, OwnSandbox, Repository, Says, Servers, Steering, Stream,
    Turns, Version,
};
pub use self::acp::{Acp, Api, Other, Speaker};
pub use self::aider::Aider;
pub use self::custom::{BadPattern, Custom, Patterns};
pub use self::kit::{At, FILTER, Kit, Server};
pub use self::mini::TOKEN_VARIABLE;
pub use self::name::{Name, UnknownName};
pub use self::reader::{Dialect, Facts, Reader, Totals};
pub use self::version::{Program, version_in};

/// A coding agent that is ready to be started.
#[derive(Debug, Clone)]
pub enum Harness {
    Claude(Claude),
    Codex(Codex),
    Mini(Mini),
    Acp(Acp),
    Aider(Aider),
    Custom(Custom),
}

/// Claude Code.
#[derive(Debug, Clone)]
pub struct Claude {
    /// The program itself, with no link left in its path.
    pub program: PathBuf,
    /// The folder that the program needs to see: its own.
    pub folder: PathBuf,
    pub model: String,
    /// How much it thinks, in its own words; empty means its own choice.
    pub effort: String,
    pub n_turns_max: u32,
    pub repo_programs: Programs,
    /// Its calls are paid by a person's subscription. It then behaves as with a login of its
    /// own; what it holds is the run's token all the same.
    pub is_login: bool,
}

/// Codex.
#[derive(Debug, Clone)]
pub struct Codex {
    /// The native program, with no link left in its path.
    pub program: PathBuf,
    /// The folder that the program needs to see: its package's.
    pub folder: PathBuf,
    pub model: String,
    /// How much it thinks, in its own words; empty means its own choice.
    pub effort: String,
}

/// Which programs of the repository are started for an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Programs {
    /// The hooks in its settings; the settings count then.
    pub hooks: bool,
    /// The servers in its `.mcp.json`.
    pub mcp: bool,
}

/// The built-in harness.
#[derive(Debug, Clone)]
pub struct Mini {
    pub api: &'static str,
    pub model: String,
    pub n_turns_max: u32,
}

/// What an agent may do with the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Look, and answer.
    Read,
    /// Change files.
    Write,
}

/// Where the skills of a run are for a harness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillsPlace {
    /// The folder in the private home.
    pub folder: &'static str,
    /// It looks there by itself. Else its prompt says what is there.
    pub finds_them: bool,
}

/// What a harness is started for.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub task: Task,
    pub prompt: &'a str,
    /// The name of the route that its model calls go to.
    pub route: &'a str,
    /// The run's own, worthless elsewhere.
    pub token: &'a str,
    /// The session to have, where the harness has any.
    pub session: Option<Session<'a>>,
    pub kit: &'a Kit,
}

/// What one is told whose writing tools cannot be taken away. The workspace is mounted
/// read-only in any case.
const READ_ONLY: &str = "Change no file: the directory is read-only.\n\n";

/// What a harness keeps of a run, so that another run can go on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session<'a> {
    /// A new one, by this name where the harness lets us name it.
    New(&'a str),
    /// One that is in the private home.
    Resumed(&'a str),
}

/// How a harness is started. `{gateway}`, `{zazen}` and `{home}` are filled in inside the sandbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launch {
    pub argv: Vec<String>,
    pub stdin: String,
    pub env: BTreeMap<String, String>,
    /// What is written into the private home before the program starts, by paths in there.
    /// The same places are filled in.
    pub files: BTreeMap<String, String>,
    /// What is in the line with which it says that it is done, where it reads on until then.
    pub open_until: Option<String>,
    /// Folders of the host that the program needs to see.
    pub tools: Vec<PathBuf>,
}

impl Harness {
    /// Which harness this is.
    pub fn name(&self) -> Name {
        match self {
            Self::Claude(_) => Name::Claude,
            Self::Codex(_) => Name::Codex,
            Self::Mini(_) => Name::Mini,
            Self::Aider(_) => Name::Aider,
            Self::Custom(_) => Name::Custom,
            Self::Acp(acp) => match acp.agent {
                Speaker::Gemini => Name::Gemini,
                Speaker::OpenCode => Name::OpenCode,
                Speaker::Qwen => Name::Qwen,
                Speaker::Copilot => Name::Copilot,
                Speaker::Other(_) => Name::Acp,
            },
        }
    }

    /// Says how to start this harness.
    pub fn launch(&self, order: Order<'_>) -> Launch {
        match self {
            Self::Claude(claude) => claude::launch(claude, order),
            Self::Codex(codex) => codex::launch(codex, order),
            Self::Mini(mini) => mini::launch(mini, order),
            Self::Acp(acp) => acp::launch(acp, order),
            Self::Aider(aider) => aider::launch(aider, order),
            Self::Custom(custom) => custom::launch(custom, order),
        }
    }

    /// A reader for the stream of one run.
    pub fn reader(&self) -> Reader {
        self.name().reader(self.lines())
    }

    /// How the lines are read that it prints, where its owner says so.
    pub fn lines(&self) -> Option<&Patterns> {
        match self {
            Self::Custom(custom) => Some(&custom.lines),
            Self::Claude(_) | Self::Codex(_) | Self::Mini(_) | Self::Acp(_) | Self::Aider(_) => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
