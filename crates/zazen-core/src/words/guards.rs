//! What the guards found, for people: one line for a table, and a list.

use std::fmt::Write as _;

use super::{block, cell, line};
use crate::guard::{Finding, GuardName, Level, Report, Verdict};

/// How many findings are listed. What is more stands in the report itself.
const FINDINGS_MAX: usize = 60;

/// Of how many findings the lines themselves are shown.
const EXCERPTS_MAX: usize = 20;

/// One line: how many guards passed, and which did not. It may stand in a table.
pub fn guards(report: &Report) -> String {
    let with = |verdict: Verdict| -> Vec<GuardName> {
        let on = GuardName::ALL.into_iter().filter(|guard| !report.off.contains(guard));
        on.filter(|guard| report.verdict(*guard) == verdict).collect()
    };
    let told = |guards: &[GuardName], verb: &str| {
        let all: Vec<String> = guards
            .iter()
            .map(|guard| format!("{} ({})", name(*guard), report.of(*guard).count()))
            .collect();
        format!("{} {verb}: {}", all.len(), all.join(", "))
    };
    let (passed, flagged, held) = (with(Verdict::Pass), with(Verdict::Flag), with(Verdict::Hold));
    let mut parts = vec![format!("{} passed", passed.len())];
    if !flagged.is_empty() {
        parts.push(told(&flagged, "flagged"));
    }
    if !held.is_empty() {
        parts.push(told(&held, "held"));
    }
    if !report.off.is_empty() {
        let off: Vec<&str> = report.off.iter().map(|guard| name(*guard)).collect();
        parts.push(format!("{} off: {}", off.len(), off.join(", ")));
    }
    cell(&parts.join("; "))
}

/// All findings, as a list; nothing where there are none.
pub fn guard_findings(report: &Report) -> String {
    list(&report.findings.iter().collect::<Vec<_>>())
}

/// What a person has to approve, as a list.
pub fn held_findings(report: &Report) -> String {
    list(&report.held().collect::<Vec<_>>())
}

fn list(findings: &[&Finding]) -> String {
    let mut text = String::new();
    for (n, finding) in findings.iter().take(FINDINGS_MAX).enumerate() {
        let level = match finding.level {
            Level::Hold => "**held**",
            Level::Flag => "flagged",
        };
        let place = place(finding).map_or_else(String::new, |place| format!(" at {place}"));
        let _infallible =
            writeln!(text, "- {level}, {}{place}: {}", name(finding.guard), line(&finding.what));
        if !finding.excerpt.is_empty() && n < EXCERPTS_MAX {
            // At the margin, where nothing around it can close it.
            let _infallible = writeln!(text, "\n{}", block(&finding.excerpt));
        }
    }
    if findings.len() > FINDINGS_MAX {
        let _infallible = writeln!(text, "- and {} more", findings.len() - FINDINGS_MAX);
    }
    text
}

/// A file and its lines, as code.
fn place(finding: &Finding) -> Option<String> {
    let path = line(finding.path.as_deref()?).replace('`', "'");
    Some(match finding.lines {
        None => format!("`{path}`"),
        Some((first, last)) if first == last => format!("`{path}:{first}`"),
        Some((first, last)) => format!("`{path}:{first}-{last}`"),
    })
}

/// What a guard looks at, in a word or two.
fn name(guard: GuardName) -> &'static str {
    match guard {
        GuardName::Scope => "scope",
        GuardName::Dependencies => "dependencies",
        GuardName::Protected => "protected files",
        GuardName::Tests => "tests",
        GuardName::Checks => "checks",
        GuardName::Secrets => "secrets",
        GuardName::Files => "files",
        GuardName::Licence => "licences",
        GuardName::Claims => "claims",
        GuardName::Empty => "empty work",
    }
}

#[cfg(test)]
mod tests;
