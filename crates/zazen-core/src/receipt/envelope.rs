//! The envelope around a statement, as DSSE has it: the bytes, what they are, a signature.
//!
//! There is one way to print an envelope, and nothing else is read: a byte more or less
//! anywhere is not an envelope. What is signed is the encoding [`Unsigned::to_sign`], which
//! binds what the bytes are to the bytes. Whether a signature is right is for who has
//! cryptography; whether its key is anybody's is for who has the keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::hash;

/// A signed statement. Nothing about it is known to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    pub unsigned: Unsigned,
    /// The key that it says it was signed with.
    pub key: KeyId,
    pub signature: [u8; SIGNATURE_BYTES],
}

/// The bytes of a statement, before they are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned(Vec<u8>);

/// An Ed25519 public key, which is its own name: `ed25519:` and 64 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyId([u8; 32]);

/// A text is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("that is not a key (`ed25519:` and 64 lower-case hexadecimal digits)")]
pub struct InvalidKey;

/// A text is not an envelope that zazen prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("it is longer than {BYTES_MAX} bytes")]
    TooLong,
    #[error("it is not an envelope: {0}")]
    Json(String),
    #[error("it is an envelope of `{0}`")]
    PayloadType(String),
    #[error("it has to have one signature")]
    Signatures,
    #[error("its {0} cannot be read")]
    Field(&'static str),
    #[error("it is not written as zazen writes envelopes")]
    NotCanonical,
}

/// What the bytes in an envelope are.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// How long an envelope may be: a receipt of a thousand runs is shorter.
pub const BYTES_MAX: usize = 4 << 20;

const SIGNATURE_BYTES: usize = 64;

const KEY_PREFIX: &str = "ed25519:";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<RawSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    keyid: String,
    sig: String,
}

impl Unsigned {
    pub fn new(payload: impl Into<Vec<u8>>) -> Self {
        Self(payload.into())
    }

    pub fn payload(&self) -> &[u8] {
        &self.0
    }

    /// The bytes that a signature is over: DSSE's "pre-authentication encoding".
    pub fn to_sign(&self) -> Vec<u8> {
        pae(PAYLOAD_TYPE, &self.0)
    }
}

/// Two texts in one, with their lengths, so that no other two come to the same.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Reads an envelope.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        if text.len() > BYTES_MAX {
            return Err(ParseError::TooLong);
        }
        let raw: Raw =
            serde_json::from_slice(text).map_err(|err| ParseError::Json(err.to_string()))?;
        if raw.payload_type != PAYLOAD_TYPE {
            return Err(ParseError::PayloadType(super::name(&raw.payload_type)));
        }
        let [signature] = raw.signatures.as_slice() else { return Err(ParseError::Signatures) };
        let field = |what| move |_| ParseError::Field(what);
        let payload = STANDARD.decode(&raw.payload).map_err(field("payload"))?;
        let bytes = STANDARD.decode(&signature.sig).map_err(field("signature"))?;
        let envelope = Self {
            unsigned: Unsigned(payload),
            key: signature.keyid.parse().map_err(|_| ParseError::Field("key"))?,
            signature: bytes.try_into().map_err(|_| ParseError::Field("signature"))?,
        };
        if envelope.print().as_bytes() == text {
            Ok(envelope)
        } else {
            Err(ParseError::NotCanonical)
        }
    }

    /// Prints the envelope: one line.
    pub fn print(&self) -> String {
        let signature =
            RawSignature { keyid: self.key.to_string(), sig: STANDARD.encode(self.signature) };
        let raw = Raw {
            payload: STANDARD.encode(&self.unsigned.0),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![signature],
        };
        let mut text = serde_json::to_string(&raw).expect("texts and lists are JSON");
        text.push('\n');
        text
    }
}

impl KeyId {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first digits, for people.
    pub fn short(&self) -> String {
        format!("{KEY_PREFIX}{}", hex::encode(&self.0[..6]))
    }
}

impl From<[u8; 32]> for KeyId {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for KeyId {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let digits = text.strip_prefix(KEY_PREFIX).ok_or(InvalidKey)?;
        hash::digits(digits).map(Self).ok_or(InvalidKey)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_PREFIX}{}", hex::encode(self.0))
    }
}

impl TryFrom<String> for KeyId {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(key: KeyId) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests;
