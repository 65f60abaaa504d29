//! Rules about the source that no compiler or linter checks.
//!
//! Each rule is a plain function from the path and text of files to what is
//! wrong with them, and each has a test that shows it a planted mistake. They
//! are run over the whole repository by `tests/tidy.rs`, so the ordinary test
//! command is the gate. Start with [`arrows`]: it holds the table of which
//! module may use which.

use std::fmt;

pub mod arrows;
pub mod code;
pub mod docs;
pub mod source;
pub mod tracked;
pub mod tree;

/// A text file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path from the top of the repository, with forward slashes.
    pub path: String,
    pub text: String,
}

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub path: String,
    /// The line, counted from 1, where the rule is about a line.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub instead: &'static str,
}

impl File {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Says whether this is Rust source.
    pub fn is_rust(&self) -> bool {
        self.extension() == Some("rs")
    }

    /// Says whether the file is there only for tests.
    pub fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.split('/').any(|part| part == "tests")
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What follows the last full stop of the name.
    pub fn extension(&self) -> Option<&str> {
        self.name().rsplit_once('.').map(|(_, extension)| extension)
    }

    /// Reports a line of this file. `index` counts from 0.
    pub fn at_line(&self, index: usize, what: String, instead: &'static str) -> Violation {
        Violation { path: self.path.clone(), line: Some(index + 1), what, instead }
    }

    /// Reports this file as a whole.
    pub fn as_whole(&self, what: String, instead: &'static str) -> Violation {
        Violation { path: self.path.clone(), line: None, what, instead }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.what, self.instead)
    }
}
