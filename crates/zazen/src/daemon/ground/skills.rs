//! The skills of a run in one text, as they stand beside a receipt: `skills.json`.
//!
//! What comes in may have been written by anybody: only plain names of files come out, below
//! one folder that is new.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::DEPTH_MAX;

/// The skills of a run, by the paths of their files.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Skills {
    /// The version of the format: 1.
    v: u32,
    files: BTreeMap<String, Kept>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    is_program: bool,
    content: Content,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Content {
    Text(String),
    /// What is no text.
    Base64(String),
}

const VERSION: u32 = 1;

/// How many files are unpacked. All skills of a run have fewer by far.
const FILES_MAX: usize = 20_000;

/// Prints the files of a folder. Nothing, where there is no such folder.
pub(in super::super) fn print(dir: &Path) -> anyhow::Result<Option<String>> {
    if !dir.exists() {
        return Ok(None);
    }
    let mut files = BTreeMap::new();
    add((dir, ""), 0, &mut files).with_context(|| format!("read {}", dir.display()))?;
    let text = serde_json::to_string_pretty(&Skills { v: VERSION, files })?;
    Ok(Some(text + "\n"))
}

fn add(
    (dir, prefix): (&Path, &str),
    depth: usize,
    files: &mut BTreeMap<String, Kept>,
) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("it is more than {DEPTH_MAX} folders deep");
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = name.to_str().context("the name of a file is no text")?;
        if kind.is_dir() {
            add((&entry.path(), &format!("{prefix}{name}/")), depth + 1, files)?;
        } else if kind.is_file() {
            let is_program = entry.metadata()?.permissions().mode() & 0o111 != 0;
            let content = match String::from_utf8(fs::read(entry.path())?) {
                Ok(text) => Content::Text(text),
                Err(err) => Content::Base64(STANDARD.encode(err.as_bytes())),
            };
            files.insert(format!("{prefix}{name}"), Kept { is_program, content });
        }
    }
    Ok(())
}

/// Writes the files of such a text to a new folder.
pub(in super::super) fn unpack(text: &[u8], to: &Path) -> anyhow::Result<()> {
    let Skills { v, files } = serde_json::from_slice(text).context("it is no list of skills")?;
    if v != VERSION {
        bail!("it has version {v}; this zazen reads {VERSION}");
    }
    if files.len() > FILES_MAX {
        bail!("it has more than {FILES_MAX} files");
    }
    fs::create_dir(to).with_context(|| format!("make {}", to.display()))?;
    for (name, Kept { is_program, content }) in files {
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if !name.split('/').all(is_part) || name.split('/').count() > DEPTH_MAX {
            bail!("a file of it has no plain name");
        }
        let bytes = match content {
            Content::Text(text) => text.into_bytes(),
            Content::Base64(text) => STANDARD.decode(text).context("a file of it is damaged")?,
        };
        let path = to.join(&name);
        fs::create_dir_all(path.parent().unwrap_or(to))?;
        let mode = if is_program { 0o755 } else { 0o644 };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        file.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
