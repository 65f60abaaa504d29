//! The draft pull request: its title and its description.

use std::fmt::Write as _;

use super::money::{cost, elapsed, tokens};
use super::receipt::ReceiptAt;
use super::traffic::traffic;
use super::{Text, block, cell, fold, line, n_of, quote};
use crate::host::Traffic;
use crate::id::{CommitId, PlanHash};
use crate::plan::Plan;
use crate::task::Task;
use crate::text::{cut_middle, neutral, one_line};
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
    /// Whether merging it is to close the issue, where the forge does that.
    pub closes: bool,
    pub command: String,
    /// What the validation command printed, all of it.
    pub output: String,
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
    body.push_str(&table(evidence));
    body.push_str("\n### Steps\n\n");
    for (index, step) in plan.steps.iter().enumerate() {
        let _infallible = writeln!(body, "- [x] {}. {}", index + 1, line(&step.title));
    }
    if !plan.risks.is_empty() {
        body.push_str("\n### Risks that the plan names\n\n");
        for risk in &plan.risks {
            let _infallible = writeln!(body, "- {}", line(risk));
        }
    }
    if let Some(receipt) = &evidence.receipt {
        fold(&mut body, "Receipt", &super::receipt::where_it_is(receipt));
    }
    let output = cut_middle(evidence.output.trim_end(), OUTPUT_BYTES_MAX);
    fold(&mut body, "What the checks printed", &block(&output));
    fold(&mut body, "Files", &files(&evidence.files));
    let reports = reports(&evidence.reports);
    if !reports.is_empty() {
        fold(&mut body, "What the agents said (claims, not evidence)", &reports);
    }
    Pull { title: neutral(&one_line(&task.title, TITLE_CHARS_MAX)), body: Text(body) }
}

fn table(evidence: &Evidence) -> String {
    let (added, removed) = evidence
        .files
        .iter()
        .filter_map(|file| file.lines)
        .fold((0, 0), |(added, removed), (a, r)| (added + a, removed + r));
    let hosts = if evidence.traffic.is_empty() {
        String::new()
    } else {
        format!("| Hosts | {} |\n", cell(&traffic(&evidence.traffic)))
    };
    let agents = if evidence.agents.is_empty() {
        String::new()
    } else {
        format!("| Agents | {} |\n", cell(&evidence.agents.join("; ")))
    };
    format!(
        "| | |\n|---|---|\n\
         | Checks | passed: {} |\n\
         | Commit | `{}` on top of `{}` |\n\
         | Change | {}, +{added} −{removed} |\n\
         | Approved plan | `{}` |\n\
         | Ran in | {} |\n\
         {hosts}\
         {agents}\
         | Cost | {} ({} tokens, {}) |\n\
         | Time | {} |\n",
        code(&evidence.command),
        evidence.head.short(),
        evidence.base.short(),
        n_of(evidence.files.len() as u64, "file"),
        evidence.plan.short(),
        cell(&evidence.sandbox),
        cost(evidence.usage.cost),
        tokens(evidence.usage.tokens.total()),
        n_of(evidence.usage.n_calls, "model call"),
        elapsed(evidence.elapsed_ms),
    )
}

/// Inline code in a table's cell: one line, no bars, no back-ticks.
fn code(text: &str) -> String {
    cell(&format!("`{}`", one_line(text, 200).replace('`', "'")))
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
