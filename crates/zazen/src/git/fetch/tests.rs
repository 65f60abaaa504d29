//! Fetching over real smart HTTP, from a host that wants a token.

use super::*;
use crate::git::create_bare;
use crate::git::tests::http::{Host, auth};
use crate::git::tests::{Place, git};

struct Scene {
    place: Place,
    host: Host,
    mirror: Mirror,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        create_bare(&place.path("host/engine.git"), &place.mirror().await).await.unwrap();
        let host = Host::serve(&place.path("host")).await;
        let mirror = Self::copy(&place, &host, "engine.git").await;
        Self { place, host, mirror }
    }

    async fn copy(place: &Place, host: &Host, name: &str) -> Mirror {
        let dir = place.path(&format!("copy-{name}"));
        Mirror::open_or_create(&dir, &host.source(name)).await.unwrap()
    }

    /// Somebody pushes to the host.
    fn push(&self, refspec: &str) {
        let bare = self.place.path("host/engine.git");
        git(&self.place.person(), &["push", "-q", "-f", bare.to_str().unwrap(), refspec]);
    }

    async fn pull(&self, n: u64) -> Result<CommitId, FetchError> {
        self.mirror.fetch_pull(PullNumber(n), Some(&auth())).await
    }
}

#[tokio::test]
async fn a_private_repository_is_mirrored_with_its_default_branch() {
    let scene = Scene::new().await;
    scene.push("HEAD:refs/heads/a-topic");
    git(&scene.place.path("host/engine.git"), &["symbolic-ref", "HEAD", "refs/heads/a-topic"]);
    scene.mirror.fetch(Some(&auth())).await.unwrap();
    assert_eq!(scene.mirror.resolve("main").await.unwrap(), Some(scene.place.head()));
    assert_eq!(scene.mirror.default_branch().await.unwrap().as_deref(), Some("a-topic"));

    let newer = scene.place.commit("a", "a\n", "third");
    scene.push("HEAD:refs/heads/main");
    scene.mirror.fetch(Some(&auth())).await.unwrap();
    assert_eq!(scene.mirror.resolve("main").await.unwrap(), Some(newer));
}

#[tokio::test]
async fn without_the_right_token_it_is_said_that_another_is_wanted() {
    let scene = Scene::new().await;
    let unauthorized = |result| match result {
        Err(FetchError::Unauthorized { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    unauthorized(scene.mirror.fetch(None).await);
    let wrong = Auth::basic("x-access-token", "wr0ng-t0ken");
    let why = unauthorized(scene.mirror.fetch(Some(&wrong)).await);
    assert!(!why.contains("wr0ng-t0ken"), "{why}");
    scene.mirror.fetch(Some(&auth())).await.unwrap();
    scene.host.expire_token();
    unauthorized(scene.mirror.fetch(Some(&auth())).await);
    assert!(matches!(scene.pull(1).await, Err(FetchError::Unauthorized { .. })));
}

#[tokio::test]
async fn what_is_not_there_what_is_forbidden_and_what_does_not_answer_differ() {
    let scene = Scene::new().await;
    let none = Scene::copy(&scene.place, &scene.host, "none.git").await;
    let fetched = none.fetch(Some(&auth())).await;
    assert!(matches!(fetched, Err(FetchError::NotFound { .. })), "{fetched:?}");
    let fetched = scene.pull(404).await;
    assert!(matches!(fetched, Err(FetchError::NotFound { .. })), "{fetched:?}");

    scene.host.answer_with(403, None);
    let fetched = scene.mirror.fetch(Some(&auth())).await;
    assert!(matches!(fetched, Err(FetchError::Denied { .. })), "{fetched:?}");
    for status in [429, 500, 502] {
        scene.host.answer_with(status, None);
        let fetched = scene.mirror.fetch(Some(&auth())).await;
        assert!(matches!(fetched, Err(FetchError::Unreachable { .. })), "{fetched:?}");
    }
    let Scene { host, mirror, .. } = scene;
    drop(host);
    let fetched = mirror.fetch(Some(&auth())).await;
    assert!(matches!(fetched, Err(FetchError::Unreachable { .. })), "{fetched:?}");
}

#[tokio::test]
async fn the_head_of_a_pull_request_is_kept_and_is_no_branch() {
    let scene = Scene::new().await;
    scene.mirror.fetch(Some(&auth())).await.unwrap();
    let branches = || git(scene.mirror.dir(), &["for-each-ref", "refs/source"]);
    let before = branches();
    let head = scene.place.commit("theirs", "theirs\n", "theirs");
    scene.push("HEAD:refs/pull/7/head");
    assert_eq!(scene.pull(7).await.unwrap(), head);
    let kept = KeptRef::pull(PullNumber(7));
    assert_eq!(kept.as_str(), "refs/zazen/pulls/7");

    // It stays while branches are fetched, and moves when it is asked for again.
    scene.mirror.fetch(Some(&auth())).await.unwrap();
    assert_eq!(scene.mirror.resolve_kept(&kept).await.unwrap(), Some(head.clone()));
    git(&scene.place.person(), &["commit", "-q", "--amend", "-m", "other words"]);
    scene.push("HEAD:refs/pull/7/head");
    let newer = scene.pull(7).await.unwrap();
    assert_eq!(newer, scene.place.head());
    assert!(scene.mirror.has(&head).await.unwrap());
    assert_eq!(branches(), before);
    assert_eq!(scene.mirror.resolve("pull/7/head").await.unwrap(), None);
}

#[tokio::test]
async fn a_pull_request_that_is_too_large_leaves_nothing() {
    let scene = Scene::new().await;
    scene.mirror.fetch(Some(&auth())).await.unwrap();
    let noise: String = (0..40_000_u64)
        .flat_map(|n| [n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string(), "\n".to_owned()])
        .collect();
    scene.place.commit("large", &noise, "large");
    scene.push("HEAD:refs/pull/8/head");
    let pull = PullNumber(8);
    let fetched = scene.mirror.fetch_pull_within(pull, Some(&auth()), 64 * 1024).await;
    assert!(matches!(fetched, Err(FetchError::TooLarge { .. })), "{fetched:?}");
    assert_eq!(scene.mirror.resolve_kept(&KeptRef::pull(pull)).await.unwrap(), None);
    scene.pull(8).await.unwrap();
}
