//! Repositories as a crash leaves them.

use std::fs::File;

use tempfile::TempDir;

use super::*;
use crate::home::commit::{Author, Committer, Outcome};

struct Place {
    _dir: TempDir,
    home: Home,
    commits: Vec<String>,
}

/// A home with two commits.
fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let home = Home::create(dir.path()).unwrap();
    let mut place = Place { _dir: dir, home, commits: Vec::new() };
    place.commit("one");
    place.commit("two");
    assert_eq!(after_a_power_failure(&place.home).unwrap(), []);
    place
}

impl Place {
    fn commit(&mut self, text: &str) {
        fs::write(self.home.soul_page(), text).unwrap();
        let committer = Committer::new(&self.home).unwrap();
        let paths = [self.home.soul_page()];
        let outcome = committer.commit(&paths, &Author::zazen(), text).unwrap();
        let Outcome::Committed(commit) = outcome else { panic!("{outcome:?}") };
        self.commits.push(commit.to_string());
    }

    fn in_git(&self, path: &str) -> PathBuf {
        self.home.root().join(".git").join(path)
    }

    fn object_file(&self, object: &str) -> PathBuf {
        self.in_git(&format!("objects/{}/{}", &object[..2], &object[2..]))
    }

    fn object(&self, name: &str) -> String {
        let repository = Repository::open(self.home.root()).unwrap();
        succeed(&repository.git(["rev-parse", name])).unwrap().stdout_text().trim().to_owned()
    }
}

/// Heals as on a machine that was started again, of which nobody can say which boot this is.
fn after_a_power_failure(home: &Home) -> anyhow::Result<Vec<Finding>> {
    heal_in(home, BootId::default())
}

fn empty(file: &Path) {
    fs::remove_file(file).unwrap();
    fs::write(file, "").unwrap();
}

#[test]
fn a_lock_that_nobody_holds_is_removed() {
    let place = place();
    for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
        fs::write(place.in_git(lock), "").unwrap();
    }
    let findings = after_a_power_failure(&place.home).unwrap();
    assert_eq!(findings.len(), 3);
    assert!(matches!(&findings[0], Finding::Mended(what) if what.contains("index.lock")));
    assert_eq!(after_a_power_failure(&place.home).unwrap(), []);
}

#[test]
fn a_lock_that_a_process_holds_is_left_to_it() {
    let place = place();
    let lock = place.in_git("index.lock");
    let held = File::create(&lock).unwrap();
    let findings = after_a_power_failure(&place.home).unwrap();
    let [Finding::ForPeople(what)] = &findings[..] else { panic!("{findings:?}") };
    assert!(what.contains(&format!("held by process {}", std::process::id())), "{what}");
    assert!(lock.exists());
    drop(held);
    assert!(matches!(&after_a_power_failure(&place.home).unwrap()[..], [Finding::Mended(_)]));
}

#[test]
fn a_branch_of_no_bytes_gets_the_last_good_commit_of_its_log() {
    let mut place = place();
    empty(&place.in_git("refs/heads/main"));
    let findings = after_a_power_failure(&place.home).unwrap();
    assert!(matches!(&findings[..], [Finding::Mended(_)]), "{findings:?}");
    assert_eq!(place.object("HEAD"), place.commits[1]);

    // The last commit itself did not make it to the disk.
    empty(&place.in_git("refs/heads/main"));
    empty(&place.object_file(&place.commits[1]));
    after_a_power_failure(&place.home).unwrap();
    assert_eq!(place.object("HEAD"), place.commits[0]);

    // A branch that is gone while its log is there was not removed by git.
    fs::remove_file(place.in_git("refs/heads/main")).unwrap();
    after_a_power_failure(&place.home).unwrap();
    assert_eq!(place.object("HEAD"), place.commits[0]);
    place.commit("three");
    assert_eq!(after_a_power_failure(&place.home).unwrap(), []);
}

#[test]
fn a_branch_that_cannot_be_mended_is_told_and_nothing_is_committed_over_it() {
    let place = place();
    empty(&place.in_git("refs/heads/main"));
    fs::remove_dir_all(place.in_git("logs")).unwrap();
    let findings = after_a_power_failure(&place.home).unwrap();
    let [Finding::ForPeople(what)] = &findings[..] else { panic!("{findings:?}") };
    assert!(what.contains("git fsck --lost-found"), "{what}");
    fs::write(place.home.soul_page(), "three").unwrap();
    let committer = Committer::new(&place.home).unwrap();
    let paths = [place.home.soul_page()];
    committer.commit(&paths, &Author::zazen(), "three").unwrap_err();
    assert_eq!(fs::read(place.in_git("refs/heads/main")).unwrap(), b"");
}

#[test]
fn an_empty_head_names_the_only_branch_again() {
    let place = place();
    empty(&place.in_git("HEAD"));
    assert!(matches!(&after_a_power_failure(&place.home).unwrap()[..], [Finding::Mended(_)]));
    assert_eq!(place.object("HEAD"), place.commits[1]);
}

#[test]
fn a_detached_head_is_told() {
    let place = place();
    fs::write(place.in_git("HEAD"), format!("{}\n", place.commits[0])).unwrap();
    let findings = after_a_power_failure(&place.home).unwrap();
    let [Finding::ForPeople(what)] = &findings[..] else { panic!("{findings:?}") };
    assert!(what.contains("git switch main"), "{what}");
}

#[test]
fn a_missing_object_is_made_again_from_its_file_or_told() {
    let place = place();
    let object = place.object("HEAD:soul.md");
    for damage in [|file: &Path| fs::remove_file(file).unwrap(), empty] {
        damage(&place.object_file(&object));
        let findings = after_a_power_failure(&place.home).unwrap();
        let [Finding::Mended(what)] = &findings[..] else { panic!("{findings:?}") };
        assert!(what.contains("`soul.md`"), "{what}");
        assert_eq!(after_a_power_failure(&place.home).unwrap(), []);
    }
    fs::remove_file(place.object_file(&object)).unwrap();
    fs::write(place.home.soul_page(), "changed").unwrap();
    let findings = after_a_power_failure(&place.home).unwrap();
    let [Finding::ForPeople(what)] = &findings[..] else { panic!("{findings:?}") };
    assert!(what.contains(&object) && what.contains("git fsck"), "{what}");
    assert!(!place.object_file(&object).exists());
}

#[test]
fn a_missing_tree_or_commit_is_told() {
    for name in ["HEAD^{tree}", "HEAD"] {
        for damage in [|file: &Path| fs::remove_file(file).unwrap(), empty] {
            let place = place();
            let object = place.object(name);
            damage(&place.object_file(&object));
            let findings = after_a_power_failure(&place.home).unwrap();
            let [Finding::ForPeople(what)] = &findings[..] else { panic!("{findings:?}") };
            assert!(what.contains(&object), "{what}");
        }
    }
}

#[test]
fn a_repository_without_a_commit_is_fine() {
    let dir = TempDir::new().unwrap();
    let home = Home::create(dir.path()).unwrap();
    assert_eq!(after_a_power_failure(&home).unwrap(), []);
}

#[test]
fn a_packed_branch_is_fine() {
    let place = place();
    let repository = Repository::open(place.home.root()).unwrap();
    succeed(&repository.git(["pack-refs", "--all"])).unwrap();
    assert!(!place.in_git("refs/heads/main").exists());
    assert_eq!(after_a_power_failure(&place.home).unwrap(), []);
}

#[test]
fn objects_are_looked_for_once_in_a_boot_and_as_long_as_one_is_missing() {
    let mut place = place();
    let (monday, tuesday) = (BootId::from("00000001"), BootId::from("00000002"));
    assert_eq!(heal_in(&place.home, monday).unwrap(), []);
    let object = place.object("HEAD:soul.md");
    fs::remove_file(place.object_file(&object)).unwrap();
    assert_eq!(heal_in(&place.home, monday).unwrap(), []);

    fs::write(place.home.soul_page(), "changed").unwrap();
    for _ in 0..2 {
        let findings = heal_in(&place.home, tuesday).unwrap();
        assert!(matches!(findings[..], [Finding::ForPeople(_)]), "{findings:?}");
    }
    fs::write(place.home.soul_page(), "two").unwrap();
    let findings = heal_in(&place.home, tuesday).unwrap();
    assert!(matches!(findings[..], [Finding::Mended(_)]), "{findings:?}");

    // A branch that had to be mended tells of a power failure, whatever the machine says.
    place.commit("three");
    fs::remove_file(place.object_file(&object)).unwrap();
    assert_eq!(heal_in(&place.home, tuesday).unwrap(), []);
    empty(&place.in_git("refs/heads/main"));
    let findings = heal_in(&place.home, tuesday).unwrap();
    assert!(matches!(findings[..], [Finding::Mended(_), Finding::ForPeople(_)]), "{findings:?}");
}
