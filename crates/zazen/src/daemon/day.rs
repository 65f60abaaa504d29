//! The day in prose: one line for what people want to know of it.
//!
//! A line has the time of its fact, so that it is the same line when it has to
//! be written again after a crash. People may write between the lines.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use zazen_core::engine::{Book, Change};
use zazen_core::id::Time;
use zazen_core::task::Kind;
use zazen_core::words;

use crate::home::Home;

/// One line, and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: Time,
    pub(super) text: String,
}

/// Whether a line may be on its page already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It just happened.
    Never,
    /// It happened before a crash.
    Maybe,
}

/// What changes mean for the day's page. `book` has taken them in.
pub(super) fn lines(book: &Book, changes: &[Change], at: Time) -> Vec<Line> {
    let mut lines = Vec::new();
    for change in changes {
        let text = match change {
            Change::Opened(opened) if opened.plan.is_some() => {
                let (repo, issue) = (&opened.repo, opened.issue);
                Some(format!("Opened {repo} #{issue} for a step: task {}.", opened.id))
            }
            Change::Opened(opened) => {
                let what = match opened.kind {
                    Kind::Change => "asked for a plan",
                    Kind::Question => "asked a question",
                    Kind::Review => "asked for a review",
                };
                let (by, repo, issue) = (&opened.by, &opened.repo, opened.issue);
                Some(format!("{by} {what} on {repo} #{issue}: task {}.", opened.id))
            }
            Change::Task { task, event } => {
                book.task(*task).and_then(|task| words::day_line(&task, event))
            }
            Change::ReplyDue { .. } | Change::Replied { .. } => None,
        };
        lines.extend(text.map(|text| Line { at, text }));
    }
    lines
}

/// Adds lines to the pages of their days, and says which pages those are.
pub(super) fn write(home: &Home, lines: &[Line], seen: Seen) -> anyhow::Result<Vec<PathBuf>> {
    let mut days: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    for line in lines {
        let millis = i64::try_from(line.at.0).unwrap_or(i64::MAX);
        let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        let zoned = moment.to_zoned(jiff::tz::TimeZone::system());
        let text = format!("- {} {}", zoned.strftime("%H:%M"), line.text);
        days.entry(zoned.date()).or_default().push(text);
    }
    let mut pages = Vec::new();
    for (date, lines) in days {
        let path = home.journal_page(date);
        if append(&path, date, lines, seen).with_context(|| format!("write {}", path.display()))? {
            pages.push(path);
        }
    }
    Ok(pages)
}

/// Adds lines to one page. Says whether there was something to add.
fn append(path: &Path, date: Date, mut lines: Vec<String>, seen: Seen) -> anyhow::Result<bool> {
    let there = match fs::read_to_string(path) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => None,
        there => Some(there?),
    };
    if seen == Seen::Maybe {
        lines = missing(there.as_deref().unwrap_or_default(), lines);
    }
    if lines.is_empty() {
        return Ok(false);
    }
    let mut text = String::new();
    match &there {
        None => text = format!("# {date}\n\n"),
        // A crash in the middle of a line must not run into the next one.
        Some(there) if !there.is_empty() && !there.ends_with('\n') => text.push('\n'),
        Some(_) => {}
    }
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
    fs::File::options().create(true).append(true).open(path)?.write_all(text.as_bytes())?;
    Ok(true)
}

/// The lines that are not on the page. A line that is due twice has to be there twice.
fn missing(page: &str, lines: Vec<String>) -> Vec<String> {
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for line in page.lines() {
        *there.entry(line).or_default() += 1;
    }
    let mut is_missing = |line: &String| {
        let n = there.get_mut(line.as_str()).filter(|n| **n > 0);
        n.map(|n| *n -= 1).is_none()
    };
    lines.into_iter().filter(|line| is_missing(line)).collect()
}

#[cfg(test)]
mod tests;
