//! Reads where two texts differ, from what `git diff` prints without context.

use super::Hunk;

/// The hunks of each file of a patch, in its order.
///
/// Only headings are read. No content can imitate one: each of its lines has a sign before
/// it, and how many there are is in the heading.
pub fn hunks(patch: &[u8]) -> Vec<Vec<Hunk>> {
    let mut files: Vec<Vec<Hunk>> = Vec::new();
    for line in patch.split(|b| *b == b'\n') {
        if line.starts_with(b"diff --git ") {
            files.push(Vec::new());
        } else if let Some(heading) = line.strip_prefix(b"@@ -")
            && let Some(hunk) = hunk(heading)
            && let Some(file) = files.last_mut()
        {
            file.push(hunk);
        }
    }
    files
}

/// Reads `3,4 +3,6 @@ …`: where the lines begin, counted from 1, and how many there are.
fn hunk(heading: &[u8]) -> Option<Hunk> {
    let heading = &heading[..heading.len().min(HEADING_BYTES_MAX)];
    let heading = String::from_utf8_lossy(heading);
    let mut parts = heading.split(' ');
    let (old, new) = (parts.next()?, parts.next()?.strip_prefix('+')?);
    let range = |text: &str| {
        let (first, n) = text.split_once(',').unwrap_or((text, "1"));
        let (first, n): (u32, u32) = (first.parse().ok()?, n.parse().ok()?);
        // Where there are none, the line before is named.
        let start = if n == 0 { first } else { first.checked_sub(1)? };
        Some(start..start.checked_add(n)?)
    };
    Some(Hunk { old: range(old)?, new: range(new)? })
}

/// How much of a heading is read. After the numbers comes text.
const HEADING_BYTES_MAX: usize = 60;
