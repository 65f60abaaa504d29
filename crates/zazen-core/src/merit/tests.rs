use super::{Merit, Merits};
use crate::engine::Fact;
use crate::id::{AgentName, CommitId, PullNumber, RunId, TaskId};
use crate::roster::Role;
use crate::task::{Event, Outcome, Phase, Trouble, TroubleKind};
use crate::usage::{Cost, Usage};

fn name(word: &str) -> AgentName {
    word.parse().unwrap()
}

fn commit() -> CommitId {
    "1".repeat(40).parse().unwrap()
}

fn begun(run: RunId, phase: Phase, agent: Option<AgentName>) -> Event {
    Event::RunBegun { run, phase, from: commit(), agent, passed: Vec::new() }
}

/// A run of a task by an agent, and what it cost.
fn run(merits: &mut Merits, (task, n): (u32, u32), (phase, agent): (Phase, &str), is_well: bool) {
    let (task, agent) = (TaskId(task), Some(name(agent)).filter(|_| phase != Phase::Verify));
    let run = RunId { task, n };
    merits.see(&Fact::of(task, begun(run, phase, agent)));
    let outcome = if is_well {
        Outcome::StepDone { head: commit(), n_commits: 1 }
    } else {
        Outcome::Failed { trouble: Trouble::new(TroubleKind::Crash, String::new()) }
    };
    let usage = Usage { n_calls: 1, cost: Cost::Micros(1000), ..Usage::default() };
    let ended = Fact::of(task, Event::RunEnded { run, outcome, usage });
    merits.see(&ended);
    // Said twice, it counts once.
    merits.see(&ended);
}

fn tell(merits: &mut Merits, task: u32, event: Event) {
    merits.see(&Fact::of(TaskId(task), event));
}

const IMPLEMENT: Phase = Phase::Implement { step: 1 };

#[test]
fn each_agent_has_what_came_of_its_tasks_by_role() {
    let mut merits = Merits::default();
    let pull = PullNumber(7);
    run(&mut merits, (1, 1), (Phase::Plan, "deep"), true);
    run(&mut merits, (1, 2), (IMPLEMENT, "quick"), true);
    run(&mut merits, (1, 3), (Phase::Verify, "nobody"), false);
    run(&mut merits, (1, 4), (Phase::Correct, "quick"), true);
    tell(&mut merits, 1, Event::PullOpened { pull });
    tell(&mut merits, 1, Event::PullMerged);
    run(&mut merits, (2, 1), (IMPLEMENT, "quick"), false);
    run(&mut merits, (2, 2), (IMPLEMENT, "deep"), true);
    tell(&mut merits, 2, Event::PullOpened { pull });
    tell(&mut merits, 2, Event::PullClosed);

    let all = merits.all();
    let of = |agent: &str, role| all.get(&(name(agent), role)).copied().unwrap_or_default();
    let quick = of("quick", Role::Implement);
    let usage = Usage { n_calls: 2, cost: Cost::Micros(2000), ..Usage::default() };
    assert_eq!(
        quick,
        Merit {
            n_tasks: 2,
            n_drafted: 2,
            n_merged: 1,
            n_closed: 1,
            n_corrections: 1,
            n_runs: 2,
            n_failed: 1,
            usage,
        }
    );
    let deep = of("deep", Role::Plan);
    assert_eq!((deep.n_tasks, deep.n_merged, deep.n_corrections), (1, 1, 1));
    assert_eq!(of("deep", Role::Implement).n_closed, 1);
    assert_eq!(of("quick", Role::Correct).n_runs, 1);
    assert!(all.keys().all(|(agent, _)| agent.as_str() != "nobody"), "checks are no agents");
}

#[test]
fn a_pull_request_that_is_opened_again_is_closed_no_more() {
    let mut merits = Merits::default();
    run(&mut merits, (1, 1), (IMPLEMENT, "quick"), true);
    tell(&mut merits, 1, Event::PullOpened { pull: PullNumber(7) });
    tell(&mut merits, 1, Event::PullClosed);
    tell(&mut merits, 1, Event::PullReopened { head: commit() });
    let all = merits.all();
    let merit = all[&(name("quick"), Role::Implement)];
    assert_eq!((merit.n_drafted, merit.n_closed, merit.n_merged), (1, 0, 0));
}

#[test]
fn records_of_before_there_were_several_agents_count_for_the_one_there_was() {
    let mut merits = Merits::default();
    let run = RunId { task: TaskId(1), n: 1 };
    tell(&mut merits, 1, begun(run, Phase::Plan, None));
    assert_eq!(merits.all()[&(AgentName::default(), Role::Plan)].n_tasks, 1);
}
