use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, plainly: &str) {
    assert_eq!(plain(text), plainly);
}

#[test]
fn terminal_escapes_are_taken_out() {
    check("\u{1b}[1;31mred\u{1b}[0m", "red");
    check("\u{9b}2Jcleared", "cleared");
    check("\u{1b}]8;;https://evil.example\u{1b}\\link\u{1b}]8;;\u{7}", "link");
    check("\u{1b}]52;c;aGk=\u{7}clipboard", "clipboard");
    check("\u{1b}P$q\"p\u{1b}\\query", "query");
    check("\u{1b}(Bcharset\u{1b}c", "charset");
    check("\u{1b}", "");
    check("\u{1b}[\u{1b}[31mnested", "nested");
    check("\u{1b}é", "é");
}

#[test]
fn a_string_that_never_ends_takes_only_its_line() {
    check("a\u{1b}]0;title\nb", "a\nb");
    check("a\u{9d}title", "a");
}

#[test]
fn control_characters_are_taken_out_but_line_feed_and_tab() {
    check("a\0b\u{8}c\td\ne\u{7f}\u{85}", "abc\td\ne");
    check("one\r\ntwo\rthree", "one\ntwo\nthree");
    check("a\u{2028}b", "a\nb");
}

#[test]
fn characters_that_deceive_are_taken_out() {
    check("ab\u{202e}cd\u{2066}e\u{200f}", "abcde");
    check("pass\u{200b}word\u{feff}\u{2060}\u{ad}", "password");
    check("a\u{e0068}\u{e0069}\u{e007f}b", "ab");
    check("x\u{fe01}\u{e0101}\u{fe0f}", "x");
    check("a\u{200d}b", "ab");
}

#[test]
fn emoji_stay_whole() {
    for emoji in ["👩‍👩‍👧", "❤️", "🏳️‍🌈", "🇩🇪", "1️⃣", "👍🏽", "🏴‍☠️", "👩🏽‍💻"]
    {
        check(emoji, emoji);
    }
    let scotland = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
    check(scotland, scotland);
    check("🏴\u{e0068}\u{e0069}\u{e007f}", "🏴");
    check("🙂\u{fe0f}\u{fe0f}\u{200d}\u{200d}a", "🙂\u{fe0f}a");
}

proptest! {
    #[test]
    fn plain_text_has_no_control_and_stays_as_it_is(text in any::<String>()) {
        let once = plain(&text);
        prop_assert!(once.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
        prop_assert_eq!(plain(&once), once);
    }

    #[test]
    fn hostile_pieces_never_leave_a_control(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "\u{1b}", "[", "]", "\u{9b}", "\u{9d}", "\\", "\u{7}", "3", "m", "\n", "\r", "🏴",
                "\u{e0067}", "\u{200d}", "\u{fe0f}", "🙂", "#", "\u{20e3}", "a", "\u{202e}",
            ]),
            0..30,
        )
    ) {
        let once = plain(&pieces.concat());
        let again = plain(&once);
        let has_escape = once.contains(['\u{1b}', '\u{9b}', '\u{9d}', '\u{202e}']);
        prop_assert!(!has_escape);
        prop_assert_eq!(again, once);
    }
}
