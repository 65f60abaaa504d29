use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const PAGE: &str = "---
# who and what
title:   \"Login \\\"fails\\\"\"   # said Ada
owner: 'it''s Ada'
state : planning
tags:
  - web
  # a note
  - login

labels: [ bug,\"a, b\" , 'c']   # three
empty:
---

# Notes

By hand.
";

fn page(text: &str) -> Page {
    Page::parse(text).unwrap()
}

/// Shows which lines a change takes away and adds.
#[track_caller]
fn check_change(text: &str, change: impl FnOnce(&mut Page), expected: &Expect) {
    let mut page = page(text);
    change(&mut page);
    let after = page.print();
    let mut old: Vec<&str> = text.split_inclusive('\n').collect();
    let mut new: Vec<&str> = after.split_inclusive('\n').collect();
    while !old.is_empty() && old.first() == new.first() {
        old.remove(0);
        new.remove(0);
    }
    while !old.is_empty() && old.last() == new.last() {
        old.pop();
        new.pop();
    }
    let lines = |sign: &str, lines: Vec<&str>| -> String {
        lines
            .iter()
            .flat_map(|line| [sign.to_owned(), format!("{line:?}"), "\n".to_owned()])
            .collect()
    };
    expected.assert_eq(&(lines("-", old) + &lines("+", new)));
}

#[track_caller]
fn check_error(text: &str, expected: &Expect) {
    expected.assert_eq(&Page::parse(text).unwrap_err().to_string());
}

#[test]
fn values_are_read_without_their_quotes() {
    let page = page(PAGE);
    assert_eq!(page.get("title").unwrap(), "Login \"fails\"");
    assert_eq!(page.get("owner").unwrap(), "it's Ada");
    assert_eq!(page.get("state").unwrap(), "planning");
    assert_eq!(page.get("empty").unwrap(), "");
    assert_eq!(page.get("labels").unwrap(), "[ bug,\"a, b\" , 'c']");
    assert_eq!(page.get("nothing"), None);
    assert_eq!(page.list("labels").unwrap(), ["bug", "a, b", "c"]);
    assert_eq!(page.list("tags").unwrap(), ["web", "login"]);
    assert_eq!(page.list("state").unwrap(), ["planning"]);
    assert!(page.list("empty").unwrap().is_empty());
    let keys: Vec<&str> = page.keys().collect();
    assert_eq!(keys, ["title", "owner", "state", "tags", "labels", "empty"]);
    assert_eq!(page.body(), "\n# Notes\n\nBy hand.\n");
}

#[test]
fn a_changed_value_changes_nothing_else() {
    check_change(
        PAGE,
        |page| page.set("title", "New"),
        &expect![[r#"
        -"title:   \"Login \\\"fails\\\"\"   # said Ada\n"
        +"title:   New   # said Ada\n"
    "#]],
    );
    check_change(
        PAGE,
        |page| page.set("state", "a: b"),
        &expect![[r#"
        -"state : planning\n"
        +"state : \"a: b\"\n"
    "#]],
    );
    check_change(
        PAGE,
        |page| page.set("empty", "full"),
        &expect![[r#"
        -"empty:\n"
        +"empty: full\n"
    "#]],
    );
    check_change(
        PAGE,
        |page| page.set_list("labels", &["x", "y, z", ""]),
        &expect![[r#"
        -"labels: [ bug,\"a, b\" , 'c']   # three\n"
        +"labels: [x, \"y, z\", \"\"]   # three\n"
    "#]],
    );
    check_change(
        PAGE,
        |page| page.set("added", "1"),
        &expect![[r#"
        +"added: 1\n"
    "#]],
    );
    // The old value stood below the key; the comment in it stays.
    check_change(
        PAGE,
        |page| page.set("tags", "none"),
        &expect![[r#"
        -"tags:\n"
        -"  - web\n"
        -"  # a note\n"
        -"  - login\n"
        +"tags: none\n"
        +"  # a note\n"
    "#]],
    );
}

#[test]
fn a_page_keeps_its_line_endings() {
    let text = "\u{feff}--- \r\na: 1\r\n---\r\nbody\n";
    check_change(
        text,
        |page| page.set("b", "two\nlines"),
        &expect![[r#"
        +"b: \"two\\nlines\"\r\n"
    "#]],
    );
    check_change(
        text,
        |page| page.set_region("log", "x\ny"),
        &expect![[r#"
            +"\r\n"
            +"<!-- zazen:log sum=78b04ae0 -->\r\n"
            +"x\r\n"
            +"y\r\n"
            +"<!-- /zazen:log -->\r\n"
        "#]],
    );
    check_change(
        "one\r\ntwo",
        |page| page.set("a", "1"),
        &expect![[r#"
        +"---\r\n"
        +"a: 1\r\n"
        +"---\r\n"
    "#]],
    );
    check_change(
        "---\n---",
        |page| page.set_region("r", ""),
        &expect![[r#"
        -"---"
        +"---\n"
        +"<!-- zazen:r sum=af1349b9 -->\n"
        +"<!-- /zazen:r -->\n"
    "#]],
    );
}

#[test]
fn front_matter_that_cannot_be_read_is_refused() {
    check_error(
        "---\na: 1\n",
        &expect!["line 1: the front matter that begins here has no end; add a line `---`"],
    );
    check_error("---\na: 1\nb\n---\n", &expect!["line 3: this is not a line like `key: value`"]);
    check_error("---\n  a: 1\n---\n", &expect!["line 2: this is not a line like `key: value`"]);
    check_error("---\na:1\n---\n", &expect!["line 2: write a space after `a:`"]);
    check_error(
        "---\na: 1\na: 2\n---\n",
        &expect!["line 3: the key `a` is there a second time; keep one of the two"],
    );
    check_error("---\na: \"1\n---\n", &expect!["line 2: the quote is not closed"]);
    check_error("---\na: [1, 2\n---\n", &expect!["line 2: the list is not closed; add a `]`"]);
    check_error(
        "---\na: \"1\" 2\n---\n",
        &expect!["line 2: there is something after the value; put all of it in quotes"],
    );
}

#[test]
fn text_without_front_matter_is_a_page() {
    for text in ["", "text", "----\n", " ---\na\n---\n", "\u{feff}text", "a\n---\nb: 1\n---\n"] {
        assert_eq!(page(text).print(), text);
        assert_eq!(page(text).get("b"), None);
    }
}

#[test]
fn nothing_is_expanded() {
    let bomb = page("---\na: &a [x, x]\nb: *a\nc: |\n  text\n---\n");
    assert_eq!(bomb.get("b").unwrap(), "*a");
    assert_eq!(bomb.get("c").unwrap(), "|");
}

#[test]
fn a_region_is_written_in_its_place() {
    let mut page = page("# T\n\nabove\n");
    page.set_region("status", "one");
    page.set_region("log", "first\n\nsecond");
    let after = page.print() + "below\n";
    expect![[r#"
        # T

        above

        <!-- zazen:status sum=d33fb48a -->
        one
        <!-- /zazen:status -->

        <!-- zazen:log sum=2684f522 -->
        first

        second
        <!-- /zazen:log -->
        below
    "#]]
    .assert_eq(&after);
    check_change(
        &after,
        |page| page.set_region("status", "two"),
        &expect![[r#"
            -"<!-- zazen:status sum=d33fb48a -->\n"
            -"one\n"
            +"<!-- zazen:status sum=dc770fff -->\n"
            +"two\n"
        "#]],
    );
}

#[test]
fn a_region_that_a_person_changed_is_not_intact() {
    let mut page = page("");
    page.set_region("log", "one\ntwo");
    assert_eq!(page.region("log").unwrap(), Region { text: "one\ntwo", intact: true });
    assert_eq!(page.region("other"), None);
    let edited = self::page(&page.print().replace("two", "2"));
    assert_eq!(edited.region("log").unwrap(), Region { text: "one\n2", intact: false });
    let crlf = self::page(&page.print().replace('\n', "\r\n"));
    assert!(crlf.region("log").unwrap().intact);
}

#[test]
fn a_marker_without_its_partner_takes_nothing_along() {
    let mut page = page("<!-- zazen:log sum=00000000 -->\nby hand\n");
    assert_eq!(page.region("log"), None);
    page.set_region("log", "a");
    page.set_region("log", "b");
    expect![[r#"
        <!-- zazen:log sum=00000000 -->
        by hand

        <!-- zazen:log sum=10e5cf3d -->
        b
        <!-- /zazen:log -->
    "#]]
    .assert_eq(&page.print());
}

#[test]
fn a_marker_in_the_text_of_a_region_is_made_harmless() {
    let mut page = page("");
    page.set_region("log", "x\n<!-- /zazen:log -->\n<!--\tzazen:log sum=0 -->\n<!-- fine -->");
    let region = page.region("log").unwrap();
    assert!(region.intact);
    expect![[r#"
        x
        &lt;!-- /zazen:log -->
        &lt;!--	zazen:log sum=0 -->
        <!-- fine -->"#]]
    .assert_eq(region.text);
}

#[test]
fn a_bomb_takes_no_longer_than_its_length() {
    for piece in
        ["a: [", "[", "<!--", "<!-- zazen:", "\"", "a\n", "- a\n", "# a\n", "---\n", "\\", " "]
    {
        let bomb = piece.repeat(300_000 / piece.len());
        let mut page = page("---\nb: 1\n---\n");
        page.set("a", &bomb);
        page.set_region("log", &bomb);
        assert_eq!(Page::parse(&page.print()).unwrap(), page);
        assert!(Page::parse(&format!("---\na: {bomb}\n")).is_err() || piece == "---\n");
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "---",
        "\n",
        "\r\n",
        "\r",
        "key",
        "a",
        ":",
        ": ",
        " ",
        "\t",
        "#",
        " #",
        "\"",
        "'",
        "\\",
        "[",
        "]",
        ",",
        "- ",
        "é",
        "\u{feff}",
        "<!-- zazen:log sum=00000000 -->",
        "<!-- /zazen:log -->",
        "\\u00e9",
        "<!--",
        "\u{2028}",
    ]);
    prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_read_is_printed(text in prop_oneof![any::<String>(), hostile_text()]) {
        if let Ok(page) = Page::parse(&text) {
            prop_assert_eq!(page.print(), text);
        }
    }

    #[test]
    fn front_matter_of_any_kind_is_printed_as_it_was(text in hostile_text()) {
        let text = format!("---\na: 1\n{text}\n---\nbody\n");
        if let Ok(page) = Page::parse(&text) {
            prop_assert_eq!(page.print(), text);
        }
    }

    #[test]
    fn what_is_set_is_got(
        value in prop_oneof![any::<String>(), hostile_text()],
        values in prop::collection::vec(prop_oneof![any::<String>(), hostile_text()], 0..4),
        text in hostile_text(),
    ) {
        let text = format!("---\nold: \"x\" # y\nlist:\n - a\n{text}\n---\n{text}");
        let Ok(mut page) = Page::parse(&text) else { return Ok(()) };
        let body = page.body().to_owned();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        page.set("old", &value);
        page.set("new", &value);
        page.set_list("list", &values);
        let read = Page::parse(&page.print()).unwrap();
        prop_assert_eq!(read.get("old").unwrap(), value.as_str());
        prop_assert_eq!(read.get("new").unwrap(), value.as_str());
        prop_assert_eq!(read.list("list").unwrap(), values);
        prop_assert_eq!(read.body(), body);
        prop_assert_eq!(&read, &page);
    }

    #[test]
    fn a_region_can_hold_any_text(
        before in hostile_text(), text in prop_oneof![any::<String>(), hostile_text()],
    ) {
        // A last carriage return and our line feed would become one line ending.
        prop_assume!(!before.ends_with('\r'));
        let Ok(mut page) = Page::parse(&before) else { return Ok(()) };
        let had_one = page.region("log").is_some();
        page.set_region("log", &text);
        let read = Page::parse(&page.print()).unwrap();
        prop_assert!(read.region("log").unwrap().intact);
        prop_assert!(had_one || page.print().starts_with(&before));
        let kept = page.region("log").unwrap().text.to_owned();
        let once = page.print();
        page.set_region("log", &kept);
        prop_assert_eq!(page.print(), once);
    }
}
