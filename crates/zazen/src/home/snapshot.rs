//! A copy of the state at one place of the journal, to start from there.
//!
//! It is nothing but a cache: it may be deleted at any time, and one that is
//! damaged, or of another program, counts as none. It is not synced, since the
//! journal says everything again.

use std::fs;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Home;
use super::atomic::{self, Durability};
use super::journal::Position;

/// What a look for a snapshot found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// The state, and the place from which the journal goes on.
    Good { position: Position, state: T },
    /// There is none.
    Absent,
    /// There is one that cannot be used; the journal is to be read from its start.
    Unusable { why: String },
}

/// The first line. The second is the state, the third the hash of both.
#[derive(Serialize, Deserialize)]
struct Head {
    v: u32,
    shape: u32,
    position: Position,
}

/// How much is read or written at once. With very many tasks, the text is larger than
/// the state itself.
const PART_BYTES: usize = 64 << 10;

/// How long the first line may be; it holds a few numbers.
const HEAD_BYTES_MAX: u64 = 4096;

/// The version of what stands around the state.
const FORMAT: u32 = 2;

/// How long the last line is: a hash in hexadecimal digits, and the ends of two lines.
const TAIL_BYTES: u64 = 1 + 64 + 1;

/// Writes the state that the journal leads to up to `position`.
///
/// `shape` is a number that changes whenever the same journal would lead to
/// another state, or the state is written in another way.
pub fn write(
    home: &Home,
    shape: u32,
    position: Position,
    state: &impl Serialize,
) -> io::Result<()> {
    let head = Head { v: FORMAT, shape, position };
    atomic::write_by(&home.snapshot_file(), Durability::Relaxed, |file| {
        let file = BufWriter::with_capacity(PART_BYTES, file);
        let mut hashed = Hashed { hasher: blake3::Hasher::new(), file };
        serde_json::to_writer(&mut hashed, &head)?;
        hashed.write_all(b"\n")?;
        serde_json::to_writer(&mut hashed, state)?;
        let Hashed { hasher, mut file } = hashed;
        write!(file, "\n{}\n", hasher.finalize().to_hex())?;
        file.flush()
    })
}

/// Hashes what goes to a file, or comes from it.
struct Hashed<F> {
    hasher: blake3::Hasher,
    file: F,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_bytes = self.file.write(bytes)?;
        self.hasher.update(&bytes[..n_bytes]);
        Ok(n_bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.file.read(bytes)?;
        self.hasher.update(&bytes[..n_bytes]);
        Ok(n_bytes)
    }
}

/// Reads the last snapshot, if there is one of this shape.
pub fn read<T: DeserializeOwned>(home: &Home, shape: u32) -> Found<T> {
    let file = match fs::File::open(home.snapshot_file()) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Found::Absent,
        Err(err) => return Found::Unusable { why: err.to_string() },
    };
    match parse(file, shape) {
        Ok((position, state)) => Found::Good { position, state },
        Err(err) => Found::Unusable { why: err.to_string() },
    }
}

fn parse<T: DeserializeOwned>(file: fs::File, shape: u32) -> io::Result<(Position, T)> {
    let n_bytes = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    let hashed = Hashed { hasher: blake3::Hasher::new(), file: file.take(n_bytes) };
    let mut text = BufReader::with_capacity(PART_BYTES, hashed);
    let mut head = String::new();
    text.by_ref().take(HEAD_BYTES_MAX).read_line(&mut head)?;
    let head: Head = serde_json::from_str(&head)?;
    if head.v != FORMAT || head.shape != shape {
        return Err(io::Error::other("it was written by another version of zazen"));
    }
    let state = serde_json::from_reader(&mut text)?;
    let Hashed { hasher, file } = text.into_inner();
    let mut tail = String::new();
    file.into_inner().read_to_string(&mut tail)?;
    if tail != format!("\n{}\n", hasher.finalize().to_hex()) {
        return Err(io::Error::other("its hash does not fit"));
    }
    Ok((head.position, state))
}

#[cfg(test)]
mod tests;
