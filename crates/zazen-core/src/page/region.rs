//! The machine-written parts of a page.
//!
//! A region stands between two marker lines, and its first marker holds a sum
//! of the text as we wrote it. So we see when a person has changed it, without
//! remembering it. A marker without its partner is ordinary text.

use std::ops::Range;

/// A machine-written part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region<'a> {
    /// The text between the markers, without its last line ending.
    pub text: &'a str,
    /// The text is what we wrote. Else a person has changed it, and the old
    /// page has to be kept before it is overwritten.
    pub intact: bool,
}

/// Where a region stands in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    open_start: usize,
    text: Range<usize>,
    close_end: usize,
    sum: String,
}

/// How many hexadecimal digits of the hash the marker holds: enough to notice
/// an edit, and short enough not to be in a reader's way.
const SUM_DIGITS: usize = 8;

impl Found {
    /// All of it, from the first marker to the end of the last one.
    pub(super) fn whole(&self) -> Range<usize> {
        self.open_start..self.close_end
    }

    pub(super) fn region<'a>(&self, body: &'a str) -> Region<'a> {
        let text = &body[self.text.clone()];
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Region { text, intact: sum(text) == self.sum }
    }
}

/// Finds a region: its first closing marker, and the opening marker nearest above.
///
/// So a marker that lost its partner never takes hand-written text with it.
pub(super) fn find(body: &str, name: &str) -> Option<Found> {
    let close = format!("<!-- /zazen:{name} -->");
    let open = format!("<!-- zazen:{name} sum=");
    let mut opened: Option<(Range<usize>, String)> = None;
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        let marker = line.trim_ascii();
        if let Some(sum) = marker.strip_prefix(&open).and_then(|rest| rest.strip_suffix(" -->")) {
            if is_sum(sum) {
                opened = Some((start..start + line.len(), sum.to_owned()));
            }
        } else if marker == close
            && let Some((open, sum)) = opened.take()
        {
            let close_end = start + line.trim_end_matches(['\n', '\r']).len();
            let text = open.end..start;
            return Some(Found { open_start: open.start, text, close_end, sum });
        }
        start += line.len();
    }
    None
}

/// Writes a region, without the line ending after its last marker.
pub(super) fn print(name: &str, text: &str, line_end: &str) -> String {
    let text = harmless(&text.replace("\r\n", "\n").replace('\r', "\n"));
    let end = if text.is_empty() { "" } else { "\n" };
    let sum = sum(&text);
    let written = format!("<!-- zazen:{name} sum={sum} -->\n{text}{end}<!-- /zazen:{name} -->");
    if line_end == "\n" { written } else { written.replace('\n', line_end) }
}

/// Says whether a text can name a region.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Breaks whatever in a text could be read as a marker of ours.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<!--") {
        out.push_str(&rest[..at]);
        let after = rest[at + 4..].trim_start();
        let is_ours = after.strip_prefix('/').unwrap_or(after).starts_with("zazen:");
        out.push_str(if is_ours { "&lt;!--" } else { "<!--" });
        rest = &rest[at + 4..];
    }
    out + rest
}

/// The sum of a text. An editor that changes all line endings does not change it.
fn sum(text: &str) -> String {
    let hash = blake3::hash(text.replace("\r\n", "\n").as_bytes());
    hash.to_hex()[..SUM_DIGITS].to_owned()
}

fn is_sum(text: &str) -> bool {
    text.len() == SUM_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit())
}
