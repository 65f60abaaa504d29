use proptest::prelude::*;

use super::*;
use crate::limit::Report;

const NOW: Time = Time(1_800_000_000_000);
const MINUTE: u64 = 60_000;
const WEEK: u32 = 7 * 24 * 60;

/// A window that began this long ago, in minutes, and of which so much is used.
fn window(minutes: u32, ago: u32, used: u64) -> Window {
    let of = Meter::Plan { minutes, class: None };
    let left = u64::from(minutes.saturating_sub(ago)) * MINUTE;
    let used = Some(Share::of_thousandths(used));
    Window { resets: Some(Time(NOW.0 + left)), used, ..Window::new(of, NOW) }
}

fn limits(windows: Vec<Window>) -> Limits {
    let mut limits = Limits::default();
    limits.take("m", Report { windows, closing: None }, NOW);
    limits
}

fn pace(percent: u64) -> Pace {
    Pace { reserve: Share::of_thousandths(percent * 10) }
}

fn mode(reserve: u64, windows: Vec<Window>) -> Option<Mode> {
    pace(reserve).mode(&limits(windows), None, NOW)
}

#[test]
fn the_faster_a_window_is_used_up_the_less_may_begin() {
    for (ago, used, expected) in [
        (0, 0, Mode::Deep),
        (60, 200, Mode::Deep),
        (60, 280, Mode::Deep),
        (60, 290, Mode::Implement),
        (60, 600, Mode::Implement),
        (60, 610, Mode::Review),
        (60, 800, Mode::Review),
        (60, 810, Mode::Wait),
        (240, 810, Mode::Deep),
        (290, 960, Mode::Deep),
        (299, 1000, Mode::Wait),
    ] {
        assert_eq!(mode(0, vec![window(300, ago, used)]), Some(expected), "{ago} {used}");
    }
}

#[test]
fn what_is_kept_for_people_is_not_used() {
    assert_eq!(mode(30, vec![window(300, 299, 690)]), Some(Mode::Deep));
    assert_eq!(mode(30, vec![window(300, 299, 700)]), Some(Mode::Wait));
    assert_eq!(mode(30, vec![window(300, 150, 350)]), Some(Mode::Deep));
}

#[test]
fn the_tightest_window_counts() {
    let (fresh, tight) = (window(300, 150, 100), window(WEEK, 24 * 60, 700));
    assert_eq!(mode(0, vec![fresh.clone()]), Some(Mode::Deep));
    assert_eq!(mode(0, vec![fresh, tight]), Some(Mode::Review));
}

#[test]
fn nothing_follows_from_what_nobody_has_reported() {
    assert_eq!(mode(30, vec![]), None);
    let unknown = Window { used: None, ..window(300, 10, 0) };
    assert_eq!(mode(30, vec![unknown]), Some(Mode::Deep));
    let said = Window { used: None, standing: Standing::UsedUp, ..window(300, 10, 0) };
    assert_eq!(mode(0, vec![said]), Some(Mode::Wait), "but a word is a report, too");
    let endless = Window { resets: None, ..window(300, 10, 600) };
    assert_eq!(mode(30, vec![endless]), Some(Mode::Deep));
    let rate = Window { left: Some(0), most: Some(9), ..Window::new(Meter::Requests, NOW) };
    assert_eq!(mode(30, vec![rate]), None);
}

#[test]
fn a_window_for_a_class_of_models_counts_for_those() {
    let of = Meter::Plan { minutes: WEEK, class: Some("opus".to_owned()) };
    let limits = limits(vec![Window { of, ..window(WEEK, 10, 990) }]);
    let mode = |model| pace(0).mode(&limits, model, NOW);
    assert_eq!(mode(Some("claude-opus-5")), Some(Mode::Wait));
    assert_eq!(mode(Some("claude-haiku-5")), None);
    assert_eq!(mode(None), None);
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let one = (prop::sample::select(vec![300_u32, WEEK]), 0_u32..WEEK, 0_u64..=1000);
    let one = one.prop_map(|(minutes, ago, used)| window(minutes, ago % minutes, used));
    prop::collection::vec(one, 1..3)
}

fn roles() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL.to_vec())
}

proptest! {
    #[test]
    fn nothing_begins_where_what_is_used_and_what_is_kept_are_all(
        windows in windows(), role in roles(), reserve in 0_u64..100,
    ) {
        let limits = limits(windows);
        let is_all = |window: &Window| {
            window.used().is_some_and(|used| used.thousandths() + reserve * 10 >= 1000)
        };
        let is_over = limits.windows(NOW).any(is_all);
        let opens = pace(reserve).opens(&limits, (Mode::of(role), None), NOW);
        prop_assert!(!is_over || opens.is_some());
    }

    #[test]
    fn with_more_left_no_less_may_begin(
        windows in windows(), less in 0_u64..=1000, reserve in 0_u64..100,
    ) {
        let better = windows.iter().map(|window| {
            let used = window.used().map_or(0, Share::thousandths).saturating_sub(less);
            Window { used: Some(Share::of_thousandths(used)), ..window.clone() }
        });
        let better = mode(reserve, better.collect());
        prop_assert!(better >= mode(reserve, windows));
    }

    #[test]
    fn a_wait_ends_when_it_says_and_at_the_latest_with_its_windows(
        windows in windows(), role in roles(), reserve in 0_u64..100,
    ) {
        let last = windows.iter().filter_map(|window| window.resets).max().expect("a window");
        let limits = limits(windows);
        let wanted = (Mode::of(role), None);
        if let Some(opens) = pace(reserve).opens(&limits, wanted, NOW) {
            prop_assert!(NOW < opens && opens <= last);
            prop_assert_eq!(pace(reserve).opens(&limits, wanted, opens), None);
            prop_assert!(pace(reserve).opens(&limits, wanted, Time(opens.0 - 1)).is_some());
        }
    }

    #[test]
    fn what_may_begin_in_a_mode_may_in_every_larger_one(
        windows in windows(), reserve in 0_u64..100,
    ) {
        let limits = limits(windows);
        let opens = |mode| pace(reserve).opens(&limits, (mode, None), NOW);
        let opens = Mode::ALL.map(opens);
        prop_assert!(opens.is_sorted_by(|larger, smaller| larger >= smaller));
    }
}
