//! The bare repository of the local forge.

use super::*;
use crate::git::tests::{Place, git};

#[tokio::test]
async fn it_can_be_cloned_like_any_other() {
    let place = Place::new();
    git(&place.person(), &["branch", "-m", "trunk"]);
    let mirror = place.mirror().await;
    let bare = place.path("forge/engine.git");
    create_bare(&bare, &mirror).await.unwrap();
    let clone = place.path("clone");
    git(&place.person(), &["clone", "-q", bare.to_str().unwrap(), clone.to_str().unwrap()]);
    assert_eq!(git(&clone, &["rev-parse", "HEAD"]), place.head().as_str());
    assert_eq!(git(&clone, &["branch", "--show-current"]), "trunk");
}

#[tokio::test]
async fn one_that_is_there_is_left_alone() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let bare = place.path("engine.git");
    create_bare(&bare, &mirror).await.unwrap();
    let first = git(&bare, &["rev-parse", "main"]);
    place.commit("a", "a\n", "third");
    mirror.fetch(None).await.unwrap();
    create_bare(&bare, &mirror).await.unwrap();
    assert_eq!(git(&bare, &["rev-parse", "main"]), first);
}

#[tokio::test]
async fn a_source_without_a_commit_is_refused() {
    let place = Place::empty();
    let mirror = place.mirror().await;
    let bare = place.path("engine.git");
    let err = create_bare(&bare, &mirror).await.unwrap_err().to_string();
    assert!(err.contains("make a first commit"), "{err}");
    assert!(!bare.exists());
}
