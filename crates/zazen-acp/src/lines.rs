//! Takes an agent's output apart: into lines, and lines into messages.
//!
//! Nothing that an agent writes can break it. A line that is too long is kept
//! in part, broken UTF-8 is mended, messages that stick together are parted, and
//! what stands between them is handed on as it came.

use std::fmt::Write as _;

use serde_json::Value;

/// Cuts a stream of bytes into lines.
#[derive(Debug)]
pub(crate) struct Lines {
    n_bytes_max: usize,
    begun: Vec<u8>,
    /// How much of the line that is begun was dropped.
    n_dropped: usize,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// A whole JSON value.
    Value(Value),
    /// What is none.
    Junk(String),
}

/// How every message begins that is not padded: where to look for the next one in a mess.
const BEGINNING: &str = "{\"jsonrpc\"";

impl Lines {
    pub(crate) fn new(n_bytes_max: usize) -> Self {
        Self { n_bytes_max, begun: Vec::new(), n_dropped: 0 }
    }

    /// Takes more bytes, and yields the lines that they end.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..at]);
            lines.extend(self.end());
            bytes = &bytes[at + 1..];
        }
        self.keep(bytes);
        lines
    }

    /// The last line, if it has no end.
    pub(crate) fn end(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.begun);
        let n_dropped = std::mem::take(&mut self.n_dropped);
        let mut text = match String::from_utf8(line) {
            Ok(text) => text,
            Err(err) => String::from_utf8_lossy(err.as_bytes()).into_owned(),
        };
        if n_dropped > 0 {
            write!(text, "… ({n_dropped} more bytes)").expect("it is a string");
        }
        (!text.trim().is_empty()).then_some(text)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let n_kept = bytes.len().min(self.n_bytes_max - self.begun.len());
        self.begun.extend_from_slice(&bytes[..n_kept]);
        self.n_dropped += bytes.len() - n_kept;
    }
}

/// All that is in a line. Batches come as their parts.
pub(crate) fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Array(parts))) => pieces.extend(parts.into_iter().map(Piece::Value)),
            Some(Ok(value)) => pieces.push(Piece::Value(value)),
            Some(Err(_)) | None => {
                let next = next_beginning(rest);
                pieces.push(Piece::Junk(rest[..next].to_owned()));
                rest = &rest[next..];
                continue;
            }
        }
        let n_read = values.byte_offset();
        rest = rest[n_read..].trim_start();
    }
    pieces
}

/// Where the next message may begin, after the first character.
fn next_beginning(text: &str) -> usize {
    let n_first = text.chars().next().map_or(0, char::len_utf8);
    text[n_first..].find(BEGINNING).map_or(text.len(), |at| at + n_first)
}

#[cfg(test)]
mod tests;
