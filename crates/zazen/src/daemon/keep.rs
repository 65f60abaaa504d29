//! The clock.

use zazen_core::id::Time;

/// The present moment.
pub fn now() -> Time {
    let millis = jiff::Timestamp::now().as_millisecond();
    Time(u64::try_from(millis).unwrap_or(0))
}
