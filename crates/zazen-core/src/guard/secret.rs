//! What looks like a secret, in any line that is new.
//!
//! What [`crate::secret`] finds is held. It is never quoted, not even in part.

use super::Change;
use super::evidence::Evidence;
use super::report::Draft;
use crate::text::one_line;

/// How much of a line is quoted around a secret, in characters.
const LINE_CHARS_MAX: usize = 160;

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    evidence.changes.iter().flat_map(|change| of(change, evidence)).collect()
}

fn of(change: &Change, evidence: &Evidence<'_>) -> Vec<Draft> {
    // All of them in one text, as a secret may be broken over lines.
    let added = change.added();
    let mut text = String::new();
    let mut starts = Vec::with_capacity(added.len());
    for line in &added {
        starts.push(text.len());
        text.push_str(line.text);
        text.push('\n');
    }
    let found = evidence.scanner.find(text.as_bytes());
    let exceptions = &evidence.rules.secret_exceptions;
    let is_excepted =
        exceptions.iter().any(|beginning| change.path().starts_with(beginning.as_str()));
    // A key of this zazen is no example anywhere.
    let found = found.iter().filter(|found| !is_excepted || found.is_known());
    let drafts = found.map(|found| {
        let index_of = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
        let (first, last) = (index_of(found.range.start), index_of(found.range.end.max(1) - 1));
        let what = format!("This looks like {}.", found.what);
        let line = evidence.scanner.redact(added[first].text);
        let line = if first == last { one_line(&line, LINE_CHARS_MAX) } else { String::new() };
        let draft = Draft::hold(what).at(change.path()).lines(added[first].n, added[last].n);
        // The hash tells nothing of a secret that could be guessed from it: it is of the
        // whole line, and of the name of the whole file.
        draft.quoting(line).holding([change.identity()])
    });
    drafts.collect()
}
