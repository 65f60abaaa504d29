//! A home that an agent has left, hostile or not.

use std::os::unix::fs::symlink;

use super::*;

const INNER: &str = "claude/projects";
const ID: &str = "0b0e9f8c-0000-4000-8000-000000000000";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for run in ["1.1", "1.2"] {
            fs::create_dir(folder.path().join(run)).expect("a run's folder");
        }
        fs::create_dir(folder.path().join("1.1/home")).expect("a home");
        Self { folder }
    }

    fn run(&self, run: &str) -> RunDir {
        RunDir::new(self.folder.path().join(run))
    }

    fn kept(&self) -> std::path::PathBuf {
        self.folder.path().join("kept")
    }

    fn write_session(&self) {
        let slug = self.run("1.1").home().join(INNER).join("-workspace");
        fs::create_dir_all(&slug).expect("a folder");
        fs::write(slug.join(format!("{ID}.jsonl")), "{}\n").expect("a session");
        fs::write(self.run("1.1").home().join("claude/settings.json"), "{}").expect("settings");
    }
}

#[test]
fn a_session_goes_from_one_home_to_the_next_and_nothing_else_does() {
    let place = Place::new();
    place.write_session();
    assert!(take_out(&place.run("1.1"), INNER, &place.kept()).expect("it is taken"));
    assert!(take_out(&place.run("1.1"), INNER, &place.kept()).expect("again, after a crash"));
    assert!(has_session(&place.kept(), ID));
    assert!(!has_session(&place.kept(), "another"));
    assert!(put_in(&place.kept(), &place.run("1.2"), INNER).expect("it is put there"));
    assert!(put_in(&place.kept(), &place.run("1.2"), INNER).expect("again, after a crash"));
    let home = place.run("1.2").home();
    assert!(has_session(&home.join(INNER), ID));
    assert!(!home.join("claude/settings.json").exists(), "settings are an agent's own");
}

#[test]
fn no_link_is_followed_to_a_session() {
    for at in ["claude", "claude/projects"] {
        let place = Place::new();
        let outside = place.folder.path().join("outside");
        fs::create_dir_all(outside.join("projects")).expect("a folder");
        let link = place.run("1.1").home().join(at);
        fs::create_dir_all(link.parent().expect("a folder above")).expect("a folder");
        symlink(&outside, &link).expect("a link");
        assert!(!take_out(&place.run("1.1"), INNER, &place.kept()).expect("nothing is taken"));
        assert!(outside.join("projects").is_dir(), "what is outside stays where it is");
    }
}

#[test]
fn a_file_or_a_link_in_place_of_a_session_is_none() {
    let place = Place::new();
    let home = place.run("1.1").home();
    fs::create_dir_all(home.join("claude")).expect("a folder");
    fs::write(home.join(INNER), "no folder").expect("a file");
    assert!(!take_out(&place.run("1.1"), INNER, &place.kept()).expect("nothing is taken"));
    fs::remove_file(home.join(INNER)).expect("it is removed");
    fs::create_dir(home.join(INNER)).expect("a folder");
    symlink("/etc/passwd", home.join(INNER).join(format!("{ID}.jsonl"))).expect("a link");
    fs::write(home.join(INNER).join(format!("{ID}2.jsonl")), "").expect("an empty file");
    assert!(!has_session(&home.join(INNER), ID));
}

#[test]
fn a_session_that_fills_the_disk_is_not_kept() {
    let place = Place::new();
    place.write_session();
    let file = place.run("1.1").home().join(INNER).join("large");
    fs::write(&file, vec![1; 1 << 16]).expect("a file");
    let mut deep = place.run("1.1").home().join(INNER);
    for _ in 0..220 {
        deep.push("d");
        fs::create_dir(&deep).expect("a folder");
    }
    assert!(!take_out(&place.run("1.1"), INNER, &place.kept()).expect("it is too deep"));
}
