//! Which lines a pull request shows: the changed ones, and a few around them.
//!
//! A forge takes comments on these lines only. They are found as it finds them: against
//! the commit where the proposal left its base, with files that were renamed taken for the
//! same file. Only the headings of a patch are read, which no content can imitate.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use zazen_core::id::CommitId;

use super::Mirror;
use super::read::{CLOSED_DIFF, LISTING_BYTES_MAX};

/// How much of the patch of one file is read. Forges show much less.
const PATCH_BYTES_MAX: usize = 8 << 20;

impl Mirror {
    /// The lines of a file of `head` that are shown of what it changes since it left `base`.
    /// None, where nothing of the file is changed, or the two have nothing in common.
    pub async fn shown_lines(
        &self,
        (base, head): (&CommitId, &CommitId),
        paths: &BTreeSet<&str>,
    ) -> anyhow::Result<BTreeMap<String, Vec<RangeInclusive<u32>>>> {
        let Some(left) = self.merge_base(base, head).await? else { return Ok(BTreeMap::new()) };
        let before = self.renames(&left, head).await?;
        let mut shown = BTreeMap::new();
        for &path in paths {
            let call = self.git().call("diff-tree").args(["-p", "-r", "--no-color", "--unified=3"]);
            let call = call.arg("--find-renames").args(CLOSED_DIFF);
            // Every path stands for itself: see what each call of ours is told.
            let call = call.args([left.as_str(), head.as_str(), "--", path]);
            let call = call.args(before.get(path));
            let output = call.stdout_bytes_max(PATCH_BYTES_MAX).output().await?;
            if !output.status.success() && !output.truncated {
                anyhow::bail!("compare {left} with {head}: {}", super::said(&output));
            }
            shown.insert(path.to_owned(), parse_hunks(&output.stdout_text()));
        }
        Ok(shown)
    }

    /// The commit where the two parted, if they have anything in common.
    pub async fn merge_base(
        &self,
        one: &CommitId,
        other: &CommitId,
    ) -> anyhow::Result<Option<CommitId>> {
        let call = self.git().call("merge-base").args([one.as_str(), other.as_str()]);
        let output = call.output().await?;
        // With nothing in common, it says nothing and ends with 1.
        if output.status.code() == Some(1) {
            return Ok(None);
        }
        anyhow::ensure!(output.status.success(), "compare commits: {}", super::said(&output));
        let text = output.stdout_text();
        Ok(text.lines().next().map(str::parse).transpose()?)
    }

    /// The files that were renamed: what each is called now, and what it was called.
    async fn renames(
        &self,
        base: &CommitId,
        head: &CommitId,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let call = self.git().call("diff-tree").args(["-r", "-z", "--name-status"]);
        let call = call.args(["--find-renames", "--diff-filter=R"]).args(CLOSED_DIFF);
        let call = call.args([base.as_str(), head.as_str()]).stdout_bytes_max(LISTING_BYTES_MAX);
        let text = call.run().await?.stdout_text();
        let parts: Vec<&str> = text.split('\0').collect();
        let renames = parts.chunks_exact(3).map(|each| (each[2].to_owned(), each[1].to_owned()));
        Ok(renames.collect())
    }
}

/// The lines of the new text that a patch shows.
fn parse_hunks(patch: &str) -> Vec<RangeInclusive<u32>> {
    // Every line of content has a sign before it.
    patch.lines().filter_map(|line| parse_hunk(line.strip_prefix("@@ -")?)).collect()
}

/// Reads `3,4 +3,6 @@ …`: the first line of the new text, and how many there are.
fn parse_hunk(heading: &str) -> Option<RangeInclusive<u32>> {
    let new = heading.split(' ').nth(1)?.strip_prefix('+')?;
    let (first, n) = new.split_once(',').unwrap_or((new, "1"));
    let (first, n): (u32, u32) = (first.parse().ok()?, n.parse().ok()?);
    let last = first.checked_add(n.checked_sub(1)?)?;
    Some(first..=last)
}

#[cfg(test)]
mod tests;
