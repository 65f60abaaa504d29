//! The contract: what a person says yes to, in a few lines.
//!
//! It is made from the plan, the brief and what the owner allows when the plan is shown, kept by
//! its hash, and shown with it. An approval records the hash. What holds of it afterwards, the
//! budget and the deadline, is read from the text that was approved, and never from an issue
//! that somebody may have changed since.

use std::fmt::Write as _;

use crate::brief::{self, Brief};
use crate::budget::Limit;
use crate::delegate::Kind;
use crate::id::{PlanHash, Time};
use crate::plan::Plan;
use crate::text::one_line;

/// What a contract is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    pub hash: &'a PlanHash,
    pub plan: &'a Plan,
    pub brief: &'a Brief,
    /// The title, which says the goal where the brief does not.
    pub title: &'a str,
    /// The command that will be run.
    pub check: &'a str,
    /// The hosts that runs may reach.
    pub hosts: &'a [String],
    /// The kinds that the work is of.
    pub kinds: &'a [&'a Kind],
}

/// What holds while the work is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    pub budget: Limit,
    pub deadline: Option<Time>,
    /// Who has to look at the draft before anybody merges it.
    pub reviewers: Vec<String>,
}

/// The first line. With another one, the lines mean something else.
const HEAD: &str = "contract 1";

/// How long a line may be, in characters. What is longer stands whole in the plan.
const LINE_CHARS_MAX: usize = 2000;

const NONE: &str = "none";

/// Writes a contract.
pub fn print(parts: &Parts<'_>) -> String {
    let Parts { hash, plan, brief, title, check, hosts, kinds } = parts;
    let goal = if brief.goal.trim().is_empty() { title } else { brief.goal.as_str() };
    let non_goals: Vec<&str> = [brief.non_goals.as_str()]
        .into_iter()
        .chain(plan.non_goals.iter().map(String::as_str))
        .filter(|text| !text.trim().is_empty())
        .collect();
    let bounds = bounds_of(brief, kinds);
    let deadline = bounds.deadline.map(|at| at.utc().to_string()).unwrap_or_default();
    let files: Vec<&str> = files(plan);
    let lines = [
        ("plan", hash.as_str().to_owned()),
        ("goal", goal.to_owned()),
        ("not", non_goals.join("; ")),
        ("files", files.join(", ")),
        ("dependencies", plan.dependencies.join("; ")),
        ("hosts", hosts.join(", ")),
        ("checks", check.replace('\n', "; ")),
        ("stop and ask", brief.boundary.clone()),
        ("budget", brief::budget_words(bounds.budget)),
        ("deadline", deadline),
        ("reviewers", bounds.reviewers.join(", ")),
    ];
    let mut text = format!("{HEAD}\n");
    for (key, value) in lines {
        let value = one_line(&value, LINE_CHARS_MAX);
        let value = if value.trim().is_empty() { NONE } else { value.trim() };
        let _infallible = writeln!(text, "{key}: {value}");
    }
    for kind in *kinds {
        let before = kind.need().map_or("anybody who may".to_owned(), |need| need.words());
        let good = if kind.hands.is_good { "; goes well" } else { "" };
        let name = one_line(&kind.name, LINE_CHARS_MAX);
        let _infallible = writeln!(text, "kind: {name}; approved by {before}{good}");
    }
    text
}

/// The paths that the plan and its steps name, each once, in their order.
fn files(plan: &Plan) -> Vec<&str> {
    let mut files: Vec<&str> = Vec::new();
    let steps = plan.steps.iter().flat_map(|step| &step.files);
    for path in plan.files.iter().chain(steps) {
        if !files.contains(&path.as_str()) {
            files.push(path);
        }
    }
    files
}

/// What holds of a brief for work of these kinds.
pub fn bounds_of(brief: &Brief, kinds: &[&Kind]) -> Bounds {
    let mut reviewers = brief.reviewers.clone();
    for name in kinds.iter().flat_map(|kind| &kind.hands.after) {
        if !reviewers.contains(name) {
            reviewers.push(name.clone());
        }
    }
    Bounds { budget: brief.budget, deadline: brief.deadline, reviewers }
}

/// Reads what holds from the text of a contract. Nothing holds of a text that is none.
pub fn bounds(text: &str) -> Bounds {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Bounds::default();
    }
    let value = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        value.filter(|value| *value != NONE).unwrap_or_default()
    };
    let fields = brief::Fields {
        budget: value("budget"),
        deadline: value("deadline"),
        ..Default::default()
    };
    let (budget, deadline) = fields.read();
    let reviewers = value("reviewers").split(", ").filter(|name| !name.is_empty());
    Bounds { budget, deadline, reviewers: reviewers.map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests;
