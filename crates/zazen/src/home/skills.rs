//! The folders in `skills/`: what is there, what is wrong with it, and a copy for a run.
//!
//! Agents get copies, never the folders themselves. A folder is taken as a whole or not
//! at all: plain files and folders, few and small, and a page that can be read.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zazen_core::skill::{self, SKILL_PAGE, Skill};
use zazen_core::text::plain;

/// A skill that can be given to agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub skill: Skill,
    pub folder: PathBuf,
    /// Its files, by their paths in the folder.
    pub files: Vec<PathBuf>,
    pub n_bytes: u64,
}

/// A folder that is not given to agents, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub path: PathBuf,
    pub line: Option<usize>,
    pub why: String,
}

/// How many skills there may be. Each takes a line of every agent's attention.
pub const SKILLS_MAX: usize = 64;

/// How long a `SKILL.md` may be. The format asks for less than a tenth of it.
pub const PAGE_BYTES_MAX: u64 = 64 << 10;

/// How many files a skill may have.
pub const FILES_MAX: usize = 200;

/// How large a skill may be. It is copied for each run.
pub const BYTES_MAX: u64 = 4 << 20;

/// How deep its folders may be.
const DEPTH_MAX: usize = 8;

/// Reads all skills in a folder, by name. No folder is no skill.
pub fn read(folder: &Path) -> io::Result<Vec<Result<Found, Broken>>> {
    let entries = match fs::read_dir(folder) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A page beside them, and what tools hide, are no skills.
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && !entry.file_type()?.is_file() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    let all = folders.iter().zip(0_usize..).map(|(folder, n)| {
        if n < SKILLS_MAX {
            return look(folder);
        }
        let why = format!("there are more than {SKILLS_MAX} skills; move some elsewhere");
        Err(Broken { path: folder.clone(), line: None, why })
    });
    Ok(all.collect())
}

fn look(folder: &Path) -> Result<Found, Broken> {
    let broken = |path: &Path, why: String| Broken { path: path.to_owned(), line: None, why };
    let io = |path: &Path, err: &io::Error| broken(path, format!("cannot be read: {err}"));
    let kind = fs::symlink_metadata(folder).map_err(|err| io(folder, &err))?.file_type();
    if !kind.is_dir() {
        let why = "is a link; put the folder itself here".to_owned();
        return Err(broken(folder, why));
    }
    let page = folder.join(SKILL_PAGE);
    if page.symlink_metadata().is_err() {
        let why = format!("has no `{SKILL_PAGE}`, which makes a folder a skill");
        return Err(broken(folder, why));
    }
    let mut found = Contents::default();
    found.add(folder, Path::new(""), 0).map_err(|(path, why)| broken(&path, why))?;
    let text = read_page(&page).map_err(|err| broken(&page, format!("{err:#}")))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let skill = skill::parse(&name, &text).map_err(|err| Broken {
        path: page.clone(),
        line: Some(err.line),
        why: err.why,
    })?;
    let Contents { mut files, n_bytes } = found;
    files.sort();
    Ok(Found { skill, folder: folder.to_owned(), files, n_bytes })
}

/// What is in a folder, as far as it was looked at.
#[derive(Default)]
struct Contents {
    files: Vec<PathBuf>,
    n_bytes: u64,
}

impl Contents {
    fn add(&mut self, root: &Path, below: &Path, depth: usize) -> Result<(), (PathBuf, String)> {
        let folder = root.join(below);
        let io = |err: io::Error| (folder.clone(), format!("cannot be read: {err}"));
        if depth > DEPTH_MAX {
            return Err((folder, format!("is more than {DEPTH_MAX} folders deep")));
        }
        for entry in fs::read_dir(&folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let metadata = entry.metadata().map_err(io)?;
            let path = below.join(entry.file_name());
            if metadata.is_dir() {
                self.add(root, &path, depth + 1)?;
                continue;
            }
            if !metadata.is_file() {
                let why = "is a link or a device; only plain files are copied to agents";
                return Err((root.join(path), why.to_owned()));
            }
            self.n_bytes += metadata.len();
            self.files.push(path);
            if self.files.len() > FILES_MAX {
                return Err((root.to_owned(), format!("has more than {FILES_MAX} files")));
            }
            if self.n_bytes > BYTES_MAX {
                let mib = BYTES_MAX >> 20;
                return Err((root.to_owned(), format!("has more than {mib} MiB")));
            }
        }
        Ok(())
    }
}

fn read_page(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = open(path).context("cannot be read")?;
    file.take(PAGE_BYTES_MAX + 1).read_to_string(&mut text).context("cannot be read")?;
    if text.len() as u64 > PAGE_BYTES_MAX {
        bail!("is longer than {} KiB; move parts into files beside it", PAGE_BYTES_MAX >> 10);
    }
    Ok(text)
}

impl Found {
    /// Copies the skill into a folder of its name below `to`.
    pub fn copy(&self, to: &Path) -> anyhow::Result<()> {
        let to = to.join(self.skill.name.as_str());
        let mut n_left = BYTES_MAX;
        for path in &self.files {
            let context = || format!("copy `{}`", self.folder.join(path).display());
            let mut from = open(&self.folder.join(path)).with_context(context)?;
            let is_program = from.metadata().with_context(context)?.permissions().mode() & 0o100;
            let mode = if is_program == 0 { 0o644 } else { 0o755 };
            let mut file = create(&to.join(path), mode).with_context(context)?;
            // It may have grown since it was looked at.
            n_left -= io::copy(&mut (&mut from).take(n_left), &mut file).with_context(context)?;
        }
        Ok(())
    }
}

/// Opens a file for reading that is no link by now either.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

/// Makes a file of a skill, and the folders that it is in.
pub fn create(path: &Path, mode: u32) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", plain(&self.path.display().to_string()))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for Broken {}

#[cfg(test)]
mod tests;
