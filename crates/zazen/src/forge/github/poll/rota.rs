//! Which open work is looked at again, and when: a value, without a clock.
//!
//! GitHub lists what people changed. It does not list that checks have ended, or that an
//! issue was deleted or moved away; without webhooks, somebody has to look. So what zazen
//! works on is looked at soon after something was done there, then later and later, and in
//! the end in turns: one look in a while for a whole repository, however much is open in it.

use std::collections::BTreeMap;
use std::time::Duration;

use zazen_core::engine::IssueRef;
use zazen_core::id::{IssueNumber, RepoName, Time};

use super::Pace;
use super::schedule::later;
use crate::forge::github::Look;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rota {
    first: Duration,
    pending_max: Duration,
    repos: BTreeMap<RepoName, Turns>,
    /// Nothing is due before this moment.
    due: Option<Time>,
}

/// The open work of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Turns {
    places: BTreeMap<IssueNumber, Place>,
    /// When there was the last look of those that take turns.
    turned: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    looked: Time,
    /// Until the next look; nothing, where it takes its turn.
    wait: Option<Duration>,
}

/// How long after something was done there it is looked at first: CI has begun by then.
const FIRST: Duration = Duration::from_secs(30);

/// From which wait on it takes turns instead. By then it was looked at for half an hour.
const FRESH_MAX: Duration = Duration::from_secs(16 * 60);

/// How long it takes at the most until the next look while something there is under way.
const PENDING_MAX: Duration = Duration::from_secs(2 * 60);

/// The time between two looks of those that take turns: three calls an hour.
pub(super) const TURN: Duration = Duration::from_secs(20 * 60);

impl Rota {
    /// Without anything in it. At a pace that the owner has fixed, first looks are as quick.
    pub fn new(pace: Pace) -> Self {
        let (first, pending_max) = match pace {
            Pace::Fixed(every) => (every, every),
            Pace::Adaptive | Pace::Off => (FIRST, PENDING_MAX),
        };
        Self { first, pending_max, repos: BTreeMap::new(), due: None }
    }

    /// Something was done there that may be answered soon.
    pub fn stir(&mut self, at: &IssueRef, now: Time) {
        let place = Place { looked: now, wait: Some(self.first) };
        self.repos.entry(at.repo.clone()).or_default().places.insert(at.issue, place);
        self.not_after(later(now, self.first));
    }

    /// It is open, and nothing was done there lately.
    pub fn add(&mut self, at: &IssueRef, now: Time) {
        let turns = self.repos.entry(at.repo.clone()).or_default();
        turns.places.entry(at.issue).or_insert(Place { looked: now, wait: None });
        self.not_after(later(now, TURN));
    }

    /// Something there is still under way.
    pub fn pending(&mut self, at: &IssueRef, now: Time) {
        let (first, most) = (self.first, self.pending_max);
        let place = self.repos.get_mut(&at.repo).and_then(|turns| turns.places.get_mut(&at.issue));
        if let Some(place) = place {
            let wait = place.wait.map_or(first, |wait| wait.min(most));
            *place = Place { looked: now, wait: Some(wait) };
            self.not_after(later(now, wait));
        }
    }

    /// Nothing is to be looked at there any more.
    pub fn remove(&mut self, at: &IssueRef) {
        if let Some(turns) = self.repos.get_mut(&at.repo) {
            turns.places.remove(&at.issue);
            if turns.places.is_empty() {
                self.repos.remove(&at.repo);
            }
        }
        if self.repos.is_empty() {
            self.due = None;
        }
    }

    /// What is to be looked at now, and how. It is taken as looked at.
    pub fn take(&mut self, now: Time) -> Vec<(IssueRef, Look)> {
        let mut due = Vec::new();
        if self.due.is_none_or(|due| due > now) {
            return due;
        }
        for (repo, turns) in &mut self.repos {
            let numbers = turns.take(now).into_iter();
            let at = |issue| IssueRef { repo: repo.clone(), issue };
            due.extend(numbers.map(|(issue, look)| (at(issue), look)));
        }
        self.due = self.repos.values().filter_map(Turns::due).min();
        due
    }

    /// When there is something to be looked at next, or a little before.
    pub fn due(&self) -> Option<Time> {
        self.due
    }

    fn not_after(&mut self, time: Time) {
        self.due = Some(self.due.map_or(time, |due| due.min(time)));
    }
}

impl Turns {
    fn take(&mut self, now: Time) -> Vec<(IssueNumber, Look)> {
        let mut due: Vec<(IssueNumber, Look)> = Vec::new();
        for (number, place) in &mut self.places {
            let Some(wait) = place.wait.filter(|wait| later(place.looked, *wait) <= now) else {
                continue;
            };
            let next = Some(wait * 2).filter(|wait| *wait <= FRESH_MAX);
            *place = Place { looked: now, wait: next };
            due.push((*number, Look::Whole));
        }
        if self.turn().is_some_and(|turn| turn <= now) {
            let resting = self.places.iter_mut().filter(|(_, place)| place.wait.is_none());
            if let Some((number, place)) = resting.min_by_key(|(_, place)| place.looked) {
                place.looked = now;
                self.turned = Some(now);
                if due.iter().all(|(known, _)| known != number) {
                    due.push((*number, Look::Short));
                }
            }
        }
        due
    }

    /// When it is somebody's turn.
    fn turn(&self) -> Option<Time> {
        let resting = self.places.values().filter(|place| place.wait.is_none());
        let looked = resting.map(|place| place.looked).min()?;
        Some(later(self.turned.unwrap_or(looked).max(looked), TURN))
    }

    fn due(&self) -> Option<Time> {
        let fresh = self.places.values();
        let fresh = fresh.filter_map(|place| Some(later(place.looked, place.wait?))).min();
        fresh.into_iter().chain(self.turn()).min()
    }
}

#[cfg(test)]
mod tests;
