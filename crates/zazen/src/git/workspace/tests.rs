//! Checkouts, as the agent finds them.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::git::tests::{Place, git, git_as, listing};

#[tokio::test]
async fn a_workspace_is_clean_on_its_own_branch_and_has_no_remote() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    assert_eq!(git(&agent.dir, &["status", "--porcelain"]), "");
    assert_eq!(git(&agent.dir, &["branch", "--show-current"]), WORK_BRANCH);
    assert_eq!(git(&agent.dir, &["rev-parse", "HEAD"]), agent.base.as_str());
    assert_eq!(git(&agent.dir, &["log", "--format=%s"]), "second\nfirst");
    assert_eq!(git(&agent.dir, &["remote"]), "");
    assert_eq!(fs::read_to_string(agent.dir.join("src/main.rs")).unwrap(), "fn main() {}\n");
}

#[tokio::test]
async fn work_in_a_workspace_leaves_the_mirror_as_it_was() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let before = listing(mirror.dir());
    let agent = place.agent(&mirror).await;
    let head = agent.commit("a", "a\n");
    git(&agent.dir, &["gc", "-q", "--prune=now"]);
    assert_eq!(listing(mirror.dir()), before);
    assert!(!mirror.has(&head).await.unwrap());
}

#[tokio::test]
async fn the_objects_are_where_the_sandbox_sees_them() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let (dest, inside) = (place.path("work"), Path::new("/zazen/objects"));
    prepare(&mirror, &dest, &place.head(), inside, None).await.unwrap();
    let alternates = fs::read_to_string(dest.join(".git/objects/info/alternates")).unwrap();
    assert_eq!(alternates, "/zazen/objects\n");
    // No object was copied: a checkout costs its files and an index.
    let objects = listing(&dest.join(".git/objects"));
    assert_eq!(objects, ["info", "info/alternates"]);
}

#[tokio::test]
async fn another_user_can_work_in_it_and_cannot_write_to_the_mirror() {
    if !rustix::process::getuid().is_root() {
        println!("SKIPPED: giving a workspace to another user takes root");
        return;
    }
    let user = Some(Ids { uid: 60_800, gid: 60_800 });
    let place = Place::new();
    let mirror = place.mirror().await;
    let dest = place.path("work");
    prepare(&mirror, &dest, &place.head(), &mirror.objects(), user).await.unwrap();
    for path in listing(&dest) {
        assert_eq!(dest.join(&path).symlink_metadata().unwrap().uid(), 60_800, "{path}");
    }
    fs::write(dest.join("README.md"), "changed\n").unwrap();
    let as_user = |args: &[&str]| {
        let output = git_as(&dest, args, b"", user);
        assert!(output.status.success(), "git {args:?}: {}", output.stderr_text());
        output.stdout_text()
    };
    assert_eq!(as_user(&["status", "--porcelain"]), " M README.md\n");
    as_user(&["commit", "-q", "-a", "-m", "changed"]);
    as_user(&["log", "-p"]);

    let before = listing(mirror.dir());
    for place in ["objects", "objects/pack", "refs", "refs/source/heads", ""] {
        let file = mirror.dir().join(place).join("planted");
        let touch = crate::exec::Command::new("touch").arg(&file).user(user);
        assert!(!crate::exec::run_blocking(&touch).unwrap().status.success(), "{place}");
    }
    let git_dir = format!("--git-dir={}", mirror.dir().display());
    let output = git_as(&dest, &[&git_dir, "update-ref", "refs/heads/x", "HEAD"], b"", user);
    assert!(!output.status.success());
    assert_eq!(listing(mirror.dir()), before);
}

#[tokio::test]
async fn a_failed_preparation_leaves_nothing() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let dest = place.path("work");
    let nowhere: CommitId = "1".repeat(40).parse().unwrap();
    let inside = Path::new("/zazen/objects");
    let err = prepare(&mirror, &dest, &nowhere, inside, None).await.unwrap_err();
    assert!(format!("{err:#}").contains("`git read-tree` failed"), "{err:#}");
    assert!(!dest.exists());
    for inside in ["relative", "/a:/b", "/a\n/b"] {
        prepare(&mirror, &dest, &place.head(), Path::new(inside), None).await.unwrap_err();
        assert!(!dest.exists());
    }
}

#[tokio::test]
async fn a_folder_that_is_there_is_not_touched() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let dest = place.path("work");
    fs::create_dir(&dest).unwrap();
    fs::write(dest.join("kept"), "x").unwrap();
    let inside = Path::new("/zazen/objects");
    prepare(&mirror, &dest, &place.head(), inside, None).await.unwrap_err();
    assert_eq!(listing(&dest), ["kept"]);
}

#[tokio::test]
async fn what_is_for_coding_agents_is_not_there_and_to_git_nothing_is_changed() {
    let place = Place::new();
    for (path, text) in [
        ("AGENTS.md", "Obey.\n"),
        (".github/hooks/start.json", "{}\n"),
        (".github/workflows/ci.yml", "on: push\n"),
        ("sub/.qwen/settings.json", "{}\n"),
        (".env", "AIDER_TEST_CMD=evil\n"),
        ("more/.env", "x\n"),
    ] {
        place.commit(path, text, path);
    }
    std::os::unix::fs::symlink("sub", place.person().join(".opencode")).unwrap();
    let commit = place.commit("last", "x\n", "A link for agents");
    let mirror = place.mirror().await;
    let dest = place.path("work");
    let also_hidden = &[".env"];
    let content =
        Content { commit: &commit, files: &commit, hides_agent_config: true, also_hidden };
    prepare_with(&mirror, &dest, content, &mirror.objects(), None).await.unwrap();
    let there = listing(&dest);
    let there: Vec<&str> =
        there.iter().map(String::as_str).filter(|path| !path.starts_with(".git/")).collect();
    let expected = [".git", ".github", ".github/workflows", ".github/workflows/ci.yml"];
    assert_eq!(there[..4], expected, "{there:?}");
    for hidden in ["AGENTS.md", ".github/hooks", "sub", ".opencode", ".env"] {
        assert!(!there.contains(&hidden), "{hidden} is in {there:?}");
    }
    assert!(there.contains(&"more/.env"), "{there:?}");
    assert_eq!(git(&dest, &["status", "--porcelain"]), "");
    fs::create_dir(dest.join(".aider.tags.cache.v4")).unwrap();
    fs::write(dest.join(".aider.tags.cache.v4/cache.db"), "x").unwrap();
    // As the runner takes what an agent leaves, and as an agent commits by itself.
    fs::write(dest.join("README.md"), "changed\n").unwrap();
    git(&dest, &["add", "--all"]);
    git(&dest, &["commit", "-q", "-a", "-m", "Change"]);
    assert_eq!(git(&dest, &["show", "--format=", "--name-only"]), "README.md");
    git(&dest, &["reset", "-q", "--hard"]);
    assert!(!dest.join("AGENTS.md").exists());
}
