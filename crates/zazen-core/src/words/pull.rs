//! The draft pull request: its title and its description.
//!
//! Half a minute has to be enough to see whether it deserves more: one table, which is read on
//! a phone, too, and then folds.

use std::fmt::Write as _;

use super::checks::{checks, coverage, tests};
use super::money::{cost, elapsed, tokens};
use super::own::{OwnReview, own_findings, own_review};
use super::receipt::{ReceiptAt, where_it_is};
use super::traffic::traffic;
use super::{Text, block, cell, fold, line, n_of, quote};
use crate::check::{Checks, trim};
use crate::host::Traffic;
use crate::id::{CommitId, PlanHash};
use crate::plan::Plan;
use crate::task::Task;
use crate::text::{cut_middle, neutral, one_line, plain};
use crate::usage::Usage;

/// A draft pull request, as it is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub title: String,
    pub body: Text,
}

/// What is attached to a pull request, so that nobody has to believe anything.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub base: CommitId,
    pub head: CommitId,
    pub plan: PlanHash,
    /// The contract that was approved with it.
    pub contract: Option<PlanHash>,
    /// Whether merging it is to close the issue, where the forge does that.
    pub closes: bool,
    pub command: String,
    /// What the validation command printed, all of it.
    pub output: String,
    /// What it came to, before the change and after it.
    pub checks: Checks,
    /// What the guards found: a line, and what there is to read. Nothing where none looked.
    pub guards: Option<(String, String)>,
    /// Whose review there is. Nothing where that was never asked.
    pub review: Option<OwnReview>,
    pub files: Vec<FileChange>,
    /// Where the checks ran, and what that sandbox achieved, in words.
    pub sandbox: String,
    /// What all runs of the task reached, and were refused.
    pub traffic: Traffic,
    /// Who acted, each as all that is known of it.
    pub agents: Vec<String>,
    pub usage: Usage,
    /// From the first run's beginning to now, waiting for people included, in milliseconds.
    pub elapsed_ms: u64,
    /// What each agent said at the end of its step.
    pub reports: Vec<String>,
    /// Where the receipt is, if the remote has it.
    pub receipt: Option<ReceiptAt>,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    /// Lines, or nothing for a binary file.
    pub lines: Option<(u64, u64)>,
}

/// How much of the checks' output goes into the description, in bytes.
const OUTPUT_BYTES_MAX: usize = 12 * 1024;

/// How many changed files are listed.
const N_FILES_MAX: usize = 60;

/// What the table says of a receipt.
const SIGNED: &str = "signed; `zazen verify` checks it";

/// How long a title may be, in characters.
const TITLE_CHARS_MAX: usize = 120;

/// How much of what an agent said about a step is repeated, in bytes.
const REPORT_BYTES_MAX: usize = 2000;

/// Writes the pull request of `task`.
///
/// What agents wrote stands in quotations and blocks, so that none of it can swallow the rest.
pub fn pull(task: &Task, plan: &Plan, evidence: &Evidence) -> Pull {
    let refers = if evidence.closes { "Closes" } else { "Refs" };
    let mut body = format!("{}\n{refers} #{}\n\n", quote(&plan.summary), task.issue);
    if let Some(from) = super::fork::provenance(task) {
        let _infallible = writeln!(body, "{from}\n");
    }
    body.push_str(&table(evidence));
    if !plan.risks.is_empty() {
        body.push_str("\n**Risks that the plan names:**\n\n");
        for risk in &plan.risks {
            let _infallible = writeln!(body, "- {}", line(risk));
        }
    }
    folds(&mut body, plan, evidence);
    Pull { title: neutral(&one_line(&task.title, TITLE_CHARS_MAX)), body: Text(body) }
}

fn folds(body: &mut String, plan: &Plan, evidence: &Evidence) {
    let mut steps = String::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let _infallible = writeln!(steps, "- [x] {}. {}", index + 1, line(&step.title));
    }
    fold(body, &format!("Steps ({})", plan.steps.len()), &steps);
    let guards = evidence.guards.as_ref().map_or("", |(_, text)| text.trim());
    let findings = evidence.review.as_ref().map_or_else(String::new, own_findings);
    let tests = tests(&evidence.checks);
    let output =
        format!("$ {}\n{}", plain(&evidence.command), trim(&evidence.output, OUTPUT_BYTES_MAX));
    let reports = reports(&evidence.reports);
    let receipt = evidence.receipt.as_ref().map_or_else(String::new, where_it_is);
    for (title, text) in [
        ("What the guards found", guards),
        ("What the reviewer says (opinions, not evidence)", &findings),
        ("Tests that changed", &tests),
        ("What the checks printed", &block(output.trim_end())),
        ("Files", &files(&evidence.files)),
        ("How it was made", &made(evidence)),
        ("Receipt", &receipt),
        ("What the agents said (claims, not evidence)", &reports),
    ] {
        if !text.is_empty() {
            fold(body, title, text);
        }
    }
}

fn table(evidence: &Evidence) -> String {
    let (added, removed) = evidence
        .files
        .iter()
        .filter_map(|file| file.lines)
        .fold((0, 0), |(added, removed), (a, r)| (added + a, removed + r));
    let change = n_of(evidence.files.len() as u64, "file");
    let usage = &evidence.usage;
    let hosts = Some(&evidence.traffic).filter(|traffic| !traffic.is_empty()).map(traffic);
    let rows = [
        ("Checks", Some(checks(&evidence.checks))),
        ("Coverage", coverage(&evidence.checks)),
        ("Guards", evidence.guards.as_ref().map(|(line, _)| line.clone())),
        ("Review", evidence.review.as_ref().map(own_review)),
        ("Change", Some(format!("{change}, +{added} −{removed}"))),
        ("Cost", Some(format!("{}, {} tokens", cost(usage.cost), tokens(usage.tokens.total())))),
        ("Time", Some(elapsed(evidence.elapsed_ms))),
        ("Hosts", hosts),
        ("Receipt", evidence.receipt.as_ref().map(|_| SIGNED.to_owned())),
    ];
    let mut table = "| | |\n|---|---|\n".to_owned();
    for (title, text) in rows {
        if let Some(text) = text {
            let _infallible = writeln!(table, "| {title} | {} |", cell(&text));
        }
    }
    table
}

/// What it was made of, where and by whom: for those who want to know.
fn made(evidence: &Evidence) -> String {
    let contract = match &evidence.contract {
        Some(contract) => format!(", contract `{}`", contract.short()),
        None => String::new(),
    };
    let mut text = format!(
        "- Commit `{}` on top of `{}`\n- Approved plan `{}`{contract}\n- The checks ran in {}\n",
        evidence.head,
        evidence.base,
        evidence.plan.short(),
        line(&evidence.sandbox),
    );
    for agent in &evidence.agents {
        let _infallible = writeln!(text, "- Agent: {}", line(agent));
    }
    let _infallible = writeln!(text, "- {}", n_of(evidence.usage.n_calls, "model call"));
    text
}

fn files(files: &[FileChange]) -> String {
    let mut list = String::new();
    for file in files.iter().take(N_FILES_MAX) {
        let lines = match file.lines {
            Some((added, removed)) => format!("+{added} −{removed}"),
            None => "binary".to_owned(),
        };
        let _infallible = writeln!(list, "{lines:<9} {}", one_line(&file.path, 300));
    }
    if files.len() > N_FILES_MAX {
        let _infallible = writeln!(list, "… and {} more", files.len() - N_FILES_MAX);
    }
    block(&list)
}

fn reports(reports: &[String]) -> String {
    let mut text = String::new();
    for (n, report) in reports.iter().enumerate().filter(|(_, report)| !report.trim().is_empty()) {
        let report = quote(&cut_middle(report.trim(), REPORT_BYTES_MAX));
        let _infallible = writeln!(text, "Step {}:\n\n{report}", n + 1);
    }
    text
}
