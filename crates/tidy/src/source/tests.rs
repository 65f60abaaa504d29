//! What counts as code, what as a comment, and what as neither.

use super::*;

#[test]
fn words_in_strings_and_comments_are_not_code() {
    let text = r##"let a = "one"; // two
let b = r#"three "four" "#; /* five /* six */ seven */ let c = 'e';
fn f<'a>(x: &'a str) { '\'' ; b"eight"; br"nine" }
"##;
    let source = Source::parse(text);
    for word in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] {
        assert!(!source.code.contains(word), "`{word}` in {}", source.code);
    }
    for word in ["let a", "let b", "let c", "fn f<'a>(x: &'a str)"] {
        assert!(source.code.contains(word), "`{word}` in {}", source.code);
    }
    for word in ["two", "five", "six", "seven"] {
        assert!(source.comments.contains(word), "`{word}` in {}", source.comments);
    }
    assert!(!source.comments.contains("one"));
}

#[test]
fn every_line_and_column_stays_where_it_was() {
    let text = "let a = \"ä\n\\\" b\"; // c\nlet d = 1;\n";
    let source = Source::parse(text);
    assert_eq!(source.code.lines().count(), text.lines().count());
    assert_eq!(line_of(&source.code, source.code.find("let d").unwrap()), 2);
}

#[test]
fn a_text_that_breaks_off_in_a_literal_is_read_to_its_end() {
    for text in ["\"a", "\"a\\", "r#\"a\"", "/* a", "'", "'\\", "r", "b", "br#"] {
        assert_eq!(Source::parse(text).code.chars().count(), text.chars().count(), "{text}");
    }
}

#[test]
fn production_leaves_out_the_module_of_tests_and_nothing_else() {
    let text = "\
fn a() {}
#[cfg(test)]
mod tests {
    fn b() { let brace = '{'; }
}
fn c() {}
#[cfg(test)]
mod more;
";
    let code = Source::parse_production(text).code;
    assert!(code.contains("fn a"));
    assert!(!code.contains("fn b"));
    assert!(code.contains("fn c"));
    assert_eq!(n_production_lines(text), 4);
}

#[test]
fn a_word_inside_a_longer_word_is_not_found() {
    assert_eq!(find_words("selection select! preselect", "select").count(), 1);
    assert_eq!(leading_word("abc::def"), "abc");
    assert_eq!(leading_word("::"), "");
}
