//! One step of a plan, as a plan of its own.

use super::{PLAN_BYTES_MAX, Plan, Step, print};
use crate::id::IssueNumber;

/// Makes a plan of step `n` of the plan of an issue. The first step is 1.
///
/// What is not said of one step alone comes along as it is: the dependencies, the risks, the
/// questions and the check are those of the whole.
pub fn part(plan: &Plan, n: u32, of: IssueNumber) -> Option<Plan> {
    let step = plan.steps.get((n as usize).checked_sub(1)?)?;
    let about = format!(
        "Step {n} of {} of the plan of #{of}; its other steps are issues of their own.",
        plan.steps.len()
    );
    let files = if step.files.is_empty() { plan.files.clone() } else { step.files.clone() };
    let part = Plan {
        // A title could be taken for the heading of a section.
        title: None,
        summary: format!("{about}\n\n{}", plan.summary),
        steps: vec![Step { after: None, ..step.clone() }],
        files,
        ..plan.clone()
    };
    if print(&part).len() > PLAN_BYTES_MAX {
        return Some(Plan { summary: about, ..part });
    }
    Some(part)
}

#[cfg(test)]
mod tests;
