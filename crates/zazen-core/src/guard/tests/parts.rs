//! What guards are made of: patterns, patches, languages, traces.

use super::super::change::lines;
use super::super::language::{Code, is_snapshot_path, is_test_path};
use super::super::{Glob, Hunk, InvalidGlob, commands, hunks};
use crate::trace::Event;

#[test]
fn patterns_fit_as_people_expect() {
    let fits = |pattern: &str, path: &str| pattern.parse::<Glob>().unwrap().matches(path);
    for (pattern, path) in [
        ("src/a.rs", "src/a.rs"),
        ("/src/a.rs", "src/a.rs"),
        ("./src/a.rs", "src/a.rs"),
        ("src/*.rs", "src/a.rs"),
        ("src/**", "src/a/b/c.rs"),
        ("src/", "src/a/b.rs"),
        ("**/migrations/**", "a/b/migrations/0001.sql"),
        ("**/migrations/**", "migrations/0001.sql"),
        ("*.lock", "a/b/yarn.lock"),
        ("secrets", "a/secrets"),
        ("a/?.rs", "a/b.rs"),
        ("a*b*c", "axxbyyc"),
        ("**", "a/b"),
    ] {
        assert!(fits(pattern, path), "{pattern} {path}");
    }
    for (pattern, path) in [
        ("src/a.rs", "src/a.rsx"),
        ("src/a.rs", "x/src/a.rs"),
        ("/a.rs", "src/a.rs"),
        ("src/*.rs", "src/a/b.rs"),
        ("src/", "src"),
        ("a/?.rs", "a/bc.rs"),
        ("a*b*c", "axxbyy"),
        ("secrets", "secrets/a"),
    ] {
        assert!(!fits(pattern, path), "{pattern} {path}");
    }
    assert!(!fits("**", &"a/".repeat(3000)));
    assert_eq!("".parse::<Glob>(), Err(InvalidGlob::Empty));
    assert_eq!(" / ".parse::<Glob>(), Err(InvalidGlob::Empty));
    assert_eq!("a".repeat(257).parse::<Glob>(), Err(InvalidGlob::TooLong));
    assert_eq!("a".repeat(256).parse::<Glob>().unwrap().to_string(), "a".repeat(256));
}

#[test]
fn hunks_are_read_from_what_git_prints() {
    let patch = b"diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n\
        @@ -1 +1,2 @@ fn a\n-a\n+@@ -9,9 +9,9 @@\n+diff --git c d\n\
        @@ -3,2 +4,0 @@\n-c\n-d\n@@ -0,0 +1 @@\n+x\n\
        diff --git a/y b/y\nold mode 100644\nnew mode 100755\n\
        diff --git a/z b/z\n@@ -x +1 @@\n@@ -1,4294967295 +1 @@\n";
    let hunk = |old, new| Hunk { old, new };
    assert_eq!(
        hunks(patch),
        [
            vec![hunk(0..1, 0..2), hunk(2..4, 4..4), hunk(0..0, 0..1)],
            vec![],
            vec![hunk(0..u32::MAX, 0..1)],
        ]
    );
    assert!(hunks(b"@@ -1 +1 @@\n").is_empty());
}

#[test]
fn lines_end_with_a_line_feed_and_nothing_else() {
    let texts = |text| lines(text).iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!(texts("a\r\nb\rc\u{2028}d\n"), ["a", "b\rc\u{2028}d"]);
    assert_eq!(texts("a\n\nb"), ["a", "", "b"]);
    assert_eq!(lines("a\nb\n")[1].n, 2);
}

#[test]
fn comments_are_told_from_code() {
    let code = |path: &str, text: &str| {
        let mut code = Code::of(path);
        let parts: Vec<String> =
            text.lines().filter_map(|line| code.line(line).map(str::to_owned)).collect();
        parts.join("|")
    };
    assert_eq!(code("a.rs", "a // b\n// c\n/* d\ne\n*/ f\n/* g */ h"), "a|f|h");
    assert_eq!(
        code("a.rs", "let a = \"// b\"; // c\n/// d\n//! e\n//// f"),
        "let a = \"// b\";|/// d|//! e"
    );
    assert_eq!(code("a.js", "get('http://a') // b\nhttp://c"), "get('http://a')|http://c");
    assert_eq!(code("a.py", "a # b\n# c\na = '# d'\n#!x"), "a|a = '# d'|#!x");
    assert_eq!(code("a.go", "//go:build x\n// y"), "//go:build x");
    assert_eq!(code("a.md", "# a\n\n// b"), "# a|// b");
}

#[test]
fn tests_and_snapshots_are_known_by_their_names() {
    for path in [
        "tests/a.rs",
        "src/a/tests.rs",
        "test_a.py",
        "a/a_test.go",
        "a.test.ts",
        "a.spec.js",
        "spec/a_spec.rb",
        "src/test/java/A.java",
        "ATest.java",
        "__tests__/a.js",
        "conftest.py",
    ] {
        assert!(is_test_path(path), "{path}");
    }
    for path in
        ["src/a.rs", "contest.py", "latest.go", "src/attest.rs", "testament/a.py", "greatest.java"]
    {
        assert!(!is_test_path(path), "{path}");
    }
    assert!(is_snapshot_path("a/__snapshots__/b.snap") && is_snapshot_path("a.snap"));
    assert!(is_snapshot_path("tests/ui/a.stderr"));
    assert!(!is_snapshot_path("src/snap.rs") && !is_snapshot_path(".snap"));
}

#[test]
fn commands_are_read_from_traces() {
    let call = |id: &str, name: &str, input: &str| Event::ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        paths: Vec::new(),
    };
    let result = |id: &str, ok: bool, exit: Option<i32>| Event::ToolResult {
        id: id.to_owned(),
        ok,
        exit,
        output: String::new(),
    };
    let events = [
        call("1", "Bash", r#"{"command": "cargo test"}"#),
        call("2", "Read", r#"{"file_path": "a"}"#),
        result("1", true, Some(101)),
        result("2", true, None),
        call("3", "shell", r#"{"command": ["bash", "-lc", "pytest"]}"#),
        result("3", true, None),
        call("4", "exec_command", r#"{"cmd": "go test"}"#),
        Event::Sub { parent: "9".to_owned(), event: Box::new(call("5", "bash", "make check")) },
        call("6", "Write", "text"),
        result("5", false, None),
    ];
    let ran: Vec<String> =
        commands(&events).into_iter().map(|ran| format!("{} {:?}", ran.command, ran.ok)).collect();
    assert_eq!(
        ran,
        [
            "cargo test Some(false)",
            "bash -lc pytest Some(true)",
            "go test None",
            "make check Some(false)"
        ]
    );
}
