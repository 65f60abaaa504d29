//! The harnesses that zazen drives, by their names.
//!
//! A name is enough to read a stream: a run that was started with a
//! configuration of before is read by what its folder says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ability::{Choice, Repository, Servers};
use super::{Dialect, Patterns, Reader, SkillsPlace, acp, claude};

/// Which harness something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Name {
    Claude,
    Codex,
    Mini,
    Gemini,
    #[serde(rename = "opencode")]
    OpenCode,
    Qwen,
    Copilot,
    Aider,
    /// Any other that speaks the Agent Client Protocol.
    Acp,
    /// Any other program, read by patterns of its owner's.
    Custom,
}

/// There is no harness of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a harness; there are {list}", list = list())]
pub struct UnknownName(String);

impl Name {
    /// Those that can be configured.
    pub const ALL: [Self; 10] = [
        Self::Acp,
        Self::Aider,
        Self::Claude,
        Self::Codex,
        Self::Copilot,
        Self::Custom,
        Self::Gemini,
        Self::Mini,
        Self::OpenCode,
        Self::Qwen,
    ];

    /// The word for this harness, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Mini => "mini",
            Self::Gemini => "gemini",
            Self::OpenCode => "opencode",
            Self::Qwen => "qwen",
            Self::Copilot => "copilot",
            Self::Aider => "aider",
            Self::Acp => "acp",
            Self::Custom => "custom",
        }
    }

    /// Whether it can be told how much to think.
    pub fn knows_effort(self) -> bool {
        self.abilities().effort != Choice::Never
    }

    /// Whether it takes what a repository has for coding agents, whatever it is told: programs
    /// to start, instructions, settings. Such files are then kept out of its sight.
    pub fn heeds_repository(self) -> bool {
        self.abilities().repository == Repository::Hidden
    }

    /// Files at the top of a repository that are kept out of its sight, too, though others than
    /// coding agents read them.
    pub fn also_hidden(self) -> &'static [&'static str] {
        match self {
            // What is in it counts more than what Aider is started with: it can name commands.
            Self::Aider => &[".env"],
            Self::Claude
            | Self::Codex
            | Self::Mini
            | Self::Gemini
            | Self::OpenCode
            | Self::Qwen
            | Self::Copilot
            | Self::Acp
            | Self::Custom => &[],
        }
    }

    /// Where in its private home a run's sessions are, where the harness can go on with one.
    pub fn sessions(self) -> Option<&'static str> {
        self.abilities().sessions
    }

    /// Where this harness gets skills.
    pub fn skills(self) -> SkillsPlace {
        self.abilities().skills
    }

    /// Whether this harness can be given servers of tools.
    pub fn takes_servers(self) -> bool {
        self.abilities().servers == Servers::Given
    }

    /// What to write to its input to tell it something while it works, under an id that it
    /// repeats when it has taken it in. Nothing where it does not listen.
    pub fn message(self, id: &str, text: &str) -> Option<String> {
        match self {
            Self::Claude => Some(claude::message(Some(id), text)),
            Self::Gemini | Self::OpenCode | Self::Qwen | Self::Copilot | Self::Acp => {
                Some(acp::message(id, text))
            }
            Self::Codex | Self::Mini | Self::Aider | Self::Custom => None,
        }
    }

    /// A reader for the stream of one run. `lines` are those of the program's owner, which
    /// count where the harness has no words of its own.
    pub fn reader(self, lines: Option<&Patterns>) -> Reader {
        Reader::of(match self {
            Self::Custom => return Reader::custom(lines.unwrap_or(&Patterns::default())),
            Self::Claude => Dialect::Claude,
            Self::Codex => Dialect::Codex,
            Self::Mini => Dialect::Mini,
            Self::Aider => Dialect::Aider,
            Self::Gemini | Self::OpenCode | Self::Qwen | Self::Copilot | Self::Acp => Dialect::Acp,
        })
    }
}

/// All names, as one writes a list.
fn list() -> String {
    let names: Vec<String> = Name::ALL.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

impl FromStr for Name {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|name| name.word() == text);
        found.ok_or_else(|| UnknownName(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
