//! Numbers and moments, in the ways in which services write them.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use zazen_core::id::Time;
use zazen_core::limit::{SHORT_WAIT_MS, SPAN_MAX_MS, credible};

/// A moment, as somebody said it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nothing was said, or nothing that can be read.
    #[default]
    Unsaid,
    /// It may be over.
    At(Time),
    /// It is so far away that it is not believed.
    Far,
}

/// Plain numbers from here on are moments in seconds since 1970, from there on in milliseconds.
/// Smaller ones are seconds to wait: these would be thirty years.
const EPOCH_SECONDS: f64 = 1e9;
const EPOCH_MILLIS: f64 = 1e12;

/// The longest span of a plan that is believed, in minutes: a year.
const SPAN_MINUTES_MAX: f64 = 366.0 * 24.0 * 60.0;

impl Moment {
    pub(super) fn of(at: Time, now: Time) -> Self {
        if at.millis_since(now) > SPAN_MAX_MS { Self::Far } else { Self::At(at) }
    }

    /// So many seconds after `now`.
    pub(super) fn after(seconds: f64, now: Time) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "it is some weeks")]
        let most = SPAN_MAX_MS as f64;
        if seconds * 1000.0 > most {
            return Self::Far;
        }
        Self::At(Time(now.0.saturating_add(whole(seconds * 1000.0))))
    }

    /// The moment, if it is still to come and can be believed.
    pub(super) fn end(self, now: Time) -> Option<Time> {
        match self {
            Self::At(at) => credible(at, now),
            Self::Unsaid | Self::Far => None,
        }
    }

    /// Whether it is further away than a harness should wait.
    pub(super) fn is_long(self, now: Time) -> bool {
        match self {
            Self::Unsaid => false,
            Self::At(at) => at.millis_since(now) >= SHORT_WAIT_MS,
            Self::Far => true,
        }
    }
}

/// A number that is none too small: seconds, for one. It may be infinite.
pub(super) fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| *number >= 0.0)
}

pub(super) fn count(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// The minutes of a span of a plan.
pub(super) fn span(minutes: f64) -> Option<u32> {
    let is_one = (1.0..=SPAN_MINUTES_MAX).contains(&minutes);
    is_one.then(|| u32::try_from(whole(minutes)).ok()).flatten()
}

/// What stands in `retry-after`: seconds, or a date.
pub(super) fn retry_after(text: &str, now: Time) -> Moment {
    if let Some(seconds) = seconds(text) {
        return Moment::after(seconds, now);
    }
    match rfc2822::parse(text) {
        Ok(date) => of_timestamp(date.timestamp(), now),
        Err(_) => Moment::Unsaid,
    }
}

/// When something is reset: a moment in seconds or by the calendar, or a span like `6m0s`.
pub(super) fn reset(text: &str, now: Time) -> Moment {
    if let Some(number) = seconds(text) {
        return of_number(number, now);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return of_timestamp(at, now);
    }
    match text.parse::<SignedDuration>() {
        Ok(wait) if !wait.is_negative() => Moment::after(wait.as_secs_f64(), now),
        Ok(_) | Err(_) => Moment::Unsaid,
    }
}

/// A plain number that is a moment, or a wait in seconds.
pub(super) fn of_number(number: f64, now: Time) -> Moment {
    if number >= EPOCH_MILLIS {
        Moment::of(Time(whole(number)), now)
    } else if number >= EPOCH_SECONDS {
        Moment::of(Time(whole(number * 1000.0)), now)
    } else if number >= 0.0 {
        Moment::after(number, now)
    } else {
        Moment::Unsaid
    }
}

fn of_timestamp(at: Timestamp, now: Time) -> Moment {
    Moment::of(Time(u64::try_from(at.as_millisecond()).unwrap_or(0)), now)
}

/// Without what comes after the point. What is too large is the largest there is.
fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let whole = number as u64;
    whole
}
