//! Patterns of paths: `*` and `?` within one part, `**` for any number of parts.
//!
//! A pattern that ends with a slash is for all that is below. One without any slash is for
//! that name in any folder, as people know it from `.gitignore`.

use std::fmt;
use std::str::FromStr;

/// A pattern that paths are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    parts: Vec<String>,
}

/// A text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    #[error("a pattern cannot be empty")]
    Empty,
    #[error("a pattern may have {PATTERN_BYTES_MAX} bytes at most")]
    TooLong,
}

/// How long a pattern may be. Comparing takes as long as pattern times path.
const PATTERN_BYTES_MAX: usize = 256;

/// How long a path may be to be compared; a longer one fits no pattern. Git allows 4096.
const PATH_BYTES_MAX: usize = 4096;

/// Stands for any number of parts.
const ANY: &str = "**";

impl Glob {
    /// Whether a path fits.
    pub fn matches(&self, path: &str) -> bool {
        if path.len() > PATH_BYTES_MAX {
            return false;
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let pattern: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        fits(
            &pattern,
            &parts,
            |part| *part == ANY,
            |pattern, part| {
                let (pattern, part): (Vec<char>, Vec<char>) =
                    (pattern.chars().collect(), part.chars().collect());
                fits(&pattern, &part, |c| *c == '*', |pattern, c| *pattern == '?' || pattern == c)
            },
        )
    }
}

/// Compares a list with a pattern in which some entries stand for any number of others.
///
/// It goes back only to the last of those, so that it takes at most pattern times list.
fn fits<T>(
    pattern: &[T],
    list: &[T],
    is_any: impl Fn(&T) -> bool,
    fits_one: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut p, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < list.len() {
        if p < pattern.len() && is_any(&pattern[p]) {
            p += 1;
            back = Some((p, at));
        } else if p < pattern.len() && fits_one(&pattern[p], &list[at]) {
            p += 1;
            at += 1;
        } else if let Some((after, from)) = back {
            p = after;
            at = from + 1;
            back = Some((after, at));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(is_any)
}

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(InvalidGlob::TooLong);
        }
        let trimmed = text.trim().trim_start_matches("./");
        let inner = trimmed.trim_matches('/');
        if inner.is_empty() {
            return Err(InvalidGlob::Empty);
        }
        let mut parts: Vec<String> =
            inner.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if parts.len() == 1 && !trimmed.starts_with('/') && parts[0] != ANY {
            parts.insert(0, ANY.to_owned());
        }
        if trimmed.ends_with('/') {
            // At least one part: the folder itself is no file.
            parts.extend([ANY.to_owned(), "*".to_owned()]);
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
