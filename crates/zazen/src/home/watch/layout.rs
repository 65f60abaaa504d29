//! What of the home people change, and how it falls into parts.
//!
//! A *unit* is a folder that comes and goes with the work: an issue with its
//! comments, a task with its pages. There may be very many. All other folders
//! are the *structure*: there are few, and the units are in them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// The folders with pages that people edit. `facts/`, `journal/` and
/// `conflicts/` are written by zazen and read by people.
pub(super) const WATCHED_DIRS: [&str; 4] = ["forge", "memory", "skills", "tasks"];

/// How many changed paths are collected. To look at everything is as quick then.
pub(super) const PATHS_MAX: usize = 4096;

/// How deep folders below a watched one are looked into.
pub(super) const DEPTH_MAX: usize = 16;

/// What a unit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `forge/<owner>/<name>/issues/<n>`
    Issue,
    /// `tasks/<year>/<month>/<task>`
    Task,
}

/// The unit that a path is, or is in.
pub(super) fn unit_of<'a>(root: &Path, path: &'a Path) -> Option<(Kind, &'a Path)> {
    let names = names(root, path)?;
    let (kind, depth) = match names.as_slice() {
        ["tasks", ..] => (Kind::Task, 4),
        ["forge", _, _, "issues", ..] => (Kind::Issue, 5),
        _ => return None,
    };
    let above = names.len().checked_sub(depth)?;
    Some((kind, path.ancestors().nth(above)?))
}

/// Whether a folder is above units.
pub(super) fn leads_to_units(root: &Path, dir: &Path) -> bool {
    let Some(names) = names(root, dir) else { return false };
    match names.as_slice() {
        ["tasks", below @ ..] => below.len() < 3,
        ["forge", below @ ..] => below.len() < 3 || matches!(below, [_, _, "issues"]),
        _ => false,
    }
}

/// Whether a folder is one of those that people edit pages in, or is below one.
pub(super) fn is_watched(root: &Path, dir: &Path) -> bool {
    names(root, dir)
        .is_some_and(|names| names.first().is_some_and(|name| WATCHED_DIRS.contains(name)))
}

/// The names on the way to a path. One that is not text is in no layout of ours.
fn names<'a>(root: &Path, path: &'a Path) -> Option<Vec<&'a str>> {
    let inside = path.strip_prefix(root).ok()?;
    Some(inside.iter().map(|name| name.to_str().unwrap_or_default()).collect())
}

/// Whether a path is one that people, or programs of theirs, change.
pub(super) fn concerns_people(root: &Path, path: &Path) -> bool {
    let Ok(relative) = path.strip_prefix(root) else { return false };
    let (relative, is_inbox) = match relative.strip_prefix(".zazen/inbox") {
        Ok(relative) => (relative, true),
        Err(_) => (relative, false),
    };
    let Some(first) = relative.iter().next() else { return false };
    let is_page = relative.iter().count() == 1 || WATCHED_DIRS.iter().any(|dir| first == *dir);
    (is_inbox || is_page) && relative.iter().all(is_visible)
}

/// Whether a name is that of a page, and not of an editor's or our own temporary file.
pub(super) fn is_visible(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    !name.starts_with(b".") && !name.ends_with(b"~")
}

/// What is in a folder, as far as it concerns people. One that cannot be read has nothing.
pub(super) fn entries(dir: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| is_visible(&entry.file_name()))
}

/// The folders in a folder. Links are not followed.
pub(super) fn folders(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    entries(dir).filter(is_folder).map(|entry| entry.path())
}

/// Whether an entry is a folder itself, and not a link to one.
pub(super) fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// Adds the files and folders below a folder.
pub(super) fn add_files(dir: &Path, paths: &mut BTreeSet<PathBuf>, depth: usize) {
    for entry in entries(dir) {
        if paths.len() > PATHS_MAX {
            return;
        }
        paths.insert(entry.path());
        if is_folder(&entry) && depth < DEPTH_MAX {
            add_files(&entry.path(), paths, depth + 1);
        }
    }
}
