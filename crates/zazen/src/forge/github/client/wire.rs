//! What GitHub's answers have in common, read tolerantly.
//!
//! Fields that are not known are passed over, those that may be missing have a
//! default, and no text is longer than GitHub itself allows. Wire types stay in
//! this folder; what leaves it are the plain types of each call's module.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zazen_core::id::{CommitId, Time};

use super::error::{CallError, Result};

/// Somebody at GitHub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// Empty where GitHub does not say who it was.
    pub login: String,
    /// Zero where it is not known. A login can be given to another; an id never is.
    pub id: u64,
    pub is_bot: bool,
}

/// How long a text may be that people write: what GitHub takes is 65,536 characters.
const BODY_CHARS_MAX: usize = 65_536;

/// How long titles, paths and the like may be. GitHub stops far below.
const LINE_CHARS_MAX: usize = 4_096;

/// How long a login may be: GitHub's own limit, and `[bot]`, several times.
const LOGIN_CHARS_MAX: usize = 100;

/// How many labels, people and such of one item are looked at.
pub(super) const LIST_MAX: usize = 100;

impl Actor {
    /// Whether both are the same: by id where both have one, otherwise by login. An App is
    /// known by its login alone: nobody else can have one with brackets.
    pub fn is(&self, other: &Self) -> bool {
        if self.login.ends_with("[bot]") && self.login.eq_ignore_ascii_case(&other.login) {
            return true;
        }
        if self.id != 0 && other.id != 0 {
            return self.id == other.id;
        }
        !self.login.is_empty() && self.login.eq_ignore_ascii_case(&other.login)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct WireActor {
    #[serde(default)]
    login: Option<String>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl WireActor {
    pub(super) fn into_actor(self) -> Actor {
        let login = cut(self.login.unwrap_or_default(), LOGIN_CHARS_MAX);
        let is_bot = self.kind.as_deref() == Some("Bot") || login.ends_with("[bot]");
        Actor { login, id: self.id.unwrap_or(0), is_bot }
    }
}

/// Somebody who may be missing: an account that was removed, say.
pub(super) fn actor(wire: Option<WireActor>) -> Actor {
    wire.map(WireActor::into_actor).unwrap_or_default()
}

/// A body as people wrote it, no longer than GitHub allows.
pub(super) fn body(text: Option<String>) -> String {
    cut(text.unwrap_or_default(), BODY_CHARS_MAX)
}

/// A title, a path, a name.
pub(super) fn line(text: impl Into<Option<String>>) -> String {
    cut(text.into().unwrap_or_default(), LINE_CHARS_MAX)
}

fn cut(mut text: String, n_chars: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(n_chars) {
        text.truncate(at);
        // The rest of a hostile text would stay in memory with it.
        text.shrink_to_fit();
    }
    text
}

/// Reads a moment as GitHub writes it.
pub(super) fn time(text: &str) -> Option<Time> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Time)
}

/// Reads a moment that may be missing, as 1970.
pub(super) fn time_or_zero<'de, D: Deserializer<'de>>(
    input: D,
) -> std::result::Result<Time, D::Error> {
    let text = Option::<String>::deserialize(input)?;
    Ok(text.as_deref().and_then(time).unwrap_or_default())
}

/// Reads a moment that has to be there: what is dated wrongly could pass for something else.
pub(super) fn moment<'de, D: Deserializer<'de>>(input: D) -> std::result::Result<Time, D::Error> {
    let text = String::deserialize(input)?;
    time(&text).ok_or_else(|| serde::de::Error::custom("a moment cannot be read"))
}

/// Reads a commit that has to be there.
pub(super) fn commit<'de, D: Deserializer<'de>>(
    input: D,
) -> std::result::Result<CommitId, D::Error> {
    let text = String::deserialize(input)?;
    text.parse().map_err(|_| serde::de::Error::custom("a commit cannot be read"))
}

/// A commit that may be missing, or be none.
pub(super) fn maybe_commit(text: Option<&String>) -> Option<CommitId> {
    text.and_then(|text| text.parse().ok())
}

/// Takes `null` for what is not there.
pub(super) fn or_default<'de, D, T>(input: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// Reads an answer.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], asked: &str) -> Result<T> {
    serde_json::from_slice(body).map_err(|err| {
        // What was read is not quoted: it may be a token.
        let (line, column) = (err.line(), err.column());
        CallError::Broken {
            why: format!(
                "{asked} is answered with something else than expected, at {line}:{column}"
            ),
        }
    })
}

#[cfg(test)]
mod tests;
