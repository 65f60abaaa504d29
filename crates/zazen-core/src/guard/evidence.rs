//! What the guards look at: the change, and what was agreed on, said and seen.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Change, Glob, GuardName, Level};
use crate::plan::{Plan, name_of};
use crate::secret::Scanner;
use crate::text::{one_line, plain};
use crate::trace::Event;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What was agreed on; nothing, where there was no plan.
    pub contract: Option<&'a Contract>,
    /// Every file that differs between the base and the head.
    pub changes: &'a [Change],
    /// There were more, which are not here.
    pub is_cut: bool,
    /// Files of the base that stand beside new ones.
    pub siblings: &'a [Sibling],
    /// What agents said when they had finished.
    pub reports: &'a [String],
    /// The commands that agents ran, in order; nothing, where that is not known.
    pub commands: Option<&'a [Ran]>,
    /// What the checks came to; nothing, where none ran.
    pub checks: Option<Checks>,
    pub rules: &'a Rules,
    /// What finds secrets.
    pub scanner: &'a Scanner,
}

/// What a plan says that will be touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract {
    /// Files, folders and patterns, from the root of the repository.
    pub files: Vec<String>,
    /// Dependencies, by name.
    pub dependencies: Vec<String>,
}

/// A file of the base, as it was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    pub path: String,
    /// Its first lines.
    pub head: String,
}

/// A command that an agent ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub command: String,
    /// Whether it succeeded, where that is known.
    pub ok: Option<bool>,
}

/// What the checks came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    Green,
    /// Red at first, and green when they ran again.
    Flaky,
    Red,
}

/// What the owner has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What differs from [`Setting::Own`].
    pub settings: BTreeMap<GuardName, Setting>,
    /// Paths that are protected besides those that always are.
    pub protected: Vec<Glob>,
    /// Beginnings of paths below which shapes of secrets are taken for examples.
    pub secret_exceptions: Vec<String>,
    /// From which size on a new file is held.
    pub file_bytes_max: u64,
}

/// What becomes of a guard's findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Setting {
    /// Each has the level that the guard gives it.
    #[default]
    Own,
    /// The guard does not look.
    Off,
    /// None is held.
    Flag,
    /// All are held.
    Hold,
}

/// The default of [`Rules::file_bytes_max`]: what people write is smaller.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// How many commands are read from traces. A day of work has hundreds.
const COMMANDS_MAX: usize = 10_000;

/// How long a command is kept, in characters.
const COMMAND_CHARS_MAX: usize = 1000;

/// How many calls without a result are remembered. Agents make a dozen at once.
const OPEN_MAX: usize = 256;

impl Contract {
    /// What a plan says.
    pub fn of(plan: &Plan) -> Self {
        let steps = plan.steps.iter().flat_map(|step| &step.files);
        Self {
            files: plan.files.iter().chain(steps).cloned().collect(),
            dependencies: plan.dependencies.iter().map(|item| name_of(item).to_owned()).collect(),
        }
    }
}

impl Rules {
    /// What is to become of the findings of a guard.
    pub fn setting(&self, guard: GuardName) -> Setting {
        self.settings.get(&guard).copied().unwrap_or_default()
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            settings: BTreeMap::new(),
            protected: Vec::new(),
            secret_exceptions: Vec::new(),
            file_bytes_max: FILE_BYTES_MAX,
        }
    }
}

impl Setting {
    pub(super) fn applied(self, level: Level) -> Level {
        match self {
            Self::Own | Self::Off => level,
            Self::Flag => Level::Flag,
            Self::Hold => Level::Hold,
        }
    }
}

/// The commands that the events of runs tell of, with how each ended.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
pub fn commands<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Ran> {
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<Ran> = Vec::new();
    for event in events {
        let event = match event {
            Event::Sub { event, .. } => event,
            event => event,
        };
        if let Event::ToolCall { id, name, input, .. } = event
            && let Some(command) = command_of(name, input)
            && all.len() < COMMANDS_MAX
        {
            if open.len() >= OPEN_MAX {
                open.pop_first();
            }
            open.insert(id, all.len());
            all.push(Ran { command, ok: None });
        } else if let Event::ToolResult { id, ok, exit, .. } = event
            && let Some(at) = open.remove(id.as_str())
        {
            all[at].ok = Some(exit.map_or(*ok, |exit| exit == 0));
        }
    }
    all
}

/// What a tool runs, if it is a shell.
fn command_of(name: &str, input: &str) -> Option<String> {
    let is_shell = ["bash", "shell", "exec", "execute", "command", "terminal"]
        .iter()
        .any(|word| name.to_ascii_lowercase().contains(word));
    let command = match serde_json::from_str(input) {
        Ok(Value::Object(fields)) => match fields.get("command").or_else(|| fields.get("cmd")) {
            Some(Value::String(command)) => command.clone(),
            Some(Value::Array(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                words.join(" ")
            }
            _ => return None,
        },
        _ if is_shell => input.to_owned(),
        _ => return None,
    };
    Some(one_line(&plain(&command), COMMAND_CHARS_MAX))
}
