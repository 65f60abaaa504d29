//! The rules of the `tidy` crate, run over this repository.
//!
//! A failure lists every place that breaks the rule, and what to do instead.
//! The rules are in `crates/tidy/src`, each with its reasons.

use std::collections::BTreeSet;

use tidy::tree::Tree;
use tidy::{Violation, arrows, code, docs, tracked};

#[track_caller]
fn assert_none(violations: impl IntoIterator<Item = Violation>) {
    let lines: Vec<_> = violations.into_iter().map(|found| format!("  {found}\n")).collect();
    assert!(lines.is_empty(), "the source breaks a rule:\n{}", lines.concat());
}

#[test]
fn modules_use_only_what_the_table_of_arrows_allows() {
    assert_none(Tree::read().rust().flat_map(arrows::check));
}

#[test]
fn files_are_short() {
    assert_none(Tree::read().rust().flat_map(code::check_size));
}

#[test]
fn lines_are_short() {
    assert_none(Tree::read().rust().flat_map(code::check_lines));
}

#[test]
fn every_file_says_what_it_is() {
    assert_none(Tree::read().rust().flat_map(code::check_head));
}

#[test]
fn nothing_is_left_unfinished() {
    assert_none(Tree::read().rust().flat_map(code::check_unfinished));
}

#[test]
fn only_the_daemon_selects() {
    assert_none(Tree::read().rust().flat_map(code::check_select));
}

#[test]
fn there_are_few_traits() {
    assert_none(code::check_traits(Tree::read().production()));
}

#[test]
fn tests_are_named_as_true_sentences() {
    assert_none(Tree::read().rust().flat_map(code::check_test_names));
}

#[test]
fn names_of_files_say_what_is_in_them() {
    assert_none(Tree::read().sizes.iter().flat_map(|(path, _)| tracked::check_name(path)));
}

#[test]
fn tracked_files_are_small() {
    let tree = Tree::read();
    assert_none(tree.sizes.iter().flat_map(|(path, size)| tracked::check_bytes(path, *size)));
}

#[test]
fn no_path_belongs_to_one_machine() {
    assert_none(Tree::read().files.iter().flat_map(tracked::check_machine_paths));
}

#[test]
fn no_address_is_that_of_a_package_registry() {
    assert_none(Tree::read().files.iter().flat_map(tracked::check_registry_hosts));
}

#[test]
fn the_core_depends_on_nothing_that_touches_the_world() {
    let tree = Tree::read();
    let manifest = tree.file(tracked::CORE_MANIFEST).expect("the core has a manifest");
    assert_none(tracked::check_core_manifest(manifest));
}

#[test]
fn every_page_has_one_title() {
    let tree = Tree::read();
    assert_none(tree.files.iter().filter(|file| docs::is_page(file)).flat_map(docs::check_title));
}

#[test]
fn no_link_is_dead() {
    let tree = Tree::read();
    let paths: BTreeSet<String> = tree.sizes.iter().map(|(path, _)| path.clone()).collect();
    let pages = tree.files.iter().filter(|file| docs::is_page(file));
    assert_none(pages.flat_map(|page| docs::check_links(page, &tree.files, &paths)));
}

#[test]
fn tests_that_guard_a_promise_exist() {
    let tree = Tree::read();
    for path in ["ARCHITECTURE.md", "SECURITY.md"] {
        let page = tree.file(path).expect("the page is there");
        assert_none(docs::check_tests(page, &tree.files));
    }
}

#[test]
fn the_index_lists_every_design_note() {
    assert_none(docs::check_design_index(&Tree::read().files));
}
