//! A task that goes on from what a step of another one left.
//!
//! It has the same approved plan, and a branch and a pull request of its own. What is known of
//! where it comes from is in its first note, and nowhere else.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::{Note, Task};
use crate::id::{AgentName, CommitId, TaskId};
use crate::roster::Role;

/// Where a task comes from that goes on from another one.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Fork {
    pub of: TaskId,
    /// The step after which it goes on. 0 is the base.
    pub step: u32,
    /// What the other task's work began with.
    pub base: CommitId,
    /// What that step left, if that is not the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
    /// Who carries it on, in place of those that the owner has set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
}

impl Task {
    /// Where it comes from, if it goes on from another one.
    pub fn fork(&self) -> Option<&Fork> {
        self.notes
            .iter()
            .find_map(|note| if let Note::Forked { fork, .. } = note { Some(fork) } else { None })
    }

    /// Who acts in a role, whatever the owner has set for all tasks.
    pub fn own_agent(&self, role: Role) -> Option<&AgentName> {
        let is_its = matches!(role, Role::Implement | Role::Correct);
        self.fork().filter(|_| is_its).and_then(|fork| fork.agent.as_ref())
    }
}
