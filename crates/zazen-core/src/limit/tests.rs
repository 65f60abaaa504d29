use proptest::prelude::*;

use super::*;

const NOW: Time = Time(1_800_000_000_000);
const HOUR_MS: u64 = 3_600_000;

fn closing(model: Option<&str>, until: Option<u64>) -> Closing {
    let until = until.map(|hours| Time(NOW.0 + hours * HOUR_MS));
    Closing { why: Why::Quota, model: model.map(str::to_owned), until, measured: NOW }
}

fn closes(closing: Closing) -> Report {
    Report { windows: Vec::new(), closing: Some(closing) }
}

fn window(of: Meter, measured: Time) -> Window {
    Window { left: Some(1), ..Window::new(of, measured) }
}

#[test]
fn a_route_is_closed_until_its_time_or_until_it_answers_again() {
    let mut limits = Limits::default();
    assert_eq!(limits.take_failed("a", closes(closing(None, Some(2))), NOW), Changed::Closings);
    assert!(limits.closed("a", NOW).is_some());
    assert!(limits.closed("b", NOW).is_some(), "it is about all models");
    assert!(limits.closed("a", NOW.plus_seconds(2 * 3600)).is_none(), "it is over");
    assert_eq!(limits.take("b", Report::default(), NOW), Changed::Closings);
    assert!(limits.closed("a", NOW).is_none(), "one model answers, so the account is not closed");
}

#[test]
fn what_is_closed_for_one_model_is_not_so_for_another() {
    let mut limits = Limits::default();
    limits.take_failed("a", closes(closing(Some("a"), Some(2))), NOW);
    assert!(limits.closed("a", NOW).is_some());
    assert!(limits.closed("b", NOW).is_none());
    assert!(limits.closed_for_all(NOW).is_none());
    assert_eq!(limits.take("b", Report::default(), NOW), Changed::Nothing);
    assert!(limits.closed("a", NOW).is_some(), "another model answered");
}

#[test]
fn a_call_that_failed_in_another_way_opens_nothing() {
    let mut limits = Limits::default();
    limits.take_failed("a", closes(closing(None, Some(2))), NOW);
    let rates = Report { windows: vec![window(Meter::Requests, NOW)], closing: None };
    assert_eq!(limits.take_failed("a", rates, NOW), Changed::Measures);
    assert!(limits.closed("a", NOW).is_some());
}

#[test]
fn what_nobody_says_the_end_of_is_shown_and_closes_nothing() {
    let mut limits = Limits::default();
    limits.take_failed("a", closes(closing(None, None)), NOW);
    assert!(limits.closed("a", NOW).is_none());
    assert_eq!(limits.closings(NOW).count(), 1);
    assert_eq!(limits.closings(NOW.plus_seconds(3600)).count(), 0);
}

#[test]
fn a_window_that_has_been_reset_is_unknown() {
    let mut limits = Limits::default();
    let plan = Meter::Plan { minutes: 300, class: None };
    let resets = Some(Time(NOW.0 + HOUR_MS));
    let windows = vec![
        Window { resets, used: Some(Share::of_thousandths(920)), ..Window::new(plan, NOW) },
        window(Meter::Requests, NOW),
    ];
    limits.take("a", Report { windows, closing: None }, NOW);
    assert_eq!(limits.windows(NOW).count(), 2);
    assert_eq!(limits.windows(NOW.plus_seconds(60)).count(), 1, "a rate is for a minute");
    assert_eq!(limits.windows(NOW.plus_seconds(3600)).count(), 0);
}

#[test]
fn numbers_are_a_share_where_no_share_is_said() {
    let of = |left, most| {
        let window = Window { left, most, ..Window::new(Meter::Tokens, NOW) };
        window.used().map(Share::percent)
    };
    assert_eq!(of(Some(25), Some(100)), Some(75));
    assert_eq!(of(Some(200), Some(100)), Some(0));
    assert_eq!(of(Some(0), Some(u64::MAX)), Some(100));
    assert_eq!(of(Some(1), Some(0)), None);
    assert_eq!(of(Some(1), None), None);
}

#[test]
fn what_was_kept_is_believed_only_as_far_as_it_can_be_true() {
    let ago = Time(NOW.0 - 1000);
    let odd = [
        Closing { until: Some(Time(u64::MAX)), measured: ago, ..closing(None, None) },
        Closing { until: Some(ago), measured: ago, ..closing(None, None) },
        Closing { measured: Time(u64::MAX), ..closing(None, Some(1)) },
    ];
    let good = Closing { measured: ago, ..closing(None, Some(1)) };
    let closings = odd.into_iter().chain([good.clone()]).collect();
    let windows = vec![
        Window { resets: Some(Time(u64::MAX)), ..window(Meter::Tokens, ago) },
        window(Meter::Requests, Time(u64::MAX)),
    ];
    let checked = Limits { windows, closings }.checked(NOW);
    assert_eq!(checked.closings, [good]);
    assert_eq!(checked.windows, []);
    let text = r#"{"windows":[{"of":"tokens","used":65535,"measured":1799999999000}]}"#;
    let read: Limits = serde_json::from_str(text).unwrap();
    assert_eq!(read.checked(NOW).windows[0].used(), Some(Share::WHOLE));
}

proptest! {
    #[test]
    fn no_number_of_reports_makes_it_grow(models in prop::collection::vec("[a-z]{1,3}", 0..200)) {
        let mut limits = Limits::default();
        for (model, n) in models.iter().zip(0..) {
            let at = Time(NOW.0 + n);
            let rate = Window { model: Some(model.clone()), ..window(Meter::Requests, at) };
            let closing = Closing { measured: at, ..closing(Some(model), Some(9)) };
            let report = Report { windows: vec![rate], closing: Some(closing) };
            limits.take_failed(model, report, at);
            prop_assert!(limits.closed(model, at).is_some());
        }
        prop_assert!(limits.windows.len() <= WINDOWS_MAX);
        prop_assert!(limits.closings.len() <= CLOSINGS_MAX);
    }

    #[test]
    fn an_end_that_is_believed_comes_within_five_weeks(at: u64, now: u64) {
        if let Some(end) = credible(Time(at), Time(now)) {
            prop_assert!(end > Time(now) && end.millis_since(Time(now)) <= SPAN_MAX_MS);
        }
    }
}
