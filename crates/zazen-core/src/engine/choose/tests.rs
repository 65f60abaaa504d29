use super::super::Book;
use super::*;
use crate::engine::{Change, Fact, Opened};
use crate::id::{IssueNumber, TaskId};
use crate::roster::{Roles, Roster};
use crate::task::{Free, Kind};

#[test]
fn what_is_known_of_an_agent_for_longest_is_what_is_said_of_it() {
    let quota = |at| Shut { why: Why::Quota, free: free(at) };
    let table = [
        (own(Why::Quota, Some(9)), None, Some(9)),
        (own(Why::Quota, Some(9)), Some(quota(Some(7))), Some(9)),
        (own(Why::Quota, Some(7)), Some(quota(Some(9))), Some(9)),
        // It is over.
        (own(Why::Quota, Some(5)), Some(quota(Some(9))), Some(9)),
        // Nobody knows when, which may be later.
        (own(Why::Quota, Some(9)), Some(quota(None)), None),
    ];
    for (own, closed, until) in table {
        let mut task = task();
        task.passed = vec![own];
        let passed = shut(&task, closed.as_ref(), &name("a"), Time(5)).expect("it may not act");
        assert_eq!(passed.until, until.map(Time));
    }
    let mut task = task();
    task.passed = vec![own(Why::Login, None)];
    let passed = shut(&task, Some(&quota(None)), &name("a"), Time(5)).expect("it may not act");
    assert_eq!(passed.why, Why::Login, "that is what a person has to mend");
    task.passed = vec![own(Why::Quota, Some(5))];
    assert_eq!(shut(&task, Some(&quota(Some(4))), &name("a"), Time(5)), None);
}

#[test]
fn without_failing_over_only_the_first_of_the_list_counts() {
    let mut roles = Roles::default();
    roles.set(Role::Plan, vec![name("a"), name("b")]);
    let roster = Roster::new(roles, std::collections::BTreeMap::new());
    let mut policy = Policy { n_runs_max: 1, roster, patience: Patience::STANDARD };
    let reserve = Shut { why: Why::Reserve, free: free(Some(9)) };
    let closed = Closed { agents: [(name("a"), reserve)].into(), ..Closed::default() };
    let of = |policy: &Policy| choose(policy, &closed, (&task(), Phase::Plan), Time(5));
    let Choice::Nobody { hold, passed } = of(&policy) else { panic!("`a` is closed") };
    assert_eq!((hold.why, hold.free, passed.len()), (Why::Reserve, free(Some(9)), 1));
    policy.patience.fails_over = true;
    let Choice::Begin { agent, passed } = of(&policy) else { panic!("`b` may act") };
    assert_eq!((agent, passed.len()), (Some(name("b")), 1));
}

#[test]
fn an_agent_that_may_not_plan_may_do_something_else() {
    let policy = Policy { n_runs_max: 1, roster: Roster::SOLO, patience: Patience::STANDARD };
    let reserve = Shut { why: Why::Reserve, free: free(Some(9)) };
    let in_role = (AgentName::default(), Role::Plan);
    let closed = Closed { roles: [(in_role, reserve)].into(), ..Closed::default() };
    let of = |phase| choose(&policy, &closed, (&task(), phase), Time(5));
    assert!(matches!(of(Phase::Plan), Choice::Nobody { .. }));
    assert!(matches!(of(Phase::Review), Choice::Begin { .. }));
    assert!(matches!(of(Phase::Verify), Choice::Begin { agent: None, .. }));
}

fn own(why: Why, until: Option<u64>) -> Passed {
    Passed { agent: name("a"), why, until: until.map(Time), known: Known::Reported, n: 1 }
}

fn free(at: Option<u64>) -> Option<Free> {
    at.map(|at| Free { at: Time(at), known: Known::Reported })
}

fn name(text: &str) -> AgentName {
    text.parse().expect("it is a name")
}

fn task() -> Task {
    let opened = Opened {
        id: TaskId(1),
        kind: Kind::Change,
        repo: "ada/sums".parse().expect("it is a repository"),
        issue: IssueNumber(1),
        title: "Sum by month".to_owned(),
        request: String::new(),
        by: "ada".to_owned(),
        review: None,
        plan: None,
    };
    let mut book = Book::default();
    let fact = Fact { cause: None, changes: vec![Change::Opened(opened)] };
    book.take_in(fact, Time(1)).expect("it fits");
    book.task(TaskId(1)).expect("it was opened").into_owned()
}
