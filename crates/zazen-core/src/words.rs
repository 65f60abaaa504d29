//! Every sentence that people read on a forge.
//!
//! A [`Text`] can be made here and nowhere else, so that no part of zazen can
//! write to a person ad hoc. What came from outside (agents, issues, output) is
//! neutralised before it goes into one.

mod day;
mod event;
mod money;
mod page;
mod pull;

use std::fmt::Write as _;

pub use self::day::{day_line, home_commit};
pub use self::event::{event_line, event_lines};
pub use self::money::{cost, elapsed, tokens};
pub use self::page::{doing, progress, result};
pub use self::pull::{Evidence, FileChange, Pull, pull, step_commit};
use crate::plan::{self, Plan};
use crate::reply::{Reply, StatusLine};
use crate::task::{Note, State, Task, Trouble};
use crate::text::{cut_middle, fence, neutral};

/// A text for people. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much of an agent's answer goes into a comment, in bytes. Forges take 65,536 characters.
const ANSWER_BYTES_MAX: usize = 32 * 1024;

/// The plan's comment: where the task stands, the plan, and what a person can do.
pub fn plan_comment(task: &Task, plan: &Plan, page: &str) -> Text {
    let mut text = format!("{}\n\n", headline(task, plan));
    let n_done = task.state.work().map_or(0, |work| work.n_done as usize);
    let n_done = if is_delivered(&task.state) { plan.steps.len() } else { n_done };
    text.push_str(neutral(&ticked(plan, n_done)).trim_end());
    text.push_str("\n\n---\n\n");
    text.push_str(&next_move(task, plan));
    if let Some(version) = task.plan.as_ref().map(|plan| plan.version).filter(|v| *v > 1) {
        let _infallible = write!(
            text,
            "\n\nThis is version {version} of the plan; the earlier ones are in the history of `{page}`."
        );
    }
    Text(text)
}

fn is_delivered(state: &State) -> bool {
    matches!(
        state,
        State::Verifying(_)
            | State::Correcting(_)
            | State::Publishing(_)
            | State::Drafted { .. }
            | State::Merged { .. }
    )
}

/// Prints the plan with its first `n_done` boxes ticked.
fn ticked(plan: &Plan, n_done: usize) -> String {
    let mut left = n_done;
    let mut text = String::new();
    for line in plan::print(plan).lines() {
        match line.strip_prefix("- [ ]") {
            Some(rest) if left > 0 => {
                left -= 1;
                text.push_str("- [x]");
                text.push_str(rest);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

fn headline(task: &Task, plan: &Plan) -> String {
    let n_steps = plan.steps.len();
    match &task.state {
        State::AwaitingApproval if plan.questions.is_empty() => {
            "**Here is the plan.** It waits for your approval.".to_owned()
        }
        State::AwaitingApproval => format!(
            "**Here is the plan.** It waits for your approval, and has {}.",
            n_of(plan.questions.len(), "open question")
        ),
        State::Received(_) | State::Planning(_) => "**The plan is being revised.**".to_owned(),
        State::Queued(_) => "**Approved.** It waits for a place to be carried out.".to_owned(),
        State::Implementing(work) => {
            format!("**In progress:** step {} of {n_steps}.", work.n_done + 1)
        }
        State::Verifying(_) => "**All steps are done.** zazen runs the checks.".to_owned(),
        State::Correcting(_) => "**The checks were red.** They are being mended, once.".to_owned(),
        State::Publishing(_) => {
            "**The checks are green.** The draft pull request is being opened.".to_owned()
        }
        State::Drafted { pull, .. } => format!("**Draft pull request #{pull} is open.**"),
        State::Merged { pull } => format!("**Merged with #{pull}.**"),
        State::Closed { .. } => "**Closed.**".to_owned(),
        State::Stopped { .. } => "**Stopped.**".to_owned(),
        State::Failed { trouble, .. } => format!("**Failed:** {}.", trouble.kind.sentence()),
    }
}

fn next_move(task: &Task, plan: &Plan) -> String {
    match &task.state {
        State::AwaitingApproval => {
            let answers = if plan.questions.is_empty() { "" } else { ", with your answers," };
            format!(
                "Write `/implement`{answers} to approve exactly this text (`{}`), or `/plan` with \
                 your remarks to have it revised. You can also edit the plan itself.",
                task.plan.as_ref().map_or("", |plan| plan.hash.short())
            )
        }
        State::Failed { trouble, .. } => trouble.kind.advice().to_owned(),
        State::Stopped { .. } => "Write `/retry` to go on from here.".to_owned(),
        State::Drafted { .. } => "Review it there. zazen never merges.".to_owned(),
        State::Merged { .. } | State::Closed { .. } => "There is nothing left to do.".to_owned(),
        State::Received(_)
        | State::Planning(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Correcting(_)
        | State::Publishing(_) => "Write `/stop` to stop.".to_owned(),
    }
}

/// Where the finished commits of a task that failed can be had.
#[derive(Debug, Clone)]
pub struct Kept {
    pub commit: String,
    /// The command that fetches them.
    pub fetch: String,
}

/// A note: a sentence that people must see. `answer` is the text of an answered question.
pub fn note(note: &Note, answer: &str, kept: Option<&Kept>) -> Text {
    Text(match note {
        Note::Drafted { pull } => {
            format!("Draft pull request #{pull} is ready for you: the checks passed on its commit.")
        }
        Note::Stopped { by } => format!("Stopped, as {by} asked. Write `/retry` to go on."),
        Note::Answered { .. } => neutral(&cut_middle(answer.trim(), ANSWER_BYTES_MAX)),
        Note::Failed { trouble } => failed(trouble, kept),
    })
}

fn failed(trouble: &Trouble, kept: Option<&Kept>) -> String {
    let mut text = format!("I gave up: {}. {}", trouble.kind.sentence(), trouble.kind.advice());
    if let Some(kept) = kept {
        let _infallible = write!(
            text,
            "\n\nThe finished commits are kept, up to `{}`:\n\n{}",
            kept.commit,
            fence(&kept.fetch, "sh")
        );
    }
    if !trouble.evidence.trim().is_empty() {
        let _infallible = write!(
            text,
            "\n\n<details><summary>What happened</summary>\n\n{}\n</details>",
            fence(trouble.evidence.trim(), "text")
        );
    }
    text
}

/// A small answer to a comment.
pub fn reply(reply: &Reply) -> Text {
    Text(match reply {
        Reply::BadCommand { why } => neutral(why),
        Reply::NoPlan => {
            "There is no plan to carry out yet. Write `/plan` first; when the plan is \
                          here, `/implement` approves it."
                .to_owned()
        }
        Reply::UnreadablePlan { why } => format!(
            "The plan was edited and cannot be read now, so nothing was started. Mend it and write \
             `/implement` again.\n\n{}",
            fence(why, "text")
        ),
        Reply::NoTask { command } => {
            format!("There is nothing here that `/{command}` could act on. Write `/plan` to begin.")
        }
        Reply::Several { replies: _ } => String::new(),
        Reply::WrongTime { command, task, state, .. } => format!(
            "`/{command}` does not fit now: task {task} is {}. {}",
            neutral(state),
            "Write `/status` to see what can be done."
        ),
        Reply::Status { tasks } if tasks.is_empty() => {
            "Nothing is under way on this issue. Write `/plan` to begin.".to_owned()
        }
        Reply::Status { tasks } => status(tasks),
    })
}

fn status(tasks: &[StatusLine]) -> String {
    let mut text = String::from("| task | state | tokens | cost |\n|---|---|---|---|\n");
    for line in tasks {
        let _infallible = writeln!(
            text,
            "| {} | {} | {} | {} |",
            line.task,
            neutral(&line.state),
            tokens(line.usage.tokens.total()),
            cost(line.usage.cost)
        );
    }
    text
}

/// "1 open question", "2 open questions".
fn n_of(n: usize, noun: &str) -> String {
    if n == 1 { format!("{n} {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests;
