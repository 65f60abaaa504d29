//! Links from an answer to the files that it speaks of, at the commit that was read.
//!
//! An agent names places as `path:line` in code. Those that are files of that commit become
//! links; everything else stays as it is. What the agent wrote is still made harmless after.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Where links lead.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// What stands before a path: `https://github.com/ada/tally/blob/<commit>/`.
    pub at: &'a str,
    /// The files that are there.
    pub files: &'a BTreeSet<String>,
}

/// How many links one text has. More would make a comment too long to be posted.
const N_LINKS_MAX: usize = 100;

/// Makes links of the places in a text.
pub fn linked(text: &str, links: Links<'_>) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut is_fenced, mut n_links) = (false, 0);
    for line in text.split_inclusive('\n') {
        let begun = line.trim_start();
        let is_fence = begun.starts_with("```") || begun.starts_with("~~~");
        is_fenced ^= is_fence;
        if is_fenced || is_fence {
            out.push_str(line);
        } else {
            one_line(&mut out, line, (links, &mut n_links));
        }
    }
    out
}

fn one_line(out: &mut String, line: &str, (links, n_links): (Links<'_>, &mut usize)) {
    let mut rest = line;
    while let Some((before, code, after)) = next_code(rest) {
        out.push_str(before);
        // What is a link already leads where the agent wants it.
        let is_linked = before.ends_with('[') || after.starts_with("](");
        let target = target(code, links).filter(|_| !is_linked && *n_links < N_LINKS_MAX);
        match target {
            Some(target) => {
                *n_links += 1;
                let _infallible = write!(out, "[`{code}`]({target})");
            }
            None => {
                let _infallible = write!(out, "`{code}`");
            }
        }
        rest = after;
    }
    out.push_str(rest);
}

/// The next text between two single backticks, with what is before and after it.
fn next_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    (!code.is_empty() && !after.starts_with('`')).then_some((before, code, after))
}

/// Where a place is, if it is one: `path`, `path:12` or `path:12-14`.
fn target(code: &str, there: Links<'_>) -> Option<String> {
    let (path, lines) = match code.rsplit_once(':') {
        Some((path, lines)) if !lines.is_empty() => (path, Some(lines)),
        Some(_) | None => (code, None),
    };
    if !there.files.contains(path) {
        return None;
    }
    let mut target = format!("{}{}", there.at, encoded(path));
    if let Some(lines) = lines {
        let (first, last) = lines.split_once('-').unwrap_or((lines, ""));
        let _infallible = write!(target, "#L{}", first.parse::<u32>().ok()?);
        if !last.is_empty() {
            let _infallible = write!(target, "-L{}", last.parse::<u32>().ok()?);
        }
    }
    Some(target)
}

/// A path as it stands in an address.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => {
                let _infallible = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
