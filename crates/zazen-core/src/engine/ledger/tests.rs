//! Tests of the ledger: only what somebody waited for, by day, for as long as it is needed.

use super::*;
use crate::id::CommitId;
use crate::task::{Outcome, Phase};
use crate::usage::Cost;

impl Ledger {
    /// Adds what a run would.
    pub(crate) fn add_for_test(&mut self, repo: &RepoName, usage: Usage, at: Time) {
        self.add(repo, usage, at);
    }
}

const DAY_MS: u64 = 86_400_000;

fn costs(micros: u64) -> Usage {
    Usage { n_calls: 1, cost: Cost::Micros(micros), ..Usage::default() }
}

fn repo(name: &str) -> RepoName {
    name.parse().unwrap()
}

#[test]
fn days_are_kept_for_more_than_a_month_and_the_total_for_ever() {
    let mut ledger = Ledger::default();
    for day in 0..100 {
        ledger.add(&repo("a/b"), costs(1), Time(day * DAY_MS));
        ledger.add(&repo("a/c"), costs(10), Time(day * DAY_MS + 5));
    }
    assert_eq!(ledger.total().cost, Cost::Micros(1_100));
    assert_eq!(ledger.days().count(), 80);
    assert_eq!(ledger.spent(|day| day == Day(99), None).cost, Cost::Micros(11));
    assert_eq!(ledger.spent(|_| true, Some(&repo("a/b"))).cost, Cost::Micros(40));
    assert_eq!(ledger.spent(|day| day == Day(3), None), Usage::default());
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
}

#[test]
fn only_the_run_that_is_waited_for_is_counted() {
    let run = |text: &str| -> RunId { text.parse().unwrap() };
    let ended = |text: &str| {
        let (run, outcome, usage) = (run(text), Outcome::Stopped, costs(5));
        Fact::of(run.task, Event::RunEnded { run, outcome, usage })
    };
    let waited_for = |task: TaskId| (task == TaskId(7)).then(|| run("7.2"));
    assert_eq!(Ledger::spent_in(&ended("7.2"), waited_for), [(TaskId(7), costs(5))]);
    assert_eq!(Ledger::spent_in(&ended("7.1"), waited_for), []);
    assert_eq!(Ledger::spent_in(&ended("8.2"), waited_for), []);
    let from: CommitId = "0".repeat(40).parse().unwrap();
    let begun = Event::RunBegun {
        run: run("7.2"),
        phase: Phase::Plan,
        from,
        agent: None,
        passed: Vec::new(),
    };
    assert_eq!(Ledger::spent_in(&Fact::of(TaskId(7), begun), waited_for), []);
}
