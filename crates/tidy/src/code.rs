//! Rules about Rust files: their size, their heads, and words they may not hold.

use crate::source::{Source, find_words, leading_word, line_of, n_production_lines};
use crate::{File, Violation};

/// How long a file may be without its tests. Beyond this it holds two ideas.
pub const PRODUCTION_LINES_MAX: usize = 500;

/// How long a line may be; the same as in `rustfmt.toml`, which cannot break
/// comments and literals.
pub const LINE_CHARS_MAX: usize = 100;

/// How many traits the workspace may define. Agents and sandboxes are closed
/// sets, and closed sets are enums.
pub const TRAITS_MAX: usize = 5;

/// The crate with the one loop. The built-in agent is a program of its own, with none.
const SELECT_CRATE: &str = "crates/zazen/src/";

/// The one folder of it that may choose between several things to wait for.
const SELECT_HOME: &str = "crates/zazen/src/daemon";

/// Finds a file that is too long.
pub fn check_size(file: &File) -> Vec<Violation> {
    let n_lines = n_production_lines(&file.text);
    if file.is_test() || n_lines <= PRODUCTION_LINES_MAX {
        return Vec::new();
    }
    let what = format!("{n_lines} production lines, at most {PRODUCTION_LINES_MAX} are allowed");
    vec![file.as_whole(what, "find the noun that is missing and give it a file of its own")]
}

/// Finds lines that are too long. In tests, recorded text in literals may be wide.
pub fn check_lines(file: &File) -> Vec<Violation> {
    let source = Source::parse(&file.text);
    let text = if file.is_test() { &source.code } else { &file.text };
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let n_chars = line.trim_end().chars().count();
        if n_chars > LINE_CHARS_MAX {
            let what = format!("the line has {n_chars} characters, at most {LINE_CHARS_MAX}");
            violations.push(file.at_line(index, what, "break it, as rustfmt would if it could"));
        }
    }
    violations
}

/// Finds a file that does not say what it is. A `tests.rs` is told by what it stands beside.
pub fn check_head(file: &File) -> Vec<Violation> {
    if file.text.starts_with("//!") || file.name() == "tests.rs" {
        return Vec::new();
    }
    let instead = "start it with what it is, what it is not, and where to read next";
    vec![file.as_whole("the file does not begin with `//!`".to_owned(), instead)]
}

/// Finds marks and calls that are for work not yet done.
pub fn check_unfinished(file: &File) -> Vec<Violation> {
    let source = Source::parse(&file.text);
    let mut violations = Vec::new();
    for mark in ["FIXME", "XXX"] {
        for at in find_words(&source.comments, mark) {
            let what = format!("the comment says `{mark}`");
            let instead = "mend it, or write down the issue as `TODO(#12)`";
            violations.push(file.at_line(line_of(&source.comments, at), what, instead));
        }
    }
    for at in find_words(&source.comments, "TODO") {
        if !has_issue_number(&source.comments[at + "TODO".len()..]) {
            let what = "a `TODO` without the number of an issue".to_owned();
            let instead = "open an issue and write `TODO(#12)`, or do it";
            violations.push(file.at_line(line_of(&source.comments, at), what, instead));
        }
    }
    for name in ["dbg", "todo", "unimplemented"] {
        for at in macro_calls(&source.code, name) {
            let what = format!("the code calls `{name}!`");
            let instead = "write what belongs there, or leave the feature out";
            violations.push(file.at_line(line_of(&source.code, at), what, instead));
        }
    }
    violations
}

/// Finds a `select!` outside the daemon's loop.
pub fn check_select(file: &File) -> Vec<Violation> {
    let rest = file.path.strip_prefix(SELECT_HOME);
    let is_home = rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs");
    if is_home || file.is_test() || !file.path.starts_with(SELECT_CRATE) {
        return Vec::new();
    }
    let code = Source::parse_production(&file.text).code;
    let mut violations = Vec::new();
    for at in macro_calls(&code, "select") {
        let instead = "send a message to the one loop, or use a JoinSet, a timeout or a token";
        let what = format!("`select!` outside `{SELECT_HOME}/`");
        violations.push(file.at_line(line_of(&code, at), what, instead));
    }
    violations
}

/// Finds tests whose name is not a true sentence.
pub fn check_test_names(file: &File) -> Vec<Violation> {
    let code = Source::parse(&file.text).code;
    let mut violations = Vec::new();
    for (at, name) in test_names(&code) {
        if name.starts_with("test_") || name.split('_').any(|word| word == "should") {
            let what = format!("the test is named `{name}`");
            let instead = "name it as a sentence that is true when it passes";
            violations.push(file.at_line(line_of(&code, at), what, instead));
        }
    }
    violations
}

/// Finds traits beyond the few that the program may have.
pub fn check_traits<'f>(files: impl Iterator<Item = &'f File>) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        let code = Source::parse_production(&file.text).code;
        for at in find_words(&code, "trait") {
            let name = leading_word(code[at + "trait".len()..].trim_start());
            let what = format!("`trait {name}` is one of more than {TRAITS_MAX}");
            let instead = "make a closed set an enum, and a single use a function";
            found.push(file.at_line(line_of(&code, at), what, instead));
        }
    }
    if found.len() > TRAITS_MAX { found } else { Vec::new() }
}

/// Says whether a text goes on with the number of an issue, like `(#12)`.
fn has_issue_number(rest: &str) -> bool {
    let digits = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
    digits.is_some_and(|(digits, _)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Yields the calls of a macro, as byte offsets.
fn macro_calls<'c>(code: &'c str, name: &'static str) -> impl Iterator<Item = usize> + 'c {
    find_words(code, name).filter(move |&at| code[at + name.len()..].starts_with('!'))
}

/// Yields the names of the functions that a `#[test]` or `#[….test(…)]` stands on.
fn test_names(code: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("#[") {
        let Some((attribute, rest)) = code[at + 2..].split_once(']') else { continue };
        let path = attribute.split('(').next().unwrap_or(attribute).trim();
        if path.rsplit("::").next() != Some("test") {
            continue;
        }
        if let Some(start) = find_words(rest, "fn").next() {
            names.push((at, leading_word(rest[start + "fn".len()..].trim_start())));
        }
    }
    names
}

#[cfg(test)]
mod tests;
