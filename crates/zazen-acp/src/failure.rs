//! What an agent's error means.
//!
//! The protocol has no common form for it: each agent puts the reason somewhere
//! else. What is structured is believed first, a status next, and words last. An
//! error that nothing here knows is still an error, of the model's service.

use serde::Deserialize;
use serde_json::Value;

use crate::event::Claim;

/// The error of a JSON-RPC answer, as far as anybody writes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct RpcError {
    pub(crate) code: Value,
    pub(crate) message: Value,
    pub(crate) data: Value,
}

/// The protocol's own code for an agent that is not logged in.
const AUTH_REQUIRED: i64 = -32000;

/// The fields of `data` that agents put their word for the reason in: Claude's and Codex's
/// bridges, and `OpenCode`.
const REASONS: [&str; 3] = ["errorKind", "codexErrorInfo", "errorName"];

/// Their words, without case and dividers. Those of services are among them.
const WORDS: [(&str, Claim); 18] = [
    ("authenticationfailed", Claim::NeedsLogin),
    ("authenticationerror", Claim::NeedsLogin),
    ("providerautherror", Claim::NeedsLogin),
    ("unauthorized", Claim::NeedsLogin),
    ("unauthenticated", Claim::NeedsLogin),
    ("permissiondenied", Claim::NeedsLogin),
    ("ratelimit", Claim::Quota),
    ("ratelimiterror", Claim::Quota),
    ("billingerror", Claim::Quota),
    ("usagelimitexceeded", Claim::Quota),
    ("usagelimitreached", Claim::Quota),
    ("insufficientquota", Claim::Quota),
    ("resourceexhausted", Claim::Quota),
    ("overloaded", Claim::Overloaded),
    ("serveroverloaded", Claim::Overloaded),
    ("contextwindowexceeded", Claim::ContextFull),
    ("contextoverflowerror", Claim::ContextFull),
    ("messageoutputlengtherror", Claim::MaxTokens),
];

/// What people are told, where nothing else says it. The order matters: a refused key is
/// often told with a hint at limits, and hardly the other way round.
const SENTENCES: [(&str, Claim); 19] = [
    ("api key", Claim::NeedsLogin),
    ("authentication", Claim::NeedsLogin),
    ("unauthorized", Claim::NeedsLogin),
    ("not logged in", Claim::NeedsLogin),
    ("please log in", Claim::NeedsLogin),
    ("prompt is too long", Claim::ContextFull),
    ("context window", Claim::ContextFull),
    ("context length", Claim::ContextFull),
    ("quota", Claim::Quota),
    ("rate limit", Claim::Quota),
    ("usage limit", Claim::Quota),
    ("hour limit", Claim::Quota),
    ("weekly limit", Claim::Quota),
    ("credit balance", Claim::Quota),
    ("too many requests", Claim::Quota),
    ("budget", Claim::Quota),
    ("overloaded", Claim::Overloaded),
    ("unavailable", Claim::Overloaded),
    ("high demand", Claim::Overloaded),
];

impl RpcError {
    /// The code, where it is a number.
    pub(crate) fn code(&self) -> Option<i64> {
        self.code.as_i64()
    }

    /// What it means.
    pub(crate) fn claim(&self) -> Claim {
        let code = self.code();
        let of_code = code.and_then(of_status);
        if code == Some(AUTH_REQUIRED) {
            return Claim::NeedsLogin;
        }
        let of_texts = || {
            let claims = self.details().into_iter().chain(self.message.as_str()).map(of_text);
            claims.into_iter().find(|claim| *claim != Claim::ModelError)
        };
        of_code
            .or_else(|| self.reasons().find_map(|word| of_word(&word)))
            .or_else(of_texts)
            .unwrap_or(Claim::ModelError)
    }

    /// What agents put beside the message: of Qwen Code, mostly.
    fn details(&self) -> Option<&str> {
        ["details", "message"].iter().find_map(|name| self.data[name].as_str())
    }

    /// What it says, in one line as people read it.
    pub(crate) fn text(&self) -> String {
        let message = self.message.as_str().unwrap_or_default();
        let inner = serde_json::from_str(message).map(|inner: Value| {
            inner["error"]["message"].as_str().or(inner["message"].as_str()).map(str::to_owned)
        });
        let message = inner.ok().flatten().unwrap_or_else(|| message.to_owned());
        match self.details() {
            Some(details) if !message.contains(details) => {
                [message.as_str(), details].join(": ").trim_start_matches(": ").to_owned()
            }
            Some(_) | None if message.is_empty() => "an error without words".to_owned(),
            Some(_) | None => message,
        }
    }

    /// Words for the reason. Some are names of variants, with more inside.
    fn reasons(&self) -> impl Iterator<Item = String> + '_ {
        let of = |value: &Value| match value {
            Value::String(word) => Some(word.clone()),
            Value::Object(fields) => fields.keys().next().cloned(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        };
        REASONS.iter().filter_map(move |name| of(&self.data[name]))
    }
}

/// What a text means that tells of an error.
pub(crate) fn of_text(text: &str) -> Claim {
    if let Some(claim) = status_in(text).and_then(of_status) {
        return claim;
    }
    // Some pass the service's own word on: `invalid_api_key`.
    let text = text.to_lowercase().replace('_', " ");
    let found = SENTENCES.iter().find(|(words, _)| text.contains(words));
    found.map_or(Claim::ModelError, |(_, claim)| *claim)
}

fn of_word(word: &str) -> Option<Claim> {
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    WORDS.iter().find(|(known, _)| *known == plain).map(|(_, claim)| *claim)
}

/// A status of HTTP. Gemini's are the very codes of its answers.
fn of_status(status: i64) -> Option<Claim> {
    match status {
        401 | 403 => Some(Claim::NeedsLogin),
        402 | 429 => Some(Claim::Quota),
        503 | 529 => Some(Claim::Overloaded),
        // A request that is refused as such may be too long; words say so.
        401..=599 => Some(Claim::ModelError),
        _ => None,
    }
}

/// The status in a text, where it stands at its beginning, in brackets, or after `HTTP`.
fn status_in(text: &str) -> Option<i64> {
    let status = |text: &str| {
        let digits = text.get(..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        let is_over = !text[3..].starts_with(|c: char| c.is_ascii_digit());
        digits.parse().ok().filter(|status| is_over && (400..600).contains(status))
    };
    let after =
        |sign: &str| text.match_indices(sign).find_map(|(at, _)| status(&text[at + sign.len()..]));
    status(text)
        .or_else(|| after("HTTP "))
        .or_else(|| after("("))
        .or_else(|| after("status "))
        .or_else(|| after("status: "))
}

#[cfg(test)]
mod tests;
