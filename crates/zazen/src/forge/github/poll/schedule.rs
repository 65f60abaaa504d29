//! When a repository is asked about next: a value, without a clock.
//!
//! Quickly while something is going on, and more and more slowly when nothing
//! is. Where webhooks are heard, polling only makes up for those that are lost;
//! a change that no webhook told of ends that trust. What GitHub asks for goes
//! before all of it.

use std::time::Duration;

use zazen_core::id::Time;

/// How often repositories are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Only to catch up, at the start and where a webhook was lost. The others have to tell.
    Off,
    /// As it is worth while.
    Adaptive,
    /// Always after this time.
    Fixed(Duration),
}

/// When one repository is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pace: Pace,
    interval: Duration,
    due: Time,
    /// It is to be asked about once at any pace: to catch up, or as something was lost.
    is_woken: bool,
    polled: Option<Time>,
    /// When the last webhook came, while webhooks are trusted.
    heard: Option<Time>,
}

/// What asking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something changed.
    Found,
    Nothing,
    Failed,
    /// GitHub takes nothing before this moment.
    Limited {
        until: Time,
    },
}

/// The pause while something is going on: a person who waits looks again by then.
pub(super) const FAST: Duration = Duration::from_secs(20);

/// The longest pause without webhooks: twelve calls an hour.
pub(super) const IDLE: Duration = Duration::from_secs(5 * 60);

/// The longest pause with webhooks: how late a lost one may be noticed.
pub(super) const HOOKED: Duration = Duration::from_secs(15 * 60);

/// How long after a webhook the next ones are counted on.
const TRUSTED: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a limit can be meant seriously. GitHub's windows are an hour long.
const LIMITED_MAX: Duration = Duration::from_secs(2 * 60 * 60);

impl Schedule {
    /// A repository that is asked about at once, to catch up.
    pub fn new(pace: Pace, now: Time) -> Self {
        Self { pace, interval: FAST, due: now, is_woken: true, polled: None, heard: None }
    }

    /// When it is to be asked about; never, if polling is off and nothing was lost.
    pub fn due(&self) -> Option<Time> {
        (self.is_woken || self.pace != Pace::Off).then_some(self.due)
    }

    /// A webhook told of this repository, so the next change will most likely be told, too.
    pub fn heard(&mut self, now: Time) {
        self.heard = Some(now);
        if self.pace == Pace::Adaptive {
            let latest = self.polled.map_or(now, |polled| later(polled, HOOKED));
            self.due = self.due.max(later(now, IDLE).min(latest));
        }
    }

    /// Something is going on: people were asked, or told something that they may answer.
    pub fn stir(&mut self, now: Time) {
        if self.pace == Pace::Adaptive && !self.is_hooked(now) {
            self.interval = FAST;
            self.due = self.due.min(later(now, FAST));
        }
    }

    /// It is to be asked about at once.
    pub fn wake(&mut self, now: Time) {
        self.is_woken = true;
        self.due = self.due.min(now);
    }

    /// It was asked about. `pause` is what GitHub asks for at least.
    pub fn polled(&mut self, now: Time, outcome: Outcome, pause: Option<Duration>) {
        let was_heard = self.heard.is_some_and(|heard| self.polled.is_none_or(|at| heard >= at));
        if outcome == Outcome::Found && self.polled.is_some() && !was_heard {
            // Webhooks are lost, or do not come any more.
            self.heard = None;
        }
        // Whoever is only woken is woken until there was an answer.
        self.is_woken = matches!(outcome, Outcome::Failed | Outcome::Limited { .. });
        self.interval = self.next_interval(now, outcome);
        let interval = self.interval.max(pause.unwrap_or_default().min(LIMITED_MAX));
        self.due = later(now, interval);
        if let Outcome::Limited { until } = outcome {
            self.due = until.max(later(now, FAST)).min(later(now, LIMITED_MAX));
        } else {
            self.polled = Some(now);
        }
    }

    fn next_interval(&self, now: Time, outcome: Outcome) -> Duration {
        let (least, most) = match self.pace {
            Pace::Fixed(interval) => (interval, interval),
            Pace::Off | Pace::Adaptive if self.is_hooked(now) => (IDLE, HOOKED),
            Pace::Off | Pace::Adaptive => (FAST, IDLE),
        };
        match outcome {
            Outcome::Found => least,
            Outcome::Nothing | Outcome::Failed => (self.interval * 2).clamp(least, most),
            Outcome::Limited { .. } => self.interval.clamp(least, most),
        }
    }

    fn is_hooked(&self, now: Time) -> bool {
        self.heard.is_some_and(|heard| u128::from(now.millis_since(heard)) < TRUSTED.as_millis())
    }
}

/// The moment that is this much later.
pub(super) fn later(time: Time, by: Duration) -> Time {
    Time(time.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests;
