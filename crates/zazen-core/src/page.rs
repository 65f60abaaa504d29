//! Markdown pages that people edit by hand and zazen rewrites in part.
//!
//! A page is front matter ([`front`]) and a body, in which machine-written
//! regions stand between markers ([`region`]). A page is kept as it was read:
//! a change touches the one value or the one region it is about, and every
//! other byte survives. What the values mean is not known here.

mod front;
mod region;

use std::borrow::Cow;
use std::fmt;

use front::Front;
pub use region::Region;

/// One page, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// A byte-order mark, or nothing.
    mark: String,
    front: Option<Front>,
    body: String,
}

/// The front matter cannot be read. The page is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ParseError {
    /// The number of the line; the first is 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

/// What some editors put at the start of a file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

impl Page {
    /// Reads a page. Text without front matter is always a page.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let unmarked = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let (front, body) = Front::split(unmarked)?;
        Ok(Self {
            mark: text[..text.len() - unmarked.len()].to_owned(),
            front,
            body: body.to_owned(),
        })
    }

    /// The value of a key, without its quotes. A list is as it is written.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        self.front.as_ref()?.get(key)
    }

    /// The values of a key that holds a list: `[a, b]`, or lines of `- a` below
    /// it. Any other value is a list of one.
    pub fn list(&self, key: &str) -> Option<Vec<String>> {
        self.front.as_ref()?.list(key)
    }

    /// The value of a key with the lines below that belong to it, joined by spaces: a text
    /// that is folded, or goes on below its key.
    pub fn text(&self, key: &str) -> Option<String> {
        self.front.as_ref()?.text(key)
    }

    /// The number of the line that a key is in; the first of the page is 1.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.front.as_ref()?.line_of(key)
    }

    /// The keys of the front matter, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.front.iter().flat_map(Front::keys)
    }

    /// Gives a key a value: in its line if it has one, else in a new line at
    /// the end of the front matter.
    ///
    /// # Panics
    ///
    /// If the key is not made of letters, digits, `-`, `_` and `.`.
    pub fn set(&mut self, key: &str, value: &str) {
        self.write(key, &front::quoted(value));
    }

    /// Gives a key a list of values. Panics like [`Page::set`].
    pub fn set_list(&mut self, key: &str, values: &[&str]) {
        self.write(key, &front::listed(values));
    }

    fn write(&mut self, key: &str, written: &str) {
        assert!(front::is_key(key), "`{key}` cannot be a key of front matter");
        let line_end = line_end_of(&self.body);
        self.front.get_or_insert_with(|| Front::empty(line_end)).write(key, written);
    }

    /// All that comes after the front matter.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Replaces all that comes after the front matter.
    pub fn set_body(&mut self, body: &str) {
        if let Some(front) = &mut self.front {
            front.end_last_line();
        }
        body.clone_into(&mut self.body);
    }

    /// The machine-written region of that name, if the page has one.
    pub fn region(&self, name: &str) -> Option<Region<'_>> {
        region::find(&self.body, name).map(|found| found.region(&self.body))
    }

    /// Writes a region: in its place if the page has one, else at the end.
    ///
    /// It overwrites what a person wrote inside; see [`Region::intact`]. Lines
    /// of the text that could be taken for markers of ours are made harmless.
    ///
    /// # Panics
    ///
    /// If the name is not made of `a-z`, `0-9` and `-`.
    pub fn set_region(&mut self, name: &str, text: &str) {
        assert!(region::is_name(name), "`{name}` cannot name a region");
        let line_end = match &self.front {
            Some(front) => front.line_end(),
            None => line_end_of(&self.body),
        };
        let written = region::print(name, text, line_end);
        if let Some(found) = region::find(&self.body, name) {
            self.body.replace_range(found.whole(), &written);
            return;
        }
        if let Some(front) = &mut self.front {
            front.end_last_line();
        }
        if !self.body.is_empty() {
            let n_ends = if self.body.ends_with('\n') { 1 } else { 2 };
            self.body.push_str(&line_end.repeat(n_ends));
        }
        self.body.push_str(&written);
        self.body.push_str(line_end);
    }

    /// The whole page, as it is to be written.
    pub fn print(&self) -> String {
        self.to_string()
    }
}

/// How the lines of a text end, judged by its first one.
fn line_end_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mark)?;
        if let Some(front) = &self.front {
            front.fmt(f)?;
        }
        f.write_str(&self.body)
    }
}

#[cfg(test)]
mod tests;
