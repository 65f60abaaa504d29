//! Moments, as people read them: in UTC, to the minute.
//!
//! Where somebody is, is nobody's business here; a moment that everybody on an issue can
//! compare has one clock.

use std::fmt;

use super::Time;

/// A moment, by the calendar and the clock of UTC. Printed as `2026-12-01 14:05 UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc {
    pub year: u64,
    /// From 1.
    pub month: u64,
    /// From 1.
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
}

/// The last moment that is shown as it is: the end of the year 9999.
const SHOWN_MAX_MS: u64 = 253_402_300_799_999;

impl Time {
    /// The moment in UTC. One after the year 9999 counts as its last.
    pub fn utc(self) -> Utc {
        let minutes = self.0.min(SHOWN_MAX_MS) / 60_000;
        let (days, minute_of_day) = (minutes / 1440, minutes % 1440);
        let (year, month, day) = civil(days);
        Utc { year, month, day, hour: minute_of_day / 60, minute: minute_of_day % 60 }
    }
}

/// Year, month and day of a day since 1970-01-01, as in Howard Hinnant's `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, in eras of 400 years.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // 0 is March.
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}

#[cfg(test)]
mod tests;
