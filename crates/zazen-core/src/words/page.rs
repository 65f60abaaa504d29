//! The parts of a task's page that zazen writes: its progress and its result.

use std::fmt::Write as _;

use super::money::{cost, tokens};
use super::{fork, n_done, n_of, parked, proof, split};
use crate::plan::Plan;
use crate::task::{Around, Note, Phase, State, Task};
use crate::text::{cut_middle, fence, one_line};

/// How much evidence the page repeats, in bytes.
const PAGE_EVIDENCE_BYTES_MAX: usize = 4 * 1024;

/// The progress part: state, run under way, steps with their boxes, cost.
pub fn progress(task: &Task, plan: Option<&Plan>, around: &Around) -> String {
    let mut text = format!("State: {}\n", one_line(&task.state.to_string(), 200));
    if let Some(from) = fork::provenance(task) {
        let _infallible = writeln!(text, "{from}");
    }
    if let Some(waits) = split::waits_for(task, around) {
        let _infallible = writeln!(text, "It {waits}");
    }
    if let Some(run) = &task.run {
        let _infallible = writeln!(text, "Run: {}, {}", run.id, doing(run.phase));
    }
    if let Some(agents) = parked::passed_over(task) {
        let _infallible = writeln!(text, "Agents: {agents}");
    }
    let _infallible = writeln!(
        text,
        "Cost so far: {} ({} tokens in {})",
        cost(task.usage.cost),
        tokens(task.usage.tokens.total()),
        n_of(task.usage.n_calls, "model call")
    );
    let Some(plan) = plan else { return text };
    text.push('\n');
    if let State::Split(of) = &task.state {
        text.push_str(&split::list(plan, of, around));
        return text;
    }
    let n_done = n_done(task, plan);
    for (index, step) in plan.steps.iter().enumerate() {
        let tick = if index < n_done { 'x' } else { ' ' };
        let _infallible =
            writeln!(text, "- [{tick}] {}. {}", index + 1, one_line(&step.title, 200));
    }
    text
}

/// The result part: what came of it, or what went wrong.
pub fn result(task: &Task) -> Option<String> {
    let head = task.state.work().and_then(|work| work.head.as_ref());
    match &task.state {
        State::Drafted { pull, head, .. } => {
            Some(format!("Draft pull request #{pull}, at commit {}.\n", head.short()))
        }
        State::Merged { pull } => Some(format!("Merged as #{pull}.\n")),
        State::Closed { pull: Some(pull) } => {
            Some(format!("#{pull} was closed without a merge.\n"))
        }
        State::Closed { pull: None }
            if task.notes.iter().any(|note| matches!(note, Note::Answered { .. })) =>
        {
            Some("Answered; the answer is in `report.md`.\n".to_owned())
        }
        State::Failed { trouble, .. } => {
            let mut text =
                format!("Failed: {}.\n{}\n", trouble.kind.sentence(), trouble.kind.advice());
            if let Some(head) = head {
                let _infallible = writeln!(text, "The finished commits are kept, up to {head}.");
            }
            if !trouble.evidence.is_empty() {
                let cut = cut_middle(&trouble.evidence, PAGE_EVIDENCE_BYTES_MAX);
                text.push('\n');
                text.push_str(&fence(&cut, "text"));
            }
            Some(text)
        }
        State::Parked { pause, .. } => Some(format!("Waits: {}.\n", parked::because(pause))),
        State::Held(work) => Some(proof::held_back(work)),
        State::Stopped { by, .. } => Some(format!("Stopped, as {} asked.\n", one_line(by, 60))),
        State::Closed { pull: None }
        | State::Received(_)
        | State::Planning(_)
        | State::AwaitingApproval
        | State::Splitting(_)
        | State::Split(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Reviewing(_)
        | State::Correcting(_)
        | State::Publishing(_)
        | State::Rebasing(_) => None,
    }
}

/// What a phase is called while it is under way.
pub fn doing(phase: Phase) -> String {
    match phase {
        Phase::Plan => "reading the code and writing a plan".to_owned(),
        Phase::Review => "reading the change to review it".to_owned(),
        Phase::Ask => "reading the code to answer".to_owned(),
        Phase::Implement { step } => format!("carrying out step {step}"),
        Phase::Verify => "running the checks".to_owned(),
        Phase::Correct => "mending what is wrong".to_owned(),
        Phase::Baseline => "running the checks on what was there before".to_owned(),
    }
}
