//! A copy of the state at one place of the journal, to start from there.
//!
//! It is nothing but a cache: it may be deleted at any time, and one that is
//! damaged, or of another program, counts as none. It is not synced, since the
//! journal says everything again.

use std::fs;
use std::io::{self, BufWriter, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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

#[derive(Deserialize)]
struct File<'a> {
    v: u32,
    shape: u32,
    position: Position,
    hash: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

/// How much is written at once.
const WRITE_BYTES: usize = 64 << 10;

/// The version of what stands around the state.
const FORMAT: u32 = 1;

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
    let position_text = serde_json::to_string(&position)?;
    // By parts: with very many tasks the text is larger than the state itself.
    atomic::write_by(&home.snapshot_file(), Durability::Relaxed, |file| {
        let mut file = BufWriter::with_capacity(WRITE_BYTES, file);
        write!(file, r#"{{"v":{FORMAT},"shape":{shape},"position":{position_text},"state":"#)?;
        let mut hashed = Hashed { hasher: hasher(shape, position), file };
        serde_json::to_writer(&mut hashed, state)?;
        let Hashed { hasher, mut file } = hashed;
        write!(file, r#","hash":"{}"}}"#, hasher.finalize().to_hex())?;
        file.flush()
    })
}

/// Hashes what goes to the file.
struct Hashed<W> {
    hasher: blake3::Hasher,
    file: W,
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

/// Reads the last snapshot, if there is one of this shape.
pub fn read<T: DeserializeOwned>(home: &Home, shape: u32) -> Found<T> {
    let text = match fs::read(home.snapshot_file()) {
        Ok(text) => text,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Found::Absent,
        Err(err) => return Found::Unusable { why: err.to_string() },
    };
    match parse(&text, shape) {
        Ok((position, state)) => Found::Good { position, state },
        Err(why) => Found::Unusable { why },
    }
}

fn parse<T: DeserializeOwned>(text: &[u8], shape: u32) -> Result<(Position, T), String> {
    let file: File<'_> = serde_json::from_slice(text).map_err(|err| err.to_string())?;
    if file.v != FORMAT || file.shape != shape {
        return Err("it was written by another version of zazen".to_owned());
    }
    let mut hasher = hasher(shape, file.position);
    hasher.update(file.state.get().as_bytes());
    if file.hash != hasher.finalize().to_hex().as_str() {
        return Err("its hash does not fit".to_owned());
    }
    let state = serde_json::from_str(file.state.get()).map_err(|err| err.to_string())?;
    Ok((file.position, state))
}

fn hasher(shape: u32, position: Position) -> blake3::Hasher {
    let Position { seq, hash, segment, offset } = position;
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{shape} {seq} {hash} {segment} {offset} ").as_bytes());
    hasher
}

#[cfg(test)]
mod tests;
