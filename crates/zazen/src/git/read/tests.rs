//! Reading real commits, with awkward names and contents.

use std::fs;

use super::*;
use crate::git::tests::{Place, git};

#[tokio::test]
async fn a_file_is_read_as_it_is_in_the_commit() {
    let place = Place::new();
    let old = place.head();
    let new = place.commit("src/main.rs", "fn main() { run() }\n", "third");
    let mirror = place.mirror().await;
    let read = async |commit, path| mirror.read_file(commit, path, 100).await.unwrap();
    assert_eq!(read(&old, "src/main.rs").await.unwrap(), b"fn main() {}\n");
    assert_eq!(read(&new, "src/main.rs").await.unwrap(), b"fn main() { run() }\n");
    assert_eq!(read(&new, "src").await, None);
    assert_eq!(read(&new, "nowhere").await, None);
    assert_eq!(read(&new, "--help").await, None);
    assert_eq!(read(&new, "src/*").await, None);
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused() {
    let place = Place::new();
    let head = place.commit("big", &"x".repeat(101), "third");
    let mirror = place.mirror().await;
    let err = mirror.read_file(&head, "big", 100).await.unwrap_err().to_string();
    assert_eq!(err, "`big` has 101 bytes, more than the limit of 100");
    assert_eq!(mirror.read_file(&head, "big", 101).await.unwrap().unwrap().len(), 101);
}

#[tokio::test]
async fn a_link_is_not_read_and_a_path_stays_inside() {
    let place = Place::new();
    std::os::unix::fs::symlink("README.md", place.person().join("link")).unwrap();
    let head = place.commit("a", "a\n", "third");
    let mirror = place.mirror().await;
    assert_eq!(mirror.read_file(&head, "link", 100).await.unwrap(), None);
    for path in ["../x", "/etc/passwd", "a/../b", ""] {
        mirror.read_file(&head, path, 100).await.unwrap_err();
    }
}

#[tokio::test]
async fn files_are_listed_by_their_exact_names() {
    let place = Place::new();
    let head = place.commit("dir/a b\n\u{1b}\"ü", "x", "third");
    let mirror = place.mirror().await;
    let files = mirror.list_files(&head).await.unwrap();
    assert_eq!(files, ["README.md", "dir/a b\n\u{1b}\"ü", "src/main.rs"]);
}

#[tokio::test]
async fn commits_come_in_order_with_what_they_say() {
    let place = Place::new();
    let base = place.head();
    place.commit("a", "a\n", "add \u{1b}[31ma\n\nand more");
    git(&place.person(), &["checkout", "-q", "-b", "side", base.as_str()]);
    place.commit("b", "b\n", "add b");
    git(&place.person(), &["checkout", "-q", "main"]);
    git(&place.person(), &["merge", "-q", "-m", "merge", "side"]);
    git(&place.person(), &["commit", "-q", "--allow-empty", "-m", "nothing"]);
    let head = place.head();
    let mirror = place.mirror().await;
    let commits = mirror.commits_between(&base, &head).await.unwrap();
    let mut shown: Vec<_> = commits
        .iter()
        .map(|commit| (commit.subject.as_str(), commit.parents.len(), commit.n_files))
        .collect();
    assert_eq!(shown.split_off(2), [("merge", 2, 1), ("nothing", 1, 0)]);
    shown.sort_unstable();
    assert_eq!(shown, [("add [31ma", 1, 1), ("add b", 1, 1)]);
    let last = commits.last().unwrap();
    assert_eq!((&last.id, &last.tree), (&head, &mirror.tree_of(&head).await.unwrap()));
    assert_eq!((&*last.author.name, &*last.author.email), ("Ada", "ada@example.org"));
    assert!(last.author.time > 0);
    assert_eq!(mirror.commits_between(&head, &head).await.unwrap(), []);
}

#[tokio::test]
async fn differences_are_counted_per_file() {
    let place = Place::new();
    let base = place.head();
    fs::write(place.person().join("pixel.png"), b"\x89PNG\0\0").unwrap();
    git(&place.person(), &["rm", "-q", "README.md"]);
    let head = place.commit("src/main.rs", "fn main() {\n}\n", "third");
    let mirror = place.mirror().await;
    let stat = mirror.diff_stat(&base, &head).await.unwrap();
    let file = |path: &str, added, removed, binary| FileStat {
        path: path.to_owned(),
        added,
        removed,
        binary,
    };
    assert_eq!(
        stat.files,
        [
            file("README.md", 0, 1, false),
            file("pixel.png", 0, 0, true),
            file("src/main.rs", 2, 1, false),
        ]
    );
}

#[tokio::test]
async fn a_patch_is_cut_at_the_limit() {
    let place = Place::new();
    let base = place.head();
    let head = place.commit("a", &"line\n".repeat(1_000), "third");
    let mirror = place.mirror().await;
    let whole = mirror.diff(&base, &head, 100_000).await.unwrap();
    assert!(whole.text.starts_with("diff --git a/a b/a\nnew file") && !whole.truncated);
    let part = mirror.diff(&base, &head, 100).await.unwrap();
    assert_eq!((part.text.len(), part.truncated), (100, true));
}
