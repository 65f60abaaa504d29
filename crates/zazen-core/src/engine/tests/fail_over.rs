//! Scenarios of agents that may not act, and of those that take over.

use super::*;

#[test]
fn the_next_agent_takes_over_at_once_and_the_first_is_used_again_when_it_is_free() {
    check(
        "agents a b, 1 opened, 1 held 30 minutes, 1 planned, 1 approved, 1 step done, \
         1 green, 2 opened, 30 minutes pass, 2 planned, 2 approved",
        expect![[r#"
            agents a b
            1 opened
                @ a
                > run 1.1: plan
            1 held 30 minutes
                @ b, and not a
                > run 1.2: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                @ b, and not a
                > run 1.3: implement/1
            1 step done
                > run 1.4: verify
            1 green
                > push the branch of task 1
            2 opened
                @ a
                > run 2.1: plan
            30 minutes pass
            2 planned
                = task 2 is awaiting-approval
            2 approved
                @ a
                > run 2.2: implement/1
        "#]],
    );
}

#[test]
fn a_step_that_was_begun_by_one_agent_is_ended_by_another() {
    check(
        "agents a b, 1 opened, 1 planned with 3 steps, 1 approved, 1 step done, 1 held 30 minutes, \
         1 step done, 30 minutes pass, 1 step done",
        expect![[r#"
            agents a b
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
            1 held 30 minutes
                @ b, and not a
                > run 1.4: implement/2
            1 step done
                @ b, and not a
                > run 1.5: implement/3
            30 minutes pass
            1 step done
                > run 1.6: verify
        "#]],
    );
}

#[test]
fn where_all_agents_are_held_the_task_waits_for_the_first_that_is_free() {
    check(
        "agents a b c, 1 opened, 1 held 90 minutes, 1 held 30 minutes, 1 held 60 minutes, awake?, \
         30 minutes pass, 1 held 120 minutes, awake?, 30 minutes pass, 1 planned",
        expect![[r#"
            agents a b c
            1 opened
                @ a
                > run 1.1: plan
            1 held 90 minutes
                @ b, and not a
                > run 1.2: plan
            1 held 30 minutes
                @ c, and not a or b
                > run 1.3: plan
            1 held 60 minutes
                > put task 1 off
            awake?
                = in 1800000 ms
            30 minutes pass
                @ b, and not a
                > run 1.4: plan
            1 held 120 minutes
                > put task 1 off
            awake?
                = in 1800000 ms
            30 minutes pass
                @ c, and not a or b
                > run 1.5: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_restart_knows_whom_it_passed_over() {
    check(
        "agents a b, 1 opened, 1 held 30 minutes, restarted, 1 planned, restarted, 1 approved, \
         1 held 60 minutes, restarted, awake?, 30 minutes pass, restarted",
        expect![[r#"
            agents a b
            1 opened
                @ a
                > run 1.1: plan
            1 held 30 minutes
                @ b, and not a
                > run 1.2: plan
            restarted
                > run 1.2: plan
            1 planned
                = task 1 is awaiting-approval
            restarted
            1 approved
                @ b, and not a
                > run 1.3: implement/1
            1 held 60 minutes
                > put task 1 off
            restarted
            awake?
                = in 1800000 ms
            30 minutes pass
                @ a
                > run 1.4: implement/1
            restarted
                > run 1.4: implement/1
        "#]],
    );
}

#[test]
fn retry_tries_the_first_agent_whatever_is_known() {
    check(
        "agents a b, 1 opened, 1 held 30 minutes, 1 held 60 minutes, closed a for good, 1 retried, \
         1 held 10 minutes, 1 planned",
        expect![[r#"
            agents a b
            1 opened
                @ a
                > run 1.1: plan
            1 held 30 minutes
                @ b, and not a
                > run 1.2: plan
            1 held 60 minutes
                > put task 1 off
            closed a for good
            1 retried
                @ a
                > run 1.3: plan
            1 held 10 minutes
                @ b, and not a
                > run 1.4: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn an_agent_without_a_login_is_passed_over_until_a_person_says_retry() {
    check(
        "agents a b, 1 opened, 1 held for want of a login, 1 held 30 minutes, 900 minutes pass, \
         1 held for want of a login, 1 retried",
        expect![[r#"
            agents a b
            1 opened
                @ a
                > run 1.1: plan
            1 held for want of a login
                @ b, and not a
                > run 1.2: plan
            1 held 30 minutes
                > put task 1 off
            900 minutes pass
                @ b, and not a
                > run 1.3: plan
            1 held for want of a login
                > put task 1 off
                = task 1 is failed: the model's service refused the key
            1 retried
                @ a
                > run 1.4: plan
        "#]],
    );
}

#[test]
fn no_run_is_begun_of_an_agent_that_is_closed() {
    check(
        "agents a b, closed a for 30 minutes, 1 opened, closed a for good and b for good, 2 opened, \
         1 planned, awake?, closed nobody, 15 minutes pass, 2 planned",
        expect![[r#"
            agents a b
            closed a for 30 minutes
            1 opened
                @ b, and not a
                > run 1.1: plan
            closed a for good and b for good
            2 opened
                > put task 2 off
            1 planned
                = task 1 is awaiting-approval
            awake?
                = in 900000 ms
            closed nobody
            15 minutes pass
                @ a
                > run 2.1: plan
            2 planned
                = task 2 is awaiting-approval
        "#]],
    );
}

#[test]
fn who_has_one_agent_waits_for_it_without_a_run() {
    check(
        "closed default for 30 minutes, 1 opened, restarted, closed default for 30 minutes, awake?, \
         10 minutes pass, 1 retried, closed nobody, 1 planned",
        expect![[r#"
            closed default for 30 minutes
            1 opened
                > put task 1 off
            restarted
            closed default for 30 minutes
            awake?
                = in 1800000 ms
            10 minutes pass
            1 retried
                > run 1.1: plan
            closed nobody
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn an_agent_of_which_nobody_says_when_it_is_free_is_looked_at_again_and_again() {
    check(
        "agents a, closed a for good, 1 opened, awake?, 15 minutes pass, awake?, 1 stopped",
        expect![[r#"
            agents a
            closed a for good
            1 opened
                > put task 1 off
            awake?
                = in 900000 ms
            15 minutes pass
                > put task 1 off
            awake?
                = in 1800000 ms
            1 stopped
                = task 1 is stopped by ada
        "#]],
    );
}

#[test]
fn a_task_that_is_put_off_takes_no_place_and_the_checks_have_no_agent() {
    check(
        "agents a, 1 opened, 2 opened, 1 planned, 1 approved, 2 planned, 1 step done, \
         closed a for 30 minutes, 2 approved, 1 green",
        expect![[r#"
            agents a
            1 opened
                @ a
                > run 1.1: plan
            2 opened
            1 planned
                @ a
                > run 2.1: plan
                = task 1 is awaiting-approval
            1 approved
            2 planned
                @ a
                > run 1.2: implement/1
                = task 2 is awaiting-approval
            1 step done
                > run 1.3: verify
            closed a for 30 minutes
            2 approved
                > put task 2 off
            1 green
                > push the branch of task 1
        "#]],
    );
}

#[test]
fn nobody_is_asked_for_ever() {
    let mut play = Play::new(true);
    for line in ["agents a b", "1 opened"] {
        play.line(line);
        play.give_out();
    }
    let mut n_runs = 0;
    while play.task(TaskId(1)).run.is_some() {
        play.line("1 held 0 minutes");
        play.give_out();
        n_runs += 1;
        if play.task(TaskId(1)).run.is_none() {
            play.line("250 minutes pass");
            play.give_out();
        }
    }
    assert_eq!(play.task(TaskId(1)).state.word(), "failed", "{}", play.out);
    assert_eq!(n_runs, 12, "some hours of it are enough");
}
