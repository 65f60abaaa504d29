//! Small answers to a comment.

use super::money::{cost, tokens};
use super::{Text, block, contract, line, quote};
use crate::reply::{Reply, StatusLine};
use crate::text::neutral;

/// A small answer to a comment.
pub fn reply(reply: &Reply) -> Text {
    Text(reply_text(reply))
}

fn reply_text(reply: &Reply) -> String {
    match reply {
        Reply::BadCommand { why } => {
            let why = neutral(why);
            let stop = if why.ends_with(['.', '?']) { "" } else { "." };
            format!("Nothing was done: {why}{stop}")
        }
        Reply::NoPlan => "There is no plan to carry out yet. Write `/plan` to have one written; \
                          when it is here, `/implement` approves it."
            .to_owned(),
        Reply::UnreadablePlan { why } => format!(
            "Nothing was started: the plan was edited, and cannot be read now. Mend it, then \
             write `/implement` again.\n\n{}",
            block(why.trim())
        ),
        Reply::NothingToSplit => "Nothing was split: the plan has one step. `/implement` \
                                  approves it."
            .to_owned(),
        Reply::NoTask { command } => format!(
            "There is nothing here that `/{command}` could act on. `/plan` begins something."
        ),
        Reply::NotYours { kind, who } => contract::not_yours(kind, who),
        Reply::NoPull => "There is no pull request here to review.".to_owned(),
        Reply::SameReview { task, head, is_done: true } => format!(
            "I have reviewed `{}` (task {task}), and nothing was changed since.",
            line(head)
        ),
        Reply::SameReview { task, head, is_done: false } => {
            format!("I am reviewing `{}` already (task {task}).", line(head))
        }
        Reply::Remembered { fact, .. } => {
            format!("I keep this for all work on this repository:\n\n{}", quote(fact).trim_end())
        }
        Reply::NotPossible { command } => {
            format!("Nothing was done: `/{command}` is not possible here.")
        }
        Reply::Stranger => "Nothing was started: commands here are taken from people whom the \
                            owner of this zazen trusts. One of them can read this, and write \
                            the command."
            .to_owned(),
        Reply::WrongTime { command, task, state, can } => {
            format!("`/{command}` does not fit now: task {task} {}.{}", line(state), fits(can))
        }
        Reply::OtherHold { task, held } => format!(
            "Nothing was released: task {task} holds `{}` back. Write `/approve {}` if you have \
             looked at exactly that.",
            line(held),
            line(held)
        ),
        Reply::Status { tasks } if tasks.is_empty() => {
            "Nothing was asked for on this issue yet. Write `/plan` to begin.".to_owned()
        }
        Reply::Status { tasks } => tasks.iter().map(status_line).collect::<Vec<_>>().join("\n"),
        Reply::Several { replies } => {
            replies.iter().map(reply_text).collect::<Vec<_>>().join("\n\n")
        }
    }
}

fn status_line(status: &StatusLine) -> String {
    format!(
        "- Task {} {} ({} tokens, cost {}).{}",
        status.task,
        line(&status.state),
        tokens(status.usage.tokens.total()),
        cost(status.usage.cost),
        fits(&status.can)
    )
}

/// A sentence that names the commands that fit, if there are any.
fn fits(can: &[String]) -> String {
    let names: Vec<String> = can.iter().map(|name| format!("`/{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => format!(" You can write {only}."),
        [first @ .., last] => format!(" You can write {} or {last}.", first.join(", ")),
    }
}
