//! A review of a pull request, as an agent writes it: findings with their places.
//!
//! [`parse`] is tolerant of how agents write, and says what is wrong so that an agent
//! can mend it. Whether a place exists in the commit is not known here; who knows it
//! asks with [`Review::check`]. A review never approves anything. Whether a second one
//! says what the first did is told by [`Progress`].

mod check;
mod progress;
mod undone;

use std::fmt::{self, Write as _};

pub use self::check::{Quotes, Unfounded};
pub use self::progress::Progress;
pub use self::undone::undoes;
use crate::text::{Fence, fence, one_line};

/// What an agent says of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// What the change does, and what matters most about it.
    pub summary: String,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// Where it is; nothing, where it is about no single place, or one that is not there.
    pub place: Option<Place>,
    pub title: String,
    /// The line that it is about, as it stands in the file.
    pub quote: Option<String>,
    /// Why it is wrong, as Markdown.
    pub why: String,
    /// What could stand there instead of that line.
    pub suggestion: Option<String>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    /// Counts from 1.
    pub line: u32,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It must not be merged like this.
    High,
    Medium,
    Low,
}

/// What keeps work from going on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blocks {
    /// Findings that are high.
    #[default]
    High,
    /// Those that are medium, too.
    Medium,
}

/// Why a review cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("there is neither a `## Summary` nor a `## Findings` section")]
    NoSections,
    #[error("the `## Findings` section has a text, but no `### SEVERITY path:line title` in it")]
    NoFinding,
}

/// How many findings are kept. A person reads no more, and a forge takes few at once.
pub const FINDINGS_MAX: usize = 40;

/// How long a title may be, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// The form of a review, as agents are told to write it.
pub fn format_help() -> &'static str {
    include_str!("review/format.md")
}

/// Reads a review, from the review alone or from an agent's message around it.
pub fn parse(text: &str) -> Result<Review, ParseError> {
    let mut reader = Reader::default();
    let mut open: Option<Fence> = None;
    for line in text.lines() {
        if let Some(fence) = open {
            if fence.closed_by(line) {
                open = None;
            }
            reader.line(line);
            continue;
        }
        open = Fence::opened_by(line.trim_start());
        if open.is_some() || !reader.heading(line) {
            reader.line(line);
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    part: Part,
    review: Review,
    has_sections: bool,
    /// What stands under `## Findings` and belongs to none.
    loose: String,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[default]
    Before,
    Summary,
    Findings,
}

impl Reader {
    /// Takes a line as a heading of the form, if it is one.
    fn heading(&mut self, line: &str) -> bool {
        let title = line.trim_start_matches('#').trim().trim_matches(['*', ':']);
        let level = line.len() - line.trim_start_matches('#').len();
        let part = match title.to_ascii_lowercase().as_str() {
            "summary" => Part::Summary,
            "findings" => Part::Findings,
            _ if level >= 3 && self.part == Part::Findings => return self.finding(title),
            _ => return false,
        };
        if level == 0 {
            return false;
        }
        (self.part, self.has_sections) = (part, true);
        true
    }

    fn finding(&mut self, title: &str) -> bool {
        let Some(finding) = finding(title) else { return false };
        self.review.findings.push(finding);
        true
    }

    fn line(&mut self, line: &str) {
        let text = match (self.part, self.review.findings.last_mut()) {
            (Part::Before, _) => return,
            (Part::Summary, _) => &mut self.review.summary,
            (Part::Findings, Some(finding)) => &mut finding.why,
            (Part::Findings, None) => &mut self.loose,
        };
        text.push_str(line);
        text.push('\n');
    }

    fn finish(self) -> Result<Review, ParseError> {
        let Self { mut review, has_sections, loose, .. } = self;
        if !has_sections {
            return Err(ParseError::NoSections);
        }
        let says_none = {
            let word = loose.trim().trim_end_matches('.').to_ascii_lowercase();
            ["", "none", "no findings", "nothing"].contains(&word.as_str())
        };
        if review.findings.is_empty() && !says_none {
            return Err(ParseError::NoFinding);
        }
        review.summary = String::from(review.summary.trim());
        for finding in &mut review.findings {
            (finding.quote, finding.why) = split_quote(&finding.why);
            (finding.why, finding.suggestion) = split_suggestion(&finding.why);
        }
        review.findings.sort_by_key(|finding| finding.severity);
        review.findings.truncate(FINDINGS_MAX);
        Ok(review)
    }
}

/// Reads `high: src/lib.rs:12 the title`, with whatever marks stand around its parts.
fn finding(title: &str) -> Option<Finding> {
    let title = title.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '));
    let marks = ['[', ']', '(', ')', '*', ':', '-', '–', '—', ' ', '`'];
    let title = title.trim_start_matches(marks);
    let word: String = title.chars().take_while(char::is_ascii_alphabetic).collect();
    let severity = match word.to_ascii_lowercase().as_str() {
        "high" | "critical" | "blocker" | "major" | "severe" => Severity::High,
        "medium" | "moderate" | "warning" => Severity::Medium,
        "low" | "minor" | "nit" | "info" | "trivial" => Severity::Low,
        _ => return None,
    };
    let rest = title[word.len()..].trim_start_matches(marks);
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let place = place(first.trim_matches(marks));
    let title = if place.is_some() { after.trim_start_matches(marks) } else { rest };
    let title = one_line(title.trim(), TITLE_CHARS_MAX);
    Some(Finding { severity, place, title, quote: None, why: String::new(), suggestion: None })
}

/// Reads `src/lib.rs:12`, also `src/lib.rs:12-15` and `src/lib.rs#L12`.
fn place(text: &str) -> Option<Place> {
    let (path, line) = text.rsplit_once("#L").or_else(|| text.rsplit_once(':'))?;
    let path = path.trim_start_matches("./");
    let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
    let line = digits.parse().ok().filter(|line| *line > 0)?;
    let is_path = !path.is_empty()
        && !path.starts_with('/')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    is_path.then(|| Place { path: path.to_owned(), line })
}

/// Takes the quoted line from the beginning of a finding's text.
fn split_quote(text: &str) -> (Option<String>, String) {
    let text = text.trim_start_matches(['\n', '\r']);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let Some(quote) = first.trim_start().strip_prefix('>') else { return (None, text.to_owned()) };
    // Agents like to put code into a quotation, too.
    let quote = quote.trim();
    let inner = quote.strip_prefix('`').and_then(|quote| quote.strip_suffix('`'));
    let quote = inner.filter(|inner| !inner.contains('`')).unwrap_or(quote).trim();
    let quote = (!quote.is_empty()).then(|| quote.to_owned());
    (quote, rest.to_owned())
}

/// Takes the first block of a suggestion out of a finding's text.
fn split_suggestion(text: &str) -> (String, Option<String>) {
    let mut why = String::new();
    let mut suggestion: Option<String> = None;
    let mut open: Option<Fence> = None;
    let mut is_suggestion = false;
    for line in text.lines() {
        match open {
            Some(fence) if fence.closed_by(line) => {
                open = None;
                if std::mem::take(&mut is_suggestion) {
                    continue;
                }
            }
            Some(_) if is_suggestion => {
                let suggestion = suggestion.get_or_insert_default();
                suggestion.push_str(line);
                suggestion.push('\n');
                continue;
            }
            Some(_) => {}
            None => {
                open = Fence::opened_by(line.trim_start());
                let info = line.trim().trim_start_matches(['`', '~']).trim();
                is_suggestion = open.is_some() && info == "suggestion" && suggestion.is_none();
                if is_suggestion {
                    suggestion = Some(String::new());
                    continue;
                }
            }
        }
        why.push_str(line);
        why.push('\n');
    }
    (why.trim().to_owned(), suggestion)
}

impl Review {
    /// How many findings there are that keep the work from going on.
    pub fn n_blocking(&self, blocks: Blocks) -> u32 {
        let n = self.findings.iter().filter(|finding| finding.blocks(blocks)).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }
}

impl Finding {
    /// Whether it keeps the work from going on.
    pub fn blocks(&self, blocks: Blocks) -> bool {
        match blocks {
            Blocks::High => self.severity == Severity::High,
            Blocks::Medium => self.severity <= Severity::Medium,
        }
    }
}

/// Writes a review in its canonical form.
pub fn print(review: &Review) -> String {
    let mut out = format!("## Summary\n\n{}\n\n## Findings\n", review.summary);
    if review.findings.is_empty() {
        out.push_str("\nNone.\n");
    }
    for Finding { severity, place, title, quote, why, suggestion } in &review.findings {
        let place = place.as_ref().map(|place| format!("`{place}` ")).unwrap_or_default();
        let _infallible = write!(out, "\n### {severity}: {place}{title}\n");
        if let Some(quote) = quote {
            let _infallible = write!(out, "\n> {quote}\n");
        }
        if !why.is_empty() {
            let _infallible = write!(out, "\n{why}\n");
        }
        if let Some(suggestion) = suggestion {
            let _infallible = write!(out, "\n{}", fence(suggestion, "suggestion"));
        }
    }
    out
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

#[cfg(test)]
mod tests;
