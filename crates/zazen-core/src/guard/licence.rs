//! Licences: files that hold one, and the heads of files that name one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::Change;
use super::change::lines;
use super::evidence::Evidence;
use super::language::{Language, file_name, folder, is_test_path, stem};
use super::pattern::Pattern;
use super::report::Draft;

/// How many of the first lines of a file may be its head.
const HEAD_LINES: usize = 30;

/// How much of a file is read for its head, in bytes.
const HEAD_BYTES: usize = 8 * 1024;

/// How many files beside a new one must have a head for it to be missed there.
const SIBLINGS_MIN: usize = 2;

/// What names a licence or its holder.
static MARKS: LazyLock<Pattern> = LazyLock::new(|| {
    let pattern = concat!(
        r"(?i)SPDX-License-Identifier|\bcopyright\b.{0,40}(?:[12][0-9]{3}|\(c\)|©",
        r"|\bby\b|authors)|©\s*[12][0-9]{3}|licensed under|licensed to",
        r"|under the terms of|permission is hereby granted|GNU (?:Lesser ",
        r"|Affero )?General Public|redistribution and use|mozilla public license",
        r"|use of this source code is governed",
    );
    Pattern::new(pattern)
});

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let changes = evidence.changes.iter();
    changes.filter_map(|change| file(change).or_else(|| head(change, evidence))).collect()
}

/// What is said of a file that is a licence.
fn file(change: &Change) -> Option<Draft> {
    let before = change.before.as_ref()?;
    let name = file_name(&before.path).to_ascii_uppercase();
    let is_licence =
        ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"].iter().any(|word| {
            name.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        }) && Language::of(&before.path).is_none();
    let what = match &change.after {
        _ if !is_licence => return None,
        None => format!("{}, a licence, is gone.", change.shown()),
        Some(after) if after.id != before.id => {
            format!("{}, a licence, is another.", change.shown())
        }
        Some(_) => return None,
    };
    Some(Draft::hold(what).at(change.path()).holding([change.identity()]))
}

/// What is said of the head of a source file.
fn head(change: &Change, evidence: &Evidence<'_>) -> Option<Draft> {
    let after = change.after.as_ref()?;
    Language::of(&after.path)?;
    let now = marks(after.text()?);
    let path = change.shown();
    match change.before.as_ref().and_then(|side| side.text()) {
        Some(before) => {
            let before = marks(before);
            let (n, first) = *before.first().filter(|_| now.is_empty())?;
            let draft = Draft::hold(format!("The head of {path} names no licence any more."));
            let gone: Vec<&str> = before.iter().map(|(_, line)| *line).collect();
            Some(draft.at(change.path()).lines(n, n).quoting(first).holding(gone))
        }
        None if now.is_empty() && change.is_added() && !is_small(after.text()?) => {
            let n_with = with_head(change, evidence)?;
            let what = format!(
                "The head of {path} names no licence, as those of {n_with} files beside it do."
            );
            Some(Draft::flag(what).at(change.path()))
        }
        None => None,
    }
}

/// The lines of a head that name a licence, with their numbers.
fn marks(text: &str) -> Vec<(u32, &str)> {
    let end = (0..=text.len().min(HEAD_BYTES)).rev().find(|at| text.is_char_boundary(*at));
    let head = lines(&text[..end.unwrap_or(0)]);
    let head = head.into_iter().take(HEAD_LINES).filter(|line| MARKS.is_match(line.text));
    head.map(|line| (line.n, line.text)).collect()
}

/// How many files beside a new one have a head, if nearly all of them do.
fn with_head(change: &Change, evidence: &Evidence<'_>) -> Option<usize> {
    let path = change.path();
    let ending = file_name(path).rsplit_once('.').map(|(_, ending)| ending)?;
    let is_beside = |other: &str| {
        folder(other) == folder(path)
            && file_name(other).rsplit_once('.').is_some_and(|(_, end)| end == ending)
            && is_test_path(other) == is_test_path(path)
            && stem(other) != "__init__"
    };
    let siblings = evidence.siblings.iter().filter(|sibling| is_beside(&sibling.path));
    let unique: BTreeSet<(&str, bool)> = siblings
        .filter(|sibling| !is_small(&sibling.head))
        .map(|sibling| (sibling.path.as_str(), !marks(&sibling.head).is_empty()))
        .collect();
    let n_with = unique.iter().filter(|(_, has)| *has).count();
    (n_with >= SIBLINGS_MIN && n_with * 4 >= unique.len() * 3).then_some(n_with)
}

/// Whether a file is too small to have a head: an empty module, one line.
fn is_small(text: &str) -> bool {
    text.lines().filter(|line| !line.trim().is_empty()).nth(2).is_none()
}
