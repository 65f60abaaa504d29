//! Archives of a few plain files, as every `tar` reads them.
//!
//! What is read is only what is written here: plain files with a name, a size and nothing
//! else, one way to write each. So there is no link, no folder, no odd path, no owner and
//! no compression to be careful about, and no byte of an archive is without meaning.

use std::io::{self, Read, Write};

use super::lines::invalid;

/// An archive that is being written.
pub(super) struct Writer<W> {
    to: W,
}

/// An archive that is being read.
pub(super) struct Reader<R> {
    from: R,
}

/// The beginning of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) n_bytes: u64,
}

/// All is in blocks of this size.
const BLOCK: usize = 512;

/// How long a name may be.
const NAME_BYTES_MAX: usize = 100;

/// The largest size that fits into eleven octal digits.
const SIZE_MAX: u64 = (1 << 33) - 1;

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to }
    }

    /// Adds one file; exactly as many bytes have to come.
    pub(super) fn add(&mut self, entry: &Entry, from: impl Read) -> io::Result<()> {
        self.to.write_all(&header(entry)?)?;
        let n_bytes = io::copy(&mut from.take(entry.n_bytes), &mut self.to)?;
        if n_bytes != entry.n_bytes {
            return Err(invalid(format!("`{}` became shorter while it was read", entry.name)));
        }
        self.to.write_all(&[0; BLOCK][..padding(entry.n_bytes)])
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&[0; 2 * BLOCK])?;
        Ok(self.to)
    }
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from }
    }

    /// The next file, or the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut block = [0; BLOCK];
        self.from.read_exact(&mut block).map_err(|err| cut(&err))?;
        if block == [0; BLOCK] {
            self.finish()?;
            return Ok(None);
        }
        let entry =
            parse(&block).ok_or_else(|| invalid("it has an entry that is no plain file"))?;
        if header(&entry)? != block {
            return Err(invalid("it has an entry that zazen would not write"));
        }
        Ok(Some(entry))
    }

    /// Hands over the content of the file that came last, all of it.
    pub(super) fn content(&mut self, entry: &Entry, to: &mut impl Write) -> io::Result<()> {
        let n_bytes = io::copy(&mut self.from.by_ref().take(entry.n_bytes), to)?;
        let mut rest = vec![0; padding(entry.n_bytes)];
        self.from.read_exact(&mut rest).map_err(|err| cut(&err))?;
        if n_bytes == entry.n_bytes && rest.iter().all(|b| *b == 0) {
            Ok(())
        } else {
            Err(invalid(format!("`{}` is cut off", entry.name)))
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut rest = Vec::new();
        self.from.by_ref().take(BLOCK as u64 + 1).read_to_end(&mut rest)?;
        if rest == [0; BLOCK] { Ok(()) } else { Err(invalid("it goes on after its end")) }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
fn cut(err: &io::Error) -> io::Error {
    match err.kind() {
        io::ErrorKind::UnexpectedEof => invalid("it is cut off"),
        kind => io::Error::new(kind, err.to_string()),
    }
}

fn padding(n_bytes: u64) -> usize {
    let over = n_bytes % BLOCK as u64;
    usize::try_from((BLOCK as u64 - over) % BLOCK as u64).unwrap_or(0)
}

/// The block before a file. The places are those of the format `ustar`.
fn header(entry: &Entry) -> io::Result<[u8; BLOCK]> {
    let name = entry.name.as_bytes();
    let is_fit = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(&0);
    if !is_fit || entry.n_bytes > SIZE_MAX {
        return Err(invalid(format!("`{}` does not fit into an archive", entry.name)));
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", entry.n_bytes).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

fn parse(block: &[u8; BLOCK]) -> Option<Entry> {
    let name = block[..NAME_BYTES_MAX].split(|b| *b == 0).next()?;
    let size = std::str::from_utf8(&block[124..135]).ok()?;
    Some(Entry {
        name: String::from_utf8(name.to_vec()).ok()?,
        n_bytes: u64::from_str_radix(size, 8).ok()?,
    })
}

#[cfg(test)]
mod tests;
