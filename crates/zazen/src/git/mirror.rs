//! A bare copy of one repository, kept by us.
//!
//! It has what the source has under `refs/source/`, and what runs brought
//! under `refs/zazen/<task>/`, which also keeps those objects alive. Nothing
//! else is ever written to it, but for heads of pull requests, under
//! `refs/zazen/pulls/`. How it comes by all that is in `fetch`; what is in it is
//! read in `read`; how a run gets its files is in `workspace`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use zazen_core::id::{CommitId, PullNumber, RunId, TaskId};

use super::refs::Refs;
use super::{Git, Source, TreeId, init_bare};
use crate::exec;

/// A bare copy of one repository.
#[derive(Debug, Clone)]
pub struct Mirror {
    dir: PathBuf,
    source: Source,
}

/// A ref of ours. Only these can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRef(String);

/// Where the source's branches are in the mirror.
pub(super) const HEADS: &str = "refs/source/heads/";

/// Which branch the source calls its default.
pub(super) const DEFAULT_HEAD: &str = "refs/source/HEAD";

/// How long packing a mirror may take. It is rare, and large mirrors take minutes.
const PACK_TIMEOUT: Duration = Duration::from_secs(1_800);

/// How deep locks are looked for: refs of branches with many slashes.
const LOCK_DEPTH_MAX: usize = 64;

/// What the name of a quarantine in the mirror begins with.
pub(super) const QUARANTINE_PREFIX: &str = "quarantine-";

/// The file in which git notes where the history of a repository ends, if not all is there.
pub(super) const SHALLOW: &str = "shallow";

/// The id that git takes for "there is none".
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

impl Mirror {
    /// Opens the mirror in `dir`, which is made if it is not there. Nothing is fetched.
    pub async fn open_or_create(dir: &Path, source: &Source) -> anyhow::Result<Self> {
        if !dir.is_absolute() {
            bail!("the mirror's folder `{}` has to be an absolute path", dir.display());
        }
        if !dir.join("HEAD").exists() {
            init_bare(dir).await?;
        }
        Ok(Self { dir: dir.to_owned(), source: source.clone() })
    }

    /// Clears away what a killed process left in the mirror: locks and halves of packs.
    ///
    /// Must be called before anything else uses the mirror, by the one process
    /// that holds the home.
    pub fn recover(&self) -> anyhow::Result<()> {
        // A git of a killed daemon may be at work still; its locks are not ours to remove
        // while it lives.
        let n_ended = exec::end_leftovers(&format!("--git-dir={}", self.dir.display()));
        if n_ended > 0 {
            tracing::info!("ended {n_ended} git that an ended daemon had left at work");
        }
        remove_locks(&self.dir, 0)
            .and_then(|()| remove_halves(&self.dir.join("objects/pack")))
            .with_context(|| format!("clear the mirror `{}` of leftovers", self.dir.display()))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Where its objects are. Sandboxes see this folder, read-only.
    pub fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    pub(super) fn git(&self) -> Git {
        Git::at(&self.dir)
    }

    /// Says that the history ends at a commit: nothing older is there.
    ///
    /// What is fetched has all of its history. This is for what came in one file.
    pub fn end_at(&self, commit: &CommitId) -> anyhow::Result<()> {
        let path = self.dir.join(SHALLOW);
        fs::write(&path, format!("{commit}\n")).with_context(|| format!("write {}", path.display()))
    }

    /// Where the history ends, as git writes it, if not all of it is there.
    pub(super) fn end(&self) -> anyhow::Result<Option<String>> {
        let path = self.dir.join(SHALLOW);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err).with_context(|| format!("read {}", path.display())),
        }
    }

    /// The branch that work starts from, unless someone says otherwise.
    ///
    /// A source whose `HEAD` names no branch (a person's clone in the middle of
    /// something) is taken to mean what it meant before, or `main`, or `master`.
    pub async fn default_branch(&self) -> anyhow::Result<Option<String>> {
        let known = Refs::of(&self.dir).and_then(|refs| refs.symbolic(DEFAULT_HEAD));
        let text = if let Some(text) = known {
            text
        } else {
            let call = self.git().call("symbolic-ref").args(["--quiet", DEFAULT_HEAD]);
            call.output().await?.stdout_text()
        };
        let named = text.trim_end().strip_prefix(HEADS).map(str::to_owned);
        for branch in named.into_iter().chain(["main".to_owned(), "master".to_owned()]) {
            if self.resolve(&branch).await?.is_some() {
                return Ok(Some(branch));
            }
        }
        Ok(None)
    }

    /// The commit at the tip of a branch of the source, as it was at the last fetch.
    pub async fn resolve(&self, branch: &str) -> anyhow::Result<Option<CommitId>> {
        self.resolve_ref(&format!("{HEADS}{branch}")).await
    }

    /// The commit at a ref of ours.
    pub async fn resolve_kept(&self, name: &KeptRef) -> anyhow::Result<Option<CommitId>> {
        self.resolve_ref(&name.0).await
    }

    async fn resolve_ref(&self, name: &str) -> anyhow::Result<Option<CommitId>> {
        if let Some(found) = Refs::of(&self.dir).and_then(|refs| refs.get(name)) {
            return Ok(found.map(|id| id.parse()).transpose()?);
        }
        let call = self.git().call("show-ref").args(["--verify", "--hash", "--", name]);
        let output = call.output().await?;
        if !output.status.success() {
            return Ok(None);
        }
        Ok(Some(output.stdout_text().trim_end().parse()?))
    }

    /// Whether the mirror has this commit.
    pub async fn has(&self, commit: &CommitId) -> anyhow::Result<bool> {
        let name = format!("{commit}^{{commit}}");
        Ok(self.git().call("cat-file").args(["-e", &name]).output().await?.status.success())
    }

    /// Whether `descendant` builds on `ancestor`, or is it. A commit that is not here does not.
    pub async fn is_ancestor(
        &self,
        ancestor: &CommitId,
        descendant: &CommitId,
    ) -> anyhow::Result<bool> {
        let args = ["--is-ancestor", ancestor.as_str(), descendant.as_str()];
        Ok(self.git().call("merge-base").args(args).output().await?.status.success())
    }

    /// The tree of a commit.
    pub async fn tree_of(&self, commit: &CommitId) -> anyhow::Result<TreeId> {
        tree_of(&self.git(), commit).await
    }

    /// Sets a ref of ours, if it is what the caller takes it to be: absent, for `None`.
    ///
    /// Setting it to what it already is does nothing, so that it can be tried again.
    pub async fn update_ref(
        &self,
        name: &KeptRef,
        new: &CommitId,
        expected_old: Option<&CommitId>,
    ) -> anyhow::Result<()> {
        if self.resolve_kept(name).await?.as_ref() == Some(new) {
            return Ok(());
        }
        let old = expected_old.map_or(NO_COMMIT, CommitId::as_str);
        self.git().call("update-ref").args([&name.0, new.as_str(), old]).run().await?;
        Ok(())
    }

    /// Packs what has come in. Nothing that a ref keeps alive, or that is
    /// younger than two weeks, goes: no run is that old.
    pub async fn pack(&self) -> anyhow::Result<()> {
        let call = self.git().call("gc").args(["--quiet", "--prune=2.weeks.ago"]);
        call.timeout(PACK_TIMEOUT).run().await?;
        Ok(())
    }
}

impl KeptRef {
    /// Where the result of a run is kept.
    pub fn run(run: RunId) -> Self {
        Self(format!("refs/zazen/{}/{}", run.task, run.n))
    }

    /// What keeps alive the commit that a task started from, though its branch moves on.
    pub fn base(task: TaskId) -> Self {
        Self(format!("refs/zazen/{task}/base"))
    }

    /// Where a task's commits are kept that were put onto another base.
    pub fn rebased(task: TaskId, n: u32) -> Self {
        Self(format!("refs/zazen/{task}/rebased-{n}"))
    }

    /// What keeps alive the commit that a task goes on from which another one left.
    pub fn forked(task: TaskId) -> Self {
        Self(format!("refs/zazen/{task}/forked"))
    }

    /// Where the head of a pull request is kept, as it was when it was last fetched.
    pub fn pull(pull: PullNumber) -> Self {
        Self(format!("refs/zazen/pulls/{}", pull.0))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeptRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tree of a commit in a repository of ours.
pub(super) async fn tree_of(git: &Git, commit: &CommitId) -> anyhow::Result<TreeId> {
    let name = format!("{commit}^{{tree}}");
    Ok(git.call("rev-parse").args(["--verify", "--quiet", &name]).line().await?.parse()?)
}

fn remove_locks(dir: &Path, depth: usize) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_dir = entry.file_type()?.is_dir();
        if is_dir && depth == 0 && name.to_string_lossy().starts_with(QUARANTINE_PREFIX) {
            super::trash::delete(&path)?;
        } else if is_dir && depth < LOCK_DEPTH_MAX && !(depth == 0 && name == "objects") {
            remove_locks(&path, depth + 1)?;
        } else if !is_dir && path.extension().is_some_and(|extension| extension == "lock") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn remove_halves(packs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(packs)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("tmp_") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
