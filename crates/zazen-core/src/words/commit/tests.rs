use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const OURS: &str = "Refs: #12\nZazen-Task: 1\nZazen-Step: 1/2\n";

#[track_caller]
fn check(message: &str, expected: &Expect) {
    expected.assert_eq(&agent_commit(message, OURS).replace('\u{200b}', "¦"));
}

#[test]
fn the_words_of_an_agent_stay() {
    check(
        "Group by month\n\nThe sums were by day: see `sum.rs`.\n\n- one\n- two\n",
        &expect![[r#"
            Group by month

            The sums were by day: see `sum.rs`.

            - one
            - two

            Refs: #12
            Zazen-Task: 1
            Zazen-Step: 1/2
        "#]],
    );
}

#[test]
fn nothing_in_an_agents_message_acts() {
    check(
        "Fixes #1 for @ada [skip ci]\n\nCloses: #2\nclose org/x#3 \u{202e}evil\u{1b}[2J\n\
         Signed-off-by: The Maintainer <root@example.org>\nCo-authored-by: Ada <a@b.c>\n\
         ZAZEN-Task: 99\nskip-checks: true\nReviewed-By : x\n***NO_CI***\n",
        &expect![[r#"
            F¦ixes #1 for @¦ada [¦skip ci]

            c¦lose org/x#3 evil
            *¦*¦*¦NO_CI***

            Refs: #12
            Zazen-Task: 1
            Zazen-Step: 1/2
        "#]],
    );
}

#[test]
fn a_message_that_says_nothing_gets_a_subject() {
    check(
        "\n\nSigned-off-by: x\n",
        &expect![[r#"
            Change

            Refs: #12
            Zazen-Task: 1
            Zazen-Step: 1/2
        "#]],
    );
}

#[test]
fn a_message_of_ours_comes_back_as_it_was() {
    let ours = step_commit(TaskId(1), IssueNumber(12), "Fix #7 for @ada, `Vec<T>`", Some((1, 2)));
    assert_eq!(agent_commit(&ours, OURS), ours);
}

#[test]
fn a_long_message_is_cut() {
    let long = agent_commit(&format!("{}\n\n{}", "s".repeat(500), "b ".repeat(100_000)), OURS);
    assert!(long.len() < 9_000, "{}", long.len());
    assert!(long.ends_with(OURS));
}

proptest! {
    #[test]
    fn twice_is_once(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "@", "a", "fixes", " ", "#1", "\n", "\n\n", "```", "<", ":", "signed-off-by", "[",
            "skip ci", "]", "*", "no_ci", "refs: #1", "é", "\u{200b}", "\t",
        ]),
        0..16,
    )) {
        let once = agent_commit(&pieces.concat(), OURS);
        prop_assert!(once.ends_with(OURS));
        prop_assert!(!once.to_lowercase().contains("\nsigned-off-by:"));
        // What was cut may be cut again, since what is neutral may be longer.
        prop_assume!(once.lines().all(|line| line.len() <= SUBJECT_CHARS_MAX));
        prop_assert_eq!(agent_commit(&once, OURS), once);
    }
}
