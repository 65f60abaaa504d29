//! How an agent was found to get nowhere, for people and for the next agent.

use super::n_of;
use crate::stuck::{Verdict, Why};

/// What shows that an agent got nowhere, in a sentence or two.
pub fn stuck(verdict: &Verdict) -> String {
    let Verdict { why, times, what } = verdict;
    let times = n_of((*times).into(), "time");
    match why {
        Why::SameCall => format!("The same call came back with the same result {times}: {what}"),
        Why::SameFailure => {
            format!("The same tool failed in the same way {times}, with no success between: {what}")
        }
        Why::NothingNew => {
            let n = n_of(verdict.times.into(), "result");
            format!("{n} in a row brought nothing that was not there before; the last: {what}")
        }
        Why::BackAndForth => {
            format!("A file was changed to and fro between the same two texts {times}: {what}")
        }
        Why::SameWords => {
            format!("The same words were said {times}, with nothing done between: {what}")
        }
        Why::EmptyTurns => {
            let n = n_of(verdict.times.into(), "turn");
            format!("{n} of the model in a row held neither words nor calls.")
        }
        Why::OnlyRetries => {
            format!(
                "The harness called the model's service again {times}, and did nothing else. The \
                 last answer: {what}"
            )
        }
    }
}
