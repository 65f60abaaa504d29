//! The day in prose, and the messages of the home's commits.

use super::n_of;
use crate::task::{Event, Outcome, Task};
use crate::text::one_line;

/// The line that an event adds to the day's page, if it is worth one.
///
/// `task` is the task after the event.
pub fn day_line(task: &Task, event: &Event) -> Option<String> {
    let name = format!("task {} ({} #{})", task.id, task.repo, task.issue);
    Some(match event {
        Event::PlanSentBack { by, .. } => format!("{by} sent the plan of {name} back."),
        Event::PlanEdited { .. } => format!("The plan of {name} was edited by hand."),
        Event::PlanApproved { by, hash, .. } => {
            format!("{by} approved plan `{}` of {name}.", hash.short())
        }
        Event::StopAsked { by } => format!("{by} stopped {name}."),
        Event::RetryAsked { by, .. } => format!("{by} sent {name} on."),
        Event::Blocked { trouble } => format!("{name} is stuck: {}.", trouble.kind.sentence()),
        Event::RunEnded { outcome, .. } => return outcome_line(&name, task, outcome),
        Event::Pushed { head } => format!("Pushed `{}` for {name}.", head.short()),
        Event::PullOpened { pull } => format!("Opened draft pull request #{pull} for {name}."),
        Event::PullMerged => format!("The pull request of {name} was merged."),
        Event::PullClosed => format!("The pull request of {name} was closed."),
        Event::BaseFound { .. }
        | Event::RunBegun { .. }
        | Event::Shown { .. }
        | Event::Acknowledged { .. }
        | Event::CommandTaken { .. } => return None,
    })
}

fn outcome_line(name: &str, task: &Task, outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Planned { plan } => {
            let steps = n_of(plan.n_steps as usize, "step");
            format!(
                "Planned {name}: {steps}, {}.",
                n_of(plan.n_questions as usize, "open question")
            )
        }
        Outcome::Answered { .. } => format!("Answered the question of {name}."),
        Outcome::StepDone { head, .. } => {
            let n_done = task.state.work().map_or(0, |work| work.n_done);
            format!("Step {n_done} of {name} is done, at `{}`.", head.short())
        }
        Outcome::ChecksGreen { head } => {
            format!("The checks of {name} are green at `{}`.", head.short())
        }
        Outcome::Failed { trouble } => {
            format!("A run of {name} failed: {}.", trouble.kind.sentence())
        }
        Outcome::Stopped => return None,
    })
}

/// The message of a commit of the home that holds these lines of the day.
pub fn home_commit(lines: &[String]) -> String {
    match lines {
        [] => "Keep the pages up to date".to_owned(),
        [only] => one_line(only.trim_end_matches('.'), 72),
        [first, rest @ ..] => format!(
            "{}, and {} more\n\n{}\n",
            one_line(first.trim_end_matches('.'), 60),
            rest.len(),
            lines
                .iter()
                .map(|line| format!("- {}", one_line(line, 200)))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    }
}
