//! Whether a delivery is from GitHub: `X-Hub-Signature-256` over the raw body.
//!
//! Only SHA-256 counts. The older `X-Hub-Signature` (SHA-1) is not looked at,
//! so nobody can choose the weaker one. The comparison takes the same time
//! wherever two signatures differ.

use std::fmt::{self, Write as _};

use ring::hmac;

/// The secrets that deliveries may be signed with. One is enough; two are there
/// while one is replaced by another.
#[derive(Clone)]
pub struct Secrets(Vec<hmac::Key>);

/// A signature as the header has it, not compared with anything yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature([u8; DIGEST_BYTES]);

/// Why a text holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecrets {
    #[error(
        "there is no webhook secret in it; write one of at least {SECRET_BYTES_MIN} characters"
    )]
    None,
    #[error(
        "the webhook secret on line {line} is shorter than {SECRET_BYTES_MIN} characters; make a \
         longer one, and give it to GitHub as well"
    )]
    Short { line: usize },
    #[error("it holds more than {SECRETS_MAX} webhook secrets; remove those that are not used")]
    Many,
}

/// The header that the signature is in.
pub(super) const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Shorter secrets can be found by trying.
const SECRET_BYTES_MIN: usize = 16;

/// How many secrets may count: every body is signed with each until one fits.
const SECRETS_MAX: usize = 4;

const DIGEST_BYTES: usize = 32;

impl Secrets {
    /// Reads secrets, one on each line, the newest first by custom.
    pub fn parse(text: &str) -> Result<Self, InvalidSecrets> {
        let mut keys = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let secret = line.trim();
            match secret.len() {
                0 => {}
                1..SECRET_BYTES_MIN => return Err(InvalidSecrets::Short { line: n + 1 }),
                _ if keys.len() == SECRETS_MAX => return Err(InvalidSecrets::Many),
                _ => keys.push(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
            }
        }
        if keys.is_empty() { Err(InvalidSecrets::None) } else { Ok(Self(keys)) }
    }

    /// Whether the body was signed with one of the secrets.
    pub(super) fn signed(&self, body: &[u8], signature: &Signature) -> bool {
        self.0.iter().any(|key| hmac::verify(key, body, &signature.0).is_ok())
    }

    /// Signs a body with the first secret, as GitHub does. For tests and measurements.
    pub fn sign(&self, body: &[u8]) -> String {
        let mut signature = "sha256=".to_owned();
        for byte in self.0.first().iter().flat_map(|key| hmac::sign(key, body).as_ref().to_vec()) {
            write!(signature, "{byte:02x}").expect("a string takes every text");
        }
        signature
    }
}

impl Signature {
    /// Parses the header's value: `sha256=` and 64 hexadecimal digits.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let digits = value.strip_prefix(b"sha256=")?;
        if digits.len() != 2 * DIGEST_BYTES {
            return None;
        }
        let mut digest = [0; DIGEST_BYTES];
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(digest))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} of them: …)", self.0.len())
    }
}

#[cfg(test)]
mod tests;
