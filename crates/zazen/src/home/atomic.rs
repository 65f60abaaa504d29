//! Files that are there whole or not at all.
//!
//! A file is written under another name in the same folder and then renamed.
//! Whether it also survives a power failure is said by [`Durability`]: pages can
//! be made again from the journal, and are not worth a sync each.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

/// Whether a file has to survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The file and its name are on the disk when the call returns.
    Durable,
    /// The kernel writes the file when it likes.
    Relaxed,
}

/// How a file looked when it was read: enough to see that someone wrote it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: (i64, i64),
    n_bytes: u64,
    inode: u64,
}

/// Why a file was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Someone wrote the file, or removed it, since it was read.
    #[error("replace `{}`: it was changed in the meantime", .0.display())]
    Changed(PathBuf),

    #[error("replace `{}`", path.display())]
    Failed { path: PathBuf, source: io::Error },
}

/// What the name of a file that is not complete starts with.
pub const TEMP_PREFIX: &str = ".zazen-tmp-";

/// How deep folders are searched for files that are not complete.
const DEPTH_MAX: usize = 16;

impl Stamp {
    /// Says how a file looks. Take the stamp before you read the file.
    pub fn of(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|meta| Self {
            modified: (meta.mtime(), meta.mtime_nsec()),
            n_bytes: meta.len(),
            inode: meta.ino(),
        })
    }
}

/// Reads a file of zazen's own that may be deleted or spoilt. One that is too large counts as none.
pub fn read_small(path: &Path, bytes_max: u64) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= bytes_max).then_some(bytes)
}

/// Writes a file, in place of the one that may be there.
pub fn write(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    write_by(path, durability, |file| file.write_all(bytes))
}

/// Writes a file by parts, in place of the one that may be there.
pub fn write_by(
    path: &Path,
    durability: Durability,
    parts: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let temp = write_temp(path, durability, parts)?;
    let renamed = fs::rename(&temp, path).and_then(|()| sync_name(path, durability));
    remove_on_error(renamed, &temp)
}

/// Writes a file in place of the one that was read, unless that was changed since.
pub fn replace_if_unchanged(path: &Path, seen: Stamp, bytes: &[u8]) -> Result<(), ReplaceError> {
    let failed = |source| ReplaceError::Failed { path: path.to_owned(), source };
    let temp = write_temp(path, Durability::Relaxed, |file| file.write_all(bytes));
    let temp = temp.map_err(failed)?;
    if !matches!(Stamp::of(path), Ok(now) if now == seen) {
        remove_on_error(fs::remove_file(&temp), &temp).map_err(failed)?;
        return Err(ReplaceError::Changed(path.to_owned()));
    }
    remove_on_error(fs::rename(&temp, path), &temp).map_err(failed)
}

/// Writes a file that is not there yet; it is on the disk when the call returns.
///
/// An error of kind `AlreadyExists` means that the name is taken.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = write_temp(path, Durability::Durable, |file| file.write_all(bytes))?;
    // A link, unlike a rename, never takes the place of another file.
    let linked = fs::hard_link(&temp, path);
    fs::remove_file(&temp)?;
    linked?;
    sync_name(path, Durability::Durable)
}

/// Creates a folder and those above it, and makes their names durable.
pub fn create_dirs(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = parent(dir) {
        create_dirs(parent)?;
    }
    match DirBuilder::new().create(dir) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(err) => Err(err),
        Ok(()) => sync_name(dir, Durability::Durable),
    }
}

/// Makes the names in a folder durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Says to whoever watches the folder above that something changed in `dir`.
pub fn touch_dir(dir: &Path) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    Ok(utimensat(CWD, dir, &times, AtFlags::empty())?)
}

/// Removes the files below `dir` that an ended process did not complete, and counts them.
///
/// Folders in `except` are not looked into. What a process that lives is writing
/// stays: the command line writes pages, too, and asks nobody.
pub fn remove_stale_temps(dir: &Path, except: &[PathBuf]) -> io::Result<usize> {
    remove_temps(dir, except, 0)
}

fn remove_temps(dir: &Path, except: &[PathBuf], depth: usize) -> io::Result<usize> {
    let mut n_removed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_dir() && depth < DEPTH_MAX && name != ".git" {
            let path = entry.path();
            if !except.contains(&path) {
                n_removed += remove_temps(&path, except, depth + 1)?;
            }
        } else if kind.is_file() && is_stale(&name.to_string_lossy()) {
            match fs::remove_file(entry.path()) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
                _ => n_removed += 1,
            }
        }
    }
    Ok(n_removed)
}

/// Whether this is the name of a file whose writer is gone.
fn is_stale(name: &str) -> bool {
    let writer = name.strip_prefix(TEMP_PREFIX).and_then(|rest| rest.split('-').next());
    writer.is_some_and(|pid| {
        pid.parse::<u32>().is_ok_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    })
}

/// Writes a file under a temporary name beside `path`, with the rights of the file there.
fn write_temp(
    path: &Path,
    durability: Durability,
    parts: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let (temp, mut file) = create_temp(path)?;
    let written = || -> io::Result<()> {
        if let Ok(meta) = fs::symlink_metadata(path)
            && meta.is_file()
        {
            file.set_permissions(meta.permissions())?;
        }
        parts(&mut file)?;
        if durability == Durability::Durable { file.sync_all() } else { Ok(()) }
    };
    remove_on_error(written(), &temp)?;
    Ok(temp)
}

/// Creates an empty file beside `path`, under a name that nobody has.
fn create_temp(path: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let temp = path.with_file_name(format!("{TEMP_PREFIX}{}-{n}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temp) {
            // An ended process had our number; each try takes another name.
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (temp, file)),
        }
    }
}

fn sync_name(path: &Path, durability: Durability) -> io::Result<()> {
    match (durability, parent(path)) {
        (Durability::Durable, Some(dir)) => sync_dir(dir),
        _ => Ok(()),
    }
}

fn parent(path: &Path) -> Option<&Path> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Some(Path::new(".")),
        parent => parent,
    }
}

fn remove_on_error(result: io::Result<()>, temp: &Path) -> io::Result<()> {
    if result.is_err() {
        // The first error is the one to tell; a file left behind is found later.
        drop(fs::remove_file(temp));
    }
    result
}

#[cfg(test)]
mod tests;
