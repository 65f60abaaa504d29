//! Mirrors of real repositories.

use super::*;
use crate::git::tests::{Place, RUN, git, listing, snapshot};

#[tokio::test]
async fn a_mirror_has_what_the_source_has_and_follows_it() {
    let place = Place::new();
    git(&place.person(), &["branch", "topic/a"]);
    let mirror = place.mirror().await;
    let head = place.head();
    assert_eq!(mirror.default_branch().await.unwrap().as_deref(), Some("main"));
    assert_eq!(mirror.resolve("main").await.unwrap(), Some(head.clone()));
    assert_eq!(mirror.resolve("topic/a").await.unwrap(), Some(head.clone()));

    git(&place.person(), &["branch", "-D", "topic/a"]);
    let newer = place.commit("a.txt", "a\n", "third");
    mirror.fetch(None).await.unwrap();
    assert_eq!(mirror.resolve("main").await.unwrap(), Some(newer.clone()));
    assert_eq!(mirror.resolve("topic/a").await.unwrap(), None);
    assert!(mirror.is_ancestor(&head, &newer).await.unwrap());
    assert!(!mirror.is_ancestor(&newer, &head).await.unwrap());
}

#[tokio::test]
async fn a_mirror_is_opened_again_with_all_it_had() {
    let place = Place::new();
    place.mirror().await;
    let again = place.unfetched().await;
    assert_eq!(again.resolve("main").await.unwrap(), Some(place.head()));
}

#[tokio::test]
async fn a_bare_repository_and_a_file_url_are_sources_too() {
    let place = Place::new();
    let bare = place.path("bare.git");
    git(&place.person(), &["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    for (n, address) in [format!("{}", bare.display()), format!("file://{}", bare.display())]
        .into_iter()
        .enumerate()
    {
        let dir = place.path(&format!("mirror-{n}"));
        let mirror = Mirror::open_or_create(&dir, &address.parse().unwrap()).await.unwrap();
        mirror.fetch(None).await.unwrap();
        assert_eq!(mirror.resolve("main").await.unwrap(), Some(place.head()));
    }
}

#[tokio::test]
async fn a_branch_that_becomes_a_folder_of_branches_is_followed() {
    let place = Place::new();
    git(&place.person(), &["branch", "a"]);
    let mirror = place.mirror().await;
    git(&place.person(), &["branch", "-D", "a"]);
    git(&place.person(), &["branch", "a/b"]);
    mirror.fetch(None).await.unwrap();
    assert_eq!(mirror.resolve("a").await.unwrap(), None);
    assert_eq!(mirror.resolve("a/b").await.unwrap(), Some(place.head()));
}

#[tokio::test]
async fn reading_a_persons_clone_changes_nothing_in_it() {
    let place = Place::new();
    fs::write(place.person().join("README.md"), "not committed\n").unwrap();
    let before = snapshot(&place.person());
    let mirror = place.mirror().await;
    mirror.fetch(None).await.unwrap();
    mirror.pack().await.unwrap();
    assert!(snapshot(&place.person()) == before);
}

#[tokio::test]
async fn an_empty_source_has_no_branch() {
    let place = Place::empty();
    let mirror = place.mirror().await;
    assert_eq!(mirror.default_branch().await.unwrap(), None);
    place.commit("a", "a\n", "first");
    mirror.fetch(None).await.unwrap();
    assert_eq!(mirror.default_branch().await.unwrap().as_deref(), Some("main"));
}

#[tokio::test]
async fn a_source_in_the_middle_of_something_keeps_its_default_branch() {
    let place = Place::new();
    git(&place.person(), &["branch", "-m", "trunk"]);
    let mirror = place.mirror().await;
    git(&place.person(), &["checkout", "-q", "--detach"]);
    mirror.fetch(None).await.unwrap();
    assert_eq!(mirror.default_branch().await.unwrap().as_deref(), Some("trunk"));
}

#[tokio::test]
async fn a_shallow_source_is_refused_with_a_way_out() {
    let place = Place::new();
    let url = format!("file://{}", place.person().display());
    let shallow = place.path("shallow");
    git(&place.person(), &["clone", "-q", "--depth=1", &url, shallow.to_str().unwrap()]);
    let source = Source::Path(shallow);
    let mirror = Mirror::open_or_create(&place.path("mirror"), &source).await.unwrap();
    let err = mirror.fetch(None).await.unwrap_err().to_string();
    assert!(err.contains("shallow clone") && err.contains("--unshallow"), "{err}");
    assert_eq!(mirror.default_branch().await.unwrap(), None);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named() {
    let place = Place::new();
    let source = Source::Path(place.path("nowhere"));
    let mirror = Mirror::open_or_create(&place.path("mirror"), &source).await.unwrap();
    let err = format!("{:#}", mirror.fetch(None).await.unwrap_err());
    assert!(err.contains("nowhere"), "{err}");
}

#[tokio::test]
async fn a_branch_name_is_never_taken_for_anything_else() {
    let place = Place::new();
    let mirror = place.mirror().await;
    for name in ["main~1", "main^", "main@{0}", "*", "../heads/main", "-x", "", "main\n", "ma:in"] {
        assert_eq!(mirror.resolve(name).await.unwrap(), None, "{name:?}");
    }
}

#[tokio::test]
async fn a_ref_of_ours_moves_only_from_where_it_is_taken_to_be() {
    let place = Place::new();
    let old = place.head();
    let new = place.commit("a", "a\n", "third");
    let mirror = place.mirror().await;
    let name = KeptRef::base(RUN.task);
    assert_eq!(name.as_str(), "refs/zazen/12/base");

    mirror.update_ref(&name, &old, None).await.unwrap();
    mirror.update_ref(&name, &old, None).await.unwrap();
    mirror.update_ref(&name, &new, None).await.unwrap_err();
    mirror.update_ref(&name, &new, Some(&new)).await.unwrap_err();
    mirror.update_ref(&name, &new, Some(&old)).await.unwrap();
    assert_eq!(mirror.resolve_kept(&name).await.unwrap(), Some(new));
}

#[tokio::test]
async fn what_a_task_started_from_outlives_its_branch() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let base = place.head();
    mirror.update_ref(&KeptRef::base(RUN.task), &base, None).await.unwrap();
    git(&place.person(), &["reset", "-q", "--hard", "HEAD~1"]);
    mirror.fetch(None).await.unwrap();
    mirror.git().call("gc").args(["--quiet", "--prune=now"]).run().await.unwrap();
    assert!(mirror.has(&base).await.unwrap());
    assert_eq!(mirror.resolve_kept(&KeptRef::base(RUN.task)).await.unwrap(), Some(base));
}

#[tokio::test]
async fn what_a_killed_process_left_is_cleared_away() {
    let place = Place::new();
    git(&place.person(), &["branch", "tmp_x"]);
    let mirror = place.mirror().await;
    let before = listing(mirror.dir());
    place.commit("a", "a\n", "third");
    for left in [
        "packed-refs.lock",
        "config.lock",
        "refs/source/heads/main.lock",
        "objects/pack/tmp_pack_x",
        "quarantine-12.3-abc/config",
    ] {
        let left = mirror.dir().join(left);
        fs::create_dir_all(left.parent().unwrap()).unwrap();
        fs::write(left, "").unwrap();
    }
    mirror.recover().unwrap();
    assert_eq!(listing(mirror.dir()), before);
    mirror.fetch(None).await.unwrap();
    assert!(mirror.resolve("tmp_x").await.unwrap().is_some());
}
