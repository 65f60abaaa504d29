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
    for file in ["tasks/2026/11/.zazen-tmp-7-1", ".zazen-tmp-7-2", "page.md", ".git/.zazen-tmp-1"] {
        fs::write(dir.path().join(file), "").unwrap();
    }
    assert_eq!(remove_stale_temps(dir.path()).unwrap(), 2);
    assert_eq!(names(dir.path()), [".git", "page.md", "tasks"]);
    assert_eq!(names(&dir.path().join(".git")), [".zazen-tmp-1"]);
    assert_eq!(names(&deep), Vec::<String>::new());
}
