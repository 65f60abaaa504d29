//! Getting what a source has into the mirror.
//!
//! Branches go to `refs/source/`, all or none. The head of a pull request, which may be
//! anybody's, goes to `refs/zazen/pulls/` and never becomes a branch. Each fetch takes
//! its own secret, and says in its error whether another secret would help.

use std::collections::BTreeMap;

use anyhow::anyhow;
use zazen_core::id::{CommitId, PullNumber};

use super::fault::{self, Fault};
use super::mirror::{DEFAULT_HEAD, HEADS};
use super::refs::Refs;
use super::{
    Auth, Call, Git, KeptRef, LOOK_TIMEOUT, Mirror, Output, Source, TRANSFER_TIMEOUT, is_over_limit,
};

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Another token may help: this one is wrong or over, or there was none.
    #[error("`{from}` does not let us in without a valid token: {why}")]
    Unauthorized { from: Source, why: String },
    /// No token like this one will help.
    #[error("`{from}` does not let us read it with this token: {why}")]
    Denied { from: Source, why: String },
    /// It is not there. Forges say so too of what a token may not see.
    #[error("`{from}` is not there, or hidden from us: {why}")]
    NotFound { from: Source, why: String },
    /// Trying again later may help.
    #[error("fetch from `{from}`: {why}")]
    Unreachable { from: Source, why: String },
    #[error(
        "`{from}` is a shallow clone, whose history is not all there; \
         run `git fetch --unshallow` in it or name another"
    )]
    Shallow { from: Source },
    #[error("`{from}` sent more than is taken: {why}")]
    TooLarge { from: Source, why: String },
    #[error("what `{from}` sent is broken: {why}")]
    Broken { from: Source, why: String },
    /// It is ours.
    #[error("failed to fetch")]
    Failed(#[from] anyhow::Error),
}

impl FetchError {
    /// Whether it is the network's fault, so that the same fetch may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { from, .. } if from.is_remote())
    }
}

/// What a source has, as it says itself.
struct There {
    /// The branch that its `HEAD` names.
    default: Option<String>,
    /// Its branches; nothing, where there are too many to list.
    heads: Option<BTreeMap<String, String>>,
}

/// What takes in every branch of the source, and nothing else of it.
const HEADS_REFSPEC: &str = "+refs/heads/*:refs/source/heads/*";

/// How a repository on this machine is read. Its owner may be someone else;
/// reading it runs nothing of theirs.
const LOCAL_UPLOAD_PACK: &str = "--upload-pack=git -c safe.directory=* upload-pack";

/// How large a pack of a source's branches may be: the largest repositories that people
/// work in are smaller, and a disk is larger.
const SOURCE_BYTES_MAX: u64 = 32 << 30;

/// How large a pack of one pull request may be. Anybody can open one.
const PULL_BYTES_MAX: u64 = 1 << 30;

/// What every fetch is told.
const QUIETLY: [&str; 4] =
    ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"];

impl Mirror {
    /// Takes over the branches as the source has them: all or none, except
    /// where a branch has become a folder of branches.
    pub async fn fetch(&self, auth: Option<&Auth>) -> Result<(), FetchError> {
        let there = self.look(auth).await?;
        // Mostly nothing has changed, and a fetch takes four times as long as a look.
        let here = Refs::of(self.dir()).and_then(|refs| refs.below(HEADS));
        if there.heads.is_some() && there.heads == here {
            return Ok(self.set_default(there.default.as_deref()).await?);
        }
        let mut output = self.fetch_call(auth).arg("--atomic").args(self.refs()).output().await?;
        if !output.status.success() && Fault::of(&output) == Fault::InTheWay {
            // A branch `a` became a branch `a/b`. Git cannot do that in one step.
            output = self.fetch_call(auth).args(self.refs()).output().await?;
        }
        // Branches of a shallow clone are left out with a warning.
        if !output.status.success() || Fault::of(&output) == Fault::Shallow {
            return Err(self.failure(&output));
        }
        Ok(self.set_default(there.default.as_deref()).await?)
    }

    /// Takes over the head of a pull request, from a fork too, and returns it.
    ///
    /// It may have moved since anybody looked: what to work on is the commit returned,
    /// and [`KeptRef::pull`] keeps it until the next time.
    pub async fn fetch_pull(
        &self,
        pull: PullNumber,
        auth: Option<&Auth>,
    ) -> Result<CommitId, FetchError> {
        self.fetch_pull_within(pull, auth, PULL_BYTES_MAX).await
    }

    async fn fetch_pull_within(
        &self,
        pull: PullNumber,
        auth: Option<&Auth>,
        bytes_max: u64,
    ) -> Result<CommitId, FetchError> {
        let kept = KeptRef::pull(pull);
        let output = self
            .reach(&Git::limited(self.dir()), "fetch", auth)
            .timeout(TRANSFER_TIMEOUT)
            .file_bytes_max(bytes_max)
            // Else the objects of a small one become files each, past the limit on files.
            .setting("fetch.unpackLimit=1")
            .args(QUIETLY)
            .args(["--no-prune".as_ref(), "--end-of-options".as_ref(), self.source().as_arg()])
            .arg(format!("+refs/pull/{}/head:{kept}", pull.0))
            .output()
            .await?;
        if !output.status.success() {
            return Err(self.failure(&output));
        }
        let head = self.resolve_kept(&kept).await?;
        head.ok_or_else(|| anyhow!("the fetch left no `{kept}`").into())
    }

    fn fetch_call(&self, auth: Option<&Auth>) -> Call {
        let call = self.reach(&self.git(), "fetch", auth).timeout(TRANSFER_TIMEOUT);
        call.file_bytes_max(SOURCE_BYTES_MAX).args(QUIETLY).arg("--prune")
    }

    fn refs(&self) -> [&std::ffi::OsStr; 3] {
        ["--end-of-options".as_ref(), self.source().as_arg(), HEADS_REFSPEC.as_ref()]
    }

    fn reach(&self, git: &Git, name: &'static str, auth: Option<&Auth>) -> Call {
        let call = git.call(name).reaching(self.source(), auth);
        if self.source().is_remote() { call } else { call.arg(LOCAL_UPLOAD_PACK) }
    }

    /// Asks the source which branches it has, and which of them its `HEAD` names.
    async fn look(&self, auth: Option<&Auth>) -> Result<There, FetchError> {
        let output = self
            .reach(&self.git(), "ls-remote", auth)
            .timeout(LOOK_TIMEOUT)
            .args(["--symref".as_ref(), "--end-of-options".as_ref(), self.source().as_arg()])
            .args(["HEAD", "refs/heads/*"])
            .output()
            .await?;
        if !output.status.success() && !output.truncated {
            return Err(self.failure(&output));
        }
        let text = output.stdout_text();
        let default = text.lines().find_map(|line| {
            line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD").map(str::to_owned)
        });
        let heads = text.lines().filter_map(|line| {
            let (id, name) = line.split_once('\t')?;
            Some((name.strip_prefix("refs/heads/")?.to_owned(), id.to_owned()))
        });
        let heads = (!output.truncated).then(|| heads.collect());
        Ok(There { default, heads })
    }

    fn failure(&self, output: &Output) -> FetchError {
        let from = self.source().clone();
        let (fault, why) = fault::read(output);
        match fault {
            // Only a limited call has such a limit to run into.
            _ if is_over_limit(output) => FetchError::TooLarge { from, why },
            Fault::Unauthorized => FetchError::Unauthorized { from, why },
            Fault::Denied => FetchError::Denied { from, why },
            Fault::NotFound => FetchError::NotFound { from, why },
            Fault::Shallow => FetchError::Shallow { from },
            Fault::TooLarge => FetchError::TooLarge { from, why },
            Fault::Broken => FetchError::Broken { from, why },
            Fault::InTheWay | Fault::Unreachable => FetchError::Unreachable { from, why },
        }
    }

    async fn set_default(&self, branch: Option<&str>) -> anyhow::Result<()> {
        let Some(branch) = branch else { return Ok(()) };
        if self.resolve(branch).await?.is_none() {
            return Ok(());
        }
        let target = format!("{HEADS}{branch}");
        let known = Refs::of(self.dir()).and_then(|refs| refs.symbolic(DEFAULT_HEAD));
        if known.as_deref() == Some(&target) {
            return Ok(());
        }
        self.git().call("symbolic-ref").args([DEFAULT_HEAD, &target]).run().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
