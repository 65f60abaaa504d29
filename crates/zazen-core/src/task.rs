//! The life of one task.
//!
//! A task is one delegated piece of work. [`State`] says where it stands,
//! [`Event`] says what happened, and [`evolve`] says where it goes. What is to
//! be done about it is another question; see [`crate::decide`].

mod contract;
mod event;
mod evolve;
mod fork;
mod note;
mod parked;
mod print;
mod proof;
mod rebase;
mod rework;
mod run;
mod split;
mod told;
mod trouble;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

pub use self::contract::ContractRef;
pub use self::event::{Event, Outcome};
pub use self::evolve::{IllegalEvent, evolve};
pub use self::fork::Fork;
pub use self::note::{Digest, Note, Slot, TakenOver};
pub use self::parked::{Free, Hold, Known, Passed, Pause, Waits, Why};
pub use self::proof::{Before, Checks, Examined, OwnReview, Proof};
pub use self::rebase::{CONFLICTS_MAX, NotRebased};
pub use self::rework::{Answer, Ask, IssueEnd, PullHead, ReviewOf, Rework, Rounds, TextRef};
pub use self::run::{Phase, Run};
pub use self::split::{Around, Other, Part, Split, Stands};
pub use self::told::{Reached, Saying};
pub use self::trouble::{EVIDENCE_BYTES_MAX, Reaction, Trouble, TroubleKind};
use crate::id::{
    CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RepoName, RunId, TaskId, Time,
};
use crate::usage::Usage;

/// One delegated piece of work, and all that the engine knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    pub kind: Kind,
    pub repo: RepoName,
    pub issue: IssueNumber,
    /// The issue's title when the task was opened. Names the folder and the branch.
    pub title: String,
    pub opened: Time,
    /// When something last happened to it. That a text was shown is nothing of the kind.
    pub changed: Time,
    /// What the person asked for, beyond the issue: remarks, or the question.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request: String,
    pub state: State,
    /// The branch's tip that the present phase starts from, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// How many runs there have been. The next one is one more.
    #[serde(default)]
    pub n_runs: u32,
    /// The run that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    #[serde(default)]
    pub usage: Usage,
    /// The plan as it stands, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRef>,
    /// Whether a person had it begin though what it comes after is not merged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// What was last shown on the issue, in the order of the places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<(Slot, Digest)>,
    /// Sentences that people must see, in order; each becomes a comment of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Comments whose commands were taken and not yet acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_acknowledge: Vec<TextRef>,
    /// Threads of reviews that were worked on and not yet answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_answer: Vec<Answer>,
    /// What people wrote while an agent is at work, and it is to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_tell: Vec<Saying>,
    /// Who was last heard while an agent was at work, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<(String, Reached)>,
    /// What is reviewed, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Box<ReviewOf>>,
    /// The agents whose runs for this task came to nothing, as their services let nothing through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// Whether a person wants to be asked before it goes on after a wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

/// What kind of work a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// From a plan to a draft pull request.
    Change,
    /// One question, answered on the issue.
    Question,
    /// One pull request, reviewed at one commit.
    Review,
}

/// Where a task stands.
///
/// Each state holds what is true in that state and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum State {
    /// Taken in. Waits for a place to be planned (or answered).
    Received(Try),
    /// An agent reads the code and writes a plan, or an answer.
    Planning(Try),
    /// The plan is on the issue. A person has to answer it.
    AwaitingApproval,
    /// A person had the plan split. Its steps are opened as issues, one after the other.
    Splitting(Box<Split>),
    /// Each step of the plan is an issue of its own.
    Split(Box<Split>),
    /// A person approved the plan. Waits for a place.
    Queued(Work),
    /// An agent carries out one step of the plan.
    Implementing(Work),
    /// zazen runs the validation command on the commit that is to be published, and on the
    /// one that the work began with.
    Verifying(Work),
    /// The checks are green. The guards look at the change, then a second agent reviews it.
    Reviewing(Work),
    /// A guard holds the change back. A person has to release exactly that, or have it changed.
    Held(Work),
    /// The checks were red, or people want the pull request changed. An agent does that.
    Correcting(Work),
    /// The branch is pushed and the draft pull request opened, or brought up to date.
    Publishing(Published),
    /// The draft pull request is open. What happens to it is up to people.
    Drafted {
        pull: PullNumber,
        head: CommitId,
        #[serde(default)]
        rounds: Rounds,
    },
    /// A person wants the open pull request's branch on its base as that is by now.
    Rebasing(Box<Rework>),
    /// Nothing is done until it is time, or a person says so.
    Parked { pause: Pause, back: Box<State> },
    /// A person merged the pull request.
    Merged { pull: PullNumber },
    /// A person closed the pull request, or the question was answered.
    Closed { pull: Option<PullNumber> },
    /// A person said stop.
    Stopped { by: String, back: Box<State> },
    /// zazen gave up, and said why on the issue.
    Failed { trouble: Trouble, back: Box<State> },
}

/// One try at something that may fail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Pack, Unpack, Serialize, Deserialize)]
pub struct Try {
    /// How many tries have failed.
    #[serde(default)]
    pub n_failed: u32,
    /// What went wrong the last time. The next agent is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// What a person said with `/retry`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remarks: String,
    /// How often it had to wait, if it had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
}

/// An approved plan that is being carried out.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Work {
    /// The plan that a person approved. Another hash is another plan.
    pub plan: PlanRef,
    /// What the person wrote with the approval.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answers: String,
    /// How many steps are done.
    pub n_done: u32,
    /// The last finished commit, once there is one beyond the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
    /// How often red checks were sent back to an agent.
    #[serde(default)]
    pub n_corrections: u32,
    pub attempt: Try,
    /// What has been shown of the head.
    #[serde(default)]
    pub proof: Box<Proof>,
    /// What is to be changed in the pull request, if it is open already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rework: Option<Box<Rework>>,
}

/// Work whose checks are green, on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Published {
    pub work: Work,
    /// The commit that the checks passed on, and the only one that is pushed.
    pub head: CommitId,
    /// The run that verified it. Its output is the evidence.
    pub verified_by: RunId,
    /// Whether the branch is known to be on the remote at `head`.
    pub pushed: bool,
    /// The receipt, once it is signed. Nothing is pushed without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ContentHash>,
}

/// A plan, by its text and what the engine must know of it.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct PlanRef {
    pub hash: PlanHash,
    /// Counts up with each new text, a person's edit included. The first is 1.
    pub version: u32,
    pub n_steps: u32,
    pub n_questions: u32,
    /// What a person says yes to with it. Old plans have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Box<ContractRef>>,
}

impl Task {
    /// The id of the run that comes next.
    pub fn next_run(&self) -> RunId {
        RunId { task: self.id, n: self.n_runs + 1 }
    }

    /// Whether nothing is to be done until a person acts.
    pub fn is_at_rest(&self) -> bool {
        match &self.state {
            State::AwaitingApproval
            | State::Split(_)
            | State::Held(_)
            | State::Drafted { .. }
            | State::Merged { .. }
            | State::Closed { .. }
            | State::Stopped { .. }
            | State::Failed { .. } => true,
            State::Parked { pause, .. } => pause.ends().is_none(),
            State::Received(_)
            | State::Planning(_)
            | State::Splitting(_)
            | State::Queued(_)
            | State::Implementing(_)
            | State::Verifying(_)
            | State::Reviewing(_)
            | State::Correcting(_)
            | State::Publishing(_)
            | State::Rebasing(_) => false,
        }
    }

    /// What was last shown at `slot`.
    pub fn shown(&self, slot: Slot) -> Option<Digest> {
        self.shown.iter().find(|(s, _)| *s == slot).map(|&(_, digest)| digest)
    }
}

impl State {
    /// The work in this state, if it has some.
    pub fn work(&self) -> Option<&Work> {
        match self {
            Self::Queued(work)
            | Self::Implementing(work)
            | Self::Verifying(work)
            | Self::Reviewing(work)
            | Self::Held(work)
            | Self::Correcting(work) => Some(work),
            Self::Publishing(published) => Some(&published.work),
            Self::Parked { back, .. } | Self::Stopped { back, .. } | Self::Failed { back, .. } => {
                back.work()
            }
            Self::Received(_)
            | Self::Planning(_)
            | Self::AwaitingApproval
            | Self::Splitting(_)
            | Self::Split(_)
            | Self::Drafted { .. }
            | Self::Rebasing(_)
            | Self::Merged { .. }
            | Self::Closed { .. } => None,
        }
    }

    /// What is being done to a pull request that is open, if that is so.
    pub fn rework(&self) -> Option<&Rework> {
        match self {
            Self::Rebasing(rework) => Some(rework),
            Self::Parked { back, .. } | Self::Stopped { back, .. } | Self::Failed { back, .. } => {
                back.rework()
            }
            Self::Received(_)
            | Self::Planning(_)
            | Self::AwaitingApproval
            | Self::Splitting(_)
            | Self::Split(_)
            | Self::Queued(_)
            | Self::Implementing(_)
            | Self::Verifying(_)
            | Self::Reviewing(_)
            | Self::Held(_)
            | Self::Correcting(_)
            | Self::Publishing(_)
            | Self::Drafted { .. }
            | Self::Merged { .. }
            | Self::Closed { .. } => self.work().and_then(|work| work.rework.as_deref()),
        }
    }

    /// The pull request that this state is about.
    pub fn pull(&self) -> Option<PullNumber> {
        match self {
            Self::Drafted { pull, .. } | Self::Merged { pull } => Some(*pull),
            Self::Closed { pull } => *pull,
            Self::Received(_)
            | Self::Planning(_)
            | Self::AwaitingApproval
            | Self::Splitting(_)
            | Self::Split(_)
            | Self::Queued(_)
            | Self::Implementing(_)
            | Self::Verifying(_)
            | Self::Reviewing(_)
            | Self::Held(_)
            | Self::Correcting(_)
            | Self::Publishing(_)
            | Self::Rebasing(_)
            | Self::Parked { .. }
            | Self::Stopped { .. }
            | Self::Failed { .. } => self.rework().map(|rework| rework.pull),
        }
    }

    /// Whether this is rework on a pull request that is open.
    pub fn is_rework(&self) -> bool {
        self.rework().is_some()
    }

    /// The word for this state, the same everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Received(_) => "received",
            Self::Planning(_) => "planning",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Splitting(_) => "splitting",
            Self::Split(_) => "split",
            Self::Queued(_) => "queued",
            Self::Implementing(_) => "implementing",
            Self::Verifying(_) => "verifying",
            Self::Reviewing(_) => "reviewing",
            Self::Held(_) => "held",
            Self::Correcting(_) => "correcting",
            Self::Publishing(_) => "publishing",
            Self::Drafted { .. } => "drafted",
            Self::Rebasing(_) => "rebasing",
            Self::Parked { .. } => "parked",
            Self::Merged { .. } => "merged",
            Self::Closed { .. } => "closed",
            Self::Stopped { .. } => "stopped",
            Self::Failed { .. } => "failed",
        }
    }
}

#[cfg(test)]
mod tests;
