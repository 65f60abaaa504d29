//! The list of files must never be short without anyone noticing.

use super::*;

#[test]
fn the_walk_finds_what_git_lists() {
    let root = top();
    let walked = list_by_walk(&root);
    for path in list_by_git(&root).unwrap_or_default() {
        assert!(walked.contains(&path) || !root.join(&path).exists(), "`{path}` was not walked");
    }
    assert!(!walked.iter().any(|path| path.starts_with("target/")));
}

#[test]
fn this_file_is_read_as_a_test_and_its_parent_as_production() {
    let tree = Tree::read();
    assert!(tree.file("crates/tidy/src/tree/tests.rs").is_none_or(File::is_test));
    assert!(tree.production().any(|file| file.path == "crates/tidy/src/lib.rs"));
    assert!(tree.sizes.iter().any(|(path, size)| path == "Cargo.lock" && *size > 0));
}
