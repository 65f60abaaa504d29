//! Rebasing beside what `git rebase` does with the same.

use std::fs;

use proptest::prelude::*;
use zazen_core::id::{PullNumber, TaskId};

use super::*;
use crate::git::range::patch_id;
use crate::git::tests::{Place, RUN, US, commit_as_us, git, git_as, listing};

struct Scene {
    place: Place,
    mirror: Mirror,
    base: CommitId,
}

/// A file of twelve lines, some of them changed.
fn file(changes: &[(usize, &str)]) -> String {
    let line =
        |n: usize| changes.iter().rfind(|(at, _)| *at == n).map_or("as it was", |(_, to)| to);
    (0..12).flat_map(|n| [format!("line {n}: "), line(n).to_owned(), "\n".to_owned()]).collect()
}

impl Scene {
    /// A person's repository at the base; work is to go on a branch.
    async fn new() -> Self {
        let place = Place::new();
        let base = place.commit("a", &file(&[]), "base");
        let mirror = place.mirror().await;
        git(&place.person(), &["checkout", "-q", "-b", "work"]);
        Self { place, mirror, base }
    }

    fn ours(&self, path: &str, text: &str) -> CommitId {
        commit_as_us(&self.place.person(), path, text)
    }

    /// The person goes on with `main`, which becomes the new base.
    fn upstream(&self, path: &str, text: &str) -> CommitId {
        git(&self.place.person(), &["checkout", "-q", "main"]);
        let onto = self.place.commit(path, text, "upstream");
        git(&self.place.person(), &["checkout", "-q", "work"]);
        onto
    }

    /// Takes all to the mirror, the work as a run's.
    async fn what(&self, onto: &CommitId) -> Rebase {
        let mirror = self.mirror.dir().to_str().unwrap();
        git(&self.place.person(), &["push", "-q", "-f", mirror, "work:refs/zazen/12/3"]);
        self.mirror.fetch(None).await.unwrap();
        Rebase {
            base: self.base.clone(),
            head: git(&self.place.person(), &["rev-parse", "work"]).parse().unwrap(),
            onto: onto.clone(),
            ours: Ours { task: RUN.task, author: US.to_owned() },
            people: People::Refuse,
            kept: KeptRef::rebased(RUN.task, 1),
        }
    }

    async fn info(&self, base: &CommitId, head: &CommitId) -> Vec<CommitInfo> {
        self.mirror.commits_between(base, head).await.unwrap()
    }

    async fn text(&self, commit: &CommitId, path: &str) -> String {
        let file = self.mirror.read_file(commit, path, 10_000).await.unwrap().unwrap();
        String::from_utf8(file).unwrap()
    }
}

#[tokio::test]
async fn commits_move_with_their_authors_dates_and_messages() {
    let scene = Scene::new().await;
    scene.ours("a", &file(&[(1, "ours")]));
    let head = scene.ours("b", "new\n");
    let onto = scene.upstream("a", &file(&[(9, "theirs")]));
    let what = scene.what(&onto).await;
    let rebased = rebase(&scene.mirror, &what).await.unwrap();
    assert_eq!(scene.text(&rebased.head, "a").await, file(&[(1, "ours"), (9, "theirs")]));
    let before = scene.info(&scene.base, &head).await;
    let after = scene.info(&onto, &rebased.head).await;
    assert_eq!(after.len(), 2);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.author, &before.committer), (&after.author, &after.committer));
        let message =
            |id: &CommitId| git(scene.mirror.dir(), &["log", "-1", "--format=%B", id.as_str()]);
        assert_eq!(message(&before.id), message(&after.id));
        assert!(rebased.commits.contains(&(before.id.clone(), after.id.clone())));
    }
    assert_eq!(scene.mirror.resolve_kept(&what.kept).await.unwrap(), Some(rebased.head.clone()));
    git(scene.mirror.dir(), &["fsck", "--strict", "--no-dangling"]);

    // The same again is the same; and what is where it should be stays as it is.
    assert_eq!(rebase(&scene.mirror, &what).await.unwrap(), rebased);
    let again = Rebase { base: onto.clone(), head: rebased.head.clone(), ..what };
    assert_eq!(rebase(&scene.mirror, &again).await.unwrap().head, rebased.head);
}

#[tokio::test]
async fn what_does_not_fit_is_shown_and_nothing_is_left() {
    let scene = Scene::new().await;
    scene.ours("b", "fits\n");
    let head = scene.ours("a", &file(&[(5, "ours")]));
    let onto = scene.upstream("a", &file(&[(5, "theirs")]));
    let what = scene.what(&onto).await;
    let before = listing(scene.mirror.dir());
    match rebase(&scene.mirror, &what).await {
        Err(RebaseError::Conflicts { commit, subject, conflicts }) => {
            assert_eq!((commit, subject.as_str()), (head, "change a"));
            let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
            assert_eq!(conflict.path, "a");
            assert_eq!(conflict.why, "Merge conflict in a");
            let excerpt = "line 2: as it was\nline 3: as it was\nline 4: as it was\n\
                <<<<<<< the new base\nline 5: theirs\n=======\nline 5: ours\n>>>>>>> this commit\n";
            assert_eq!(conflict.excerpt, excerpt);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(listing(scene.mirror.dir()), before);
}

#[tokio::test]
async fn a_file_that_is_gone_from_the_new_base_is_named() {
    let scene = Scene::new().await;
    scene.ours("README.md", "# Changed\n");
    git(&scene.place.person(), &["checkout", "-q", "main"]);
    git(&scene.place.person(), &["rm", "-q", "README.md"]);
    git(&scene.place.person(), &["commit", "-q", "-m", "remove"]);
    let onto = scene.place.head();
    let what = scene.what(&onto).await;
    match rebase(&scene.mirror, &what).await {
        Err(RebaseError::Conflicts { conflicts, .. }) => {
            assert_eq!(conflicts[0].path, "README.md");
            assert!(conflicts[0].why.contains("deleted"), "{conflicts:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_the_new_base_has_already_is_dropped_and_told() {
    let scene = Scene::new().await;
    let twice = scene.ours("a", &file(&[(5, "the same")]));
    scene.ours("b", "new\n");
    let onto = scene.upstream("a", &file(&[(5, "the same"), (11, "more")]));
    let rebased = rebase(&scene.mirror, &scene.what(&onto).await).await.unwrap();
    assert_eq!(rebased.dropped, [(twice, "change a".to_owned())]);
    assert_eq!(rebased.commits.len(), 1);
}

#[tokio::test]
async fn where_all_is_there_already_the_new_base_is_the_result() {
    let scene = Scene::new().await;
    scene.ours("b", "new\n");
    let onto = scene.upstream("b", "new\n");
    let rebased = rebase(&scene.mirror, &scene.what(&onto).await).await.unwrap();
    assert_eq!((rebased.head, rebased.commits.len()), (onto, 0));
}

#[tokio::test]
async fn peoples_commits_are_refused_or_come_along_as_theirs() {
    let scene = Scene::new().await;
    scene.ours("b", "ours\n");
    let theirs = scene.place.commit("c", "theirs\n", "a person's own");
    // Our name alone makes no commit ours.
    let disguised = scene.ours("d", "not ours\n");
    let onto = scene.upstream("e", "upstream\n");
    let what = scene.what(&onto).await;
    git(scene.mirror.dir(), &["update-ref", "refs/zazen/12/3", theirs.as_str()]);
    git(scene.mirror.dir(), &["update-ref", "refs/zazen/pulls/3", disguised.as_str()]);
    match rebase(&scene.mirror, &what).await {
        Err(RebaseError::Foreign(foreign)) => {
            let ids: Vec<&CommitId> = foreign.iter().map(|foreign| &foreign.commit).collect();
            assert_eq!(ids, [&theirs, &disguised]);
            assert_eq!((&*foreign[0].author.name, &*foreign[0].subject), ("Ada", "a person's own"));
        }
        other => panic!("{other:?}"),
    }
    let carry = Rebase { people: People::Carry, ..what };
    let rebased = rebase(&scene.mirror, &carry).await.unwrap();
    let after = scene.info(&onto, &rebased.head).await;
    let theirs = &after[1];
    assert_eq!((&*theirs.author.name, &*theirs.committer.name), ("Ada", "zazen"));
}

#[tokio::test]
async fn merges_and_work_on_another_base_are_refused() {
    let scene = Scene::new().await;
    scene.ours("b", "ours\n");
    let onto = scene.upstream("e", "upstream\n");
    let elsewhere = Rebase { base: onto.clone(), ..scene.what(&onto).await };
    let refused = rebase(&scene.mirror, &elsewhere).await;
    assert!(matches!(refused, Err(RebaseError::NotOnBase { .. })), "{refused:?}");

    git(&scene.place.person(), &["merge", "-q", "--no-edit", "main"]);
    let refused = rebase(&scene.mirror, &scene.what(&onto).await).await;
    assert!(matches!(refused, Err(RebaseError::Merge { .. })), "{refused:?}");
}

#[test]
fn a_git_that_cannot_merge_without_files_is_told_apart() {
    for new in ["2.38.0", "2.39.5", "2.47.3 (Apple Git-1)", "3.0", "2.50.rc1"] {
        assert!(is_new_enough(new), "{new}");
    }
    for old in ["2.37.9", "1.99", "", "two"] {
        assert!(!is_new_enough(old), "{old}");
    }
}

#[test]
fn a_commit_of_any_kind_keeps_what_is_its_authors() {
    let id = "1".repeat(40);
    let (tree, parent) = (id.parse().unwrap(), "2".repeat(40).parse().unwrap());
    let text = b"tree 3\nparent 4\nauthor \xdc <u@x> 1 +0200\n\
        committer > <c@x> 2 -0330\ngpgsig -----BEGIN\n author evil\n -----END\n\
        encoding ISO-8859-1\n\n\xfcber\n\ncommitter x\n";
    let moved = object::moved(text, &tree, &parent, US).unwrap();
    let (one, two) = ("1".repeat(40), "2".repeat(40));
    let mut expected = format!("tree {one}\nparent {two}\nauthor ").into_bytes();
    expected.extend(b"\xdc <u@x> 1 +0200\ncommitter zazen <agent@zazen.invalid> 2 -0330\n");
    expected.extend(b"encoding ISO-8859-1\n\n\xfcber\n\ncommitter x\n");
    assert_eq!(moved, expected);
    assert_eq!(object::moved(b"no message", &tree, &parent, US), None);
    // Kinds of refs never meet.
    assert_ne!(KeptRef::rebased(TaskId(7), 1), KeptRef::pull(PullNumber(7)));
}

/// One commit: which file, which line, what it says from then on.
type Edit = (u8, usize, u8);

fn edits(n_max: usize) -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0..3_u8, 0..12_usize, 0..3_u8), 1..n_max)
}

fn apply(place: &Place, (path, at, value): Edit, as_us: bool) {
    let path = format!("f{path}");
    let old = fs::read_to_string(place.person().join(&path)).unwrap();
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    lines[at] = format!("line {at} is {value}");
    let text = lines.join("\n") + "\n";
    if as_us {
        commit_as_us(&place.person(), &path, &text);
    } else {
        fs::write(place.person().join(&path), text).unwrap();
        git(&place.person(), &["commit", "-q", "--allow-empty", "-a", "-m", "upstream"]);
    }
}

async fn compare_with_git(upstream: Vec<Edit>, work: Vec<Edit>) {
    let scene = Scene::new().await;
    let person = scene.place.person();
    git(&person, &["checkout", "-q", "main"]);
    for n in 0..3 {
        fs::write(person.join(format!("f{n}")), file(&[])).unwrap();
    }
    let base = scene.place.commit("a", "base\n", "base");
    for edit in upstream {
        apply(&scene.place, edit, false);
    }
    let onto = scene.place.head();
    git(&person, &["checkout", "-q", "-B", "work", base.as_str()]);
    for edit in work {
        apply(&scene.place, edit, true);
    }
    let what = Rebase { base, ..scene.what(&onto).await };
    let before = listing(scene.mirror.dir());
    let ours = rebase(&scene.mirror, &what).await;
    let args = ["rebase", "-q", "--reapply-cherry-picks", "--empty=drop", "--onto", onto.as_str()];
    let theirs = git_as(&person, &[&args[..], &[what.base.as_str(), "work"]].concat(), b"", None);
    let Ok(rebased) = ours else {
        let refused = ours.unwrap_err();
        assert!(matches!(refused, RebaseError::Conflicts { .. }), "{refused:?}");
        assert!(!theirs.status.success(), "git finds no conflict where we do: {refused}");
        assert_eq!(listing(scene.mirror.dir()), before);
        return;
    };
    assert!(theirs.status.success(), "git finds a conflict: {}", theirs.stderr_text());
    let tree = git(&person, &["rev-parse", "HEAD^{tree}"]);
    assert_eq!(scene.mirror.tree_of(&rebased.head).await.unwrap().as_str(), tree);
    let n_theirs = git(&person, &["rev-list", "--count", &format!("{onto}..HEAD")]);
    assert_eq!(rebased.commits.len().to_string(), n_theirs);
    // Each commit is there or told, and changes what it changed.
    let all = scene.info(&what.base, &what.head).await;
    assert_eq!(all.len(), rebased.commits.len() + rebased.dropped.len());
    for (old, new) in &rebased.commits {
        let git = scene.mirror.git();
        assert_eq!(patch_id(&git, old).await.unwrap(), patch_id(&git, new).await.unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 8, ..Default::default() })]

    #[test]
    fn it_comes_to_the_same_as_git_rebase(upstream in edits(4), work in edits(5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare_with_git(upstream, work));
    }
}
