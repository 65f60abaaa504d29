//! What the body of an error says of limits.

use serde_json::Value;
use zazen_core::id::Time;

use super::number::{Moment, of_number, reset};

/// What a body says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The service has too much to do.
    pub(super) is_busy: bool,
    /// What the account has used up, not only for a moment.
    pub(super) used_up: Option<UsedUp>,
    /// When what is used up is there again.
    pub(super) resets: Moment,
    /// How long it wants to be left alone.
    pub(super) wait: Moment,
}

/// What an account may not use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsedUp {
    Everything,
    /// The model that was asked, and perhaps not others.
    Model,
}

/// How many details of an error are looked at.
const DETAILS_MAX: usize = 16;

pub(super) fn read(body: &[u8], now: Time) -> Said {
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    // Gemini sends a list where nobody asks for events.
    let error = if whole["error"].is_object() { &whole["error"] } else { &whole[0]["error"] };
    let words = ["type", "code", "status"].map(|key| error[key].as_str().unwrap_or_default());
    let is = |word: &str| words.contains(&word);
    let is_empty = is("usage_limit_reached") || is("insufficient_quota");
    let mut said = Said {
        is_busy: is("overloaded_error") || is("server_is_overloaded"),
        used_up: is_empty.then_some(UsedUp::Everything),
        ..Said::default()
    };
    let resets = error.get("resets_at").map(|at| value(at, now));
    let resets = resets.filter(|at| *at != Moment::Unsaid);
    let after = || error.get("resets_in_seconds").map(|after| value(after, now));
    said.resets = resets.or_else(after).unwrap_or_default();
    for detail in error["details"].as_array().into_iter().flatten().take(DETAILS_MAX) {
        let kind = detail["@type"].as_str().unwrap_or_default();
        if kind.ends_with("google.rpc.RetryInfo") {
            said.wait = value(&detail["retryDelay"], now);
        } else if kind.ends_with("google.rpc.QuotaFailure") && is_of_day(detail) {
            said.used_up = Some(UsedUp::Model);
        }
    }
    said
}

/// Whether it is the quota of a day. That of a minute is soon there again.
fn is_of_day(failure: &Value) -> bool {
    let violations = failure["violations"].as_array().into_iter().flatten();
    let mut ids = violations.take(DETAILS_MAX).filter_map(|one| one["quotaId"].as_str());
    ids.any(|id| id.contains("PerDay"))
}

/// A number or a text that is a moment, or a wait.
fn value(value: &Value, now: Time) -> Moment {
    if let Some(number) = value.as_f64() {
        return of_number(number, now);
    }
    value.as_str().map_or(Moment::Unsaid, |text| reset(text.trim(), now))
}
