//! Whether the findings of a review are about what is there.

use super::{Finding, Place, Review};

/// Whether each finding has to quote the line that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// A finding without one is about no line.
    Needed,
    /// Where there is one, it has to be right.
    Welcome,
}

/// How many findings were not about what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfounded {
    /// They quoted a line that is nowhere in the file, and are left out.
    pub n_dropped: u32,
    /// They named a line that is not there, and stand without a place.
    pub n_unplaced: u32,
    /// The line that they quote stands elsewhere in the file, and that is their place.
    pub n_moved: u32,
}

/// How short a quoted part of a line may be, in characters. Less is found anywhere.
const PART_CHARS_MIN: usize = 12;

/// What a finding came to.
enum Came {
    Founded,
    Moved,
    Unplaced,
    Dropped,
}

impl Review {
    /// Looks up every finding in the file that it is about. `file` gives a file's text, if there
    /// is such a file.
    ///
    /// An agent that quotes what is not there has not read it. One that miscounts has: the quote
    /// says which line was meant.
    pub fn check<'a>(
        &mut self,
        quotes: Quotes,
        file: impl Fn(&str) -> Option<&'a str>,
    ) -> Unfounded {
        let mut unfounded = Unfounded::default();
        self.findings.retain_mut(|finding| {
            let n = match check(finding, quotes, &file) {
                Came::Founded => return true,
                Came::Moved => &mut unfounded.n_moved,
                Came::Unplaced => &mut unfounded.n_unplaced,
                Came::Dropped => {
                    unfounded.n_dropped += 1;
                    return false;
                }
            };
            *n += 1;
            true
        });
        unfounded
    }
}

fn check<'a>(
    finding: &mut Finding,
    quotes: Quotes,
    file: &impl Fn(&str) -> Option<&'a str>,
) -> Came {
    let Some(place) = finding.place.clone() else {
        // It is about no line: then there is none to be quoted.
        finding.quote = None;
        return Came::Founded;
    };
    let text = file(&place.path).unwrap_or_default();
    let is_there = text.lines().nth(place.line as usize - 1).is_some();
    let Some(quote) = finding.quote.clone() else {
        return match quotes {
            Quotes::Welcome if is_there => Came::Founded,
            Quotes::Needed if is_there => unplaced(finding, &place, "and did not quote that line"),
            Quotes::Welcome | Quotes::Needed => unplaced(finding, &place, "which is not there"),
        };
    };
    match line_of(text, &quote, place.line) {
        Some(line) if line == place.line => Came::Founded,
        Some(line) => {
            finding.place = Some(Place { line, ..place });
            Came::Moved
        }
        None => Came::Dropped,
    }
}

/// What was meant is still said, and nothing is suggested for another line.
fn unplaced(finding: &mut Finding, place: &Place, what: &str) -> Came {
    let said = format!("(The agent named {place}, {what}.)");
    finding.why = if finding.why.is_empty() { said } else { format!("{}\n\n{said}", finding.why) };
    (finding.place, finding.suggestion) = (None, None);
    Came::Unplaced
}

/// The line with this text that is nearest to `near`: all of it, or a part that is long enough.
fn line_of(text: &str, quote: &str, near: u32) -> Option<u32> {
    let quote = spaced(quote.trim_end_matches('…').trim_end_matches("..."));
    let is_part = quote.chars().count() >= PART_CHARS_MIN;
    let lines = text.lines().zip(1_u32..);
    let found = lines.filter(|(line, _)| {
        let line = spaced(line);
        line == quote || is_part && line.contains(&quote)
    });
    let near_first = found.map(|(_, n)| n).min_by_key(|n| n.abs_diff(near));
    near_first.filter(|_| !quote.is_empty())
}

/// A text with single spaces: agents do not keep indents.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
