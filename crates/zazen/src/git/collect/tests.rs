//! Bundles as an agent makes them, and as it should not.

use std::fs;

use super::*;
use crate::git::RESULT_REF;
use crate::git::tests::{Agent, Place, git, judge};

/// A mirror and an agent with a fresh workspace.
async fn scene() -> (Place, Mirror, Agent) {
    let place = Place::new();
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    (place, mirror, agent)
}

/// What becomes of a commit made by hand of one more entry.
async fn crafted(mode: &str, name: &[u8], content: &[u8]) -> Refused {
    let (_place, mirror, agent) = scene().await;
    agent.craft(&[(mode, name, content)]);
    agent.hand_in(&mirror).await.expect_err("it should have been refused")
}

#[tokio::test]
async fn good_work_is_taken_into_the_mirror() {
    let (_place, mirror, agent) = scene().await;
    agent.commit("src/login.rs", "fn login() {}\n");
    let head = agent.commit("src/main.rs", "fn main() { login() }\n");
    let collected = agent.hand_in(&mirror).await.unwrap();
    assert_eq!(collected.head, head);
    assert_eq!(collected.kept.as_str(), "refs/zazen/12/3");
    assert_eq!(mirror.resolve_kept(&collected.kept).await.unwrap(), Some(head.clone()));
    assert_eq!(mirror.tree_of(&head).await.unwrap(), collected.tree);
    let subjects: Vec<_> = collected.commits.iter().map(|commit| &*commit.subject).collect();
    assert_eq!(subjects, ["change src/login.rs", "change src/main.rs"]);
    let paths: Vec<_> = collected.stat.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, ["src/login.rs", "src/main.rs"]);
    let text = mirror.read_file(&head, "src/login.rs", 100).await.unwrap().unwrap();
    assert_eq!(text, b"fn login() {}\n");
}

#[tokio::test]
async fn collecting_twice_ends_the_same() {
    let (_place, mirror, agent) = scene().await;
    agent.commit("a", "a\n");
    let once = agent.hand_in(&mirror).await.unwrap();
    assert_eq!(agent.hand_in(&mirror).await.unwrap(), once);
}

#[tokio::test]
async fn another_result_does_not_take_the_place_of_the_first() {
    let (_place, mirror, agent) = scene().await;
    let first = agent.commit("a", "a\n");
    let kept = agent.hand_in(&mirror).await.unwrap().kept;
    git(&agent.dir, &["commit", "-q", "--amend", "-m", "other"]);
    let other = collect(&mirror, &agent.bundle(), &agent.expect()).await;
    assert!(matches!(other, Err(CollectError::Failed(_))), "{other:?}");
    assert_eq!(mirror.resolve_kept(&kept).await.unwrap(), Some(first));
}

#[tokio::test]
async fn a_bundle_with_the_whole_history_is_taken_too() {
    let (_place, mirror, agent) = scene().await;
    let head = agent.commit("a", "a\n");
    let bundle = agent.bundle_of(&["refs/zazen/result"]);
    assert_eq!(judge(&mirror, &bundle, &agent.expect()).await.unwrap().head, head);
}

#[tokio::test]
async fn a_merge_with_what_came_in_meanwhile_is_taken() {
    let (place, mirror, agent) = scene().await;
    agent.commit("a", "a\n");
    let newer = place.commit("b", "b\n", "meanwhile");
    mirror.fetch(None).await.unwrap();
    git(&agent.dir, &["merge", "-q", "-m", "merge", newer.as_str()]);
    let collected = agent.hand_in(&mirror).await.unwrap();
    assert_eq!(collected.commits.len(), 3);
}

#[tokio::test]
async fn links_and_programs_inside_the_repository_are_taken() {
    let (_place, mirror, agent) = scene().await;
    std::os::unix::fs::symlink("../README.md", agent.dir.join("src/readme")).unwrap();
    git(&agent.dir, &["add", "-A"]);
    git(&agent.dir, &["update-index", "--chmod=+x", "README.md"]);
    agent.commit("a", "a\n");
    agent.hand_in(&mirror).await.unwrap();
}

#[tokio::test]
async fn work_on_another_base_is_refused() {
    let (_place, mirror, agent) = scene().await;
    git(&agent.dir, &["reset", "-q", "--hard", "HEAD~1"]);
    let head = agent.commit("a", "a\n");
    let expected = Refused::WrongBase { head, base: agent.base.clone() };
    assert_eq!(agent.hand_in(&mirror).await, Err(expected));
}

#[tokio::test]
async fn work_with_a_history_of_its_own_is_refused() {
    let (_place, mirror, agent) = scene().await;
    git(&agent.dir, &["checkout", "-q", "--orphan", "new"]);
    agent.commit("a", "a\n");
    let bundle = agent.bundle_of(&["refs/zazen/result"]);
    let refused = judge(&mirror, &bundle, &agent.expect()).await.unwrap_err();
    assert!(matches!(refused, Refused::WrongBase { .. }), "{refused:?}");
}

#[tokio::test]
async fn no_work_is_refused() {
    let (_place, mirror, agent) = scene().await;
    let bundle = agent.bundle_of(&["refs/zazen/result"]);
    assert_eq!(judge(&mirror, &bundle, &agent.expect()).await, Err(Refused::Empty));
    git(&agent.dir, &["commit", "-q", "--allow-empty", "-m", "done"]);
    assert_eq!(agent.hand_in(&mirror).await, Err(Refused::Empty));
}

#[tokio::test]
async fn work_over_a_limit_is_refused() {
    let (_place, mirror, agent) = scene().await;
    agent.commit("a", &"a".repeat(1_000));
    agent.commit("b", "b\n");
    let bundle = agent.bundle();
    let judge = async |limits| judge(&mirror, &bundle, &Expect { limits, ..agent.expect() }).await;
    let standard = Limits::STANDARD;
    assert_eq!(
        judge(Limits { bundle_bytes: 100, ..standard }).await,
        Err(Refused::TooLarge { limit: 100 })
    );
    assert_eq!(
        judge(Limits { n_commits: 1, ..standard }).await,
        Err(Refused::TooManyCommits { limit: 1 })
    );
    assert_eq!(
        judge(Limits { n_files: 1, ..standard }).await,
        Err(Refused::TooManyFiles { limit: 1 })
    );
    assert_eq!(
        judge(Limits { file_bytes: 999, ..standard }).await,
        Err(Refused::FileTooLarge { path: "a".to_owned(), limit: 999 })
    );
    let exact = Limits { n_commits: 2, n_files: 2, file_bytes: 1_000, ..standard };
    judge(exact).await.unwrap();
}

#[tokio::test]
async fn what_is_added_and_removed_again_is_judged_too() {
    let (_place, mirror, agent) = scene().await;
    agent.commit("huge", &"0".repeat(11 << 20));
    git(&agent.dir, &["rm", "-q", "huge"]);
    agent.commit("a", "a\n");
    let refused = agent.hand_in(&mirror).await.unwrap_err();
    assert!(matches!(refused, Refused::FileTooLarge { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_submodule_is_refused() {
    let commit = "1".repeat(40);
    let refused = crafted("160000", b"sub", commit.as_bytes()).await;
    assert_eq!(refused, Refused::Submodule { path: "sub".to_owned() });
}

#[tokio::test]
async fn a_change_of_where_submodules_come_from_is_refused() {
    let modules = b"[submodule \"x\"]\n\tpath = x\n\turl = https://example.org/x\n";
    for name in [".gitmodules", ".GitModules"] {
        let refused = crafted("100644", name.as_bytes(), modules).await;
        let fault = PathFault::Submodules;
        assert_eq!(refused, Refused::Path { path: name.to_owned(), fault });
    }
}

#[tokio::test]
async fn a_link_that_leaves_the_repository_is_refused() {
    for (target, fault) in [
        ("/etc/passwd", PathFault::AbsoluteLink),
        ("../out", PathFault::LinkOut),
        (".git/config", PathFault::DotGit),
    ] {
        let refused = crafted("120000", b"out", target.as_bytes()).await;
        assert_eq!(refused, Refused::Path { path: "out".to_owned(), fault });
    }
    let long = "a/".repeat(5_000);
    let refused = crafted("120000", b"out", long.as_bytes()).await;
    assert!(matches!(refused, Refused::FileTooLarge { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_name_that_stands_for_something_else_is_refused() {
    for name in
        [".git", ".GIT", "git~1", ".git ", ".g\u{200c}it", "..", ".", "../x", "/x", "a/../b"]
    {
        let refused = crafted("100644", name.as_bytes(), b"x").await;
        // Git itself knows most of these, and it comes first.
        assert!(matches!(refused, Refused::Broken { .. } | Refused::Path { .. }), "{refused:?}");
    }
    for name in [&b"a\nb"[..], b"a\x1b[2J", b"a\xff", "a\u{202e}b".as_bytes(), b"a\\..\\b"] {
        let refused = crafted("100644", name, b"x").await;
        assert!(matches!(refused, Refused::Path { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn an_unusual_mode_is_refused() {
    let refused = crafted("100666", b"a", b"x").await;
    assert!(matches!(refused, Refused::Broken { .. } | Refused::Mode { .. }), "{refused:?}");
}

#[tokio::test]
async fn an_author_may_be_anyone_and_is_shown_as_they_said() {
    let (_place, mirror, agent) = scene().await;
    fs::write(agent.dir.join("a"), "a\n").unwrap();
    git(&agent.dir, &["add", "-A"]);
    let author = "--author=The \u{1b}[1mMaintainer <root@example.org>";
    git(&agent.dir, &["commit", "-q", author, "-m", "x"]);
    let collected = agent.hand_in(&mirror).await.unwrap();
    assert_eq!(collected.commits[0].author.name, "The [1mMaintainer");
    assert_eq!(collected.commits[0].committer.name, "Ada");
}

#[tokio::test]
async fn a_bundle_that_is_not_a_file_is_refused_without_waiting() {
    let (place, mirror, agent) = scene().await;
    agent.commit("a", "a\n");
    let real = agent.bundle();
    let path = place.path("odd");
    let refused = async || judge(&mirror, &path, &agent.expect()).await.unwrap_err();
    assert_eq!(refused().await, Refused::Missing);

    std::os::unix::fs::symlink(&real, &path).unwrap();
    assert_eq!(refused().await, Refused::NotAFile);
    fs::remove_file(&path).unwrap();

    let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
    assert_eq!(refused().await, Refused::NotAFile);
    fs::remove_file(&path).unwrap();

    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(refused().await, Refused::NotAFile);
    drop(socket);
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    assert_eq!(refused().await, Refused::NotAFile);
    fs::remove_dir(&path).unwrap();

    let sparse = fs::File::create(&path).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let limit = Limits::STANDARD.bundle_bytes;
    assert_eq!(refused().await, Refused::TooLarge { limit });
}

#[tokio::test]
async fn a_bundle_with_other_refs_is_refused() {
    let (_place, mirror, agent) = scene().await;
    agent.commit("a", "a\n");
    let base = format!("^{}", agent.base);
    let other = agent.bundle_of(&["refs/heads/work", &base]);
    let refused = judge(&mirror, &other, &agent.expect()).await.unwrap_err();
    assert_eq!(refused, Refused::NotABundle(BundleFault::OtherRef));
    let both = agent.bundle_of(&["refs/zazen/result", "refs/heads/work", &base]);
    let refused = judge(&mirror, &both, &agent.expect()).await.unwrap_err();
    assert!(matches!(refused, Refused::NotABundle(_)), "{refused:?}");
}

#[tokio::test]
async fn garbage_is_refused() {
    let (_place, mirror, agent) = scene().await;
    agent.commit("a", "a\n");
    let path = agent.bundle();
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    let middle = good.len() - 40;
    flipped[middle] ^= 1;
    let head_end = good.windows(2).position(|two| two == b"\n\n").unwrap() + 2;
    let mut no_objects = good[..head_end].to_vec();
    no_objects.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\0");
    for bytes in [&b""[..], b"garbage", &good[..good.len() - 1], &flipped, &no_objects] {
        fs::write(&path, bytes).unwrap();
        let refused = judge(&mirror, &path, &agent.expect()).await.unwrap_err();
        assert!(matches!(refused, Refused::NotABundle(_) | Refused::Broken { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn a_claim_without_its_objects_is_refused() {
    let (_place, mirror, agent) = scene().await;
    let head = agent.commit("a", "a\n");
    let path = agent.bundle();
    let text = fs::read(&path).unwrap();
    let forged = "1".repeat(40);
    let at = text.windows(40).position(|id| id == head.as_str().as_bytes()).unwrap();
    let mut bytes = text.clone();
    bytes[at..at + 40].copy_from_slice(forged.as_bytes());
    fs::write(&path, bytes).unwrap();
    let refused = judge(&mirror, &path, &agent.expect()).await.unwrap_err();
    assert!(matches!(refused, Refused::WrongBase { .. }), "{refused:?}");
}

/// A bundle of three objects, the last of which says it is ten gigabytes of zeros.
#[tokio::test]
async fn a_small_bundle_that_unpacks_to_gigabytes_is_refused() {
    let (_place, mirror, agent) = scene().await;
    let head = agent.commit("a", "a\n");
    let path = agent.bundle();
    let mut bytes = format!("# v2 git bundle\n{head} {RESULT_REF}\n\n").into_bytes();
    bytes.extend_from_slice(include_bytes!("tests/ten-gigabytes.pack"));
    fs::write(&path, bytes).unwrap();
    let refused = judge(&mirror, &path, &agent.expect()).await.unwrap_err();
    assert_eq!(refused, Refused::TooCostly);
}
