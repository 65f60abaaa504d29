//! Replacing branches on real remotes, past people who push too.

use super::*;
use crate::git::publish::push;
use crate::git::rebase::{Rebase, rebase};
use crate::git::tests::{Place, RUN, US, commit_as_us, git};
use crate::git::{KeptRef, Source, create_bare};

struct Scene {
    place: Place,
    mirror: Mirror,
    remote: Remote,
    branch: BranchName,
    base: CommitId,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        let mirror = place.mirror().await;
        create_bare(&place.path("remote.git"), &mirror).await.unwrap();
        let remote = Remote { source: Source::Path(place.path("remote.git")), auth: None };
        let base = place.head();
        git(&place.person(), &["checkout", "-q", "-b", "work"]);
        Self { place, mirror, remote, branch: "zazen/12-fix".parse().unwrap(), base }
    }

    /// Publishes what the branch `work` has, and puts it onto a new base.
    async fn publish_and_rebase(&self, people: People) -> Rewritten {
        let published = self.place.head();
        let dir = self.mirror.dir().to_str().unwrap();
        git(&self.place.person(), &["push", "-q", "-f", dir, "work:refs/zazen/12/3"]);
        push(&self.mirror, &self.remote, &self.branch, &published).await.unwrap();
        git(&self.place.person(), &["checkout", "-q", "main"]);
        let onto = self.place.commit("upstream", "upstream\n", "upstream");
        git(&self.place.person(), &["checkout", "-q", "work"]);
        self.mirror.fetch(None).await.unwrap();
        let ours = Ours { task: RUN.task, author: US.to_owned() };
        let what = Rebase {
            base: self.base.clone(),
            head: published.clone(),
            onto,
            ours: ours.clone(),
            people: People::Carry,
            kept: KeptRef::rebased(RUN.task, 1),
        };
        let commit = rebase(&self.mirror, &what).await.unwrap().head;
        Rewritten { base: self.base.clone(), published, commit, ours, people }
    }

    async fn push(&self, what: &Rewritten) -> Result<Pushed, PushError> {
        push_rewritten(&self.mirror, &self.remote, &self.branch, what).await
    }

    fn on_remote(&self) -> String {
        git(&self.place.path("remote.git"), &["rev-parse", "--verify", self.branch.as_str()])
    }

    /// A person pushes what `work` is at, whatever was there.
    fn person_pushes(&self) {
        let remote = self.place.path("remote.git");
        let refspec = format!("+HEAD:refs/heads/{}", self.branch);
        git(&self.place.person(), &["push", "-q", remote.to_str().unwrap(), &refspec]);
    }
}

#[tokio::test]
async fn our_own_work_is_replaced_once() {
    let scene = Scene::new().await;
    commit_as_us(&scene.place.person(), "a", "ours\n");
    let what = scene.publish_and_rebase(People::Refuse).await;
    // The ordinary push never does it.
    let plain = push(&scene.mirror, &scene.remote, &scene.branch, &what.commit).await;
    assert!(matches!(plain, Err(PushError::Foreign { .. })), "{plain:?}");
    assert_eq!(scene.push(&what).await.unwrap(), Pushed::Replaced);
    assert_eq!(scene.on_remote(), what.commit.as_str());
    assert_eq!(scene.push(&what).await.unwrap(), Pushed::AlreadyThere);
}

#[tokio::test]
async fn a_branch_that_a_person_added_to_is_left_alone() {
    let scene = Scene::new().await;
    commit_as_us(&scene.place.person(), "a", "ours\n");
    let what = scene.publish_and_rebase(People::Carry).await;
    let theirs = scene.place.commit("b", "theirs\n", "theirs");
    scene.person_pushes();
    match scene.push(&what).await {
        Err(PushError::Foreign { theirs: seen, .. }) => assert_eq!(seen, theirs),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.on_remote(), theirs.as_str());
}

#[tokio::test]
async fn a_branch_that_a_person_took_back_or_removed_is_left_alone() {
    let scene = Scene::new().await;
    let first = commit_as_us(&scene.place.person(), "a", "ours\n");
    commit_as_us(&scene.place.person(), "b", "ours\n");
    let what = scene.publish_and_rebase(People::Refuse).await;
    git(&scene.place.person(), &["reset", "-q", "--hard", first.as_str()]);
    scene.person_pushes();
    let refused = scene.push(&what).await;
    assert!(matches!(refused, Err(PushError::Foreign { .. })), "{refused:?}");
    assert_eq!(scene.on_remote(), first.as_str());

    git(&scene.place.path("remote.git"), &["branch", "-q", "-D", scene.branch.as_str()]);
    let refused = scene.push(&what).await;
    assert!(matches!(refused, Err(PushError::Gone { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_persons_commit_comes_along_or_the_branch_stays() {
    let scene = Scene::new().await;
    commit_as_us(&scene.place.person(), "a", "ours\n");
    let theirs = scene.place.commit("b", "theirs\n", "theirs");
    let mut what = scene.publish_and_rebase(People::Refuse).await;
    let foreign = |result| match result {
        Err(PushError::Foreign { theirs, .. }) => theirs,
        other => panic!("{other:?}"),
    };
    assert_eq!(foreign(scene.push(&what).await), theirs);
    // Without their commit the result is none to put there, whatever was allowed.
    what.people = People::Carry;
    let without = Rewritten { commit: scene.base.clone(), ..what.clone() };
    assert_eq!(foreign(scene.push(&without).await), theirs);
    assert_eq!(scene.on_remote(), what.published.as_str());
    assert_eq!(scene.push(&what).await.unwrap(), Pushed::Replaced);
    assert_eq!(scene.on_remote(), what.commit.as_str());
}
