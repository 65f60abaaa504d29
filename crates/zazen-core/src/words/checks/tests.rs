//! The checks, in words.

use expect_test::expect;

use super::*;
use crate::check;

fn ran(output: &str) -> Ran {
    let (output, coverage) = check::parts(output);
    let found = check::read(output);
    let is_green = !output.contains("FAILED");
    Ran { is_green, found, coverage }
}

fn told(before: Option<&str>, after: &str) -> String {
    checks(&Checks { before: before.map(ran), after: ran(after), is_flaky: false })
}

const ONE_RED: &str = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n";
const GREEN: &str = "running 2 tests\ntest a ... ok\ntest b ... ok\n";
const FEWER: &str = "running 1 test\ntest a ... ok\n";
const SKIPPED: &str = "running 2 tests\ntest a ... ok\ntest b ... ignored\n";

#[test]
fn the_checks_are_told_in_a_line() {
    for (before, after, says) in [
        (None, "it is fine", "passed"),
        (Some("FAILED"), "it is fine", "passed (before: failed)"),
        (Some("fine"), "it is fine", "passed (before: the same)"),
        (Some(ONE_RED), GREEN, "2 passed (before: 1 passed, 1 failed)"),
        (Some(GREEN), FEWER, "1 passed (before: 2 passed); **1 fewer**"),
        (Some(GREEN), SKIPPED, "1 passed, 1 skipped (before: 2 passed); **1 newly skipped**"),
        (Some(GREEN), ONE_RED, "1 passed, 1 failed (before: 2 passed); **1 newly failed**"),
        (Some("fine"), GREEN, "2 passed (before: passed)"),
    ] {
        assert_eq!(told(before, after), says);
    }
    let mut odd = Checks { after: ran(ONE_RED), is_flaky: true, ..Checks::default() };
    odd.after.is_green = true;
    expect!["1 passed, 1 failed, and the command ended well; flaky (red, then green)"]
        .assert_eq(&checks(&odd));
}

#[test]
fn coverage_is_compared_and_left_out_where_it_is_not_measured() {
    let at = |text: &str| Coverage::read(text);
    let told = |before: &str, after: &str| {
        let ran = |text| Ran { coverage: at(text), ..Ran::default() };
        coverage(&Checks { before: Some(ran(before)), after: ran(after), is_flaky: false })
    };
    let says = |text: &str| Some(text.to_owned());
    assert_eq!(told("", ""), None);
    assert_eq!(told("90.8%", "91.2%"), says("91.2 % (before: 90.8 %, +0.4)"));
    assert_eq!(told("91.2%", "80%"), says("80.0 % (before: 91.2 %, −11.2)"));
    assert_eq!(told("91.22%", "91.20%"), says("91.2 % (before: 91.2 %, −0.02)"));
    assert_eq!(told("91.2%", "91.2%"), says("91.2 % (before: the same)"));
    assert_eq!(told("91.2%", "it broke"), says("not known (before: 91.2 %)"));
    assert_eq!(told("", "7.5%"), says("7.5 %"));
}

#[test]
fn tests_are_named_and_not_too_many_of_them() {
    let many: Vec<String> = (0..30).map(|n| format!("test gone_{n:02} ... ok\n")).collect();
    let many = many.concat();
    let before = format!("running 33 tests\ntest a ... ok\ntest b ... FAILED\n{many}");
    let all = Checks { before: Some(ran(&before)), after: ran(ONE_RED), is_flaky: false };
    let lists = tests(&all);
    assert!(lists.contains("**Failed before, and still do:**\n\n- b\n"), "{lists}");
    assert!(
        lists.contains("- gone\\_19\n- … and 10 more\n") || lists.contains("- … and 10 more\n")
    );
    assert_eq!(tests(&Checks { after: ran(GREEN), ..Checks::default() }), "");
}

#[test]
fn what_was_red_before_is_named_to_those_who_mend() {
    expect!["They were green before the work began."].assert_eq(&checks_before(&ran(GREEN)));
    expect!["They were red already before the work began. These failed then: b."]
        .assert_eq(&checks_before(&ran(ONE_RED)));
    expect!["They were red already before the work began."]
        .assert_eq(&checks_before(&ran("FAILED, and nobody knows what")));
    let many: Vec<String> = (0..22).map(|n| format!("test bad_{n:02} ... FAILED\n")).collect();
    let told = checks_before(&ran(&format!("running 22 tests\n{}", many.concat())));
    assert!(told.ends_with("bad_19 and 2 more."), "{told}");
}
