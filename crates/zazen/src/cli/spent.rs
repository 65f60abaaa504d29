//! What was spent of each budget, for `status` and `task show`.
//!
//! Read from the journal and from the recordings of the runs that are under way,
//! so it says the same whether the daemon is up or not.

use serde::Serialize;
use zazen_core::budget::{Budget, Day, Scope, Unit};
use zazen_core::engine::Book;
use zazen_core::id::RepoName;
use zazen_core::task::Task;
use zazen_core::text::plain;
use zazen_core::usage::{Amount, Usage};
use zazen_core::words;

use super::Result;
use crate::config::Config;
use crate::daemon::{self, now};
use crate::gateway;
use crate::home::Home;

/// One limit, and what was spent of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Used {
    pub(super) scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repo: Option<RepoName>,
    pub(super) unit: Unit,
    /// In millionths of a US dollar, or tokens.
    pub(super) spent: u64,
    pub(super) limit: u64,
}

/// The limits that are about more than one task.
pub(super) fn overall(book: &Book, home: &Home, config: &Config) -> Result<Vec<Used>> {
    let mut under_way: Vec<(RepoName, Usage)> = Vec::new();
    for task in book.tasks().filter(|task| task.run.is_some()) {
        under_way.push((task.repo.clone(), running(&task, home, config)?));
    }
    let today = Day::of(now());
    let ledger = book.ledger();
    let sum = |scope: Scope, repo: Option<&RepoName>| {
        let mut sum = match scope {
            Scope::Total => ledger.total(),
            Scope::Day | Scope::RepoDay => ledger.spent(|day| day == today, repo),
            Scope::Month | Scope::RepoMonth | Scope::Run | Scope::Task => {
                ledger.spent(|day| day.month() == today.month(), repo)
            }
        };
        let of_repo = under_way.iter().filter(|(of, _)| repo.is_none_or(|repo| repo == of));
        of_repo.for_each(|(_, usage)| sum += *usage);
        sum.counted()
    };
    let mut all = Vec::new();
    for scope in [Scope::Day, Scope::Month, Scope::Total] {
        all.extend(limits(&config.budget, (scope, None), sum(scope, None)));
    }
    for repo in config.repos.iter().map(|repo| &repo.name) {
        for scope in [Scope::RepoDay, Scope::RepoMonth] {
            let spent = sum(scope, Some(repo));
            all.extend(limits(&config.budget, (scope, Some(repo)), spent));
        }
    }
    Ok(all)
}

/// The limits of one task, and of its run if one is under way.
pub(super) fn of_task(task: &Task, home: &Home, config: &Config) -> Result<Vec<Used>> {
    let run = running(task, home, config)?;
    let mut whole = task.usage;
    whole += run;
    let mut all = limits(&config.budget, (Scope::Task, None), whole.counted());
    if task.run.is_some() {
        all.extend(limits(&config.budget, (Scope::Run, None), run.counted()));
    }
    Ok(all)
}

/// What the run under way has used so far.
fn running(task: &Task, home: &Home, config: &Config) -> Result<Usage> {
    let Some(run) = &task.run else { return Ok(Usage::default()) };
    Ok(daemon::calls_of(home, run.id, &config.prices)?.usage)
}

fn limits(budget: &Budget, (scope, repo): (Scope, Option<&RepoName>), spent: Amount) -> Vec<Used> {
    let limit = budget.limit(scope);
    let both =
        [(Unit::Money, limit.micros, spent.micros), (Unit::Tokens, limit.tokens, spent.tokens)];
    let limited = both.into_iter().filter_map(|(unit, limit, spent)| {
        Some(Used { scope, repo: repo.cloned(), unit, spent, limit: limit? })
    });
    limited.collect()
}

/// A limit in words: `today: $3.20 of $10.00`.
pub(super) fn in_words(spent: &Used) -> String {
    let what = match spent.scope {
        Scope::Run => "this run",
        Scope::Task => "this task",
        Scope::Day | Scope::RepoDay => "today",
        Scope::Month | Scope::RepoMonth => "this month",
        Scope::Total => "in all",
    };
    let repo = spent.repo.as_ref().map(|repo| format!("{repo} ")).unwrap_or_default();
    format!("{repo}{what}: {}", words::spent_of(spent.spent, spent.limit, spent.unit))
}

/// How the model's service answered a run, in a few words: `7 model calls, 2 failed (429)`.
pub(super) fn calls_in_words(sum: &gateway::Sum) -> String {
    let n = sum.usage.n_calls;
    let all = format!("{n} model call{}", if n == 1 { "" } else { "s" });
    let Some(last) = &sum.last_failed else { return all };
    let retry = last.retry_after.as_ref().map(|after| format!(", retry after {after}"));
    let error = last.error.as_ref().map(|error| format!(", {error}"));
    let more = retry.or(error).unwrap_or_default();
    plain(&format!("{all}, {} failed (last: {}{more})", sum.n_failed, last.status))
}
