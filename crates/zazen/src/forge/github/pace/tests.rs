use std::time::Instant;

use zazen_core::engine::IssueRef;
use zazen_core::id::IssueNumber;

use super::{Act, HOUR, N_COMMENTS_MAX, Pace};

fn issue(n: u64) -> IssueRef {
    IssueRef { repo: "ada/engine".parse().unwrap(), issue: IssueNumber(n) }
}

#[test]
fn one_comment_more_than_the_limit_waits_until_the_first_is_an_hour_old() {
    let (pace, start) = (Pace::default(), Instant::now());
    for _ in 0..N_COMMENTS_MAX {
        assert_eq!(pace.take(&issue(1), Act::Comment, start), Ok(()));
    }
    assert_eq!(pace.take(&issue(1), Act::Comment, start + HOUR / 2), Err(HOUR / 2));
    assert_eq!(pace.take(&issue(1), Act::Comment, start + HOUR), Ok(()));
}

#[test]
fn issues_and_edits_are_counted_apart() {
    let (pace, start) = (Pace::default(), Instant::now());
    for _ in 0..N_COMMENTS_MAX {
        assert_eq!(pace.take(&issue(1), Act::Comment, start), Ok(()));
    }
    assert_eq!(pace.take(&issue(2), Act::Comment, start), Ok(()));
    assert_eq!(pace.take(&issue(1), Act::Edit, start), Ok(()));
}
