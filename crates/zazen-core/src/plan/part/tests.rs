use expect_test::expect;

use crate::id::IssueNumber;
use crate::plan::{PLAN_BYTES_MAX, Plan, format_help, parse, part, print};

fn help() -> Plan {
    parse(format_help()).unwrap()
}

#[test]
fn a_part_is_a_plan_with_one_step_and_all_that_is_not_of_one_step_alone() {
    let second = part(&help(), 2, IssueNumber(7)).unwrap();
    expect![[r#"
        ## Summary

        Step 2 of 2 of the plan of #7; its other steps are issues of their own.

        What will be different afterwards, and why, in a few sentences.

        ## Steps

        - [ ] 1. Title of the second step

        ## Files

        - `src/login.rs`
        - `src/session.rs`

        ## Dependencies

        None.

        ## Validation

        ```sh
        cargo test
        ```

        ## Risks

        - What may go wrong, and how it would be noticed.

        ## Open questions

        - What only a person can decide?
          Answer:

        ## Non-goals

        - What is left alone on purpose.
    "#]]
    .assert_eq(&print(&second));
    assert_eq!(part(&help(), 1, IssueNumber(7)).unwrap().files, help().steps[0].files);
    assert_eq!(part(&help(), 0, IssueNumber(7)), None);
    assert_eq!(part(&help(), 3, IssueNumber(7)), None);
}

#[test]
fn a_part_of_a_long_plan_is_no_longer_than_a_plan_may_be() {
    let mut plan = help();
    plan.summary = "word ".repeat(PLAN_BYTES_MAX / 5).trim_end().to_owned();
    let part = part(&plan, 2, IssueNumber(7)).unwrap();
    assert_eq!(parse(&print(&part)), Ok(part));
}
