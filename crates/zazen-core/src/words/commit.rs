//! The messages of commits: ours, and what is left of an agent's.
//!
//! A forge acts on what commits say when they are merged, CI on what the last one says,
//! and people believe trailers. So an agent's words stay, and nothing in them acts.

use super::cut;
use crate::id::{IssueNumber, TaskId};
use crate::text::{neutral, one_line, plain};

/// How long the first line may be, in characters.
const SUBJECT_CHARS_MAX: usize = 72;

/// How much of an agent's message is kept, in bytes. People read a screen of it.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// What stands for a message that says nothing.
const NO_SUBJECT: &str = "Change";

/// Trailers that tools or people act on, besides all that end with `-by`.
const TRAILERS: [&str; 12] = [
    "bug",
    "cc",
    "change-id",
    "closes",
    "fixes",
    "issue",
    "link",
    "on-behalf-of",
    "refs",
    "resolves",
    "skip-checks",
    "zazen-task",
];

/// The message of the commit of one step.
pub fn step_commit(
    task: TaskId,
    issue: IssueNumber,
    title: &str,
    step: Option<(u32, u32)>,
) -> String {
    let title = harmless(&one_line(title, SUBJECT_CHARS_MAX));
    format!("{title}\n\n{}", trailers(task, issue, step))
}

/// What stands at the end of every commit of a step: where it comes from.
pub fn trailers(task: TaskId, issue: IssueNumber, step: Option<(u32, u32)>) -> String {
    let which = match step {
        Some((n, n_steps)) => format!("{STEP}{n}/{n_steps}\n"),
        None => format!("{STEP}correction\n"),
    };
    format!("Refs: #{issue}\nZazen-Task: {task}\n{which}")
}

/// The step that a message of ours is about, by its trailers. None for a correction.
pub fn step_of(message: &str) -> Option<u32> {
    let step = message.lines().find_map(|line| line.strip_prefix(STEP))?;
    step.split('/').next()?.parse().ok()
}

/// The trailer that says which step a commit is.
const STEP: &str = "Zazen-Step: ";

/// An agent's message, as it may be published: with our trailers, and none of its own.
pub fn agent_commit(message: &str, trailers: &str) -> String {
    let message = plain(message);
    let kept: Vec<&str> =
        message.lines().map(str::trim_end).filter(|line| !is_trailer(line)).collect();
    let (subject, body) = match kept.iter().position(|line| !line.trim().is_empty()) {
        Some(at) => (kept[at].trim(), kept[at + 1..].join("\n")),
        None => (NO_SUBJECT, String::new()),
    };
    let subject = one_line(subject, SUBJECT_CHARS_MAX);
    let body = cut(body.trim_matches('\n'), MESSAGE_BYTES_MAX);
    let message = harmless(&format!("{subject}\n\n{body}"));
    format!("{}\n\n{trailers}", message.trim_end())
}

/// Neutral, and without the words that switch CI off.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let neutral = neutral(text);
    let mut rest = neutral.as_str();
    while let Some(at) = rest.find(['[', '*']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        if is_switch(after) {
            out.push('\u{200b}');
        }
        rest = after;
    }
    out + rest
}

/// Whether what follows a bracket or a star tells CI not to look.
fn is_switch(after: &str) -> bool {
    let words: String = after.chars().take(24).collect::<String>().to_ascii_lowercase();
    let words = words.split([']', '\n']).next().unwrap_or_default();
    let says = |word: &str| words.contains(word);
    says("no_ci") || (says("skip") || says("no ")) && (says("ci") || says("action") || says("azp"))
}

fn is_trailer(line: &str) -> bool {
    let Some((key, _)) = line.trim_start().split_once(':') else { return false };
    let key = key.trim_end().to_ascii_lowercase();
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_key
        && (key.ends_with("-by") || key.starts_with("zazen-") || TRAILERS.contains(&key.as_str()))
}

#[cfg(test)]
mod tests;
