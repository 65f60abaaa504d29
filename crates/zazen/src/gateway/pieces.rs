//! Secrets that a stream says in pieces.
//!
//! A model's answer comes in events of a few letters each, and a secret in it
//! stands in no line of the stream whole. So the texts that stand at the same
//! place of successive events are put together, looked through, and what is
//! found is taken out of each piece. That holds for every API, as all of them
//! send the parts of one text at one place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use zazen_core::secret::{REPLACEMENT, Scanner};

/// The texts of one place, put together.
#[derive(Default)]
struct Whole {
    text: String,
    /// Which part of it came from which line.
    pieces: Vec<(usize, Range<usize>)>,
}

/// How deep events are looked into. The vendors' have their texts at depth six or less.
const DEPTH_MAX: usize = 16;

/// A stream of events, or any other text, without the secrets that are in it in pieces.
pub(super) fn redact(body: String, scanner: &Scanner) -> String {
    let mut events: BTreeMap<usize, Value> = BTreeMap::new();
    let mut wholes: BTreeMap<String, Whole> = BTreeMap::new();
    for (n, line) in body.lines().enumerate() {
        let Some(event) = event(line) else { continue };
        gather(&event, (n, String::new(), 0), &mut wholes);
        events.insert(n, event);
    }
    let mut changed: Vec<usize> = Vec::new();
    for (place, whole) in &wholes {
        for finding in scanner.find(whole.text.as_bytes()).into_iter().rev() {
            for (n, piece) in whole.pieces.iter().filter(|(_, it)| overlap(it, &finding.range)) {
                let text = events.get_mut(n).and_then(|event| event.pointer_mut(place));
                if let Some(Value::String(text)) = text {
                    *text = without(text, piece, &finding.range);
                    changed.push(*n);
                }
            }
        }
    }
    if changed.is_empty() {
        return body;
    }
    let lines = body.split_inclusive('\n').enumerate().map(|(n, line)| {
        if !changed.contains(&n) {
            return Cow::Borrowed(line);
        }
        let end = &line[line.trim_end_matches(['\r', '\n']).len()..];
        Cow::Owned(format!("data: {}{end}", events[&n]))
    });
    lines.collect()
}

/// What a line of a stream of events says.
fn event(line: &str) -> Option<Value> {
    serde_json::from_str(line.strip_prefix("data:")?.trim()).ok()
}

/// Adds all texts of an event to what stood at their places before.
fn gather(value: &Value, at: (usize, String, usize), wholes: &mut BTreeMap<String, Whole>) {
    let (n, place, depth) = at;
    match value {
        Value::String(text) => {
            let whole = wholes.entry(place).or_default();
            let start = whole.text.len();
            whole.text.push_str(text);
            whole.pieces.push((n, start..whole.text.len()));
        }
        Value::Array(items) if depth < DEPTH_MAX => {
            for (index, item) in items.iter().enumerate() {
                gather(item, (n, format!("{place}/{index}"), depth + 1), wholes);
            }
        }
        Value::Object(entries) if depth < DEPTH_MAX => {
            for (key, entry) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                gather(entry, (n, format!("{place}/{key}"), depth + 1), wholes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

fn overlap(piece: &Range<usize>, found: &Range<usize>) -> bool {
    piece.start < found.end && found.start < piece.end
}

/// A piece without its part of what was found; the piece in which that begins says so.
fn without(text: &str, piece: &Range<usize>, found: &Range<usize>) -> String {
    let start = found.start.saturating_sub(piece.start);
    let end = found.end.saturating_sub(piece.start).min(text.len());
    let start = (0..=start.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let end = (end..=text.len()).find(|at| text.is_char_boundary(*at));
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(text.len()));
    let mark = if found.start >= piece.start { REPLACEMENT } else { "" };
    format!("{}{mark}{}", &text[..start], &text[end..])
}

#[cfg(test)]
mod tests;
