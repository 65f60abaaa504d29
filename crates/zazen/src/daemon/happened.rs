//! What people did with an issue or a pull request, as facts.
//!
//! Each is a text without words, in the stream of events: it has a number, so it is taken
//! once, and somebody who did it.

use zazen_core::engine::{Cause, Change, Fact};
use zazen_core::id::PullNumber;
use zazen_core::task::{Event, Task};

use super::Daemon;
use crate::forge::{Comment, Happened, Issue};

impl Daemon {
    /// Takes one act of somebody. One that changes nothing for us is noted as read.
    pub(super) async fn take_happened(
        &mut self,
        issue: &Issue,
        (act, happened): (&Comment, Happened),
    ) -> anyhow::Result<()> {
        let book = self.engine.book();
        let task = book.issue(&issue.repo, issue.number).task.and_then(|id| book.task(id));
        let change = task.filter(|_| !act.is_old).and_then(|task| {
            let event = self.event(&task, issue, (act, happened))?;
            Some(Change::Task { task: task.id, event })
        });
        let cause =
            Cause::Comment { repo: issue.repo.clone(), issue: issue.number, comment: act.id };
        let fact = Fact { cause: Some(cause.clone()), changes: change.into_iter().collect() };
        if self.engine.check(&fact, super::now()).is_ok() {
            return self.must_take(fact).await;
        }
        // It does not fit where the task stands, so it means nothing to it.
        self.must_take(Fact { cause: Some(cause), changes: Vec::new() }).await
    }

    fn event(
        &self,
        task: &Task,
        issue: &Issue,
        (act, happened): (&Comment, Happened),
    ) -> Option<Event> {
        let by = act.author.clone();
        let pull = PullNumber(issue.number.0);
        let is_pull = task.state.pull() == Some(pull);
        match happened {
            Happened::Issue(how) if task.issue == issue.number => {
                Some(Event::IssueEnded { how, by })
            }
            Happened::Ready if is_pull => Some(Event::PullReady { by }),
            Happened::BranchDeleted if is_pull => Some(Event::BranchDeleted { by }),
            Happened::BaseChanged if is_pull => {
                let base = self.world.forge.pull(&issue.repo, pull).ok()?.base;
                Some(Event::BaseChanged { base })
            }
            Happened::Issue(_)
            | Happened::Ready
            | Happened::BranchDeleted
            | Happened::BaseChanged => None,
        }
    }
}
