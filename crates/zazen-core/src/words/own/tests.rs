//! The review of own work, as people see it.

use super::*;
use crate::review;

fn found(findings: &[&str]) -> Review {
    let form: Vec<String> = findings.iter().map(|title| format!("### {title}\n")).collect();
    let form = form.concat();
    review::parse(&format!("## Summary\nIt sums.\n## Findings\nNone\n{form}")).unwrap()
}

fn by(review: Review, earlier: Option<Review>) -> Reviewed {
    let by = "second: codex 0.169.0 with gpt-5.5".to_owned();
    Reviewed { by, is_author: false, review, unfounded: Unfounded::default(), earlier }
}

#[test]
fn a_review_is_told_in_a_line() {
    let line = |reviewed: Reviewed| own_review(&OwnReview::By(Box::new(reviewed)));
    let who = "second: codex 0.169.0 with gpt-5.5";
    let bad = found(&["high: `a.rs:1` it overflows", "low: a name"]);
    assert_eq!(line(by(found(&[]), None)), format!("nothing found (by {who})"));
    assert_eq!(
        line(by(bad.clone(), None)),
        format!("**2 findings left, at worst high** (by {who})")
    );
    assert_eq!(
        line(by(found(&["low: a name"]), Some(bad.clone()))),
        format!("1 finding left, at worst low; 1 mended (by {who})")
    );
    let own = Reviewed { is_author: true, ..by(found(&[]), Some(bad)) };
    assert_eq!(line(own), format!("nothing found; 2 mended (by {who}, who also wrote it)"));
}

#[test]
fn that_there_is_no_review_is_said_with_its_reason() {
    let line = |why| own_review(&OwnReview::Missing(why));
    assert_eq!(line(NotReviewed::NoSecondAgent), "not reviewed: no second agent is configured");
    assert_eq!(line(NotReviewed::NotWanted), "not reviewed: `policy.review` is \"never\"");
    let failed = NotReviewed::Failed(TroubleKind::UnreadableReview);
    assert_eq!(line(failed), "not reviewed: the review could not be read");
}

#[test]
fn what_was_mended_and_what_was_left_out_is_listed_below_the_findings() {
    let earlier = found(&["high: `a.rs:1` it overflows", "low: a name"]);
    let mut reviewed = by(found(&["low: a name"]), Some(earlier));
    reviewed.unfounded.n_dropped = 2;
    let text = own_findings(&OwnReview::By(Box::new(reviewed)));
    expect_test::expect![[r#"
        > It sums.

        **low** a name

        Found before the last correction, and not again:

        - high it overflows

        Left out: 2 findings that quoted what is not in the file.
    "#]]
    .assert_eq(&text);
}
