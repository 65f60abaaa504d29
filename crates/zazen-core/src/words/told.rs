//! What became of what somebody wrote while an agent was at work.

use super::person;
use crate::task::Reached;

/// Whom it reached, in a sentence.
pub(super) fn told(by: &str, reached: Reached) -> String {
    let by = person(by);
    match reached {
        Reached::AtWork => format!("The agent at work was told what {by} wrote."),
        Reached::Next => format!("What {by} wrote, the next agent will read."),
    }
}
