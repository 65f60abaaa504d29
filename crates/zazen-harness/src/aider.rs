//! Aider: how it is started, and how its output is read: plain text, and no sign of its end.
//! Checked against 0.86.2.
//!
//! It changes files by what is in the model's answer, and runs no commands. It ends with
//! success when the key is refused, too. What it says of errors is at the beginning of a line,
//! in the words of the library that it calls models with. After each answer that is whole, it
//! says what that used.

use std::collections::BTreeMap;
use std::path::PathBuf;

use zazen_core::trace::{ChangeKind, Event, FileChange};
use zazen_core::usage::Tokens;

use super::acp::Api;
use super::custom::number;
use super::{Launch, Order, Task};

/// Aider.
#[derive(Debug, Clone)]
pub struct Aider {
    /// The program itself, with no link left in its path.
    pub program: PathBuf,
    /// The folders that the program needs to see: its environment, and that of its Python.
    pub folders: Vec<PathBuf>,
    pub model: String,
    pub api: Api,
}

/// What has to be known of the lines before.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// What is being said.
    said: String,
    /// The last answer that was whole.
    answer: Option<String>,
}

/// What errors begin with.
const ERRORS: [&str; 3] = ["litellm.", "Can't initialize", "The API provider"];

/// The line after which nothing is about Aider itself any more.
const UP: &str = "Repo-map: ";

/// The file with the prompt, in the private home.
const PROMPT_FILE: &str = "prompt.md";

/// How much of one answer is kept. A plan is far shorter.
const SAID_BYTES_MAX: usize = 8 << 20;

/// It asks nobody and nothing but the model, commits nothing by itself, and starts no program:
/// neither what checks files nor what a model proposes.
const ALWAYS: [&str; 19] = [
    "--yes-always",
    "--no-pretty",
    "--no-stream",
    "--no-fancy-input",
    "--no-auto-commits",
    "--no-dirty-commits",
    "--no-auto-lint",
    "--no-auto-test",
    "--no-check-update",
    "--no-analytics",
    "--no-gitignore",
    "--no-show-model-warnings",
    "--no-show-release-notes",
    "--no-suggest-shell-commands",
    "--no-detect-urls",
    "--disable-playwright",
    // With more it warns. By this list it knows what a repository has.
    "--map-tokens",
    "2048",
    "--no-restore-chat-history",
];

pub(super) fn launch(aider: &Aider, order: Order<'_>) -> Launch {
    let Order { task, prompt, route, token, session: _, kit: _ } = order;
    let (vendor, base, key, path) = match aider.api {
        Api::Anthropic => ("anthropic", "ANTHROPIC_API_BASE", "ANTHROPIC_API_KEY", ""),
        Api::OpenAi | Api::Gemini => ("openai", "OPENAI_API_BASE", "OPENAI_API_KEY", "/v1"),
    };
    let mut argv = vec![aider.program.display().to_string()];
    argv.extend(["--model".to_owned(), format!("{vendor}/{}", aider.model)]);
    argv.extend(["--message-file".to_owned(), format!("{{home}}/{PROMPT_FILE}")]);
    if task == Task::Read {
        argv.extend(["--chat-mode", "ask"].map(str::to_owned));
    }
    argv.extend(ALWAYS.map(str::to_owned));
    for (flag, file) in [("--chat-history-file", "chat"), ("--input-history-file", "input")] {
        argv.extend([flag.to_owned(), format!("{{home}}/.aider/{file}")]);
    }
    let env = [
        (base, format!("{{gateway}}/{route}{path}")),
        (key, token.to_owned()),
        // It would ask for prices that nobody needs.
        ("LITELLM_LOCAL_MODEL_COST_MAP", "True".to_owned()),
        // A repository's `.env` says nothing, should there be one.
        ("PYTHON_DOTENV_DISABLED", "1".to_owned()),
    ];
    Launch {
        argv,
        stdin: String::new(),
        env: env.map(|(name, value)| (name.to_owned(), value)).into(),
        files: BTreeMap::from([
            (PROMPT_FILE.to_owned(), prompt.to_owned()),
            // The folder has to be there.
            (".aider/chat".to_owned(), String::new()),
        ]),
        open_until: None,
        tools: aider.folders.clone(),
    }
}

impl Memory {
    /// Whether an answer came to its end.
    pub(super) fn has_answered(&self) -> bool {
        self.answer.is_some()
    }

    /// The last answer that was whole.
    pub(super) fn answer(&self) -> &str {
        self.answer.as_deref().unwrap_or_default()
    }
}

pub(super) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let notice = || vec![Event::Notice { line: line.to_owned() }];
    if let Some(version) = line.strip_prefix("Aider v") {
        let version = Some(version.trim().to_owned());
        return vec![Event::Started { session: None, model: None, version }];
    }
    if line.starts_with(UP) {
        memory.said.clear();
        return notice();
    }
    if line.starts_with("Retrying in ") {
        let why = line.to_owned();
        return vec![Event::Retry { attempt: 1, why, wait_millis: None }];
    }
    if ERRORS.iter().any(|error| line.starts_with(error)) {
        memory.said.clear();
        return vec![Event::Error { message: line.to_owned() }];
    }
    if let Some(path) = line.strip_prefix("Applied edit to ") {
        memory.said.clear();
        let change = FileChange { path: path.to_owned(), kind: ChangeKind::Changed };
        return vec![Event::Files { changes: vec![change] }];
    }
    if let Some(tokens) = used(line) {
        memory.answer = Some(std::mem::take(&mut memory.said).trim().to_owned());
        return vec![Event::Usage { tokens, cost_micros: None }];
    }
    if memory.said.len() + line.len() < SAID_BYTES_MAX {
        memory.said.push_str(line);
        memory.said.push('\n');
    }
    // An empty line parts what is said, and says nothing itself.
    if line.trim().is_empty() { notice() } else { vec![Event::Text { text: line.to_owned() }] }
}

/// What an answer used, by `Tokens: 4.6k sent, 1,234 cache hit, 12 received. Cost: …`.
fn used(line: &str) -> Option<Tokens> {
    let rest = line.strip_prefix("Tokens: ")?;
    let mut tokens = Tokens::default();
    for part in rest.split(". ").next().unwrap_or_default().trim_end_matches('.').split(", ") {
        let (count, what) = part.split_once(' ')?;
        let count = number(count)?;
        match what {
            "sent" => tokens.input = count,
            "received" => tokens.output = count,
            "cache hit" => tokens.cache_read = count,
            "cache write" => tokens.cache_write = count,
            _ => {}
        }
    }
    // What is sent has what was kept in it.
    tokens.input = tokens.input.saturating_sub(tokens.cache_read + tokens.cache_write);
    Some(tokens)
}

#[cfg(test)]
mod tests;
