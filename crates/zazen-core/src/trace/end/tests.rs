//! When what was said comes to pass, and what older versions wrote.

use super::*;

#[test]
fn a_time_of_day_is_the_next_one_and_never_exact() {
    // 1970-01-11 12:00.
    let noon = 10 * DAY_MILLIS + DAY_MILLIS / 2;
    let at = |reset: Reset| reset.resolve(Time(noon));
    let later = Resets { at: Time(noon + MINUTE_MILLIS), is_approximate: true };
    assert_eq!(at(Reset::AtMinuteOfDay(12 * 60 + 1)), later);
    let tomorrow = Resets { at: Time(noon + DAY_MILLIS), is_approximate: true };
    assert_eq!(at(Reset::AtMinuteOfDay(12 * 60)), tomorrow);
    let soon = Resets { at: Time(noon + 5), is_approximate: true };
    assert_eq!(at(Reset::AfterMillis(5)), soon);
    let exact = Resets { at: Time(7), is_approximate: false };
    assert_eq!(at(Reset::At(Time(7))), exact);
    assert_eq!(Reset::AfterMillis(u64::MAX).resolve(Time(1)).at, Time(u64::MAX));
}

#[test]
fn ends_of_older_versions_are_read() {
    let read = |text: &str| serde_json::from_str::<End>(text).unwrap();
    let old = read(r#"{"claim":"limit","text":"30 turns"}"#);
    assert_eq!((old.claim, old.reset), (Claim::TurnLimit, None));
    assert_eq!(read(r#"{"claim":"aborted","text":""}"#).claim, Claim::Killed);
}
