//! Whatever a change holds, guards end, and soon.

use proptest::prelude::*;

use super::super::{Content, GuardName, hunks};
use super::sample::{Sample, change};

/// Paths that every reader is for.
const PATHS: [&str; 24] = [
    "Cargo.toml",
    "Cargo.lock",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "pyproject.toml",
    "uv.lock",
    "Pipfile.lock",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "go.mod",
    "go.sum",
    "pom.xml",
    "build.gradle",
    "Gemfile",
    "Gemfile.lock",
    "src/a.rs",
    "tests/test_a.py",
    "a.test.ts",
    "a_test.go",
    "Makefile",
];

/// Text with the words and marks that readers look for.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("\n"),
        Just("\n    "),
        Just("#[test]"),
        Just("fn a() {"),
        Just("}"),
        Just("def test_a():"),
        Just("\"\"\""),
        Just("it('a', "),
        Just("/*"),
        Just("*/"),
        Just("[dependencies]"),
        Just("a = \"1\""),
        Just("<dependency>"),
        Just("</dependency>"),
        Just("<a>"),
        Just("{\"dependencies\": "),
        Just("}"),
        Just("packages:"),
        Just("  a@1:"),
        Just("require ("),
        Just("gem \"a\""),
        Just("install_requires=["),
        Just("assert"),
        Just("\u{202e}"),
        Just("é"),
        Just("`"),
        Just("|| true"),
        Just("fail_under = 9"),
        Just("version \"1\""),
        Just("@"),
        Just("("),
        Just("integrity: x"),
        Just(" (1.0)"),
        Just("-- "),
    ];
    prop::collection::vec(prop_oneof![8 => word.prop_map(str::to_owned), 1 => ".{0,6}"], 0..60)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_a_guard(
        before in text(), after in text(), report in text(), n in 0..PATHS.len(), both: bool,
    ) {
        let mut sample = Sample::planned(&["src/a.rs", "**/x?*"]).says(&report).ran(&report, both);
        sample.changes.push(change(PATHS[n], both.then_some(&before), Some(&after)));
        let report = sample.report();
        let json = report.to_json();
        prop_assert_eq!(super::super::Report::from_json(&json).unwrap(), report.clone());
        prop_assert!(!json.contains(['\u{202e}', '\u{1b}']), "{}", json);
        prop_assert_eq!(report.hold(), sample.report().hold());
    }

    #[test]
    fn no_patch_breaks_its_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut patch = b"diff --git a/x b/x\n@@ -".to_vec();
        patch.extend(&bytes);
        drop(hunks(&patch));
    }

    #[test]
    fn a_file_without_changed_lines_has_no_removed_tests(text in text(), n in 0..PATHS.len()) {
        let sample = Sample::default().change(PATHS[n], &text, &text);
        prop_assert_eq!(sample.say(GuardName::Tests), "");
        prop_assert_eq!(sample.say(GuardName::Dependencies).contains("is a new"), false);
    }
}

#[test]
fn a_hunk_that_is_outside_of_its_text_is_empty() {
    let mut sample = Sample::default().change("src/a.rs", "a\n", "b\n");
    sample.changes[0].hunks[0].old = 5..9;
    sample.changes[0].hunks[0].new = 7..u32::MAX;
    assert!(sample.changes[0].added().is_empty() && sample.changes[0].removed().is_empty());
    sample.report();
}

#[test]
fn a_large_file_is_read_in_time() {
    // Large, and of what every reader has to look at twice. Quadratic work would take hours.
    for (path, line) in [
        ("src/a.rs", "    #[test] fn a() { assert!(true); } // /* \" ' `"),
        ("tests/test_a.py", "    def test_a(): assert True # \"\"\" x"),
        ("a.test.ts", "  it('a', () => { expect(1).toBe(1) });"),
        ("Makefile", "fail_under = 90 || true epsilon = 1"),
        ("yarn.lock", "\"a@1\", \"a@2\":"),
        ("go.sum", "example.com/a v1.0.0 h1:x="),
        ("requirements.txt", "a[b]>=1 ; c @ d"),
        ("pom.xml", "<dependency><groupId>a</groupId></dependency>"),
    ] {
        let n = 1_000_000 / (line.len() + 1);
        let text = format!("{line}\n").repeat(n);
        let mut sample = Sample::planned(&["x"]).says(&text);
        let all = u32::try_from(n).unwrap();
        let mut changed = change(path, None, Some("x"));
        changed.after.as_mut().unwrap().content = Content::of(text.as_bytes());
        changed.before.clone_from(&changed.after);
        changed.before.as_mut().unwrap().id = "other".to_owned();
        changed.hunks = vec![super::super::Hunk { old: 0..all, new: 0..all }];
        sample.changes.push(changed);
        sample.report();
    }
}

#[test]
fn one_long_line_and_a_deep_path_are_read_in_time() {
    let deep = "d/".repeat(2000) + "test_a.py";
    let long = "a b 'c' `d` \" # // /* || ".repeat(200_000);
    let sample = Sample::planned(&["**/*/**/*/**/*x", &"e/".repeat(1500)]);
    sample.add(&deep, &long).add("a.js", &long).add("pom.xml", &"<a>".repeat(100_000)).report();
}

#[test]
fn what_is_not_utf8_is_read_with_replacements() {
    let Content::Text(text) = Content::of(b"def test_\xff():\n    assert a\n") else {
        panic!("no zero byte is in it");
    };
    assert!(text.contains('\u{fffd}'));
    assert_eq!(Content::of(b"a\0b"), Content::Binary { head: b"a\0b".to_vec() });
    // As git does, only the beginning decides.
    let late = [vec![b'a'; 8000], vec![0]].concat();
    assert!(matches!(Content::of(&late), Content::Text(_)));
    let early = [vec![b'a'; 7999], vec![0]].concat();
    assert!(matches!(Content::of(&early), Content::Binary { head } if head.len() == 64));
}
