//! Sentences that real programs and services said, and some that they might.

use super::*;

#[test]
fn errors_are_told_apart_by_their_words() {
    for (error, claim) in [
        ("You’ve hit your usage limit. Upgrade to Pro or try again at 2:19 AM.", Claim::Quota),
        ("exceeded retry limit, last status: 429 Too Many Requests", Claim::Quota),
        ("unexpected status 401 Unauthorized: Incorrect API key", Claim::NeedsLogin),
        ("Missing environment variable: `FAKE_KEY`.", Claim::NeedsLogin),
        ("We’re currently experiencing high demand, which may cause", Claim::Overloaded),
        ("Codex ran out of room in the model's context window. Start", Claim::ContextTooLong),
        ("stream disconnected before completion: stream closed", Claim::StreamCut),
        ("[API Error: {\"error\":{\"code\":401,\"message\":\"no\"}}]", Claim::NeedsLogin),
        ("[API Error: 500 The server had an error]", Claim::ModelError),
        ("litellm.RateLimitError: RateLimitError: OpenAIException", Claim::Quota),
        ("Reached max session turns for this session.", Claim::TurnLimit),
    ] {
        assert_eq!(claim_of(error), Some(claim), "{error}");
    }
    for error in ["", "the disk is full", "status 200", "error: 7", "code 99999"] {
        assert_eq!(claim_of(error), None, "{error}");
    }
}

#[test]
fn the_end_of_a_limit_is_read_where_it_is_said() {
    for (error, reset) in [
        ("or try again at 2:19 AM.", Reset::AtMinuteOfDay(2 * 60 + 19)),
        ("You've hit your 5-hour limit · resets 2:14am (UTC)", Reset::AtMinuteOfDay(2 * 60 + 14)),
        ("limit · resets 3pm", Reset::AtMinuteOfDay(15 * 60)),
        ("resets 12:00am", Reset::AtMinuteOfDay(0)),
        ("Please try again in 2s.", Reset::AfterMillis(2000)),
        ("Suggested retry after 2.5 s.", Reset::AfterMillis(2500)),
        ("try again in 3 days 4 hours 5 minutes", Reset::AfterMillis(273_900_000)),
        ("status 429: slow down (retry after 3600 s)", Reset::AfterMillis(3_600_000)),
        ("Claude AI usage limit reached|1795227254", Reset::At(Time(1_795_227_254_000))),
    ] {
        assert_eq!(reset_of(error), Some(reset), "{error}");
    }
}

#[test]
fn what_does_not_say_when_is_not_guessed() {
    for error in [
        "",
        "try again later",
        "resets 3am (America/New_York)",
        "resets 13:00pm",
        "resets 0am",
        "resets 2:61am",
        "try again at Nov 28th, 2026 2:19 AM",
        "try again in a while",
        "try again in 99999999999999999999 s",
        "limit reached|99999999999999999999",
        "limit reached|0",
    ] {
        assert_eq!(reset_of(error), None, "{error}");
    }
}

#[test]
fn numbers_out_of_all_bounds_are_none() {
    assert_eq!((percent(0.92), percent(-0.1), percent(f64::NAN)), (Some(92), None, None));
    assert_eq!((micros(0.01806), micros(-1.0), micros(f64::INFINITY)), (Some(18_060), None, None));
    assert_eq!(time(u64::MAX), None);
}

#[test]
fn an_error_of_any_length_and_in_any_letters_is_looked_at() {
    let long = "ä".repeat(1 << 20) + "usage limit";
    assert_eq!(claim_of(&long), None, "what matters stands at the beginning");
    assert_eq!(reset_of(&("ẞ".repeat(3000) + "try again at 2:19 AM")), None);
}
