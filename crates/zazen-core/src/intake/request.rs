//! What the command line asks for, as facts.

use super::{fits, fork, release, split};
use crate::engine::{Book, Cause, Change, Fact};
use crate::id::TaskId;
use crate::task::{Event, Fork};

/// What the command line asks of one task.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    Stop {
        task: TaskId,
        by: String,
    },
    Retry {
        task: TaskId,
        by: String,
        remarks: String,
        /// Whether it goes on by itself after waits, where that is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resumes: Option<bool>,
    },
    /// A task that goes on from what a step of another one left.
    Fork {
        fork: Fork,
        by: String,
    },
    /// Let through what is held back, by at least the digits of its hash that people are shown.
    Release {
        task: TaskId,
        by: String,
        hold: String,
    },
}

/// Reads one request of the command line. Says what is wrong where it cannot be done.
pub fn request(book: &Book, id: &str, request: &Request) -> Result<Fact, String> {
    let cause = Some(Cause::Request { id: id.to_owned() });
    let task = match request {
        Request::Fork { fork, by } => {
            return fork::fork(book, fork, by).map(|changes| Fact { cause, changes });
        }
        Request::Stop { task, .. }
        | Request::Retry { task, .. }
        | Request::Release { task, .. } => *task,
    };
    let known = book.task(task).ok_or_else(|| format!("there is no task {task}"))?;
    let event = match request {
        Request::Fork { .. } => return Err("a fork is a task of its own".to_owned()),
        Request::Stop { by, .. } => Event::StopAsked { by: by.clone() },
        Request::Retry { by, remarks, .. } => {
            split::go_on(split::waits(book, &known), by.clone(), remarks.clone())
        }
        Request::Release { by, hold, .. } => match release::release(&known, by.clone(), hold) {
            Ok(event) => event,
            Err(None) => return Err(format!("task {task} holds nothing back")),
            Err(Some(held)) => {
                let held = held.short();
                return Err(format!("task {task} holds `{held}` back, and not `{hold}`"));
            }
        },
    };
    if !fits(&known, &event) {
        return Err(format!("task {task} is {}", known.state));
    }
    let resumes = match request {
        Request::Stop { .. } | Request::Release { .. } | Request::Fork { .. } => None,
        Request::Retry { resumes, .. } => *resumes,
    };
    let resuming = resumes.map(|resumes| Event::ResumingSet { resumes });
    let events = [event].into_iter().chain(resuming);
    Ok(Fact { cause, changes: events.map(|event| Change::Task { task, event }).collect() })
}
