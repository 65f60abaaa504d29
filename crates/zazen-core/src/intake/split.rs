//! From `/split`, and from an issue that was opened for a step, to facts.

use super::{PlanOnDisk, Reader};
use crate::engine::{Book, Change, Fact, Opened};
use crate::id::{IssueNumber, TaskId};
use crate::reply::Reply;
use crate::task::{Event, Kind, PlanRef, State, Task};

/// The issue of a step is there.
#[derive(Debug, Clone)]
pub struct PartOpened {
    /// The task whose plan is split.
    pub of: TaskId,
    pub step: u32,
    pub issue: IssueNumber,
    pub title: String,
    /// The step as a plan of its own.
    pub plan: PlanRef,
    /// The steps that it comes after.
    pub after: Vec<u32>,
}

/// What follows from an issue that was opened for a step: it has a task with a plan, and the
/// task whose plan was split knows it. Both in one fact, so that neither is without the other.
pub fn part_opened(book: &Book, part: PartOpened) -> Option<Fact> {
    let above = book.task(part.of)?;
    let opened = Opened {
        id: book.next_task(),
        kind: Kind::Change,
        repo: above.repo.clone(),
        issue: part.issue,
        title: part.title,
        request: String::new(),
        by: above.state.split()?.by.clone(),
        review: None,
        plan: Some(part.plan),
    };
    let event = Event::PartOpened { step: part.step, issue: part.issue, after: part.after };
    let changes = vec![Change::Opened(opened), Change::Task { task: part.of, event }];
    Some(Fact { cause: None, changes })
}

impl Reader<'_> {
    /// Approves the splitting of the plan, and nothing else.
    pub(super) fn split(&mut self, (by, remarks): (String, String), on_disk: &PlanOnDisk) {
        let Some(task) = self.task() else { return self.reply(Reply::NoPlan) };
        match (&task.state, &task.plan, on_disk) {
            (State::AwaitingApproval, Some(_), PlanOnDisk::Unreadable { why }) => {
                self.reply(Reply::UnreadablePlan { why: why.clone() });
            }
            (State::AwaitingApproval, Some(plan), PlanOnDisk::AsKnown) if plan.can_be_split() => {
                let hash = plan.hash.clone();
                self.tell("split", Event::SplitApproved { by, hash, remarks });
            }
            (State::AwaitingApproval, Some(_), PlanOnDisk::AsKnown) => {
                self.reply(Reply::NothingToSplit);
            }
            (State::Received(_) | State::Planning(_), None, _) => self.reply(Reply::NoPlan),
            _ => self.wrong_time("split", &task),
        }
    }

    /// Sends a task on: one that failed or was stopped, or one that waits for others.
    pub(super) fn retry(&mut self, (by, remarks): (String, String)) {
        let waits = self.task().is_some_and(|task| waits(self.book, &task));
        let event = go_on(waits, by, remarks);
        self.tell("retry", event);
    }
}

/// Whether a task waits for what it comes after.
pub(super) fn waits(book: &Book, task: &Task) -> bool {
    task.waits(&book.around(task))
}

/// What `/retry` means to a task.
pub(super) fn go_on(waits: bool, by: String, remarks: String) -> Event {
    if waits { Event::WaitWaived { by, remarks } } else { Event::RetryAsked { by, remarks } }
}
