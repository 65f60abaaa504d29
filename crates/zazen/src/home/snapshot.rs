//! A copy of the state at one place of the journal, to start from there.
//!
//! It is nothing but a cache: it may be deleted at any time, and one that is
//! damaged, or of another program, counts as none. It is not synced, since the
//! journal says everything again.

use std::fs;
use std::io;

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

#[derive(Serialize, Deserialize)]
struct File<'a> {
    v: u32,
    shape: u32,
    position: Position,
    hash: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

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
    let state = serde_json::value::to_raw_value(state)?;
    let hash = hash(shape, position, &state);
    let file = File { v: FORMAT, shape, position, hash, state: &state };
    let text = serde_json::to_vec(&file)?;
    atomic::write(&home.snapshot_file(), &text, Durability::Relaxed)
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
    if file.hash != hash(shape, file.position, file.state) {
        return Err("its hash does not fit".to_owned());
    }
    let state = serde_json::from_str(file.state.get()).map_err(|err| err.to_string())?;
    Ok((file.position, state))
}

fn hash(shape: u32, position: Position, state: &RawValue) -> String {
    let Position { seq, hash, segment, offset } = position;
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{shape} {seq} {hash} {segment} {offset} ").as_bytes());
    hasher.update(state.get().as_bytes());
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests;
