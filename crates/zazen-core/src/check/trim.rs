//! Cuts an output where a person would: what failed and how it ended stays.

use std::fmt::Write as _;

use super::Fate;
use super::reader::{Reader, Seen};
use crate::text::{cut_middle, plain};

/// How many lines stay as they are. A person reads so many without help.
const N_LINES_MAX: usize = 120;

/// How long a line may be, in characters. What is longer is data.
const LINE_CHARS_MAX: usize = 400;

/// How many lines are kept of the output's beginning and of its end, whatever they say.
const N_FIRST: usize = 8;
const N_LAST: usize = 24;

/// How many lines are kept around one that tells of a failure.
const N_BEFORE: usize = 1;
const N_AFTER: usize = 14;

/// How many equal lines in a row are shown before they are counted.
const N_EQUAL_MAX: usize = 2;

/// Cuts an output to at most `bytes_max` bytes.
pub fn trim(output: &str, bytes_max: usize) -> String {
    let lines = lines(output);
    let whole = joined(&lines, &vec![true; lines.len()]);
    if lines.len() <= N_LINES_MAX && whole.len() <= bytes_max {
        return whole;
    }
    let n_passed = lines.iter().filter(|line| line.seen == Seen::Test(Fate::Passed)).count();
    let without: Vec<bool> =
        lines.iter().map(|line| line.seen != Seen::Test(Fate::Passed)).collect();
    if lines.len() - n_passed <= N_LINES_MAX {
        return cut_middle(&joined(&lines, &without), bytes_max);
    }
    cut_middle(&joined(&lines, &kept(&lines)), bytes_max)
}

/// A line that is worth a look.
struct Line {
    text: String,
    /// How often it stood there in a row.
    n: usize,
    seen: Seen,
}

/// The lines without progress, without what cannot be seen, and each once.
fn lines(output: &str) -> Vec<Line> {
    let mut reader = Reader::default();
    let mut lines: Vec<Line> = Vec::new();
    for line in output.lines() {
        let text = plain(line);
        let text = text.trim_end();
        if is_progress(text) {
            continue;
        }
        let seen = reader.see(text);
        let text = shortened(text);
        match lines.last_mut() {
            Some(last) if last.text == text => last.n += 1,
            Some(_) | None => lines.push(Line { text, n: 1, seen }),
        }
    }
    lines
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The lines around failures, the first and the last ones, and the summaries.
fn kept(lines: &[Line]) -> Vec<bool> {
    let mut kept = vec![false; lines.len()];
    let n = lines.len();
    let mut keep = |from: usize, to: usize| {
        for flag in kept.iter_mut().take(to.min(n)).skip(from) {
            *flag = true;
        }
    };
    keep(0, N_FIRST);
    keep(n.saturating_sub(N_LAST), n);
    for (at, line) in lines.iter().enumerate() {
        match line.seen {
            Seen::Test(Fate::Failed) => keep(at, at + 1),
            Seen::Summary => keep(at, at + 1),
            Seen::Test(_) => {}
            Seen::Nothing if tells_of_failure(&line.text) => {
                keep(at.saturating_sub(N_BEFORE), at + 1 + N_AFTER);
            }
            Seen::Nothing => {}
        }
    }
    for (flag, line) in kept.iter_mut().zip(lines) {
        *flag &= line.seen != Seen::Test(Fate::Passed);
    }
    kept
}

/// Puts together what is kept, and says what is not.
fn joined(lines: &[Line], kept: &[bool]) -> String {
    let mut out = String::new();
    let (mut n_left_out, mut n_passed) = (0, 0);
    for (line, is_kept) in lines.iter().zip(kept) {
        if !is_kept {
            n_left_out += line.n;
            n_passed += if line.seen == Seen::Test(Fate::Passed) { line.n } else { 0 };
            continue;
        }
        left_out(&mut out, std::mem::take(&mut n_left_out), std::mem::take(&mut n_passed));
        for _ in 0..line.n.min(N_EQUAL_MAX) {
            out.push_str(&line.text);
            out.push('\n');
            if line.text.is_empty() {
                break;
            }
        }
        if line.n > N_EQUAL_MAX && !line.text.is_empty() {
            let _infallible = writeln!(out, "[… {} more lines like this …]", line.n - N_EQUAL_MAX);
        }
    }
    left_out(&mut out, n_left_out, n_passed);
    out
}

fn left_out(out: &mut String, n_left_out: usize, n_passed: usize) {
    let _infallible = match n_left_out {
        0 => Ok(()),
        n if n == n_passed => writeln!(out, "[… {n} that passed …]"),
        1 => writeln!(out, "[… 1 line …]"),
        n => writeln!(out, "[… {n} lines …]"),
    };
}

/// Whether a line begins to tell of something that went wrong.
fn tells_of_failure(line: &str) -> bool {
    let text = line.trim_start();
    let begins = [
        "error",
        "Error",
        "ERROR",
        "FAIL",
        "Failed",
        "fatal",
        "panic",
        "---- ",
        "Traceback",
        "E  ",
        "● ",
        "× ",
        "✕ ",
        "✖ ",
        "not ok ",
        "AssertionError",
        "assertion",
    ];
    begins.iter().any(|word| text.starts_with(word))
        || ["panicked at", "Exception", "Segmentation fault", "command not found", "No such file"]
            .iter()
            .any(|words| text.contains(words))
}

/// Whether a line only says that something is going on.
fn is_progress(line: &str) -> bool {
    let text = line.trim_start();
    let words = [
        "Compiling ",
        "Downloading ",
        "Downloaded ",
        "Checking ",
        "Fresh ",
        "Updating ",
        "Locking ",
        "Adding ",
        "Collecting ",
        "Using cached ",
        "Building [",
        "Unpacking ",
        "Preparing to unpack ",
    ];
    let is_indented = line.len() > text.len() || text.starts_with("Collecting ");
    let is_step = is_indented && words.iter().any(|word| text.starts_with(word));
    is_step || is_bar(text)
}

/// A bar, a spinner, or a percentage by itself.
fn is_bar(text: &str) -> bool {
    let n_bar =
        text.chars().filter(|c| matches!(c, '█' | '▓' | '░' | '━' | '╸' | '▉' | '▏')).count();
    let is_spinner = text.chars().next().is_some_and(|c| ('\u{2800}'..='\u{28ff}').contains(&c));
    let is_hashes = text.starts_with("[#") || text.starts_with("[=") && text.contains('>');
    let is_percent = text
        .strip_suffix('%')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    n_bar >= 4 || is_spinner || is_hashes || is_percent
}
