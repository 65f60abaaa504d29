//! What is on a branch, between where it left its base and its tip: by whom, how much,
//! and what its commits say of themselves.
//!
//! A commit is ours if it says so *and* we know it: anybody can write our name, and what
//! a task's own refs keep can have people's commits below ours.

use std::collections::BTreeSet;

use anyhow::Context;
use zazen_core::id::{CommitId, TaskId};

use super::read::{CLOSED_DIFF, LISTING_BYTES_MAX, READ_COMMITS_MAX, diff_stat};
use super::{CommitInfo, Git, Mirror, Person, plain};

/// Which commits are ours: those that this task made, under this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    pub task: TaskId,
    /// Author and committer: `name <address>`.
    pub author: String,
}

/// A commit that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignCommit {
    pub commit: CommitId,
    /// Who it says made it. Anyone can write any name.
    pub author: Person,
    pub subject: String,
}

/// How much there is on a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RangeStat {
    pub n_commits: usize,
    pub n_files: usize,
    pub n_added: u64,
    pub n_removed: u64,
}

/// What separates a trailer's name from its value, and one trailer from the next.
const TRAILERS: &str =
    "--format=%(trailers:only=true,unfold=true,key_value_separator=%x00,separator=%x01)";

impl Mirror {
    /// The commits that `tip` has and `base` has not, and that are not ours. The oldest first.
    pub async fn foreign_commits(
        &self,
        base: &CommitId,
        tip: &CommitId,
        ours: &Ours,
    ) -> anyhow::Result<Vec<ForeignCommit>> {
        let made = self.kept_for(ours.task, base).await?;
        let commits = self.commits_between(base, tip).await?;
        anyhow::ensure!(commits.len() <= READ_COMMITS_MAX, "`{tip}` has too many commits to read");
        let foreign = commits.into_iter().filter(|commit| {
            let is_known = made.contains(&commit.id);
            !is_known || !ours.is(&commit.author) || !ours.is(&commit.committer)
        });
        Ok(foreign.map(ForeignCommit::of).collect())
    }

    /// Whether a ref of this task keeps a commit, or one on top of it.
    pub async fn is_kept(&self, task: TaskId, commit: &CommitId) -> anyhow::Result<bool> {
        let contains = format!("--contains={commit}");
        let refs = format!("refs/zazen/{task}/");
        let call = self.git().call("for-each-ref").args(["--count=1", &contains, &refs]);
        Ok(!call.run().await?.stdout_text().is_empty())
    }

    /// All that the refs of a task keep and `base` has not.
    async fn kept_for(&self, task: TaskId, base: &CommitId) -> anyhow::Result<BTreeSet<CommitId>> {
        let glob = format!("--glob=refs/zazen/{task}/*");
        let call = self.git().call("rev-list").args([&glob, &format!("^{base}"), "--"]);
        let text = call.stdout_bytes_max(LISTING_BYTES_MAX).run().await?.stdout_text();
        text.lines().map(|id| Ok(id.parse()?)).collect()
    }

    /// How much `tip` changes since it left `base`, as pull requests count it.
    pub async fn range_stat(&self, base: &CommitId, tip: &CommitId) -> anyhow::Result<RangeStat> {
        let call = self.git().call("merge-base").args([base.as_str(), tip.as_str()]);
        let left: CommitId = call.line().await?.parse().context("find where it left its base")?;
        let stat = diff_stat(&self.git(), &left, tip).await?;
        let range = format!("{base}..{tip}");
        let n_commits = self.git().call("rev-list").args(["--count", &range, "--"]).line().await?;
        Ok(RangeStat {
            n_commits: n_commits.parse().context("count commits")?,
            n_files: stat.files.len(),
            n_added: stat.files.iter().map(|file| file.added).sum(),
            n_removed: stat.files.iter().map(|file| file.removed).sum(),
        })
    }

    /// The trailers of a commit (`Zazen-Task: 12`), in their order. Anybody can write them.
    pub async fn trailers(&self, commit: &CommitId) -> anyhow::Result<Vec<(String, String)>> {
        let call = self.git().call("log").args(["--max-count=1", "--no-show-signature", TRAILERS]);
        let text = call.args(["--end-of-options", commit.as_str()]).run().await?.stdout_text();
        let trailers = text.trim_end_matches('\n').split('\u{1}');
        let parts = trailers.filter_map(|trailer| trailer.split_once('\0'));
        Ok(parts.map(|(key, value)| (plain(key), plain(value))).collect())
    }
}

impl Ours {
    fn is(&self, person: &Person) -> bool {
        format!("{} <{}>", person.name, person.email) == self.author
    }
}

impl ForeignCommit {
    fn of(commit: CommitInfo) -> Self {
        Self { commit: commit.id, author: commit.author, subject: commit.subject }
    }
}

/// What a commit changes, whatever surrounds it: the same before and after it is put
/// somewhere else. Nothing, for a commit that changes nothing.
pub(super) async fn patch_id(git: &Git, commit: &CommitId) -> anyhow::Result<Option<String>> {
    let call = git.call("diff-tree").args(["-p", "-r", "--no-color", "--no-renames", "--binary"]);
    // Without context: what stands around may differ.
    let call = call.args(["--unified=0", "--full-index", "--no-commit-id", "--root"]);
    let call = call.args(CLOSED_DIFF).arg(commit.as_str()).stdout_bytes_max(LISTING_BYTES_MAX);
    let patch = call.run().await?.stdout;
    let line = git.call("patch-id").arg("--stable").stdin(patch).line().await?;
    Ok(line.split_once(' ').map(|(id, _)| id.to_owned()))
}

#[cfg(test)]
mod tests;
