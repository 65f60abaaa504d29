//! Scenarios: what happens, and what the engine wants done about it.
//!
//! A scenario is a few lines of text, each a task and what happened to it. They
//! are printed back, each followed by the effects that it led to (`>`), by what
//! was refused (`!`), and by where a task came to rest (`=`). Nothing else here
//! knows what the engine looks like; [`Play`] has the list of words.

mod fail_over;
mod fork;
mod split;

use std::borrow::Cow;
use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;
use crate::budget::Scope;
use crate::id::{
    AgentName, CommentId, CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RepoName,
};
use crate::intake::{self, PlanOnDisk, Rules};
use crate::roster::{Role, Roles, Shut};
use crate::task::{
    Ask, Examined, Free, Hold, Kind, Known, NotRebased, Outcome, Phase, PlanRef, State, Task,
    TextRef, Trouble, TroubleKind, Why,
};
use crate::usage::Usage;

#[test]
fn an_issue_becomes_a_draft() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, 1 pushed, 1 drafted, 1 merged",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
            1 drafted
                = task 1 is drafted as #1
            1 merged
                = task 1 is merged as #1
        "#]],
    );
}

#[test]
fn each_step_is_a_run_of_its_own() {
    check(
        "1 opened, 1 planned with 3 steps, 1 approved, 1 step done, 1 step done, 1 step done",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned with 3 steps
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: implement/2
            1 step done
                > run 1.4: implement/3
            1 step done
                > run 1.5: verify
        "#]],
    );
}

#[test]
fn a_plan_that_fails_is_tried_once_more() {
    check(
        "1 opened, 1 failed, 1 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 failed
                > run 1.2: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_plan_that_fails_twice_is_given_up() {
    check(
        "1 opened, 1 failed, 1 failed, 1 retried",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 failed
                > run 1.2: plan
            1 failed
                = task 1 is failed: the harness failed
            1 retried
                > run 1.3: plan
        "#]],
    );
}

#[test]
fn what_cannot_be_mended_by_trying_is_given_up_at_once() {
    check(
        "1 opened, 1 refused by the model, 1 retried",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 refused by the model
                = task 1 is failed: the model's service refused the key
            1 retried
                > run 1.2: plan
        "#]],
    );
}

#[test]
fn red_checks_are_mended_once() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 red, 1 mended, 1 green",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 red
                > run 1.4: verify
                > run 1.6: correct
            1 mended
                > run 1.7: verify
            1 green
                > push the branch of task 1
        "#]],
    );
}

#[test]
fn red_checks_that_stay_red_are_given_up_and_a_retry_mends_again() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 red, 1 mended, 1 red, 1 retried, 1 mended, \
         1 green",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 red
                > run 1.4: verify
                > run 1.6: correct
            1 mended
                > run 1.7: verify
            1 red
                > run 1.8: verify
                = task 1 is failed: the checks are red
            1 retried
                > run 1.9: correct
            1 mended
                > run 1.10: verify
            1 green
                > push the branch of task 1
        "#]],
    );
}

#[test]
fn work_that_changes_nothing_is_done_again_and_then_given_up() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step empty, 1 step empty",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step empty
                > run 1.3: implement/1
            1 step empty
                = task 1 is failed: the agent finished, but nothing was changed
        "#]],
    );
}

#[test]
fn one_place_is_for_one_run() {
    check(
        "1 opened, 2 opened, 3 opened, 1 planned, 2 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            2 opened
            3 opened
            1 planned
                > run 2.1: plan
                = task 1 is awaiting-approval
            2 planned
                > run 3.1: plan
                = task 2 is awaiting-approval
        "#]],
    );
}

#[test]
fn two_places_are_for_two_runs() {
    check(
        "2 places, 1 opened, 2 opened, 3 opened, 2 planned",
        expect![[r#"
            2 places
            1 opened
                > run 1.1: plan
            2 opened
                > run 2.1: plan
            3 opened
            2 planned
                > run 3.1: plan
                = task 2 is awaiting-approval
        "#]],
    );
}

#[test]
fn without_places_nothing_runs() {
    check(
        "0 places, 1 opened, 2 opened",
        expect![[r#"
            0 places
            1 opened
            2 opened
        "#]],
    );
}

#[test]
fn approved_work_goes_before_new_work() {
    check(
        "1 opened, 1 planned, 2 opened, 3 opened, 1 approved, 2 planned, 1 step done",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            2 opened
                > run 2.1: plan
            3 opened
            1 approved
            2 planned
                > run 1.2: implement/1
                = task 2 is awaiting-approval
            1 step done
                > run 1.3: verify
        "#]],
    );
}

#[test]
fn the_oldest_goes_first() {
    check(
        "1 opened, 3 opened, 2 opened, 1 planned, 2 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            3 opened
            2 opened
            1 planned
                > run 2.1: plan
                = task 1 is awaiting-approval
            2 planned
                > run 3.1: plan
                = task 2 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_run_that_has_begun_is_not_put_off_by_approved_work() {
    check(
        "1 opened, 1 planned, 2 opened, 1 approved",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            2 opened
                > run 2.1: plan
            1 approved
        "#]],
    );
}

#[test]
fn a_stopped_run_keeps_its_place_until_it_has_stopped() {
    check(
        "1 opened, 2 opened, 1 stopped, 1 run halted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            2 opened
            1 stopped
                > stop run 1.1
                = task 1 is stopped by ada
            1 run halted
                > run 2.1: plan
        "#]],
    );
}

#[test]
fn a_run_that_ends_well_after_it_was_told_to_stop_changes_nothing() {
    check(
        "1 opened, 1 stopped, 1 planned, 1 retried",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 stopped
                > stop run 1.1
                = task 1 is stopped by ada
            1 planned
            1 retried
                > run 1.2: plan
        "#]],
    );
}

#[test]
fn a_retry_waits_for_the_stopped_run_to_be_gone() {
    check(
        "1 opened, 1 stopped, 1 retried, 1 run halted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 stopped
                > stop run 1.1
                = task 1 is stopped by ada
            1 retried
            1 run halted
                > run 1.2: plan
        "#]],
    );
}

#[test]
fn checks_that_were_stopped_begin_again_after_a_retry() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 stopped, 1 retried, 1 run halted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 stopped
                > stop run 1.3
                = task 1 is stopped by ada
            1 retried
            1 run halted
                > run 1.4: verify
        "#]],
    );
}

#[test]
fn a_plan_can_be_sent_back_while_it_is_written() {
    check(
        "1 opened, 1 sent back, 1 run halted, 1 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 sent back
                > stop run 1.1
            1 run halted
                > run 1.2: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_plan_that_comes_in_after_it_was_sent_back_is_not_taken() {
    check(
        "1 opened, 1 sent back, 1 planned, 1 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 sent back
                > stop run 1.1
            1 planned
                > run 1.2: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_plan_can_be_sent_back_when_it_is_there() {
    check(
        "1 opened, 1 planned, 1 sent back, 1 planned again, 1 approved",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 sent back
                > run 1.2: plan
            1 planned again
                = task 1 is awaiting-approval
            1 approved
                > run 1.3: implement/1
        "#]],
    );
}

#[test]
fn an_approval_of_an_older_plan_is_refused() {
    check(
        "1 opened, 1 planned, 1 edited, 1 approved as it was, 1 approved as edited",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 edited
            1 approved as it was
                ! task 1 is awaiting-approval and cannot take the event PlanApproved
            1 approved as edited
                > run 1.2: implement/1
        "#]],
    );
}

#[test]
fn approved_work_starts_from_the_tip_of_that_moment() {
    check_all(
        "1 opened, 1 based, 1 planned, 1 shown, 1 approved, 1 based, 1 shown",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 based
                > run 1.1: plan
            1 planned
                > show plan of task 1
                = task 1 is awaiting-approval
            1 shown
            1 approved
                > show plan of task 1
                > find the base of task 1
            1 based
                > run 1.2: implement/1
            1 shown
                > show plan of task 1
        "#]],
    );
}

#[test]
fn a_text_is_shown_once_and_again_when_it_changes() {
    check_all(
        "1 opened, 1 based, 1 planned, 1 shown, 1 edited, 1 shown, 1 stopped, 1 shown",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 based
                > run 1.1: plan
            1 planned
                > show plan of task 1
                = task 1 is awaiting-approval
            1 shown
            1 edited
                > show plan of task 1
            1 shown
            1 stopped
                > show plan of task 1
                > show note-1 of task 1
                = task 1 is stopped by ada
            1 shown
        "#]],
    );
}

#[test]
fn a_text_that_changes_while_it_is_shown_is_shown_again() {
    check_all(
        "1 opened, 1 based, 1 planned, 1 edited, 1 shown, 1 shown",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 based
                > run 1.1: plan
            1 planned
                > show plan of task 1
                = task 1 is awaiting-approval
            1 edited
            1 shown
                > show plan of task 1
            1 shown
        "#]],
    );
}

#[test]
fn a_failed_effect_is_asked_for_again_later_and_not_before() {
    check_all(
        "1 opened, 1 base failed, 100 ms pass, 150 ms pass, 1 base failed, 250 ms pass, \
         250 ms pass, 1 based",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 base failed
            100 ms pass
            150 ms pass
                > find the base of task 1
            1 base failed
            250 ms pass
            250 ms pass
                > find the base of task 1
            1 based
                > run 1.1: plan
        "#]],
    );
}

#[test]
fn what_failed_and_is_not_wanted_any_more_is_forgotten() {
    check_all(
        "1 opened, 1 base failed, awake?, 1 stopped, 1 shown, awake?",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 base failed
            awake?
                = in 250 ms
            1 stopped
                > show note-1 of task 1
                = task 1 is stopped by ada
            1 shown
            awake?
                = no
        "#]],
    );
}

#[test]
fn an_effect_that_is_tried_again_is_no_reason_to_wake() {
    check_all(
        "1 opened, 1 base failed, awake?, 250 ms pass, awake?",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 base failed
            awake?
                = in 250 ms
            250 ms pass
                > find the base of task 1
            awake?
                = no
        "#]],
    );
}

#[test]
fn a_push_that_fails_for_good_fails_the_task_and_a_retry_pushes_again() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, 1 blocked, 1 retried, 1 pushed",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            1 blocked
                = task 1 is failed: the branch has somebody else's commits
            1 retried
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
        "#]],
    );
}

#[test]
fn a_base_that_cannot_be_found_fails_the_task() {
    check_all(
        "1 opened, 1 blocked, 1 shown, 1 retried",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 blocked
                > show note-1 of task 1
                = task 1 is failed: the repository could not be read
            1 shown
            1 retried
                > find the base of task 1
        "#]],
    );
}

#[test]
fn a_restart_finds_the_run_again() {
    check(
        "1 opened, restarted, 1 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            restarted
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_restart_while_a_run_is_stopped_stops_it_again() {
    check(
        "1 opened, 2 opened, 1 stopped, restarted, 1 run halted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            2 opened
            1 stopped
                > stop run 1.1
                = task 1 is stopped by ada
            restarted
                > stop run 1.1
            1 run halted
                > run 2.1: plan
        "#]],
    );
}

#[test]
fn a_restart_does_not_ask_for_what_is_done() {
    check_all(
        "1 opened, 1 based, 1 planned, restarted, 1 shown, restarted, 1 approved, 1 shown, \
         restarted, 1 based, restarted",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 based
                > run 1.1: plan
            1 planned
                > show plan of task 1
                = task 1 is awaiting-approval
            restarted
                > show plan of task 1
            1 shown
            restarted
            1 approved
                > show plan of task 1
                > find the base of task 1
            1 shown
            restarted
                > find the base of task 1
            1 based
                > run 1.2: implement/1
                > show plan of task 1
            restarted
                > show plan of task 1
                > run 1.2: implement/1
        "#]],
    );
}

#[test]
fn a_restart_between_push_and_pull_request_opens_it() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, restarted, 1 pushed, restarted, \
         1 drafted, restarted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            restarted
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
            restarted
                > open the pull request of task 1
            1 drafted
                = task 1 is drafted as #1
            restarted
        "#]],
    );
}

#[test]
fn a_drained_engine_begins_nothing_and_lets_the_rest_end() {
    check(
        "2 opened, 1 opened, draining, 2 planned, 2 approved",
        expect![[r#"
            2 opened
                > run 2.1: plan
            1 opened
            draining
            2 planned
                = task 2 is awaiting-approval
            2 approved
        "#]],
    );
}

#[test]
fn a_question_is_answered_and_over() {
    check(
        "1 asked, 1 answered",
        expect![[r#"
            1 asked
                > run 1.1: ask
            1 answered
                = task 1 is closed
        "#]],
    );
}

#[test]
fn a_question_waits_for_approved_work() {
    check(
        "1 opened, 1 planned, 2 opened, 3 asked, 1 approved, 2 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            2 opened
                > run 2.1: plan
            3 asked
            1 approved
            2 planned
                > run 1.2: implement/1
                = task 2 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_command_is_acknowledged_once() {
    check_all(
        "`/plan` on 7, 1 acknowledged, `/status` on 7, 7 replied, restarted",
        expect![[r#"
            `/plan` on 7
                > acknowledge comment 1
                > find the base of task 1
            1 acknowledged
            `/status` on 7
                > reply to comment 2 on issue 7
            7 replied
            restarted
                > find the base of task 1
        "#]],
    );
}

#[test]
fn a_reply_is_given_once() {
    check_all(
        "`/implement` on 7, restarted, 7 replied, restarted",
        expect![[r#"
            `/implement` on 7
                > reply to comment 1 on issue 7
            restarted
                > reply to comment 1 on issue 7
            7 replied
            restarted
        "#]],
    );
}

#[test]
fn two_commands_in_one_comment_get_one_reply() {
    check_all(
        "`/implement /status` on 7, 7 replied",
        expect![[r#"
            `/implement /status` on 7
                > reply to comment 1 on issue 7
            7 replied
        "#]],
    );
}

#[test]
fn an_answer_to_no_question_is_refused() {
    check(
        "1 opened, 1 approved, 1 pushed, 1 merged",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 approved
                ! task 1 is planning and cannot take the event PlanApproved
            1 pushed
                ! task 1 is planning and cannot take the event Pushed
            1 merged
                ! task 1 is planning and cannot take the event PullMerged
        "#]],
    );
}

#[test]
fn a_run_whose_beginning_was_not_recorded_begins_later() {
    check(
        "1 opened but the disk is full, 250 ms pass, 1 planned",
        expect![[r#"
            1 opened but the disk is full
            250 ms pass
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_review_is_worked_in_and_the_pull_request_updated() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, 1 pushed, 1 drafted, 1 reviewed, \
         1 reviewed, 1 mended, 1 green, 1 pushed, 1 updated, 1 merged",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
            1 drafted
                = task 1 is drafted as #1
            1 reviewed
                > run 1.5: correct
            1 reviewed
            1 mended
                > run 1.6: verify
            1 green
                > push the branch of task 1
            1 pushed
                > update the pull request of task 1
            1 updated
                > run 1.7: correct
            1 merged
                > stop run 1.7
                = task 1 is merged as #1
        "#]],
    );
}

#[test]
fn a_pull_request_that_is_merged_ends_what_is_being_done_to_it() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, 1 pushed, 1 drafted, \
         1 to be fixed, 1 merged, 1 run halted, 1 reviewed",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
            1 drafted
                = task 1 is drafted as #1
            1 to be fixed
                > run 1.5: correct
            1 merged
                > stop run 1.5
                = task 1 is merged as #1
            1 run halted
            1 reviewed
                ! task 1 is merged and cannot take the event FixAsked
        "#]],
    );
}

#[test]
fn somebody_elses_commits_are_built_upon_only_when_that_is_asked_for() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, 1 pushed, 1 drafted, \
         1 pushed to by grace, 1 reviewed, 1 to be fixed, 1 closed, 1 run halted, 1 reopened",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
            1 drafted
                = task 1 is drafted as #1
            1 pushed to by grace
            1 reviewed
            1 to be fixed
                > run 1.5: correct
            1 closed
                > stop run 1.5
                = task 1 is closed
            1 run halted
            1 reopened
                = task 1 is drafted as #1
        "#]],
    );
}

#[test]
fn a_branch_is_rebased_checked_anew_and_pushed() {
    check(
        "1 opened, 1 planned, 1 approved, 1 step done, 1 green, 1 pushed, 1 drafted, \
         1 to be rebased, 1 to be rebased, 1 rebased, 1 green, 1 pushed, 1 updated, \
         1 to be rebased, 1 in conflict, 1 to be rebased, 1 pushed to by grace, 1 rebased, \
         1 to be rebased",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 planned
                = task 1 is awaiting-approval
            1 approved
                > run 1.2: implement/1
            1 step done
                > run 1.3: verify
            1 green
                > push the branch of task 1
            1 pushed
                > open the pull request of task 1
            1 drafted
                = task 1 is drafted as #1
            1 to be rebased
                > rebase the branch of task 1
            1 to be rebased
                ! task 1 is rebasing and cannot take the event RebaseAsked
            1 rebased
                > run 1.5: verify
            1 green
                > push the branch of task 1
            1 pushed
                > update the pull request of task 1
            1 updated
                = task 1 is drafted as #1
            1 to be rebased
                > rebase the branch of task 1
            1 in conflict
                = task 1 is drafted as #1
            1 to be rebased
                > rebase the branch of task 1
            1 pushed to by grace
                = task 1 is drafted as #1
            1 rebased
            1 to be rebased
        "#]],
    );
}

#[test]
fn a_parked_task_goes_on_by_itself_and_takes_no_place_meanwhile() {
    check(
        "1 opened, 2 opened, 1 held 90 minutes, 2 planned, awake?, 89 minutes pass, awake?, \
         1 minutes pass, awake?, 1 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            2 opened
            1 held 90 minutes
                > run 2.1: plan
            2 planned
                = task 2 is awaiting-approval
            awake?
                = in 5400000 ms
            89 minutes pass
            awake?
                = in 60000 ms
            1 minutes pass
                > run 1.2: plan
            awake?
                = no
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn that_a_task_goes_on_is_recorded_before_its_run_begins() {
    check_all(
        "1 opened, 1 based, 1 held 5 minutes, 1 shown, 5 minutes pass, restarted, awake?, \
         1 goes on, 1 shown, 1 based",
        expect![[r#"
            1 opened
                > find the base of task 1
            1 based
                > run 1.1: plan
            1 held 5 minutes
                > show note-1 of task 1
            1 shown
            5 minutes pass
                > let task 1 go on
            restarted
                > let task 1 go on
            awake?
                = no
            1 goes on
                > show note-1 of task 1
                > find the base of task 1
            1 shown
            1 based
                > run 1.2: plan
        "#]],
    );
}

#[test]
fn a_task_that_is_parked_is_found_parked_after_a_restart() {
    check(
        "1 opened, 1 held 60 minutes, restarted, awake?, 30 minutes pass, restarted, awake?, \
         60 minutes pass, restarted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 held 60 minutes
            restarted
            awake?
                = in 3600000 ms
            30 minutes pass
            restarted
            awake?
                = in 1800000 ms
            60 minutes pass
                > run 1.2: plan
            restarted
                > run 1.2: plan
        "#]],
    );
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_doubles_nothing() {
    check(
        "1 opened, 60 minutes pass, 1 held 60 minutes, 59 minutes back, awake?, 118 minutes pass, \
         awake?, 1 minutes pass, 60 minutes back, awake?, 1 held, 100000 minutes pass, 1 planned",
        expect![[r#"
            1 opened
                > run 1.1: plan
            60 minutes pass
            1 held 60 minutes
            59 minutes back
            awake?
                = in 7140000 ms
            118 minutes pass
            awake?
                = in 60000 ms
            1 minutes pass
                > run 1.2: plan
            60 minutes back
            awake?
                = no
            1 held
            100000 minutes pass
                > run 1.3: plan
            1 planned
                = task 1 is awaiting-approval
        "#]],
    );
}

#[test]
fn a_person_can_have_a_parked_task_go_on_or_stop() {
    check(
        "1 opened, 1 held 60 minutes, `/status` on 1, `/retry` on 1, 1 held 60 minutes, \
         `/stop` on 1, awake?, 120 minutes pass, `/retry` on 1",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 held 60 minutes
            `/status` on 1
            `/retry` on 1
                > run 1.2: plan
            1 held 60 minutes
            `/stop` on 1
                = task 1 is stopped by ada
            awake?
                = no
            120 minutes pass
            `/retry` on 1
                > run 1.3: plan
        "#]],
    );
}

#[test]
fn a_task_without_budget_waits_for_the_next_day_of_utc() {
    check(
        "1 opened, 1 held for a budget of the day, awake?, 1423 minutes pass, awake?, \
         1 minutes pass, 1 held for a budget of the day, 1440 minutes pass",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 held for a budget of the day
            awake?
                = in 85400000 ms
            1423 minutes pass
            awake?
                = in 20000 ms
            1 minutes pass
                > run 1.2: plan
            1 held for a budget of the day
            1440 minutes pass
                > run 1.3: plan
        "#]],
    );
}

#[test]
fn while_it_drains_nothing_goes_on() {
    check(
        "1 opened, 1 held 5 minutes, draining, 5 minutes pass, awake?, restarted",
        expect![[r#"
            1 opened
                > run 1.1: plan
            1 held 5 minutes
            draining
            5 minutes pass
            awake?
                = no
            restarted
                > run 1.2: plan
        "#]],
    );
}

/// Plays `script` on an engine with one place. The world does the small things (texts,
/// bases, signs) at once, and they are not printed.
#[expect(clippy::needless_pass_by_value, reason = "an `Expect` is written in place")]
#[track_caller]
fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Play::new(true).all(script));
}

/// The same, and everything that is to be done is printed, and is done by the script.
#[expect(clippy::needless_pass_by_value, reason = "an `Expect` is written in place")]
#[track_caller]
fn check_all(script: &str, expected: Expect) {
    expected.assert_eq(&Play::new(false).all(script));
}

/// An engine, the time, and what was printed.
struct Play {
    engine: Engine,
    now: Time,
    does_small_things: bool,
    disk_is_full: bool,
    n_comments: u64,
    out: String,
}

impl Play {
    fn new(does_small_things: bool) -> Self {
        let engine = Engine::new(
            Policy { n_runs_max: 1, roster: Roster::SOLO, patience: Patience::STANDARD },
            Book::default(),
        );
        let out = String::new();
        let now = Time(1_000_000);
        Self { engine, now, does_small_things, disk_is_full: false, n_comments: 0, out }
    }

    fn all(mut self, script: &str) -> String {
        for line in script.split(", ") {
            writeln!(self.out, "{line}").unwrap();
            let before = self.states();
            self.line(line);
            self.give_out();
            for (id, state) in self.states() {
                if before.get(&id) != Some(&state) && self.task(id).is_at_rest() {
                    writeln!(self.out, "    = task {id} is {state}").unwrap();
                }
            }
        }
        self.out
    }

    fn line(&mut self, line: &str) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (first, rest) {
            ("restarted", _) => {
                let json = serde_json::to_string(self.engine.book()).unwrap();
                let book = serde_json::from_str(&json).unwrap();
                self.engine = Engine::new(self.engine.policy.clone(), book);
            }
            ("draining", _) => self.engine.drain(),
            ("awake?", _) => {
                let wait = self.engine.wake_at().map(|at| at.millis_since(self.now));
                let text = wait.map_or("no".to_owned(), |wait| format!("in {wait} ms"));
                writeln!(self.out, "    = {text}").unwrap();
            }
            ("agents", names) => self.agents(names),
            ("closed", what) => self.close(what),
            (n, "places") => self.engine.policy.n_runs_max = n.parse().unwrap(),
            (millis, "ms pass") => self.now.0 += millis.parse::<u64>().unwrap(),
            (minutes, "minutes pass") => self.now.0 += minutes.parse::<u64>().unwrap() * MINUTE,
            (minutes, "minutes back") => self.now.0 -= minutes.parse::<u64>().unwrap() * MINUTE,
            (command, _) if command.starts_with('`') => {
                let (text, issue) = line.trim_start_matches('`').split_once("` on ").unwrap();
                self.comment(IssueNumber(issue.parse().unwrap()), text);
            }
            (n, what) => self.tell(n.parse().expect("a number and what happened"), what),
        }
    }

    /// A comment with these commands, each on a line of its own.
    fn comment(&mut self, issue: IssueNumber, text: &str) {
        self.n_comments += 1;
        let text = text.replace(" /", "\n/");
        let comment = intake::Comment {
            repo: &repo(),
            issue,
            title: "Sum by month",
            id: CommentId::comment(self.n_comments),
            author: "ada",
            permission: None,
            is_bot: false,
            bots: &["zazen"],
            implied: None,
            pull: None,
            text: &text,
        };
        let fact =
            intake::comment(self.engine.book(), &Rules::default(), &comment, &PlanOnDisk::AsKnown);
        self.take_in(fact);
    }

    /// What happened to task `n` (or to the comments of issue `n`).
    #[expect(clippy::too_many_lines, reason = "one case after the other")]
    fn tell(&mut self, n: u32, what: &str) {
        let id = TaskId(n);
        let by = || "ada".to_owned();
        let none = String::new;
        match what {
            "opened" => self.open(id, Kind::Change),
            "asked" => self.open(id, Kind::Question),
            "opened but the disk is full" => {
                self.open(id, Kind::Change);
                self.disk_is_full = true;
            }
            "approved" | "approved as edited" | "approved as it was" => {
                let known = self.task(id).plan.as_ref().map(|plan| plan.hash.clone());
                let hash = match what {
                    "approved as it was" => plan(1, 1).hash,
                    _ => known.unwrap_or(plan(1, 1).hash),
                };
                self.event(
                    id,
                    Event::PlanApproved { by: by(), hash, answers: none(), contract: None },
                );
            }
            "sent back" => self.event(id, Event::PlanSentBack { by: by(), remarks: none() }),
            "edited" => self.event(id, Event::PlanEdited { plan: plan(2, 1) }),
            "forked" => self.fork(id, None),
            "forked to b" => self.fork(id, Some("b")),
            "stopped" => self.event(id, Event::StopAsked { by: by() }),
            "retried" => self.event(id, Event::RetryAsked { by: by(), remarks: none() }),
            "merged" => self.event(id, Event::PullMerged),
            "closed" => self.event(id, Event::PullClosed),
            "reopened" => self.event(id, Event::PullReopened { head: commit(0) }),
            "updated" => {
                let head = self.verified_head(id).unwrap_or(commit(0));
                self.event(id, Event::PullUpdated { head });
                self.engine.ended(&Key::UpdatePull(id));
            }
            "to be rebased" | "rebased" | "in conflict" => self.rebase(id, what),
            "pushed to by grace" => {
                self.event(id, Event::HeadMoved { head: commit(99), by: "grace".to_owned() });
            }
            "reviewed" | "to be fixed" => self.ask(id, what == "to be fixed"),
            "shown" => self.do_all(|effect| matches!(effect, Effect::Show { .. })),
            "based" => self.do_all(|effect| matches!(effect, Effect::FindBase { .. })),
            "replied" => self.do_all(|effect| matches!(effect, Effect::Reply { .. })),
            "acknowledged" => self.do_all(|effect| matches!(effect, Effect::Acknowledge { .. })),
            "base failed" => self.engine.failed(&Key::FindBase(id), self.now),
            "is put off" => self.do_all(|effect| matches!(effect, Effect::PutOff { .. })),
            "goes on" => self.do_all(|effect| matches!(effect, Effect::Resume { .. })),
            "blocked" => {
                let trouble = trouble(if self.verified_head(id).is_some() {
                    TroubleKind::ForeignBranch
                } else {
                    TroubleKind::Repository
                });
                self.event(id, Event::Blocked { trouble });
                for key in [Key::FindBase(id), Key::Push(id), Key::OpenPull(id)] {
                    self.engine.ended(&key);
                }
            }
            "pushed" => {
                let head = self.verified_head(id).unwrap_or(commit(0));
                self.event(id, Event::Pushed { head });
                self.engine.ended(&Key::Push(id));
            }
            "drafted" => {
                self.event(id, Event::PullOpened { pull: PullNumber(u64::from(n)) });
                self.engine.ended(&Key::OpenPull(id));
            }
            what if self.split(id, what) => {}
            "red" => self.red(id),
            what => self.run_ended(id, what),
        }
    }

    /// Somebody wants the open pull request changed.
    fn ask(&mut self, id: TaskId, by_command: bool) {
        self.n_comments += 1;
        let id_of = CommentId::of(crate::id::Stream::Review, self.n_comments);
        let text = TextRef { on: IssueNumber(u64::from(id.0)), id: id_of };
        let ask = Ask { text, by: "ada".to_owned(), remarks: String::new(), by_command };
        self.event(id, Event::FixAsked { ask, rounds_max: 2 });
    }

    /// Red checks are red again when they are run again.
    fn red(&mut self, id: TaskId) {
        self.run_ended(id, "red");
        self.give_out();
        if self.task(id).run.as_ref().is_some_and(|run| run.phase == Phase::Verify) {
            self.run_ended(id, "red");
        }
    }

    fn run_ended(&mut self, id: TaskId, what: &str) {
        let Some(run) = self.task(id).run.clone() else { panic!("nothing runs for task {id}") };
        let head = commit(run.id.n);
        let outcome = match what {
            "planned" => Outcome::Planned { plan: plan(1, 1) },
            "planned with 3 steps" => Outcome::Planned { plan: plan(1, 3) },
            "planned again" => Outcome::Planned { plan: plan(2, 1) },
            "answered" => Outcome::Answered { digest: crate::task::Digest(1) },
            "step done" | "mended" => Outcome::StepDone { head, n_commits: 1 },
            "step empty" => Outcome::StepDone { head: run.from.clone(), n_commits: 0 },
            "green" => Outcome::ChecksGreen { head: run.from.clone() },
            "red" => Outcome::Failed { trouble: trouble(TroubleKind::RedChecks) },
            "failed" => Outcome::Failed { trouble: trouble(TroubleKind::Crash) },
            "refused by the model" => Outcome::Failed { trouble: trouble(TroubleKind::NeedsLogin) },
            "run halted" => Outcome::Stopped,
            what if what.starts_with("held") => {
                held(what, self.now, self.engine.policy.patience.fails_over)
            }
            _ => panic!("nothing is called `{what}`"),
        };
        self.event(id, Event::RunEnded { run: run.id, outcome, usage: Usage::default() });
        self.engine.ended(&Key::Run(run.id));
        self.engine.ended(&Key::StopRun(run.id));
    }

    fn open(&mut self, id: TaskId, kind: Kind) {
        let opened = Opened {
            id,
            kind,
            repo: repo(),
            issue: IssueNumber(u64::from(id.0)),
            title: "Sum by month".to_owned(),
            request: String::new(),
            by: "ada".to_owned(),
            review: None,
            plan: None,
        };
        self.take_in(Fact { cause: None, changes: vec![Change::Opened(opened)] });
    }

    fn event(&mut self, id: TaskId, event: Event) {
        self.take_in(Fact::of(id, event));
    }

    fn take_in(&mut self, fact: Fact) {
        if let Err(err) = self.engine.take_in(fact, self.now) {
            let text = err.to_string();
            writeln!(self.out, "    ! {}", text.split(" {").next().unwrap()).unwrap();
        }
    }

    /// Asks the engine what is to be done, until it asks for nothing more.
    fn give_out(&mut self) {
        loop {
            let (effects, intents) = self.engine.next_effects(self.now);
            if effects.is_empty() {
                return;
            }
            if !intents.is_empty() && std::mem::take(&mut self.disk_is_full) {
                for effect in effects {
                    self.engine.failed(&effect.key(), self.now);
                }
                return;
            }
            for intent in intents {
                self.print_agent(&intent);
                self.take_in(intent);
            }
            for effect in effects {
                let is_put_off = matches!(effect, Effect::PutOff { .. });
                if !self.does_small_things || is_put_off || done(&effect).is_none() {
                    writeln!(self.out, "    > {effect}").unwrap();
                }
            }
            if self.does_small_things {
                self.do_all(|_| true);
            }
        }
    }

    /// The agents of all roles. The next takes over, where there are several.
    fn agents(&mut self, names: &str) {
        let names: Vec<AgentName> = names.split(' ').map(|name| name.parse().unwrap()).collect();
        let fails_over = names.len() > 1;
        let mut roles = Roles::default();
        for role in Role::ALL {
            roles.set(role, names.clone());
        }
        self.engine.policy.roster = Roster::new(roles, BTreeMap::new());
        self.engine.policy.patience = Patience { fails_over, ..Patience::STANDARD };
    }

    /// What is known of agents: `closed a for 5, b for good`, and `closed nobody`.
    fn close(&mut self, what: &str) {
        let mut closed = Closed::default();
        for one in what.split(" and ").filter(|one| *one != "nobody") {
            let (name, how_long) = one.split_once(" for ").unwrap();
            let minutes = how_long.strip_suffix(" minutes").map(|n| n.parse::<u64>().unwrap());
            let free =
                minutes.map(|n| Free { at: Time(self.now.0 + n * MINUTE), known: Known::Reported });
            closed.agents.insert(name.parse().unwrap(), Shut { why: Why::Quota, free });
        }
        self.engine.close(closed);
    }

    /// Who begins a run, where there is a choice.
    fn print_agent(&mut self, intent: &Fact) {
        let [Change::Task { event: Event::RunBegun { agent: Some(agent), passed, .. }, .. }] =
            &intent.changes[..]
        else {
            return;
        };
        if agent.as_str() == AgentName::DEFAULT {
            return;
        }
        let passed: Vec<&str> = passed.iter().map(|passed| passed.agent.as_str()).collect();
        let of = if passed.is_empty() { "" } else { ", and not " };
        writeln!(self.out, "    @ {agent}{of}{}", passed.join(" or ")).unwrap();
    }

    /// Does the small things that are under way and are meant.
    fn do_all(&mut self, is_meant: impl Fn(&Effect) -> bool) {
        let under_way: Vec<Effect> = self.engine.under_way.values().cloned().collect();
        for effect in under_way.into_iter().filter(is_meant) {
            if let Some(fact) = done(&effect) {
                self.take_in(fact);
                self.engine.ended(&effect.key());
            }
        }
    }

    fn verified_head(&self, id: TaskId) -> Option<CommitId> {
        let State::Publishing(published) = &self.task(id).state else { return None };
        Some(published.head.clone())
    }

    fn rebase(&mut self, id: TaskId, what: &str) {
        // The commit that the pull request stands at.
        let from = self.task(id).state.rework().map_or(commit(0), |rework| rework.head.clone());
        let event = match what {
            "to be rebased" => Event::RebaseAsked { by: "ada".to_owned() },
            "rebased" => Event::Rebased { from, onto: commit(70), head: commit(71) },
            _ => {
                let paths = vec!["tally".to_owned()];
                let why = NotRebased::Conflict { commit: from.clone(), paths, n_paths: 1 };
                Event::NotRebased { from, why }
            }
        };
        if what != "to be rebased" {
            self.engine.ended(&Key::Rebase(id));
        }
        self.event(id, event);
    }

    fn task(&self, id: TaskId) -> Cow<'_, Task> {
        self.engine.book().task(id).expect("the task is opened first")
    }

    fn states(&self) -> BTreeMap<TaskId, String> {
        self.engine.book().tasks().map(|task| (task.id, task.state.to_string())).collect()
    }
}

/// Guards that found nothing, where nobody reviews.
fn examined() -> Examined {
    let report = ContentHash::of(b"a report");
    Examined { report, n_flagged: 0, hold: None, reviewers: Vec::new() }
}

/// What comes of a small thing.
fn done(effect: &Effect) -> Option<Fact> {
    let (task, event) = match effect.clone() {
        Effect::FindBase { task } => (task, Event::BaseFound { base: commit(0) }),
        Effect::Show { task, slot, digest } => (task, Event::Shown { slot, digest }),
        Effect::Acknowledge { task, text } => {
            (task, Event::Acknowledged { comment: text.id, on: Some(text.on) })
        }
        Effect::Resume { task, until } => (task, Event::Resumed { until }),
        Effect::PutOff { task, hold, passed } => (task, Event::PutOff { hold, passed }),
        Effect::PostReview { task, .. } => (task, Event::ReviewPosted),
        Effect::Tell { task, text, .. } => {
            (task, Event::Told { text, reached: crate::task::Reached::Next })
        }
        Effect::AnswerThread { task, to, .. } => (task, Event::ThreadAnswered { to }),
        Effect::Run { run, phase: Phase::Baseline, from } => {
            let outcome = Outcome::ChecksGreen { head: from };
            (run.task, Event::RunEnded { run, outcome, usage: Usage::default() })
        }
        Effect::Examine { task, head } => (task, Event::Examined { head, examined: examined() }),
        Effect::Seal { task, head } => {
            (task, Event::Sealed { head, receipt: ContentHash::of(b"a receipt") })
        }
        Effect::Reply { repo, issue, comment, .. } => {
            let change = Change::Replied { repo, issue, comment };
            return Some(Fact { cause: None, changes: vec![change] });
        }
        Effect::Run { .. }
        | Effect::StopRun { .. }
        | Effect::OpenPart { .. }
        | Effect::Push { .. }
        | Effect::OpenPull { .. }
        | Effect::Rebase { .. }
        | Effect::UpdatePull { .. } => return None,
    };
    Some(Fact::of(task, event))
}

const MINUTE: u64 = 60_000;

/// Held for quota of which nobody says how long, or as long as is said.
fn held(what: &str, now: Time, fails_over: bool) -> Outcome {
    let (why, free) = match what.strip_prefix("held ").unwrap_or_default() {
        "for a budget of the day" => {
            let at = Scope::Day.free_at(now).expect("a day ends");
            (Why::DayBudget, Some(Free { at, known: Known::Calendar }))
        }
        "" => (Why::Quota, None),
        "for want of a login" => (Why::Login, None),
        minutes => {
            let minutes: u64 = minutes.trim_end_matches(" minutes").parse().unwrap();
            let at = Time(now.0 + minutes * MINUTE);
            (Why::Quota, Some(Free { at, known: Known::Reported }))
        }
    };
    let resumes = true;
    let wait_max_ms = 40 * 24 * 60 * MINUTE;
    let hold = Hold { why, free, resumes, wait_max_ms, fails_over };
    Outcome::Held { hold, trouble: trouble(TroubleKind::Quota) }
}

fn repo() -> RepoName {
    "ada/sums".parse().unwrap()
}

fn plan(version: u32, n_steps: u32) -> PlanRef {
    let hash = PlanHash::of(&format!("version {version} with {n_steps} steps"));
    PlanRef { hash, version, n_steps, n_questions: 0, contract: None }
}

fn commit(n: u32) -> CommitId {
    format!("{n:040x}").parse().unwrap()
}

fn trouble(kind: TroubleKind) -> Trouble {
    Trouble::new(kind, String::new())
}
