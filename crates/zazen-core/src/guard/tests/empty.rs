//! Work that changes nothing.

use super::super::GuardName::Empty;
use super::sample::Sample;

fn say(path: &str, before: &str, after: &str) -> String {
    Sample::default().change(path, before, after).say(Empty)
}

#[test]
fn nothing_is_held() {
    assert_eq!(Sample::default().say(Empty), "hold - Nothing is changed.\n");
}

#[test]
fn white_space_is_held_where_it_means_nothing() {
    const WHITE: &str = "hold - Nothing but white space is changed.\n";
    assert_eq!(say("a.rs", "fn a() {\n    b()\n}\n", "fn a() { b() }\n\n"), WHITE);
    assert_eq!(say("a.py", "a = 1\n", "a  =  1 \n\n"), WHITE);
    assert_eq!(say("a.md", "a\n", "a  \n\n"), WHITE);
    assert_eq!(say("a.py", "if a:\n    b\n    c\n", "if a:\n    b\nc\n"), "");
    assert_eq!(say("a.txt", "a\n", "b\n"), "");
    // Without a known language, an indent may mean something.
    assert_eq!(say("a.yml", "a:\n  b: 1\n", "a:\nb: 1\n"), "");
}

#[test]
fn comments_are_held_and_what_is_documentation_is_not() {
    const COMMENTS: &str = "hold - Nothing but comments is changed.\n";
    assert_eq!(say("a.rs", "fn a() {}\n", "// TODO\nfn a() {} // x\n"), COMMENTS);
    assert_eq!(say("a.go", "a()\n", "/* done\n now */\na()\n"), COMMENTS);
    assert_eq!(say("a.py", "a()\n", "# done\na()  # x\n"), COMMENTS);
    assert_eq!(say("a.rb", "# old\na\n", "a\n"), COMMENTS);
    assert_eq!(say("a.rs", "fn a() {}\n", "/// Says a.\nfn a() {}\n"), "");
    assert_eq!(say("A.java", "void a() {}\n", "/** Says a. */\nvoid a() {}\n"), "");
    assert_eq!(say("a.py", "def a():\n    b\n", "def a():\n    \"\"\"Says a.\"\"\"\n    b\n"), "");
    assert_eq!(say("a.rs", "a();\n", "/* x */ b();\na();\n"), "");
    assert_eq!(say("a.js", "get('http://a')\n", "get('http://b')\n"), "");
    assert_eq!(say("a.sh", "#!/bin/sh\na\n", "#!/bin/bash\na\n"), "");
    assert_eq!(say("a.md", "a\n", "a\n# b\n"), "");
}

#[test]
fn one_real_change_is_enough() {
    let sample = Sample::default().change("a.rs", "a\n", "a \n").change("b.rs", "a\n", "b\n");
    assert_eq!(sample.say(Empty), "");
    assert_eq!(Sample::default().add("a.rs", "").say(Empty), "");
    assert_eq!(Sample::default().remove("a.rs", "// x\n").say(Empty), "");
    assert_eq!(Sample::default().rename(("a.rs", "b.rs"), "a\n", "a\n").say(Empty), "");
    let mut sample = Sample::default().change("a.sh", "a\n", "a\n");
    assert_eq!(sample.say(Empty), "hold - Nothing is changed.\n");
    sample.changes[0].after.as_mut().unwrap().mode = 0o100_755;
    assert_eq!(sample.say(Empty), "");
}

#[test]
fn what_is_not_text_is_compared_by_its_name() {
    let mut sample = Sample::default().change("a.png", "a", "b");
    let side = |n: usize| super::super::Content::Binary { head: vec![u8::try_from(n).unwrap()] };
    sample.changes[0].before.as_mut().unwrap().content = side(0);
    sample.changes[0].after.as_mut().unwrap().content = side(1);
    assert_eq!(sample.say(Empty), "");
}
