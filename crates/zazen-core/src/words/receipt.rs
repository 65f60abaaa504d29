//! What `zazen verify` says of a receipt: each link, what is wrong with it, what to do.

use super::{block, line};
use crate::receipt::chain::Bad;
use crate::receipt::{Link, Outcome, Report, Verdict};
use crate::text::one_line;

/// Where a receipt is, for the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptAt {
    /// What gets it, for a shell in a clone of the repository.
    pub fetch: String,
    /// The key that it is signed with.
    pub key: String,
}

/// What the pull request says of its receipt.
pub(super) fn where_it_is(at: &ReceiptAt) -> String {
    format!(
        "Everything above is bound to this commit by a signed receipt. Get it with:\n\n{}\n\
         It is signed with `{}`. `zazen verify` checks it with a key that you got by another way \
         than this one.\n",
        block(&at.fetch),
        line(&at.key)
    )
}

/// What a link says, as a claim.
pub fn link(link: Link) -> &'static str {
    match link {
        Link::Bundle => "the bundle holds its files, and nothing else",
        Link::Envelope => "the receipt can be read",
        Link::Signature => "the receipt is what its key signed",
        Link::Key => "that key is known here",
        Link::Statement => "what was signed is a receipt",
        Link::Head => "the commit is there, with the stated tree",
        Link::Base => "it builds on the stated base",
        Link::Plan => "the plan is the one that was approved",
        Link::Contract => "the contract is the one that was approved with it",
        Link::Issue => "the issue is the one that was read",
        Link::Brief => "what was asked for beside it is the same",
        Link::Policy => "the owner's rules are those that counted",
        Link::Recording(_) => "each line of the recording is as it was",
        Link::Run(_) => "who acted where is as stated",
        Link::Trace(_) => "the trace is as it was, and ended as stated",
        Link::Hosts => "the logs of hosts are as they were, and add up",
        Link::Guards => "what the guards said is as stated",
        Link::Checks => "what the checks printed is as stated, and they passed",
        Link::Baseline => "what the checks printed on the base is as stated",
        Link::Review => "the review is as stated",
        Link::Cost => "the costs of the recordings add up to the stated ones",
    }
}

/// What a person can do about a link that is broken.
pub fn mend_link(link: Link) -> &'static str {
    match link {
        Link::Bundle => "have it exported again: `zazen bundle export TASK`",
        Link::Envelope | Link::Statement => {
            "get the receipt again: from the ref `refs/zazen/receipts`, or a new bundle"
        }
        Link::Signature => "do not trust it; it was changed after it was signed",
        Link::Key => {
            "ask whoever runs that zazen for its `receipts.pub`, by another way than this one, and \
             pass it with `--key FILE`"
        }
        Link::Head | Link::Base => {
            "compare with the pull request: `git log` of its branch; do not merge what differs"
        }
        Link::Recording(_) | Link::Trace(_) | Link::Hosts | Link::Run(_) => {
            "do not trust what is said of this run; look for an unchanged copy of its folder"
        }
        Link::Plan
        | Link::Contract
        | Link::Issue
        | Link::Brief
        | Link::Policy
        | Link::Guards
        | Link::Checks
        | Link::Baseline
        | Link::Review => {
            "do not trust this text; look for an unchanged copy, and read the change without it"
        }
        Link::Cost => "do not trust the stated cost; add up the recordings",
    }
}

/// What is wrong with a line of a recording.
pub fn broken_link(bad: &Bad) -> String {
    match bad {
        Bad::Changed { line } => format!("line {line} is not the one that was recorded"),
        Bad::Moved { line, belongs } => {
            format!("line {line} is the one that was recorded as line {belongs}")
        }
        Bad::Missing { line } => format!("it ends before line {line}"),
        Bad::Added { line } => format!("line {line} was not recorded; it should end before that"),
    }
}

/// Why a part could not be looked at that was taken out when the bundle was made.
pub fn unknown_link(lines: &[u64]) -> String {
    match lines {
        [] => "secrets were taken out of it when the bundle was made".to_owned(),
        [line] => format!("a secret was taken out of line {line} when the bundle was made"),
        lines => {
            let lines: Vec<String> = lines.iter().take(20).map(u64::to_string).collect();
            format!("secrets were taken out of lines {} when the bundle was made", lines.join(", "))
        }
    }
}

/// Why a bundle is not replayed that does not hold.
pub fn not_replayed(report: &Report) -> String {
    let mend = report.first_broken().map_or("", |finding| mend_link(finding.link));
    format!("{} Nothing of it was run; {mend}", checked(report))
}

/// What it all comes to, in a sentence.
pub fn checked(report: &Report) -> String {
    let n = report.findings.len();
    match (report.verdict(), report.first_broken()) {
        (Verdict::Holds, _) => format!("It holds: all {n} links are as stated."),
        (Verdict::Broken, Some(finding)) => {
            let Outcome::Broken { why } = &finding.outcome else { return String::new() };
            format!(
                "It does not hold. The first link that is broken is `{}`: {}.",
                finding.link,
                one_line(why, 400)
            )
        }
        (Verdict::Broken | Verdict::Partial, _) => {
            let unknown = report.findings.iter();
            let unknown =
                unknown.filter(|finding| matches!(finding.outcome, Outcome::Unknown { .. }));
            format!(
                "Not all of it could be checked: {} of {n} links are unknown. What could be \
                 checked holds.",
                unknown.count()
            )
        }
    }
}
