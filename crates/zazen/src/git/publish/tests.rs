//! Pushing to real repositories, past people who push too.

use std::path::PathBuf;

use super::*;
use crate::git::create_bare;
use crate::git::tests::http::{Host, auth};
use crate::git::tests::{Place, git};

struct Scene {
    place: Place,
    mirror: Mirror,
    remote: Remote,
    branch: BranchName,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        let mirror = place.mirror().await;
        let remote = Self::bare(&place);
        create_bare(&remote, &mirror).await.unwrap();
        let remote = Remote { source: Source::Path(remote), auth: None };
        let branch = BranchName::new(TaskId(12), "fix-login").unwrap();
        Self { place, mirror, remote, branch }
    }

    fn bare(place: &Place) -> PathBuf {
        place.path("remote.git")
    }

    /// A commit that the mirror has.
    async fn commit(&self, text: &str) -> CommitId {
        let commit = self.place.commit("work", text, text);
        self.mirror.fetch(None).await.unwrap();
        commit
    }

    async fn push(&self, commit: &CommitId) -> Result<Pushed, PushError> {
        push(&self.mirror, &self.remote, &self.branch, commit).await
    }

    fn on_remote(&self) -> String {
        git(&Self::bare(&self.place), &["rev-parse", "--verify", self.branch.as_str()])
    }
}

#[tokio::test]
async fn a_branch_is_created_once_and_advanced() {
    let scene = Scene::new().await;
    let first = scene.commit("one").await;
    assert_eq!(scene.push(&first).await.unwrap(), Pushed::Created);
    assert_eq!(scene.push(&first).await.unwrap(), Pushed::AlreadyThere);
    let second = scene.commit("two").await;
    assert_eq!(scene.push(&second).await.unwrap(), Pushed::Advanced);
    assert_eq!(scene.push(&second).await.unwrap(), Pushed::AlreadyThere);
    assert_eq!(scene.on_remote(), second.as_str());
}

#[tokio::test]
async fn nothing_but_the_branch_is_pushed() {
    let scene = Scene::new().await;
    let commit = scene.commit("one").await;
    let before = git(&Scene::bare(&scene.place), &["for-each-ref"]);
    scene.mirror.git().call("tag").args(["v1", commit.as_str()]).run().await.unwrap();
    scene.push(&commit).await.unwrap();
    let after = git(&Scene::bare(&scene.place), &["for-each-ref"]);
    let ours = format!("{commit} commit\trefs/heads/zazen/12-fix-login");
    assert_eq!(after, format!("{before}\n{ours}"));
}

#[tokio::test]
async fn a_branch_with_commits_of_others_is_left_alone() {
    let scene = Scene::new().await;
    let ours = scene.commit("ours").await;
    let person = scene.place.person();
    git(&person, &["checkout", "-q", "-b", "theirs", "HEAD~1"]);
    let theirs = scene.place.commit("work", "theirs", "theirs");
    let bare = Scene::bare(&scene.place);
    let refspec = format!("HEAD:refs/heads/{}", scene.branch);
    git(&person, &["push", "-q", bare.to_str().unwrap(), &refspec]);
    for is_known in [false, true] {
        if is_known {
            scene.mirror.fetch(None).await.unwrap();
        }
        match scene.push(&ours).await {
            Err(PushError::Foreign { theirs: seen, .. }) => assert_eq!(seen, theirs),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(scene.on_remote(), theirs.as_str());
}

#[tokio::test]
async fn a_branch_is_not_taken_back_to_an_earlier_commit() {
    let scene = Scene::new().await;
    let first = scene.commit("one").await;
    let second = scene.commit("two").await;
    scene.push(&second).await.unwrap();
    assert!(matches!(scene.push(&first).await, Err(PushError::Foreign { .. })));
    assert_eq!(scene.on_remote(), second.as_str());
}

#[tokio::test]
async fn a_branch_that_changes_between_looking_and_pushing_is_left_alone() {
    let scene = Scene::new().await;
    let first = scene.commit("one").await;
    let second = scene.commit("two").await;
    let third = scene.commit("three").await;
    let Scene { mirror, remote, branch, .. } = &scene;
    scene.push(&second).await.unwrap();
    for seen in [None, Some(&first)] {
        let raced = push_onto(mirror, remote, branch, (seen, &third)).await;
        assert!(matches!(raced, Err(PushError::Raced { .. })), "{raced:?}");
    }
    assert_eq!(scene.on_remote(), second.as_str());

    git(&Scene::bare(&scene.place), &["update-ref", "-d", "refs/heads/zazen/12-fix-login"]);
    let raced = push_onto(mirror, remote, branch, (Some(&second), &third)).await;
    assert!(matches!(raced, Err(PushError::Raced { .. })), "{raced:?}");
}

#[tokio::test]
async fn a_hook_that_says_no_is_heard() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new().await;
    let commit = scene.commit("one").await;
    let hook = Scene::bare(&scene.place).join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho only on weekdays >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    match scene.push(&commit).await {
        Err(PushError::Rejected { why, .. }) => assert!(why.contains("weekdays"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_fails_at_the_remote_is_no_refusal() {
    let branch: BranchName = "zazen/12-fix-login".parse().unwrap();
    for (said, passes) in [
        ("[remote rejected] (Internal Server Error)", true),
        ("[remote rejected] (pre-receive hook timed out)", true),
        ("[remote rejected] (protected branch hook declined)", false),
        ("[remote rejected] (push declined due to repository rule violations)", false),
    ] {
        let err = refusal(branch.clone(), said, "");
        assert_eq!(err.is_passing(), passes, "{said}: {err:?}");
        assert_eq!(matches!(err, PushError::Rejected { .. }), !passes, "{said}: {err:?}");
    }
}

#[tokio::test]
async fn a_remote_that_is_not_there_is_unreachable() {
    let mut scene = Scene::new().await;
    let commit = scene.commit("one").await;
    scene.remote.source = Source::Path(scene.place.path("nowhere"));
    assert!(matches!(scene.push(&commit).await, Err(PushError::Unreachable { .. })));
}

#[tokio::test]
async fn a_forge_that_does_not_let_us_push_says_what_would_help() {
    let mut scene = Scene::new().await;
    let commit = scene.commit("one").await;
    let host = Host::serve(&scene.place.path("")).await;
    let wrong = Auth::basic("x-access-token", "wr0ng");
    scene.remote = Remote { source: host.source("remote.git"), auth: Some(wrong) };
    let refused = scene.push(&commit).await;
    assert!(matches!(refused, Err(PushError::Unauthorized { .. })), "{refused:?}");
    scene.remote.auth = Some(auth());
    assert_eq!(scene.push(&commit).await.unwrap(), Pushed::Created);
    assert_eq!(scene.on_remote(), commit.as_str());

    host.answer_with(403, None);
    let refused = scene.push(&commit).await;
    assert!(matches!(refused, Err(PushError::Denied { .. })), "{refused:?}");
    host.answer_with(503, None);
    let refused = scene.push(&commit).await;
    assert!(matches!(refused, Err(PushError::Unreachable { .. })), "{refused:?}");
    host.answer_with(404, None);
    let refused = scene.push(&commit).await;
    assert!(matches!(refused, Err(PushError::NotFound { .. })), "{refused:?}");
}

#[tokio::test]
async fn every_name_of_a_branch_of_ours_is_one_to_git() {
    let place = Place::new();
    for name in ["zazen/12-fix-login", "zazen/0-a", "zazen/1--", "zazen/4294967295--a-"] {
        let branch: BranchName = name.parse().unwrap();
        git(&place.person(), &["check-ref-format", "--branch", branch.as_str()]);
    }
}

#[test]
fn only_branches_of_ours_have_a_name() {
    let longest = format!("zazen/4294967295-{}", "a".repeat(60));
    for name in ["zazen/12-fix-login", "zazen/0-a", "zazen/1--", &longest] {
        assert_eq!(name.parse::<BranchName>().unwrap().as_str(), name);
    }
    for name in [
        "main",
        "refs/heads/main",
        "zazen/",
        "zazen/12",
        "zazen/12-",
        "zazen/-x",
        "zazen/+1-x",
        "zazen/012-x",
        "zazen/12-X",
        "zazen/12-a/b",
        "zazen/12-../../x",
        "zazen/12-a.lock",
        "zazen/12-a@{",
        "zazen/12-a b",
        "zazen/12-a\n",
        "zazen/12-ü",
        "zazen/12-🦀",
        "zazen/4294967296-x",
        "-oProxyCommand=x",
        "--upload-pack=x",
        "$(touch x)",
        &format!("zazen/1-{}", "a".repeat(61)),
        &"a".repeat(4_096),
    ] {
        assert!(name.parse::<BranchName>().is_err(), "{name}");
    }
    BranchName::new(TaskId(1), "a/../b").unwrap_err();
}
