//! Whole changes of real repositories, with awkward names, contents and attributes.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::git::tests::{Place, git};

/// Each file in a line: its paths, whether its sides are text, what is gone and what is new.
fn show(changes: &Changes) -> String {
    let mut all = String::new();
    for change in &changes.files {
        let side = |side: &Option<Side>| match side {
            None => "-".to_owned(),
            Some(side) => format!("{:?} {:o} {}", side.path, side.mode, side.n_bytes),
        };
        let texts = |lines: Vec<guard::Line<'_>>| {
            lines.iter().map(|line| format!("{}:{}", line.n, line.text)).collect::<Vec<_>>()
        };
        let (before, after) = (side(&change.before), side(&change.after));
        let (removed, added) = (texts(change.removed()), texts(change.added()));
        writeln!(all, "{before} → {after} {removed:?} {added:?}").unwrap();
    }
    all
}

#[tokio::test]
#[expect(clippy::format_collect, reason = "short lists, in no hurry")]
async fn every_kind_of_change_is_read_with_its_lines() {
    let place = Place::new();
    let lines: String = (1..=20).map(|n| format!("line {n}\n")).collect();
    place.commit("old name.txt", &lines, "one");
    place.commit("gone.txt", "a\nb\n", "two");
    place.commit("kind", "text\n", "three");
    let base = place.commit("mode.sh", "#!/bin/sh\n", "four");
    let person = place.person();
    fs::rename(person.join("old name.txt"), person.join("new\tname\".txt")).unwrap();
    fs::write(person.join("new\tname\".txt"), lines.replace("line 7\n", "line seven\n")).unwrap();
    fs::remove_file(person.join("gone.txt")).unwrap();
    fs::remove_file(person.join("kind")).unwrap();
    symlink("README.md", person.join("kind")).unwrap();
    fs::set_permissions(person.join("mode.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(person.join("picture.png"), b"\x89PNG\0\0\n").unwrap();
    let head = place.commit("src/new.rs", "fn a() {}\nfn b() {}", "five");
    let mirror = place.mirror().await;
    let changes = mirror.changes(&base, &head).await.unwrap();
    assert!(!changes.is_cut);
    assert_eq!(
        show(&changes),
        "\"gone.txt\" 100644 4 → - [\"1:a\", \"2:b\"] []\n\
         \"kind\" 100644 5 → \"kind\" 120000 9 [\"1:text\"] [\"1:README.md\"]\n\
         \"mode.sh\" 100644 10 → \"mode.sh\" 100755 10 [] []\n\
         \"old name.txt\" 100644 151 → \"new\\tname\\\".txt\" 100644 155 [\"7:line 7\"] [\"7:line seven\"]\n\
         - → \"picture.png\" 100644 7 [] []\n\
         - → \"src/new.rs\" 100644 19 [] [\"1:fn a() {}\", \"2:fn b() {}\"]\n"
    );
}

#[tokio::test]
async fn no_attribute_of_a_repository_hides_what_is_in_a_file() {
    let place = Place::new();
    let base = place.commit(".gitattributes", "*.rs binary -diff\n* -text\n", "one");
    let head = place.commit("src/new.rs", "fn a() {}\n", "two");
    let mirror = place.mirror().await;
    let changes = mirror.changes(&base, &head).await.unwrap();
    assert_eq!(changes.files[0].added().len(), 1);
    // With the tip as the branch that `HEAD` names, too.
    let changes = mirror.changes(&head, &base).await.unwrap();
    assert_eq!(changes.files[0].removed().len(), 1);
}

#[tokio::test]
async fn what_is_too_large_is_not_read_and_said_to_be() {
    let place = Place::new();
    let base = place.head();
    let large = "x\n".repeat(usize::try_from(TEXT_BYTES_MAX).unwrap() / 2 + 1);
    place.commit("large.txt", &large, "one");
    let head = place.commit("small.txt", "a\n", "two");
    let mirror = place.mirror().await;
    let changes = mirror.changes(&base, &head).await.unwrap();
    let content = |n: usize| &changes.files[n].after.as_ref().unwrap().content;
    assert_eq!(*content(0), Content::Unread);
    assert_eq!(*content(1), Content::Text("a\n".to_owned()));
}

#[tokio::test]
async fn too_many_files_are_said_to_be_cut() {
    let place = Place::new();
    let base = place.head();
    for n in 0..=FILES_MAX {
        fs::write(place.person().join(format!("f{n}")), "x\n").unwrap();
    }
    let head = place.commit("last", "x\n", "many");
    let mirror = place.mirror().await;
    let changes = mirror.changes(&base, &head).await.unwrap();
    assert!(changes.is_cut);
    assert_eq!(changes.files.len(), FILES_MAX);
}

#[tokio::test]
async fn files_beside_are_found_by_folder_and_ending() {
    let place = Place::new();
    place.commit("src/b.rs", "// b\n", "one");
    place.commit("src/c.py", "# c\n", "two");
    git(&place.person(), &["rm", "-q", "README.md"]);
    let base = place.commit("top.rs", "// top\n", "three");
    let mirror = place.mirror().await;
    let beside = async |paths: &[&str]| {
        let paths = paths.iter().copied().collect();
        let found = mirror.beside(&base, &paths).await.unwrap();
        found.into_iter().map(|each| each.path).collect::<Vec<_>>()
    };
    assert_eq!(beside(&["src/new.rs"]).await, ["src/b.rs", "src/main.rs"]);
    assert_eq!(beside(&["new.rs"]).await, ["top.rs"]);
    assert_eq!(beside(&["nowhere/new.rs", "--help.rs", "src/Makefile"]).await, ["top.rs"]);
    assert_eq!(beside(&["nowhere/new.rs"]).await, [""; 0]);
}

#[test]
fn what_git_does_not_print_is_not_taken_for_a_change() {
    let entry_of = |text: &str| {
        let mut tokens = text.split('\0').map(str::as_bytes);
        let facts = tokens.next().unwrap();
        entry(facts, &mut tokens)
    };
    let id = "1".repeat(40);
    let good = format!(":100644 100644 {id} {id} M\0a");
    assert!(entry_of(&good).is_some());
    assert!(entry_of(&good.replace(":100644", "100644")).is_none());
    assert!(entry_of(&good.replace("\0a", "")).is_none());
    assert!(entry_of(&good.replace(" M", "")).is_none());
    assert!(entry_of(&good.replace(" M", " R100")).is_none());
    assert!(next(b"abc 3\nxy\n").is_none() && next(b"abc 2\nxyz").is_none());
    assert_eq!(next(b"abc 2\nxy\nrest"), Some(("abc", &b"xy"[..], &b"rest"[..])));
}
