//! Tests of budgets: what is let in, what waits, what is refused.

use super::*;
use crate::engine::Ledger;
use crate::usage::{Amount, Cost, Usage};

const NOON: Time = Time(20_000 * DAY_MS + DAY_MS / 2);

fn budget(limits: &[(Scope, u64)]) -> Budget {
    let limit = |micros| Limit { micros: Some(micros), tokens: None };
    Budget {
        limits: limits.iter().map(|(scope, micros)| (*scope, limit(*micros))).collect(),
        reserve_percent: 10,
        unknown: Price::default(),
    }
}

fn accounts(limits: &[(Scope, u64)]) -> Accounts {
    Accounts::new(budget(limits), &Ledger::default(), NOON)
}

fn payer(run: &str, repo: &str) -> Payer {
    Payer {
        run: run.parse().unwrap(),
        repo: repo.parse().unwrap(),
        may_use_reserve: false,
        of_task: Limit::default(),
    }
}

fn costs(micros: u64) -> Usage {
    Usage { n_calls: 1, cost: Cost::Micros(micros), ..Usage::default() }
}

fn worst(micros: u64) -> Amount {
    Amount { micros, tokens: micros }
}

fn go(accounts: &mut Accounts, payer: &Payer, micros: u64) -> Hold {
    match accounts.begin(payer, worst(micros), NOON) {
        Answer::Go(hold) => hold,
        answer @ (Answer::Wait | Answer::No(_)) => panic!("{answer:?}"),
    }
}

fn spend(accounts: &mut Accounts, payer: &Payer, micros: u64) {
    let hold = go(accounts, payer, micros);
    accounts.end(hold, &costs(micros), NOON);
}

fn scope_of(answer: &Answer) -> Option<Scope> {
    match answer {
        Answer::No(exceeded) => Some(exceeded.scope),
        Answer::Go(_) | Answer::Wait => None,
    }
}

#[test]
fn a_call_is_refused_as_soon_as_nothing_is_left() {
    let mut accounts = accounts(&[(Scope::Run, 100)]);
    let run = payer("1.1", "a/b");
    spend(&mut accounts, &run, 99);
    spend(&mut accounts, &run, 50);
    let Answer::No(exceeded) = accounts.begin(&run, worst(1), NOON) else { panic!() };
    assert_eq!((exceeded.limit, exceeded.spent, exceeded.assumed), (100, 149, 0));
    assert_eq!((exceeded.scope, exceeded.unit, exceeded.reserve), (Scope::Run, Unit::Money, 0));
    spend(&mut accounts, &payer("1.2", "a/b"), 50);
}

#[test]
fn calls_that_could_overshoot_together_wait_for_each_other() {
    let mut accounts = accounts(&[(Scope::Run, 100)]);
    let run = payer("1.1", "a/b");
    let first = go(&mut accounts, &run, 40);
    let second = go(&mut accounts, &run, 60);
    assert!(matches!(accounts.begin(&run, worst(1), NOON), Answer::Wait));
    accounts.end(first, &costs(10), NOON);
    let third = go(&mut accounts, &run, 30);
    assert!(matches!(accounts.begin(&run, worst(1), NOON), Answer::Wait));
    accounts.end(second, &costs(60), NOON);
    accounts.end(third, &costs(29), NOON);
    // Alone, a call may begin as long as anything is left.
    let last = go(&mut accounts, &run, 1_000);
    assert!(matches!(accounts.begin(&run, worst(1), NOON), Answer::Wait));
    accounts.end(last, &costs(1), NOON);
    assert_eq!(scope_of(&accounts.begin(&run, worst(1), NOON)), Some(Scope::Run));
}

#[test]
fn what_runs_share_they_share_at_once() {
    let mut accounts = accounts(&[(Scope::Day, 100), (Scope::RepoDay, 60)]);
    let (one, two) = (payer("1.1", "a/b"), payer("2.1", "a/c"));
    spend(&mut accounts, &one, 60);
    assert_eq!(scope_of(&accounts.begin(&one, worst(1), NOON)), Some(Scope::RepoDay));
    let hold = go(&mut accounts, &two, 40);
    let third = payer("3.1", "a/d");
    assert!(matches!(accounts.begin(&third, worst(1), NOON), Answer::Wait));
    accounts.end(hold, &costs(40), NOON);
    assert_eq!(scope_of(&accounts.begin(&third, worst(1), NOON)), Some(Scope::Day));
    let tomorrow = Time(NOON.0 + DAY_MS);
    assert!(matches!(accounts.begin(&third, worst(1), tomorrow), Answer::Go(_)));
    assert!(matches!(accounts.begin(&one, worst(1), tomorrow), Answer::Go(_)));
}

#[test]
fn the_reserve_of_a_task_is_for_mending_only() {
    let mut accounts = accounts(&[(Scope::Task, 100)]);
    let step = payer("1.2", "a/b");
    accounts.open(&step, &costs(89), &Usage::default(), NOON);
    spend(&mut accounts, &step, 1);
    let Answer::No(exceeded) = accounts.begin(&step, worst(1), NOON) else { panic!() };
    assert_eq!((exceeded.limit, exceeded.reserve, exceeded.spent), (100, 10, 90));
    accounts.close(step.run);
    let mending = Payer { may_use_reserve: true, ..payer("1.3", "a/b") };
    accounts.open(&mending, &costs(90), &Usage::default(), NOON);
    spend(&mut accounts, &mending, 10);
    assert_eq!(scope_of(&accounts.begin(&mending, worst(1), NOON)), Some(Scope::Task));
}

#[test]
fn what_was_spent_before_a_restart_counts_and_counts_once() {
    let mut ledger = Ledger::default();
    let repo = "a/b".parse().unwrap();
    ledger.add_for_test(&repo, costs(30), Time(NOON.0 - DAY_MS));
    ledger.add_for_test(&repo, costs(20), NOON);
    let limits = budget(&[(Scope::Day, 60), (Scope::Run, 1_000)]);
    let mut accounts = Accounts::new(limits, &ledger, NOON);
    let run = payer("1.1", "a/b");
    for _ in 0..3 {
        accounts.open(&run, &costs(7), &costs(30), NOON);
    }
    spend(&mut accounts, &run, 9);
    accounts.close(run.run);
    accounts.count(&run, &costs(39), NOON);
    spend(&mut accounts, &run, 1);
    let Answer::No(exceeded) = accounts.begin(&run, worst(1), NOON) else { panic!() };
    assert_eq!((exceeded.scope, exceeded.spent), (Scope::Day, 60));
}

#[test]
fn what_is_not_known_counts_at_its_worst_and_is_said_so() {
    let mut accounts = accounts(&[(Scope::Run, 100)]);
    let run = payer("1.1", "a/b");
    let hold = go(&mut accounts, &run, 10);
    let cost = Cost::Unknown { known_micros: 20 };
    let usage = Usage { n_calls: 1, cost, assumed: worst(80), ..Usage::default() };
    accounts.end(hold, &usage, NOON);
    let Answer::No(exceeded) = accounts.begin(&run, worst(1), NOON) else { panic!() };
    assert_eq!((exceeded.spent, exceeded.assumed), (100, 80));
    let said = crate::words::exceeded(&exceeded);
    assert!(
        said.contains("$0.0001 of $0.0001 (`budget.run`); $0.0001 of it are assumed"),
        "{said}"
    );
}

#[test]
fn tokens_have_limits_of_their_own() {
    let mut budget = budget(&[]);
    budget.limits.insert(Scope::Total, Limit { micros: None, tokens: Some(1_000) });
    let mut accounts = Accounts::new(budget, &Ledger::default(), NOON);
    let run = payer("1.1", "a/b");
    let hold = go(&mut accounts, &run, 5);
    let tokens = crate::usage::Tokens { input: 900, output: 100, ..Default::default() };
    accounts.end(hold, &Usage { tokens, ..costs(0) }, NOON);
    let Answer::No(exceeded) = accounts.begin(&run, worst(1), NOON) else { panic!() };
    let said = crate::words::exceeded(&exceeded);
    assert_eq!(
        said,
        "the budget of all work together is used up: 1.0k tokens of 1.0k tokens \
         (`budget.tokens.total`)"
    );
}

#[test]
fn without_limits_everything_is_let_in() {
    let mut accounts = accounts(&[]);
    let run = payer("1.1", "a/b");
    for _ in 0..10 {
        drop(go(&mut accounts, &run, u64::MAX));
    }
}

#[test]
fn runs_of_long_ago_are_forgotten() {
    let mut accounts = accounts(&[(Scope::Total, 100_000)]);
    for n in 1..10_000_u32 {
        accounts.count(&payer(&format!("{n}.1"), "a/b"), &costs(1), NOON);
    }
    let run = payer("10000.1", "a/b");
    assert!(accounts.check(&run, NOON).is_ok());
    accounts.count(&payer("10001.1", "a/b"), &costs(90_001), NOON);
    assert_eq!(accounts.check(&run, NOON).unwrap_err().spent, 100_000);
}

#[test]
fn months_are_those_of_the_calendar() {
    let month = |day: u32| Day(day).month().0;
    assert_eq!(month(0), 1970 * 12);
    assert_eq!((month(30), month(31)), (1970 * 12, 1970 * 12 + 1));
    // 2024-02-29, 2024-03-01, 2024-12-31, 2025-01-01.
    assert_eq!([19_782, 19_783, 20_088, 20_089].map(month), [24_289, 24_290, 24_299, 24_300]);
}

#[test]
fn what_a_task_may_cost_by_its_contract_counts_where_it_is_less_than_the_owner_allows() {
    let budget = Budget {
        limits: [(Scope::Task, Limit { micros: Some(100), tokens: None })].into(),
        ..Budget::default()
    };
    let of = |micros, tokens| Payer { of_task: Limit { micros, tokens }, ..payer("1.1", "a/b") };
    let limit = |payer: &Payer| budget.limit_for(Scope::Task, payer);
    assert_eq!(limit(&of(None, None)), Limit { micros: Some(100), tokens: None });
    assert_eq!(limit(&of(Some(7), Some(9))), Limit { micros: Some(7), tokens: Some(9) });
    assert_eq!(limit(&of(Some(700), None)).micros, Some(100), "it cannot be raised");
    assert_eq!(budget.limit_for(Scope::Run, &of(Some(7), None)), Limit::default());
}
