//! What is to be done outside.
//!
//! An effect is a value: the `zazen` crate knows how to perform it. Each has a
//! [`Key`] that is the same whenever the same effect is asked for, after a
//! restart too, so that what was begun before a crash is found again and not
//! done twice.

use std::fmt;

use crate::id::{CommentId, CommitId, IssueNumber, RepoName, RunId, TaskId, Time};
use crate::reply::Reply;
use crate::task::{Digest, Hold, Passed, Phase, PullHead, Slot, TextRef};

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Find the commit that the task's next phase starts from.
    FindBase { task: TaskId },
    /// See to it that this run is under way, and report how it ended.
    Run { run: RunId, phase: Phase, from: CommitId },
    /// Note that no agent may begin the task's next run, and that it waits.
    PutOff { task: TaskId, hold: Hold, passed: Vec<Passed> },
    /// Let a task go on that was parked until then.
    Resume { task: TaskId, until: Time },
    /// Stop a run that nobody wants any more.
    StopRun { run: RunId },
    /// See to it that the comment at `slot` shows the text that has this digest.
    Show { task: TaskId, slot: Slot, digest: Digest },
    /// Answer a comment that could not be acted on, or that asked something small.
    Reply { repo: RepoName, issue: IssueNumber, comment: CommentId, reply: Reply },
    /// Put the sign on a comment that its command was taken.
    Acknowledge { task: TaskId, text: TextRef },
    /// See to it that there is an issue for this step of the plan that is split.
    OpenPart { task: TaskId, step: u32 },
    /// Tell the agent at work what somebody wrote, if one is at work that listens.
    Tell { task: TaskId, run: Option<RunId>, text: TextRef, by: String },
    /// Have the guards look at the whole change up to this commit.
    Examine { task: TaskId, head: CommitId },
    /// See to it that there is a signed receipt for this commit.
    Seal { task: TaskId, head: CommitId },
    /// Push the verified commit to the task's branch.
    Push { task: TaskId, head: CommitId },
    /// Open the draft pull request.
    OpenPull { task: TaskId, head: CommitId },
    /// See to it that the open pull request says what was pushed.
    UpdatePull { task: TaskId, head: CommitId },
    /// Put the commits that are published at `head` onto the base branch as it is by now.
    /// Nothing is pushed.
    Rebase { task: TaskId, head: CommitId },
    /// Answer the thread of a review: with the commit that has the change, if there is one.
    AnswerThread { task: TaskId, to: TextRef, head: Option<CommitId> },
    /// Put the review that has this digest on the pull request. It approves nothing.
    PostReview { task: TaskId, at: PullHead, digest: Digest },
}

/// Says which effect this is. Equal keys are the same effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    FindBase(TaskId),
    Run(RunId),
    PutOff(TaskId),
    Resume(TaskId),
    StopRun(RunId),
    Show(TaskId, Slot),
    Reply(RepoName, IssueNumber, CommentId),
    Acknowledge(TaskId, TextRef),
    OpenPart(TaskId, u32),
    Tell(TaskId, TextRef),
    Examine(TaskId),
    Seal(TaskId),
    Push(TaskId),
    OpenPull(TaskId),
    UpdatePull(TaskId),
    Rebase(TaskId),
    AnswerThread(TaskId, TextRef),
    PostReview(TaskId),
}

impl Effect {
    /// The name of this effect.
    pub fn key(&self) -> Key {
        match self {
            Self::FindBase { task } => Key::FindBase(*task),
            Self::Run { run, .. } => Key::Run(*run),
            Self::PutOff { task, .. } => Key::PutOff(*task),
            Self::Resume { task, .. } => Key::Resume(*task),
            Self::StopRun { run } => Key::StopRun(*run),
            Self::Show { task, slot, .. } => Key::Show(*task, *slot),
            Self::Reply { repo, issue, comment, .. } => Key::Reply(repo.clone(), *issue, *comment),
            Self::Acknowledge { task, text } => Key::Acknowledge(*task, *text),
            Self::OpenPart { task, step } => Key::OpenPart(*task, *step),
            Self::Tell { task, text, .. } => Key::Tell(*task, *text),
            Self::Examine { task, .. } => Key::Examine(*task),
            Self::Seal { task, .. } => Key::Seal(*task),
            Self::Push { task, .. } => Key::Push(*task),
            Self::OpenPull { task, .. } => Key::OpenPull(*task),
            Self::UpdatePull { task, .. } => Key::UpdatePull(*task),
            Self::Rebase { task, .. } => Key::Rebase(*task),
            Self::PostReview { task, .. } => Key::PostReview(*task),
            Self::AnswerThread { task, to, .. } => Key::AnswerThread(*task, *to),
        }
    }

    /// The task that this effect is for. A reply is for no task.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::FindBase { task }
            | Self::PutOff { task, .. }
            | Self::Resume { task, .. }
            | Self::Show { task, .. }
            | Self::Acknowledge { task, .. }
            | Self::OpenPart { task, .. }
            | Self::Tell { task, .. }
            | Self::Examine { task, .. }
            | Self::Seal { task, .. }
            | Self::Push { task, .. }
            | Self::OpenPull { task, .. }
            | Self::UpdatePull { task, .. }
            | Self::Rebase { task, .. }
            | Self::AnswerThread { task, .. }
            | Self::PostReview { task, .. } => Some(*task),
            Self::Run { run, .. } | Self::StopRun { run } => Some(run.task),
            Self::Reply { .. } => None,
        }
    }
}

/// An effect, in the words of the journal and of the scenarios.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FindBase { task } => write!(f, "find the base of task {task}"),
            Self::Run { run, phase, .. } => write!(f, "run {run}: {phase}"),
            Self::PutOff { task, .. } => write!(f, "put task {task} off"),
            Self::Resume { task, .. } => write!(f, "let task {task} go on"),
            Self::StopRun { run } => write!(f, "stop run {run}"),
            Self::Show { task, slot, .. } => write!(f, "show {slot} of task {task}"),
            Self::Reply { issue, comment, .. } => {
                write!(f, "reply to comment {comment} on issue {issue}")
            }
            Self::Acknowledge { text, .. } => write!(f, "acknowledge comment {}", text.id),
            Self::OpenPart { task, step } => {
                write!(f, "open an issue for step {step} of task {task}")
            }
            Self::Tell { text, .. } => write!(f, "tell the agent of comment {}", text.id),
            Self::Examine { task, .. } => write!(f, "examine the change of task {task}"),
            Self::Seal { task, .. } => write!(f, "seal the receipt of task {task}"),
            Self::Push { task, .. } => write!(f, "push the branch of task {task}"),
            Self::OpenPull { task, .. } => write!(f, "open the pull request of task {task}"),
            Self::UpdatePull { task, .. } => write!(f, "update the pull request of task {task}"),
            Self::Rebase { task, .. } => write!(f, "rebase the branch of task {task}"),
            Self::PostReview { task, at, .. } => {
                write!(f, "post the review of task {task} on #{}", at.pull)
            }
            Self::AnswerThread { to, .. } => write!(f, "answer {} on #{}", to.id, to.on),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan => f.write_str("plan"),
            Self::Note(n) => write!(f, "note-{n}"),
        }
    }
}
