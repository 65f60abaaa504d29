//! The review of zazen's own work, as the pull request tells of it.

use std::fmt::Write as _;

use super::review::whole;
use super::{line, n_of, quote};
use crate::review::{Blocks, Progress, Review, Unfounded};
use crate::task::TroubleKind;

/// Whose word there is on the work besides its author's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnReview {
    /// Nobody reviewed it, for this reason.
    Missing(NotReviewed),
    /// An agent did.
    By(Box<Reviewed>),
}

/// Why nobody reviewed the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReviewed {
    /// All agents that may review are the one that wrote it.
    NoSecondAgent,
    /// The owner does not want it.
    NotWanted,
    /// It was to be reviewed, and the reviewer did not bring it to an end.
    Failed(TroubleKind),
}

/// What an agent found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// All that is known of the agent, in words.
    pub by: String,
    /// Whether it is the agent that wrote the work.
    pub is_author: bool,
    /// What it found in what is published.
    pub review: Review,
    pub unfounded: Unfounded,
    /// What it found before the last correction, if there was one.
    pub earlier: Option<Review>,
}

/// The review, in a line.
pub(super) fn own_review(review: &OwnReview) -> String {
    let reviewed = match review {
        OwnReview::Missing(why) => return not_reviewed(*why),
        OwnReview::By(reviewed) => reviewed,
    };
    let Reviewed { by, is_author, review, unfounded: _, earlier } = reviewed.as_ref();
    let n = review.findings.len() as u64;
    let worst = review.findings.iter().map(|finding| finding.severity).min();
    let mut text = match worst {
        None => "nothing found".to_owned(),
        Some(worst) if review.n_blocking(Blocks::High) > 0 => {
            format!("**{} left, at worst {worst}**", n_of(n, "finding"))
        }
        Some(worst) => format!("{} left, at worst {worst}", n_of(n, "finding")),
    };
    if let Some(earlier) = earlier {
        let n_fixed = Progress::new(earlier, review).fixed.len() as u64;
        let _infallible = write!(text, "; {n_fixed} mended");
    }
    let _infallible = write!(text, " (by {}", line(by));
    text.push_str(if *is_author { ", who also wrote it)" } else { ")" });
    text
}

fn not_reviewed(why: NotReviewed) -> String {
    match why {
        NotReviewed::NoSecondAgent => "not reviewed: no second agent is configured".to_owned(),
        NotReviewed::NotWanted => "not reviewed: `policy.review` is \"never\"".to_owned(),
        NotReviewed::Failed(kind) => format!("not reviewed: {}", kind.sentence()),
    }
}

/// The review, as it is. Nothing where there is none.
pub(super) fn own_findings(review: &OwnReview) -> String {
    let OwnReview::By(reviewed) = review else { return String::new() };
    let Reviewed { review, unfounded, earlier, .. } = reviewed.as_ref();
    let mut text = quote(&review.summary);
    for finding in &review.findings {
        let _infallible = write!(text, "\n{}", whole(finding));
    }
    if let Some(earlier) = earlier {
        let fixed = Progress::new(earlier, review).fixed;
        if !fixed.is_empty() {
            text.push_str("\nFound before the last correction, and not again:\n\n");
        }
        for finding in fixed {
            let _infallible = writeln!(text, "- {} {}", finding.severity, line(&finding.title));
        }
    }
    if unfounded.n_dropped > 0 {
        let n = n_of(u64::from(unfounded.n_dropped), "finding");
        let _infallible = write!(text, "\nLeft out: {n} that quoted what is not in the file.\n");
    }
    text
}

#[cfg(test)]
mod tests;
