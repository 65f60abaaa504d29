//! Folders that do not want to go.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use rustix::fs::mkdirat;

use super::*;

#[test]
fn a_removed_folder_is_gone_at_once_and_deleted_later() {
    let place = tempfile::tempdir().unwrap();
    let (folder, trash) = (place.path().join("work"), place.path().join("trash"));
    fs::create_dir_all(folder.join("a/b")).unwrap();
    fs::write(folder.join("a/b/c"), "x").unwrap();
    remove(&folder, &trash).unwrap();
    assert!(!folder.exists());
    remove(&folder, &trash).unwrap();
    assert_eq!(fs::read_dir(&trash).unwrap().count(), 2);
    reap(&trash).unwrap();
    assert_eq!(fs::read_dir(&trash).unwrap().count(), 0);
    reap(&place.path().join("nowhere")).unwrap();
}

#[test]
fn links_are_removed_and_not_followed() {
    let place = tempfile::tempdir().unwrap();
    let (folder, kept) = (place.path().join("work"), place.path().join("kept"));
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("file"), "x").unwrap();
    fs::create_dir_all(folder.join("inner")).unwrap();
    symlink(&kept, folder.join("to-folder")).unwrap();
    symlink(&kept, folder.join("inner/to-folder")).unwrap();
    symlink(kept.join("file"), folder.join("inner/to-file")).unwrap();
    symlink("/", folder.join("inner/root")).unwrap();
    delete(&folder).unwrap();
    assert!(!folder.exists() && kept.join("file").exists());

    let link = place.path().join("link");
    symlink(&kept, &link).unwrap();
    delete(&link).unwrap();
    assert!(link.symlink_metadata().is_err() && kept.join("file").exists());
}

#[test]
fn folders_that_are_closed_are_opened_and_removed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("work");
    fs::create_dir_all(folder.join("a/b/c")).unwrap();
    fs::write(folder.join("a/b/c/file"), "x").unwrap();
    for closed in ["a/b/c", "a/b", "a", ""] {
        let mode = fs::Permissions::from_mode(0o000);
        fs::set_permissions(folder.join(closed), mode).unwrap();
    }
    delete(&folder).unwrap();
    assert!(!folder.exists());
}

#[test]
fn odd_names_and_kinds_are_removed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("work");
    fs::create_dir(&folder).unwrap();
    let long = vec![b'x'; 255];
    for name in [&b"a\nb"[..], b"\x1b[2J", b"\xff\xfe", b"-rf", b" ", &long, b"1.up", b"2.up"] {
        let inner = folder.join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(inner.join("3.up/4.up")).unwrap();
        fs::write(inner.join("5.up"), "x").unwrap();
    }
    rustix::fs::mknodat(CWD, folder.join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.join("s")).unwrap();
    delete(&folder).unwrap();
    assert!(!folder.exists());
}

#[test]
fn five_thousand_levels_are_removed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("work");
    fs::create_dir(&folder).unwrap();
    let mut deepest = openat(CWD, &folder, DIR_FLAGS, Mode::empty()).unwrap();
    for _ in 0..5_000 {
        mkdirat(&deepest, "deeper", Mode::RWXU).unwrap();
        deepest = openat(&deepest, "deeper", DIR_FLAGS, Mode::empty()).unwrap();
    }
    drop(deepest);
    delete(&folder).unwrap();
    assert!(!folder.exists());
}

#[test]
fn a_folder_of_many_folders_is_removed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("work");
    for n in 0..=2 * BATCH_MAX {
        fs::create_dir_all(folder.join(n.to_string())).unwrap();
    }
    delete(&folder).unwrap();
    assert!(!folder.exists());
}
