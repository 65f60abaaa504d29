//! Files that the plan does not name.

use expect_test::expect;

use super::super::GuardName::Scope;
use super::sample::Sample;

#[test]
fn what_was_planned_passes_by_name_by_folder_and_by_pattern() {
    let sample = Sample::planned(&["src/login.rs", "./docs/", "web/**/*.ts"])
        .change("src/login.rs", "a\n", "b\n")
        .add("docs/login.md", "text\n")
        .add("docs/more/deep.md", "text\n")
        .add("web/a/b/c.ts", "x\n");
    assert_eq!(sample.say(Scope), "");
}

#[test]
fn what_goes_along_with_what_was_planned_passes() {
    let sample = Sample::planned(&["src/login.rs", "app/session.py", "web/cart.ts", "Cargo.toml"])
        .add("src/login/tests.rs", "x\n")
        .add("tests/login.rs", "x\n")
        .add("app/tests/test_session.py", "x\n")
        .add("web/cart.test.ts", "x\n")
        .add("web/__snapshots__/cart.test.ts.snap", "x\n")
        .change("src/lib.rs", "a\n", "b\n")
        .change("Cargo.lock", "", "\n")
        .change("CHANGELOG.md", "a\n", "b\n");
    assert_eq!(sample.say(Scope), "");
}

#[test]
fn a_lock_file_passes_only_with_its_manifest_or_a_planned_dependency() {
    let lock = |sample: Sample| sample.change("web/yarn.lock", "a\n", "b\n").say(Scope);
    assert_eq!(lock(Sample::planned(&["web/package.json"])), "");
    assert_ne!(lock(Sample::planned(&["web/cart.ts"])), "");
    assert_ne!(lock(Sample::planned(&["api/package.json", "web/cart.ts"])), "");
    let mut sample = Sample::planned(&["web/cart.ts"]);
    sample.contract.as_mut().unwrap().dependencies.push("zod".to_owned());
    assert_eq!(lock(sample), "");
}

#[test]
fn what_lies_near_is_flagged_and_what_is_far_is_held() {
    let sample = Sample::planned(&["src/login.rs"])
        .change("src/session.rs", "a\n", "b\n")
        .change("build.rs", "a\n", "b\n")
        .change("deploy/prod.yml", "a\n", "b\n")
        .change("other/tests/test_login_elsewhere.py", "a\n", "b\n");
    expect![[r#"
        hold deploy/prod.yml The plan does not name `deploy/prod.yml`, nor anything else in the folders where it is.
        hold other/tests/test_login_elsewhere.py The plan does not name `other/tests/test_login_elsewhere.py`, nor anything else in the folders where it is.
        flag src/session.rs The plan does not name `src/session.rs`.
        flag build.rs The plan does not name `build.rs`.
    "#]]
    .assert_eq(&sample.say(Scope));
}

#[test]
fn a_file_is_not_named_by_one_whose_name_only_begins_like_it() {
    let sample =
        Sample::planned(&["src/log"]).add("src/login.rs", "x\n").add("src/log/a.rs", "x\n");
    assert_eq!(sample.say(Scope), "flag src/login.rs The plan does not name `src/login.rs`.\n");
}

#[test]
fn a_file_that_is_moved_counts_by_both_of_its_names() {
    let from = ("deploy/a.rs", "src/login.rs");
    let sample = Sample::planned(&["src/login.rs"]).rename(from, "a\n", "a\n");
    assert!(sample.say(Scope).starts_with("hold src/login.rs"), "{}", sample.say(Scope));
}

#[test]
fn a_change_far_larger_than_planned_is_one_hold() {
    let mut sample = Sample::planned(&["src/login.rs"]).change("src/login.rs", "a\n", "b\n");
    for n in 0..11 {
        sample = sample.add(&format!("src/m{n}.rs"), "x\n");
    }
    let said = sample.say(Scope);
    assert!(said.starts_with("hold - 11 files were changed"), "{said}");
    assert_eq!(said.lines().count(), 1);
    // Ten are told one by one.
    sample.changes.pop();
    assert_eq!(sample.say(Scope).lines().count(), 10);
    // And so are eleven beside six that were planned.
    let sample = Sample::planned(&["a", "src"]);
    let sample = (0..6).fold(sample, |s, n| s.add(&format!("src/p{n}.rs"), "x\n"));
    let sample = (0..11).fold(sample, |s, n| s.add(&format!("o{n}.rs"), "x\n"));
    assert_eq!(sample.say(Scope).lines().count(), 11);
}

#[test]
fn without_a_plan_or_without_files_in_it_nothing_is_out_of_scope() {
    assert_eq!(Sample::default().add("x/y.rs", "x\n").say(Scope), "");
    assert_eq!(Sample::planned(&[" ", "/"]).add("x/y.rs", "x\n").say(Scope), "");
}
