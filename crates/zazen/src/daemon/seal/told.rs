//! What the journal tells of one task that its present state does not say any more: who
//! approved which plan and let through what, and what each run was for.

use std::collections::BTreeMap;

use anyhow::Context as _;
use zazen_core::engine::{Change, Fact};
use zazen_core::id::{ContentHash, PlanHash, RunId, TaskId};
use zazen_core::task::Event;

use crate::home::Home;
use crate::home::journal::{self, Position};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Who had the task opened.
    pub(super) opened_by: String,
    /// What was written with each approval.
    pub(super) answers: Vec<String>,
    pub(super) phases: BTreeMap<RunId, String>,
    approvals: BTreeMap<PlanHash, String>,
    releases: BTreeMap<ContentHash, String>,
}

impl Told {
    /// Reads the whole journal, of which the lines of other tasks are not parsed.
    pub(super) fn read(home: &Home, task: TaskId) -> anyhow::Result<Self> {
        let mut told = Self::default();
        let mut visit = |record: journal::Record| -> anyhow::Result<()> {
            if record.entry.task != Some(task) {
                return Ok(());
            }
            // What a later zazen wrote, or the journal itself, is no fact.
            let Ok(fact) = Fact::parse(record.entry.data.get()) else { return Ok(()) };
            fact.changes.into_iter().for_each(|change| told.take(task, change));
            Ok(())
        };
        journal::read(home, Position::START, &mut visit).context("read the journal")?;
        Ok(told)
    }

    /// Who approved exactly this plan.
    pub(super) fn approved_by(&self, plan: &PlanHash) -> Option<&str> {
        self.approvals.get(plan).map(String::as_str)
    }

    /// Who let through exactly this, which was held back.
    pub(super) fn released_by(&self, hold: &ContentHash) -> Option<&str> {
        self.releases.get(hold).map(String::as_str)
    }

    fn take(&mut self, id: TaskId, change: Change) {
        match change {
            Change::Opened(opened) if opened.id == id => self.opened_by = opened.by,
            Change::Task { task, event } if task == id => self.event(event),
            Change::Opened(_)
            | Change::Task { .. }
            | Change::ReplyDue { .. }
            | Change::Replied { .. } => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "few of the events matter here")]
    fn event(&mut self, event: Event) {
        match event {
            Event::PlanApproved { by, hash, answers, .. } => {
                self.approvals.insert(hash, by);
                self.answers.extend(Some(answers).filter(|answers| !answers.trim().is_empty()));
            }
            Event::RunBegun { run, phase, .. } => {
                self.phases.insert(run, phase.to_string());
            }
            Event::Released { by, hold } => {
                self.releases.insert(hold, by);
            }
            _ => {}
        }
    }
}
