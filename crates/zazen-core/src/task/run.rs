//! One run, as the engine sees it: what it is for, and who acts in it.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::id::{AgentName, CommitId, RunId, Time};

/// One harness (or check) process, as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub phase: Phase,
    pub from: CommitId,
    pub begun: Time,
    /// The agent that acts. The checks have none, and no run had a name beside it that began
    /// before there were several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
}

/// What a run is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Plan,
    Ask,
    Review,
    /// One step of the plan. The first is 1.
    Implement {
        step: u32,
    },
    Verify,
    Correct,
    /// The checks, on the commit that the work began with.
    Baseline,
}

impl Run {
    /// The agent that acts, if one does.
    pub fn agent(&self) -> Option<AgentName> {
        match self.phase {
            Phase::Verify | Phase::Baseline => None,
            Phase::Plan | Phase::Ask | Phase::Review | Phase::Implement { .. } | Phase::Correct => {
                Some(self.agent.clone().unwrap_or_default())
            }
        }
    }
}

impl Phase {
    /// Whether the validation command runs, and no agent.
    pub fn is_checks(self) -> bool {
        matches!(self, Self::Verify | Self::Baseline)
    }

    /// The word for this phase, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Ask => "ask",
            Self::Review => "review",
            Self::Implement { .. } => "implement",
            Self::Verify => "verify",
            Self::Correct => "correct",
            Self::Baseline => "baseline",
        }
    }
}
