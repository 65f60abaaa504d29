//! Reading what is on a branch.

use super::*;
use crate::git::KeptRef;
use crate::git::tests::{Place, RUN, US, commit_as_us, git};

fn ours() -> Ours {
    Ours { task: RUN.task, author: US.to_owned() }
}

#[tokio::test]
async fn a_commit_is_ours_if_it_says_so_and_we_know_it() {
    let place = Place::new();
    let base = place.head();
    let made = commit_as_us(&place.person(), "a", "ours\n");
    let theirs = place.commit("b", "theirs\n", "theirs");
    let disguised = commit_as_us(&place.person(), "c", "not ours\n");
    let mirror = place.mirror().await;
    mirror.update_ref(&KeptRef::run(RUN), &theirs, None).await.unwrap();
    let foreign = mirror.foreign_commits(&base, &disguised, &ours()).await.unwrap();
    let found: Vec<_> = foreign.iter().map(|c| (&c.commit, &*c.author.name)).collect();
    assert_eq!(found, [(&theirs, "Ada"), (&disguised, "zazen")]);
    assert_eq!(mirror.foreign_commits(&base, &made, &ours()).await.unwrap(), []);
    assert!(mirror.is_kept(RUN.task, &made).await.unwrap());
    assert!(!mirror.is_kept(RUN.task, &disguised).await.unwrap());
    assert!(!mirror.is_kept(zazen_core::id::TaskId(13), &made).await.unwrap());
    let other = Ours { task: zazen_core::id::TaskId(13), ..ours() };
    assert_eq!(mirror.foreign_commits(&base, &made, &other).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_range_counts_what_the_branch_changes_and_not_what_its_base_did_since() {
    let place = Place::new();
    git(&place.person(), &["checkout", "-q", "-b", "work"]);
    place.commit("a", "1\n2\n", "one");
    let tip = place.commit("README.md", "", "two");
    git(&place.person(), &["checkout", "-q", "main"]);
    let base = place.commit("z", "z\n", "meanwhile");
    let mirror = place.mirror().await;
    let stat = mirror.range_stat(&base, &tip).await.unwrap();
    assert_eq!(stat, RangeStat { n_commits: 2, n_files: 2, n_added: 2, n_removed: 1 });
}

#[tokio::test]
async fn trailers_are_read_and_words_that_look_like_them_are_not() {
    let place = Place::new();
    let ours = commit_as_us(&place.person(), "a", "ours\n");
    let plain = place.commit(
        "b",
        "b\n",
        "subject\n\nZazen-Task: in a sentence\nand more words.\n\nThe end",
    );
    let mirror = place.mirror().await;
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let trailers = mirror.trailers(&ours).await.unwrap();
    assert_eq!(trailers, [pair("Refs", "#7"), pair("Zazen-Task", "12")]);
    assert_eq!(mirror.trailers(&plain).await.unwrap(), []);
}
