//! A secret that somebody has to have: a model's key, a token of a forge.
//!
//! It leaves only through [`Secret::expose`], and prints as `…`. What finds
//! secrets in texts is the parent.

use std::fmt;

/// A key or a token. It is never printed, logged or stored.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. For the one header that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
