//! Regular expressions over single lines, in ASCII: other letters are only bytes to them.
//!
//! All are compiled once, and take time in proportion to the line, whatever is in it.

use regex::bytes::{Regex, RegexBuilder};

/// A pattern of ours. What it is compared with may be anything.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern of the source.
    pub(super) fn new(text: &str) -> Self {
        let regex = RegexBuilder::new(text).unicode(false).build();
        Self(regex.expect("the tests compile every pattern"))
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }

    /// What the first group has that takes part.
    pub(super) fn group<'t>(&self, text: &'t str) -> Option<&'t str> {
        let found = self.0.captures(text.as_bytes())?;
        let group = found.iter().skip(1).flatten().next()?;
        text.get(group.range())
    }

    /// Everything that fits, in order.
    pub(super) fn all<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.0.find_iter(text.as_bytes()).filter_map(|found| text.get(found.range()))
    }

    /// The text with something else in the place of all that fits.
    pub(super) fn replaced(&self, text: &str, with: &str) -> String {
        let replaced = self.0.replace_all(text.as_bytes(), with.as_bytes());
        String::from_utf8_lossy(&replaced).into_owned()
    }
}
