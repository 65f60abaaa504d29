//! Finds secrets in texts: the ones that we know, and what looks like one.
//!
//! A [`Scanner`] goes through a text once. It finds every secret that it was
//! told of, whole or in part and however encoded, and tokens of well-known
//! services by the shapes in `rules`. What has no shape of its own (a password
//! in a sentence) is not found: the real guard is that no agent has a secret.
//!
//! [`Scanner::redact`] is for texts that are kept or shown, [`Scanner::find`]
//! for what is to be refused, and [`Lines`] for texts that come line by line.

mod encoded;
mod kept;
mod lines;
mod rules;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use self::encoded::{Base64, Hex};
pub use self::kept::Secret;
pub use self::lines::Lines;
use self::rules::{RULES, Rule};

/// What stands in the place of a secret.
pub const REPLACEMENT: &str = "[secret]";

/// Finds secrets. Making one takes some milliseconds; it is meant to be kept.
pub struct Scanner {
    needles: AhoCorasick,
    /// What each needle is the sign of.
    signs: Vec<Sign>,
}

/// Where a secret is, and what it is. It never holds the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In bytes.
    pub range: Range<usize>,
    /// What it is, in words that fit after "looks like".
    pub what: &'static str,
}

impl Finding {
    /// Whether it is a secret that the scanner was told of, and no mere likeness.
    pub fn is_known(&self) -> bool {
        self.what == KNOWN
    }
}

/// What it means that a needle was found.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// A part of a secret that we know.
    Known,
    /// The beginning of a rule's shape, as it is.
    Plain(usize),
    /// The same in base64, at one of three alignments.
    Base64(usize, Base64),
    /// The same as hexadecimal digits.
    Hex(usize),
}

/// What a known secret is called.
const KNOWN: &str = "a secret of this zazen";

/// What is said where so much looks like a secret that looking closer would take too long.
const TOO_MUCH: &str = "far too many secrets";

/// How often each byte of a text may be looked at closely, on the average. An honest text
/// stays below one; a hostile one could make it thousands.
const CLOSE_LOOKS_MAX: usize = 4;

/// Close looks that every text has free.
const CLOSE_LOOK_BYTES_FREE: usize = 1 << 20;

impl Scanner {
    /// The scanner that knows the shapes of secrets, and no secret.
    pub fn shapes() -> &'static Self {
        static SHAPES: LazyLock<Scanner> = LazyLock::new(|| Scanner::knowing([]));
        &SHAPES
    }

    /// A scanner that also knows these secrets. Very short ones are left out: they are
    /// placeholders, and taking such a word out of every text would only spoil the texts.
    pub fn knowing<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles: Vec<Vec<u8>> = Vec::new();
        let mut signs = Vec::new();
        for form in secrets.into_iter().flat_map(encoded::forms) {
            needles.push(form);
            signs.push(Sign::Known);
        }
        for (index, rule) in RULES.iter().enumerate() {
            for keyword in rule.keywords {
                needles.push(keyword.as_bytes().to_vec());
                signs.push(Sign::Plain(index));
                for (needle, base64) in Base64::needles(keyword) {
                    needles.push(needle);
                    signs.push(Sign::Base64(index, base64));
                }
                for needle in Hex::needles(keyword) {
                    needles.push(needle);
                    signs.push(Sign::Hex(index));
                }
            }
        }
        let needles = AhoCorasick::new(&needles)
            .expect("the needles are a few thousand short texts, far below its limits");
        Self { needles, signs }
    }

    /// All secrets in a text, in order, none overlapping another.
    pub fn find(&self, text: &[u8]) -> Vec<Finding> {
        let mut search = Search { text, found: Vec::new(), n_left: budget(text) };
        for needle in self.needles.find_overlapping_iter(text) {
            search.look(self.signs[needle.pattern().as_usize()], needle.range());
            if search.n_left == 0 {
                // Whoever made this text does not want it to be searched.
                let range = needle.start()..text.len();
                search.found.push(Finding { range, what: TOO_MUCH });
                break;
            }
        }
        merged(search.found)
    }

    /// Whether there is a secret in a text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        !self.find(text).is_empty()
    }

    /// The text with [`REPLACEMENT`] for each secret.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut found = self.find(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut text = text.to_owned();
        // What stood next to a secret may look like one by itself.
        for _ in 0..N_PASSES_MAX {
            text = replaced(&text, &found);
            found = self.find(text.as_bytes());
            if found.is_empty() {
                return Cow::Owned(text);
            }
        }
        // Whoever made this text does not want it to come to an end.
        found.truncate(1);
        for first in &mut found {
            first.range.end = text.len();
        }
        Cow::Owned(replaced(&text, &found))
    }
}

/// How often a text is gone through. Once is enough for any that was not made for this.
const N_PASSES_MAX: usize = 4;

fn replaced(text: &str, found: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Finding { range, .. } in found {
        // What is found is ASCII or a whole text, so these are boundaries; if not, more goes.
        let start = (at..=range.start).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(at);
        let end = (range.end..=text.len()).find(|i| text.is_char_boundary(*i));
        out.push_str(&text[at..start]);
        out.push_str(REPLACEMENT);
        at = end.unwrap_or(text.len());
    }
    out.push_str(&text[at..]);
    out
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner").finish_non_exhaustive()
    }
}

/// One pass over one text.
struct Search<'a> {
    text: &'a [u8],
    found: Vec<Finding>,
    /// How many bytes may still be looked at closely.
    n_left: usize,
}

impl Search<'_> {
    fn look(&mut self, sign: Sign, at: Range<usize>) {
        let index = match sign {
            Sign::Known => return self.found.push(Finding { range: at, what: KNOWN }),
            Sign::Plain(index) | Sign::Base64(index, _) | Sign::Hex(index) => index,
        };
        if self.found.last().is_some_and(|last| last.range.contains(&at.start)) {
            return;
        }
        let rule = &RULES[index];
        self.n_left = self.n_left.saturating_sub(cost(rule, &self.text[at.start..]));
        let range = match sign {
            Sign::Known => None,
            Sign::Plain(_) => plain(rule, index, self.text, at.start),
            Sign::Base64(_, base64) => base64
                .decode(self.text, at.start, rule.bytes_max)
                .and_then(|decoded| Some(decoded.range(matches(rule, index, decoded.bytes())?))),
            Sign::Hex(_) => {
                let decoded = Hex::decode(self.text, at.start, rule.bytes_max);
                matches(rule, index, decoded.bytes()).map(|part| decoded.range(part))
            }
        };
        self.found.extend(range.map(|range| Finding { range, what: rule.what }));
    }
}

/// About how many bytes a close look reads.
fn cost(rule: &Rule, text: &[u8]) -> usize {
    if rule.bytes_max > rules::TOKEN_BYTES_MAX {
        return rule.bytes_max;
    }
    let is_end = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`');
    text.iter().take(rule.bytes_max).take_while(|b| !is_end(b)).count()
}

fn budget(text: &[u8]) -> usize {
    text.len().saturating_mul(CLOSE_LOOKS_MAX).saturating_add(CLOSE_LOOK_BYTES_FREE)
}

/// Looks closely at the place where a rule's shape may begin.
fn plain(rule: &Rule, index: usize, text: &[u8], start: usize) -> Option<Range<usize>> {
    let before = start.checked_sub(1).map(|i| text[i]);
    if rule.is_word && before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    let end = text.len().min(start + rule.bytes_max);
    let found = matches(rule, index, &text[start..end])?;
    Some(start + found.start..start + found.end)
}

/// The part of `text` that is the secret, if the text begins with the rule's shape.
fn matches(rule: &Rule, index: usize, text: &[u8]) -> Option<Range<usize>> {
    let regex = regex(index);
    let mut secret = regex.find(text)?;
    if regex.captures_len() > 1 {
        // Only now, since finding the groups takes much longer.
        secret = regex.captures(text)?.get(1)?;
    }
    rule.believes(secret.as_bytes()).then(|| secret.range())
}

/// The compiled shape of a rule. Most are never needed.
fn regex(index: usize) -> &'static Regex {
    static REGEXES: LazyLock<Vec<OnceLock<Regex>>> =
        LazyLock::new(|| RULES.iter().map(|_| OnceLock::new()).collect());
    REGEXES[index].get_or_init(|| {
        let anchored = format!(r"\A(?s-u:{})", RULES[index].shape);
        Regex::new(&anchored).expect("a test compiles the shape of every rule")
    })
}

/// Sorts what was found, and makes one of what overlaps.
fn merged(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| (finding.range.start, finding.range.end));
    let mut merged: Vec<Finding> = Vec::new();
    for finding in found {
        match merged.last_mut() {
            Some(last) if finding.range.start <= last.range.end => {
                last.range.end = last.range.end.max(finding.range.end);
            }
            _ => merged.push(finding),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
