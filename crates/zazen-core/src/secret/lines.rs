//! Takes secrets out of a text that comes line by line.
//!
//! A token stands in one line; a private key is spread over many, of which
//! only the first looks like one. So that one is remembered.

use std::borrow::Cow;

use super::{REPLACEMENT, Scanner};

/// The lines of one text, on their way through a [`Scanner`].
#[derive(Debug)]
pub struct Lines<'a> {
    scanner: &'a Scanner,
    /// How many lines may still belong to a private key that has begun.
    n_key_lines: usize,
}

/// How many lines a private key has at most: 16,384 bits, with some words before them.
const N_KEY_LINES_MAX: usize = 250;

impl<'a> Lines<'a> {
    /// A text of which nothing has come yet.
    pub fn new(scanner: &'a Scanner) -> Self {
        Self { scanner, n_key_lines: 0 }
    }

    /// Lets a line through, without secrets.
    pub fn line<'t>(&mut self, line: &'t str) -> Cow<'t, str> {
        if self.n_key_lines > 0 {
            if line.contains("-----END ") {
                self.n_key_lines = 0;
                return Cow::Borrowed(REPLACEMENT);
            }
            if is_of_key(line) {
                self.n_key_lines -= 1;
                return Cow::Borrowed(REPLACEMENT);
            }
            self.n_key_lines = 0;
        }
        let begins = line.find("-----BEGIN ").is_some_and(|at| {
            let rest = &line[at..];
            rest.contains("PRIVATE KEY") && !rest.contains("-----END ")
        });
        if begins {
            self.n_key_lines = N_KEY_LINES_MAX;
        }
        self.scanner.redact(line)
    }
}

/// Whether a line may stand inside a private key: base64, or a word about it.
fn is_of_key(line: &str) -> bool {
    let line = line.trim();
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    line.is_empty()
        || line.bytes().all(is_base64)
        || ["Proc-Type:", "DEK-Info:", "Comment:", "Version:"].iter().any(|w| line.starts_with(w))
}
