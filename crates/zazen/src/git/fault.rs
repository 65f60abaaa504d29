//! What it means when git could not do something with a remote.
//!
//! Git says it in words, and remotes add theirs. Only git's own words are judged:
//! what a remote says (`remote: …`) is passed on to people and decides nothing.

use super::{Output, said};

/// What a remote did to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not know who we are: no token, a wrong one, or one that is over.
    Unauthorized,
    /// It knows who we are and does not let us.
    Denied,
    /// It has no such thing, or hides it from us.
    NotFound,
    /// It has no whole history.
    Shallow,
    /// A branch could not be written beside another that is in its way.
    InTheWay,
    /// It sent more than we take.
    TooLarge,
    /// It sent what is no sound repository.
    Broken,
    /// It did not answer, or not in a way that git understands; or our disk is full.
    Unreachable,
}

/// What git says, in the order in which it is looked for.
const WORDS: &[(&str, Fault)] = &[
    ("shallow roots are not allowed to be updated", Fault::Shallow),
    ("cannot lock ref", Fault::InTheWay),
    ("No space left", Fault::Unreachable),
    ("died of signal 25", Fault::TooLarge),
    ("File too large", Fault::TooLarge),
    ("exceeds maximum allowed size", Fault::TooLarge),
    ("fsck error", Fault::Broken),
    ("did not send all necessary objects", Fault::Broken),
    // It was ended by the limit on files, without a word of its own.
    ("invalid index-pack output", Fault::TooLarge),
    ("Authentication failed for", Fault::Unauthorized),
    ("could not read Username", Fault::Unauthorized),
    ("could not read Password", Fault::Unauthorized),
    ("returned error: 401", Fault::Unauthorized),
    ("Permission denied (", Fault::Unauthorized),
    ("returned error: 403", Fault::Denied),
    ("couldn't find remote ref", Fault::NotFound),
    ("returned error: 404", Fault::NotFound),
    ("returned error: 410", Fault::NotFound),
];

impl Fault {
    /// Reads what a failed call printed.
    pub(super) fn of(output: &Output) -> Self {
        let text = output.stderr_text();
        let own = || text.lines().filter(|line| !line.starts_with("remote:"));
        let says = |words: &str| own().any(|line| line.contains(words));
        // `fatal: repository 'https://…/' not found`, which only HTTP has.
        let is_missing = own()
            .any(|line| line.starts_with("fatal: repository '") && line.ends_with("' not found"));
        let known = WORDS.iter().find(|(words, _)| says(words)).map(|(_, fault)| *fault);
        known.or(is_missing.then_some(Self::NotFound)).unwrap_or(Self::Unreachable)
    }
}

/// What a failed call said, and what it means.
pub(super) fn read(output: &Output) -> (Fault, String) {
    (Fault::of(output), said(output))
}

#[cfg(test)]
mod tests;
