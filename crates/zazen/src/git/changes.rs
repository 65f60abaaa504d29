//! A whole change, for the guards: every file before and after, and where they differ.
//!
//! Four calls of git, whatever its size. All of it is bounded: what is beyond the bounds is
//! said to be unread, and guards hold it. Nothing that a repository says of its files
//! (attributes, filters, programs) has a part in it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use zazen_core::guard::{self, Change, Content, Hunk, Sibling, Side, TEXT_BYTES_MAX};
use zazen_core::id::CommitId;

use super::read::{CLOSED_DIFF, LISTING_BYTES_MAX, MODE_FILE, MODE_PROGRAM, split};
use super::{Git, Mirror, said};

/// What differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub files: Vec<Change>,
    /// There is more than was read.
    pub is_cut: bool,
}

/// How many changed files are read. People do not review a tenth of that.
const FILES_MAX: usize = 5000;

/// How much of files is read altogether, before and after.
const CONTENT_BYTES_MAX: u64 = 64 << 20;

/// How much git may print of what differs. Larger files, too, are in it.
const PATCH_BYTES_MAX: usize = 96 << 20;

/// In how many folders files are looked for that stand beside new ones.
const FOLDERS_MAX: usize = 20;

/// How many files are looked at in one folder.
const BESIDE_MAX: usize = 6;

/// How large a file beside may be: its head is all that is read.
const BESIDE_BYTES_MAX: u64 = 64 << 10;

/// The tree without files, which every git knows: no file of a repository says what is text.
const NO_ATTRIBUTES: &str = "attr.tree=4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// How git names a file that is not there.
const NO_ID: &str = "0000000000000000000000000000000000000000";

/// A changed file, as git lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    before: Option<Named>,
    after: Option<Named>,
    /// A link that became a file, or the like: git tells of it as two changes.
    is_other_type: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    path: String,
    mode: u32,
    id: String,
}

impl Mirror {
    /// Every file that differs between two commits, as the guards look at it.
    pub async fn changes(&self, base: &CommitId, head: &CommitId) -> anyhow::Result<Changes> {
        let git = self.git();
        let mut entries = entries(&git, base, head).await?;
        let mut is_cut = entries.len() > FILES_MAX;
        let (patch, is_patch_cut) = patch(&git, base, head).await?;
        is_cut |= is_patch_cut;
        entries.truncate(FILES_MAX);
        let sides = entries.iter().flat_map(|entry| [&entry.before, &entry.after]).flatten();
        let ids: BTreeSet<&str> = sides.map(|side| side.id.as_str()).collect();
        let contents = Contents::read(&git, &ids).await?;
        let mut hunks = guard::hunks(&patch).into_iter();
        let files = entries.into_iter().map(|entry| {
            let mut of = hunks.next().unwrap_or_default();
            if entry.is_other_type {
                of.extend(hunks.next().unwrap_or_default());
            }
            change(entry, of, &contents)
        });
        Ok(Changes { files: files.collect(), is_cut })
    }

    /// Files of a commit that stand beside these, with the same ending.
    pub async fn beside(
        &self,
        commit: &CommitId,
        paths: &BTreeSet<&str>,
    ) -> anyhow::Result<Vec<Sibling>> {
        let git = self.git();
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for path in paths {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            if let Some((_, ending)) = name.rsplit_once('.') {
                wanted.entry(folder).or_default().insert(ending);
            }
        }
        let mut found = Vec::new();
        for (folder, endings) in wanted.into_iter().take(FOLDERS_MAX) {
            found.extend(beside(&git, commit, (folder, &endings)).await?);
        }
        let ids: BTreeSet<&str> = found.iter().map(|(_, id)| id.as_str()).collect();
        let contents = Contents::read(&git, &ids).await?;
        let head = |(path, id): &(String, String)| match contents.of(id)?.1 {
            Content::Text(head) => Some(Sibling { path: path.clone(), head }),
            Content::Binary { .. } | Content::Unread => None,
        };
        Ok(found.iter().filter_map(head).collect())
    }
}

/// The changed files, those that were renamed as one.
async fn entries(git: &Git, base: &CommitId, head: &CommitId) -> anyhow::Result<Vec<Entry>> {
    let call = git.call("diff-tree").args(["-r", "--raw", "-z", "--no-abbrev", "--find-renames"]);
    let call = call.args(CLOSED_DIFF).args([base.as_str(), head.as_str()]);
    let output = call.stdout_bytes_max(LISTING_BYTES_MAX).run().await?;
    let mut tokens = split(&output.stdout);
    let mut entries = Vec::new();
    while let Some(facts) = tokens.next() {
        let entry = entry(facts, &mut tokens).context("git printed changes that cannot be read")?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads `:old-mode new-mode old-id new-id status`, and the path or both paths after it.
fn entry<'t>(facts: &[u8], tokens: &mut impl Iterator<Item = &'t [u8]>) -> Option<Entry> {
    let facts = std::str::from_utf8(facts).ok()?.strip_prefix(':')?;
    let mut facts = facts.split(' ');
    let mut mode = || u32::from_str_radix(facts.next()?, 8).ok();
    let (old_mode, new_mode) = (mode()?, mode()?);
    let (old_id, new_id, status) = (facts.next()?, facts.next()?, facts.next()?);
    let mut path = || Some(String::from_utf8_lossy(tokens.next()?).into_owned());
    let old = path()?;
    let new = if status.starts_with(['R', 'C']) { path()? } else { old.clone() };
    let side = |path: String, mode: u32, id: &str| {
        (id != NO_ID).then(|| Named { path, mode, id: id.to_owned() })
    };
    Some(Entry {
        before: side(old, old_mode, old_id),
        after: side(new, new_mode, new_id),
        is_other_type: status == "T",
    })
}

/// Where the files differ, without context; and whether that is not all.
async fn patch(git: &Git, base: &CommitId, head: &CommitId) -> anyhow::Result<(Vec<u8>, bool)> {
    let call = git.call("diff-tree").args(["-r", "-p", "--unified=0", "--no-color"]);
    let call = call.args(["--find-renames", "--inter-hunk-context=0"]).args(CLOSED_DIFF);
    let call = call.setting(NO_ATTRIBUTES).setting("diff.algorithm=histogram");
    let call = call.args([base.as_str(), head.as_str()]);
    let output = call.stdout_bytes_max(PATCH_BYTES_MAX).output().await?;
    if !output.status.success() && !output.truncated {
        anyhow::bail!("compare {} with {}: {}", base.short(), head.short(), said(&output));
    }
    Ok((output.stdout, output.truncated))
}

fn change(entry: Entry, hunks: Vec<Hunk>, contents: &Contents) -> Change {
    let side = |named: Named| {
        let (n_bytes, content) = contents.of(&named.id).unwrap_or((0, Content::Unread));
        Side { path: named.path, mode: named.mode, id: named.id, n_bytes, content }
    };
    Change { before: entry.before.map(side), after: entry.after.map(side), hunks }
}

async fn beside(
    git: &Git,
    commit: &CommitId,
    (folder, endings): (&str, &BTreeSet<&str>),
) -> anyhow::Result<Vec<(String, String)>> {
    let tree = format!("{commit}:{folder}");
    let call = git.call("ls-tree").args(["-z", "-l", &tree]);
    let output = call.stdout_bytes_max(LISTING_BYTES_MAX).output().await?;
    if !output.status.success() {
        // A folder that is new has nothing beside.
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut n_of: BTreeMap<&str, usize> = BTreeMap::new();
    for line in split(&output.stdout) {
        let Some((id, n_bytes, name)) = blob(line) else { continue };
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let Some(ending) = endings.iter().find(|of| Some(**of) == ending) else { continue };
        let n = n_of.entry(ending).or_default();
        if n_bytes <= BESIDE_BYTES_MAX && *n < BESIDE_MAX {
            *n += 1;
            let gap = if folder.is_empty() { "" } else { "/" };
            found.push((format!("{folder}{gap}{name}"), id.to_owned()));
        }
    }
    Ok(found)
}

/// Reads a line of `ls-tree -l`: mode, type, id, size, tab, name.
fn blob(line: &[u8]) -> Option<(&str, u64, &str)> {
    let (facts, name) = std::str::from_utf8(line).ok()?.split_once('\t')?;
    let mut facts = facts.split_ascii_whitespace();
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let (_, id, n_bytes) = (facts.next()?, facts.next()?, facts.next()?);
    matches!(mode, MODE_FILE | MODE_PROGRAM).then_some((id, n_bytes.parse().ok()?, name))
}

/// What is in files, by their ids, as far as it was read.
struct Contents {
    sizes: BTreeMap<String, u64>,
    read: BTreeMap<String, Content>,
}

impl Contents {
    async fn read(git: &Git, ids: &BTreeSet<&str>) -> anyhow::Result<Self> {
        if ids.is_empty() {
            return Ok(Self { sizes: BTreeMap::new(), read: BTreeMap::new() });
        }
        let call =
            git.call("cat-file").arg("--batch-check=%(objectname) %(objecttype) %(objectsize)");
        let text = call.stdin(lines(ids.iter().copied())).run().await?.stdout_text();
        // What is no file, as a submodule's commit, has no size and stays unread.
        let sizes: BTreeMap<String, u64> = text
            .lines()
            .filter_map(|line| {
                let (id, rest) = line.split_once(' ')?;
                Some((id.to_owned(), rest.strip_prefix("blob ")?.parse().ok()?))
            })
            .collect();
        let mut n_left = CONTENT_BYTES_MAX;
        // The small ones first, so that one that is large keeps no others from being read.
        let mut by_size: Vec<(&String, u64)> = sizes.iter().map(|(id, n)| (id, *n)).collect();
        by_size.sort_by_key(|(_, n_bytes)| *n_bytes);
        let wanted: Vec<&str> = by_size
            .into_iter()
            .filter(|(_, n_bytes)| *n_bytes <= TEXT_BYTES_MAX)
            .take_while(|(_, n_bytes)| {
                let fits = n_left.checked_sub(*n_bytes);
                n_left = fits.unwrap_or(0);
                fits.is_some()
            })
            .map(|(id, _)| id.as_str())
            .collect();
        let call = git.call("cat-file").arg("--batch=%(objectname) %(objectsize)");
        let n_bytes_max = usize::try_from(CONTENT_BYTES_MAX).unwrap_or(usize::MAX);
        let call = call.stdout_bytes_max(n_bytes_max + wanted.len() * HEADING_BYTES_MAX);
        let output = call.stdin(lines(wanted.iter().copied())).run().await?;
        let mut read = BTreeMap::new();
        let mut rest = output.stdout.as_slice();
        while !rest.is_empty() {
            let (id, bytes, after) = next(rest).context("git printed files that cannot be read")?;
            read.insert(id.to_owned(), Content::of(bytes));
            rest = after;
        }
        Ok(Self { sizes, read })
    }

    fn of(&self, id: &str) -> Option<(u64, Content)> {
        let n_bytes = *self.sizes.get(id)?;
        Some((n_bytes, self.read.get(id).cloned().unwrap_or(Content::Unread)))
    }
}

/// How long the line before a file is at most, with the line feed after the file.
const HEADING_BYTES_MAX: usize = 80;

fn lines<'i>(ids: impl Iterator<Item = &'i str>) -> Vec<u8> {
    ids.flat_map(|id| [id.as_bytes(), b"\n"]).flatten().copied().collect()
}

/// Reads `id size`, a line feed, that many bytes, and a line feed.
fn next(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let end = bytes.iter().position(|b| *b == b'\n')?;
    let (id, n_bytes) = std::str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
    let n_bytes: usize = n_bytes.parse().ok()?;
    let rest = &bytes[end + 1..];
    let after = rest.get(n_bytes..)?.strip_prefix(b"\n")?;
    Some((id, &rest[..n_bytes], after))
}

#[cfg(test)]
mod tests;
