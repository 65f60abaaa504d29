use expect_test::{expect, expect_file};

use super::*;
use crate::id::{PlanHash, Time};
use crate::task::{Part, State};
use crate::words::tests::{HOSTILE, check_harmless, plan, task};
use crate::words::{plan_comment, progress, standing};

/// A plan that is split into so many issues by now.
pub(in crate::words) fn splitting(n_parts: u64) -> State {
    let hash = PlanHash::of("the plan");
    let plan = PlanRef { hash, version: 1, n_steps: 2, n_questions: 0, contract: None };
    let after = |n| if n == 1 { vec![] } else { vec![1] };
    let parts = (1..=n_parts).map(|n| Part { issue: IssueNumber(20 + n), after: after(n) });
    let (by, remarks) = ("ada".to_owned(), "Please keep `--by` short.".to_owned());
    let split = Box::new(Split { plan, by, remarks, at: Time(1), parts: parts.collect() });
    if n_parts == 2 { State::Split(split) } else { State::Splitting(split) }
}

fn other(issue: u64, stands: Stands) -> Other {
    Other { issue: IssueNumber(issue), stands }
}

/// What follows an issue of a step.
fn part(state: &State) -> PartIssue {
    let split = state.split().expect("it is split");
    part_issue(&task(state.clone()), split, &plan(), u32::try_from(split.parts.len()).unwrap() + 1)
}

#[test]
fn the_comment_of_a_plan_that_was_split_is_a_list_of_its_issues() {
    let mut all = String::new();
    let task = task(splitting(2));
    for stands in
        [[Stands::Open, Stands::Open], [Stands::Merged, Stands::Failed], [Stands::Merged; 2]]
    {
        let parts = vec![other(21, stands[0]), other(22, stands[1])];
        let around = Around { parts, ..Around::default() };
        let text = plan_comment(&task, &plan(), &around, "tasks/2026/03/1-sum-by-month/plan.md");
        writeln!(all, "{}\n", text.as_str()).unwrap();
        assert!(progress(&task, Some(&plan()), &around).contains(&list(
            &plan(),
            task.state.split().unwrap(),
            &around
        )));
    }
    expect_file!["../../../tests/texts/split.md"].assert_eq(&all);
    expect!["was split into 2 issues"].assert_eq(&standing(&task, &Around::default()));
}

#[test]
fn what_waits_for_others_says_for_what_and_what_one_can_do() {
    let mut all = String::new();
    let stuck = [Stands::Open, Stands::Closed, Stands::Stopped, Stands::Failed];
    let mut before: Vec<Other> = Vec::new();
    for (stands, issue) in stuck.into_iter().zip(21..) {
        before.push(other(issue, stands));
        writeln!(all, "{}", waits(&before)).unwrap();
    }
    writeln!(all, "{WAITING_MOVE}").unwrap();
    writeln!(all, "{}", comes_after(&before[..1]).trim_start()).unwrap();
    writeln!(all, "{}", comes_after(&before[..2]).trim_start()).unwrap();
    writeln!(all, "{}", waits_standing(&before)).unwrap();
    expect![[r#"
        **Approved.** It waits for #21 to be merged.
        **Approved.** It waits for #21 and #22 to be merged. But #22 was closed without a merge: somebody has to see to it.
        **Approved.** It waits for #21, #22 and #23 to be merged. But #22 was closed without a merge and #23 was stopped: somebody has to see to it.
        **Approved.** It waits for #21, #22, #23 and #24 to be merged. But #22 was closed without a merge, #23 was stopped and #24 failed: somebody has to see to it.
        Write `/retry` to have it begin without waiting, or `/stop` to stop it.
        It comes after #21, which is not merged: approved now, it waits.
        It comes after #21 and #22, which are not merged: approved now, it waits.
        is approved and waits for #21, #22, #23 and #24 to be merged
    "#]].assert_eq(&all);
}

#[test]
fn the_issue_of_a_step_says_where_it_comes_from_and_what_comes_before_it() {
    let first = part(&splitting(0));
    let second = part(&splitting(1));
    let all = format!(
        "# {}\n\n{}\n# {}\n\n{}",
        first.title,
        first.body.as_str(),
        second.title,
        second.body.as_str()
    );
    expect_file!["../../../tests/texts/part-issue.md"].assert_eq(&all);
}

#[test]
fn the_issue_of_a_step_cannot_be_made_to_act() {
    let State::Splitting(mut split) = splitting(1) else { unreachable!() };
    split.remarks = HOSTILE.to_owned();
    split.by = HOSTILE.to_owned();
    let mut plan = plan();
    plan.steps[1].title = one_line(HOSTILE, 500);
    plan.steps[1].body = HOSTILE.to_owned();
    let part = part_issue(&task(State::AwaitingApproval), &split, &plan, 2);
    check_harmless(part.body.as_str());
    check_harmless(&part.title);
    assert!(part.title.len() <= 256, "{}", part.title.len());
}
