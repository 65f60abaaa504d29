use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(comment: &str, expected: &Expect) {
    let parsed = parse(comment, &["zazen"]);
    let mut lines: Vec<String> =
        parsed.commands.iter().map(|command| format!("{command:?}")).collect();
    lines.extend(parsed.bad.map(|bad| format!("bad: {bad}")));
    expected.assert_eq(&lines.join("\n"));
}

#[track_caller]
fn check_none(comment: &str) {
    assert_eq!(parse(comment, &["zazen"]), Parsed::default(), "{comment}");
}

#[test]
fn a_command_has_the_text_up_to_the_next_one() {
    check(
        "Thanks, looks good.\n\n/ask why sessions?\nAnd which?\n\n```\n/plan\n```\n\n\
         /plan  Use tokens. \n\n",
        &expect![[r#"
            Ask { question: "why sessions?\nAnd which?\n\n```\n/plan\n```" }
            Plan { remarks: "Use tokens." }"#]],
    );
    check("/implement", &expect![[r#"Implement { answers: "" }"#]]);
    check("  /implement\r\n1. yes\r\n", &expect![[r#"Implement { answers: "1. yes" }"#]]);
    check("/stop\tnot needed", &expect![[r#"Stop { reason: "not needed" }"#]]);
    check(
        "/retry\n/status please",
        &expect![[r#"
        Retry { remarks: "" }
        Status"#]],
    );
    check("/ask\nwhy?\n-- \nAda\n/plan", &expect![[r#"Ask { question: "why?" }"#]]);
}

#[test]
fn a_command_that_is_not_said_is_none() {
    check_none("please /plan this");
    check_none("```\n/plan\n```");
    check_none("`/plan`");
    check_none("    /plan");
    check_none("\t/plan");
    check_none("> /plan");
    check_none("> text\n/plan");
    check_none("<!--\n/plan\n-->");
    check_none("<details><summary>x</summary>\n\n/plan\n\n</details>");
    check_none("[/plan](https://a.example)");
    check_none("[\n/plan\n](https://a.example)");
    check_none("-- \n/plan");
    check_none("On Monday Ada wrote:\n> Hi,\n> /implement");
    check_none("- /plan");
    check_none("# /plan");
    check_none("\\/plan");
    check_none("**/plan**");
}

#[test]
fn a_path_or_another_word_is_no_command() {
    check_none("/usr/bin/plan is missing");
    check_none("/plan/x");
    check_none("/etc holds it\n/merge\n/deploy");
    check_none("/plan.md is wrong");
    check_none("/api returns 500");
    check_none("/");
    check_none("// plan");
    check_none("/123");
    check_none("/ plan");
}

#[test]
fn a_mistyped_command_is_answered_with_the_nearest() {
    check("/plna", &expect!["bad: `/plna` is not a command; did you mean `/plan`?"]);
    check(
        "/implemnt it",
        &expect!["bad: `/implemnt` is not a command; did you mean `/implement`?"],
    );
    check("/Plan", &expect!["bad: `/Plan` is not a command; did you mean `/plan`?"]);
    check("/stop: no", &expect!["bad: `/stop:` is not a command; did you mean `/stop`?"]);
    check("/statsu", &expect!["bad: `/statsu` is not a command; did you mean `/status`?"]);
    check("/plan\n/stpo", &expect!["bad: `/stpo` is not a command; did you mean `/stop`?"]);
}

#[test]
fn a_question_has_to_be_asked() {
    check("/ask", &expect!["bad: `/ask` needs a question after it"]);
    check("/ask\n\n/status", &expect!["bad: `/ask` needs a question after it"]);
}

#[test]
fn two_commands_that_change_the_task_do_nothing() {
    check("/implement\n/stop", &expect!["bad: `/implement` and `/stop` cannot be in one comment"]);
    check("/plan a\n/plan b", &expect!["bad: `/plan` and `/plan` cannot be in one comment"]);
    check("/ask\n/plan\n/retry", &expect!["bad: `/plan` and `/retry` cannot be in one comment"]);
    check(
        "/ask why?\n/status\n/plan",
        &expect![[r#"
        Ask { question: "why?" }
        Status
        Plan { remarks: "" }"#]],
    );
}

#[test]
fn a_command_in_other_letters_does_nothing_and_is_flagged() {
    let flagged = [
        "/pl\u{430}n",
        "/st\u{3bf}p",
        "/pl\u{200b}an",
        "\u{202e}/plan",
        "/plan\u{200d}",
        "\u{feff}/plan",
        "\u{ff0f}plan",
        "\u{2215}plan",
        "/\u{ff50}\u{ff4c}\u{ff41}\u{ff4e}",
        "\u{a0}/plan",
        "/plan\u{a0}now",
        "/plan\u{3000}",
        "/PL\u{410}N",
    ];
    for comment in flagged {
        let parsed = parse(comment, &["zazen"]);
        assert!(parsed.commands.is_empty(), "{comment:?}");
        assert!(matches!(parsed.bad, Some(Bad::Lookalike { .. })), "{comment:?}: {parsed:?}");
    }
    check_none("/\u{43f}\u{43b}\u{430}\u{43d}");
    check_none("\u{107}plan");
    check_none("/\u{e4}hnlich");
}

#[test]
fn two_letters_swapped_are_one_error() {
    assert_eq!(n_errors("plna", "plan"), 1);
    assert_eq!(n_errors("", "ask"), 3);
    assert_eq!(n_errors("stop", "status"), 4);
}

proptest! {
    #[test]
    fn any_comment_can_be_read(comment in any::<String>()) {
        let parsed = parse(&comment, &["zazen"]);
        prop_assert!(parsed.commands.is_empty() || parsed.bad.is_none());
    }

    #[test]
    fn what_is_printed_is_read_back(
        name in prop::sample::select(Name::ALL.to_vec()),
        text in "[a-zA-Z0-9é.,?][a-zA-Z0-9é.,? \n`>]{0,60}[a-z]",
    ) {
        let command = name.with(&text);
        let parsed = parse(&command.to_string(), &["zazen"]);
        prop_assert_eq!(parsed.commands, vec![command]);
    }

    #[test]
    fn nothing_in_a_quote_or_a_fence_is_a_command(text in "(/plan|/stop|[ a\n`>~-]|\r){0,40}") {
        let quote: String = text.split(['\n', '\r']).flat_map(|line| ["> ", line, "\n"]).collect();
        prop_assert_eq!(parse(&quote, &["zazen"]), Parsed::default());
        prop_assert_eq!(parse(&crate::text::fence(&text, "md"), &["zazen"]), Parsed::default());
    }

    #[test]
    fn hostile_pieces_never_make_two_acts(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "/plan", "/stop", "/ask", "/implement", "\n", " ", "`", "```", ">", "<!--", "-->", "é",
            "\u{a0}", "\r", "<details>", "-- ", "[", "](", "x",
        ]),
        0..40,
    )) {
        let parsed = parse(&pieces.concat(), &["zazen"]);
        let n_acts = parsed.commands.iter().filter(|c| c.name().changes_task()).count();
        prop_assert!(n_acts <= 1);
    }
}

#[test]
fn a_command_can_be_said_to_the_bot_by_its_name() {
    let expected = expect![[r#"
        Plan { remarks: "make it small" }
        Ask { question: "why?" }"#]];
    check("Hello.\n\n@zazen plan make it small\n\n  @Zazen: /ask why?", &expected);
    for comment in [
        "> @zazen plan",
        "`@zazen plan`",
        "I asked @zazen plan",
        "- @zazen plan",
        "@zazens plan",
        "@ada plan",
        "@ plan",
        "@zazen",
        "@zazen does it well",
        "@zazen as I said",
        "<!-- @zazen plan -->",
    ] {
        check_none(comment);
    }
    check(
        "@zazen implemnt",
        &expect!["bad: `/implemnt` is not a command; did you mean `/implement`?"],
    );
    check("@zazen plan\n/stop", &expect!["bad: `/plan` and `/stop` cannot be in one comment"]);
}

#[test]
fn an_app_is_spoken_to_without_the_end_of_its_name() {
    let parsed = parse("@zazen-ada plan", &["zazen-ada[bot]"]);
    assert_eq!(parsed.commands, [Command::Plan { remarks: String::new() }]);
    assert_eq!(parse("@zazen plan", &["zazen-ada[bot]"]), Parsed::default());
}
