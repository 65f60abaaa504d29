//! Looks for secrets in what a result adds.
//!
//! Every commit counts, not only the last: what one adds and the next removes is
//! published all the same. Lines that were there before are not looked at, so that a
//! result is not blamed for what its repository already holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use anyhow::Context;
use zazen_core::secret::{Finding, Scanner};

use super::quarantine::Quarantine;
use super::{CollectError, Guards, Refused};
use crate::git::read::Change;

/// How much is read at once.
const BATCH_BYTES_MAX: u64 = 32 << 20;

/// How much is read in all. A person would not review a tenth of it.
const ALL_BYTES_MAX: u64 = 512 << 20;

/// How much one batch may be with all that it is compared with: as much again, and one
/// file more that is as large as a file may be in any repository.
const READ_BYTES_MAX: usize = 256 << 20;

/// How many places are named. Who reads it needs to know where to begin.
const N_NAMED_MAX: usize = 10;

/// Refuses a result that adds a secret.
pub(super) async fn check(
    quarantine: &Quarantine,
    (changes, sizes): (&[Change], &BTreeMap<String, u64>),
    guards: &Guards,
) -> Result<(), CollectError> {
    let mut found = Vec::new();
    for change in changes {
        let path = String::from_utf8_lossy(&change.path);
        if let Some(first) = guards.scanner.find(path.as_bytes()).first() {
            found.push(format!("{} in the name of a file", first.what));
        }
    }
    let news = changes.iter().filter(|change| change.new_mode != 0);
    let news: BTreeSet<(&str, &str, &[u8])> =
        news.map(|change| (&*change.new_id, &*change.old_id, &*change.path)).collect();
    let size_of = |id: &str| sizes.get(id).copied().unwrap_or_default();
    if news.iter().map(|(new, ..)| size_of(new)).sum::<u64>() > ALL_BYTES_MAX {
        return Err(Refused::TooCostly.into());
    }
    let mut batch = Vec::new();
    let mut n_bytes = 0;
    for new in news {
        n_bytes += size_of(new.0);
        batch.push(new);
        if n_bytes >= BATCH_BYTES_MAX {
            found.extend(read(quarantine, &batch, guards).await?);
            batch.clear();
            n_bytes = 0;
        }
    }
    found.extend(read(quarantine, &batch, guards).await?);
    refuse(found)
}

/// Refuses what was found, if anything was.
pub(super) fn refuse(mut found: Vec<String>) -> Result<(), CollectError> {
    if found.is_empty() {
        return Ok(());
    }
    let n_more = found.len().saturating_sub(N_NAMED_MAX);
    found.truncate(N_NAMED_MAX);
    if n_more > 0 {
        found.push(format!("something in {n_more} more places"));
    }
    Err(Refused::Secrets { found }.into())
}

/// Reads some new files, each with what it was before, and says what is in them.
async fn read(
    quarantine: &Quarantine,
    batch: &[(&str, &str, &[u8])],
    guards: &Guards,
) -> Result<Vec<String>, CollectError> {
    let is_there = |id: &str| id.bytes().any(|b| b != b'0');
    let ids = batch.iter().flat_map(|(new, old, _)| [*new, *old]).filter(|id| is_there(id));
    let ids: BTreeSet<&str> = ids.collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let texts = quarantine.objects(ids.iter().copied(), READ_BYTES_MAX).await?;
    let texts: BTreeMap<String, Vec<u8>> = ids.into_iter().map(str::to_owned).zip(texts).collect();
    let files: Vec<(String, String, String)> = batch
        .iter()
        .map(|(new, old, path)| {
            (String::from_utf8_lossy(path).into_owned(), (*new).to_owned(), (*old).to_owned())
        })
        .collect();
    let (scanner, exceptions) = (Arc::clone(&guards.scanner), guards.secret_exceptions.clone());
    let search = move || {
        let mut found = Vec::new();
        for (path, new, old) in &files {
            let Some(new) = texts.get(new) else { continue };
            let old = texts.get(old).map(Vec::as_slice).unwrap_or_default();
            let is_excepted = exceptions.iter().any(|beginning| path.starts_with(beginning));
            for (line, finding) in find(&scanner, old, new) {
                if !is_excepted || finding.is_known() {
                    found.push(format!("{} in `{path}:{line}`", finding.what));
                }
            }
        }
        found
    };
    let found = tokio::task::spawn_blocking(search).await.context("look for secrets")?;
    Ok(found)
}

/// The secrets in the lines that `new` has and `old` has not, with their lines' numbers.
fn find(scanner: &Scanner, old: &[u8], new: &[u8]) -> Vec<(usize, Finding)> {
    if old.is_empty() {
        let line_of = |at: usize| new[..at].split(|b| *b == b'\n').count();
        let numbered = |finding: Finding| (line_of(finding.range.start), finding);
        return scanner.find(new).into_iter().map(numbered).collect();
    }
    let known: BTreeSet<&[u8]> = old.split(|b| *b == b'\n').collect();
    let mut added = Vec::new();
    let mut lines: Vec<(Range<usize>, usize)> = Vec::new();
    for (index, line) in new.split(|b| *b == b'\n').enumerate() {
        if !known.contains(line) {
            let start = added.len();
            added.extend_from_slice(line);
            added.push(b'\n');
            lines.push((start..added.len(), index + 1));
        }
    }
    let line_of = |at: usize| {
        let index = lines.partition_point(|(range, _)| range.end <= at);
        lines.get(index).map_or(0, |(_, number)| *number)
    };
    let found = scanner.find(&added).into_iter();
    found.map(|finding| (line_of(finding.range.start), finding)).collect()
}
