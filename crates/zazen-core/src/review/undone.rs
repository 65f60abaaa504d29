//! Whether one correction takes back what another did.

use std::collections::{BTreeMap, BTreeSet};

/// How many lines of a difference are looked at. A correction is smaller.
const N_LINES_MAX: usize = 20_000;

/// The lines that a difference takes away and puts in, of one file.
#[derive(Debug, Default)]
struct Changed<'a> {
    removed: BTreeSet<&'a str>,
    added: BTreeSet<&'a str>,
}

/// Whether `later` takes away, in some file, what `earlier` put in there, and puts in again what
/// that took away. Both are unified differences, as git prints them.
pub fn undoes(earlier: &str, later: &str) -> bool {
    let before = read(earlier);
    read(later).iter().any(|(path, after)| {
        before.get(path).is_some_and(|before| {
            is_within(&after.added, &before.removed) && is_within(&after.removed, &before.added)
        })
    })
}

/// Whether there is something, and all of it is in the other.
fn is_within(part: &BTreeSet<&str>, whole: &BTreeSet<&str>) -> bool {
    !part.is_empty() && part.is_subset(whole)
}

fn read(diff: &str) -> BTreeMap<&str, Changed<'_>> {
    let mut files: BTreeMap<&str, Changed> = BTreeMap::new();
    let mut path = "";
    let mut is_hunk = false;
    for line in diff.lines().take(N_LINES_MAX) {
        if line.starts_with("diff --git ") {
            (path, is_hunk) = (line.rsplit(" b/").next().unwrap_or_default(), false);
        } else if line.starts_with("@@ ") {
            is_hunk = true;
        } else if is_hunk {
            let changed = files.entry(path).or_default();
            let (side, text) = match (line.strip_prefix('+'), line.strip_prefix('-')) {
                (Some(text), _) => (&mut changed.added, text),
                (None, Some(text)) => (&mut changed.removed, text),
                (None, None) => continue,
            };
            // Empty lines and brackets are in every change.
            if text.chars().any(char::is_alphanumeric) {
                side.insert(text.trim());
            }
        }
    }
    files
}
