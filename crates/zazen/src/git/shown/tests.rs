//! The lines that a pull request shows.

use std::collections::BTreeSet;

use crate::git::tests::{Place, git};

fn lines(n: u32, changed: &[u32]) -> String {
    let line = |i| if changed.contains(&i) { format!("{i} changed\n") } else { format!("{i}\n") };
    (1..=n).map(line).collect()
}

#[tokio::test]
async fn the_changed_lines_and_three_around_them_are_shown() {
    let place = Place::new();
    place.commit("a", &lines(40, &[]), "before");
    git(&place.person(), &["checkout", "-q", "-b", "work"]);
    place.commit("a", &lines(40, &[10, 30]), "change");
    let head = place.commit("new", "1\n2\n@@ -1 +90,9 @@\n", "new");
    git(&place.person(), &["checkout", "-q", "main"]);
    // What the base did since is not part of it.
    let base = place.commit("a", &lines(40, &[20]), "meanwhile");
    let mirror = place.mirror().await;
    let shown = mirror
        .shown_lines((&base, &head), &BTreeSet::from(["a", "new", "README.md"]))
        .await
        .unwrap();
    assert_eq!(shown["a"], [7..=13, 27..=33]);
    assert_eq!(shown["new"], [1..=3]);
    assert_eq!(shown["README.md"], []);
}

#[tokio::test]
async fn of_a_renamed_file_only_what_is_changed_is_shown() {
    let place = Place::new();
    let base = place.commit("old", &lines(40, &[]), "before");
    git(&place.person(), &["mv", "old", "new name*"]);
    let head = place.commit("new name*", &lines(40, &[40]), "rename");
    let mirror = place.mirror().await;
    let shown = mirror.shown_lines((&base, &head), &BTreeSet::from(["new name*"])).await.unwrap();
    assert_eq!(shown["new name*"], [37..=40]);
}

#[tokio::test]
async fn of_removed_lines_only_those_around_them_are_shown() {
    let place = Place::new();
    let base = place.commit("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "before");
    let head = place.commit("a", "1\n2\n3\n4\n5\n6\n7\n8\n", "less");
    let gone = place.commit("a", "", "nothing");
    let mirror = place.mirror().await;
    assert_eq!(
        mirror.shown_lines((&base, &head), &BTreeSet::from(["a"])).await.unwrap()["a"],
        [6..=8]
    );
    assert_eq!(mirror.shown_lines((&base, &gone), &BTreeSet::from(["a"])).await.unwrap()["a"], []);
}

#[tokio::test]
async fn commits_with_nothing_in_common_show_nothing() {
    let place = Place::new();
    let base = place.head();
    git(&place.person(), &["checkout", "-q", "--orphan", "other"]);
    let head = place.commit("a", "1\n", "another beginning");
    let mirror = place.mirror().await;
    assert!(mirror.shown_lines((&base, &head), &BTreeSet::from(["a"])).await.unwrap().is_empty());
}
