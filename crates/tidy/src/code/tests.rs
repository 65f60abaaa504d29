//! Planted mistakes in Rust files, one rule after the other.

use super::*;

const PATH: &str = "crates/zazen/src/git/mirror.rs";

fn file(text: &str) -> File {
    File::new(PATH, text)
}

fn lines(violations: &[Violation]) -> Vec<Option<usize>> {
    violations.iter().map(|violation| violation.line).collect()
}

#[test]
fn a_file_is_too_long_by_its_production_lines_alone() {
    let long = "let a = 1;\n".repeat(PRODUCTION_LINES_MAX);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(check_size(&file(&long)), []);
    assert_eq!(check_size(&file(&format!("{long}{tests}"))), []);
    assert_eq!(lines(&check_size(&file(&format!("{long}let b = 1;\n{tests}")))), [None]);
    assert_eq!(check_size(&File::new("crates/zazen/tests/it/main.rs", long.repeat(2))), []);
}

#[test]
fn a_long_line_is_reported_in_code_and_in_comments() {
    let wide = "x".repeat(LINE_CHARS_MAX);
    assert_eq!(check_lines(&file(&wide)), []);
    assert_eq!(lines(&check_lines(&file(&format!("\n// {wide}\n")))), [Some(2)]);
    assert_eq!(lines(&check_lines(&file(&format!("\"{wide}\"")))), [Some(1)]);
}

#[test]
fn a_long_line_in_a_test_may_be_recorded_text_but_not_code() {
    let wide = "x".repeat(LINE_CHARS_MAX + 1);
    let test = |text: String| File::new("crates/zazen/src/git/tests.rs", text);
    assert_eq!(check_lines(&test(format!("let a = r#\"\n{wide}\n\"#;"))), []);
    assert_eq!(lines(&check_lines(&test(wide))), [Some(1)]);
}

#[test]
fn a_file_says_what_it_is_before_anything_else() {
    assert_eq!(check_head(&file("//! The mirror.\n")), []);
    assert_eq!(lines(&check_head(&file("use std::fs;\n//! Late.\n"))), [None]);
    assert_eq!(check_head(&File::new("crates/zazen/src/git/tests.rs", "use super::*;")), []);
}

#[test]
fn marks_and_calls_for_unfinished_work_are_reported() {
    let text = "\
// FIXME: wrong.
fn a() { /* XXX */ dbg!(1); }
fn b() { todo!() }
fn c() { unimplemented!() }
// TODO: later.
// TODO(soon): later.
";
    let mut found = lines(&check_unfinished(&file(text)));
    found.sort_unstable();
    assert_eq!(found, [1, 2, 2, 3, 4, 5, 6].map(Some));
}

#[test]
fn a_numbered_todo_and_marks_in_literals_are_left_alone() {
    let text = "// TODO(#12): use the new call.\nlet a = \"FIXME dbg!\"; my_todo!();\n";
    assert_eq!(check_unfinished(&file(text)), []);
}

#[test]
fn only_the_daemon_chooses_between_waits() {
    let text = "fn a() {\n    tokio::select! {}\n}\n// select! is named here\n";
    assert_eq!(lines(&check_select(&file(text))), [Some(2)]);
    for path in ["crates/zazen/src/gateway/model.rs", "crates/zazen/src/daemon2.rs"] {
        assert_eq!(check_select(&File::new(path, text)).len(), 1, "{path}");
    }
    for path in ["crates/zazen/src/daemon/mod.rs", "crates/zazen-mini/src/bash.rs"] {
        assert_eq!(check_select(&File::new(path, text)), [], "{path}");
    }
}

#[test]
fn a_test_is_named_as_a_sentence() {
    let text = "\
#[test]
fn test_mirror() {}
#[tokio::test(flavor = \"current_thread\")]
async fn mirror_should_update() {}
#[test]
#[expect(dead_code)]
fn should_update() {}
#[test]
fn a_shoulder_is_no_tested_word() {}
fn test_repository() {}
";
    assert_eq!(lines(&check_test_names(&file(text))), [1, 3, 5].map(Some));
}

#[test]
fn the_sixth_trait_names_all_of_them() {
    let traits = |n: usize| file(&"pub(crate) trait Forge {}\n".repeat(n));
    let tests = file("#[cfg(test)]\nmod tests {\n    trait Fake {}\n}\n// trait\n");
    assert_eq!(check_traits([&traits(TRAITS_MAX), &tests].into_iter()), []);
    assert_eq!(check_traits([&traits(TRAITS_MAX), &traits(1)].into_iter()).len(), 6);
}
