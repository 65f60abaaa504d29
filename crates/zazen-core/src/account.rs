//! What an agent did until it was interrupted, told briefly to the next one.
//!
//! It is read from the events of the run. All of it is what harnesses said: it saves
//! the next agent work, and nothing is decided by it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use serde_json::Value;

use crate::text::{cut_middle, one_line, plain};
use crate::trace::Event;

/// What one run did, as far as it is worth telling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Calls whose result is still to come, with what they run.
    open: BTreeMap<String, Option<String>>,
    files: BTreeSet<String>,
    /// The last commands, each with how it ended.
    commands: VecDeque<String>,
    n_commands: usize,
    last_words: String,
}

/// How many commands are told, the last ones. What came before they mostly repeat.
const COMMANDS_MAX: usize = 30;

/// How many changed files are told.
const FILES_MAX: usize = 60;

/// How many calls without a result are remembered. Agents make a dozen at once.
const OPEN_MAX: usize = 256;

/// How long a command or a path is told, in characters.
const LINE_CHARS_MAX: usize = 200;

/// How much is told of the agent's last words, in bytes.
const WORDS_BYTES_MAX: usize = 2 * 1024;

/// What tools call the file that they change, and that they change it by.
const PATHS: [&str; 4] = ["file_path", "filePath", "path", "notebook_path"];
const CHANGES: [&str; 6] =
    ["new_string", "newString", "new_str", "content", "file_text", "new_source"];

impl Account {
    /// Takes in what happened next.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Text { text } if !text.trim().is_empty() => self.last_words.clone_from(text),
            Event::ToolCall { id, name, input, .. } => self.called(id, (name, input)),
            Event::ToolResult { id, ok, exit, .. } => {
                if let Some(Some(command)) = self.open.remove(id) {
                    let how = match (exit, ok) {
                        (Some(exit), _) => format!("status {exit}"),
                        (None, true) => "done".to_owned(),
                        (None, false) => "failed".to_owned(),
                    };
                    self.note(&command, &how);
                }
            }
            Event::Text { .. }
            | Event::Started { .. }
            | Event::Delta { .. }
            | Event::Thinking { .. }
            | Event::Files { .. }
            | Event::Todo { .. }
            // What a sub-agent did is told by what came back from it.
            | Event::Sub { .. }
            | Event::Denied { .. }
            | Event::Retry { .. }
            | Event::RateLimit(_)
            | Event::Usage { .. }
            | Event::Error { .. }
            | Event::End(_)
            | Event::Notice { .. }
            | Event::Told { .. }
            | Event::Unknown { .. } => {}
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// All of it, for a prompt.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if !self.files.is_empty() {
            let files: Vec<&str> = self.files.iter().map(String::as_str).collect();
            let _infallible = writeln!(text, "Files that it changed: {}", files.join(", "));
        }
        let left_out = self.n_commands - self.commands.len();
        if left_out > 0 {
            let _infallible = writeln!(text, "Commands that it ran, without the first {left_out}:");
        } else if !self.commands.is_empty() {
            text.push_str("Commands that it ran:\n");
        }
        for command in &self.commands {
            let _infallible = writeln!(text, "{command}");
        }
        for command in self.open.values().flatten() {
            let _infallible = writeln!(text, "$ {command} -> it did not come back");
        }
        let words = plain(&self.last_words);
        if !words.trim().is_empty() {
            let words = cut_middle(words.trim(), WORDS_BYTES_MAX);
            let _infallible = writeln!(text, "Its last words: {words}");
        }
        text
    }

    fn called(&mut self, id: &str, (name, input): (&str, &str)) {
        if self.open.len() >= OPEN_MAX {
            self.open.pop_first();
        }
        let value: Value = serde_json::from_str(input).unwrap_or(Value::Null);
        let text = |name: &&str| value.get(*name).and_then(Value::as_str);
        let is_change = CHANGES.iter().any(|name| text(name).is_some());
        let path = PATHS.iter().find_map(text).filter(|_| is_change);
        if let Some(path) = path
            && self.files.len() < FILES_MAX
        {
            self.files.insert(one_line(&plain(path), LINE_CHARS_MAX));
        }
        let is_shell = value.is_null() || name.eq_ignore_ascii_case("bash");
        let command = text(&"command").or_else(|| Some(input).filter(|_| is_shell));
        let command = command.map(|command| one_line(&plain(command), LINE_CHARS_MAX));
        self.open.insert(id.to_owned(), command);
    }

    fn note(&mut self, command: &str, how: &str) {
        self.n_commands += 1;
        self.commands.push_back(format!("$ {command} -> {how}"));
        if self.commands.len() > COMMANDS_MAX {
            self.commands.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
