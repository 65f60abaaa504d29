//! Waits of a task for something that comes right by itself.
//!
//! Quota, an overloaded service and a day's budget are no failures: nobody has to act, only
//! time has to pass. Such a task is parked. It has no run and takes no place, and goes on when
//! its time has come, or when a person says so.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::{State, TroubleKind, Try};
use crate::budget::Scope;
use crate::id::{AgentName, Time};

/// One wait: for what, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Pause {
    pub why: Why,
    /// When it is over, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    pub known: Known,
    /// Whether the task then goes on by itself. Else a person says `/retry`.
    pub resumes: bool,
}

/// What a task waits for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The account of the model's service has used up what it may use in a span of time.
    Quota,
    /// The model's service has too much to do.
    Overloaded,
    /// A budget of this day is used up.
    DayBudget,
    /// A budget of this month is used up.
    MonthBudget,
    /// The owner keeps what is left of the quota for other things.
    Reserve,
    /// The model's service refuses the key or the login. No time mends that.
    Login,
}

/// How the end of a wait is known.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// The model's service said so, in a form that programs read.
    Reported,
    /// It was read from a text for people.
    Approximate,
    /// It follows from the calendar.
    Calendar,
    /// It is not known. The task is tried again then.
    Tried,
}

/// A moment, and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Free {
    pub at: Time,
    pub known: Known,
}

/// Why a run came to nothing that may go better later, and what the owner lets follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub why: Why,
    /// When it is over, where somebody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<Free>,
    /// Whether the task may go on by itself.
    pub resumes: bool,
    /// How long the task may wait in all, from the first wait on, in milliseconds.
    pub wait_max_ms: u64,
    /// Whether another agent of the role may take over meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fails_over: bool,
}

/// An agent that is passed over: its runs would come to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Passed {
    pub agent: AgentName,
    pub why: Why,
    /// When it is tried again, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    pub known: Known,
    /// How many runs of it came to nothing in a row, where it was tried.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The waits of one phase so far. Whatever comes of the phase ends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Waits {
    pub n: u32,
    /// When the first one began.
    pub since: Time,
    /// A person wants it tried, whatever is known of limits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// How often it was put off since its last run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_put_off: u32,
}

/// How often a phase may wait. A week of five-hour windows is some thirty waits; a service
/// that always says "in a moment" must not keep a task for ever.
pub(super) const WAITS_MAX: u32 = 40;

/// How many agents are remembered as passed over: more than any owner names.
pub(super) const PASSED_MAX: usize = 40;

/// How many waits are as short as the service says. After those it has been wrong too often,
/// and a wait is at least as long as without its word.
const TRUSTED_WAITS: u32 = 3;

impl Why {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Quota,
        Self::Overloaded,
        Self::DayBudget,
        Self::MonthBudget,
        Self::Reserve,
        Self::Login,
    ];

    /// What it is about, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Overloaded => "overloaded",
            Self::DayBudget => "budget of the day",
            Self::MonthBudget => "budget of the month",
            Self::Reserve => "reserve",
            Self::Login => "login",
        }
    }

    /// What it is for a task that waits for it no longer.
    pub(super) fn trouble(self) -> TroubleKind {
        match self {
            Self::Quota | Self::Reserve => TroubleKind::Quota,
            Self::Overloaded => TroubleKind::Overloaded,
            Self::DayBudget | Self::MonthBudget => TroubleKind::Budget,
            Self::Login => TroubleKind::NeedsLogin,
        }
    }

    /// The wait for a budget that is free again by itself some day.
    pub fn of_budget(scope: Scope) -> Option<Self> {
        match scope {
            Scope::RepoDay | Scope::Day => Some(Self::DayBudget),
            Scope::RepoMonth | Scope::Month => Some(Self::MonthBudget),
            Scope::Run | Scope::Task | Scope::Total => None,
        }
    }

    /// The first wait where nobody says how long, and the longest. Each is twice the one before.
    fn waits_ms(self) -> (u64, u64) {
        const MINUTE: u64 = 60 * 1000;
        match self {
            // An overload passes in minutes, or is an outage of hours.
            Self::Overloaded => (MINUTE, 60 * MINUTE),
            // The shortest window of a plan is five hours; most of it may be over already.
            Self::Quota | Self::DayBudget | Self::MonthBudget | Self::Reserve | Self::Login => {
                (15 * MINUTE, 4 * 60 * MINUTE)
            }
        }
    }

    /// How long waits go on of which nobody says how long they are. What is not well after
    /// that is no passing trouble: a person has to look.
    fn unknown_max_ms(self) -> u64 {
        const HOUR: u64 = 60 * 60 * 1000;
        match self {
            Self::Overloaded => 6 * HOUR,
            Self::Quota | Self::DayBudget | Self::MonthBudget | Self::Reserve | Self::Login => {
                24 * HOUR
            }
        }
    }
}

impl Waits {
    /// The same with one wait more.
    pub(super) fn next(self) -> Self {
        Self { n: self.n + 1, forced: false, n_put_off: 0, ..self }
    }
}

impl Hold {
    /// The next wait, from `at` on.
    pub(super) fn pause(&self, waits: &Waits, at: Time) -> Pause {
        let (first, longest) = self.why.waits_ms();
        let own = Time(at.0.saturating_add((first << waits.n.min(16)).min(longest)));
        let (until, known) = match self.free {
            Some(free) if free.at > own || waits.n < TRUSTED_WAITS => {
                // What is free already is tried at once; a moment must pass all the same.
                (free.at.max(Time(at.0.saturating_add(1))), free.known)
            }
            Some(_) | None => (own, Known::Tried),
        };
        let is_told = self.resumes || known != Known::Tried;
        let (why, resumes) = (self.why, self.resumes);
        Pause { why, until: is_told.then_some(until), known, resumes }
    }

    /// Whether that wait is too long for a task that goes on by itself, or one too many.
    pub(super) fn is_too_long(&self, waits: &Waits, pause: &Pause) -> bool {
        let Some(until) = pause.until.filter(|_| pause.resumes) else { return false };
        let longest = match pause.known {
            Known::Tried => self.wait_max_ms.min(self.why.unknown_max_ms()),
            Known::Reported | Known::Approximate | Known::Calendar => self.wait_max_ms,
        };
        waits.n >= WAITS_MAX || until.millis_since(waits.since) > longest
    }
}

impl Hold {
    /// The agent whose run was held, as it is passed over from `at` on. `n` runs of it in a row
    /// came to nothing before this one.
    pub(super) fn passed(&self, agent: AgentName, n: u32, at: Time) -> Passed {
        let waits = Waits { n, since: at, forced: false, n_put_off: 0 };
        let Pause { why, until, known, .. } = Self { resumes: true, ..*self }.pause(&waits, at);
        let until = until.filter(|_| why != Why::Login);
        Passed { agent, why, until, known, n: n.saturating_add(1) }
    }
}

impl Passed {
    /// Whether it may not be begun at this moment.
    pub fn is_shut(&self, at: Time) -> bool {
        self.until.is_none_or(|until| until > at)
    }

    /// When it is free again, where somebody knows.
    pub fn free(&self) -> Option<Free> {
        self.until.map(|at| Free { at, known: self.known })
    }
}

impl Pause {
    /// When the task goes on by itself.
    pub fn ends(&self) -> Option<Time> {
        self.until.filter(|_| self.resumes)
    }
}

impl State {
    /// The try that this state counts, if it counts tries.
    pub fn attempt(&self) -> Option<&Try> {
        match self {
            Self::Received(attempt) | Self::Planning(attempt) => Some(attempt),
            Self::Queued(work)
            | Self::Implementing(work)
            | Self::Verifying(work)
            | Self::Reviewing(work)
            | Self::Correcting(work) => Some(&work.attempt),
            Self::Parked { back, .. } => back.attempt(),
            Self::AwaitingApproval
            | Self::Splitting(_)
            | Self::Split(_)
            | Self::Held(_)
            | Self::Publishing(_)
            | Self::Drafted { .. }
            | Self::Rebasing(_)
            | Self::Merged { .. }
            | Self::Closed { .. }
            | Self::Stopped { .. }
            | Self::Failed { .. } => None,
        }
    }

    /// Whether a person wants this tried whatever is known of limits.
    pub fn is_forced(&self) -> bool {
        self.attempt().and_then(|attempt| attempt.waits).is_some_and(|waits| waits.forced)
    }
}
