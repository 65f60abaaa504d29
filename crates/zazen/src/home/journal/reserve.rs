//! Disk space kept back, so that the last events fit when the disk is full.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

/// A file that holds nothing but its place on the disk.
#[derive(Debug)]
pub(super) struct Reserve {
    pub(super) file: PathBuf,
    pub(super) n_bytes: u64,
}

impl Reserve {
    /// Makes the file as large as it has to be, if it is not.
    pub(super) fn keep(&self) -> io::Result<()> {
        if fs::metadata(&self.file).is_ok_and(|meta| meta.len() >= self.n_bytes) {
            return Ok(());
        }
        let kept = self.allocate();
        if kept.is_err() {
            // Half a reserve takes space and promises nothing.
            drop(self.release());
        }
        kept
    }

    /// Removes the file.
    pub(super) fn release(&self) -> io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
            _ => Ok(()),
        }
    }

    fn allocate(&self) -> io::Result<()> {
        let mut file = File::create(&self.file)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.n_bytes) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                io::copy(&mut io::Read::take(io::repeat(0), self.n_bytes), &mut file)?;
                file.flush()
            }
            Err(err) => Err(err.into()),
        }
    }
}
