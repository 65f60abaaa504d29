//! Pushing receipts to real repositories, beside people who push too.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::git::tests::{Place, US, git};
use crate::git::{Source, create_bare};

struct Scene {
    place: Place,
    mirror: Mirror,
    remote: Remote,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new();
        let mirror = place.mirror().await;
        let path = Self::bare(&place);
        create_bare(&path, &mirror).await.unwrap();
        let remote = Remote { source: Source::Path(path), auth: None };
        Self { place, mirror, remote }
    }

    fn bare(place: &Place) -> PathBuf {
        place.path("remote.git")
    }

    async fn push(&self, task: u32, text: &str) -> Result<Pushed, ReceiptError> {
        let head = self.place.head();
        let receipt = Receipt {
            task: TaskId(task),
            head: &head,
            text: text.as_bytes(),
            author: US,
            at: Time(1_790_000_000_000),
        };
        push_receipt(&self.mirror, &self.remote, &receipt).await
    }

    fn on_remote(&self, args: &[&str]) -> String {
        git(&Self::bare(&self.place), args)
    }
}

#[tokio::test]
async fn receipts_are_added_to_a_branch_that_shares_nothing_with_the_code() {
    let scene = Scene::new().await;
    let before = scene.on_remote(&["for-each-ref"]);
    assert_eq!(scene.push(1, "one\n").await.unwrap(), Pushed::Created);
    assert_eq!(scene.push(1, "one\n").await.unwrap(), Pushed::AlreadyThere);
    assert_eq!(scene.push(2, "two\n").await.unwrap(), Pushed::Advanced);
    assert_eq!(scene.push(1, "one\n").await.unwrap(), Pushed::AlreadyThere);
    let head = scene.place.head();
    let log = scene.on_remote(&["log", "--format=%an %s", REF]);
    let short = head.short();
    assert_eq!(
        log,
        format!("zazen Receipt of task 2 at {short}\nzazen Receipt of task 1 at {short}")
    );
    let files = scene.on_remote(&["ls-tree", "-r", "--name-only", REF]);
    assert_eq!(files, format!("1/{head}.json\n2/{head}.json"));
    assert_eq!(scene.on_remote(&["show", &format!("{REF}:2/{head}.json")]), "two");
    let after = scene.on_remote(&["for-each-ref"]);
    let ours = format!("{} commit\t{REF}", scene.on_remote(&["rev-parse", REF]));
    assert_eq!(after, format!("{before}\n{ours}"));
}

#[tokio::test]
async fn a_receipt_is_never_replaced_and_what_others_added_stays() {
    let scene = Scene::new().await;
    scene.push(1, "one\n").await.unwrap();
    let was = scene.on_remote(&["rev-parse", REF]);
    let other = scene.push(1, "another\n").await;
    assert!(matches!(other, Err(ReceiptError::Other { .. })), "{other:?}");
    assert_eq!(scene.on_remote(&["rev-parse", REF]), was);
    // Another zazen adds one of its own, which this mirror has never seen.
    let bare = Scene::bare(&scene.place);
    let tree = git(&bare, &["rev-parse", "main^{tree}"]);
    let theirs = git(&scene.place.person(), &["commit-tree", &tree, "-m", "theirs"]);
    let refspec = format!("+{theirs}:{REF}");
    git(&scene.place.person(), &["push", "-q", bare.to_str().unwrap(), &refspec]);
    assert_eq!(scene.push(3, "three\n").await.unwrap(), Pushed::Advanced);
    assert_eq!(scene.on_remote(&["rev-parse", &format!("{REF}^")]), theirs);
    assert!(scene.on_remote(&["ls-tree", "-r", "--name-only", REF]).contains("README.md"));
}

#[tokio::test]
async fn a_remote_that_takes_no_such_ref_says_so() {
    let scene = Scene::new().await;
    let hook = Scene::bare(&scene.place).join("hooks/update");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho no such refs here >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    match scene.push(1, "one\n").await {
        Err(err @ ReceiptError::Rejected { .. }) => {
            assert!(err.to_string().contains("no such refs here"), "{err}");
            assert!(!err.is_passing());
        }
        other => panic!("{other:?}"),
    }
}
