//! Replacing files, and what is left when it does not work.

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_whole_and_keeps_its_rights() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("page.md");
    write(&path, b"one", Durability::Durable).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    write(&path, b"two", Durability::Relaxed).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(dir.path()), ["page.md"]);
}

#[test]
fn a_file_that_a_person_changed_is_not_replaced() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("page.md");
    write(&path, b"one", Durability::Relaxed).unwrap();
    let seen = Stamp::of(&path).unwrap();
    replace_if_unchanged(&path, seen, b"two").unwrap();
    fs::write(&path, b"a person's").unwrap();
    let err = replace_if_unchanged(&path, seen, b"three").unwrap_err();
    assert!(matches!(err, ReplaceError::Changed(_)));
    assert_eq!(fs::read(&path).unwrap(), b"a person's");
    let seen = Stamp::of(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let err = replace_if_unchanged(&path, seen, b"three").unwrap_err();
    assert!(matches!(err, ReplaceError::Changed(_)));
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn a_new_file_takes_no_other_files_place() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("command.json");
    create_new(&path, b"one").unwrap();
    assert_eq!(create_new(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"one");
    assert_eq!(names(dir.path()), ["command.json"]);
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("folder");
    fs::create_dir_all(path.join("inside")).unwrap();
    write(&path, b"one", Durability::Durable).unwrap_err();
    assert_eq!(names(dir.path()), ["folder"]);
}

#[test]
fn what_an_ended_process_did_not_complete_is_removed() {
    let dir = TempDir::new().unwrap();
    let deep = dir.path().join("tasks/2026/11");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(dir.path().join(".git")).unwrap();
    // No process has such a number: Linux stops at four million.
    for file in ["tasks/2026/11/.zazen-tmp-4999999-1", ".zazen-tmp-4999999-2", "page.md"] {
        fs::write(dir.path().join(file), "").unwrap();
    }
    fs::write(dir.path().join(".git/.zazen-tmp-1"), "").unwrap();
    assert_eq!(remove_stale_temps(dir.path(), &[]).unwrap(), 2);
    assert_eq!(names(dir.path()), [".git", "page.md", "tasks"]);
    assert_eq!(names(&dir.path().join(".git")), [".zazen-tmp-1"]);
    assert_eq!(names(&deep), Vec::<String>::new());
}

#[test]
fn what_a_living_process_is_writing_stays() {
    let dir = TempDir::new().unwrap();
    let name = format!(".zazen-tmp-{}-1", std::process::id());
    fs::write(dir.path().join(&name), "").unwrap();
    assert_eq!(remove_stale_temps(dir.path(), &[]).unwrap(), 0);
    assert_eq!(names(dir.path()), [name.as_str()]);
}

#[test]
fn folders_that_are_excepted_are_not_looked_into() {
    let dir = TempDir::new().unwrap();
    let work = dir.path().join("work");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join(".zazen-tmp-4999999-1"), "").unwrap();
    assert_eq!(remove_stale_temps(dir.path(), std::slice::from_ref(&work)).unwrap(), 0);
    assert_eq!(names(&work), [".zazen-tmp-4999999-1"]);
}
