//! Commits in a real repository that a person uses as well.

use tempfile::TempDir;

use super::*;

struct Place {
    _dir: TempDir,
    home: Home,
    committer: Committer,
}

fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let committer = Committer::new(&home).unwrap();
    Place { _dir: dir, home, committer }
}

impl Place {
    fn write(&self, path: &str, text: &str) {
        let path = self.home.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self, paths: &[&str], message: &str) -> Result<Outcome, CommitError> {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        self.committer.commit(&paths, &Author::zazen(), message)
    }

    fn committed(&self, paths: &[&str], message: &str) {
        let outcome = self.commit(paths, message).unwrap();
        assert!(matches!(outcome, Outcome::Committed(_)), "{message}: {outcome:?}");
    }

    /// What a person does in the home.
    fn git(&self, args: &[&str]) -> String {
        let ada = Author { name: "Ada".to_owned(), email: "ada@example.org".to_owned() };
        let command = self.committer.by(&ada).args(args);
        succeed(&command).unwrap().stdout_text()
    }

    fn files(&self) -> Vec<String> {
        let list = self.git(&["ls-tree", "-r", "--name-only", "HEAD"]);
        list.lines().map(str::to_owned).collect()
    }
}

#[test]
fn the_first_commit_is_made_on_a_branch_without_one() {
    let place = place();
    place.write("missions.md", "# Now\n");
    place.write("tasks/2026/11/1-login/task.md", "Login fails.\n");
    place.write("tasks/2026/11/1-login/plan.md", "Use sessions.\n");
    let ada = Author { name: "Ada L.".to_owned(), email: "ada@example.org".to_owned() };
    let paths = [place.home.missions_page(), PathBuf::from("tasks")];
    let outcome = place.committer.commit(&paths, &ada, "Task 1 was opened").unwrap();
    let Outcome::Committed(commit) = outcome else { panic!("{outcome:?}") };
    let log = place.git(&["log", "--format=%H %an <%ae> %cn: %s"]);
    assert_eq!(log, format!("{commit} Ada L. <ada@example.org> zazen: Task 1 was opened\n"));
    let expected =
        ["missions.md", "tasks/2026/11/1-login/plan.md", "tasks/2026/11/1-login/task.md"];
    assert_eq!(place.files(), expected);
    // Nobody asked for the rest.
    assert_eq!(place.git(&["status", "--porcelain"]), "?? .gitignore\n");
}

#[test]
fn nothing_to_commit_is_fine() {
    let place = place();
    assert_eq!(place.commit(&["missions.md"], "none").unwrap(), Outcome::Nothing);
    place.write("missions.md", "# Now\n");
    place.committed(&["missions.md"], "one");
    assert_eq!(place.commit(&["missions.md"], "again").unwrap(), Outcome::Nothing);
    assert_eq!(place.commit(&[], "again").unwrap(), Outcome::Nothing);
    assert_eq!(place.commit(&["no/such/page.md"], "again").unwrap(), Outcome::Nothing);
    assert_eq!(place.commit(&["../elsewhere", "/etc/passwd"], "out").unwrap(), Outcome::Nothing);
    assert_eq!(place.commit(&[".zazen/lock"], "ignored").unwrap(), Outcome::Nothing);
    assert_eq!(place.git(&["log", "--format=%s"]), "one\n");
}

#[test]
fn what_a_person_has_staged_is_neither_committed_nor_lost() {
    let place = place();
    place.write("missions.md", "one\n");
    place.write("soul.md", "one\n");
    place.write("gone.md", "one\n");
    place.committed(&["missions.md", "soul.md", "gone.md"], "first");
    // A change, a new file and a removal, all staged; the change went on afterwards.
    place.write("soul.md", "staged\n");
    place.write("memory/global.md", "staged\n");
    place.git(&["add", "soul.md", "memory/global.md"]);
    place.git(&["rm", "-q", "gone.md"]);
    place.write("soul.md", "not staged\n");

    place.write("missions.md", "two\n");
    place.write("tasks/new.md", "new\n");
    place.committed(&["missions.md", "tasks"], "second");

    let changed = place.git(&["show", "--format=", "--name-status", "HEAD"]);
    assert_eq!(changed, "M\tmissions.md\nA\ttasks/new.md\n");
    let status = place.git(&["status", "--porcelain"]);
    assert_eq!(status, "D  gone.md\nA  memory/global.md\nMM soul.md\n?? .gitignore\n");
    assert_eq!(place.git(&["show", ":soul.md"]), "staged\n");
    // The person's own commit takes what was staged, and reverts nothing of ours.
    place.git(&["commit", "-q", "-m", "third"]);
    let changed = place.git(&["show", "--format=", "--name-status", "HEAD"]);
    assert_eq!(changed, "D\tgone.md\nA\tmemory/global.md\nM\tsoul.md\n");
    assert_eq!(place.git(&["show", "HEAD:missions.md"]), "two\n");
}

#[test]
fn new_files_that_were_only_announced_are_left_out_of_a_persons_commit() {
    let place = place();
    place.write("soul.md", "one\n");
    place.committed(&["soul.md"], "first");
    place.write("tasks/new.md", "new\n");
    // As after a crash between the announcement and the commit.
    let changes = place.committer.changes(&[PathBuf::from("tasks")]).unwrap();
    place.committer.announce_new(&changes).unwrap();
    place.write("soul.md", "two\n");
    place.git(&["add", "soul.md"]);
    place.git(&["commit", "-q", "-m", "a person's"]);
    assert_eq!(place.files(), ["soul.md"]);
    place.committed(&["tasks"], "ours");
    assert_eq!(place.files(), ["soul.md", "tasks/new.md"]);
}

#[test]
fn what_a_person_deleted_is_committed_as_gone() {
    let place = place();
    place.write("tasks/a.md", "a\n");
    place.write("tasks/b.md", "b\n");
    place.write("skills/c.md", "c\n");
    place.committed(&["tasks", "skills"], "first");
    fs::remove_file(place.home.root().join("tasks/a.md")).unwrap();
    fs::remove_dir_all(place.home.skills_dir()).unwrap();
    place.committed(&["tasks/a.md", "skills"], "gone");
    assert_eq!(place.files(), ["tasks/b.md"]);
    // Also when the person told git.
    place.git(&["rm", "-q", "tasks/b.md"]);
    place.committed(&["tasks/b.md"], "gone, too");
    assert_eq!(place.files(), Vec::<String>::new());
}

#[test]
fn odd_names_are_names_and_not_patterns() {
    let place = place();
    let names = ["tasks/*.md", "tasks/:(top)x", "tasks/a\nb.md", "tasks/-n", "tasks/ä \"q\".md"];
    for name in names {
        place.write(name, "odd\n");
    }
    place.write("tasks/other.md", "not asked for\n");
    place.committed(&names, "--odd");
    let list = place.git(&["ls-tree", "-r", "-z", "--name-only", "HEAD"]);
    let listed: std::collections::BTreeSet<&str> =
        list.split('\0').filter(|it| !it.is_empty()).collect();
    assert_eq!(listed, std::collections::BTreeSet::from(names));
    assert_eq!(place.git(&["log", "--format=%s"]), "--odd\n");
}

#[test]
fn hooks_and_signing_of_the_home_are_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = place();
    let hook = place.home.root().join(".git/hooks/pre-commit");
    place.write(".git/hooks/pre-commit", "#!/bin/sh\ntouch ../hooked hooked\nexit 1\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    place.write(".git/hooks/post-commit", "#!/bin/sh\ntouch hooked\n");
    place.git(&["config", "commit.gpgSign", "true"]);
    place.git(&["config", "core.hooksPath", ".git/hooks"]);
    place.write("soul.md", "one\n");
    place.committed(&["soul.md"], "first");
    assert!(!place.home.root().join("hooked").exists());
}

#[test]
fn a_lock_that_a_killed_git_left_is_removed_once_it_is_old() {
    let place = place();
    place.write("soul.md", "one\n");
    let lock = place.home.root().join(".git/index.lock");
    let age = |seconds| std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    let held = fs::File::create(&lock).unwrap();
    held.set_modified(age(3600)).unwrap();
    let is_busy = |result: Result<Outcome, CommitError>| {
        let err = result.unwrap_err();
        assert!(matches!(&err, CommitError::Busy { why } if why.contains("index.lock")), "{err}");
    };
    // Somebody has it open.
    is_busy(place.commit(&["soul.md"], "held"));
    assert!(lock.exists());
    // Who made it may be about to go on.
    held.set_modified(age(5)).unwrap();
    drop(held);
    is_busy(place.commit(&["soul.md"], "young"));
    assert!(lock.exists());

    fs::File::options().append(true).open(&lock).unwrap().set_modified(age(3600)).unwrap();
    is_busy(place.commit(&["soul.md"], "left"));
    place.committed(&["soul.md"], "free");
}

#[test]
fn a_merge_a_lock_or_an_old_commit_means_later() {
    let place = place();
    place.write("soul.md", "one\n");
    place.committed(&["soul.md"], "first");
    place.write("soul.md", "two\n");
    let lock = place.home.root().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let err = place.commit(&["soul.md"], "locked").unwrap_err();
    assert!(matches!(&err, CommitError::Busy { why } if why.contains("index.lock")), "{err}");
    fs::remove_file(&lock).unwrap();

    place.git(&["switch", "-q", "-c", "theirs"]);
    place.committed(&["soul.md"], "theirs");
    place.git(&["switch", "-q", "main"]);
    place.write("soul.md", "three\n");
    place.committed(&["soul.md"], "ours");
    let merge = place.committer.by(&Author::zazen()).args(["merge", "-q", "theirs"]);
    succeed(&merge).unwrap_err();
    let err = place.commit(&["soul.md"], "merging").unwrap_err();
    assert!(matches!(&err, CommitError::Busy { why } if why.contains("a merge")), "{err}");
    place.git(&["merge", "--abort"]);

    place.git(&["switch", "-q", "--detach", "HEAD~1"]);
    let err = place.commit(&["soul.md"], "detached").unwrap_err();
    assert!(matches!(&err, CommitError::Busy { why } if why.contains("git switch")), "{err}");
    assert_eq!(place.git(&["log", "--format=%s", "main"]), "ours\nfirst\n");
}

#[test]
fn very_many_changes_are_committed_in_parts() {
    let place = place();
    place.write("soul.md", "one\n");
    place.committed(&["soul.md"], "first");
    for n in 0..=CHANGES_MAX {
        fs::write(place.home.tasks_dir().join(format!("{n}.md")), "page\n").unwrap();
    }
    let mut sizes = Vec::new();
    let listed = place.committer.each_uncommitted(&mut |part| {
        sizes.push(part.len());
        place.committer.commit_changes(&part, &Author::zazen(), "a part").map(drop)
    });
    listed.unwrap();
    // The home's own `.gitignore` is among them.
    assert_eq!(sizes, [CHANGES_MAX, 2]);
    assert_eq!(place.git(&["status", "--porcelain"]), "");
    assert_eq!(place.git(&["log", "--format=%s"]), "a part\na part\nfirst\n");
}

#[test]
fn a_listing_ends_where_its_part_is_refused() {
    let place = place();
    place.write("soul.md", "one\n");
    let mut n = 0;
    let err = place.committer.each_uncommitted(&mut |_| {
        n += 1;
        Err(CommitError::Busy { why: "of a test".to_owned() })
    });
    assert!(matches!(err, Err(CommitError::Busy { why }) if why == "of a test"));
    assert_eq!(n, 1);
}
