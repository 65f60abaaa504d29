//! What a failed model call means, and whether another try may help.
//!
//! Endpoints differ in statuses, bodies and words; this is the one place that
//! knows them. It does not try again: that is the work of `agent`.

use std::error::Error as StdError;
use std::time::Duration;

use serde_json::Value;

use crate::event::Claim;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the run comes to when no other try helps.
    pub(crate) claim: Claim,
    pub(crate) message: String,
    pub(crate) again: Again,
}

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It will fail in the same way.
    Never,
    /// After a while that grows from try to try.
    Later,
    /// When the endpoint says.
    After(Duration),
}

/// The longest wait an endpoint may ask for. Whoever started us waits better,
/// without a sandbox standing by.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// How much of an endpoint's complaint is passed on: enough for any real one.
const COMPLAINT_CHARS_MAX: usize = 600;

/// What endpoints say when the account is empty. Then waiting is no use, whatever the status.
const OUT_OF_CREDIT: [&str; 4] =
    ["insufficient_quota", "usage_limit_reached", "usage limit reached", "credit balance"];

/// What endpoints say when the conversation is longer than the model can read.
const TOO_LONG: [&str; 4] = [
    "context_length_exceeded",
    "maximum context length",
    "prompt is too long",
    "exceed context limit",
];

impl Failure {
    /// The answer ended before its end.
    pub(crate) fn broken_off() -> Self {
        let message = "the answer broke off".to_owned();
        Self { claim: Claim::StreamCut, message, again: Again::Later }
    }

    /// A failure that may well be gone at the next try.
    pub(crate) fn passing(message: String) -> Self {
        Self { claim: Claim::ModelError, message, again: Again::Later }
    }

    pub(crate) fn new(err: &genai::Error) -> Self {
        if let genai::Error::WebStream { error, .. } = err {
            // A status other than success comes wrapped as a failure of the stream.
            return error
                .downcast_ref::<genai::Error>()
                .map_or_else(|| Self::passing(chain(&**error)), Self::new);
        }
        if let genai::Error::HttpError { status, body, .. } = err {
            return Self::from_status(status.as_u16(), body, retry_after(err));
        }
        if let genai::Error::ChatResponse { body, .. } = err {
            return Self::from_error_event(&body.to_string());
        }
        let is_garbled = matches!(
            err,
            genai::Error::StreamParse { .. }
                | genai::Error::JsonValueExt(_)
                | genai::Error::SerdeJson(_)
        );
        let again = if is_garbled { Again::Later } else { Again::Never };
        Self { claim: Claim::ModelError, message: chain(err), again }
    }

    fn from_status(status: u16, body: &str, after: Option<Duration>) -> Self {
        let mut message = format!("status {status}: {}", complaint(body));
        let out_of_credit = OUT_OF_CREDIT.iter().any(|words| body.contains(words));
        let again = match after {
            Some(wait) if wait > RETRY_AFTER_MAX => {
                message = format!("{message} (retry after {} s)", wait.as_secs());
                Again::Never
            }
            Some(wait) => Again::After(wait),
            None => Again::Later,
        };
        let (claim, again) = match status {
            400 | 402 | 429 if out_of_credit => (Claim::Quota, Again::Never),
            401 | 403 => (Claim::NeedsLogin, Again::Never),
            402 => (Claim::Quota, Again::Never),
            429 => (Claim::Quota, again),
            503 | 529 => (Claim::Overloaded, again),
            413 => (Claim::ContextTooLong, Again::Never),
            400 if TOO_LONG.iter().any(|words| body.contains(words)) => {
                (Claim::ContextTooLong, Again::Never)
            }
            408 | 409 | 500.. => (Claim::ModelError, again),
            _ => (Claim::ModelError, Again::Never),
        };
        Self { claim, message, again }
    }

    /// An answer had begun, with success for a status, when this came instead of its rest.
    fn from_error_event(body: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
        let (claim, again) = if says(&OUT_OF_CREDIT) {
            (Claim::Quota, Again::Never)
        } else if says(&["authentication_error", "permission_error"]) {
            (Claim::NeedsLogin, Again::Never)
        } else if says(&TOO_LONG) {
            (Claim::ContextTooLong, Again::Never)
        } else if says(&["overloaded"]) {
            (Claim::Overloaded, Again::Later)
        } else if says(&["rate_limit"]) {
            (Claim::Quota, Again::Later)
        } else if says(&["invalid_request"]) {
            (Claim::ModelError, Again::Never)
        } else {
            (Claim::ModelError, Again::Later)
        };
        Self { claim, message: format!("error in the answer: {}", complaint(body)), again }
    }
}

/// How many seconds the endpoint asks for. A date is as good as nothing said: it
/// is rarely near, and the growing wait serves.
fn retry_after(err: &genai::Error) -> Option<Duration> {
    let value = err.headers()?.get("retry-after")?.to_str().ok()?;
    Duration::try_from_secs_f64(value.trim().parse().ok()?).ok()
}

/// The sentence in an error's body, or the beginning of the body.
fn complaint(body: &str) -> String {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let sentence = ["/error/message", "/message", "/error"]
        .iter()
        .find_map(|path| parsed.pointer(path)?.as_str())
        .unwrap_or(body);
    sentence.chars().take(COMPLAINT_CHARS_MAX).collect()
}

/// An error with all its causes, in one line.
pub(crate) fn chain(err: &(dyn StdError + 'static)) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(err) = source {
        text = format!("{text}: {err}");
        source = err.source();
    }
    text
}

#[cfg(test)]
mod tests;
