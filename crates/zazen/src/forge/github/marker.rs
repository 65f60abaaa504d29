//! The line that says which comment of ours it is.
//!
//! A comment on GitHub has no name of ours, and the answer to the request that made it
//! may never arrive. So each begins with a line that people do not see and that names its
//! key; together with its author it says which comment it is, also after a crash.

/// How a marker begins.
const OPEN: &str = "<!-- zazen:";

/// How it ends.
const CLOSE: &str = " -->";

/// How long GitHub lets a text be, in characters.
const CHARS_MAX: usize = 65_536;

/// Said where a text was cut.
const CUT: &str = "\n\n*(The rest is too long for a comment. It is in the home, whole.)*\n";

/// A text with its marker, cut to what GitHub takes.
pub(super) fn mark(key: &str, body: &str) -> String {
    let marked = format!("{OPEN}{key}{CLOSE}\n{body}");
    fit(&marked)
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

/// The key in a text's marker. Only its first line counts: a quotation is no marker.
pub(super) fn key_of(body: &str) -> Option<&str> {
    let first = body.lines().next()?.trim_end();
    first.strip_prefix(OPEN)?.strip_suffix(CLOSE)
}

#[cfg(test)]
mod tests;
