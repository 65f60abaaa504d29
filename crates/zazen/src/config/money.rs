//! Budgets and prices, checked.
//!
//! Below `[budget]` stand sums of money, below `[budget.tokens]` numbers of
//! tokens, by the same keys. A key that is not written has no limit, but for
//! two that have defaults; `none` takes those away.

use std::collections::BTreeMap;

use zazen_core::budget::{Budget, Limit, Scope};
use zazen_core::price::{Listed, Prices};

use super::{Check, Error, raw, units};

/// The default of `budget.run`. One step of a plan costs cents to a few dollars; one that
/// costs ten goes round in circles.
const RUN_MICROS: u64 = 10_000_000;

/// The default of `budget.task`: a plan of many steps, with second tries.
const TASK_MICROS: u64 = 50_000_000;

/// The default of `budget.reserve`, in hundredths.
const RESERVE_PERCENT: u64 = 10;

impl Check<'_> {
    pub(super) fn prices(&self, raw: &BTreeMap<String, Listed>) -> Result<Prices, Error> {
        let mut own = Vec::new();
        for (model, listed) in raw {
            let price = listed.price().map_err(|why| {
                self.wrong(&["prices", model], &format!("a price of `{model}` is wrong: {why}"))
            })?;
            own.push((model.clone(), price));
        }
        Ok(Prices::builtin().merged(own.into_iter().collect()))
    }

    pub(super) fn budget(&self, raw: &raw::Budget, prices: &Prices) -> Result<Budget, Error> {
        let tokens = &raw.tokens;
        let mut limits = BTreeMap::new();
        for (scope, money, tokens, default) in [
            (Scope::Run, &raw.run, &tokens.run, Some(RUN_MICROS)),
            (Scope::Task, &raw.task, &tokens.task, Some(TASK_MICROS)),
            (Scope::RepoDay, &raw.repo_day, &tokens.repo_day, None),
            (Scope::RepoMonth, &raw.repo_month, &tokens.repo_month, None),
            (Scope::Day, &raw.day, &tokens.day, None),
            (Scope::Month, &raw.month, &tokens.month, None),
            (Scope::Total, &raw.total, &tokens.total, None),
        ] {
            let key = scope.key();
            let wrong = |path: &[&str], why: String| self.wrong(path, &why);
            let micros = money.as_deref().map(units::money).transpose();
            let micros = micros.map_err(|why| wrong(&["budget", key], why))?.unwrap_or(default);
            let tokens = tokens.as_deref().map(units::tokens).transpose();
            let tokens = tokens.map_err(|why| wrong(&["budget", "tokens", key], why))?.flatten();
            let limit = Limit { micros, tokens };
            if limit.is_some() {
                limits.insert(scope, limit);
            }
        }
        let reserve = raw.reserve.as_deref().map(units::percent).transpose();
        let reserve = reserve.map_err(|why| self.wrong(&["budget", "reserve"], &why))?;
        let unknown = raw.unknown.as_ref().map(Listed::price).transpose();
        let unknown = unknown.map_err(|why| self.wrong(&["budget", "unknown"], &why))?;
        Ok(Budget {
            limits,
            reserve_percent: reserve.unwrap_or(RESERVE_PERCENT),
            unknown: unknown.unwrap_or_else(|| prices.dearest()),
        })
    }
}
