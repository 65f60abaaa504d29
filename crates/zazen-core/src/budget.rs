//! What may be spent, and whether one more model call may begin.
//!
//! [`Budget`] is what the owner allows. [`Accounts`] knows what was spent in
//! each span that has a limit, and what the calls under way may still come to.
//! It asks nobody and remembers nothing over a restart: what was spent before
//! comes from the engine's ledger, and the gateway tells it of every call.

mod accounts;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::accounts::{Accounts, Answer, Hold};
use crate::id::{RepoName, RunId, Time};
use crate::price::Price;

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One run.
    Run,
    /// One task, all of its runs together.
    Task,
    /// One repository, in one day.
    RepoDay,
    /// One repository, in one month.
    RepoMonth,
    /// Everything, in one day.
    Day,
    /// Everything, in one month.
    Month,
    /// Everything, ever.
    Total,
}

/// The most that may be spent, where there is a most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    /// In millionths of a US dollar.
    pub micros: Option<u64>,
    pub tokens: Option<u64>,
}

/// What the owner allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    pub limits: BTreeMap<Scope, Limit>,
    /// The part of a task's limits that only the mending of red checks may use, in hundredths.
    pub reserve_percent: u64,
    /// What a model counts at whose price is not known.
    pub unknown: Price,
}

/// Who makes a call, as far as it matters for who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    pub run: RunId,
    pub repo: RepoName,
    /// Whether the task's reserve may be used.
    pub may_use_reserve: bool,
    /// What the task itself may cost at the most, by its contract.
    pub of_task: Limit,
}

/// A limit is reached. No call is made until it is raised, or its span is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceeded {
    pub scope: Scope,
    pub unit: Unit,
    /// In millionths of a US dollar, or tokens; without the reserve where that is kept.
    pub limit: u64,
    pub spent: u64,
    /// How much of `spent` is the worst case of what is not known.
    #[serde(default)]
    pub assumed: u64,
    /// How much of the limit is kept for mending red checks.
    #[serde(default)]
    pub reserve: u64,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Money,
    Tokens,
}

/// A day, by its number since 1970-01-01, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub u32);

/// A month of UTC, counted from the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(pub u32);

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Scope {
    /// All of them, the narrowest first.
    pub const ALL: [Self; 7] = [
        Self::Run,
        Self::Task,
        Self::RepoDay,
        Self::RepoMonth,
        Self::Day,
        Self::Month,
        Self::Total,
    ];

    /// Its key below `[budget]`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Task => "task",
            Self::RepoDay => "repo_day",
            Self::RepoMonth => "repo_month",
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// When what was spent by `at` counts no more, where that comes by itself.
    pub fn free_at(self, at: Time) -> Option<Time> {
        let today = Day::of(at);
        match self {
            Self::Run | Self::Task | Self::Total => None,
            Self::RepoDay | Self::Day => Some(Day(today.0.saturating_add(1)).begin()),
            Self::RepoMonth | Self::Month => {
                let mut days = (1..=31).map(|n| Day(today.0.saturating_add(n)));
                days.find(|day| day.month() != today.month()).map(Day::begin)
            }
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Limit {
    /// Whether there is a most of anything.
    pub fn is_some(self) -> bool {
        self.micros.is_some() || self.tokens.is_some()
    }
}

impl Budget {
    /// The limit of a scope.
    pub fn limit(&self, scope: Scope) -> Limit {
        self.limits.get(&scope).copied().unwrap_or_default()
    }

    /// The limit of a scope for this payer: of a task, the smaller one counts.
    fn limit_for(&self, scope: Scope, payer: &Payer) -> Limit {
        let owners = self.limit(scope);
        if scope != Scope::Task {
            return owners;
        }
        let smaller = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        Limit {
            micros: smaller(owners.micros, payer.of_task.micros),
            tokens: smaller(owners.tokens, payer.of_task.tokens),
        }
    }

    /// How much of a limit is kept from this payer.
    fn reserve(&self, scope: Scope, payer: &Payer, limit: u64) -> u64 {
        if scope != Scope::Task || payer.may_use_reserve {
            return 0;
        }
        let reserve = u128::from(limit) * u128::from(self.reserve_percent.min(100)) / 100;
        u64::try_from(reserve).unwrap_or(limit)
    }
}

impl Day {
    /// The day of a moment.
    pub fn of(at: Time) -> Self {
        Self(u32::try_from(at.0 / DAY_MS).unwrap_or(u32::MAX))
    }

    /// The month that it is in.
    pub fn month(self) -> Month {
        let utc = self.begin().utc();
        Month(u32::try_from(utc.year * 12 + utc.month - 1).unwrap_or(u32::MAX))
    }

    /// Its first moment.
    pub fn begin(self) -> Time {
        Time(u64::from(self.0) * DAY_MS)
    }
}

#[cfg(test)]
mod tests;
