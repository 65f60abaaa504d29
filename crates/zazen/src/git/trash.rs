//! Taking away folders that an agent has filled.
//!
//! What is in them is hostile: folders that cannot be read, names of any
//! bytes, thousands of levels, links to anywhere. Removing is two steps, so
//! that nobody waits: a rename now, and [`reap`] in the background.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, bail};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, chmodat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

/// How many folders are remembered at a time, so that ten million of them in
/// one folder cost time and not memory.
const BATCH_MAX: usize = 256;

/// How often a folder is moved into a trash that is just being emptied.
const N_TRIES_MAX: u32 = 10;

/// How folders are opened: never through a link.
const DIR_FLAGS: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Moves a folder out of the way, at once, whatever is in it.
///
/// `trash` has to be on the same file system. A folder that is not there is
/// no error, so that this can be tried again.
pub fn remove(folder: &Path, trash: &Path) -> anyhow::Result<()> {
    let context = || format!("move `{}` to the trash", folder.display());
    for _ in 0..N_TRIES_MAX {
        fs::create_dir_all(trash).with_context(context)?;
        let slot = tempfile::Builder::new().prefix("t-").tempdir_in(trash).with_context(context)?;
        let slot = slot.keep();
        match fs::rename(folder, slot.join("x")) {
            // The trash was emptied in this moment, slot and all.
            Err(err) if err.kind() == io::ErrorKind::NotFound && folder.exists() => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            moved => return moved.with_context(context),
        }
    }
    bail!("the trash `{}` does not keep still", trash.display())
}

/// Deletes all that is in the trash. It blocks, for long if there is much.
pub fn reap(trash: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(trash) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("read the trash `{}`", trash.display()))?,
    };
    for entry in entries {
        let path = entry?.path();
        delete(&path).with_context(|| format!("delete `{}` from the trash", path.display()))?;
    }
    Ok(())
}

/// Deletes a folder with all that is in it, never following a link. One that
/// is not there is no error.
///
/// Every folder found inside is first moved up to the top one and then
/// emptied in its turn, so that depth costs neither descriptors nor stack.
/// Nobody else may be at work in it any more.
pub(super) fn delete(folder: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let parent = openat(CWD, parent, DIR_FLAGS, Mode::empty())?;
    let name = CString::new(name.as_encoded_bytes())?;
    if matches!(statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW), Err(Errno::NOENT)) {
        return Ok(());
    }
    let Some(top) = open_folder(&parent, &name)? else {
        return Ok(unlinkat(&parent, name, AtFlags::empty())?);
    };
    let mut n_moved = 0;
    loop {
        let folders = unlink_files(&top)?;
        if folders.is_empty() {
            break;
        }
        for folder in folders {
            flatten(&top, &folder, &mut n_moved)?;
        }
    }
    Ok(unlinkat(&parent, name, AtFlags::REMOVEDIR)?)
}

/// Removes a folder in the top one; the folders in it come up to the top.
fn flatten(top: &OwnedFd, name: &CStr, n_moved: &mut u64) -> io::Result<()> {
    let Some(folder) = open_folder(top, name)? else { return Ok(()) };
    loop {
        let inner = unlink_files(&folder)?;
        if inner.is_empty() {
            break;
        }
        for inner in inner {
            // A folder that cannot be written to cannot be moved either.
            open_folder(&folder, &inner)?;
            move_up(&folder, &inner, top, n_moved)?;
        }
    }
    Ok(unlinkat(top, name, AtFlags::REMOVEDIR)?)
}

fn move_up(folder: &OwnedFd, name: &CStr, top: &OwnedFd, n_moved: &mut u64) -> io::Result<()> {
    loop {
        *n_moved += 1;
        match renameat(folder, name, top, format!("{n_moved}.up")) {
            Ok(()) => return Ok(()),
            // There is one of that name; the next number will do.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            Err(err) => return Err(err.into()),
        }
    }
}

/// Opens a folder in a folder, ours to change from then on; `None` for anything else.
fn open_folder(parent: &OwnedFd, name: &CStr) -> io::Result<Option<OwnedFd>> {
    let facts = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::Directory {
        return Ok(None);
    }
    if !Mode::from_raw_mode(facts.st_mode).contains(Mode::RWXU) {
        chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(Some(openat(parent, name, DIR_FLAGS, Mode::empty())?))
}

/// Takes away what is not a folder, and returns some of the folders: none only
/// if the folder is empty.
fn unlink_files(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut folders = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match unlinkat(folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            // Linux says the one, other systems the other.
            Err(Errno::ISDIR | Errno::PERM) => folders.push(name.to_owned()),
            Err(err) => return Err(err.into()),
        }
        if folders.len() == BATCH_MAX {
            break;
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests;
