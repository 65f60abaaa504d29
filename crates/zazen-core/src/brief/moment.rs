//! A deadline as people write it: `2027-01-31`, `2027-01-31 18:00`, both in UTC.

use crate::id::Time;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Reads a deadline. An empty text is none; a day alone means its end.
pub(super) fn parse(text: &str) -> Result<Option<Time>, ()> {
    let text = text.trim().trim_matches('`').to_uppercase();
    let text = text.strip_suffix("UTC").or_else(|| text.strip_suffix('Z')).unwrap_or(&text).trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (date, Some(clock.trim())),
        None => (text, None),
    };
    let day = day(date).ok_or(())?;
    let millis = match clock {
        None => DAY_MS,
        Some(clock) => minutes(clock).ok_or(())? * 60_000,
    };
    Ok(Some(Time(day * DAY_MS + millis)))
}

/// The days from 1970-01-01 to a date, if there is such a date.
fn day(date: &str) -> Option<u64> {
    let mut parts = date.splitn(3, '-');
    let mut part = |n_digits: usize| {
        let part = parts.next()?;
        let is_number = part.len() == n_digits && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse::<u64>().ok()).flatten()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    if !(1970..=9998).contains(&year) || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Counted by the calendar that moments are shown by, from a day that cannot be after it.
    let first = (year - 1970) * 365 + (month - 1) * 28 + (day - 1);
    let at = |n: u64| Time(n * DAY_MS).utc();
    let is_it = |n: &u64| {
        let utc = at(*n);
        (utc.year, utc.month, utc.day) == (year, month, day)
    };
    // Leap days, and what months have beyond four weeks.
    let last = first + (year - 1970) / 4 + 2 + 35;
    (first..=last).find(is_it)
}

fn minutes(clock: &str) -> Option<u64> {
    let (hours, minutes) = clock.split_once(':')?;
    let number = |text: &str| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().ok()).flatten()
    };
    // Seconds are nobody's deadline, and programs write them.
    let minutes = minutes.split(':').next().unwrap_or(minutes);
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
