//! What must not be seen: the model keys, and the runs' own tokens.
//!
//! A [`Secret`] never leaves but through `expose`; a [`Token`] is handed to one
//! run. [`Veil`] takes both out of a text that is kept, encoded or not, with all
//! else that looks like a secret. [`Screen`] takes the key out of a stream on its
//! way to an agent, should a model's service echo it: only as it is, since nothing
//! but the gateway ever holds the key, so there is nobody to encode it.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
pub use zazen_core::secret::Secret;
use zazen_core::secret::{REPLACEMENT, Scanner};

use super::pieces;

/// The key that one run uses towards the gateway: 256 random bits, printed as 64 digits.
#[derive(Clone)]
pub struct Token(String);

/// A text is not a run's token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run's token is 64 lower-case hexadecimal digits")]
pub struct InvalidToken;

/// Replaces secrets in texts that are kept: the two that we know, and what looks like one.
#[derive(Clone)]
pub(super) struct Veil(Arc<Scanner>);

/// Replaces a secret in a stream, at any chunk boundary.
pub(super) struct Screen {
    needle: Vec<u8>,
    /// The end of the last chunk, where it may be the beginning of the secret.
    held: Vec<u8>,
}

/// Shorter keys are placeholders for local servers ("none", "ollama"); taking
/// such a word out of every answer would only break the answers.
const NEEDLE_BYTES_MIN: usize = 12;

const TOKEN_BYTES: usize = 32;

/// What sets the token for hosts apart from all else that is derived.
const HOSTS_CONTEXT: &str = "zazen 2026 gateway: token for the way to hosts";

impl Token {
    /// Takes a new token from the system's random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0u8; TOKEN_BYTES];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(blake3::Hash::from_bytes(bytes).to_hex().to_string()))
    }

    /// The token for the way to hosts. What has it can reach those, and cannot find out the
    /// run's own, which is for model calls and costs money.
    #[must_use]
    pub fn for_hosts(&self) -> Self {
        let derived = blake3::derive_key(HOSTS_CONTEXT, self.0.as_bytes());
        Self(blake3::Hash::from_bytes(derived).to_hex().to_string())
    }

    /// Whether `text` is this token, in a time that does not tell how much of it is right.
    pub fn is(&self, text: &[u8]) -> bool {
        // blake3 compares its hashes in constant time, whatever the texts' lengths.
        blake3::hash(self.0.as_bytes()) == blake3::hash(text)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.0.as_bytes())
    }
}

impl Eq for Token {}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == TOKEN_BYTES * 2 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken)
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Veil {
    pub(super) fn new(token: &Token, key: Option<&Secret>) -> Self {
        let of_hosts = token.for_hosts();
        let secrets = [Some(token.0.as_str()), Some(of_hosts.0.as_str()), key.map(Secret::expose)];
        Self(Arc::new(Scanner::knowing(secrets.into_iter().flatten())))
    }

    /// The text without the secrets.
    pub(super) fn over(&self, text: String) -> String {
        match self.0.redact(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        }
    }
}

impl Veil {
    /// An answer without the secrets, also those that its events have in pieces.
    pub(super) fn over_stream(&self, body: String) -> String {
        pieces::redact(self.over(body), &self.0)
    }
}

impl Screen {
    pub(super) fn new(key: Option<&Secret>) -> Self {
        let key = key.map(Secret::expose).filter(|key| key.len() >= NEEDLE_BYTES_MIN);
        Self { needle: key.unwrap_or_default().into(), held: Vec::new() }
    }

    /// Lets a chunk through. An end that may be the beginning of the secret is
    /// held until the next chunk; the end of an SSE frame never is.
    pub(super) fn push(&mut self, chunk: Bytes) -> Bytes {
        if self.needle.is_empty() {
            return chunk;
        }
        if self.held.is_empty() && find(&chunk, &self.needle).is_none() {
            let n_held = overlap(&chunk, &self.needle);
            self.held.extend_from_slice(&chunk[chunk.len() - n_held..]);
            return chunk.slice(..chunk.len() - n_held);
        }
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(&chunk);
        let mut clean = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(at) = find(rest, &self.needle) {
            clean.extend_from_slice(&rest[..at]);
            clean.extend_from_slice(REPLACEMENT.as_bytes());
            rest = &rest[at + self.needle.len()..];
        }
        let n_held = overlap(rest, &self.needle);
        clean.extend_from_slice(&rest[..rest.len() - n_held]);
        self.held.extend_from_slice(&rest[rest.len() - n_held..]);
        clean.into()
    }

    /// What was held, when no more comes.
    pub(super) fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.held).into()
    }
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// How many bytes at the end of the text are the beginning of the needle.
fn overlap(text: &[u8], needle: &[u8]) -> usize {
    let longest = text.len().min(needle.len() - 1);
    (1..=longest).rev().find(|n| needle.starts_with(&text[text.len() - n..])).unwrap_or(0)
}

#[cfg(test)]
mod tests;
