//! Reviews, as people see them.

use expect_test::expect;

use super::*;
use crate::review::{Place, Severity};

fn at() -> PullHead {
    let head = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334".parse().unwrap();
    PullHead { pull: crate::id::PullNumber(5), head }
}

fn review() -> Review {
    let finding = |severity, line, suggestion: Option<&str>| Finding {
        severity,
        place: Some(Place { path: "src/sum.rs".to_owned(), line }),
        title: "the sum overflows".to_owned(),
        quote: None,
        why: "Long lists. cc @everyone".to_owned(),
        suggestion: suggestion.map(str::to_owned),
    };
    let findings = vec![
        finding(Severity::High, 3, Some("    let sum: u64 = 0;\n")),
        finding(Severity::Low, 90, Some("```\n@alice\n")),
    ];
    Review { summary: "It sums by month.".to_owned(), findings }
}

/// With a sign for what keeps a name from being called.
fn visible(text: &str) -> String {
    text.replace('\u{200b}', "·")
}

#[test]
fn what_is_beside_no_line_is_said_in_the_body() {
    let text = review_body((&at(), None), &review(), &[Aside::Beside, Aside::Below]);
    expect![[r#"
        **Review of #5 at `a1b2c3d4e5f6`:** 2 findings, at worst high. This is an agent's word, and approves nothing.

        > It sums by month.

        Not beside a line, as this pull request does not change it:

        **low** `src/sum.rs:90`: the sum overflows

        > Long lists. cc @·everyone

        It could say:

        ````
        ```
        @alice
        ````

    "#]].assert_eq(&visible(text.as_str()));
}

#[test]
fn an_aside_has_a_suggestion_that_nothing_in_it_can_end() {
    let [first, second] = review().findings.try_into().unwrap();
    expect![[r#"
        **high** the sum overflows

        > Long lists. cc @·everyone

        ```suggestion
            let sum: u64 = 0;
        ```

        **low** the sum overflows

        > Long lists. cc @·everyone

        ````suggestion
        ```
        @alice
        ````
    "#]]
    .assert_eq(&visible(&format!(
        "{}\n{}",
        review_aside(&first).as_str(),
        review_aside(&second).as_str()
    )));
}

#[test]
fn a_suggestion_with_signs_that_nobody_sees_is_left_out() {
    let mut finding = review().findings.remove(0);
    finding.suggestion = Some("let a = \u{202e}1;\n".to_owned());
    let text = review_aside(&finding);
    assert!(!text.as_str().contains("suggestion"), "{}", text.as_str());
}

#[test]
fn a_review_says_that_its_pull_request_has_moved_on() {
    let head = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff".parse().unwrap();
    let nothing = Review { summary: "All is well.".to_owned(), findings: Vec::new() };
    let text = review_body((&at(), Some(&head)), &nothing, &[]);
    expect![[r#"
        **Review of #5 at `a1b2c3d4e5f6`:** 0 findings. This is an agent's word, and approves nothing.

        The pull request has moved on to `00ff00ff00ff` since. What is said here is about `a1b2c3d4e5f6`, and was not looked at again; `/review` reviews what is there now.

        > All is well.

    "#]].assert_eq(&visible(text.as_str()));
}
