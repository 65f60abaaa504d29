//! Adding a receipt to the one ref of receipts, and to no other.
//!
//! `refs/zazen/receipts` is a branch of its own that shares nothing with the code: its
//! first commit has no parent, and each adds one file. Nothing that is there is changed or
//! removed, and what somebody else adds stays. Like every push of ours it looks first, and
//! then acts on what it saw, with a lease.

use std::fmt;

use anyhow::{Context as _, anyhow};
use zazen_core::id::{CommitId, TaskId, Time};

use super::{FAILURES, PushError, Pushed, RACES, Remote, closed, send};
use crate::exec::Output;
use crate::git::mirror::QUARANTINE_PREFIX;
use crate::git::{Git, LOOK_TIMEOUT, Mirror, TRANSFER_TIMEOUT, plain};

/// A receipt on its way out, by where it belongs.
#[derive(Debug, Clone)]
pub struct Receipt<'a> {
    pub task: TaskId,
    /// The commit that it is about.
    pub head: &'a CommitId,
    pub text: &'a [u8],
    /// Author and committer: `name <address>`.
    pub author: &'a str,
    /// When what it is about was done: the commit's time.
    pub at: Time,
}

/// Why a receipt was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// There is another receipt for this commit. Nothing is ever replaced.
    #[error("there is another receipt `{path}` on the remote already")]
    Other { path: String },
    /// The ref changed while we pushed. Looking again will tell.
    #[error("`{REF}` changed while it was pushed to")]
    Raced,
    /// The remote said no: it takes no such ref, or a rule or a hook is against it.
    #[error("the remote refused `{REF}`: {why}")]
    Rejected { why: String },
    /// The remote was not reached, or did not let us in.
    #[error(transparent)]
    Shut(#[from] PushError),
    #[error("push a receipt")]
    Failed(#[from] anyhow::Error),
}

/// The one ref that receipts are in, on every remote.
pub const REF: &str = "refs/zazen/receipts";

/// How much the receipts of a repository may be, packed: tens of thousands of them. The
/// ref is anybody's who may push.
const RECEIPTS_BYTES_MAX: u64 = 1 << 30;

/// How large one may be that is compared with ours.
const RECEIPT_BYTES_MAX: usize = 8 << 20;

/// A plain file, in a tree of git's.
const MODE: &str = "100644";

impl fmt::Display for Receipt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.json", self.task, self.head)
    }
}

/// Adds a receipt to those of the remote.
pub async fn push_receipt(
    mirror: &Mirror,
    remote: &Remote,
    receipt: &Receipt<'_>,
) -> Result<Pushed, ReceiptError> {
    let seen = look(mirror, remote).await?;
    if let Some(seen) = &seen {
        fetch(mirror, remote).await?;
        match found(&mirror.git(), seen, &receipt.to_string()).await? {
            None => {}
            Some(text) if text == receipt.text => return Ok(Pushed::AlreadyThere),
            Some(_) => return Err(ReceiptError::Other { path: receipt.to_string() }),
        }
    }
    let commit = commit(mirror, seen.as_ref(), receipt).await?;
    let output = send(mirror, remote, REF, (seen.as_ref(), &commit)).await?;
    if !output.status.success() {
        return Err(failure(&output));
    }
    Ok(if seen.is_some() { Pushed::Advanced } else { Pushed::Created })
}

/// Asks the remote where its receipts are.
async fn look(mirror: &Mirror, remote: &Remote) -> Result<Option<CommitId>, ReceiptError> {
    let output = mirror
        .git()
        .call("ls-remote")
        .reaching(&remote.source, remote.auth.as_ref())
        .timeout(LOOK_TIMEOUT)
        .args(["--refs".as_ref(), "--end-of-options".as_ref(), remote.source.as_arg()])
        .arg(REF)
        .output()
        .await?;
    if !output.status.success() {
        return Err(closed(&output).into());
    }
    let text = output.stdout_text();
    let id = text.lines().find_map(|line| line.split_once('\t').filter(|(_, name)| *name == REF));
    let id = id.map(|(id, _)| id.parse().map_err(|err| anyhow!("{err}"))).transpose()?;
    Ok(id)
}

/// Takes the remote's receipts into the mirror, where their own ref keeps them.
async fn fetch(mirror: &Mirror, remote: &Remote) -> Result<(), ReceiptError> {
    let output = Git::limited(mirror.dir())
        .call("fetch")
        .reaching(&remote.source, remote.auth.as_ref())
        .timeout(TRANSFER_TIMEOUT)
        .file_bytes_max(RECEIPTS_BYTES_MAX)
        .setting("fetch.unpackLimit=1")
        .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"])
        .args(["--no-prune".as_ref(), "--end-of-options".as_ref(), remote.source.as_arg()])
        .arg(format!("+{REF}:{REF}"))
        .output()
        .await?;
    if output.status.success() { Ok(()) } else { Err(closed(&output).into()) }
}

/// The text of a receipt that is there already.
async fn found(git: &Git, commit: &CommitId, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let name = format!("{commit}:{path}");
    let there = git.call("cat-file").args(["-e", &name]).output().await?;
    if !there.status.success() {
        return Ok(None);
    }
    let call = git.call("cat-file").args(["blob", &name]).stdout_bytes_max(RECEIPT_BYTES_MAX);
    // What is too large, or no file, is not ours.
    let output = call.output().await?;
    Ok(Some(if output.status.success() { output.stdout } else { Vec::new() }))
}

/// Makes the commit that adds one receipt.
async fn commit(
    mirror: &Mirror,
    seen: Option<&CommitId>,
    receipt: &Receipt<'_>,
) -> anyhow::Result<CommitId> {
    let git = mirror.git();
    let staging = tempfile::Builder::new()
        .prefix(&format!("{QUARANTINE_PREFIX}receipt-"))
        .tempdir_in(mirror.dir())
        .context("make room for a receipt")?;
    let index = staging.path().join("index");
    let with_index = |name| git.call(name).env("GIT_INDEX_FILE", &index);
    if let Some(seen) = seen {
        with_index("read-tree").arg(seen.as_str()).run().await?;
    }
    let call = git.call("hash-object").args(["-w", "--stdin"]).stdin(receipt.text);
    let blob = call.line().await.context("write a receipt")?;
    let entry = format!("{MODE},{blob},{receipt}");
    with_index("update-index").args(["--add", "--cacheinfo", &entry]).run().await?;
    let tree = with_index("write-tree").line().await?;
    let who = format!("{} {} +0000", receipt.author, receipt.at.0 / 1000);
    let parent = seen.map_or_else(String::new, |seen| format!("parent {seen}\n"));
    let (task, short) = (receipt.task, receipt.head.short());
    let text = format!(
        "tree {tree}\n{parent}author {who}\ncommitter {who}\n\nReceipt of task {task} at {short}\n"
    );
    let call = git.call("hash-object").args(["-t", "commit", "-w", "--stdin"]).stdin(text);
    let id = call.line().await.context("write the commit of a receipt")?;
    drop(staging);
    Ok(id.parse()?)
}

/// Says what a failed push means.
fn failure(output: &Output) -> ReceiptError {
    let text = output.stdout_text();
    let verdict = text.lines().find_map(|line| line.strip_prefix("!\t")?.split('\t').nth(1));
    let Some(verdict) = verdict else { return closed(output).into() };
    let is_any = |words: &[&str]| words.iter().any(|word| verdict.contains(word));
    if is_any(&RACES) {
        ReceiptError::Raced
    } else if is_any(&FAILURES) {
        PushError::Unreachable { why: plain(verdict) }.into()
    } else {
        ReceiptError::Rejected { why: plain(&format!("{verdict}\n{}", output.stderr_text())) }
    }
}

impl ReceiptError {
    /// Whether the same push may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Raced => true,
            Self::Shut(err) => err.is_passing(),
            Self::Other { .. } | Self::Rejected { .. } | Self::Failed(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
