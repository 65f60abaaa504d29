//! When the next call may be made: GitHub's limits, as values.
//!
//! One [`Pace`] is kept for each installation. It knows no clock: moments come
//! in as milliseconds. Who waits, and in which order, is `queue`.

use std::collections::VecDeque;

use super::call::{Kind, Rank};

/// How fast calls may follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// As github.com asks of everybody.
    Github,
    /// Only as the server says: an Enterprise server usually has no limits.
    AsTold,
}

/// What was sent lately, and what GitHub said of it. All moments are in milliseconds.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    /// When the writes of the last hour began, the oldest first.
    writes: VecDeque<u64>,
    /// No write begins before.
    write_after: u64,
    /// How far the looks have used up what they may; see `LOOK_EVERY`.
    looks_until: u64,
    /// Nothing is sent before: GitHub said so.
    closed_until: u64,
    /// How often in a row GitHub said no without saying for how long.
    n_refused: u32,
    /// What is left of the hour, and when the next one begins.
    left: Option<(u64, u64, u64)>,
}

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Writes go one after the other, a second apart.
    Spacing,
    /// So many writes in a minute or an hour are enough.
    Share,
    /// GitHub said to wait.
    Told,
}

/// What an answer says of limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The answer is a refusal because of limits.
    pub(super) is_refused: bool,
    /// To wait this long, in milliseconds.
    pub(super) wait: Option<u64>,
    /// How many calls the hour has, how many are left, and when it ends, in milliseconds from now.
    pub(super) hour: Option<(u64, u64, u64)>,
}

/// GitHub asks for at least one second between writes.
pub(super) const WRITE_GAP: u64 = 1_000;

/// GitHub's limits on what creates content, and what of them only publishing may use.
const WRITES_A_MINUTE: usize = 80;
const WRITES_AN_HOUR: usize = 500;
const RESERVED_A_MINUTE: usize = 20;
const RESERVED_AN_HOUR: usize = 100;

/// Looks come eight a second in the long run, and a hundred at once. That and the
/// writes (five points each) stay below GitHub's 900 points a minute.
const LOOK_EVERY: u64 = 125;
const LOOKS_AT_ONCE: u64 = 100;

/// When no more than this share of an hour's calls is left, only publishing goes on.
const RESERVED_OF_HOUR: u64 = 50;

/// What GitHub asks for where it does not say how long: a minute, and then doubling.
const REFUSED_WAIT: u64 = 60_000;

/// No wait is believed that is longer: an hour is the longest window GitHub has.
const WAIT_MAX: u64 = 65 * 60_000;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

impl Pace {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            writes: VecDeque::new(),
            write_after: 0,
            looks_until: 0,
            closed_until: 0,
            n_refused: 0,
            left: None,
        }
    }

    /// The moment from which such a call may be made, and what it waits for until then.
    pub(super) fn ready_at(&self, kind: Kind, rank: Rank, now: u64) -> (u64, Why) {
        let told = self.closed_until.max(self.hour_over(rank, now));
        if self.limits == Limits::AsTold {
            return (told, Why::Told);
        }
        let own = match kind {
            Kind::Look => (self.looks_until.saturating_sub(LOOK_EVERY * LOOKS_AT_ONCE), Why::Share),
            Kind::Act => {
                let share = self.share_at(rank, now);
                if share > self.write_after {
                    (share, Why::Share)
                } else {
                    (self.write_after, Why::Spacing)
                }
            }
        };
        if told > own.0 { (told, Why::Told) } else { own }
    }

    /// Notes that a call begins.
    pub(super) fn begin(&mut self, kind: Kind, now: u64) {
        if let Some((_, left, _)) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        match kind {
            Kind::Look => self.looks_until = self.looks_until.max(now) + LOOK_EVERY,
            Kind::Act => {
                while self.writes.front().is_some_and(|at| at + HOUR <= now) {
                    self.writes.pop_front();
                }
                self.writes.push_back(now);
                self.write_after = now + WRITE_GAP;
            }
        }
    }

    /// Notes that a write is over: the next one keeps its distance from the end.
    pub(super) fn end_write(&mut self, now: u64) {
        self.write_after = self.write_after.max(now + WRITE_GAP);
    }

    /// Takes in what an answer says of limits. If it is a refusal, says until when to wait.
    pub(super) fn hear(&mut self, heard: Heard, now: u64) -> Option<u64> {
        if let Some((limit, left, wait)) = heard.hour {
            self.left = Some((limit, left, now + wait.min(WAIT_MAX)));
        }
        if !heard.is_refused {
            self.n_refused = 0;
            return None;
        }
        let ended = heard.hour.filter(|(_, left, _)| *left == 0).map(|(_, _, wait)| wait);
        let wait = heard.wait.or(ended).unwrap_or_else(|| {
            let wait = REFUSED_WAIT << self.n_refused.min(6);
            self.n_refused += 1;
            wait
        });
        self.closed_until = self.closed_until.max(now + wait.min(WAIT_MAX));
        Some(self.closed_until)
    }

    /// When GitHub lets us go on, if it said that we have to wait.
    pub(super) fn closed_until(&self, now: u64) -> Option<u64> {
        (self.closed_until > now).then_some(self.closed_until)
    }

    /// When the hour ends, if too little of it is left.
    fn hour_over(&self, rank: Rank, now: u64) -> u64 {
        let Some((limit, left, reset)) = self.left else { return 0 };
        let reserve = match rank {
            Rank::Publish => 0,
            Rank::Ordinary => limit / RESERVED_OF_HOUR,
        };
        if left <= reserve && reset > now { reset } else { 0 }
    }

    /// When the last minute and the last hour have room for one more write.
    fn share_at(&self, rank: Rank, now: u64) -> u64 {
        let reserved = |n: usize| if rank == Rank::Publish { 0 } else { n };
        let windows = [
            (MINUTE, WRITES_A_MINUTE - reserved(RESERVED_A_MINUTE)),
            (HOUR, WRITES_AN_HOUR - reserved(RESERVED_AN_HOUR)),
        ];
        let free = windows.iter().map(|(window, n_max)| {
            let nth = self.writes.len().checked_sub(*n_max);
            let at = nth.and_then(|nth| self.writes.get(nth)).map_or(0, |at| at + window);
            if at > now { at } else { 0 }
        });
        free.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
