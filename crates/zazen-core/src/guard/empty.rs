//! Work that changes nothing: no file, or only white space and comments.

use super::Change;
use super::evidence::Evidence;
use super::language::{Code, Language};
use super::report::Draft;

/// What a change to a file comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Substance {
    Nothing,
    WhiteSpace,
    Comments,
    Something,
}

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    if evidence.is_cut {
        return Vec::new();
    }
    let most = evidence.changes.iter().map(substance).max().unwrap_or(Substance::Nothing);
    let what = match most {
        Substance::Something => return Vec::new(),
        Substance::Nothing => "Nothing is changed.",
        Substance::WhiteSpace => "Nothing but white space is changed.",
        Substance::Comments => "Nothing but comments is changed.",
    };
    vec![Draft::hold(what).holding(evidence.changes.iter().map(Change::identity))]
}

fn substance(change: &Change) -> Substance {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        let side = change.before.as_ref().or(change.after.as_ref());
        // A file that only marks a place is one.
        return if side.is_some() { Substance::Something } else { Substance::Nothing };
    };
    if before.path != after.path || before.mode != after.mode {
        return Substance::Something;
    }
    let (Some(old), Some(new)) = (before.text(), after.text()) else {
        return if before.id == after.id { Substance::Nothing } else { Substance::Something };
    };
    if old == new {
        return if before.id == after.id { Substance::Nothing } else { Substance::Something };
    }
    // Where white space means something, the space before a line does.
    let keeps_indent = matches!(Language::of(&after.path), Some(Language::Python) | None);
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| bare(line, keeps_indent)).collect()
    };
    if joined(&words(old), keeps_indent) == joined(&words(new), keeps_indent) {
        return Substance::WhiteSpace;
    }
    if Language::of(&after.path).is_some() && code(change, old) == code(change, new) {
        return Substance::Comments;
    }
    Substance::Something
}

/// A line without white space; with its indent, where that matters.
fn bare(line: &str, keeps_indent: bool) -> String {
    let indent = line.len() - line.trim_start().len();
    let indent = if keeps_indent { &line[..indent] } else { "" };
    indent.chars().chain(line.chars().filter(|c| !c.is_whitespace())).collect()
}

/// Where lines end matters only where their indent does.
fn joined(lines: &[String], keeps_indent: bool) -> String {
    lines.join(if keeps_indent { "\n" } else { "" })
}

/// The code of a text, without comments and without white space.
fn code(change: &Change, text: &str) -> String {
    let keeps_indent = Language::of(change.path()) == Some(Language::Python);
    let mut code = Code::of(change.path());
    let mut all = String::new();
    for line in text.lines() {
        let Some(part) = code.line(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        if keeps_indent {
            all.push('\n');
            all.push_str(&line[..indent]);
        }
        all.extend(part.chars().filter(|c| !c.is_whitespace()));
    }
    all
}
