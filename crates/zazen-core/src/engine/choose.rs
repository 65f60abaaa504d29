//! Which agent acts next, of those that may.
//!
//! Two things keep an agent from acting: what runs of the same task have come to, which the
//! journal has, and what the daemon knows of the agents' services. A person who says `/retry`
//! has it tried whatever is known.

use super::{Patience, Policy};
use crate::id::{AgentName, Time};
use crate::roster::{Closed, Role, Shut};
use crate::task::{Hold, Known, Passed, Phase, Task, Why};

/// Who begins the next run of a task.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This agent, and none for the checks. Those before it in the list may not.
    Begin { agent: Option<AgentName>, passed: Vec<Passed> },
    /// None of them may.
    Nobody { hold: Hold, passed: Vec<Passed> },
}

pub(super) fn choose(
    policy: &Policy,
    closed: &Closed,
    (task, phase): (&Task, Phase),
    now: Time,
) -> Choice {
    let mut passed = Vec::new();
    let Some(role) = Role::of(phase) else { return Choice::Begin { agent: None, passed } };
    let proof = task.state.work().map(|work| &work.proof);
    let agents = match (phase, proof, task.own_agent(role)) {
        // Not everybody may review zazen's own work: see `roster::reviewers`.
        (Phase::Review, Some(proof), _) => proof.reviewers().to_vec(),
        (_, _, Some(agent)) => vec![agent.clone()],
        (_, _, None) => policy.roster.agents(&task.repo, role),
    };
    let n_agents = if policy.patience.fails_over { agents.len() } else { 1 };
    for agent in agents.into_iter().take(n_agents) {
        let shut = shut(task, closed.shut(&agent, role), &agent, now);
        match shut.filter(|_| !task.state.is_forced()) {
            Some(shut) => passed.push(shut),
            None => return Choice::Begin { agent: Some(agent), passed },
        }
    }
    Choice::Nobody { hold: until_the_first(policy.patience, &passed), passed }
}

/// Why an agent may not act for a task now, if it may not: by what keeps it for longest.
fn shut(task: &Task, closed: Option<&Shut>, agent: &AgentName, now: Time) -> Option<Passed> {
    let own = task.passed.iter().find(|passed| passed.agent == *agent).cloned();
    let closed = closed.map(|Shut { why, free }| {
        let (until, known) = (free.map(|free| free.at), free.map_or(Known::Tried, |f| f.known));
        Passed { agent: agent.clone(), why: *why, until, known, n: 0 }
    });
    let shut = own.into_iter().chain(closed).filter(|passed| passed.is_shut(now));
    shut.max_by_key(|passed| (passed.why == Why::Login, passed.until.is_none(), passed.until))
}

/// A wait until the first of them is free again. None of them is, where all lack a login.
fn until_the_first(patience: Patience, passed: &[Passed]) -> Hold {
    let Patience { fails_over, resumes, wait_max_ms } = patience;
    let timed = passed.iter().filter(|passed| passed.why != Why::Login);
    let first = timed.min_by_key(|passed| (passed.until.is_none(), passed.until));
    let (why, free) = first.map_or((Why::Login, None), |first| (first.why, first.free()));
    Hold { why, free, resumes, wait_max_ms, fails_over }
}

#[cfg(test)]
mod tests;
