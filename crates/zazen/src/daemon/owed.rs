//! What is to be looked at again, and when.
//!
//! A look may come too early (a person is just writing), or fail: a disk that has an
//! error, or no space for what was found. Nobody says a second time that there is
//! something new, so the look itself is owed until it was done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use zazen_core::engine::IssueRef;

use super::look::SETTLED;

/// How long to wait, at the longest, before looking again at what cannot be read. A
/// page that a person broke stays broken until they save it, and that is seen at once.
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// Something to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Issue(IssueRef),
    /// An issue or a pull request on another forge, to be copied.
    Conversation(IssueRef),
    /// Which issues there are.
    Issues,
    /// All that is not an issue.
    Everywhere,
}

/// What is to be looked at again, and when.
#[derive(Debug, Default)]
pub(super) struct Owed(BTreeMap<Place, Debt>);

#[derive(Debug, Clone, Copy)]
struct Debt {
    due: Instant,
    wait: Duration,
}

impl Owed {
    /// It could not be looked at. Each time in a row the wait is twice as long.
    pub(super) fn owe(&mut self, place: Place) {
        let wait = self.0.get(&place).map_or(SETTLED, |debt| (debt.wait * 2).min(AGAIN_MAX));
        self.0.insert(place, Debt { due: Instant::now() + wait, wait });
    }

    /// A person is just writing there.
    pub(super) fn look_soon(&mut self, place: Place) {
        self.0.insert(place, Debt { due: Instant::now() + SETTLED, wait: SETTLED });
    }

    pub(super) fn done(&mut self, place: &Place) {
        // What is to be looked at soon was not looked at to its end.
        if self.0.get(place).is_some_and(|debt| debt.due <= Instant::now()) {
            self.0.remove(place);
        }
    }

    /// What is due. It stays owed until it is done.
    pub(super) fn due(&self) -> Vec<Place> {
        let now = Instant::now();
        self.0.iter().filter(|(_, debt)| debt.due <= now).map(|(place, _)| place.clone()).collect()
    }

    /// How long until something is due.
    pub(super) fn patience(&self) -> Duration {
        let due = self.0.values().map(|debt| debt.due).min();
        due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests;
