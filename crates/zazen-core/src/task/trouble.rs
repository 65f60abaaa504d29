//! What can go wrong with a run, and what is done about it.
//!
//! Every way a run can end badly is one [`TroubleKind`], so that none of them
//! can be mistaken for success or for another one.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::text::cut_middle;
use crate::trace::Resets;

/// What went wrong, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Trouble {
    pub kind: TroubleKind,
    /// The evidence: the end of the output, the list of files. Plain text, cut to size.
    pub evidence: String,
    /// When the limit that was reached is over, where anybody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets: Option<Resets>,
}

impl Trouble {
    /// Trouble that says nothing of when it is over.
    pub fn new(kind: TroubleKind, evidence: String) -> Self {
        Self { kind, evidence, resets: None }
    }
}

/// In which way something went wrong.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleKind {
    /// The agent's plan could not be read.
    UnreadablePlan,
    /// The agent ended without an answer.
    NoAnswer,
    /// The agent's review could not be read.
    UnreadableReview,
    /// All steps were done, and nothing changed.
    EmptyWork,
    /// The validation command failed.
    RedChecks,
    /// The agent committed, and left other changes lying about.
    DirtyTree,
    /// What came back does not descend from the commit that was given.
    WrongBase,
    /// What came back was refused by a check of the result.
    RefusedResult,
    /// What came back holds a secret.
    Secret,
    /// What came back changes what agents are told or start here.
    AgentConfig,
    /// The run took longer than it may.
    Deadline,
    /// The run printed nothing for longer than it may.
    Silence,
    /// The run used more memory than it may.
    Memory,
    /// The run used more disk than it may.
    Disk,
    /// The run printed more than it may.
    Output,
    /// The agent's harness failed by itself.
    Crash,
    /// The agent reached its limit of turns.
    TurnLimit,
    /// The model's service failed.
    ModelError,
    /// The model's service has a limit, and it is reached.
    Quota,
    /// The model's service refused the key or the login.
    NeedsLogin,
    /// A budget is used up.
    Budget,
    /// The sandbox did not hold what it must, so nothing was started in it.
    Sandbox,
    /// The repository or its base branch could not be read.
    Repository,
    /// Somebody else's commits are on the branch.
    ForeignBranch,
    /// The forge has no draft pull requests there.
    NoDrafts,
    /// The agent went round in circles.
    Stuck,
    /// The model's service did not answer, and the harness only tried again.
    Hung,
    /// The forge opens no issues there.
    NoIssues,
    /// The agent says that it cannot do it.
    GaveUp,
    /// The agent was not allowed to use a tool, and did nothing else.
    NeedsPermission,
    /// The model's service is too busy.
    Overloaded,
    /// The conversation is longer than the model can read.
    ContextTooLong,
    /// The agent's harness was killed.
    Killed,
    /// The model's answer ended in its middle.
    StreamCut,
    /// The forge does not take what is to be published: a permission, or a rule for branches.
    Refused,
    /// The deadline of the brief is past.
    TooLate,
}

impl Trouble {
    /// The evidence, and one line more.
    pub(super) fn evidence_with(&self, line: &str) -> String {
        let mut text = cut_middle(&self.evidence, EVIDENCE_BYTES_MAX - LINE_BYTES_MAX);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
        text
    }
}

/// How long a line may be that is added to evidence, in bytes. Ours are two moments long.
const LINE_BYTES_MAX: usize = 256;

/// What zazen does about trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Try once more, and tell the next agent what went wrong.
    TryAgain,
    /// Trying again would end the same. A person has to act.
    GiveUp,
}

/// How many times a phase may fail before zazen gives up: the second failure ends it.
pub(super) const FAILURES_MAX: u32 = 2;

/// How many times red checks are sent back to an agent.
pub(super) const CORRECTIONS_MAX: u32 = 1;

/// How much evidence is kept with a failure, in bytes. The whole output stays with the run.
pub const EVIDENCE_BYTES_MAX: usize = 4 * 1024;

impl TroubleKind {
    /// All of them.
    pub const ALL: [Self; 36] = [
        Self::UnreadablePlan,
        Self::NoAnswer,
        Self::UnreadableReview,
        Self::EmptyWork,
        Self::RedChecks,
        Self::DirtyTree,
        Self::WrongBase,
        Self::RefusedResult,
        Self::Secret,
        Self::AgentConfig,
        Self::Deadline,
        Self::Silence,
        Self::Memory,
        Self::Disk,
        Self::Output,
        Self::Crash,
        Self::TurnLimit,
        Self::ModelError,
        Self::Quota,
        Self::NeedsLogin,
        Self::Budget,
        Self::Sandbox,
        Self::Repository,
        Self::ForeignBranch,
        Self::NoDrafts,
        Self::Stuck,
        Self::Hung,
        Self::NoIssues,
        Self::GaveUp,
        Self::NeedsPermission,
        Self::Overloaded,
        Self::ContextTooLong,
        Self::Killed,
        Self::StreamCut,
        Self::Refused,
        Self::TooLate,
    ];

    /// Whether another try could end otherwise.
    pub fn reaction(self) -> Reaction {
        match self {
            Self::UnreadablePlan
            | Self::NoAnswer
            | Self::UnreadableReview
            | Self::EmptyWork
            | Self::RedChecks
            | Self::DirtyTree
            | Self::WrongBase
            | Self::RefusedResult
            | Self::Secret
            | Self::AgentConfig
            | Self::Deadline
            | Self::Silence
            | Self::Memory
            | Self::Disk
            | Self::Output
            | Self::Crash
            | Self::TurnLimit
            | Self::ModelError
            | Self::Quota
            | Self::Stuck
            | Self::Hung
            | Self::Overloaded
            | Self::ContextTooLong
            | Self::Killed
            | Self::StreamCut => Reaction::TryAgain,
            Self::GaveUp
            | Self::NeedsPermission
            | Self::NeedsLogin
            | Self::Budget
            | Self::Sandbox
            | Self::Repository
            | Self::ForeignBranch
            | Self::NoDrafts
            | Self::NoIssues
            | Self::Refused
            | Self::TooLate => Reaction::GiveUp,
        }
    }

    /// Whether the agent was interrupted in work that was all right: one that comes after
    /// it can go on from there.
    pub fn is_interruption(self) -> bool {
        match self {
            Self::Deadline
            | Self::Silence
            | Self::Memory
            | Self::Crash
            | Self::TurnLimit
            | Self::ModelError
            | Self::Quota
            | Self::NeedsLogin
            | Self::Budget
            | Self::Hung
            | Self::Overloaded
            | Self::ContextTooLong
            | Self::Killed
            | Self::StreamCut => true,
            // What it left is what was wrong, or there is nothing to go on from.
            Self::UnreadablePlan
            | Self::NoAnswer
            | Self::UnreadableReview
            | Self::EmptyWork
            | Self::RedChecks
            | Self::DirtyTree
            | Self::WrongBase
            | Self::RefusedResult
            | Self::Secret
            | Self::AgentConfig
            | Self::Disk
            | Self::Output
            | Self::Sandbox
            | Self::Repository
            | Self::ForeignBranch
            | Self::NoDrafts
            | Self::NoIssues
            | Self::Stuck
            | Self::GaveUp
            | Self::NeedsPermission
            | Self::Refused
            | Self::TooLate => false,
        }
    }

    /// What went wrong, in a few words that fit after "failed:".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::UnreadablePlan => "the plan could not be read",
            Self::NoAnswer => "the agent ended without an answer",
            Self::UnreadableReview => "the review could not be read",
            Self::EmptyWork => "the agent finished, but nothing was changed",
            Self::RedChecks => "the checks are red",
            Self::DirtyTree => "the agent left changes that it did not commit",
            Self::WrongBase => "the agent's commits are not on top of the given commit",
            Self::RefusedResult => "the agent's result was refused",
            Self::Secret => "the agent's result holds a secret",
            Self::AgentConfig => {
                "the agent's result changes the instructions or settings of agents"
            }
            Self::Deadline => "the run took too long",
            Self::Silence => "the run was silent for too long",
            Self::Memory => "the run used too much memory",
            Self::Disk => "the run used too much disk",
            Self::Output => "the run printed too much",
            Self::Crash => "the harness failed",
            Self::TurnLimit => "the agent reached its limit of turns",
            Self::ModelError => "the model's service failed",
            Self::Quota => "a limit of the model's service is reached",
            Self::NeedsLogin => "the model's service refused the key",
            Self::Budget => "a budget is used up",
            Self::Sandbox => "the sandbox did not hold",
            Self::Repository => "the repository could not be read",
            Self::ForeignBranch => "the branch has somebody else's commits",
            Self::NoDrafts => "this repository cannot have draft pull requests",
            Self::Stuck => "the agent went round in circles",
            Self::Hung => "the model's service did not answer",
            Self::NoIssues => "no issue could be opened for a step",
            Self::GaveUp => "the agent says that it cannot do this",
            Self::NeedsPermission => "the agent needed a tool that it may not use",
            Self::Overloaded => "the model's service is too busy",
            Self::ContextTooLong => "the work was too long for the model to keep in mind",
            Self::Killed => "the harness was killed",
            Self::StreamCut => "the model's answer ended in its middle",
            Self::Refused => "the forge does not let zazen publish the work",
            Self::TooLate => "the deadline is past",
        }
    }

    /// What a person can do about it, in one or two sentences.
    #[expect(clippy::too_many_lines, reason = "one case after the other")]
    pub fn advice(self) -> &'static str {
        match self {
            Self::UnreadablePlan => "Say here what the plan should cover, then write `/retry`.",
            Self::NoAnswer => "Write `/retry`, or ask in other words with `/ask`.",
            Self::UnreadableReview => "Write `/retry`, or review it yourself.",
            Self::EmptyWork => {
                "If the work is done already, there is nothing left to do. If not, write `/retry` \
                 and say what is missing."
            }
            Self::RedChecks => {
                "Read what they printed, then write `/retry` and say what to do about it."
            }
            Self::DirtyTree | Self::WrongBase | Self::RefusedResult => {
                "Write `/retry` and say how to do it otherwise."
            }
            Self::Secret => {
                "If it is only an example, name its folder in `policy.secret_exceptions`. Then \
                 write `/retry`."
            }
            Self::AgentConfig => {
                "Do that part by hand, or set `policy.agent_config = \"allow\"`, then write \
                 `/retry`."
            }
            Self::Deadline | Self::Silence | Self::Memory | Self::Disk | Self::Output => {
                "Raise that limit in `zazen.toml` or ask for a smaller plan, then write `/retry`."
            }
            Self::Crash | Self::TurnLimit | Self::Killed => {
                "Look into it with `zazen task logs`, then write `/retry`."
            }
            Self::Stuck => "Read what it repeated, then write `/retry` and say what to do instead.",
            Self::ModelError | Self::Overloaded | Self::StreamCut | Self::Hung => {
                "Write `/retry` when the service is well again."
            }
            Self::Quota => "Write `/retry` when the limit is over.",
            Self::GaveUp => {
                "Read why, then write `/retry` and say what to do about it, or `/plan` to have it \
                 planned otherwise."
            }
            Self::NeedsPermission => {
                "Do that part by hand, or say how to do without it; then write `/retry`."
            }
            Self::ContextTooLong => {
                "Write `/plan` and ask for smaller steps, or set a model that reads more in \
                 `zazen.toml` and write `/retry`."
            }
            Self::NeedsLogin => "Check the key with `zazen doctor`, then write `/retry`.",
            Self::Budget => {
                "Raise that limit in `zazen.toml` and start zazen again, or wait until its day or \
                 month is over; then write `/retry`. It goes on from the finished commits."
            }
            Self::Sandbox | Self::Repository => {
                "Run `zazen doctor`, mend what it names, then write `/retry`."
            }
            Self::ForeignBranch => {
                "zazen never writes over them: rename or delete that branch, then write `/retry`."
            }
            Self::NoDrafts => {
                "The finished branch is pushed: open a pull request from it. Or get drafts for \
                 this repository (they need a public one, or a paid plan), then write `/retry`."
            }
            Self::NoIssues => {
                "Let zazen open issues in this repository, then write `/retry`: it goes on with \
                 the step that is next."
            }
            Self::Refused => {
                "Let zazen push to `zazen/` branches and open drafts here, then write `/retry`."
            }
            Self::TooLate => {
                "Set a later deadline in the issue and write `/plan`: the one that was approved \
                 stays what it was."
            }
        }
    }
}
