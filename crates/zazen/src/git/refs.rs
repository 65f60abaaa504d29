//! Refs of a repository of ours, read from its files.
//!
//! Every run looks at a few refs, and starting git for each would take longer than
//! all else that is done before the agent is at work. It reads as git does: the
//! ref's own file first, then `packed-refs`. What it does not understand it says
//! nothing about, and git is asked. Nothing is ever written here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The refs of one repository that keeps them in files.
#[derive(Debug)]
pub(super) struct Refs {
    dir: PathBuf,
}

/// How deep branches are looked for: names with many slashes.
const DEPTH_MAX: usize = 64;

impl Refs {
    /// The refs of a repository; none where git keeps them in another way.
    pub(super) fn of(dir: &Path) -> Option<Self> {
        let is_plain = dir.join("refs").is_dir() && !dir.join("reftable").exists();
        is_plain.then(|| Self { dir: dir.to_owned() })
    }

    /// The object at a ref, or that there is none. Nothing, if git has to say it.
    #[expect(clippy::option_option, reason = "not known, known to be none, and known differ")]
    pub(super) fn get(&self, name: &str) -> Option<Option<String>> {
        if !is_well_formed(name) {
            return None;
        }
        match fs::read_to_string(self.dir.join(name)) {
            Ok(text) => object(text.trim_end()).map(Some),
            Err(_) => Some(self.packed()?.remove(name)),
        }
    }

    /// What a symbolic ref names. Nothing, if git has to say it.
    pub(super) fn symbolic(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.dir.join(name)).ok()?;
        Some(text.strip_prefix("ref: ")?.trim_end().to_owned())
    }

    /// All refs below a folder (`refs/heads/`), by what follows it. Nothing, if git has to say it.
    pub(super) fn below(&self, folder: &str) -> Option<BTreeMap<String, String>> {
        let packed = self.packed()?.into_iter();
        let mut found: BTreeMap<String, String> = packed
            .filter_map(|(name, object)| Some((name.strip_prefix(folder)?.to_owned(), object)))
            .collect();
        let root = self.dir.join(folder);
        if root.is_dir() {
            add_loose(&root, "", &mut found, 0)?;
        }
        Some(found)
    }

    fn packed(&self) -> Option<BTreeMap<String, String>> {
        let path = self.dir.join("packed-refs");
        if !path.exists() {
            return Some(BTreeMap::new());
        }
        let text = fs::read_to_string(path).ok()?;
        let lines = text.lines().filter(|line| !line.starts_with(['#', '^']));
        lines
            .map(|line| {
                let (id, name) = line.split_once(' ')?;
                Some((name.to_owned(), object(id)?))
            })
            .collect()
    }
}

fn add_loose(
    dir: &Path,
    prefix: &str,
    found: &mut BTreeMap<String, String>,
    depth: usize,
) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    for entry in fs::read_dir(dir).ok()? {
        let entry = entry.ok()?;
        let name = format!("{prefix}{}", entry.file_name().to_str()?);
        if entry.file_type().ok()?.is_dir() {
            add_loose(&entry.path(), &format!("{name}/"), found, depth + 1)?;
        } else {
            let text = fs::read_to_string(entry.path()).ok()?;
            found.insert(name, object(text.trim_end())?);
        }
    }
    Some(())
}

fn object(text: &str) -> Option<String> {
    let is_id = text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| text.to_owned())
}

/// Whether a name leads to a file below `refs/` and nowhere else.
fn is_well_formed(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.');
    name.starts_with("refs/") && name.split('/').all(is_part) && !name.contains('\0')
}

#[cfg(test)]
mod tests;
