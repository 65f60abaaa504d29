//! Licences and heads.

use super::super::GuardName::Licence;
use super::super::Sibling;
use super::sample::Sample;

const HEAD: &str = "// SPDX-License-Identifier: MIT\n// Copyright 2024 The Authors\n";
const BODY: &str = "fn a() {}\nfn b() {}\nfn c() {}\n";

fn beside(heads: &[(&str, &str)]) -> Sample {
    let siblings = heads
        .iter()
        .map(|(path, head)| Sibling { path: (*path).to_owned(), head: format!("{head}{BODY}") });
    Sample { siblings: siblings.collect(), ..Sample::default() }
}

#[test]
fn a_licence_that_is_gone_or_another_is_held() {
    for path in ["LICENSE", "LICENSE-MIT", "COPYING.LESSER", "sub/NOTICE.txt", "LICENCE.md"] {
        let said = Sample::default().change(path, "a\n", "b\n").say(Licence);
        assert_eq!(said, format!("hold {path} `{path}`, a licence, is another.\n"));
        let said = Sample::default().remove(path, "a\n").say(Licence);
        assert_eq!(said, format!("hold {path} `{path}`, a licence, is gone.\n"));
        assert_eq!(Sample::default().add(path, "a\n").say(Licence), "");
    }
    assert_eq!(Sample::default().change("src/license.rs", "a\n", "b\n").say(Licence), "");
    assert_eq!(Sample::default().change("LICENSES_OF_OTHERS.md", "a\n", "b\n").say(Licence), "");
}

#[test]
fn a_head_that_is_gone_is_held_and_one_that_changes_is_not() {
    let (with, without) = (format!("{HEAD}{BODY}"), BODY.to_owned());
    let said = Sample::default().change("src/a.rs", &with, &without).say(Licence);
    assert_eq!(said, "hold src/a.rs:1 The head of `src/a.rs` names no licence any more.\n");
    let other = with.replace("2024", "2026");
    assert_eq!(Sample::default().change("src/a.rs", &with, &other).say(Licence), "");
    assert_eq!(Sample::default().change("src/a.rs", &without, &with).say(Licence), "");
    assert_eq!(Sample::default().change("a.md", &with, &without).say(Licence), "");
    assert_eq!(Sample::default().remove("src/a.rs", &with).say(Licence), "");
}

#[test]
fn what_stands_far_down_is_no_head() {
    let text = format!("{}{HEAD}", "x\n".repeat(30));
    assert_eq!(Sample::default().change("src/a.rs", &text, "x\n").say(Licence), "");
    let text = format!("{}{HEAD}", "x\n".repeat(29));
    assert_ne!(Sample::default().change("src/a.rs", &text, "x\n").say(Licence), "");
}

#[test]
fn a_new_file_without_a_head_is_flagged_where_others_have_one() {
    let two = beside(&[("src/a.rs", HEAD), ("src/b.rs", HEAD)]);
    assert_eq!(
        two.clone().add("src/new.rs", BODY).say(Licence),
        "flag src/new.rs The head of `src/new.rs` names no licence, as those of 2 files beside it \
         do.\n"
    );
    assert_eq!(two.clone().add("src/new.rs", &format!("{HEAD}{BODY}")).say(Licence), "");
    assert_eq!(two.clone().add("src/new.rs", "mod a;\n").say(Licence), "");
    assert_eq!(two.clone().add("src/new.py", BODY).say(Licence), "");
    assert_eq!(two.clone().add("src/deep/new.rs", BODY).say(Licence), "");
    assert_eq!(two.add("src/tests.rs", BODY).say(Licence), "");
    let one = beside(&[("src/a.rs", HEAD)]);
    assert_eq!(one.add("src/new.rs", BODY).say(Licence), "");
}

#[test]
fn most_of_the_others_have_to_have_one() {
    let some = |n_without: usize| {
        let paths: Vec<String> = (0..n_without).map(|n| format!("src/w{n}.rs")).collect();
        let mut heads = vec![("src/a.rs", HEAD), ("src/b.rs", HEAD), ("src/c.rs", HEAD)];
        heads.extend(paths.iter().map(|path| (path.as_str(), "")));
        beside(&heads).add("src/new.rs", BODY).say(Licence)
    };
    assert_ne!(some(1), "");
    assert_eq!(some(2), "");
}
