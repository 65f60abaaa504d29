//! How the output of Aider is read: plain text, and no sign of its end. Checked against 0.86.2.
//!
//! It ends with success when the key is refused, too. What it says of errors is at the
//! beginning of a line, in the words of the library that it calls models with.

use zazen_core::trace::{ChangeKind, Event, FileChange};

/// What errors begin with.
const ERRORS: [&str; 3] = ["litellm.", "Can't initialize", "The API provider"];

pub(crate) fn read(line: &str) -> Vec<Event> {
    if let Some(version) = line.strip_prefix("Aider v") {
        let version = Some(version.trim().to_owned());
        return vec![Event::Started { session: None, model: None, version }];
    }
    if line.starts_with("Retrying in ") {
        let why = line.to_owned();
        return vec![Event::Retry { attempt: 1, why, wait_millis: None }];
    }
    if ERRORS.iter().any(|error| line.starts_with(error)) {
        return vec![Event::Error { message: line.to_owned() }];
    }
    if let Some(path) = line.strip_prefix("Applied edit to ") {
        let change = FileChange { path: path.to_owned(), kind: ChangeKind::Changed };
        return vec![Event::Files { changes: vec![change] }];
    }
    vec![Event::Text { text: line.to_owned() }]
}
