//! How much zazen says on one issue.
//!
//! People are told of every comment, so there are few: a limit per issue and hour, for new
//! comments and for edits. What is over it waits; the last text wins anyway.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use zazen_core::engine::IssueRef;

/// The time that the limits are for.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many comments zazen writes on one issue in an hour. A task needs three.
const N_COMMENTS_MAX: usize = 12;

/// How often it edits its comments on one issue in an hour: one every minute, and people
/// are told of none.
const N_EDITS_MAX: usize = 60;

/// How many issues zazen opens for the steps of one issue's plans in an hour: those of the
/// longest plan, and of one more.
const N_ISSUES_MAX: usize = 2 * zazen_core::plan::STEPS_MAX;

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Comment,
    Edit,
    Issue,
}

/// What was said in the last hour.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<BTreeMap<(IssueRef, Act), VecDeque<Instant>>>);

impl Pace {
    /// Counts one more, or says how long it has to wait.
    pub(super) fn take(&self, issue: &IssueRef, act: Act, now: Instant) -> Result<(), Duration> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, times| {
            while times.front().is_some_and(|at| now.saturating_duration_since(*at) >= HOUR) {
                times.pop_front();
            }
            !times.is_empty()
        });
        let times = said.entry((issue.clone(), act)).or_default();
        let n_max = match act {
            Act::Comment => N_COMMENTS_MAX,
            Act::Edit => N_EDITS_MAX,
            Act::Issue => N_ISSUES_MAX,
        };
        match times.front() {
            Some(first) if times.len() >= n_max => {
                Err(HOUR.saturating_sub(now.saturating_duration_since(*first)))
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
