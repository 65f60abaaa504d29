use expect_test::expect;
use proptest::prelude::*;

use super::*;

#[test]
fn a_title_becomes_one_short_line() {
    assert_eq!(one_line("  Login\n\tpage \u{1b}[31mfails ", 40), "Login page fails");
    assert_eq!(one_line("Login page fails", 8), "Login p…");
    assert_eq!(one_line("👩‍👩‍👧 family", 2), "👩…");
    assert_eq!(one_line("anything", 0), "");
    assert_eq!(one_line("ab", 1), "…");
}

#[test]
fn a_long_text_keeps_its_head_and_its_tail() {
    let text = format!("first line\n{}\nlast line", "é".repeat(500));
    expect![[r#"
        first line
        ééééééééé
        [… 964 bytes left out …]
        ééééééééé
        last line"#]]
    .assert_eq(&cut_middle(&text, 88));
    assert_eq!(cut_middle("short", 5), "short");
    assert_eq!(cut_middle("🙂🙂🙂", 5), "🙂");
    assert_eq!(cut_middle("abc", 0), "");
}

#[test]
fn a_fence_is_longer_than_any_in_the_text() {
    expect![[r#"
        ````rust
        ```
        code
        ```
        ````
    "#]]
    .assert_eq(&fence("```\ncode\n```\n", "rust\n<b>"[..4].trim()));
    assert_eq!(fence("", "sh\n`evil` x"), "```shevilx\n```\n");
}

#[test]
fn a_slug_is_spelled_in_plain_letters() {
    assert_eq!(slug("Login page fails (again!)"), "login-page-fails-again");
    assert_eq!(slug("Größe: don’t  — ÆØ"), "grosse-dont-aeo");
    assert_eq!(slug("é"), slug("e\u{301}"));
    assert_eq!(slug("../../etc/passwd"), "etc-passwd");
    assert_eq!(slug("登录"), "task");
    assert_eq!(slug("--"), "task");
    assert_eq!(slug("x\u{200b}y"), "xy");
    assert_eq!(slug(&"ab ".repeat(40)).len(), SLUG_BYTES_MAX);
}

proptest! {
    #[test]
    fn a_slug_is_always_fit_for_a_name(title in any::<String>()) {
        let slug = slug(&title);
        prop_assert!((1..=SLUG_BYTES_MAX).contains(&slug.len()));
        prop_assert!(slug.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
        prop_assert!(!slug.starts_with('-') && !slug.ends_with('-'));
    }

    #[test]
    fn one_line_is_never_longer_than_asked(text in any::<String>(), max in 0_usize..40) {
        let line = one_line(&text, max);
        prop_assert!(line.chars().count() <= max);
        prop_assert!(!line.contains(['\n', '\t']));
    }

    #[test]
    fn a_cut_text_fits(text in "(.|\n|🙂){0,200}", max in 0_usize..300) {
        let cut = cut_middle(&text, max);
        prop_assert!(cut.len() <= max);
        prop_assert!(text.len() > max || cut == text);
    }

    #[test]
    fn nothing_closes_a_fence_from_inside(text in "[`~a \n]{0,60}", info in any::<String>()) {
        let block = fence(&text, &info);
        let mut lines = block.lines();
        let open = Fence::opened_by(lines.next().unwrap()).unwrap();
        let n_before_close = lines.clone().take_while(|line| !open.closed_by(line)).count();
        prop_assert_eq!(n_before_close + 1, lines.count());
    }
}
