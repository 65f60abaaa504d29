//! An approval: of the plan that stands there, with its contract, by somebody who may.

use super::{PlanOnDisk, Reader};
use crate::reply::Reply;
use crate::task::{Event, PlanRef, State};

impl Reader<'_> {
    /// Takes an approval of the plan as it stands.
    pub(super) fn implement(
        &mut self,
        word: &str,
        (by, answers): (String, String),
        on_disk: &PlanOnDisk,
    ) {
        let Some(task) = self.task() else { return self.reply(Reply::NoPlan) };
        match (&task.state, &task.plan, on_disk) {
            (State::AwaitingApproval, Some(_), PlanOnDisk::Unreadable { why }) => {
                self.reply(Reply::UnreadablePlan { why: why.clone() });
            }
            (State::AwaitingApproval, Some(plan), PlanOnDisk::AsKnown) => {
                self.approve(word, (by, answers), plan);
            }
            (State::Received(_) | State::Planning(_), None, _) => self.reply(Reply::NoPlan),
            _ => self.wrong_time(word, &task),
        }
    }

    /// Approves a plan with its contract, if this is a person who may.
    fn approve(&mut self, word: &str, (by, answers): (String, String), plan: &PlanRef) {
        let author = self.comment.author();
        let needs = plan.contract.iter().flat_map(|contract| &contract.needs);
        if let Some(need) = needs.into_iter().find(|need| !need.is_met_by(author)) {
            return self.reply(Reply::NotYours { kind: need.kind.clone(), who: need.words() });
        }
        let contract = plan.contract.as_ref().map(|contract| contract.hash.clone());
        let hash = plan.hash.clone();
        self.tell(word, Event::PlanApproved { by, hash, answers, contract });
    }
}
