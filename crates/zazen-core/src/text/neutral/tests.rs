use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Shows the breaks, which have no width.
#[track_caller]
fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&neutral(text).replace(BREAK, "¦"));
}

#[test]
fn nobody_is_mentioned() {
    check("@ada and (@org/team), cc @everyone", &expect!["@¦ada and (@¦org/team), cc @¦everyone"]);
    check("mail ada@example.com, 5 @ 3", &expect!["mail ada@example.com, 5 @ 3"]);
    check("&#64;ada &commat;ada & co", &expect!["&amp;#64;ada &amp;commat;ada & co"]);
    check("@\u{200b}ada", &expect!["@¦ada"]);
}

#[test]
fn no_issue_is_closed() {
    check("Fixes #1, closes: org/repo#2", &expect!["F¦ixes #1, c¦loses: org/repo#2"]);
    check("RESOLVES\n  GH-3", &expect!["R¦ESOLVES\n  GH-3"]);
    check("fix **#4** fixed [#5](x)", &expect!["f¦ix **#4** f¦ixed [#5](x)"]);
    check("implements https://forge/a/issues/6", &expect!["i¦mplements https://forge/a/issues/6"]);
    check("closing issues #7 and #8", &expect!["c¦losing issues #7 and #8"]);
    check(
        "see #9; this fixes the page, closed it.",
        &expect!["see #9; this fixes the page, closed it."],
    );
    check("prefix #1", &expect!["prefix #1"]);
}

#[test]
fn html_and_markers_become_text() {
    check(
        "<b>x</b> a < b <!-- zazen:v1 -->",
        &expect!["&lt;b>x&lt;/b> a < b &lt;!-- zazen:v1 -->"],
    );
    check(
        "`Vec<String>` and <https://a.example>",
        &expect!["`Vec<¦String>` and <https://a.example>"],
    );
}

#[test]
fn pictures_and_quick_actions_become_text() {
    check("![x](https://evil/?d=1)", &expect!["!¦[x](https://evil/?d=1)"]);
    check("/merge\n  /close now\na /b", &expect!["\\/merge\n  \\/close now\na /b"]);
}

#[test]
fn a_fence_at_the_margin_is_left_alone() {
    check(
        "```js\nimport '@types/node' <b> /x\n/close <!-- m\nfixes #1\n```\n@ada",
        &expect![[r#"
            ```js
            import '@types/node' <b> /x
            /close <¦!-- m
            f¦ixes #1
            ```
            @¦ada"#]],
    );
}

#[test]
fn a_fence_that_may_not_be_one_is_not_trusted() {
    // The fence in the item ends with the item: `@ada` is prose there.
    check("- a\n  ```\n@ada <b>\n", &expect!["- a\n  ```\n@¦ada <¦b>\n"]);
    check("> ~~~\n```\n@ada\n```\n", &expect!["> ~~~\n```\n@¦ada\n```\n"]);
    check("---\n```\n---\n@ada", &expect!["---\n```\n---\n@¦ada"]);
    check(
        "# coding: utf-8\n---\n```\n---\n@ada",
        &expect!["# coding: utf-8\n---\n```\n---\n@¦ada"],
    );
    check("```\n    ```\n@in\n```\n@out", &expect!["```\n    ```\n@in\n```\n@¦out"]);
}

#[test]
fn a_fence_that_is_left_open_is_closed() {
    check("~~~~\ncode", &expect!["~~~~\ncode\n~~~~\n"]);
}

/// Found by `bench/fuzz`.
#[test]
fn a_bracket_that_became_an_entity_does_not_hide_a_reference() {
    let once = neutral("fixes<issue\nhttps://");
    assert_eq!(neutral(&once), once);
}

#[test]
fn links_lead_to_the_web_only() {
    check(
        "[x](javascript:alert(1)) [y]: JavaScript\\:x <data:text/html,x> file:///etc data: 5",
        &expect![[
            r#"[x](j¦avascript:alert(1)) [y]: J¦avaScript\:x &lt;d¦ata:text/html,x> f¦ile:///etc data: 5"#
        ]],
    );
    check(
        "[x](javascript&colon;x&Tab;) &lt; &copy; a&b; c & d",
        &expect!["[x](javascript&amp;colon;x&amp;Tab;) &lt; &amp;copy; a&amp;b; c & d"],
    );
}

#[test]
fn nothing_is_drawn() {
    check("```mermaid\ngraph\n```", &expect!["```m¦ermaid\ngraph\n```"]);
    check("~~~ Suggestion:-0+1\nx\n~~~", &expect!["~~~ S¦uggestion:-0+1\nx\n~~~"]);
    check("```rust\n```", &expect!["```rust\n```"]);
}

/// What `CommonMark`, as another program reads it, would show or follow.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others only show text")]
fn acts(text: &str) -> Option<String> {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    Parser::new_ext(text, Options::all()).find_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(format!("html {html}")),
        Event::Start(Tag::Image { dest_url, .. }) => Some(format!("image {dest_url}")),
        Event::Start(Tag::Link { dest_url, .. }) => {
            let scheme = dest_url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
            let is_odd = scheme.is_some_and(|s| SCHEMES.contains(&s.trim()));
            is_odd.then(|| format!("link {dest_url}"))
        }
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn no_html_no_picture_and_no_odd_link_survives(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "![", "[", "](", ")", "]", "javascript:", "data:", "x", "<img src=x>", "<script>",
            "</a>", "<!-- zazen -->", "`", "``", "```", "```mermaid", "~~~", "\n", "\n\n", "> ",
            "- ", "    ", "&colon;", "&#58;", "&excl;", "\\", ":", "!", "https://a.example", "<",
            ">", "]: ", "\t", "1. ", "---", "|", "<?x", "java", "script", "é", "\u{200b}",
        ]),
        0..30,
    )) {
        let text = pieces.concat();
        let out = neutral(&text);
        prop_assert_eq!(acts(&out), None, "{:?} became {:?}", text, out);
        prop_assert!(out.len() <= 4 * text.len() + 8);
        prop_assert_eq!(neutral(&out), out);
    }
}

proptest! {
    #[test]
    fn twice_is_once(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "@", "a", "fixes", " ", "#1", "\n", "```", "~~~", "<", "!--", "-->", "`", "/", "![",
            "&", "#64;", ">", "- ", "\\", "issue", "\u{200b}", "\r", "https://", "é", "---",
        ]),
        0..40,
    )) {
        let once = neutral(&pieces.concat());
        prop_assert!(!once.contains("<!--"));
        prop_assert_eq!(neutral(&once), once);
    }

    #[test]
    fn any_text_can_be_made_neutral(text in any::<String>()) {
        prop_assert!(!neutral(&text).contains("<!--"));
    }
}

#[test]
fn a_bomb_takes_no_longer_than_its_length() {
    for piece in ["`", "@", "<", "fixes:", "fixes ", "> ", "[", "&#", "![", "```\n", "/a\n"] {
        let bomb = piece.repeat(400_000 / piece.len());
        assert!(neutral(&bomb).len() >= bomb.len());
    }
}
