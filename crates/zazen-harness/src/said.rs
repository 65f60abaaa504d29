//! What can be read from the sentences that programs and services say.
//!
//! It is the last resort: a stream's own fields come first. Only what was said as
//! an error is looked at, never what an agent said. What is not known is not
//! guessed: [`claim_of`] and [`reset_of`] say nothing then.

use serde_json::Value;
use zazen_core::id::Time;
use zazen_core::trace::{Claim, Reset};

/// What stands in errors, and what it means. The first that is found counts.
const WORDS: [(&str, Claim); 50] = [
    ("context window", Claim::ContextTooLong),
    ("prompt is too long", Claim::ContextTooLong),
    ("context_length_exceeded", Claim::ContextTooLong),
    ("maximum context length", Claim::ContextTooLong),
    ("input is too long", Claim::ContextTooLong),
    ("exceeds the maximum number of tokens", Claim::ContextTooLong),
    ("max session turns", Claim::TurnLimit),
    ("maximum number of turns", Claim::TurnLimit),
    ("tool-call budget", Claim::TurnLimit),
    ("max steps", Claim::TurnLimit),
    ("maximum budget", Claim::Budget),
    ("stream disconnected", Claim::StreamCut),
    ("stream closed before", Claim::StreamCut),
    ("incomplete chunked read", Claim::StreamCut),
    ("premature close", Claim::StreamCut),
    ("usage limit", Claim::Quota),
    ("usage_limit", Claim::Quota),
    ("hit your limit", Claim::Quota),
    ("-hour limit", Claim::Quota),
    ("weekly limit", Claim::Quota),
    ("insufficient_quota", Claim::Quota),
    ("insufficient quota", Claim::Quota),
    ("current quota", Claim::Quota),
    ("daily quota", Claim::Quota),
    ("check quota", Claim::Quota),
    ("quota exceeded", Claim::Quota),
    ("credit balance", Claim::Quota),
    ("billing_error", Claim::Quota),
    ("resource_exhausted", Claim::Quota),
    ("resource has been exhausted", Claim::Quota),
    ("overloaded", Claim::Overloaded),
    ("high demand", Claim::Overloaded),
    ("at capacity", Claim::Overloaded),
    ("service unavailable", Claim::Overloaded),
    ("rate limit", Claim::Quota),
    ("rate_limit", Claim::Quota),
    ("ratelimiterror", Claim::Quota),
    ("rate limited", Claim::Quota),
    ("too many requests", Claim::Quota),
    ("unauthorized", Claim::NeedsLogin),
    ("unauthenticated", Claim::NeedsLogin),
    ("authenticationerror", Claim::NeedsLogin),
    ("authentication_error", Claim::NeedsLogin),
    ("authentication_failed", Claim::NeedsLogin),
    ("api key", Claim::NeedsLogin),
    ("api_key", Claim::NeedsLogin),
    ("auth method", Claim::NeedsLogin),
    ("not logged in", Claim::NeedsLogin),
    ("/login", Claim::NeedsLogin),
    ("missing environment variable", Claim::NeedsLogin),
];

/// How much of an error is looked at. What matters stands at its beginning.
const ERROR_BYTES_MAX: usize = 4096;

/// What a status of the model's service means.
pub(crate) fn claim_of_status(status: u64) -> Claim {
    match status {
        401 | 403 => Claim::NeedsLogin,
        402 | 429 => Claim::Quota,
        413 => Claim::ContextTooLong,
        503 | 529 => Claim::Overloaded,
        _ => Claim::ModelError,
    }
}

/// What an error says about the end of a run, as far as its words are known.
pub(crate) fn claim_of(error: &str) -> Option<Claim> {
    let error = beginning(error).to_lowercase();
    let said = WORDS.iter().find(|(words, _)| error.contains(words)).map(|(_, claim)| *claim);
    // Words are finer where there are two reasons for one status.
    said.or_else(|| status_in(&error).map(claim_of_status))
}

/// The status that a sentence names after one of the words that come before one.
fn status_in(error: &str) -> Option<u64> {
    ["status", "error:", "code"].iter().find_map(|word| {
        error.match_indices(word).find_map(|(at, _)| {
            let rest = error[at + word.len()..].trim_start_matches(['"', ':', ' ', '(']);
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let status = rest[..digits].parse().ok()?;
            (400..600).contains(&status).then_some(status)
        })
    })
}

fn beginning(text: &str) -> &str {
    cut(text, ERROR_BYTES_MAX)
}

/// The beginning of a text, of at most so many bytes.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What comes before the time at which a limit is over.
const BEFORE_A_TIME: [&str; 6] =
    ["try again at ", "resets at ", "reset at ", "resets ", "try again in ", "retry after "];

/// When the limit that an error speaks of is over, if it says so.
pub(crate) fn reset_of(error: &str) -> Option<Reset> {
    let error = beginning(error).to_lowercase();
    if let Some((_, seconds)) = error.split_once("limit reached|") {
        return moment(leading_number(seconds)?.0);
    }
    BEFORE_A_TIME.iter().find_map(|before| {
        let (_, rest) = error.split_once(before)?;
        if before.ends_with("in ") || before.starts_with("retry") {
            return span(rest).map(Reset::AfterMillis);
        }
        time_of_day(rest)
    })
}

/// A moment, from seconds since 1970. What is absurdly early or late is none.
pub(crate) fn moment(seconds: u64) -> Option<Reset> {
    time(seconds).map(Reset::At)
}

pub(crate) fn time(seconds: u64) -> Option<Time> {
    const CENTURY_SECONDS: u64 = 100 * 366 * 24 * 3600;
    (1..CENTURY_SECONDS).contains(&seconds).then(|| Time(seconds * 1000))
}

/// A share of one, in whole percents.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in bounds")]
pub(crate) fn percent(share: f64) -> Option<u8> {
    let percent = (share * 100.0).round();
    (0.0..=255.0).contains(&percent).then_some(percent as u8)
}

/// Dollars, in millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in bounds")]
pub(crate) fn micros(dollars: f64) -> Option<u64> {
    let micros = (dollars * 1e6).round();
    (0.0..1e15).contains(&micros).then_some(micros as u64)
}

/// What tools call the files and folders that they are given.
const PATHS: [&str; 6] = ["file_path", "notebook_path", "path", "filePath", "dir_path", "paths"];

/// The files and folders that a call names.
pub(crate) fn paths(input: &Value) -> Vec<String> {
    let named = PATHS.iter().filter_map(|name| input.get(name));
    named
        .flat_map(|value| match value {
            Value::Array(paths) => paths.iter().filter_map(Value::as_str).collect(),
            Value::String(path) => vec![path.as_str()],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        })
        .map(str::to_owned)
        .collect()
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    Some((text[..text.len() - rest.len()].parse().ok()?, rest))
}

/// `2:19 am`, `2:14am (utc)`, `3 pm`: none where another zone is named, or a day.
fn time_of_day(text: &str) -> Option<Reset> {
    let (hour, rest) = leading_number(text)?;
    let (minute, rest) = match rest.strip_prefix(':') {
        Some(rest) => leading_number(rest)?,
        None => (0, rest),
    };
    let rest = rest.trim_start();
    let (hour, rest) = match (rest.strip_prefix("am"), rest.strip_prefix("pm")) {
        (Some(rest), _) if (1..=12).contains(&hour) => (hour % 12, rest),
        (_, Some(rest)) if (1..=12).contains(&hour) => (hour % 12 + 12, rest),
        _ => return None,
    };
    let zone = rest.trim_start().strip_prefix('(').and_then(|rest| rest.split(')').next());
    if minute > 59 || zone.is_some_and(|zone| zone != "utc") {
        return None;
    }
    u16::try_from(hour * 60 + minute).ok().map(Reset::AtMinuteOfDay)
}

/// `2s`, `2.5 s`, `3 days 4 hours 5 minutes`, in milliseconds.
fn span(text: &str) -> Option<u64> {
    let mut millis: Option<u64> = None;
    let mut rest = text.trim_start();
    while let Some((n, after)) = leading_number(rest) {
        let (tenths, after) = match after.strip_prefix('.').and_then(leading_number) {
            Some((tenths, after)) => (tenths % 10, after),
            None => (0, after),
        };
        let after = after.trim_start();
        let unit_end =
            after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let unit = match &after[..unit_end] {
            "ms" => 1,
            "s" | "sec" | "secs" | "second" | "seconds" => 1000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            _ => return millis,
        };
        let more = n.checked_mul(unit)?.checked_add(tenths * unit / 10)?;
        millis = Some(millis.unwrap_or(0).checked_add(more)?);
        rest = after[unit_end..].trim_start_matches([' ', ',']);
    }
    millis
}

#[cfg(test)]
mod tests;
