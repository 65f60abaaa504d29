//! The contractor's brief: what somebody wants done, and within what bounds.
//!
//! It is read from an issue's text: from the form for it ([`crate::form`]), or from front
//! matter above the text. Everything in it is somebody's text like any other. What is missing
//! is asked for by the plan's questions, and what cannot be read is not guessed at. What became
//! of it, once a person has said yes, is the [`crate::contract`].

mod moment;
mod money;

use crate::budget::Limit;
use crate::form::Form;
use crate::id::Time;
use crate::page::Page;
use crate::plan::{Plan, Problem};
use crate::text::{cut_middle, one_line};

/// What somebody wrote. A part that was left out is empty here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brief {
    pub goal: String,
    pub non_goals: String,
    /// The validation command that is proposed.
    pub check: String,
    /// Where to stop and ask.
    pub boundary: String,
    /// Who is to be asked for a review, by their logins.
    pub reviewers: Vec<String>,
    /// The most that the task may cost.
    pub budget: Limit,
    /// When it has to be done.
    pub deadline: Option<Time>,
    pub context: String,
    /// The parts that say something, and nobody can tell what.
    pub unreadable: Vec<Part>,
}

/// A part of a brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Goal,
    Check,
    Budget,
    Deadline,
}

/// How long a value in front matter may be. What is longer is a text, and stands below it.
const VALUE_BYTES_MAX: usize = 4 * 1024;

/// How long the goal may be where it stands in a line, in characters.
const GOAL_CHARS_MAX: usize = 300;

/// The keys of front matter that make it a brief.
const KEYS: [&str; 8] =
    ["goal", "non-goals", "check", "ask-first", "reviewer", "budget", "deadline", "context"];

impl Part {
    /// With what a question about this part begins, for agents; and what it is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Goal => "Goal",
            Self::Check => "Validation command",
            Self::Budget => "Budget",
            Self::Deadline => "Deadline",
        }
    }
}

impl Brief {
    /// Reads the text of an issue. None where it is a text and no brief.
    pub fn parse(text: &str) -> Option<Self> {
        match Form::parse(text) {
            Some(form) => Some(Self::of_form(form)),
            None => Self::of_front_matter(text),
        }
    }

    fn of_form(form: Form) -> Self {
        let Form { goal, non_goals, check, boundary, reviewers, budget, deadline, context } = form;
        let brief =
            Self { goal, non_goals, check, boundary, reviewers, context, ..Self::default() };
        brief.bounded(&budget, &deadline)
    }

    fn of_front_matter(text: &str) -> Option<Self> {
        // What some forges put before it is no text.
        let page = Page::parse(text.trim_start()).ok()?;
        if !page.keys().any(|key| KEYS.contains(&key)) {
            return None;
        }
        let value = |key: &str| {
            let value = page.list(key).filter(|list| list.len() > 1);
            let value = value.map(|list| list.join("\n")).or_else(|| page.text(key));
            cut_middle(value.unwrap_or_default().trim(), VALUE_BYTES_MAX)
        };
        let reviewers = page.list("reviewer").unwrap_or_default().join(" ");
        let body = page.body().trim();
        // The text below is the goal where none is named.
        let (goal, context) = match value("goal") {
            goal if goal.is_empty() => (body.to_owned(), value("context")),
            goal => (goal, format!("{}\n\n{body}", value("context")).trim().to_owned()),
        };
        let brief = Self {
            goal,
            non_goals: value("non-goals"),
            check: one_line(&value("check"), VALUE_BYTES_MAX),
            boundary: value("ask-first"),
            reviewers: crate::form::logins(&reviewers),
            context,
            ..Self::default()
        };
        Some(brief.bounded(&value("budget"), &value("deadline")))
    }

    fn bounded(mut self, budget: &str, deadline: &str) -> Self {
        match money::parse(budget) {
            Some(limit) => self.budget = limit,
            None => self.unreadable.push(Part::Budget),
        }
        match moment::parse(deadline) {
            Ok(at) => self.deadline = at,
            Err(()) => self.unreadable.push(Part::Deadline),
        }
        self
    }

    /// The goal in one line.
    pub fn headline(&self) -> String {
        one_line(&self.goal, GOAL_CHARS_MAX)
    }

    /// The parts that a plan has to ask for. `owners_check` is the owner's validation command,
    /// by which there is one.
    pub fn missing(&self, owners_check: &str) -> Vec<Part> {
        let missing = [
            (Part::Goal, self.goal.trim().is_empty()),
            (Part::Check, self.check.is_empty() && owners_check.is_empty()),
        ];
        let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
        missing.map(|(part, _)| part).chain(self.unreadable.iter().copied()).collect()
    }
}

/// What a plan does not ask, though the brief does not say it. A part is asked for by a question
/// that begins with its label.
pub fn unasked(plan: &Plan, missing: &[Part]) -> Vec<Problem> {
    let is_about = |part: Part| {
        plan.questions.iter().any(|question| {
            let text = question.text.trim_start_matches(['*', '_', '`', ' ']);
            let label = part.label();
            text.get(..label.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(label))
        })
    };
    let unasked = missing.iter().filter(|part| !is_about(**part));
    let problem = |part: &Part| {
        let label = part.label();
        let text = format!(
            "the brief does not say its {}, and no question asks for it; add one under \
             `## Open questions` that begins with `{label}:`, with your proposal",
            label.to_lowercase()
        );
        Problem { line: None, text }
    };
    unasked.map(problem).collect()
}

/// Writes a brief as the form shows one that was filled in.
#[expect(clippy::format_push_string, reason = "a short text, in no hurry")]
pub fn print(brief: &Fields<'_>) -> String {
    let fields = [
        ("Goal", brief.goal),
        ("Non-goals", brief.non_goals),
        ("Validation command", brief.check),
        ("Where to stop and ask", brief.boundary),
        ("Reviewer", brief.reviewers),
        ("Budget", brief.budget),
        ("Deadline", brief.deadline),
        ("Context", brief.context),
    ];
    let mut text = String::new();
    for (label, value) in fields {
        let value = if value.trim().is_empty() { "_No response_" } else { value.trim() };
        text.push_str(&format!("### {label}\n\n{value}\n\n"));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// What was said of each part, as it is to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    pub goal: &'a str,
    pub non_goals: &'a str,
    pub check: &'a str,
    pub boundary: &'a str,
    pub reviewers: &'a str,
    pub budget: &'a str,
    pub deadline: &'a str,
    pub context: &'a str,
}

impl Fields<'_> {
    /// Whether a budget and a deadline that somebody typed can be read. Says which not.
    pub fn check(&self) -> Result<(), String> {
        if money::parse(self.budget).is_none() {
            return Err(format!(
                "`{}` is no budget; write an amount such as \"$5\", or \"200k tokens\"",
                self.budget
            ));
        }
        if moment::parse(self.deadline).is_err() {
            return Err(format!(
                "`{}` is no deadline; write a day of UTC such as \"2027-01-31\", or \
                 \"2027-01-31 18:00\"",
                self.deadline
            ));
        }
        Ok(())
    }
}

impl Fields<'_> {
    /// The budget and the deadline. What cannot be read is none.
    pub(crate) fn read(&self) -> (Limit, Option<Time>) {
        let budget = money::parse(self.budget).unwrap_or_default();
        (budget, moment::parse(self.deadline).unwrap_or_default())
    }
}

/// A limit, as people read it: empty where there is none.
pub fn budget_words(limit: Limit) -> String {
    money::print(limit)
}

#[cfg(test)]
mod tests;
