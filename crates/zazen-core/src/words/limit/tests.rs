use expect_test::{Expect, expect};

use super::*;
use crate::limit::{Report, Share};
use crate::task::Why;

/// 2026-12-01 05:00 UTC.
const NOW: Time = Time(1_796_101_200_000);

fn check(report: Report, mode: Option<(Mode, Option<Time>)>, expected: &Expect) {
    let mut known = Limits::default();
    known.take_failed("opus", report, NOW);
    expected.assert_eq(&limits(&known, mode, NOW.plus_seconds(59)));
}

fn plan(minutes: u32, used: u64) -> Window {
    let of = Meter::Plan { minutes, class: None };
    let resets = Some(NOW.plus_seconds(3600));
    let used = Some(Share::of_thousandths(used));
    Window { used, resets, ..Window::new(of, NOW) }
}

#[test]
fn what_was_reported_of_a_route_is_one_line() {
    check(Report::default(), None, &expect!["unknown: nothing was reported"]);
    let near = Window { standing: Standing::Near, ..plan(300, 920) };
    let windows = vec![near, plan(7 * 1440, 300)];
    let mode = Some((Mode::Review, Some(NOW.plus_seconds(600))));
    check(
        Report { windows, closing: None },
        mode,
        &expect![[
            "5 h: 92% used, nearly used up, reset at 2026-12-01 06:00 UTC; 7 d: 30% used, reset \
             at 2026-12-01 06:00 UTC; mode `review` until 2026-12-01 05:10 UTC (as of 59.0 s ago)"
        ]],
    );
    let model = Some("opus\u{1b}[2J".to_owned());
    let rate =
        Window { left: Some(49), most: Some(50), model, ..Window::new(Meter::Requests, NOW) };
    let said = Window { standing: Standing::UsedUp, ..Window::new(Meter::Tokens, NOW) };
    let closing =
        Closing { why: Why::Quota, model: None, until: Some(NOW.plus_seconds(60)), measured: NOW };
    check(
        Report { windows: vec![rate, said], closing: Some(closing) },
        None,
        &expect![[
            "the model's service is out of quota until 2026-12-01 05:01 UTC; tokens: use unknown, \
             used up; requests for `opus`: 49 of 50 left (as of 59.0 s ago)"
        ]],
    );
}

#[test]
fn a_closing_says_what_it_is_about_and_until_when() {
    let closing = |why, model: Option<&str>| {
        let model = model.map(str::to_owned);
        closed(&Closing { why, model, until: None, measured: NOW })
    };
    expect!["the model's service is too busy for `opus`, and does not say until when"]
        .assert_eq(&closing(Why::Overloaded, Some("opus")));
    expect!["the model's service is out of quota, and does not say until when"]
        .assert_eq(&closing(Why::Quota, None));
}
