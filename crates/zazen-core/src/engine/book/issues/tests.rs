use super::*;
use crate::id::CommentId;

const PULL: IssueNumber = IssueNumber(7);

#[test]
fn a_pull_request_on_which_nothing_was_said_leads_to_its_task() {
    let mut issues = Issues::default();
    issues.note_pull(PULL, TaskId(1));
    assert_eq!(issues.get(PULL).task, Some(TaskId(1)));
    assert_eq!(issues.conversations.len(), 0);
}

#[test]
fn what_is_said_on_a_pull_request_does_not_lose_its_task() {
    let mut issues = Issues::default();
    issues.note_pull(PULL, TaskId(1));
    issues.get_mut(PULL).seen.insert(CommentId::comment(3));
    assert!(issues.has_seen(PULL, CommentId::comment(3)));
    issues.get_mut(PULL).open(Kind::Question, TaskId(2));
    let state = issues.get(PULL);
    assert_eq!((state.task, &*state.others), (Some(TaskId(1)), &[TaskId(2)][..]));
    assert_eq!(issues.pulls.len(), 0);
}

#[test]
fn a_task_that_opens_a_pull_request_takes_over_what_was_said_there_before() {
    let mut issues = Issues::default();
    issues.get_mut(PULL).refused = true;
    issues.note_pull(PULL, TaskId(1));
    let state = issues.get(PULL);
    assert_eq!((state.task, state.refused), (Some(TaskId(1)), true));
    assert_eq!(issues.pulls.len(), 0);
}
