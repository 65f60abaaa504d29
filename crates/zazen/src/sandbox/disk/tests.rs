use std::fs;
use std::os::unix::fs::symlink;

use super::Size;

fn size_of(folder: &std::path::Path) -> Size {
    let mut size = Size::default();
    size.add(folder);
    size
}

#[test]
fn what_is_behind_a_link_is_not_counted() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(other.path().join("large"), vec![b'x'; 1 << 20]).unwrap();
    symlink(other.path(), folder.path().join("link")).unwrap();
    let size = size_of(folder.path());
    assert_eq!(size.n_entries, 1);
    assert!(!size.exceeds(1 << 19));
}

#[test]
fn files_in_folders_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    fs::write(folder.path().join("a/b/large"), vec![b'x'; 1 << 20]).unwrap();
    assert!(size_of(folder.path()).exceeds(1 << 19));
    assert!(!size_of(folder.path()).exceeds(2 << 20));
}

#[test]
fn a_file_with_holes_counts_by_what_the_disk_holds_of_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::File::create(folder.path().join("holes")).unwrap().set_len(1 << 40).unwrap();
    assert!(!size_of(folder.path()).exceeds(1 << 20));
}

#[test]
fn many_empty_files_count_as_large() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..1100 {
        fs::write(folder.path().join(n.to_string()), "").unwrap();
    }
    assert!(size_of(folder.path()).exceeds(1 << 20));
    assert!(!size_of(folder.path()).exceeds(2 << 20));
}

#[test]
fn a_disk_is_scarce_once_a_run_has_used_up_its_reserve() {
    let here = vec![std::env::temp_dir()];
    let now = super::free(&here);
    assert!(!super::is_scarce(&now, &here), "{now:?}");
    // What was scarce before is not the run's doing.
    assert!(!super::is_scarce(&[(0, 0)], &here));
}

#[test]
fn a_tree_that_is_too_deep_counts_as_too_large() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("d/".repeat(300))).unwrap();
    assert!(size_of(folder.path()).exceeds(u64::MAX));
}

#[test]
fn a_folder_that_is_not_there_has_no_size() {
    assert_eq!(size_of(std::path::Path::new("/no/such/folder")), Size::default());
}
