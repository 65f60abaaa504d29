//! What the checks came to, before a change and after it.

use std::fmt::Write as _;

use super::line;
use crate::check::{Checks, Compared, Counts, Coverage, Fate, Ran, trim};

/// How much of what the checks printed a reviewer is given, in bytes.
const EVIDENCE_BYTES_MAX: usize = 8 * 1024;

/// How many tests are named in one list.
const N_NAMES_MAX: usize = 20;

/// The checks, in a line: `41 passed (before: 40 passed, 1 failed)`.
pub(super) fn checks(checks: &Checks) -> String {
    let mut text = ran(&checks.after);
    if let Some(before) = &checks.before {
        let before = ran(before);
        let before = if before == text { "the same".to_owned() } else { before };
        let _infallible = write!(text, " (before: {before})");
    }
    if checks.is_flaky {
        text.push_str("; flaky (red, then green)");
    }
    if let Some(compared) = checks.compared() {
        let counts = [
            (compared.n_dropped, "fewer"),
            (compared.skipped.len() as u64, "newly skipped"),
            (compared.broken.len() as u64, "newly failed"),
        ];
        for (n, what) in counts.into_iter().filter(|(n, _)| *n > 0) {
            let _infallible = write!(text, "; **{n} {what}**");
        }
    }
    text
}

/// One time that they ran.
fn ran(ran: &Ran) -> String {
    let Some(found) = &ran.found else {
        return if ran.is_green { "passed" } else { "failed" }.to_owned();
    };
    let counts = counts(found.counts);
    match (ran.is_green, found.counts.n_failed) {
        (true, 0) | (false, 1..) => counts,
        (true, 1..) => format!("{counts}, and the command ended well"),
        (false, 0) => format!("{counts}, and the command failed"),
    }
}

fn counts(counts: Counts) -> String {
    let Counts { n_passed, n_failed, n_skipped } = counts;
    let mut text = format!("{n_passed} passed");
    for (n, word) in [(n_failed, "failed"), (n_skipped, "skipped")] {
        if n > 0 {
            let _infallible = write!(text, ", {n} {word}");
        }
    }
    text
}

/// The coverage, in a line: `91.2 % (before: 90.8 %, +0.4)`. Nothing where none is measured.
pub(super) fn coverage(checks: &Checks) -> Option<String> {
    let after = checks.after.coverage;
    let before = checks.before.as_ref().and_then(|before| before.coverage);
    match (before, after) {
        (None, None) => None,
        (None, Some(after)) => Some(after.to_string()),
        (Some(before), None) => Some(format!("not known (before: {before})")),
        (Some(before), Some(after)) if before == after => {
            Some(format!("{after} (before: the same)"))
        }
        (Some(before), Some(after)) => {
            Some(format!("{after} (before: {before}, {})", difference(after, before)))
        }
    }
}

fn difference(after: Coverage, before: Coverage) -> String {
    let more = after.more_than(before);
    let sign = if more < 0 { '−' } else { '+' };
    let (whole, part) = (more.unsigned_abs() / 100, more.unsigned_abs() % 100);
    // What is less than a tenth is shown, as it is not nothing.
    if whole == 0 && part < 10 {
        format!("{sign}0.0{part}")
    } else {
        format!("{sign}{whole}.{}", part / 10)
    }
}

/// The tests that are worth a name, as lists. Nothing, where there are none.
pub(super) fn tests(checks: &Checks) -> String {
    let mut text = String::new();
    let compared = checks.compared().unwrap_or_default();
    let Compared { broken, still, mended, removed, added, skipped, n_dropped: _ } = compared;
    let flaky = checks.after.found.as_ref().map(|found| &found.flaky);
    let flaky: Vec<String> = flaky.into_iter().flatten().cloned().collect();
    let lists = [
        ("New failures", broken),
        ("Failed before, and still do", still),
        ("Not there any more", removed),
        ("Skipped, and ran before", skipped),
        ("Flaky", flaky),
        ("Mended", mended),
        ("New", added),
    ];
    for (title, names) in lists.iter().filter(|(_, names)| !names.is_empty()) {
        let _infallible = writeln!(text, "**{title}:**\n");
        for name in names.iter().take(N_NAMES_MAX) {
            let _infallible = writeln!(text, "- {}", line(name));
        }
        if names.len() > N_NAMES_MAX {
            let _infallible = writeln!(text, "- … and {} more", names.len() - N_NAMES_MAX);
        }
        text.push('\n');
    }
    text
}

/// What the checks came to, for a reviewer: in words, by name, and as they printed it.
pub fn checks_evidence(all: &Checks, output: &str) -> String {
    let mut text = format!("{}\n", checks(all));
    if let Some(coverage) = coverage(all) {
        let _infallible = writeln!(text, "Coverage: {coverage}");
    }
    let _infallible = write!(text, "\n{}", tests(all));
    let _infallible = write!(text, "\nThey printed:\n\n{}", trim(output, EVIDENCE_BYTES_MAX));
    text
}

/// How the checks were on the base, for the agent that is to mend them.
pub fn checks_before(before: &Ran) -> String {
    if before.is_green {
        return "They were green before the work began.".to_owned();
    }
    let tests = before.found.iter().flat_map(|found| &found.tests);
    let failed = tests.filter(|(_, fate)| **fate == Fate::Failed);
    let failed: Vec<String> = failed.map(|(name, _)| line(name)).collect();
    let text = "They were red already before the work began.";
    if failed.is_empty() {
        return text.to_owned();
    }
    let (shown, more) = failed.split_at(failed.len().min(N_NAMES_MAX));
    let shown = shown.join(", ");
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    format!("{text} These failed then: {shown}{more}.")
}

#[cfg(test)]
mod tests;
