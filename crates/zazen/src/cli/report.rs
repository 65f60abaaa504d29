//! The only place that prints.

use std::io::Write as _;

use anyhow::Context as _;

/// Prints one line of the answer to standard output.
pub(crate) fn line(text: &str) {
    // A reader that has gone away (`| head`) is no failure.
    let _gone = writeln!(anstream::stdout(), "{text}");
}

/// Prints one line for a person to standard error.
pub(crate) fn say(text: &str) {
    let _gone = writeln!(anstream::stderr(), "{text}");
}

/// Prints the answer as one JSON document.
pub(crate) fn json(value: &impl serde::Serialize) -> super::Result {
    line(&serde_json::to_string_pretty(value).context("write the answer as JSON")?);
    Ok(())
}
