//! How a harness ended, and when what stopped it is over.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::id::Time;

/// How a harness says it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub claim: Claim,
    /// The agent's last words: its answer, or the error.
    pub text: String,
    /// When a limit that ended it is over, where anybody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
}

/// What is claimed of an end: by the harness, or by what is known beside its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// It did what was asked, it says.
    Finished,
    /// It says that it did what was asked, and nothing was changed.
    NothingDone,
    /// The agent says that it cannot do what was asked, or the model refuses to.
    GaveUp,
    /// It wanted to use a tool that it was not allowed to, and did nothing else.
    NeedsPermission,
    /// The model's service refused the key or the login.
    NeedsLogin,
    /// The model's service failed in another way.
    ModelError,
    /// The model's service is too busy.
    Overloaded,
    /// The model's service has a limit, and it is reached.
    Quota,
    /// The conversation is longer than the model can read.
    ContextTooLong,
    /// It reached its limit of turns.
    #[serde(alias = "limit")]
    TurnLimit,
    /// It reached a limit of money of its own.
    Budget,
    /// It failed by itself, or ended without saying how.
    Crashed,
    /// It was stopped by a signal.
    #[serde(alias = "aborted")]
    Killed,
    /// It did not go on, and was ended for that.
    Hung,
    /// The model's answer ended in its middle.
    StreamCut,
}

impl Claim {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Finished,
        Self::NothingDone,
        Self::GaveUp,
        Self::NeedsPermission,
        Self::NeedsLogin,
        Self::ModelError,
        Self::Overloaded,
        Self::Quota,
        Self::ContextTooLong,
        Self::TurnLimit,
        Self::Budget,
        Self::Crashed,
        Self::Killed,
        Self::Hung,
        Self::StreamCut,
    ];
}

/// When a limit is over, as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// At this moment.
    At(Time),
    /// This long after it was said.
    AfterMillis(u64),
    /// When a clock in the run next shows this time of day. Runs have their clocks at UTC.
    AtMinuteOfDay(u16),
}

/// When a limit is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Resets {
    pub at: Time,
    /// It was read from a sentence, which names neither the day nor the second.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_approximate: bool,
}

const MINUTE_MILLIS: u64 = 60_000;
const DAY_MILLIS: u64 = 24 * 60 * MINUTE_MILLIS;

impl Reset {
    /// The moment that is meant by what was said at `said`.
    pub fn resolve(self, said: Time) -> Resets {
        match self {
            Self::At(at) => Resets { at, is_approximate: false },
            Self::AfterMillis(millis) => {
                Resets { at: Time(said.0.saturating_add(millis)), is_approximate: true }
            }
            Self::AtMinuteOfDay(minute) => {
                let midnight = said.0 - said.0 % DAY_MILLIS;
                let today = midnight.saturating_add(u64::from(minute) * MINUTE_MILLIS);
                let at = if today > said.0 { today } else { today.saturating_add(DAY_MILLIS) };
                Resets { at: Time(at), is_approximate: true }
            }
        }
    }
}

#[cfg(test)]
mod tests;
