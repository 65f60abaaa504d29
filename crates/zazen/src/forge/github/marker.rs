//! The line that says which comment of ours it is.
//!
//! A comment on GitHub has no name of ours, and the answer to the request that made it
//! may never arrive. So each begins with a line that people do not see and that names its
//! key and the home that wrote it; together with its author it says which comment it is, also
//! after a crash, and where two homes share one account.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;

use super::client::setup;
use crate::home::atomic::{self, Durability};

/// The name of a home in what it writes: it says nothing, and no other has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HomeMark(String);

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker<'a> {
    pub(super) key: &'a str,
    /// Which home wrote it. Those of the first versions do not say.
    home: Option<&'a str>,
}

/// How a marker begins.
const OPEN: &str = "<!-- zazen:";

/// What stands before the name of the home.
const BY: &str = " by ";

/// How it ends.
const CLOSE: &str = " -->";

/// How long GitHub lets a text be, in characters.
const CHARS_MAX: usize = 65_536;

/// How long the name of a home is: 40 bits, for the handful of homes that share an account.
const HOME_CHARS: usize = 10;

/// Said where a text was cut.
const CUT: &str = "\n\n*(The rest is too long for a comment. It is in the home, whole.)*\n";

impl HomeMark {
    /// Reads the name that a home has in `file`, and gives it one if it has none.
    pub(super) fn of(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        match fs::read_to_string(file) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            text => {
                let name = text.with_context(|| format!("read `{shown}`"))?.trim().to_owned();
                anyhow::ensure!(
                    name.len() == HOME_CHARS && name.bytes().all(|b| b.is_ascii_hexdigit()),
                    "`{shown}` does not have the name of this home in it; delete it to get another"
                );
                return Ok(Self(name));
            }
        }
        let name: String = setup::random()?.chars().take(HOME_CHARS).collect();
        let dir = file.parent().context("it is in a folder")?;
        fs::create_dir_all(dir).with_context(|| format!("make `{}`", dir.display()))?;
        atomic::write(file, name.as_bytes(), Durability::Durable)
            .with_context(|| format!("write `{shown}`"))?;
        Ok(Self(name))
    }

    /// A text with its marker, cut to what GitHub takes.
    pub(super) fn mark(&self, key: &str, body: &str) -> String {
        fit(&format!("{OPEN}{key}{BY}{self}{CLOSE}\n{body}"))
    }

    /// Whether a text was written by this home, for this key.
    pub(super) fn is_mark(&self, key: &str, body: &str) -> bool {
        marker(body).is_some_and(|marker| {
            marker.key == key && marker.home.is_none_or(|home| home == self.0)
        })
    }
}

impl fmt::Display for HomeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cuts a text to what GitHub takes, and says so in it.
pub(super) fn fit(text: &str) -> String {
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    // A fence or a fold that was cut open would swallow the sentence that says so.
    let kept: String = text.chars().take(CHARS_MAX - CUT.len() - CLOSERS.len()).collect();
    format!("{kept}{CLOSERS}{CUT}")
}

/// Ends what may be open where a text was cut.
const CLOSERS: &str = "\n```\n\n</details>\n";

/// The marker of a text. Only its first line counts: a quotation is no marker.
pub(super) fn marker(body: &str) -> Option<Marker<'_>> {
    let first = body.lines().next()?.trim_end();
    let inside = first.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    Some(match inside.split_once(BY) {
        Some((key, home)) => Marker { key, home: Some(home) },
        None => Marker { key: inside, home: None },
    })
}

#[cfg(test)]
mod tests;
