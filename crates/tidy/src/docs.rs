//! Rules about the Markdown that people read: titles, links, and the index of notes.
//!
//! Only `docs/` and the top of the repository are looked at; Markdown that is
//! a fixture of a test may be as odd as it likes.

use std::collections::BTreeSet;

use crate::{File, Violation};

/// The page that lists every design note.
pub const DESIGN_INDEX: &str = "docs/design/README.md";

/// A link in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link<'t> {
    /// The line, from 0.
    index: usize,
    target: &'t str,
}

/// Says whether a file is documentation that the rules are about.
pub fn is_page(file: &File) -> bool {
    let is_ours = file.path.starts_with("docs/") || !file.path.contains('/');
    is_ours && file.extension() == Some("md")
}

/// Finds a page that has no title, or several.
pub fn check_title(page: &File) -> Vec<Violation> {
    let titles: Vec<_> =
        prose(&page.text).into_iter().filter(|(_, line)| line.starts_with("# ")).collect();
    match titles.as_slice() {
        [] => {
            let what = "the page has no title".to_owned();
            vec![page.as_whole(what, "give it one line that begins with `# `")]
        }
        [_] => Vec::new(),
        [_, more @ ..] => {
            let report = |&(index, line): &(usize, &str)| {
                let what = format!("a second title, `{line}`");
                page.at_line(index, what, "make it a section with `## `, or a page of its own")
            };
            more.iter().map(report).collect()
        }
    }
}

/// Finds relative links that lead nowhere: no such file, or no such heading in it.
pub fn check_links(page: &File, files: &[File], paths: &BTreeSet<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for link in links(&page.text) {
        if let Some(why) = why_dead(page, link.target, files, paths) {
            let what = format!("the link to `{}` is dead: {why}", link.target);
            let instead = "point it at what is there, relative to this page, or take it out";
            violations.push(page.at_line(link.index, what, instead));
        }
    }
    violations
}

/// Finds tests that a page names and that are nowhere: a name in code with three underlines
/// or more is taken for a test's.
pub fn check_tests(page: &File, files: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in prose(&page.text) {
        for name in line.split('`').skip(1).step_by(2).filter(|name| is_test_name(name)) {
            let defined = format!("fn {name}(");
            let is_there = files.iter().any(|file| file.is_rust() && file.text.contains(&defined));
            if !is_there {
                let what = format!("there is no test `{name}`");
                violations.push(page.at_line(index, what, "name the test that is there"));
            }
        }
    }
    violations
}

fn is_test_name(name: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.bytes().all(is_word) && name.bytes().filter(|b| *b == b'_').count() >= 3
}

/// Finds design notes that the index does not list.
pub fn check_design_index(files: &[File]) -> Vec<Violation> {
    let index = files.iter().find(|file| file.path == DESIGN_INDEX);
    let listed: Vec<&str> = index
        .map(|index| links(&index.text).into_iter().map(|link| link.target).collect())
        .unwrap_or_default();
    let notes = files.iter().filter(|file| {
        file.path.starts_with("docs/design/") && is_page(file) && file.path != DESIGN_INDEX
    });
    let unlisted = notes.filter(|note| !listed.contains(&note.name()));
    let report = |note: &File| {
        let what = format!("`{DESIGN_INDEX}` does not list this note");
        note.as_whole(what, "add a line with a link and what was decided")
    };
    unlisted.map(report).collect()
}

/// Says why a link leads nowhere; `None` where it is fine or leaves the repository.
fn why_dead(page: &File, target: &str, files: &[File], paths: &BTreeSet<String>) -> Option<String> {
    if target.contains(':') || target.starts_with("//") {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let full = if path.is_empty() { Some(page.path.clone()) } else { resolve(&page.path, path) };
    let Some(full) = full else { return Some("it leaves the repository".to_owned()) };
    let folder = format!("{full}/");
    if !paths.contains(&full) && !paths.iter().any(|known| known.starts_with(&folder)) {
        return Some(format!("there is no `{full}`"));
    }
    let anchor = anchor?;
    let file = files.iter().find(|file| file.path == full && file.extension() == Some("md"))?;
    let has_heading = anchors(&file.text).iter().any(|known| known == anchor);
    (!has_heading).then(|| format!("`{full}` has no heading for `#{anchor}`"))
}

/// The path that a relative one means, seen from a page; `None` above the top.
fn resolve(page: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in relative.trim_end_matches('/').split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The lines of a page that are not in a fenced block, each with its number from 0.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => lines.push((index, line)),
            (Some(_), _) => {}
        }
    }
    lines
}

/// Every link of a page: inline, by reference, and in HTML attributes.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (index, line) in prose(text) {
        let mut targets = Vec::new();
        for (open, close) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for (at, _) in line.match_indices(open) {
                let rest = &line[at + open.len()..];
                if !is_in_code(line, at)
                    && let Some((target, _)) = rest.split_once(close)
                {
                    targets.push(target);
                }
            }
        }
        if line.starts_with('[')
            && let Some((_, target)) = line.split_once("]: ")
        {
            targets.push(target);
        }
        // What follows a space is the link's title.
        let targets = targets.iter().filter_map(|target| target.split_whitespace().next());
        let targets = targets.map(|target| target.trim_matches(['<', '>']));
        links.extend(targets.map(|target| Link { index, target }));
    }
    links
}

/// Says whether a place in a line stands between backticks.
fn is_in_code(line: &str, at: usize) -> bool {
    line[..at].matches('`').count() % 2 == 1
}

/// The anchors of a page's headings, made as forges make them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let slug = slug_of(title.trim());
        let n_same = anchors
            .iter()
            .filter(|known| {
                let number = known.strip_prefix(&slug).and_then(|rest| rest.strip_prefix('-'));
                **known == slug || number.is_some_and(|number| number.parse::<u32>().is_ok())
            })
            .count();
        anchors.push(if n_same == 0 { slug } else { format!("{slug}-{n_same}") });
    }
    anchors
}

fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        match c {
            ' ' => slug.push('-'),
            '-' | '_' => slug.push(c),
            c if c.is_alphanumeric() => slug.extend(c.to_lowercase()),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests;
