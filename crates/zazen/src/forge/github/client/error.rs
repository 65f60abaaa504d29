//! Why a call came to nothing, in the kinds that callers tell apart.
//!
//! Each message says what was asked, where, and what to do. What GitHub said is
//! quoted as one short plain line; a token is never in it.

use reqwest::Method;
use zazen_core::id::Time;
use zazen_core::text::plain;

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It is not there, or this token may not see it.
    #[error("{why}")]
    NotFound { why: String },
    /// It was there; it is removed, or it has moved.
    #[error("{why}")]
    Gone { why: String },
    /// GitHub knows who asks, and says no.
    #[error("{why}")]
    Denied { why: String },
    /// GitHub does not take the token, or there is none.
    #[error("{why}")]
    Unauthorized { why: String },
    /// GitHub does not take what was asked.
    #[error("{why}")]
    Invalid { why: String },
    /// What is there has another state than the call takes for granted.
    #[error("{why}")]
    Conflict { why: String },
    /// Nothing was sent, or what was sent was refused: GitHub wants us to wait.
    #[error("GitHub wants zazen to wait until {}; it asks again by itself", clock(*until))]
    Limited { until: Time },
    /// No answer, or none that could be read. It may be there later.
    #[error("{why}")]
    Unreachable { why: String, may_have_acted: bool },
    /// An answer that is none of GitHub's, or is larger than any should be.
    #[error("{why}")]
    Broken { why: String },
}

/// What a call of this module gives.
pub type Result<T> = std::result::Result<T, CallError>;

/// How much of what GitHub says is passed on: its own sentences are shorter.
const SAID_CHARS_MAX: usize = 300;

impl CallError {
    /// Whether something may have happened at GitHub although this is an error.
    ///
    /// A caller looks what is there before it tries again.
    pub fn may_have_acted(&self) -> bool {
        matches!(self, Self::Unreachable { may_have_acted: true, .. })
    }

    /// Whether the same call may succeed later without anybody's doing.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Limited { .. } | Self::Unreachable { .. })
    }

    /// Whether it is not there: never was for us, or not any more.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Gone { .. })
    }

    /// Whether GitHub says that a thing of that name or branch exists already.
    pub fn is_there_already(&self) -> bool {
        self.says("already exist") || self.says("already_exists")
    }

    /// Whether GitHub says that this repository cannot have draft pull requests.
    pub fn is_no_drafts(&self) -> bool {
        self.says("draft pull requests are not supported")
    }

    fn says(&self, words: &str) -> bool {
        match self {
            Self::Invalid { why } | Self::Conflict { why } => {
                why.to_ascii_lowercase().contains(words)
            }
            Self::NotFound { .. }
            | Self::Gone { .. }
            | Self::Denied { .. }
            | Self::Unauthorized { .. }
            | Self::Limited { .. }
            | Self::Unreachable { .. }
            | Self::Broken { .. } => false,
        }
    }
}

/// What a call was, for messages: `GET repos/ada/tally/issues/3 at api.github.com`.
pub(super) fn asked(method: &Method, path: &str, host: &str) -> String {
    format!("`{method} {}` at `{host}`", short(path))
}

/// Makes an error of a status that is not one of success, and not a limit.
pub(super) fn of_status(status: u16, asked: &str, said: &str) -> CallError {
    let quoted = if said.is_empty() { String::new() } else { format!(": GitHub says \"{said}\"") };
    match status {
        301 | 302 | 303 | 307 | 308 => CallError::Gone {
            why: format!(
                "{asked} has moved, and no other place is taken for it; if the repository has \
                 another name now, write that into zazen.toml"
            ),
        },
        401 => CallError::Unauthorized {
            why: format!(
                "{asked} was refused: the token or the App's key is not valid{quoted}; \
                 `zazen github setup` makes an App, and `[github]` in zazen.toml names a token"
            ),
        },
        403 | 451 => CallError::Denied {
            why: format!(
                "{asked} was denied{quoted}; give the App or the token that permission, for this \
                 repository"
            ),
        },
        404 => CallError::NotFound {
            why: format!(
                "{asked}: not there, or hidden from this token{quoted}; install the App on the \
                 repository, or give the token access to it"
            ),
        },
        409 => CallError::Conflict {
            why: format!("{asked} does not fit what is there{quoted}; look again"),
        },
        410 => CallError::Gone { why: format!("{asked}: it is removed{quoted}") },
        400..=499 => {
            CallError::Invalid { why: format!("{asked} was not taken (status {status}){quoted}") }
        }
        _ => CallError::Broken {
            why: format!("{asked} was answered with status {status}, which makes no sense here"),
        },
    }
}

/// A text from GitHub as one short line that does nothing to a terminal.
pub(super) fn short(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = plain(&line.join(" "));
    let mut short: String =
        line.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX + 1).collect();
    if short.chars().count() > SAID_CHARS_MAX {
        short = short.chars().take(SAID_CHARS_MAX - 1).chain(['…']).collect();
    }
    short
}

/// A moment for people: `2026-11-21 09:40:12 UTC`.
fn clock(time: Time) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| "a time that cannot be written".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}
