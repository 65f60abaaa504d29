//! Files of lines, read line by line: each has a limit, whatever the file is.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use zazen_core::receipt::chain::{LINE_BYTES_MAX, LINES_MAX};

/// Whether to read on.
pub(super) enum Then {
    Go,
    Stop,
}

/// Hands over each line without its end, with its number from 1.
///
/// A file whose last line has no end, or that has too much, is an error.
pub(super) fn each(
    path: &Path,
    mut take: impl FnMut(u64, &[u8]) -> io::Result<Then>,
) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    for n in 1.. {
        line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let Some(text) = line.strip_suffix(b"\n") else {
            return Err(invalid(format!("line {n} does not end, or is too long")));
        };
        if n > LINES_MAX.saturating_mul(100) {
            return Err(invalid(format!("it has more than {} lines", n - 1)));
        }
        if let Then::Stop = take(n, text)? {
            return Ok(());
        }
    }
    Ok(())
}

pub(super) fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
