//! Which part of the `zazen` crate may use which.
//!
//! The table is the rule: what is not in it is not allowed. It is about
//! production code; a unit test may use whatever real part it needs. All may
//! use `zazen_core`, which is a crate of its own and cannot look back.

use crate::File;
use crate::Violation;
use crate::source::{Source, find_words, leading_word, line_of};

/// What each top-level module of `crates/zazen/src` may use besides itself.
///
/// The order is top down. An arrow that is missing here is a decision: adding
/// one takes a note in `docs/design`.
pub const ARROWS: &[(&str, &[&str])] = &[
    ("cli", ANYTHING),
    ("demo", ANYTHING),
    ("daemon", &["config", "forge", "home", "git", "sandbox", "gateway", "receipt", "exec"]),
    // It reads what all of these have written. See docs/design/0012.
    ("receipt", &["home", "git", "sandbox", "gateway"]),
    ("config", &["http"]),
    // GitHub gives git its tokens, and `gh` is a program. See docs/design/0003.
    ("forge", &["home", "git", "http", "exec"]),
    ("home", &["git", "exec"]),
    ("git", &["exec"]),
    ("sandbox", &["exec"]),
    ("gateway", &["http"]),
    ("exec", &[]),
    ("http", &[]),
];

/// Stands for all modules of the table.
const ANYTHING: &[&str] = &["*"];

/// The folder whose modules the table is about.
const SOURCE: &str = "crates/zazen/src/";

/// Finds uses of a module by one that may not use it.
pub fn check(file: &File) -> Vec<Violation> {
    let Some(module) = module_of(&file.path) else { return Vec::new() };
    if file.is_test() {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        let what = format!("the top-level module `{module}` is not in the table of arrows");
        let instead = "put it into `ARROWS` in crates/tidy/src/arrows.rs, with what it may use";
        return vec![file.as_whole(what, instead)];
    };
    let code = Source::parse_production(&file.text).code;
    let mut violations = check_uses(file, &code, (module, allowed));
    violations.extend(check_supers(file, &code));
    violations
}

fn check_uses(file: &File, code: &str, rule: (&str, &[&str])) -> Vec<Violation> {
    let (module, allowed) = rule;
    let mut violations = Vec::new();
    for (at, used) in uses(code) {
        let is_known = ARROWS.iter().any(|(name, _)| *name == used);
        let is_allowed = allowed == ANYTHING || allowed.contains(&used);
        if used == module || is_known && is_allowed {
            continue;
        }
        let what = format!("`{module}` uses `crate::{used}`, but may use only {}", list(allowed));
        let instead = "pass it in as a value, or let the caller do it";
        violations.push(file.at_line(line_of(code, at), what, instead));
    }
    violations
}

/// Finds paths that climb to the crate's root by `super`, where the table cannot see them.
fn check_supers(file: &File, code: &str) -> Vec<Violation> {
    let depth = depth_of(&file.path);
    let mut violations = Vec::new();
    for at in find_words(code, "super") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let n_supers = code[at..].split("::").take_while(|part| *part == "super").count();
        if n_supers >= depth {
            let what = "this path reaches the crate's root by `super`".to_owned();
            let instead = "spell it `crate::…`, so that it reads as the arrow it is";
            violations.push(file.at_line(line_of(code, at), what, instead));
        }
    }
    violations
}

/// Yields every first name after `crate::`, with its place.
fn uses(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for at in find_words(code, "crate") {
        let Some(path) = code[at + "crate".len()..].trim_start().strip_prefix("::") else {
            continue;
        };
        let path = path.trim_start();
        match path.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group).into_iter().map(|name| (at, name))),
            None if path.starts_with('*') => found.push((at, "*")),
            None => found.push((at, leading_word(path))),
        }
    }
    found
}

/// The first names in `{a::b, c::{d, e}, f}`, given what follows the first brace.
fn group_heads(group: &str) -> Vec<&str> {
    let mut heads = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                heads.push(leading_word(group[start..at].trim_start()));
                start = at + 1;
            }
            '}' => {
                heads.push(leading_word(group[start..at].trim_start()));
                break;
            }
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

/// The top-level module that a file is part of; none for the roots of the crate.
fn module_of(path: &str) -> Option<&str> {
    let inner = path.strip_prefix(SOURCE)?;
    match inner.split_once('/') {
        Some((folder, _)) => Some(folder),
        None => inner.strip_suffix(".rs").filter(|name| !matches!(*name, "lib" | "main")),
    }
}

/// How many `super`s lead from a file to the crate's root.
fn depth_of(path: &str) -> usize {
    let inner = path.strip_prefix(SOURCE).unwrap_or(path);
    let n_parts = inner.split('/').count();
    if inner.ends_with("/mod.rs") { n_parts - 1 } else { n_parts }
}

fn list(allowed: &[&str]) -> String {
    match allowed {
        [] => "itself and `zazen_core`".to_owned(),
        ["*"] => "the modules in the table".to_owned(),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `zazen_core`", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
