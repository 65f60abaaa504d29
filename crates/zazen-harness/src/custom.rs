//! Any program that works on a prompt and ends: how it is started and read is its owner's
//! word, by a command line and patterns of lines.
//!
//! Such a program has no sign of its own that zazen knows. So whatever speaks against a
//! success counts: a status that is not 0, an error after which nothing else was said, and the
//! lack of the line that was declared to be its last.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::Regex;
use serde::{Deserialize, Serialize};
use zazen_core::trace::Event;
use zazen_core::usage::Tokens;

use super::{Launch, Order, READ_ONLY, Task};

/// A program, and what its owner says of it. In `args` and `env`, `{url}` is where its calls go,
/// `{model}` the model that is asked for, `{home}` the run's private home; in the environment
/// alone, `{key}` is what it shows with its calls.
#[derive(Debug, Clone)]
pub struct Custom {
    /// The program itself, with no link left in its path.
    pub program: PathBuf,
    /// The folder that the program needs to see: its own.
    pub folder: PathBuf,
    pub model: String,
    /// An argument with `{prompt}` or `{prompt_file}` in it brings the prompt, or a file with
    /// it; where there is none, the prompt is the program's input.
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub lines: Patterns,
}

/// What lines of the program's output mean: patterns, of which the first that fits counts. Only
/// the last line of all may say what was used as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns {
    /// Something went wrong. The group `text` is what, or else the whole line.
    #[serde(default)]
    pub error: Vec<String>,
    /// What was used: the groups `input`, `output`, `cache_read` and `cache_write`, in tokens.
    #[serde(default)]
    pub usage: Vec<String>,
    /// It is done. Where there is such a pattern, a run without such a line is no success.
    #[serde(default)]
    pub done: Vec<String>,
    /// What the agent says; the group `text`, or the whole line. Without a pattern, all others.
    #[serde(default)]
    pub text: Vec<String>,
}

/// A pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no pattern: {why}")]
pub struct BadPattern {
    pub pattern: String,
    pub why: String,
}

/// The patterns, ready to be used, and what has to be known of the lines before.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    error: Vec<Regex>,
    usage: Vec<Regex>,
    done: Vec<Regex>,
    text: Vec<Regex>,
    /// It said that it is done, and nothing went wrong after that.
    is_done: bool,
    /// Everything it said since its last error.
    said: String,
}

/// The file with the prompt, in the private home.
const PROMPT_FILE: &str = "prompt.md";

/// How much of what it said is kept. It is one answer.
const SAID_BYTES_MAX: usize = 1 << 20;

/// How large a pattern may be once it is compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;

impl Patterns {
    /// Checks the patterns.
    pub fn check(&self) -> Result<(), BadPattern> {
        let all = [&self.error, &self.usage, &self.done, &self.text];
        all.into_iter().flatten().try_for_each(|pattern| compile(pattern).map(drop))
    }
}

impl Memory {
    /// A pattern that cannot be used is left out: it was refused when it was configured.
    pub(super) fn of(lines: &Patterns) -> Self {
        let all = |patterns: &[String]| {
            patterns.iter().filter_map(|pattern| compile(pattern).ok()).collect()
        };
        Self {
            error: all(&lines.error),
            usage: all(&lines.usage),
            done: all(&lines.done),
            text: all(&lines.text),
            ..Self::default()
        }
    }

    /// Whether what was to be said at its end was said.
    pub(super) fn is_complete(&self) -> bool {
        self.done.is_empty() || self.is_done
    }

    /// Everything it said since its last error.
    pub(super) fn said(&self) -> &str {
        self.said.trim()
    }
}

pub(super) fn launch(custom: &Custom, order: Order<'_>) -> Launch {
    let Order { task, prompt, route, token, session: _, kit: _ } = order;
    let prompt = match task {
        Task::Read => format!("{READ_ONLY}{prompt}"),
        Task::Write => prompt.to_owned(),
    };
    let url = format!("{{gateway}}/{route}");
    let fill = |text: &String| text.replace("{url}", &url).replace("{model}", &custom.model);
    let (mut files, mut stdin) = (BTreeMap::new(), prompt.clone());
    let mut argv = vec![custom.program.display().to_string()];
    for arg in &custom.args {
        let mut arg = fill(arg);
        if arg.contains("{prompt_file}") {
            files.insert(PROMPT_FILE.to_owned(), prompt.clone());
            arg = arg.replace("{prompt_file}", &format!("{{home}}/{PROMPT_FILE}"));
            stdin.clear();
        } else if arg.contains("{prompt}") {
            arg = arg.replace("{prompt}", &prompt);
            stdin.clear();
        }
        argv.push(arg);
    }
    let env = custom.env.iter();
    let env = env.map(|(name, value)| (name.clone(), fill(value).replace("{key}", token)));
    Launch {
        argv,
        stdin,
        env: env.collect(),
        files,
        open_until: None,
        tools: vec![custom.folder.clone()],
    }
}

pub(super) fn read(memory: &mut Memory, line: &str) -> Vec<Event> {
    let first = |patterns: &[Regex]| patterns.iter().find_map(|pattern| text_of(pattern, line));
    if let Some(message) = first(&memory.error) {
        memory.is_done = false;
        memory.said.clear();
        return vec![Event::Error { message }];
    }
    // The last line often says what was used, too.
    let is_last = first(&memory.done).is_some();
    memory.is_done |= is_last;
    if let Some(tokens) = memory.usage.iter().find_map(|pattern| tokens_of(pattern, line)) {
        return vec![Event::Usage { tokens, cost_micros: None }];
    }
    if is_last {
        return vec![Event::Notice { line: line.to_owned() }];
    }
    let text = if memory.text.is_empty() { Some(line.to_owned()) } else { first(&memory.text) };
    // An empty line parts what is said, and says nothing itself.
    let text = text.filter(|text| !text.trim().is_empty());
    let Some(text) = text else {
        memory.said.push_str(if line.trim().is_empty() { "\n" } else { "" });
        return vec![Event::Notice { line: line.to_owned() }];
    };
    if memory.said.len() + text.len() < SAID_BYTES_MAX {
        memory.said.push_str(&text);
        memory.said.push('\n');
    }
    vec![Event::Text { text }]
}

fn compile(pattern: &str) -> Result<Regex, BadPattern> {
    let made = regex::RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build();
    made.map_err(|err| BadPattern {
        pattern: pattern.to_owned(),
        // The last line says it in words.
        why: err.to_string().lines().last().unwrap_or_default().trim().to_owned(),
    })
}

/// What a line says by a pattern: the group `text`, or all of it.
fn text_of(pattern: &Regex, line: &str) -> Option<String> {
    let found = pattern.captures(line)?;
    Some(found.name("text").map_or(line, |text| text.as_str()).to_owned())
}

fn tokens_of(pattern: &Regex, line: &str) -> Option<Tokens> {
    let found = pattern.captures(line)?;
    let count = |name: &str| found.name(name).and_then(|n| number(n.as_str())).unwrap_or(0);
    Some(Tokens {
        input: count("input"),
        output: count("output"),
        cache_read: count("cache_read"),
        cache_write: count("cache_write"),
    })
}

/// A number as programs print it for people: `1,234`, `4.6k`, `1.2M`.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.replace([',', '_'], "");
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => match text.strip_suffix(['m', 'M']) {
            Some(digits) => (digits, 1_000_000),
            None => (text.as_str(), 1),
        },
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let mut worth = unit;
    let mut sum = whole.checked_mul(unit)?;
    for digit in part.chars() {
        worth /= 10;
        sum = sum.checked_add(u64::from(digit.to_digit(10)?) * worth)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests;
