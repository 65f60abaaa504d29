//! What people read of a contract: what they say yes to, and who has to.

use super::{Text, block, fold, line};
use crate::task::{ContractRef, State, Task};

/// The plan's comment with the contract that is approved with it.
///
/// Who has to approve it stands above the plan, as nobody unfolds what they do not expect.
#[expect(clippy::needless_pass_by_value, reason = "it is made for this one call")]
#[expect(clippy::format_push_string, reason = "a short text, in no hurry")]
pub fn with_contract(comment: Text, task: &Task, (contract, text): (&ContractRef, &str)) -> Text {
    let mut body = String::new();
    if matches!(task.state, State::AwaitingApproval) {
        for need in &contract.needs {
            let (kind, who) = (line(&need.kind), line(&need.words()));
            body.push_str(&format!(
                "This is work of the kind *{kind}*: {who} has to approve it.\n\n"
            ));
        }
    }
    let title = format!("The contract that is approved with it ({})", contract.hash.short());
    let mut all = body + comment.as_str();
    all.push('\n');
    fold(&mut all, &title, &block(text));
    Text(all)
}

pub(super) fn not_yours(kind: &str, who: &str) -> String {
    format!(
        "Nothing was approved: this is work of the kind *{}*, and {} has to approve it.",
        line(kind),
        line(who)
    )
}
