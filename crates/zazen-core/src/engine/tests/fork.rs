//! Scenarios of tasks that go on from what a step of another one left.

use super::*;
use crate::intake::Request;
use crate::task::Fork;

impl Play {
    /// Has a new task go on after the first step of one.
    pub(super) fn fork(&mut self, of: TaskId, agent: Option<&str>) {
        let agent = agent.map(|agent| agent.parse().expect("a name"));
        let fork = Fork { of, step: 1, base: commit(0), head: Some(commit(7)), agent };
        let request = Request::Fork { fork, by: "ada".to_owned() };
        match intake::request(self.engine.book(), "a request", &request) {
            Ok(fact) => self.take_in(fact),
            Err(why) => writeln!(self.out, "    ! {why}").expect("it is a string"),
        }
    }
}

#[test]
fn a_fork_goes_on_after_its_step_and_needs_no_second_approval() {
    check(
        "1 opened, 1 planned with 3 steps, 1 approved, 1 step done, 1 stopped, 1 run halted, \
         1 forked, 2 step done, 2 step done, 2 green",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: implement/2
            1 stopped
                > stop run 1.3
                = task 1 is stopped by ada
            1 run halted
            1 forked
                > run 2.1: implement/2
            2 step done
                > run 2.2: implement/3
            2 step done
                > run 2.3: verify
            2 green
                > push the branch of task 2
        "#]],
    );
}

#[test]
fn a_fork_has_the_agent_that_it_was_given_to() {
    check(
        "agents a c, 1 opened, 1 planned with 3 steps, 1 approved, 1 step done, 1 stopped, \
         1 run halted, 1 forked to b, 2 step done",
        expect![[r#"
            agents a c
            1 opened
                @ a
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 approved
                @ a
                > run 1.2: implement/1
            1 step done
                @ a
                > run 1.3: implement/2
            1 stopped
                > stop run 1.3
                = task 1 is stopped by ada
            1 run halted
            1 forked to b
                @ b
                > run 2.1: implement/2
            2 step done
                @ b
                > run 2.2: implement/3
        "#]],
    );
}

#[test]
fn what_was_not_approved_or_has_no_such_step_is_not_forked() {
    check(
        "1 opened, 1 forked, 1 planned with 3 steps, 1 forked, 1 sent back, 1 planned, \
         1 approved, 1 forked, 9 forked",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 forked
                ! the plan of task 1 was not approved
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 forked
                ! the plan of task 1 was not approved
            1 sent back
                > run 1.2: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.3: implement/1
            1 forked
                ! the plan of task 1 has 1 steps; a fork begins after step 0 at the latest
            9 forked
                ! there is no task 9
        "#]],
    );
}
