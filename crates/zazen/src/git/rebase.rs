//! Putting commits onto another base, inside the mirror and without any files.
//!
//! Git merges trees, and we write the commits, with their authors, dates and messages as
//! they were. It is done in a quarantine: a conflict leaves nothing behind. No attribute
//! of the trees is followed, no driver and no hook exists there, and no checkout is made,
//! so that whatever the commits hold runs nothing. The same always gives the same.

use anyhow::{Context, anyhow};
use zazen_core::id::CommitId;

use super::collect::quarantine::Quarantine;
use super::mirror::tree_of;
use super::read::history;
use super::{CommitInfo, ForeignCommit, KeptRef, Mirror, Ours, TooMuch, TreeId};

mod conflict;
mod object;

pub use conflict::Conflict;

/// Which commits to put where.
#[derive(Debug, Clone)]
pub struct Rebase {
    /// The commit that the work builds on.
    pub base: CommitId,
    /// The tip of the work.
    pub head: CommitId,
    /// The commit that it is to build on.
    pub onto: CommitId,
    pub ours: Ours,
    pub people: People,
    /// Where the result is kept. A ref that is at something else is left alone.
    pub kept: KeptRef,
}

/// What becomes of people's commits among ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// Nothing is done if there are any.
    Refuse,
    /// They come along, and stay theirs.
    Carry,
}

/// What a rebase came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebased {
    pub head: CommitId,
    /// The ref that keeps it.
    pub kept: KeptRef,
    /// Each commit that is left, as it was and as it is. The oldest first.
    pub commits: Vec<(CommitId, CommitId)>,
    /// Those that change nothing on the new base: it has them already.
    pub dropped: Vec<(CommitId, String)>,
}

/// Why nothing was rebased.
#[derive(Debug, thiserror::Error)]
pub enum RebaseError {
    /// Somebody has to say what is meant.
    #[error("commit {} does not fit: {}", .commit.short(), conflict::list(.conflicts))]
    Conflicts { commit: CommitId, subject: String, conflicts: Vec<Conflict> },
    /// There are commits of others, and they are not to be touched.
    #[error("{} of the commits are somebody else's", .0.len())]
    Foreign(Vec<ForeignCommit>),
    #[error("commit {} is a merge", .commit.short())]
    Merge { commit: CommitId },
    #[error("{} does not build on {}", .head.short(), .base.short())]
    NotOnBase { head: CommitId, base: CommitId },
    #[error("there are more than {limit} commits")]
    TooManyCommits { limit: usize },
    #[error("merging takes too much time or memory")]
    TooCostly,
    #[error("git {found} is too old; install git 2.38 or newer")]
    GitTooOld { found: String },
    /// It is ours.
    #[error("failed to rebase")]
    Failed(#[source] anyhow::Error),
}

/// How many commits are put elsewhere at once: more than one task ever makes.
const COMMITS_MAX: usize = 500;

/// How much all of them may hold together, without their trees.
const COMMITS_BYTES_MAX: usize = 16 << 20;

/// The first git that merges without files.
const GIT_MIN: (u32, u32) = (2, 38);

/// Puts commits onto another base.
pub async fn rebase(mirror: &Mirror, what: &Rebase) -> Result<Rebased, RebaseError> {
    check_git(mirror).await?;
    let commits = read_commits(mirror, what).await?;
    let quarantine = Quarantine::create(mirror, format_args!("rebase-{}", what.ours.task))?;
    let ids = commits.iter().map(|commit| commit.id.as_str());
    let texts = quarantine.objects(ids, COMMITS_BYTES_MAX).await.map_err(|err| anyhow!(err))?;
    let mut line = Line {
        quarantine: &quarantine,
        tip: what.onto.clone(),
        tree: tree_of(&mirror.git(), &what.onto).await?,
        below: tree_of(&mirror.git(), &what.base).await?,
        committer: &what.ours.author,
    };
    let (mut done, mut dropped) = (Vec::new(), Vec::new());
    for (commit, text) in commits.iter().zip(&texts) {
        match line.add(commit, text).await? {
            Some(new) => done.push((commit.id.clone(), new)),
            None => dropped.push((commit.id.clone(), commit.subject.clone())),
        }
    }
    let head = line.tip;
    quarantine.deliver(mirror, &head, &what.kept).await?;
    Ok(Rebased { head, kept: what.kept.clone(), commits: done, dropped })
}

/// A line of commits that grows on the new base.
struct Line<'a> {
    quarantine: &'a Quarantine,
    tip: CommitId,
    tree: TreeId,
    /// The tree of the commit below the next one, where that comes from.
    below: TreeId,
    committer: &'a str,
}

impl Line<'_> {
    /// Adds a commit, and returns what became of it: nothing, if the line has it already.
    async fn add(
        &mut self,
        commit: &CommitInfo,
        text: &[u8],
    ) -> Result<Option<CommitId>, RebaseError> {
        let [parent] = &commit.parents[..] else {
            return Err(RebaseError::Merge { commit: commit.id.clone() });
        };
        let changes_nothing = commit.tree == self.below;
        let tree = if self.tree == self.below {
            commit.tree.clone()
        } else if changes_nothing {
            self.tree.clone()
        } else {
            self.merge(commit, parent).await?
        };
        self.below = commit.tree.clone();
        if tree == self.tree && !changes_nothing {
            return Ok(None);
        }
        let new = if *parent == self.tip {
            commit.id.clone()
        } else {
            let moved = object::moved(text, &tree, &self.tip, self.committer);
            let moved = moved.with_context(|| format!("read the commit `{}`", commit.id))?;
            self.quarantine.write_commit(moved).await?
        };
        (self.tip, self.tree) = (new.clone(), tree);
        Ok(Some(new))
    }

    /// The tree of the tip, with what a commit changes.
    async fn merge(&self, commit: &CommitInfo, parent: &CommitId) -> Result<TreeId, RebaseError> {
        // Git merges commits by what they have in common. So it gets one that has the tip's
        // files, and below it the parent of the commit: then that is the common one.
        let stand_in = object::stand_in(&self.tree, parent, self.committer);
        let stand_in = self.quarantine.write_commit(stand_in).await?;
        let output = self
            .quarantine
            .git()
            .call("merge-tree")
            .args(["--write-tree", "--name-only", "--messages", "-z"])
            .args([stand_in.as_str(), commit.id.as_str()])
            .output()
            .await?;
        let merged = conflict::parse(&output)?;
        if merged.conflicts.is_empty() {
            return Ok(merged.tree);
        }
        let names = [(&stand_in, "the new base"), (&commit.id, "this commit")];
        let conflicts = conflict::with_excerpts(self.quarantine.git(), merged, names).await?;
        let (commit, subject) = (commit.id.clone(), commit.subject.clone());
        Err(RebaseError::Conflicts { commit, subject, conflicts })
    }
}

/// Reads the commits to be put elsewhere, and checks that they may be.
async fn read_commits(mirror: &Mirror, what: &Rebase) -> Result<Vec<CommitInfo>, RebaseError> {
    let (base, head) = (&what.base, &what.head);
    if !mirror.is_ancestor(base, head).await? {
        return Err(RebaseError::NotOnBase { head: head.clone(), base: base.clone() });
    }
    let history = history(&mirror.git(), base, head, COMMITS_MAX).await?;
    if history.len() > COMMITS_MAX {
        return Err(RebaseError::TooManyCommits { limit: COMMITS_MAX });
    }
    let commits: Vec<CommitInfo> = history.into_iter().map(|(commit, _)| commit).collect();
    if let Some(merge) = commits.iter().find(|commit| commit.parents.len() != 1) {
        return Err(RebaseError::Merge { commit: merge.id.clone() });
    }
    if what.people == People::Refuse {
        let foreign = mirror.foreign_commits(base, head, &what.ours).await?;
        if !foreign.is_empty() {
            return Err(RebaseError::Foreign(foreign));
        }
    }
    Ok(commits)
}

async fn check_git(mirror: &Mirror) -> Result<(), RebaseError> {
    let line = mirror.git().call("version").line().await?;
    let found = line.strip_prefix("git version ").unwrap_or(&line);
    if is_new_enough(found) { Ok(()) } else { Err(RebaseError::GitTooOld { found: found.into() }) }
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= GIT_MIN,
        _ => false,
    }
}

impl From<anyhow::Error> for RebaseError {
    fn from(err: anyhow::Error) -> Self {
        if err.is::<TooMuch>() { Self::TooCostly } else { Self::Failed(err) }
    }
}

#[cfg(test)]
mod tests;
