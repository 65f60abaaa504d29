//! What a task knows of the contract that stands with its plan. The text is kept elsewhere.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::delegate::Need;
use crate::id::PlanHash;

/// A contract, by its text and what the engine must know of it.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct ContractRef {
    pub hash: PlanHash,
    /// Who has to approve it, for each kind that the work is of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}
