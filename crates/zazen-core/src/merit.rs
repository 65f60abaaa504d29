//! What came of the work of each agent, in each role: the record of who did best.
//!
//! Made of the facts of the journal, in their order. It is for people: nothing is decided
//! by it. A task counts for every agent that had a run in it, so that one which was
//! finished by another counts for both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::engine::{Change, Fact};
use crate::id::{AgentName, RunId, TaskId};
use crate::roster::Role;
use crate::task::{Event, Outcome, Phase};
use crate::usage::Usage;

/// See the module. Filled by [`Merits::see`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merits {
    tasks: BTreeMap<TaskId, Of>,
    runs: BTreeMap<(AgentName, Role), Runs>,
}

/// What came of one agent's work in one role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Merit {
    /// The tasks in which it had a run.
    pub n_tasks: u64,
    /// Those whose pull request was opened.
    pub n_drafted: u64,
    /// Those whose pull request was merged.
    pub n_merged: u64,
    /// Those whose pull request is closed and was not merged.
    pub n_closed: u64,
    /// The rounds of correction in all of its tasks, whoever made them.
    pub n_corrections: u64,
    pub n_runs: u64,
    /// Those of its runs that failed.
    pub n_failed: u64,
    /// What its own runs used.
    pub usage: Usage,
}

/// One task, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Of {
    acted: BTreeSet<(AgentName, Role)>,
    /// The run that is under way, by whom.
    run: Option<(RunId, AgentName, Role)>,
    n_corrections: u64,
    pull: Pull,
}

/// How far a task's pull request got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Pull {
    #[default]
    None,
    Open,
    Merged,
    Closed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Runs {
    n: u64,
    n_failed: u64,
    usage: Usage,
}

impl Merits {
    /// Takes in the next fact of the journal.
    pub fn see(&mut self, fact: &Fact) {
        for change in &fact.changes {
            match change {
                Change::Task { task, event } => self.see_event(*task, event),
                Change::Opened(_) | Change::ReplyDue { .. } | Change::Replied { .. } => {}
            }
        }
    }

    /// What came of each agent's work, by its name and its role.
    pub fn all(&self) -> BTreeMap<(AgentName, Role), Merit> {
        let mut all: BTreeMap<_, Merit> = BTreeMap::new();
        for (who, runs) in &self.runs {
            let merit = all.entry(who.clone()).or_default();
            let Runs { n, n_failed, usage } = *runs;
            (merit.n_runs, merit.n_failed, merit.usage) = (n, n_failed, usage);
        }
        for task in self.tasks.values() {
            for who in &task.acted {
                let merit = all.entry(who.clone()).or_default();
                merit.n_tasks += 1;
                merit.n_corrections += task.n_corrections;
                merit.n_drafted += u64::from(task.pull != Pull::None);
                merit.n_merged += u64::from(task.pull == Pull::Merged);
                merit.n_closed += u64::from(task.pull == Pull::Closed);
            }
        }
        all
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all others say nothing about merit")]
    fn see_event(&mut self, task: TaskId, event: &Event) {
        match event {
            Event::RunBegun { run, phase, agent, .. } => {
                let Some(role) = Role::of(*phase) else { return };
                let of = self.tasks.entry(task).or_default();
                // Old records name nobody: there was one agent.
                let agent = agent.clone().unwrap_or_default();
                of.n_corrections += u64::from(*phase == Phase::Correct);
                of.acted.insert((agent.clone(), role));
                self.runs.entry((agent.clone(), role)).or_default().n += 1;
                of.run = Some((*run, agent, role));
            }
            Event::RunEnded { run, outcome, usage } => {
                let Some(of) = self.tasks.get_mut(&task) else { return };
                // One that nobody waits for is not counted, as in the book.
                let Some((_, agent, role)) = of.run.take_if(|(id, ..)| id == run) else { return };
                let runs = self.runs.entry((agent, role)).or_default();
                runs.usage += *usage;
                runs.n_failed += u64::from(matches!(outcome, Outcome::Failed { .. }));
            }
            Event::PullOpened { .. } | Event::PullReopened { .. } => self.pull(task, Pull::Open),
            Event::PullMerged => self.pull(task, Pull::Merged),
            Event::PullClosed => self.pull(task, Pull::Closed),
            _ => {}
        }
    }

    fn pull(&mut self, task: TaskId, pull: Pull) {
        if let Some(of) = self.tasks.get_mut(&task) {
            of.pull = pull;
        }
    }
}

#[cfg(test)]
mod tests;
