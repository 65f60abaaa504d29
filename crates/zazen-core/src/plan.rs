//! The plan: what an agent proposes to do, as Markdown that people may edit.
//!
//! [`parse`] is tolerant of how agents and people write ([`sections`] finds the
//! parts, [`content`] reads each), and names everything that is wrong at once,
//! so that an agent can repair it in one go. [`print()`] writes the one canonical
//! form. An approval is bound to the text, not to this value.

mod after;
mod content;
mod part;
mod sections;

use std::fmt::{self, Write};

use sections::{Name, Sections};

pub use self::part::part;
use crate::text;

/// What an agent proposes to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub title: Option<String>,
    /// What will be different afterwards, as Markdown.
    pub summary: String,
    pub steps: Vec<Step>,
    /// The paths that will be touched, from the root of the repository.
    pub files: Vec<String>,
    /// New dependencies, each as it is written; see [`name_of`].
    pub dependencies: Vec<String>,
    /// The command that shows that the work is right. Several lines are a
    /// shell script, to be stopped at the first line that fails.
    pub validation: Option<String>,
    pub risks: Vec<String>,
    pub questions: Vec<Question>,
    /// What is left alone on purpose.
    pub non_goals: Vec<String>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    pub title: String,
    /// More about the step, as Markdown; may be empty.
    pub body: String,
    /// The paths that this step touches, where the plan says so.
    pub files: Vec<String>,
    /// The numbers of the steps that it comes after, where the plan says so. They are
    /// smaller than its own. See [`Plan::comes_after`].
    pub after: Option<Vec<u32>>,
}

/// Something that the plan depends on and the agent could not find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    pub answer: Option<String>,
}

/// Everything that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The number of the line, if it is about one; the first is 1.
    pub line: Option<usize>,
    /// What is wrong, for the agent that is to repair it.
    pub text: String,
}

/// How many steps a plan may have. More than thirty is more than one pull
/// request, and more than a person reads before saying yes.
pub const STEPS_MAX: usize = 30;

/// How long the text of a plan may be: it has to fit into one comment on any
/// forge (GitHub takes 64 KiB), with room for what we write around it.
pub const PLAN_BYTES_MAX: usize = 48 * 1024;

/// How many problems are named. An agent that made more has not understood
/// the form, and more lines will not help it.
const PROBLEMS_MAX: usize = 20;

/// Stands where a section has nothing to say.
const NONE: &str = "None.";

/// The form of a plan, as agents are told to write it.
const FORMAT_HELP: &str = include_str!("plan/format.md");

/// The form of a plan, as agents are told to write it. It is a plan itself.
pub fn format_help() -> &'static str {
    FORMAT_HELP
}

impl Plan {
    /// The numbers of the steps that have to be done before step `n`. The first step is 1.
    pub fn comes_after(&self, n: u32) -> Vec<u32> {
        let step = (n as usize).checked_sub(1).and_then(|index| self.steps.get(index));
        match step.and_then(|step| step.after.clone()) {
            Some(after) => after,
            None => n.checked_sub(1).filter(|before| *before > 0).into_iter().collect(),
        }
    }
}

/// Reads a plan, from the plan alone or from an agent's message around it.
pub fn parse(text: &str) -> Result<Plan, ParseError> {
    if text.len() > PLAN_BYTES_MAX {
        let why = format!(
            "the plan has {} bytes, and at most {PLAN_BYTES_MAX} are allowed; make it shorter",
            text.len()
        );
        return Err(ParseError { problems: vec![Problem { line: None, text: why }] });
    }
    let Sections { title, summary, found, mut problems } = sections::split(text);
    let get = |name: Name| found.get(&name).map_or(&[][..], |section| &section.lines);

    let steps = content::steps(get(Name::Steps), &mut problems);
    let validation = content::validation(get(Name::Validation));
    let missing = [
        (Name::Summary, summary.is_empty(), "say what will be different afterwards"),
        (Name::Steps, steps.is_empty(), "write each step as `- [ ] 1. title`"),
        (Name::Validation, validation.is_none(), "give the one command that checks the work"),
    ];
    for (name, _, advice) in missing.into_iter().filter(|(_, is_missing, _)| *is_missing) {
        let heading = name.heading();
        problems.push(match found.get(&name) {
            None => {
                Problem { line: None, text: format!("there is no `{heading}` section; {advice}") }
            }
            Some(section) => Problem {
                line: Some(section.line),
                text: format!("the `{heading}` section is empty; {advice}"),
            },
        });
    }
    if steps.len() > STEPS_MAX {
        let text = format!(
            "there are {} steps, and at most {STEPS_MAX} are allowed; join those that belong \
             together",
            steps.len()
        );
        problems.push(Problem { line: found.get(&Name::Steps).map(|s| s.line), text });
    }
    if !problems.is_empty() {
        problems.sort();
        return Err(ParseError { problems });
    }
    Ok(Plan {
        title,
        summary,
        steps,
        files: content::paths(get(Name::Files)),
        dependencies: content::items(get(Name::Dependencies)),
        validation,
        risks: content::items(get(Name::Risks)),
        questions: content::questions(get(Name::Questions)),
        non_goals: content::items(get(Name::NonGoals)),
    })
}

/// The name that an item of a plan is about: what stands in its first
/// backticks, or else its first word. `` `serde` 1, for the config `` is `serde`.
pub fn name_of(item: &str) -> &str {
    content::first_code(item).unwrap_or_else(|| {
        let word = item.split_whitespace().next().unwrap_or_default();
        word.trim_matches(|c| matches!(c, '`' | ',' | ';' | ':'))
    })
}

/// Writes a plan in its canonical form.
pub fn print(plan: &Plan) -> String {
    let mut out = String::new();
    if let Some(title) = &plan.title {
        out = format!("# {title}\n\n");
    }
    let steps: Vec<String> =
        plan.steps.iter().enumerate().map(|(i, step)| print_step(i + 1, step)).collect();
    let files: Vec<String> = plan.files.iter().map(|path| format!("- `{path}`\n")).collect();
    let validation = plan.validation.as_deref().map(|command| text::fence(command, "sh"));
    let questions: Vec<String> = plan.questions.iter().map(print_question).collect();
    let parts = [
        (Name::Summary, format!("{}\n", plan.summary)),
        (Name::Steps, steps.concat()),
        (Name::Files, files.concat()),
        (Name::Dependencies, print_items(&plan.dependencies)),
        (Name::Validation, validation.unwrap_or_default()),
        (Name::Risks, print_items(&plan.risks)),
        (Name::Questions, questions.concat()),
        (Name::NonGoals, print_items(&plan.non_goals)),
    ];
    for (name, part) in parts {
        let part = if part.is_empty() { format!("{NONE}\n") } else { part };
        writeln!(out, "{}\n\n{part}", name.heading()).expect("a string can always grow");
    }
    out.truncate(out.trim_end_matches('\n').len());
    out.push('\n');
    out
}

fn print_step(number: usize, step: &Step) -> String {
    let mut out = format!("- [ ] {number}. {}\n", step.title);
    if !step.files.is_empty() {
        let paths: Vec<String> = step.files.iter().map(|path| format!("`{path}`")).collect();
        writeln!(out, "  Files: {}", paths.join(", ")).expect("a string can always grow");
    }
    if let Some(after) = &step.after {
        writeln!(out, "  {}", after::print(after)).expect("a string can always grow");
    }
    for line in step.body.lines() {
        out.push_str(if line.is_empty() { "" } else { "  " });
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn print_question(question: &Question) -> String {
    let answer = question.answer.as_deref().map(|answer| format!(" {answer}")).unwrap_or_default();
    format!("- {}\n  Answer:{answer}\n", question.text)
}

fn print_items(items: &[String]) -> String {
    items.iter().flat_map(|item| ["- ", item, "\n"]).collect()
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().take(PROBLEMS_MAX).enumerate() {
            f.write_str(if i == 0 { "" } else { "\n" })?;
            problem.fmt(f)?;
        }
        match self.problems.len().saturating_sub(PROBLEMS_MAX) {
            0 => Ok(()),
            n_more => write!(f, "\nand {n_more} more"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests;
