//! `/approve` of what is held back: it names exactly that, or nothing is let through.

use super::Reader;
use crate::id::ContentHash;
use crate::reply::Reply;
use crate::task::{Event, State, Task};

impl Reader<'_> {
    /// Whether what is approved here is something that is held back.
    pub(super) fn is_held(&self) -> bool {
        self.task().is_some_and(|task| matches!(task.state, State::Held(_)))
    }

    /// Lets through what is held back, if its hash is what was written first.
    pub(super) fn release(&mut self, by: String, text: &str) {
        let Some(task) = self.task() else { return };
        match release(&task, by, text) {
            Ok(event) => self.tell("approve", event),
            Err(held) => {
                let held = held.map_or_else(String::new, |held| held.short().to_owned());
                self.reply(Reply::OtherHold { task: task.id, held });
            }
        }
    }
}

/// The event that lets through what is held back, if `text` begins with its hash. Else what is
/// held back, if anything is.
pub(super) fn release(task: &Task, by: String, text: &str) -> Result<Event, Option<ContentHash>> {
    let hold = task.state.work().and_then(|work| work.proof.held()).cloned();
    let hold = hold.ok_or(None)?;
    let named = text.split_whitespace().next().unwrap_or_default().trim_matches('`');
    if hold.is_named(named) {
        return Ok(Event::Released { by, hold });
    }
    Err(Some(hold))
}
