//! What happens to a task, and what a run comes back with.

use serde::{Deserialize, Serialize};

use super::{
    Ask, Digest, Examined, Fork, Hold, IssueEnd, NotRebased, Passed, Phase, PlanRef, Reached, Slot,
    TextRef, Trouble,
};
use crate::id::{
    AgentName, CommentId, CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RunId, Time,
};
use crate::usage::Usage;

/// Something that happened to a task, in the past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A person wants another plan.
    PlanSentBack { by: String, remarks: String },
    /// A person changed the plan's text.
    PlanEdited { plan: PlanRef },
    /// A person said yes to the plan with this hash.
    PlanApproved {
        by: String,
        hash: PlanHash,
        answers: String,
        /// The hash of the contract that was shown with it. Old records have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contract: Option<PlanHash>,
    },
    /// A person wants a plan that was approved carried on from what a step of another task left.
    Forked { fork: Fork, by: String },
    /// A person had the plan with this hash split into issues. Nothing is carried out by that.
    SplitApproved { by: String, hash: PlanHash, remarks: String },
    /// A step of the plan is an issue now, that comes after these steps.
    PartOpened { step: u32, issue: IssueNumber, after: Vec<u32> },
    /// A person wants a part to begin though what it comes after is not merged.
    WaitWaived { by: String, remarks: String },
    /// A person said stop.
    StopAsked { by: String },
    /// A person wants a task that failed or stopped to go on.
    RetryAsked { by: String, remarks: String },
    /// A person said whether the task is to go on by itself after its next waits.
    ResumingSet { resumes: bool },
    /// No agent may begin the next run now. Recorded where another would take over, or where
    /// it is known beforehand.
    PutOff {
        hold: Hold,
        /// The agents that could have begun it, and why they may not.
        passed: Vec<Passed>,
    },
    /// What the task was parked for until then is over.
    Resumed { until: Time },
    /// The tip that the present phase starts from was found.
    BaseFound { base: CommitId },
    /// A run is about to be started. Recorded before it is.
    RunBegun {
        run: RunId,
        phase: Phase,
        from: CommitId,
        /// The agent that acts. Old records have none, nor have those of checks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentName>,
        /// The agents that would have acted before this one, and may not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed: Vec<Passed>,
    },
    /// A run came back.
    RunEnded { run: RunId, outcome: Outcome, usage: Usage },
    /// Something beside a run went wrong, and will not come right by itself.
    Blocked { trouble: Trouble },
    /// A comment shows what it should.
    Shown { slot: Slot, digest: Digest },
    /// A command's comment has its reaction.
    Acknowledged {
        comment: CommentId,
        /// The conversation, where it is not the task's issue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<IssueNumber>,
    },
    /// A comment of this task holds a command that was taken.
    CommandTaken {
        comment: CommentId,
        /// The conversation, where it is not the task's issue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<IssueNumber>,
    },
    /// Somebody wrote something while an agent is at work.
    Said { text: TextRef, by: String },
    /// It is known whom that reached.
    Told { text: TextRef, reached: Reached },
    /// The guards have looked at the whole change up to this commit.
    Examined { head: CommitId, examined: Examined },
    /// A person lets through what a guard held back.
    Released { by: String, hold: ContentHash },
    /// The receipt for this commit is signed.
    Sealed { head: CommitId, receipt: ContentHash },
    /// The branch is on the remote at this commit.
    Pushed { head: CommitId },
    /// The draft pull request is open.
    PullOpened { pull: PullNumber },
    /// A person merged the pull request.
    PullMerged,
    /// A person closed the pull request without merging it.
    PullClosed,
    /// A person opened the closed pull request again. Its branch is at `head`.
    PullReopened { head: CommitId },
    /// A person turned the draft into a pull request that is ready for review.
    PullReady { by: String },
    /// The pull request is to go into another branch now.
    BaseChanged { base: String },
    /// The pull request's branch is gone.
    BranchDeleted { by: String },
    /// The branch is at a commit that zazen did not make.
    HeadMoved { head: CommitId, by: String },
    /// A person wants the open pull request changed.
    FixAsked {
        ask: Ask,
        /// How many rounds for reviews the owner allows.
        rounds_max: u32,
    },
    /// A person wants the branch on its base as that is by now.
    RebaseAsked { by: String },
    /// What was published at `from` is on `onto` now, as `head`; nothing is pushed yet.
    Rebased { from: CommitId, onto: CommitId, head: CommitId },
    /// What was published at `from` stays as it is.
    NotRebased { from: CommitId, why: NotRebased },
    /// Checks on the forge are red on this commit.
    ChecksFailed { head: CommitId, evidence: String },
    /// The open pull request shows what was pushed.
    PullUpdated { head: CommitId },
    /// The thread of a review has its answer.
    ThreadAnswered { to: TextRef },
    /// The review is on the forge.
    ReviewPosted,
    /// The issue is not what it was.
    IssueEnded { how: IssueEnd, by: String },
}

/// What a run came back with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// A plan that could be read.
    Planned { plan: PlanRef },
    /// An answer to a question.
    Answered { digest: Digest },
    /// A review of a pull request; its text is the task's report.
    Reviewed {
        digest: Digest,
        n_findings: u32,
        /// How many of them should be mended first. Only known of our own work.
        #[serde(default)]
        n_blocking: u32,
        /// Whether an agent is to mend them, by what the owner wants.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sends_back: bool,
    },
    /// A step is done; the branch is at `head` (unchanged, if nothing was left to do).
    StepDone { head: CommitId, n_commits: u32 },
    /// The validation command passed on this commit.
    ChecksGreen { head: CommitId },
    /// The run ended, and what it was for is not done.
    Failed { trouble: Trouble },
    /// The run came to nothing, and may do better when time has passed.
    Held { hold: Hold, trouble: Trouble },
    /// The run was stopped because nobody wants it any more.
    Stopped,
}
