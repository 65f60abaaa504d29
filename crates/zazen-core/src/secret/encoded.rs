//! The forms in which a secret may turn up, and the way back from some of them.
//!
//! A secret that we know is turned into all its forms beforehand. For shapes
//! only their beginnings are, and what follows is decoded where one is found.

use std::ops::Range;

/// A place in base64: how many bytes of its group of three stand before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Base64(usize);

/// Hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hex;

/// What was decoded, and where in the text it came from.
#[derive(Debug)]
pub(super) struct Decoded {
    bytes: Vec<u8>,
    /// How many of the bytes stand before what was looked for.
    n_before: usize,
    /// Where each character stood, and how many bytes and characters are one group.
    places: Vec<usize>,
    group: (usize, usize),
}

/// Shorter secrets are placeholders for local servers (`none`, `ollama`).
pub(super) const SECRET_BYTES_MIN: usize = 12;

/// How much of a known secret is enough to call it that: the whole of a short one, this
/// much of a long one. It also finds a key whose beginning or end was cut off.
const PART_BYTES: usize = 16;

/// How far parts are apart. They overlap, so that together they cover all of it.
const PART_STEP: usize = 8;

/// The shortest beginning of a shape that is looked for in encoded texts.
const ENCODED_KEYWORD_BYTES_MIN: usize = 4;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Every text that shows a known secret.
pub(super) fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    if bytes.len() < SECRET_BYTES_MIN {
        return Vec::new();
    }
    let mut forms: Vec<Vec<u8>> = Vec::new();
    let last = bytes.len().saturating_sub(PART_BYTES);
    for start in (0..last).step_by(PART_STEP).chain([last]) {
        let part = &bytes[start..bytes.len().min(start + PART_BYTES)];
        forms.push(part.to_vec());
        forms.push(part.iter().rev().copied().collect());
        forms.extend((0..3).map(|alignment| base64(part, alignment)));
        forms.extend([hex(part, b"0123456789abcdef"), hex(part, b"0123456789ABCDEF")]);
        let upper = |b: &u8| format!("%{b:02X}").into_bytes();
        let lower = |b: &u8| format!("%{b:02x}").into_bytes();
        let escaped = |b: &u8| if is_unreserved(*b) { vec![*b] } else { upper(b) };
        forms.push(part.iter().flat_map(upper).collect());
        forms.push(part.iter().flat_map(lower).collect());
        forms.push(part.iter().flat_map(escaped).collect());
        if let Ok(part) = std::str::from_utf8(part) {
            let json = serde_json::to_string(part).unwrap_or_default();
            forms.push(json.trim_matches('"').as_bytes().to_vec());
        }
    }
    // In the alphabet for URLs, two characters are others.
    let url: Vec<Vec<u8>> =
        forms.iter().map(|form| form.iter().copied().map(url_safe).collect()).collect();
    forms.extend(url);
    forms.sort();
    forms.dedup();
    forms
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~')
}

fn url_safe(b: u8) -> u8 {
    match b {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let both = |b: &u8| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]];
    bytes.iter().flat_map(both).collect()
}

/// The characters of base64 that `bytes` alone decide, with `n_before` bytes of the
/// group before them.
fn base64(bytes: &[u8], n_before: usize) -> Vec<u8> {
    let n_bits = bytes.len() * 8;
    // The first bit that begins a character, and then every sixth.
    let first = (6 - n_before * 8 % 6) % 6;
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    let character = |at: usize| (at..at + 6).fold(0, |index, at| index << 1 | bit(at));
    let starts = (first..).step_by(6).take_while(|at| at + 6 <= n_bits);
    starts.map(|at| STANDARD[usize::from(character(at))]).collect()
}

impl Base64 {
    /// What the keyword looks like in base64, at each alignment.
    pub(super) fn needles(keyword: &str) -> Vec<(Vec<u8>, Self)> {
        if keyword.len() < ENCODED_KEYWORD_BYTES_MIN {
            return Vec::new();
        }
        (0..3).map(|n_before| (base64(keyword.as_bytes(), n_before), Self(n_before))).collect()
    }

    /// Decodes about `bytes_max` bytes around the place where a needle begins.
    pub(super) fn decode(self, text: &[u8], at: usize, bytes_max: usize) -> Option<Decoded> {
        // The characters before it that hold the first bits of its first byte.
        let n_back = (self.0 * 8).div_ceil(6);
        let start = at.checked_sub(n_back)?;
        let (values, places) = read(text, start, (bytes_max * 4).div_ceil(3), base64_value);
        let mut bytes = Vec::with_capacity(values.len());
        for group in values.chunks(4) {
            let bits = group.iter().fold(0_u32, |bits, value| bits << 6 | u32::from(*value));
            let bits = (bits << (6 * (4 - group.len()))).to_be_bytes();
            bytes.extend_from_slice(&bits[1..group.len().max(1)]);
        }
        Some(Decoded { bytes, n_before: self.0, places, group: (3, 4) })
    }
}

impl Hex {
    /// What the keyword looks like in hexadecimal digits.
    pub(super) fn needles(keyword: &str) -> Vec<Vec<u8>> {
        if keyword.len() < ENCODED_KEYWORD_BYTES_MIN {
            return Vec::new();
        }
        [b"0123456789abcdef", b"0123456789ABCDEF"]
            .map(|digits| hex(keyword.as_bytes(), digits))
            .to_vec()
    }

    /// Decodes about `bytes_max` bytes from the place where a needle begins.
    pub(super) fn decode(text: &[u8], at: usize, bytes_max: usize) -> Decoded {
        let (values, places) = read(text, at, bytes_max * 2, hex_value);
        let bytes = values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        Decoded { bytes, n_before: 0, places, group: (1, 2) }
    }
}

impl Decoded {
    /// What was decoded, from where the needle began.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.n_before..).unwrap_or_default()
    }

    /// Where in the text a part of [`Self::bytes`] came from.
    pub(super) fn range(&self, part: Range<usize>) -> Range<usize> {
        let (n_bytes, n_characters) = self.group;
        let first = (part.start + self.n_before) / n_bytes * n_characters;
        let last = (part.end + self.n_before).div_ceil(n_bytes) * n_characters;
        let last = last.clamp(1, self.places.len()) - 1;
        self.places[first.min(last)]..self.places[last] + 1
    }
}

/// Reads characters of an alphabet, over the ends of lines.
fn read(
    text: &[u8],
    start: usize,
    n_max: usize,
    value: fn(u8) -> Option<u8>,
) -> (Vec<u8>, Vec<usize>) {
    let (mut values, mut places) = (Vec::new(), Vec::new());
    let mut n_between = 0;
    for (at, b) in text.iter().enumerate().skip(start) {
        if values.len() >= n_max {
            break;
        }
        match value(*b) {
            Some(value) => {
                values.push(value);
                places.push(at);
                n_between = 0;
            }
            None if matches!(b, b'\r' | b'\n') && n_between < 2 => n_between += 1,
            None => break,
        }
    }
    (values, places)
}

fn base64_value(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn hex_value(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}
