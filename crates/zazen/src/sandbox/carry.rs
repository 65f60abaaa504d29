//! Carries a session from the private home of one run to that of a later one.
//!
//! What is in there was written by an agent. It is moved as it is, never read into
//! anything and never followed: a folder is taken only through folders, and what is in
//! it is seen again only by another sandbox. Nobody is at work in either home.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use anyhow::Context as _;
use rustix::fs::{CWD, Mode, OFlags, openat, renameat};
use rustix::io::Errno;

use super::disk::Size;
use super::reach::give_to_runs;
use super::run_dir::RunDir;

/// How large a session may be. A day's work of an agent comes to a few megabytes.
const SESSION_BYTES_MAX: u64 = 64 << 20;

/// How many entries of it are looked through for one session.
const ENTRIES_MAX: usize = 4096;

/// How deep a session's file may be: some have a folder for each day.
const DEPTH_MAX: usize = 6;

/// The file in which `OpenCode` has all of its sessions.
const DATABASE: &str = "opencode.db";

/// How much of a session's id Gemini CLI has in a file's name: what is before the first dash.
const SHORT_ID_LEN: usize = 8;

/// How folders are opened: never through a link.
const DIR_FLAGS: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Moves the folder `inner` out of the private home of a run that has ended. Says whether
/// there was one that may be kept.
pub fn take_out(dir: &RunDir, inner: &str, to: &Path) -> anyhow::Result<bool> {
    let context = || format!("take `{inner}` out of {}", dir.home().display());
    let (folders, name) = inner.rsplit_once('/').unwrap_or(("", inner));
    let parent = match open_below(&dir.home(), folders) {
        Ok(parent) => parent,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(to.is_dir()),
        Err(err) => return Err(err).with_context(context),
    };
    match openat(&parent, name, DIR_FLAGS | OFlags::PATH, Mode::empty()) {
        Ok(_) => renameat(&parent, name, CWD, to).with_context(context)?,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
        Err(err) => return Err(err).with_context(context),
    }
    let mut size = Size::default();
    size.add(to);
    Ok(to.is_dir() && !size.exceeds(SESSION_BYTES_MAX))
}

/// Moves a folder into the private home of a run that was not begun, as `inner`. Says
/// whether it is there then; it may have been put there before.
pub fn put_in(from: &Path, dir: &RunDir, inner: &str) -> anyhow::Result<bool> {
    let context = || format!("put `{inner}` into {}", dir.home().display());
    let to = dir.home().join(inner);
    if !from.exists() {
        return Ok(to.is_dir());
    }
    let (folders, _) = inner.rsplit_once('/').unwrap_or(("", inner));
    make_in_home(dir, folders)?;
    fs::rename(from, &to).with_context(context)?;
    Ok(true)
}

/// Makes a folder, and those above it, in the private home of a run that was not begun.
pub fn make_in_home(dir: &RunDir, inner: &str) -> anyhow::Result<()> {
    let mut folder = dir.home();
    let context = || format!("make `{inner}` in {}", dir.home().display());
    make(&folder).with_context(context)?;
    for name in inner.split('/').filter(|name| !name.is_empty()) {
        folder.push(name);
        make(&folder).with_context(context)?;
    }
    Ok(())
}

/// Whether there is something of a session in this folder: a file or a folder that has its id
/// in its name, or a database that may have it.
pub fn has_session(folder: &Path, id: &str) -> bool {
    let mut n_left = ENTRIES_MAX;
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Some(left) = n_left.checked_sub(1) else { return false };
            n_left = left;
            let Ok(facts) = fs::symlink_metadata(entry.path()) else { continue };
            let name = entry.file_name();
            if facts.is_dir() && name == id {
                return fs::read_dir(entry.path()).is_ok_and(|mut inner| inner.next().is_some());
            }
            if facts.is_dir() && depth < DEPTH_MAX {
                folders.push((entry.path(), depth + 1));
            } else if facts.is_file() && facts.len() > 0 && is_of(&name, id) {
                return true;
            }
        }
    }
    false
}

fn is_of(name: &OsStr, id: &str) -> bool {
    let name = name.to_string_lossy();
    if name == DATABASE {
        return true;
    }
    // Gemini CLI writes the beginning of the id.
    let short = id.split('-').next().filter(|short| short.len() == SHORT_ID_LEN && id != *short);
    name.strip_suffix(".jsonl").is_some_and(|name| {
        name.ends_with(id)
            || short.is_some_and(|short| {
                name.strip_suffix(short).is_some_and(|rest| rest.ends_with('-'))
            })
    })
}

fn make(folder: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(err) => Err(err.into()),
        Ok(()) => give_to_runs(folder),
    }
}

/// Opens a folder below another, without following a link on the way.
fn open_below(top: &Path, path: &str) -> Result<OwnedFd, Errno> {
    let mut folder = openat(CWD, top, DIR_FLAGS, Mode::empty())?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        folder = openat(&folder, name, DIR_FLAGS, Mode::empty())?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests;
