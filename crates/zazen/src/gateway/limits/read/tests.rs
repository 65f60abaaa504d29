use hyper::header::{HeaderName, HeaderValue};
use proptest::prelude::*;
use zazen_core::limit::SPAN_MAX_MS;

use super::*;

/// 2026-12-01 05:00:00 UTC.
const NOW: Time = Time(1_796_101_200_000);

/// The same in seconds.
const SECOND: u64 = 1_796_101_200;

fn headers(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let (name, value) = line.trim().split_once(':').unwrap_or((line, ""));
        let value = value.trim().replace("NOW+1h", &(SECOND + 3600).to_string());
        let value = value.replace("NOW+2d", &(SECOND + 2 * 86_400).to_string());
        headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

fn report(status: u16, lines: &str, body: &str) -> Report {
    let headers = headers(lines);
    let body = body.replace("NOW+1h", &(SECOND + 3600).to_string());
    read(Answered { status, headers: &headers, body: body.as_bytes(), model: "opus" }, NOW)
}

/// A report in words: each window, then what is closed.
fn words(report: &Report) -> String {
    let mut lines = Vec::new();
    for window in &report.windows {
        let name = match &window.of {
            Meter::Plan { minutes, class } => {
                format!("{minutes} min {}", class.as_deref().unwrap_or("all"))
            }
            rate @ (Meter::Requests | Meter::Tokens | Meter::InputTokens | Meter::OutputTokens) => {
                format!("{rate:?} {}", window.model.as_deref().unwrap_or("all"))
            }
        };
        let used = window.used().map_or("?".to_owned(), |used| used.percent().to_string());
        let resets = window.resets.map(|at| at.millis_since(NOW));
        lines.push(format!("{name}: {used}% {:?} {resets:?}", window.standing));
    }
    if let Some(closing) = &report.closing {
        let until = closing.until.map(|at| at.millis_since(NOW));
        let model = closing.model.as_deref().unwrap_or("all");
        lines.push(format!("closed for {model}: {} {until:?}", closing.why.word()));
    }
    lines.join("\n")
}

fn check(status: u16, lines: &str, body: &str, expected: &str) {
    assert_eq!(words(&report(status, lines, body)), expected, "{status}\n{lines}\n{body}");
}

#[test]
fn the_windows_of_a_subscription_of_anthropic_are_read_from_a_good_answer() {
    let lines = "
        anthropic-ratelimit-unified-status: allowed_warning
        anthropic-ratelimit-unified-reset: NOW+1h
        anthropic-ratelimit-unified-representative-claim: five_hour
        anthropic-ratelimit-unified-5h-utilization: 0.92
        anthropic-ratelimit-unified-5h-status: allowed_warning
        anthropic-ratelimit-unified-5h-reset: NOW+1h
        anthropic-ratelimit-unified-5h-surpassed-threshold: 0.9
        anthropic-ratelimit-unified-7d-utilization: 0.3
        anthropic-ratelimit-unified-7d-reset: 2026-12-03T05:00:00Z
        anthropic-ratelimit-unified-7d_opus-utilization: 0.015
        anthropic-ratelimit-unified-overage-utilization: 0.0
        anthropic-ratelimit-unified-overage-status: rejected";
    let expected = "300 min all: 92% Near Some(3600000)\n\
        10080 min all: 30% Open Some(172800000)\n\
        10080 min opus: 2% Open None";
    check(200, lines, "", expected);
}

#[test]
fn a_used_up_subscription_of_anthropic_is_closed_until_its_window_is_reset() {
    let claimed = "
        anthropic-ratelimit-unified-status: rejected
        anthropic-ratelimit-unified-reset: NOW+1h
        anthropic-ratelimit-unified-representative-claim: five_hour
        retry-after: 7";
    check(429, claimed, "", "closed for all: quota Some(3600000)");
    let lines = "
        anthropic-ratelimit-unified-status: rejected
        anthropic-ratelimit-unified-5h-status: rejected
        anthropic-ratelimit-unified-5h-reset: NOW+1h
        anthropic-ratelimit-unified-7d-status: rejected
        anthropic-ratelimit-unified-7d-reset: NOW+2d";
    let expected = "300 min all: ?% UsedUp Some(3600000)\n\
        10080 min all: ?% UsedUp Some(172800000)\n\
        closed for all: quota Some(172800000)";
    check(429, lines, "", expected);
    let lines = "
        anthropic-ratelimit-unified-status: rejected
        anthropic-ratelimit-unified-representative-claim: seven_day_opus
        anthropic-ratelimit-unified-7d_opus-status: rejected
        anthropic-ratelimit-unified-7d_opus-reset: NOW+2d";
    let expected = "10080 min opus: ?% UsedUp Some(172800000)\n\
        closed for opus: quota Some(172800000)";
    check(429, lines, "", expected);
}

#[test]
fn the_windows_of_a_chatgpt_plan_are_read_and_close_it_when_they_are_used_up() {
    let lines = "
        x-codex-primary-used-percent: 92
        x-codex-primary-window-minutes: 300
        x-codex-primary-reset-at: NOW+1h
        x-codex-secondary-used-percent: 30.4
        x-codex-secondary-window-minutes: 10080
        x-codex-secondary-reset-after-seconds: 86400
        x-codex-bengalfox-primary-used-percent: 100
        x-codex-credits-balance: 0";
    let expected = "300 min all: 92% Open Some(3600000)\n10080 min all: 30% Open Some(86400000)";
    check(200, lines, "", expected);
    let used_up = "
        x-codex-primary-used-percent: 100
        x-codex-primary-window-minutes: 300
        x-codex-primary-reset-after-seconds: 5400";
    let body = r#"{"error":{"type":"usage_limit_reached","resets_in_seconds":3600}}"#;
    let expected = "300 min all: 100% UsedUp Some(5400000)\nclosed for all: quota Some(5400000)";
    check(429, used_up, body, expected);
    check(200, used_up, "", "300 min all: 100% UsedUp Some(5400000)");
}

#[test]
fn rates_are_read_in_the_ways_of_both_vendors() {
    let anthropic = "
        anthropic-ratelimit-requests-limit: 50
        anthropic-ratelimit-requests-remaining: 49
        anthropic-ratelimit-requests-reset: 2026-12-01T05:00:02Z
        anthropic-ratelimit-input-tokens-limit: 1000
        anthropic-ratelimit-input-tokens-remaining: 0
        anthropic-ratelimit-input-tokens-reset: 2026-12-01T05:00:30.5Z";
    let expected = "Requests opus: 2% Open Some(2000)\nInputTokens opus: 100% UsedUp Some(30500)";
    check(200, anthropic, "", expected);
    for (reset, expected) in [
        ("6m0s", "Some(360000)"),
        ("120ms", "Some(120)"),
        ("1h2m3.5s", "Some(3723500)"),
        ("7.66s", "Some(7660)"),
        ("1s", "Some(1000)"),
        ("0s", "None"),
        ("-5s", "None"),
        ("soon", "None"),
    ] {
        let lines = format!(
            "x-ratelimit-limit-tokens: 100\nx-ratelimit-remaining-tokens: 25\n\
             x-ratelimit-reset-tokens: {reset}"
        );
        check(200, &lines, "", &format!("Tokens opus: 75% Open {expected}"));
    }
}

#[test]
fn a_wait_that_is_longer_than_a_minute_closes_the_model_that_was_asked() {
    let quota = |wait: &str| format!("closed for opus: quota {wait}");
    let date = "Tue, 01 Dec 2026 06:00:00 GMT";
    for (lines, expected) in [
        ("retry-after: 3600", quota("Some(3600000)")),
        ("retry-after: 60", quota("Some(60000)")),
        ("retry-after: 59", String::new()),
        ("retry-after: 0", String::new()),
        ("retry-after-ms: 90000.5", quota("Some(90000)")),
        ("retry-after-ms: 500\nretry-after: 3600", String::new()),
        (&format!("retry-after: {date}"), quota("Some(3600000)")),
        ("retry-after: Tue, 01 Dec 2020 06:00:00 GMT", String::new()),
        ("", String::new()),
    ] {
        check(429, lines, r#"{"error":{"type":"rate_limit_error"}}"#, &expected);
    }
    for status in [503, 529] {
        check(status, "retry-after: 3600", "", "closed for opus: overloaded Some(3600000)");
    }
    let busy = r#"{"error":{"type":"overloaded_error"}}"#;
    check(429, "retry-after: 3600", busy, "closed for opus: overloaded Some(3600000)");
    check(500, "retry-after: 3600", "", "");
    check(200, "retry-after: 3600", "", "");
}

#[test]
fn the_bodies_of_errors_say_what_is_used_up_and_until_when() {
    for (body, expected) in [
        (
            r#"{"error":{"type":"usage_limit_reached","plan_type":"plus","resets_at":NOW+1h}}"#,
            "closed for all: quota Some(3600000)",
        ),
        (
            r#"{"error":{"type":"usage_limit_reached","resets_in_seconds":7200}}"#,
            "closed for all: quota Some(7200000)",
        ),
        (r#"{"error":{"code":"insufficient_quota"}}"#, "closed for all: quota None"),
        (
            r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
                {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
                {"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
                {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"32s"}]}}"#,
            "closed for opus: quota None",
        ),
        (
            r#"[{"error":{"code":429,"details":[
                {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"432.5s"}]}}]"#,
            "closed for opus: quota Some(432500)",
        ),
        (
            r#"{"error":{"code":429,"details":[
                {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
                {"quotaId":"GenerateRequestsPerMinutePerProject"}]},
                {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}}"#,
            "",
        ),
        (r#"{"error":{"type":"rate_limit_error"}}"#, ""),
        ("usage_limit_reached", ""),
        (r#"{"error":"usage_limit_reached"}"#, ""),
    ] {
        check(429, "", body, expected);
    }
    let empty = "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 8m0s";
    let expected = "Requests opus: ?% UsedUp Some(480000)\nclosed for opus: quota Some(480000)";
    check(429, empty, "", expected);
}

#[test]
fn what_no_service_means_is_not_believed() {
    for odd in ["-1", "NaN", "-inf", "later", "0x10", ""] {
        check(429, &format!("retry-after: {odd}"), "", "");
        let lines =
            format!("x-codex-primary-used-percent: {odd}\nx-codex-primary-window-minutes: 300");
        check(200, &lines, "", "");
        let lines =
            format!("x-codex-primary-used-percent: 5\nx-codex-primary-window-minutes: {odd}");
        check(200, &lines, "", "");
    }
    // It is closed, but nobody waits for ten years.
    for far in ["1e400", "inf", "18446744073709551615", "315360000", "99999999999999999999"] {
        check(429, &format!("retry-after: {far}"), "", "closed for opus: quota None");
        let body = format!(r#"{{"error":{{"type":"usage_limit_reached","resets_at":"{far}"}}}}"#);
        check(429, "", &body, "closed for all: quota None");
    }
    let past = r#"{"error":{"type":"usage_limit_reached","resets_at":1}}"#;
    check(429, "", past, "closed for all: quota None");
    let lines = "
        anthropic-ratelimit-unified-5h-utilization: 7.5
        anthropic-ratelimit-unified-5h-reset: 99999999999
        anthropic-ratelimit-unified-0h-utilization: 0.5
        anthropic-ratelimit-unified-9999999d-utilization: 0.5
        anthropic-ratelimit-unified-7d_-utilization: 0.5
        anthropic-ratelimit-unified-7d_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-utilization: 0.5
        anthropic-ratelimit-unified-7d-utilization: -0.5
        anthropic-ratelimit-unified-h-utilization: 0.5
        anthropic-ratelimit-unified--utilization: 0.5";
    check(200, lines, "", "300 min all: 100% Open None");
}

proptest! {
    #[test]
    fn nothing_that_a_service_sends_breaks_the_reading_or_closes_it_for_ever(
        status in prop::sample::select(vec![200_u16, 429, 503, 529]),
        values in prop::collection::vec(
            (0_usize..14, prop::collection::vec(any::<u8>(), 0..12)), 0..12,
        ),
        digits in prop::collection::vec((0_usize..14, "[0-9.e+-]{1,22}(ms|s|h)?"), 0..12),
        body in prop::collection::vec(any::<u8>(), 0..80),
        at in any::<f64>(),
    ) {
        let names = [
            "retry-after", "retry-after-ms", "anthropic-ratelimit-unified-status",
            "anthropic-ratelimit-unified-reset", "anthropic-ratelimit-unified-5h-utilization",
            "anthropic-ratelimit-unified-5h-reset", "anthropic-ratelimit-tokens-reset",
            "anthropic-ratelimit-tokens-remaining", "x-codex-primary-used-percent",
            "x-codex-primary-window-minutes", "x-codex-primary-reset-at",
            "x-codex-primary-reset-after-seconds", "x-ratelimit-reset-tokens",
            "x-ratelimit-remaining-tokens",
        ];
        let mut headers = HeaderMap::new();
        let digits = digits.into_iter().map(|(name, text)| (name, text.into_bytes()));
        for (name, value) in values.into_iter().chain(digits) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(names[name], value);
            }
        }
        let said = serde_json::json!({"error": {"type": "usage_limit_reached", "resets_at": at}});
        for body in [body, said.to_string().into_bytes()] {
            let report = read(Answered { status, headers: &headers, body: &body, model: "m" }, NOW);
            let until = report.closing.and_then(|closing| closing.until);
            let resets = report.windows.iter().filter_map(|window| window.resets);
            for end in resets.chain(until) {
                prop_assert!(end > NOW && end.millis_since(NOW) <= SPAN_MAX_MS);
            }
        }
    }
}
