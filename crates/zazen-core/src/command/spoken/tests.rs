use proptest::prelude::*;

/// Checks that of all lines those with `yes` are said, and those with `no` are not.
#[track_caller]
fn check(comment: &str) {
    let said = super::lines(comment).lines;
    let said: Vec<&str> = said.iter().map(|line| &comment[line.start..line.end]).collect();
    for line in comment.split(['\n', '\r']) {
        if line.contains("yes") || line.contains("no") {
            assert_eq!(said.contains(&line), line.contains("yes"), "`{line}` in:\n{comment}");
        }
    }
}

#[test]
fn plain_lines_are_said() {
    check("yes 1\n  yes 2\n   yes 3\n\nyes 4\r\nyes 5\ryes 6");
    check("# no heading\nyes\n---\nyes 2");
}

#[test]
fn fenced_code_is_not_said() {
    check("```\nno\n```\nyes");
    check("~~~~ sh\nno 1\n~~~\nno 2\n```\nno 3\n~~~~\nyes");
    check("````\nno 1\n```\nno 2\n`````\nyes");
    check("```\nno 1\n```  x\nno 2\n    ```\nno 3\n ```\t\nyes");
    check("yes 1\n```\nno, never closed\n\nno");
    check("``` a`b\nyes: a backtick in the info makes it inline code");
    check("- ```\n  no\n  ```\n\nyes");
    check("- a\n\n  ```\n  no\n  ```\nyes");
    check("foo\r```\nno\n```\ryes");
}

#[test]
fn a_fence_that_ends_with_its_item_ends_all_saying() {
    check("- ```\n  no 1\nno 2\n```\nno 3\n```\nno 4");
}

#[test]
fn indented_code_is_not_said() {
    check("yes 1\n\n    no 1\n\tno 2\n  \tno 3\n\nyes 2");
}

#[test]
fn quotes_are_not_said() {
    check("> no 1\nno 2, still quoted\n\nyes");
    check("  > > no 1\n- > no 2\nno 3\n\nyes");
    check("> no 1\n```\nno 2\n```\nyes");
    check("On Monday Ada wrote:\n> no 1\n> no 2\n\nyes");
}

#[test]
fn code_that_spans_lines_is_not_said() {
    check("use `a\nno\nb` and\nyes");
    check("``a ` b\nno\n`` c\nyes");
    check("`a` `b`\nyes\n`c`");
    check("\\`a `b\nno\nc`");
    check("a ` b\nyes\n\n`c");
    check("# `\n`a\nno\n`");
    check("- `\n- `a\nno\n`\n\nyes");
}

#[test]
fn html_is_not_said() {
    check("<!-- no 1\n\nno 2\n--> no 3\nyes");
    check("<!-- a -->\nyes");
    check("<!-- a --> <!-- b\n\nno\n\n-->\nyes");
    check("<!-->\nyes");
    check("a <!-- b\nno\n--> c\nyes");
    check("a `<!--` b\nyes\n-->");
    check("<div>\nno 1\n</div>\nno 2\n\nyes");
    check("<div> <!--\n\nno\n\n-->\nno, still the block\n\nyes");
    check("<pre>\nno 1\n\nno 2\n</pre>\nyes");
    check("<prefix>\nno\n\nyes");
    check("<SCRIPT>\n\nno\n\n</script>\nyes");
    check("<?php\n\nno\n?>\nyes");
    check("a <a href=\"\nno\n\">b</a>\nyes");
    check("a < b\nyes\nc > d");
    check("<https://a.example>\nyes");
}

#[test]
fn folded_parts_are_not_said() {
    check("<details>\n<summary>no 1</summary>\n\nno 2\n\n</details>\n\nyes");
    check("<details>\n\n<details>\n\n</details>\n\nno\n\n</details>\n\nyes");
    check("<DETAILS open>\n\nno 1\n\n<!-- </details> -->\n\nno 2\n\n`</details>`\n\nno 3");
    check(
        "text <details>\nno 1\n\nno 2 <!-- </details> -->\n\nno 3\n</details>\n\
         no, the same block\n\nyes",
    );
    check("the `<details>` element and `Option<Code>`\n\nyes");
    check("an Option<Code> here\n\nyes");
    check("<blockquote>\n\nno\n\n</blockquote>\n\nyes");
}

#[test]
fn link_text_is_not_said() {
    check("[a\nno 1\nb](x) and [c](\nno 2\n)\nyes");
    check("[a]:\nno 1\nno 2\n\nyes");
    check("[^1]: a\nno\n\nyes");
    check("a [ b\nyes\n\n] c");
    check("a \\[ b\nyes\n] c");
}

#[test]
fn signatures_and_mails_are_not_said() {
    check("yes\n-- \nno");
    check("yes\n-----Original Message-----\nno");
    check("```\n-- \n```\nyes");
}

#[test]
fn a_bomb_takes_no_longer_than_its_length() {
    let pieces = [
        ">",
        "> ",
        "*",
        "* ",
        "[",
        "[]",
        "]:",
        "[a]:",
        "](",
        "`",
        "`a",
        "``a`",
        "<",
        "<a",
        "<a>",
        "<!--",
        "-->",
        "- ",
        "1. ",
        "\\",
        "\\`",
        "~~~\n",
        "```\n\n",
        "<details>\n",
        "|a",
        "\r",
        "a\n[",
        "<details>",
    ];
    for piece in pieces {
        let n_lines = super::lines(&piece.repeat(300_000 / piece.len())).lines.len();
        assert!(n_lines <= 300_000);
    }
}

proptest! {
    #[test]
    fn lines_are_within_the_comment(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "a", "é", "`", "``", "```", "~~~", "\n", "\n\n", "\r\n", "\r", " ", "    ", "\t", ">",
            "- ", "1. ", "<", "<!--", "-->", "<details>", "</details>", "<pre>", "[", "]", "](",
            ")", "]:", "\\", "#", "-- \n", "/plan",
        ]),
        0..40,
    )) {
        let comment = pieces.concat();
        let said = super::lines(&comment);
        prop_assert!(said.end <= comment.len());
        for pair in said.lines.windows(2) {
            prop_assert!(pair[0].end < pair[1].start);
        }
        for line in said.lines {
            prop_assert!(!comment[line.start..line.end].contains(['\n', '\r']));
        }
    }
}
