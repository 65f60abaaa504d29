//! What a coverage command says, before a change and after it.
//!
//! It is measured where the checks run, right behind them, and its output is told from
//! theirs by a line. What it says is a number to look at: nothing is decided by it.

use std::fmt::{self, Write as _};

use crate::text::plain;

/// A share of lines, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coverage(u32);

/// The line between the output of the checks and that of the coverage command. The last one
/// in an output counts.
pub const MARK: &str = "[zazen: coverage]";

/// All of it.
const WHOLE: u32 = 10_000;

/// The script that runs the checks, and then measures: by a command, by the report that it
/// leaves in `file`, or by both. It ends as the checks did, whatever the measuring comes to.
pub fn script(check: &str, (coverage, file): (&str, &str)) -> String {
    // A line end, as the last line may be a comment; and one pipe, so that all that the checks
    // print comes before the mark.
    let mut script = format!("(\n{check}\n) 2>&1\nzazen_status=$?\necho\necho '{MARK}'\n");
    if !coverage.trim().is_empty() {
        let _infallible = write!(script, "(\n{coverage}\n) </dev/null 2>&1\n");
    }
    if !file.is_empty() {
        // Of a report in lcov's format only the sums of each file are of use, and a shell alone
        // can find them: an image may have no other program.
        let file = file.replace('\'', "'\\''");
        let _infallible = write!(
            script,
            "echo\n( while IFS= read -r zazen_line; do case $zazen_line in LF:*|LH:*) \
             echo \"$zazen_line\";; esac; done <'{file}' )\n"
        );
    }
    script.push_str("exit \"$zazen_status\"\n");
    script
}

/// Takes an output apart: what the checks printed, and the coverage, if it was measured.
pub fn parts(output: &str) -> (&str, Option<Coverage>) {
    let mark = output.rmatch_indices(MARK).find(|(at, _)| {
        let is_first = *at == 0 || output[..*at].ends_with('\n');
        is_first && output[at + MARK.len()..].starts_with(['\n', '\r'])
    });
    let Some((at, _)) = mark else { return (output, None) };
    let checks = output[..at].trim_end();
    (checks, Coverage::read(&output[at + MARK.len()..]))
}

impl Coverage {
    /// Reads what a coverage command printed: sums in lcov's format, or the last percentage.
    pub fn read(output: &str) -> Option<Self> {
        let lcov = lcov(output);
        lcov.or_else(|| output.lines().rev().find_map(|line| percentage(&plain(line))))
    }

    /// How much more there is than in another, in hundredths of a percent.
    pub fn more_than(self, other: Self) -> i64 {
        i64::from(self.0) - i64::from(other.0)
    }
}

/// Sums up `LF:` (lines found) and `LH:` (lines hit).
fn lcov(output: &str) -> Option<Coverage> {
    let (mut n_found, mut n_hit) = (0_u64, 0_u64);
    for line in output.lines() {
        let (sum, n) = match (line.strip_prefix("LF:"), line.strip_prefix("LH:")) {
            (Some(n), _) => (&mut n_found, n),
            (None, Some(n)) => (&mut n_hit, n),
            (None, None) => continue,
        };
        *sum = sum.saturating_add(u64::from(n.trim().parse::<u32>().unwrap_or(0)));
    }
    if n_found == 0 || n_hit > n_found {
        return None;
    }
    let share = u128::from(n_hit) * u128::from(WHOLE) / u128::from(n_found);
    u32::try_from(share).ok().map(Coverage)
}

/// The last percentage of a line: `TOTAL   11   1   91%`, `coverage: 82.35% of statements`.
fn percentage(line: &str) -> Option<Coverage> {
    let before = &line[..line.rfind('%')?];
    let before = before.trim_end();
    let begins = before
        .rfind(|c: char| !c.is_ascii_digit() && c != '.')
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let number = &before[begins..];
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 100)?;
    let digits = part.bytes().map(|b| b.is_ascii_digit().then(|| u32::from(b - b'0')));
    let mut digits = digits.chain([Some(0), Some(0)]);
    let hundredths = digits.next()??.checked_mul(10)? + digits.next()??;
    let share = whole * 100 + hundredths;
    (share <= WHOLE).then_some(Coverage(share))
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} %", self.0 / 100, self.0 % 100 / 10)
    }
}
