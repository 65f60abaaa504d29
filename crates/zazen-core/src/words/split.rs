//! What people read of a plan that is split: its list of issues, and the issues themselves.

use std::fmt::Write as _;

use super::{Text, line, n_of, person, quote};
use crate::id::IssueNumber;
use crate::plan::Plan;
use crate::task::{Around, Other, PlanRef, Split, Stands, Task};
use crate::text::{neutral, one_line};

/// How long the title of an issue may be, in characters. The local forge takes 256 bytes.
const TITLE_CHARS_MAX: usize = 60;

/// The issue of one step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartIssue {
    pub title: String,
    pub body: Text,
}

/// Writes the issue of a step. `task` is the one whose plan is split; the first step is 1.
pub fn part_issue(task: &Task, split: &Split, plan: &Plan, step: u32) -> PartIssue {
    let index = (step as usize).saturating_sub(1);
    let Some(part) = plan.steps.get(index) else {
        return PartIssue { title: String::new(), body: Text(String::new()) };
    };
    let mut body = format!(
        "Part of #{}: step {step} of {} of its plan, which {} had split. The plan for this issue \
         is that step; `/implement` approves it.\n",
        task.issue,
        plan.steps.len(),
        person(&split.by)
    );
    let after: Vec<IssueNumber> = plan
        .comes_after(step)
        .into_iter()
        .filter_map(|n| Some(split.parts.get((n as usize).checked_sub(1)?)?.issue))
        .collect();
    if !after.is_empty() {
        let _infallible = writeln!(body, "\nIt comes after {}.", issues(&after));
    }
    if !split.remarks.trim().is_empty() {
        let said = quote(&split.remarks);
        let _infallible = write!(body, "\n{} wrote:\n\n{said}", person(&split.by));
    }
    let _infallible = write!(body, "\n---\n\n**{}**\n", line(&part.title));
    if !part.body.is_empty() {
        let _infallible = write!(body, "\n{}\n", neutral(&part.body).trim_end());
    }
    PartIssue { title: neutral(&one_line(&part.title, TITLE_CHARS_MAX)), body: Text(body) }
}

/// The issues that a plan was split into, with a blank line after them. Nothing, where there
/// are none.
pub(super) fn issues_of(task: &Task, plan: &Plan, around: &Around) -> String {
    let split = task.state.split().filter(|_| !around.parts.is_empty());
    split.map(|split| list(plan, split, around) + "\n").unwrap_or_default()
}

/// The issues that a plan was split into, as a list of tasks.
pub(super) fn list(plan: &Plan, split: &Split, around: &Around) -> String {
    let mut text = String::new();
    for (index, other) in around.parts.iter().enumerate() {
        let tick = if other.stands == Stands::Merged { 'x' } else { ' ' };
        let title = plan.steps.get(index).map(|step| line(&step.title)).unwrap_or_default();
        let after = split.parts.get(index).map(|part| part.after.as_slice()).unwrap_or_default();
        let after: Vec<IssueNumber> = after
            .iter()
            .filter_map(|n| Some(split.parts.get((*n as usize).checked_sub(1)?)?.issue))
            .collect();
        let after =
            if after.is_empty() { String::new() } else { format!(" (after {})", issues(&after)) };
        let _infallible = writeln!(text, "- [{tick}] #{} {title}{after}", other.issue);
    }
    text
}

/// The first line about a plan that was split.
pub(super) fn headline(around: &Around) -> String {
    let n = around.parts.len() as u64;
    let n_merged = around.parts.iter().filter(|part| part.stands == Stands::Merged).count() as u64;
    if n_merged == n {
        return format!("**Split into {}, and all of them are merged.**", n_of(n, "issue"));
    }
    format!("**Split into {}**, {n_merged} merged so far.", n_of(n, "issue"))
}

/// What a person can do with a plan that was split.
pub(super) fn next_move(around: &Around) -> String {
    if around.parts.iter().all(|part| part.stands == Stands::Merged) {
        return "There is nothing left to do. `/plan` begins anew.".to_owned();
    }
    "Each of them has a plan of its own, and `/implement` there approves it. One that comes after \
     others waits until those are merged."
        .to_owned()
}

/// The first line about a task that is approved and waits for others.
pub(super) fn waits(before: &[Other]) -> String {
    let text = format!("**Approved.** It waits for {} to be merged.", names(before));
    let stuck = |other: &Other| {
        let how = match other.stands {
            Stands::Closed => "was closed without a merge",
            Stands::Stopped => "was stopped",
            Stands::Failed => "failed",
            Stands::Open | Stands::Merged => return None,
        };
        Some(format!("#{} {how}", other.issue))
    };
    let stuck: Vec<String> = before.iter().filter_map(stuck).collect();
    if stuck.is_empty() {
        return text;
    }
    format!("{text} But {}: somebody has to see to it.", enumerated(&stuck))
}

/// What a person can do with a task that waits for others.
pub(super) const WAITING_MOVE: &str =
    "Write `/retry` to have it begin without waiting, or `/stop` to stop it.";

/// The line that offers to split a plan, where that can be done.
pub(super) fn choice(task: &Task) -> &'static str {
    if task.plan.as_ref().is_some_and(PlanRef::can_be_split) {
        return "- `/split` makes an issue of each step, with a plan of its own.\n";
    }
    ""
}

/// What a person should know who is about to approve a part. Nothing, if it comes after no other.
pub(super) fn comes_after(before: &[Other]) -> String {
    if before.is_empty() {
        return String::new();
    }
    let is = if before.len() == 1 { "is" } else { "are" };
    let names = names(before);
    format!("\n\nIt comes after {names}, which {is} not merged: approved now, it waits.")
}

/// What a task waits for, in words that fit after "task 3".
pub(super) fn waits_standing(before: &[Other]) -> String {
    format!("is approved and waits for {} to be merged", names(before))
}

/// What a task waits for, in a few words: for tables. Nothing, if it waits for no other.
pub fn waits_for(task: &Task, around: &Around) -> Option<String> {
    task.waits(around).then(|| format!("waits for {}", names(&around.before)))
}

fn names(others: &[Other]) -> String {
    let all: Vec<IssueNumber> = others.iter().map(|other| other.issue).collect();
    issues(&all)
}

/// "#12", "#12 and #13", "#12, #13 and #14".
fn issues(all: &[IssueNumber]) -> String {
    let names: Vec<String> = all.iter().map(|issue| format!("#{issue}")).collect();
    enumerated(&names)
}

fn enumerated(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
pub(super) mod tests;
