//! Plans that are split, and the tasks of their parts: `1 split`, then `1 part opened` for each
//! step. The parts of task 1 are on the issues 11, 12 and so on.

use super::*;
use crate::task::Part;

impl Play {
    /// Does what is about parts. Says whether it was.
    pub(super) fn split(&mut self, id: TaskId, what: &str) -> bool {
        let (by, remarks) = ("ada".to_owned(), String::new());
        let task = self.task(id).into_owned();
        match what {
            "split" => {
                let hash = task.plan.map_or(plan(1, 1).hash, |plan| plan.hash);
                self.event(id, Event::SplitApproved { by, hash, remarks });
            }
            "not to wait" => self.event(id, Event::WaitWaived { by, remarks }),
            "part opened" | "part opened after nothing" => {
                let parts: &[Part] = task.state.split().map_or(&[], |split| &split.parts);
                let step = u32::try_from(parts.len()).unwrap() + 1;
                let is_first = step == 1 || what.ends_with("nothing");
                let part = intake::PartOpened {
                    of: id,
                    step,
                    issue: IssueNumber(u64::from(id.0 * 10 + step)),
                    title: "One step".to_owned(),
                    plan: plan(9, 1),
                    after: if is_first { vec![] } else { vec![step - 1] },
                };
                match intake::part_opened(self.engine.book(), part) {
                    Some(fact) => self.take_in(fact),
                    None => writeln!(self.out, "    ! task {id} is not split").unwrap(),
                }
                self.engine.ended(&Key::OpenPart(id, step));
            }
            _ => return false,
        }
        true
    }
}

#[test]
fn the_steps_of_a_plan_become_issues_one_after_the_other_and_run_in_their_order() {
    check(
        "1 opened, 1 planned with 3 steps, 1 split, 1 part opened, 1 part opened, \
         1 part opened after nothing, 3 approved, 4 approved, 4 step done, 4 green, 2 approved, \
         2 step done, 2 green, 2 pushed, 2 drafted, 2 merged",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 split
                > open an issue for step 1 of task 1
            1 part opened
                > open an issue for step 2 of task 1
                = task 2 is awaiting-approval
            1 part opened
                > open an issue for step 3 of task 1
                = task 3 is awaiting-approval
            1 part opened after nothing
                = task 1 is split into 3 issues
                = task 4 is awaiting-approval
            3 approved
            4 approved
                > run 4.1: implement/1
            4 step done
                > run 4.2: verify
            4 green
                > push the branch of task 4
            2 approved
                > run 2.1: implement/1
            2 step done
                > run 2.2: verify
            2 green
                > push the branch of task 2
            2 pushed
                > open the pull request of task 2
            2 drafted
                = task 2 is drafted as #2
            2 merged
                > run 3.1: implement/1
                = task 2 is merged as #2
        "#]],
    );
}

#[test]
fn a_part_that_comes_after_others_begins_when_they_are_merged_or_a_person_says_so() {
    check(
        "1 opened, 1 planned with 3 steps, 1 split, 1 part opened, 1 part opened, 1 part opened, \
         2 approved, 3 approved, 4 approved, 2 stopped, 2 run halted, 3 not to wait, \
         3 not to wait, 3 step done, 3 green, 3 pushed, 3 drafted, 3 closed, 4 stopped, 4 retried, \
         4 not to wait",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 split
                > open an issue for step 1 of task 1
            1 part opened
                > open an issue for step 2 of task 1
                = task 2 is awaiting-approval
            1 part opened
                > open an issue for step 3 of task 1
                = task 3 is awaiting-approval
            1 part opened
                = task 1 is split into 3 issues
                = task 4 is awaiting-approval
            2 approved
                > run 2.1: implement/1
            3 approved
            4 approved
            2 stopped
                > stop run 2.1
                = task 2 is stopped by ada
            2 run halted
            3 not to wait
                > run 3.1: implement/1
            3 not to wait
                ! task 3 is implementing and cannot take the event WaitWaived
            3 step done
                > run 3.2: verify
            3 green
                > push the branch of task 3
            3 pushed
                > open the pull request of task 3
            3 drafted
                = task 3 is drafted as #3
            3 closed
                = task 3 is closed
            4 stopped
                = task 4 is stopped by ada
            4 retried
            4 not to wait
                > run 4.1: implement/1
        "#]],
    );
}

#[test]
fn splitting_can_be_stopped_and_goes_on_where_it_was() {
    check(
        "1 opened, 1 planned with 3 steps, 1 split, 1 part opened, 1 stopped, 1 part opened, \
         1 sent back, 1 retried, 1 part opened, 1 stopped, 1 sent back, 1 retried",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 split
                > open an issue for step 1 of task 1
            1 part opened
                > open an issue for step 2 of task 1
                = task 2 is awaiting-approval
            1 stopped
                = task 1 is stopped by ada
            1 part opened
                = task 3 is awaiting-approval
            1 sent back
                ! task 1 is stopped and cannot take the event PlanSentBack
            1 retried
                > open an issue for step 3 of task 1
            1 part opened
                = task 1 is split into 3 issues
                = task 4 is awaiting-approval
            1 stopped
                ! task 1 is split and cannot take the event StopAsked
            1 sent back
                ! task 1 is split and cannot take the event PlanSentBack
            1 retried
                ! task 1 is split and cannot take the event RetryAsked
        "#]],
    );
}

#[test]
fn nothing_is_lost_when_the_daemon_is_started_again_while_it_splits() {
    check(
        "1 opened, 1 planned with 3 steps, 1 split, restarted, 1 part opened, restarted, \
         1 part opened, 1 part opened, 3 approved, restarted, 2 approved, 2 step done, 2 green, \
         2 pushed, 2 drafted, restarted, 2 merged",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 split
                > open an issue for step 1 of task 1
            restarted
                > open an issue for step 1 of task 1
            1 part opened
                > open an issue for step 2 of task 1
                = task 2 is awaiting-approval
            restarted
                > open an issue for step 2 of task 1
            1 part opened
                > open an issue for step 3 of task 1
                = task 3 is awaiting-approval
            1 part opened
                = task 1 is split into 3 issues
                = task 4 is awaiting-approval
            3 approved
            restarted
            2 approved
                > run 2.1: implement/1
            2 step done
                > run 2.2: verify
            2 green
                > push the branch of task 2
            2 pushed
                > open the pull request of task 2
            2 drafted
                = task 2 is drafted as #2
            restarted
            2 merged
                > run 3.1: implement/1
                = task 2 is merged as #2
        "#]],
    );
}

#[test]
fn a_plan_of_one_step_is_not_split() {
    check(
        "1 opened, 1 planned, 1 split, `/split` on 1",
        expect![[r#"
        1 opened
            > run 1.1: plan
        1 planned
            = task 1 is awaiting-approval
        1 split
            ! task 1 is awaiting-approval and cannot take the event SplitApproved
        `/split` on 1
    "#]],
    );
}

#[test]
fn split_is_a_command_like_others() {
    check(
        "`/split` on 1, `/plan` on 1, `/split` on 1, 1 planned with 3 steps, `/split` on 1, \
         `/split` on 1, `/plan` on 1, 1 part opened, 1 part opened, 1 part opened, `/stop` on 1, \
         `/implement` on 12, `/retry` on 12, 3 step done, `/plan` on 1",
        expect![[r#"
            `/split` on 1
            `/plan` on 1
                > run 1.1: plan
            `/split` on 1
            1 planned with 3 steps
                = task 1 is awaiting-approval
            `/split` on 1
                > open an issue for step 1 of task 1
            `/split` on 1
            `/plan` on 1
            1 part opened
                > open an issue for step 2 of task 1
                = task 2 is awaiting-approval
            1 part opened
                > open an issue for step 3 of task 1
                = task 3 is awaiting-approval
            1 part opened
                = task 1 is split into 3 issues
                = task 4 is awaiting-approval
            `/stop` on 1
            `/implement` on 12
            `/retry` on 12
                > run 3.1: implement/1
            3 step done
                > run 3.2: verify
            `/plan` on 1
        "#]],
    );
}

#[test]
fn the_parts_of_a_part_wait_for_what_it_comes_after() {
    check(
        "1 opened, 1 planned with 3 steps, 1 split, 1 part opened, 1 part opened, 1 part opened, \
         3 sent back, 3 planned with 3 steps, 3 split, 3 part opened, 3 part opened, \
         3 part opened, 5 approved, 2 approved, 2 step done, 2 green, 2 pushed, 2 drafted, \
         2 merged",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 split
                > open an issue for step 1 of task 1
            1 part opened
                > open an issue for step 2 of task 1
                = task 2 is awaiting-approval
            1 part opened
                > open an issue for step 3 of task 1
                = task 3 is awaiting-approval
            1 part opened
                = task 1 is split into 3 issues
                = task 4 is awaiting-approval
            3 sent back
                > run 3.1: plan
            3 planned with 3 steps
                = task 3 is awaiting-approval
            3 split
                > open an issue for step 1 of task 3
            3 part opened
                > open an issue for step 2 of task 3
                = task 5 is awaiting-approval
            3 part opened
                > open an issue for step 3 of task 3
                = task 6 is awaiting-approval
            3 part opened
                = task 3 is split into 3 issues
                = task 7 is awaiting-approval
            5 approved
            2 approved
                > run 2.1: implement/1
            2 step done
                > run 2.2: verify
            2 green
                > push the branch of task 2
            2 pushed
                > open the pull request of task 2
            2 drafted
                = task 2 is drafted as #2
            2 merged
                > run 5.1: implement/1
                = task 2 is merged as #2
        "#]],
    );
}
