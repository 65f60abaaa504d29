//! How fast the windows of a subscription may be used up.
//!
//! A night's work must not eat the morning's allowance, and a day's not that of the week. So what
//! is left of each window is held against the time that is left of it, and what may begin depends
//! on how far ahead of an even pace the use of it is. Only reports count: of a window whose use or
//! whose end nobody has told, nothing follows.

use super::{Limits, Meter, Share, Standing, Window};
use crate::id::Time;
use crate::roster::Role;

/// What the owner wants of the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The part of each window that is kept for people's own work. Less than all of it.
    pub reserve: Share,
}

/// What may begin. Whatever may in a smaller one may in a larger one, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Nothing.
    Wait,
    /// What finishes work that is there: reviews, corrections, answers.
    Review,
    /// The steps of approved plans, too.
    Implement,
    /// New plans, too.
    Deep,
}

impl Mode {
    /// All of them, the largest first.
    pub const ALL: [Self; 4] = [Self::Deep, Self::Implement, Self::Review, Self::Wait];

    /// The smallest in which an agent of this role may begin.
    pub fn of(role: Role) -> Self {
        match role {
            Role::Plan => Self::Deep,
            Role::Implement => Self::Implement,
            Role::Correct | Role::Review | Role::Ask => Self::Review,
        }
    }

    /// The word for it, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Review => "review",
            Self::Implement => "implement",
            Self::Deep => "deep",
        }
    }

    /// How much has to be left, in hundredths of what an even pace would have left by then.
    ///
    /// New work begins only near an even pace. What people have approved may use twice as much,
    /// as it is more than a plan; and what finishes it four times.
    fn left_percent(self) -> u128 {
        match self {
            Self::Wait => 0,
            Self::Review => 25,
            Self::Implement => 50,
            Self::Deep => 90,
        }
    }
}

impl Pace {
    /// The largest mode that all windows allow now. None where no window is known.
    pub fn mode(self, limits: &Limits, model: Option<&str>, now: Time) -> Option<Mode> {
        let mut windows = plans(limits, model, now).peekable();
        windows.peek()?;
        let forbids = |mode: Mode| self.opens(limits, (mode, model), now).is_some();
        Mode::ALL.into_iter().find(|mode| !forbids(*mode))
    }

    /// When a mode is allowed again, if it is not now. At the latest that is when the windows
    /// are reset that forbid it.
    pub fn opens(
        self,
        limits: &Limits,
        (mode, model): (Mode, Option<&str>),
        now: Time,
    ) -> Option<Time> {
        let of_window = |window: &Window| self.of_window(window, mode);
        let opens = plans(limits, model, now).filter_map(of_window).max();
        opens.filter(|at| *at > now)
    }

    /// From when on a window allows a mode. None where it does not say enough to forbid it.
    fn of_window(self, window: &Window, mode: Mode) -> Option<Time> {
        if mode == Mode::Wait {
            return None;
        }
        let span = window.of.span_ms()?;
        let used = match window.standing {
            Standing::UsedUp => Share::WHOLE,
            Standing::Open | Standing::Near => window.used()?,
        };
        let ours = Share::WHOLE.thousandths().saturating_sub(self.reserve.thousandths());
        let left = ours.saturating_sub(used.thousandths());
        let end = window.resets.unwrap_or(Time(window.measured.0.saturating_add(span)));
        if left == 0 {
            return Some(end);
        }
        // Without its end the time that is left is not known, and the pace neither.
        let resets = window.resets?;
        let even = u128::from(left) * u128::from(span) * 100;
        let ahead = even / (u128::from(ours) * mode.left_percent());
        Some(Time(resets.0.saturating_sub(u64::try_from(ahead).unwrap_or(u64::MAX))))
    }
}

/// The windows of a subscription that count for an agent with this model. Those for a class of
/// models do where the class is in the model's name.
fn plans<'a>(
    limits: &'a Limits,
    model: Option<&'a str>,
    now: Time,
) -> impl Iterator<Item = &'a Window> {
    limits.windows(now).filter(move |window| match &window.of {
        Meter::Plan { class: None, .. } => true,
        Meter::Plan { class: Some(class), .. } => model.is_some_and(|model| model.contains(class)),
        Meter::Requests | Meter::Tokens | Meter::InputTokens | Meter::OutputTokens => false,
    })
}

#[cfg(test)]
mod tests;
