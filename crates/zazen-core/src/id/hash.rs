//! What a text or a file is known by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{InvalidId, is_hex};

/// The blake3 hash of some bytes, in hexadecimal: 64 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ContentHash(pub(super) Box<str>);

impl ContentHash {
    /// How many digits people have to write at least where they name one: those of
    /// [`ContentHash::short`].
    pub const SHORT_DIGITS: usize = 12;

    /// Hashes bytes, exactly as they are.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().as_str().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..Self::SHORT_DIGITS]
    }

    /// Whether somebody names this one: by all of its digits, or at least by those that
    /// people are shown.
    pub fn is_named(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        text.len() >= Self::SHORT_DIGITS && self.0.starts_with(&text)
    }
}

impl FromStr for ContentHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_hex(text, 64) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId { text: text.to_owned(), what: "a hash (64 hexadecimal digits)" })
        }
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_named_by_no_fewer_digits_than_people_are_shown() {
        let hash = ContentHash::of(b"what is held");
        for text in [hash.as_str(), hash.short(), &hash.as_str()[..20]] {
            assert!(hash.is_named(text), "{text}");
            assert!(hash.is_named(&text.to_ascii_uppercase()), "{text}");
        }
        for text in ["", &hash.as_str()[..11], &format!("{hash}0"), "yes"] {
            assert!(!hash.is_named(text), "{text}");
        }
        assert!(!hash.is_named(ContentHash::of(b"something else").short()));
    }
}
