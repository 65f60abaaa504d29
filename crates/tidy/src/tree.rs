//! The files of the repository.
//!
//! Git says which files belong to it; where there is no git (an unpacked
//! archive, say), the folders are walked. Nothing else here touches the disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::File;

/// The repository, as read from the disk.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Every path, text or not, with its size in bytes.
    pub sizes: Vec<(String, u64)>,
    /// The files that are text.
    pub files: Vec<File>,
}

/// Folders that are never part of the repository; only the walk needs to know.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules"];

impl Tree {
    /// Reads the repository that this crate is part of.
    ///
    /// # Panics
    ///
    /// Where the files cannot be listed or read: a gate that sees nothing must not pass.
    pub fn read() -> Self {
        let root = top();
        let paths = list_by_git(&root).unwrap_or_else(|| list_by_walk(&root));
        let tree = Self::read_paths(&root, &paths);
        let has_the_crates = tree.files.iter().any(|file| file.path == "crates/zazen/src/lib.rs");
        assert!(has_the_crates, "`{}` has no `crates/zazen/src/lib.rs`", root.display());
        tree
    }

    fn read_paths(root: &Path, paths: &BTreeSet<String>) -> Self {
        let mut tree = Self { sizes: Vec::new(), files: Vec::new() };
        for path in paths {
            let full = root.join(path);
            // A file that git lists and a person has just deleted is not there to be judged.
            if !full.is_file() {
                continue;
            }
            let bytes = fs::read(&full).unwrap_or_else(|err| panic!("read `{path}`: {err}"));
            tree.sizes.push((path.clone(), bytes.len() as u64));
            if let Ok(text) = String::from_utf8(bytes)
                && !text.contains('\0')
            {
                tree.files.push(File::new(path, text));
            }
        }
        tree
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files that are not there only for tests.
    pub fn production(&self) -> impl Iterator<Item = &File> {
        self.rust().filter(|file| !file.is_test())
    }

    /// All Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }
}

/// The top of the repository. Tests start in the folder of their crate.
///
/// The path that was compiled in would be another checkout's where two share a
/// target folder, and the wrong source would be judged.
fn top() -> PathBuf {
    let here = std::env::current_dir().expect("a test has a folder that it was started in");
    here.ancestors().nth(2).expect("the crate is two folders below the top").to_owned()
}

/// Lists what git tracks; `None` where git is missing or this is no checkout of it.
#[expect(clippy::disallowed_methods, reason = "a test tool cannot depend on `exec`")]
fn list_by_git(root: &Path) -> Option<BTreeSet<String>> {
    // A source archive unpacked inside some other checkout is not that checkout's.
    if !root.join(".git").exists() {
        return None;
    }
    let output =
        std::process::Command::new("git").arg("-C").arg(root).args(["ls-files", "-z"]).output();
    let output = output.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn list_by_walk(root: &Path) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let full = root.join(&folder);
        let entries = fs::read_dir(&full)
            .unwrap_or_else(|err| panic!("list the folder `{}`: {err}", full.display()));
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let is_ours = !NOT_OURS.iter().any(|name| entry.file_name() == *name);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && is_ours => folders.push(path),
                Ok(kind) if kind.is_file() => {
                    paths.insert(path.to_string_lossy().replace('\\', "/"));
                }
                _ => {}
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests;
