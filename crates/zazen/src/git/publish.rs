//! Pushing exactly one commit to exactly one branch of our own.
//!
//! It looks first and acts on what it saw, with a lease on that: a branch that
//! someone else has touched in the meantime makes the push fail, and nothing
//! of anybody else's is ever written over. So it can be tried again after any interruption. On a
//! repository on this machine its owner's hooks run; they are its business.

use std::fmt;
use std::str::FromStr;

use anyhow::anyhow;
use zazen_core::id::{CommitId, TaskId};

use super::fault::{self, Fault};
use super::{Auth, LOOK_TIMEOUT, Mirror, Source, TRANSFER_TIMEOUT};
use crate::exec::Output;

pub mod receipts;
mod rewritten;

pub use rewritten::{Rewritten, push_rewritten};

/// A branch that zazen may write: `zazen/<task>-<slug>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BranchName(String);

/// A text is not the name of a branch of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a branch of ours (like `zazen/12-fix-login`)")]
pub struct InvalidBranchName(String);

/// Where to push to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    pub source: Source,
    /// The secret for it, if it wants one.
    pub auth: Option<Auth>,
}

/// What a push found, and therefore did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The branch was at this commit.
    AlreadyThere,
    /// There was no such branch.
    Created,
    /// The branch was at an earlier commit of ours.
    Advanced,
    /// The branch was at what we last published, and is at the same work put elsewhere.
    Replaced,
}

/// Why a push was not made.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The branch has commits that ours does not build on. A person has to decide.
    #[error("the branch `{branch}` has {}, which this work does not build on", .theirs.short())]
    Foreign { branch: BranchName, theirs: CommitId },
    /// Somebody removed the branch that was to be replaced.
    #[error("the branch `{branch}` is gone from the remote")]
    Gone { branch: BranchName },
    /// The branch changed while we pushed. Looking again will tell.
    #[error("the branch `{branch}` changed while it was pushed to")]
    Raced { branch: BranchName },
    /// The remote said no: a rule or a hook of it.
    #[error("the remote refused the branch `{branch}`: {why}")]
    Rejected { branch: BranchName, why: String },
    /// Another token may help: this one is wrong or over, or there was none.
    #[error("the remote does not let us in without a valid token: {why}")]
    Unauthorized { why: String },
    /// No token like this one will help.
    #[error("the remote does not let us push with this token: {why}")]
    Denied { why: String },
    /// It is not there. Forges say so too of what a token may not see.
    #[error("the remote is not there, or hidden from us: {why}")]
    NotFound { why: String },
    /// The remote could not be reached. Trying again later may help.
    #[error("failed to reach the remote: {why}")]
    Unreachable { why: String },
    #[error("failed to push")]
    Failed(#[from] anyhow::Error),
}

impl PushError {
    /// Whether the remote does not let us push there, as far as one token can tell.
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::NotFound { .. })
    }

    /// Whether the same push may succeed later: with another token, or another network.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Unreachable { .. } | Self::Raced { .. })
    }
}

/// How long a slug may be.
const SLUG_BYTES_MAX: usize = 60;

/// Puts a branch of ours at `commit`, if that takes nothing away from anyone.
pub async fn push(
    mirror: &Mirror,
    remote: &Remote,
    branch: &BranchName,
    commit: &CommitId,
) -> Result<Pushed, PushError> {
    let seen = look(mirror, remote, branch).await?;
    let pushed = match &seen {
        Some(theirs) if theirs == commit => return Ok(Pushed::AlreadyThere),
        Some(theirs) if mirror.is_ancestor(theirs, commit).await? => Pushed::Advanced,
        Some(theirs) => {
            return Err(PushError::Foreign { branch: branch.clone(), theirs: theirs.clone() });
        }
        None => Pushed::Created,
    };
    push_onto(mirror, remote, branch, (seen.as_ref(), commit)).await?;
    Ok(pushed)
}

/// Asks the remote where the branch is.
pub async fn look(
    mirror: &Mirror,
    remote: &Remote,
    branch: &BranchName,
) -> Result<Option<CommitId>, PushError> {
    let name = branch.full();
    let output = mirror
        .git()
        .call("ls-remote")
        .reaching(&remote.source, remote.auth.as_ref())
        .timeout(LOOK_TIMEOUT)
        .args(["--refs".as_ref(), "--end-of-options".as_ref(), remote.source.as_arg()])
        .arg(&name)
        .output()
        .await?;
    if !output.status.success() {
        return Err(closed(&output));
    }
    // Git also lists branches that only end like ours.
    let text = output.stdout_text();
    let id = text.lines().find_map(|line| match line.split_once('\t') {
        Some((id, listed)) if listed == name => Some(id),
        _ => None,
    });
    id.map(|id| id.parse().map_err(|err| PushError::Failed(anyhow!("{err}")))).transpose()
}

/// Moves the branch from what was seen of it to what it is to be.
async fn push_onto(
    mirror: &Mirror,
    remote: &Remote,
    branch: &BranchName,
    (seen, commit): (Option<&CommitId>, &CommitId),
) -> Result<(), PushError> {
    let name = branch.full();
    // A lease is the strictest form of a push that git has. It would also let
    // the branch go back, which `push` has ruled out.
    let output = send(mirror, remote, &name, (seen, commit)).await?;
    if output.status.success() { Ok(()) } else { Err(failure(branch, &output)) }
}

/// Pushes a commit to a ref of the remote that is still at what was seen there.
async fn send(
    mirror: &Mirror,
    remote: &Remote,
    name: &str,
    (seen, commit): (Option<&CommitId>, &CommitId),
) -> anyhow::Result<Output> {
    let lease = format!("--force-with-lease={name}:{}", seen.map_or("", CommitId::as_str));
    mirror
        .git()
        .call("push")
        .reaching(&remote.source, remote.auth.as_ref())
        .timeout(TRANSFER_TIMEOUT)
        .args(["--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--no-progress"])
        .args(["--no-recurse-submodules", &lease])
        .args(["--end-of-options".as_ref(), remote.source.as_arg()])
        .arg(format!("{commit}:{name}"))
        .output()
        .await
}

/// Says what a failed push means.
fn failure(branch: &BranchName, output: &Output) -> PushError {
    let text = output.stdout_text();
    // `!`, tab, the refs, tab, what happened and why.
    let verdict = text.lines().find_map(|line| line.strip_prefix("!\t")?.split('\t').nth(1));
    match verdict {
        None => closed(output),
        Some(verdict) => refusal(branch.clone(), verdict, &output.stderr_text()),
    }
}

/// Says what a verdict on a branch means; `said` is all that was said beside it.
fn refusal(branch: BranchName, verdict: &str, said: &str) -> PushError {
    let is_any = |words: &[&str]| words.iter().any(|word| verdict.contains(word));
    if is_any(&RACES) {
        PushError::Raced { branch }
    } else if is_any(&FAILURES) {
        PushError::Unreachable { why: super::plain(verdict) }
    } else {
        PushError::Rejected { branch, why: super::plain(&format!("{verdict}\n{said}")) }
    }
}

/// Says why a remote did not let us in.
fn closed(output: &Output) -> PushError {
    let (fault, why) = fault::read(output);
    match fault {
        Fault::Unauthorized => PushError::Unauthorized { why },
        Fault::Denied => PushError::Denied { why },
        Fault::NotFound => PushError::NotFound { why },
        Fault::Shallow | Fault::InTheWay | Fault::TooLarge | Fault::Broken | Fault::Unreachable => {
            PushError::Unreachable { why }
        }
    }
}

/// What git says when a branch is not where it was a moment ago: we notice, or
/// the remote does.
const RACES: [&str; 4] =
    ["stale info", "failed to update ref", "cannot lock ref", "reference already exists"];

/// What remotes say of a branch when something of theirs failed, and no rule is against it.
const FAILURES: [&str; 4] =
    ["nternal server error", "nternal Server Error", "unpacker error", "imed out"];

impl BranchName {
    /// Names the branch of a task.
    pub fn new(task: TaskId, slug: &str) -> Result<Self, InvalidBranchName> {
        format!("zazen/{task}-{slug}").parse()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl FromStr for BranchName {
    type Err = InvalidBranchName;

    fn from_str(text: &str) -> Result<Self, InvalidBranchName> {
        let parts = text.strip_prefix("zazen/").and_then(|rest| rest.split_once('-'));
        match parts {
            Some((task, slug)) if is_task(task) && is_slug(slug) => Ok(Self(text.to_owned())),
            _ => Err(InvalidBranchName(super::plain(text))),
        }
    }
}

fn is_task(text: &str) -> bool {
    text.parse().is_ok_and(|task: u32| task.to_string() == text)
}

fn is_slug(text: &str) -> bool {
    (1..=SLUG_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
