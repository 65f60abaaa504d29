//! The limits of a model's service, as the service itself reports them.
//!
//! Only what was reported stands here, with the moment that it was. Nothing is reckoned on from
//! there: how full a window was that has been reset since is not known any more. What of an answer
//! is a report is the gateway's matter.

mod pace;

use serde::{Deserialize, Serialize};

pub use self::pace::{Mode, Pace};
use crate::id::Time;
use crate::task::Why;

/// What is known of the limits of one route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    windows: Vec<Window>,
    closings: Vec<Closing>,
}

/// What one answer of a service says of its limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub windows: Vec<Window>,
    /// That nothing is answered for a while.
    pub closing: Option<Closing>,
}

/// One limit, as it was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub of: Meter,
    /// The model that it is about, where it is not about all of the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How much of it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Share>,
    /// How much was left of it, counted in what it limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// What there is of it in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// When it is whole again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets: Option<Time>,
    /// What the service itself makes of it.
    #[serde(default)]
    pub standing: Standing,
    /// When it was reported.
    pub measured: Time,
}

/// What a limit counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
    /// What a subscription may use in a span of time.
    Plan {
        minutes: u32,
        /// The models that it is for, in the service's words. All of them without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
}

/// A part of a whole, in thousandths: 1000 at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u16")]
pub struct Share(u16);

/// What a service makes of one of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    #[default]
    Open,
    /// It is nearly used up.
    Near,
    UsedUp,
}

/// A service answers nothing for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Quota, or too much to do.
    pub why: Why,
    /// The model that it is about, where it is not about all of the route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When it is over, where the service says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// When it was said.
    pub measured: Time,
}

/// What a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    Nothing,
    /// Only when something was measured, or how much is left.
    Measures,
    /// Whether something is closed.
    Closings,
}

/// How many windows are kept of a route. A plan has two or three; a key has four for each of the
/// few models that agents ask for.
pub const WINDOWS_MAX: usize = 32;

/// How many closings are kept of a route: one for each of the models that are asked for.
pub const CLOSINGS_MAX: usize = 16;

/// How far away the end of a limit may be. The longest limits are for a month; what is said to
/// last longer is an error of the service, and nobody is to wait for it.
pub const SPAN_MAX_MS: u64 = 35 * 24 * 60 * 60 * 1000;

/// A wait that harnesses sit out by themselves. With a longer one a run is ended, and its task
/// waits outside.
pub const SHORT_WAIT_MS: u64 = 60 * 1000;

/// How long a service counts as closed of which nobody says until when, for people to see.
const UNSAID_SHOWN_MS: u64 = 60 * 60 * 1000;

/// The end of a limit, if it is one: after `now`, and not too long after.
pub fn credible(at: Time, now: Time) -> Option<Time> {
    (at > now && at.millis_since(now) <= SPAN_MAX_MS).then_some(at)
}

impl Share {
    pub const WHOLE: Self = Self(1000);

    /// Thousandths, cut to a whole.
    pub fn of_thousandths(n: u64) -> Self {
        Self(u16::try_from(n.min(1000)).unwrap_or(1000))
    }

    pub fn thousandths(self) -> u64 {
        u64::from(self.0)
    }

    /// Hundredths, rounded.
    pub fn percent(self) -> u64 {
        (self.thousandths() + 5) / 10
    }
}

impl From<u16> for Share {
    fn from(n: u16) -> Self {
        Self::of_thousandths(n.into())
    }
}

impl Meter {
    /// How long the span is, in milliseconds. Nobody says it of a rate.
    pub fn span_ms(&self) -> Option<u64> {
        match self {
            Self::Plan { minutes, .. } => Some(u64::from(*minutes) * 60_000),
            Self::Requests | Self::Tokens | Self::InputTokens | Self::OutputTokens => None,
        }
    }
}

impl Window {
    /// A window of which nothing is known yet.
    pub fn new(of: Meter, measured: Time) -> Self {
        let (model, used, left, most, resets) = (None, None, None, None, None);
        Self { of, model, used, left, most, resets, standing: Standing::Open, measured }
    }

    /// How much of it was used, said as such or as numbers.
    pub fn used(&self) -> Option<Share> {
        let of_counts = || {
            let (left, most) = (self.left?, self.most.filter(|most| *most > 0)?);
            let used = u128::from(most.saturating_sub(left)) * 1000 / u128::from(most);
            Some(Share::of_thousandths(u64::try_from(used).unwrap_or(1000)))
        };
        self.used.or_else(of_counts)
    }

    /// Whether it has been reset since it was reported: then nothing is known of it.
    pub fn is_over(&self, now: Time) -> bool {
        match (self.resets, self.of.span_ms()) {
            (Some(resets), _) => resets <= now,
            // It began at some time before it was reported.
            (None, Some(span)) => now.millis_since(self.measured) >= span,
            (None, None) => now.millis_since(self.measured) >= SHORT_WAIT_MS,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.of == other.of && self.model == other.model
    }
}

impl Closing {
    /// Whether it is about calls of this model.
    pub fn is_for(&self, model: &str) -> bool {
        self.model.as_deref().is_none_or(|own| own == model)
    }

    /// Whether it is over, as far as that is known.
    pub fn is_over(&self, now: Time) -> bool {
        match self.until {
            Some(until) => until <= now,
            None => now.millis_since(self.measured) >= UNSAID_SHOWN_MS,
        }
    }
}

impl Limits {
    /// Takes in what an answer of `model` says. One without a closing says that none is there.
    pub fn take(&mut self, model: &str, report: Report, now: Time) -> Changed {
        self.note(model, (report, true), now)
    }

    /// Takes in that a call of `model` was not answered well, which opens nothing.
    pub fn take_failed(&mut self, model: &str, report: Report, now: Time) -> Changed {
        self.note(model, (report, false), now)
    }

    fn note(&mut self, model: &str, (report, opens): (Report, bool), now: Time) -> Changed {
        let before = self.clone();
        if opens || report.closing.is_some() {
            self.closings.retain(|closing| !closing.is_over(now) && !closing.is_for(model));
            self.closings.extend(report.closing);
        }
        for window in report.windows {
            self.windows.retain(|old| !old.is_same(&window));
            self.windows.push(window);
        }
        self.shorten(now);
        if self.closings != before.closings {
            Changed::Closings
        } else if self.windows != before.windows {
            Changed::Measures
        } else {
            Changed::Nothing
        }
    }

    /// What was kept, as far as it can be true: from a file that anybody could have written.
    #[must_use]
    pub fn checked(mut self, now: Time) -> Self {
        let is_past = |measured: Time| measured <= now;
        self.windows.retain(|window| {
            let is_credible = window.resets.is_none_or(|at| credible(at, now).is_some());
            is_past(window.measured) && is_credible && !window.is_over(now)
        });
        self.closings.retain(|closing| {
            let is_credible = closing.until.is_some_and(|at| credible(at, now).is_some());
            is_past(closing.measured) && is_credible
        });
        self.shorten(now);
        self
    }

    /// What stands in the way of a call of `model`, and until when at least.
    pub fn closed(&self, model: &str, now: Time) -> Option<&Closing> {
        let of_model = self.closings.iter().filter(|closing| closing.is_for(model));
        last(of_model, now)
    }

    /// What stands in the way of every call.
    pub fn closed_for_all(&self, now: Time) -> Option<&Closing> {
        last(self.closings.iter().filter(|closing| closing.model.is_none()), now)
    }

    /// What is closed, as far as it is not over.
    pub fn closings(&self, now: Time) -> impl Iterator<Item = &Closing> {
        self.closings.iter().filter(move |closing| !closing.is_over(now))
    }

    /// What was reported last of each window that has not been reset since.
    pub fn windows(&self, now: Time) -> impl Iterator<Item = &Window> {
        self.windows.iter().filter(move |window| !window.is_over(now))
    }

    /// Keeps what is there in an order of its own, and no more than there may be.
    fn shorten(&mut self, now: Time) {
        self.windows.retain(|window| !window.is_over(now));
        self.windows.sort_by_key(|window| std::cmp::Reverse(window.measured));
        self.windows.truncate(WINDOWS_MAX);
        self.windows.sort_by(|a, b| (&a.model, &a.of).cmp(&(&b.model, &b.of)));
        self.closings.sort_by_key(|closing| std::cmp::Reverse(closing.measured));
        self.closings.truncate(CLOSINGS_MAX);
        self.closings.sort_by(|a, b| a.model.cmp(&b.model));
    }
}

/// The closing that is over last, of those that say when they are.
fn last<'a>(closings: impl Iterator<Item = &'a Closing>, now: Time) -> Option<&'a Closing> {
    let known = closings.filter(|closing| closing.until.is_some() && !closing.is_over(now));
    known.max_by_key(|closing| closing.until)
}

#[cfg(test)]
mod tests;
