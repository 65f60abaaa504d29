//! What people say to agents at work.
//!
//! What somebody writes on the issue while an agent is at work is said to it at once,
//! where its harness listens; else the next agent reads it, as it reads all of the issue.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::{Task, TextRef};

/// A text of a person for the agent at work.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Saying {
    pub text: TextRef,
    pub by: String,
}

/// Whom a saying reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// The agent at work has it.
    AtWork,
    /// The next agent of the task will read it.
    Next,
}

/// How many sayings wait at a time. People write a few while an agent is at work; what is
/// over it, the next agent reads.
const SAYINGS_MAX: usize = 16;

/// Somebody wrote something while a run is under way.
pub(super) fn said(task: &mut Task, saying: Saying) {
    let is_at_work = task.run.as_ref().is_some_and(|run| !run.phase.is_checks());
    if is_at_work && task.to_tell.len() < SAYINGS_MAX && !task.to_tell.contains(&saying) {
        task.to_tell.push(saying);
    }
}

/// It is known whom it reached. Its author sees that by a sign, and by a line.
pub(super) fn told(task: &mut Task, text: TextRef, reached: Reached) {
    let Some(at) = task.to_tell.iter().position(|saying| saying.text == text) else { return };
    let Saying { by, .. } = task.to_tell.remove(at);
    if !task.to_acknowledge.contains(&text) {
        task.to_acknowledge.push(text);
    }
    task.told = Some((by, reached));
}
