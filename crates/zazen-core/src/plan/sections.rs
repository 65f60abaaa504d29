//! Finds the sections of a plan in a message.
//!
//! Knows headings and fences, and nothing of what a section says. A plan may
//! be wrapped in a Markdown fence, and have talk around it.

use std::collections::BTreeMap;

use super::Problem;
use crate::text::{Fence, plain};

/// One line of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub number: usize,
    /// The line, without white space at its end.
    pub text: &'a str,
    pub place: Place,
}

/// How a line stands to the code fences of its section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    /// The line that opens or closes a fence.
    Fence,
    Code,
}

/// A section that was found.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// The line of its heading.
    pub line: usize,
    pub lines: Vec<Line<'a>>,
    level: usize,
    /// The heading says the very name, and not another word for it.
    is_exact: bool,
}

/// What a message holds of a plan.
#[derive(Debug, Default)]
pub(super) struct Sections<'a> {
    pub title: Option<String>,
    pub summary: String,
    pub found: BTreeMap<Name, Section<'a>>,
    pub problems: Vec<Problem>,
}

/// The sections that a plan has, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Summary,
    Steps,
    Files,
    Dependencies,
    Validation,
    Risks,
    Questions,
    NonGoals,
}

/// What else the sections are called.
const OTHER_NAMES: [(Name, &[&str]); 8] = [
    (Name::Summary, &["overview", "goal", "approach"]),
    (
        Name::Steps,
        &[
            "step",
            "phases",
            "plan",
            "tasks",
            "implementation",
            "implementation plan",
            "implementation steps",
            "plan of action",
            "the plan",
        ],
    ),
    (Name::Files, &["files to change", "files changed", "affected files", "files touched"]),
    (Name::Dependencies, &["new dependencies", "added dependencies", "dependency changes"]),
    (
        Name::Validation,
        &[
            "validation command",
            "validation commands",
            "verify",
            "verification",
            "checks",
            "tests",
            "test",
            "test command",
            "testing",
            "test plan",
        ],
    ),
    (Name::Risks, &["risk", "risks and mitigations"]),
    (Name::Questions, &["questions", "open question", "questions for you"]),
    (Name::NonGoals, &["non goals", "nongoals", "out of scope", "not in scope"]),
];

/// The deepest heading that begins a section.
const LEVEL_MAX: usize = 4;

/// Headings stand at the margin: what is indented belongs to a step.
const HEADING_INDENT_MAX: usize = 1;

impl Name {
    /// The line that begins the section.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Summary => "## Summary",
            Self::Steps => "## Steps",
            Self::Files => "## Files",
            Self::Dependencies => "## Dependencies",
            Self::Validation => "## Validation",
            Self::Risks => "## Risks",
            Self::Questions => "## Open questions",
            Self::NonGoals => "## Non-goals",
        }
    }

    /// Reads a heading. The flag says whether it is the very name.
    fn of(heading: &str) -> Option<(Self, bool)> {
        let words: Vec<String> = heading
            .trim_matches(|c: char| !c.is_alphanumeric())
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let words = words.join(" ");
        let words = words.trim_start_matches(|c: char| c.is_ascii_digit());
        let words = words.trim_start_matches(['.', ')']).trim_start();
        OTHER_NAMES.iter().find_map(|(name, others)| {
            let is_exact = name.heading()[3..].eq_ignore_ascii_case(words);
            (is_exact || others.contains(&words)).then_some((*name, is_exact))
        })
    }
}

/// Where the reader of headings is.
#[derive(Clone, Copy)]
enum At {
    Before,
    /// Between the title and the first section.
    UnderTitle,
    Under(Name),
    /// In a section that is not ours, or that is there twice.
    Elsewhere,
}

/// Splits a message into the sections of the plan.
pub(super) fn split(text: &str) -> Sections<'_> {
    let mut sections = Sections::default();
    let lines = lines(text, &mut sections.problems);
    let mut at = At::Before;
    let mut intro = Vec::new();
    // A first heading like `# Plan` is a title, unless there are no other steps.
    let mut title_lines = Vec::new();
    for line in lines {
        if is_rule(&line) {
            continue;
        }
        if let Some((level, heading)) = heading(&line) {
            at = sections.enter(at, level, heading, &line);
            if matches!(at, At::UnderTitle) {
                title_lines.push(line);
            }
            continue;
        }
        match at {
            At::Before | At::Elsewhere => {}
            At::UnderTitle => intro.push(line),
            At::Under(name) => {
                sections.found.entry(name).and_modify(|section| section.lines.push(line));
            }
        }
    }
    if let (Some(line), false) = (title_lines.first(), sections.found.contains_key(&Name::Steps))
        && Name::of(line.text).is_some_and(|(name, _)| name == Name::Steps)
    {
        let lines = std::mem::take(&mut intro);
        let section = Section { line: line.number, lines, level: 1, is_exact: false };
        sections.found.insert(Name::Steps, section);
        sections.title = None;
    }
    let summary = sections.found.get(&Name::Summary).map(|section| text_of(&section.lines));
    sections.summary = summary.unwrap_or_else(|| text_of(&intro));
    sections
}

impl<'a> Sections<'a> {
    /// Takes a heading, and says where the reader is under it.
    fn enter(&mut self, at: At, level: usize, heading: &str, line: &Line<'a>) -> At {
        let name = Name::of(heading);
        let is_first = matches!(at, At::Before) && level == 1 && !heading.is_empty();
        if is_first && name.is_none_or(|(name, is_exact)| name == Name::Steps && !is_exact) {
            self.title = Some(heading.to_owned());
            return At::UnderTitle;
        }
        if self.is_part_of(at, level, name.map(|(name, _)| name)) {
            return at;
        }
        let Some((name, is_exact)) = name else {
            return match self.found.get_mut(&Name::Steps) {
                // Steps may be headings of their own: `### Step 1: title`.
                Some(steps) if step_heading_title(heading).is_some() => {
                    steps.lines.push(*line);
                    At::Under(Name::Steps)
                }
                Some(steps) if matches!(at, At::Under(Name::Steps)) && level > steps.level => at,
                _ => At::Elsewhere,
            };
        };
        match self.found.get(&name) {
            Some(first) if first.is_exact && is_exact => {
                let text = format!(
                    "there is a second `{}` section (the first is in line {}); make one of the two",
                    name.heading(),
                    first.line
                );
                self.problems.push(Problem { line: Some(line.number), text });
                return At::Elsewhere;
            }
            Some(first) if first.is_exact || !is_exact => return At::Elsewhere,
            _ => {}
        }
        self.found.insert(name, Section { line: line.number, lines: Vec::new(), level, is_exact });
        At::Under(name)
    }

    /// Says whether a heading only divides the section that it stands in.
    fn is_part_of(&self, at: At, level: usize, name: Option<Name>) -> bool {
        let At::Under(current) = at else { return false };
        let depth =
            self.found.get(&current).map_or(0, |section| level.saturating_sub(section.level));
        match (current, name) {
            // The headings right under this one may be the steps.
            (Name::Steps, _) => depth >= 2,
            (_, None) => depth >= 1,
            (_, Some(name)) => depth >= 1 && name == current,
        }
    }
}

/// The lines of the plan in a message, with the problems that any line can have.
fn lines<'a>(text: &'a str, problems: &mut Vec<Problem>) -> Vec<Line<'a>> {
    let mut open: Option<(Fence, usize)> = None;
    let mut lines = Vec::new();
    for (number, text) in unwrapped(text) {
        let text = text.trim_end();
        if plain(text) != text {
            let why = "there is a control character or a hidden character; take it out";
            problems.push(Problem { line: Some(number), text: why.to_owned() });
        }
        let place = match open {
            Some((fence, _)) if fence.closed_by(text) => {
                open = None;
                Place::Fence
            }
            Some(_) => Place::Code,
            None => {
                open = Fence::opened_by(text).map(|fence| (fence, number));
                if open.is_some() { Place::Fence } else { Place::Text }
            }
        };
        lines.push(Line { number, text, place });
    }
    if let Some((fence, number)) = open {
        let text = format!("the code fence is never closed; add a line `{}`", fence.closing());
        problems.push(Problem { line: Some(number), text });
    }
    lines
}

/// The numbered lines of the plan: those in the Markdown fence that wraps it,
/// or all.
fn unwrapped(text: &str) -> Vec<(usize, &str)> {
    let all: Vec<(usize, &str)> = text.lines().enumerate().map(|(i, l)| (i + 1, l)).collect();
    let mut open: Option<Fence> = None;
    for (i, (_, line)) in all.iter().enumerate() {
        match open {
            Some(fence) if fence.closed_by(line) => open = None,
            Some(_) => {}
            None => {
                if parse_heading(line).is_some_and(|(_, heading)| Name::of(heading).is_some()) {
                    break;
                }
                open = Fence::opened_by(line);
                let inside = &all[i + 1..];
                if let Some(fence) = open.filter(|_| wraps_plan(line, inside)) {
                    return inside[..wrapped_len(fence, inside)].to_vec();
                }
            }
        }
    }
    all
}

/// Says whether a fence that is opened by `line` wraps a plan.
fn wraps_plan(line: &str, inside: &[(usize, &str)]) -> bool {
    let info = line.trim().trim_start_matches(['`', '~']).trim().to_ascii_lowercase();
    let first = inside.iter().find(|(_, line)| !line.trim().is_empty());
    matches!(info.as_str(), "markdown" | "md")
        || info.is_empty() && first.is_some_and(|(_, line)| parse_heading(line).is_some())
}

/// How many lines a fence wraps, though there may be fences as long inside it.
fn wrapped_len(outer: Fence, inside: &[(usize, &str)]) -> usize {
    let mut inner: Option<Fence> = None;
    let mut follows_heading = false;
    for (i, (_, line)) in inside.iter().enumerate() {
        match inner {
            Some(fence) if fence.closed_by(line) => inner = None,
            Some(_) => {}
            // Right under a heading nobody ends a plan: that opens a fence.
            None if outer.closed_by(line) && !follows_heading => return i,
            None => inner = Fence::opened_by(line),
        }
        if !line.trim().is_empty() {
            follows_heading = parse_heading(line).is_some();
        }
    }
    inside.len()
}

fn heading<'a>(line: &Line<'a>) -> Option<(usize, &'a str)> {
    if line.place == Place::Text { parse_heading(line.text) } else { None }
}

/// Reads a heading: its level and its words.
fn parse_heading(line: &str) -> Option<(usize, &str)> {
    let body = line.trim_start_matches(' ');
    let level = body.bytes().take_while(|b| *b == b'#').count();
    let after = &body[level..];
    let is_heading = line.len() - body.len() <= HEADING_INDENT_MAX
        && (1..=LEVEL_MAX).contains(&level)
        && (after.is_empty() || after.starts_with([' ', '\t']));
    let is_decoration = |c: char| c.is_whitespace() || matches!(c, '#' | ':');
    is_heading.then(|| (level, after.trim_start().trim_end_matches(is_decoration)))
}

/// Says whether a line is a rule between sections.
fn is_rule(line: &Line) -> bool {
    let marks = line.text.trim_start();
    line.place == Place::Text
        && marks.len() >= 3
        && ['-', '*', '_'].iter().any(|mark| marks.chars().all(|c| c == *mark))
}

/// The title of a heading that numbers a step: `Step 1: title`, `Phase 2`, `3. title`.
fn step_heading_title(heading: &str) -> Option<&str> {
    let lower = heading.to_ascii_lowercase();
    let word = ["step ", "phase ", "task "].iter().find(|word| lower.starts_with(**word));
    let after = heading[word.map_or(0, |word| word.len())..].trim_start();
    let numbered = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let n_digits = after.len() - numbered.len();
    let is_number =
        (1..=3).contains(&n_digits) && (word.is_some() || numbered.starts_with(['.', ')', ':']));
    is_number.then(|| numbered.trim_start_matches(['.', ')', ':', '-', '–', '—', ' ']))
}

/// The title of a line that is the heading of a step.
pub(super) fn step_heading<'a>(line: &Line<'a>) -> Option<&'a str> {
    heading(line).and_then(|(_, heading)| step_heading_title(heading))
}

/// The text of some lines, without the blank ones at both ends.
pub(super) fn text_of(lines: &[Line]) -> String {
    let is_full = |line: &Line| !line.text.is_empty();
    let start = lines.iter().position(is_full).unwrap_or(lines.len());
    let end = lines.iter().rposition(is_full).map_or(start, |last| last + 1);
    let texts: Vec<&str> = lines[start..end].iter().map(|line| line.text).collect();
    texts.join("\n")
}
