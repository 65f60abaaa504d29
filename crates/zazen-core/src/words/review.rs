//! Reviews of pull requests, as people see them.
//!
//! Where the forge has a place beside the lines, each finding that stands at one of the
//! changed lines is an aside there, and the rest is the review's own text. Elsewhere all
//! of it is one comment. A review never approves anything.

use std::fmt::Write as _;

use super::{Text, line, n_of, person, quote};
use crate::id::CommitId;
use crate::review::{Finding, Review};
use crate::task::PullHead;
use crate::text::{fence, neutral, plain};

/// Where a finding is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// Beside its line.
    Beside,
    /// In the review's text: the pull request does not change that line, or there is none.
    Below,
}

/// A review of a pull request, as one comment: where the forge has no place beside the lines.
pub fn review_comment(at: &PullHead, review: &Review) -> Text {
    let mut text = headline(at, review);
    let _infallible = write!(text, "\n{}\n", quote(&review.summary));
    for finding in &review.findings {
        text.push_str(&whole(finding));
        text.push('\n');
    }
    Text(text)
}

/// What a review says besides its asides. `moved_to` is where the pull request is by now, if
/// that is not what was read.
pub fn review_body(
    (at, moved_to): (&PullHead, Option<&CommitId>),
    review: &Review,
    places: &[Aside],
) -> Text {
    let mut text = headline(at, review);
    if let Some(head) = moved_to {
        let _infallible = write!(
            text,
            "\nThe pull request has moved on to `{}` since. What is said here is about `{}`, and \
             was not looked at again; `/review` reviews what is there now.\n",
            head.short(),
            at.head.short()
        );
    }
    let _infallible = write!(text, "\n{}\n", quote(&review.summary));
    let below = review.findings.iter().zip(places).filter(|(_, place)| **place == Aside::Below);
    let below: Vec<&Finding> = below.map(|(finding, _)| finding).collect();
    if !below.is_empty() && below.len() < review.findings.len() {
        text.push_str("Not beside a line, as this pull request does not change it:\n\n");
    }
    for finding in below {
        text.push_str(&whole(finding));
        text.push('\n');
    }
    Text(text)
}

/// One finding beside its line.
pub fn review_aside(finding: &Finding) -> Text {
    let Finding { severity, title, why, suggestion, place: _, quote: _ } = finding;
    let mut text = format!("**{severity}** {}\n", line(title));
    if !why.is_empty() {
        let _infallible = write!(text, "\n{}", quote(why));
    }
    // A person can take it over with one click: nothing may be in it that is not seen.
    if let Some(suggestion) = suggestion.as_ref().filter(|text| plain(text) == **text) {
        let _infallible = write!(text, "\n{}", fence(suggestion, "suggestion"));
    }
    Text(text)
}

/// What was found at which commit. The forge's own word for it is a comment.
fn headline(at: &PullHead, review: &Review) -> String {
    let n = n_of(review.findings.len() as u64, "finding");
    let worst = review.findings.iter().map(|finding| finding.severity).min();
    let found = match worst {
        Some(worst) => format!("{n}, at worst {worst}"),
        None => n,
    };
    format!(
        "**Review of #{} at `{}`:** {found}. This is an agent's word, and approves nothing.\n",
        at.pull,
        at.head.short()
    )
}

/// One finding with its place. Nobody takes over with a click what stands at no line.
pub(super) fn whole(finding: &Finding) -> String {
    let Finding { severity, place, title, quote: _, why, suggestion } = finding;
    let place = place.as_ref().map_or(String::new(), |place| {
        format!(" `{}`:", line(&place.to_string()).replace('`', "'"))
    });
    let mut text = format!("**{severity}**{place} {}\n", line(title));
    if !why.is_empty() {
        let _infallible = write!(text, "\n{}", quote(why));
    }
    if let Some(suggestion) = suggestion {
        let _infallible = write!(text, "\nIt could say:\n\n{}", neutral(&fence(suggestion, "")));
    }
    text
}

/// Who could not be asked for a review.
pub fn not_asked(logins: &[String]) -> Text {
    let names: Vec<String> = logins.iter().map(|login| person(login)).collect();
    Text(format!(
        "I could not ask {} for a review: only people with access to this repository can be \
         asked, and never whoever opened the pull request.",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests;
