//! Runners that put a mark before each test: jest, vitest, mocha, and `node --test`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{Runner, Sign, numbers, pattern, sum, tap, test};
use crate::check::compare::numbered;
use crate::check::{Counts, Fate};

/// What is remembered between lines.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The headings around what is printed.
    headings: Vec<Heading>,
    seen: BTreeMap<String, u32>,
    /// Whether the failures are being told again.
    is_over: bool,
}

/// A line that others stand below.
#[derive(Debug)]
struct Heading {
    indent: usize,
    text: String,
    kind: Kind,
}

/// What ends a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The next file, or an empty line.
    File,
    /// Its own name, with a mark: `node --test` says so at the end.
    Open,
    /// A line that is indented no more than it, or an empty one.
    Plain,
}

/// How many headings may be around a test.
const DEPTH_MAX: usize = 20;

/// How long a test took, behind its name.
static TOOK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s+\(?[\d.]+ ?m?s\)?$"));

/// The line of a file with its tests: `PASS ./j.test.js (5.1 s)`, ` ❯ j.test.js (4 tests …)`.
static FILE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:PASS|FAIL| *[❯✓×]) +([\w@./-]+\.[cm]?[jt]sx?)(?: .*)?$"));

impl Marks {
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        let text = line.trim_start();
        let indent = line.chars().count() - text.chars().count();
        if let Some(rest) = text.strip_prefix("ℹ ") {
            return tap::summed(rest).into_iter().map(|(_, sign)| (Runner::Marks, sign)).collect();
        }
        if let Some(signs) = summed(text) {
            self.is_over = true;
            return signs;
        }
        if self.is_over {
            // Another project's tests may follow.
            self.is_over = !(text.starts_with("PASS ") || text.starts_with("RUN "));
            return Vec::new();
        }
        if text == "✖ failing tests:" {
            self.is_over = true;
        } else if text.is_empty() {
            self.headings.retain(|heading| heading.kind == Kind::Open);
        } else if let Some(found) = FILE.captures(line).filter(|_| !line.contains(" > ")) {
            let text = found[1].trim_start_matches("./").to_owned();
            self.headings = vec![Heading { indent: 0, text, kind: Kind::File }];
        } else if let Some((fate, name)) = marked(text, indent) {
            return self.test(indent, name, fate);
        } else if let Some(text) = text.strip_prefix("▶ ") {
            self.heading(indent, text, Kind::Open);
        } else if indent > 0 {
            self.heading(indent, text, Kind::Plain);
        }
        Vec::new()
    }

    fn heading(&mut self, indent: usize, text: &str, kind: Kind) {
        self.close(indent);
        if self.headings.len() < DEPTH_MAX {
            self.headings.push(Heading { indent, text: text.to_owned(), kind });
        }
    }

    /// Leaves the headings that a line with this indent stands below.
    fn close(&mut self, indent: usize) {
        // What stands in a file's column is below the file.
        self.headings.retain(|heading| heading.indent < indent || heading.kind == Kind::File);
    }

    fn test(&mut self, indent: usize, name: &str, fate: Fate) -> Vec<(Runner, Sign)> {
        let name = name.trim_end_matches(" # SKIP");
        let name = TOOK.replace(name, "");
        let name = name.trim();
        let is_end = |heading: &Heading| {
            heading.kind == Kind::Open && heading.indent == indent && heading.text == name
        };
        let ends = self.headings.iter().any(is_end);
        self.close(indent);
        if ends {
            // It is what holds those inside together.
            return Vec::new();
        }
        let outer = self.headings.iter().map(|heading| heading.text.as_str());
        let whole: Vec<&str> = outer.chain([name]).collect();
        let name = numbered(&mut self.seen, whole.join(" > "));
        test(Runner::Marks, name, fate)
    }
}

/// Reads a mark and what stands behind it.
fn marked(text: &str, indent: usize) -> Option<(Fate, &str)> {
    let mark = text.chars().next()?;
    let fate = match mark {
        '✓' | '✔' | '√' => Fate::Passed,
        '✕' | '×' | '✗' | '✖' => Fate::Failed,
        '○' | '↓' | '﹣' => Fate::Skipped,
        '0'..='9' if indent > 1 => return numbered_failure(text),
        _ => return None,
    };
    let name = text[mark.len_utf8()..].strip_prefix(' ')?.trim_start();
    Some((fate, name.strip_prefix("skipped ").unwrap_or(name)))
}

/// Mocha counts failures where they happen: `1) inner breaks`.
fn numbered_failure(text: &str) -> Option<(Fate, &str)> {
    let (n, name) = text.split_once(") ")?;
    let is_one = n.len() <= 4 && n.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':');
    is_one.then_some((Fate::Failed, name))
}

/// Reads `Tests:  1 failed, 2 passed, 4 total`, and the same of vitest and mocha:
/// `Tests  1 failed | 2 passed (4)`, `2 passing (5ms)`.
fn summed(text: &str) -> Option<Vec<(Runner, Sign)>> {
    let mut counts = Counts::default();
    if let Some(rest) = text.strip_prefix("Tests").filter(|rest| rest.starts_with([':', ' '])) {
        if !rest.contains("passed") && !rest.contains("failed") && !rest.contains("skipped") {
            return None;
        }
        for (n, word) in numbers(rest) {
            match word {
                "passed" => counts.n_passed = n,
                "failed" => counts.n_failed = n,
                "skipped" | "todo" => counts.n_skipped = counts.n_skipped.saturating_add(n),
                _ => {}
            }
        }
        return Some(sum(Runner::Marks, counts));
    }
    let mut words = text.split(' ');
    let n: u64 = words.next()?.parse().ok()?;
    match words.next()? {
        "passing" => counts.n_passed = n,
        "failing" => counts.n_failed = n,
        "pending" => counts.n_skipped = n,
        _ => return None,
    }
    let rest = words.next().unwrap_or_default();
    (rest.is_empty() || rest.starts_with('(')).then(|| sum(Runner::Marks, counts))
}
