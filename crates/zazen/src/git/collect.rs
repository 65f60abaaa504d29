//! Taking back what a run made, from hostile hands.
//!
//! The result is a bundle: one file. It is copied before anyone looks at it,
//! unpacked in a quarantine that can see the mirror but not change it, and
//! judged commit by commit. Only then do its objects go to the mirror, under
//! the run's own ref. Whether the work is any good, or touches what it should
//! not, is for the guards to say; here it is only made sure that it is what it
//! claims to be, and harmless to look at.
//!
//! What is taken is not the agent's commits but ours of the same trees: who made
//! them and when, and what their messages make others do, is not an agent's to
//! say (see `rewrite`). All that follows, the checks too, is about ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use zazen_core::id::{CommitId, RunId};
use zazen_core::secret::Scanner;

use super::bundle::BundleFault;
use super::mirror::tree_of;
use super::path::{PathFault, PathLimits, check_link, check_path, is_agent_config};
use super::read::{Change, MODE_FILE, MODE_LINK, MODE_PROGRAM, MODE_SUBMODULE, diff_stat, history};
use super::{CommitInfo, DiffStat, KeptRef, Mirror, TooMuch, TreeId};

pub(super) mod quarantine;
mod rewrite;
mod secrets;

use quarantine::Quarantine;

/// What a bundle has to be to be taken, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Expect {
    /// The commit that the run started from.
    pub base: CommitId,
    pub run: RunId,
    pub limits: Limits,
    pub guards: Guards,
    pub signature: Signature,
}

/// What a result must not hold.
#[derive(Debug, Clone)]
pub struct Guards {
    /// What knows a secret when it sees one.
    pub scanner: Arc<Scanner>,
    /// Beginnings of paths below which shapes of secrets are taken for examples.
    pub secret_exceptions: Vec<String>,
    /// Whether files may be changed that agents read as instructions or settings.
    pub agent_config: bool,
}

/// What is written on the commits that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Author and committer: `name <address>`.
    pub author: String,
    /// In seconds since 1970. It must be the same when the same bundle is collected again.
    pub time: i64,
    /// The last paragraph of every message.
    pub trailers: String,
}

/// How large a result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub bundle_bytes: u64,
    pub n_objects: u32,
    pub n_commits: usize,
    /// The files that differ in the end, and those that one commit changes.
    pub n_files: usize,
    pub file_bytes: u64,
    pub path_bytes: usize,
    pub tree_depth: usize,
}

/// A result that was taken, and is in the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    pub head: CommitId,
    pub tree: TreeId,
    /// The ref that keeps it.
    pub kept: KeptRef,
    /// From the oldest to the newest.
    pub commits: Vec<CommitInfo>,
    /// The agent's commits, and ours that were taken in their place.
    pub rewritten: Vec<(CommitId, CommitId)>,
    /// What the whole of it changes.
    pub stat: DiffStat,
}

/// Why a result was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// It is the result's fault, and will be so the next time.
    #[error("the run's result was refused: {0}")]
    Refused(#[from] Refused),
    /// It is ours.
    #[error("failed to collect the run's result")]
    Failed(#[source] anyhow::Error),
}

/// What is wrong with a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is no bundle")]
    Missing,
    #[error("the bundle is not a regular file that can be read")]
    NotAFile,
    #[error("the bundle is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the bundle cannot be read: {0}")]
    NotABundle(BundleFault),
    #[error("the bundle's objects are broken: {why}")]
    Broken { why: String },
    #[error("looking at it takes too much time or memory")]
    TooCostly,
    #[error("commit {} does not build on {}, where the run started", .head.short(), .base.short())]
    WrongBase { head: CommitId, base: CommitId },
    #[error("there is no work in it")]
    Empty,
    #[error("it has more than {limit} commits")]
    TooManyCommits { limit: usize },
    #[error("it changes more than {limit} files")]
    TooManyFiles { limit: usize },
    #[error("the path `{path}` {fault}")]
    Path { path: String, fault: PathFault },
    #[error("it adds, changes or removes the submodule `{path}`")]
    Submodule { path: String },
    #[error("`{path}` has the unusual mode {mode:o}")]
    Mode { path: String, mode: u32 },
    #[error("`{path}` is larger than {limit} bytes")]
    FileTooLarge { path: String, limit: u64 },
    #[error("it unpacks to more than {limit} objects")]
    TooManyObjects { limit: u32 },
    #[error("it changes `{path}`, which tells coding agents what to do")]
    AgentConfig { path: String },
    #[error("there is what looks like {}", .found.join(", "))]
    Secrets { found: Vec<String> },
}

impl Limits {
    /// What a person would still review, with room to spare.
    pub const STANDARD: Self = Self {
        bundle_bytes: 64 << 20,
        n_objects: 100_000,
        n_commits: 200,
        n_files: 2_000,
        file_bytes: 10 << 20,
        path_bytes: 1_000,
        tree_depth: 50,
    };

    fn path(&self) -> PathLimits {
        PathLimits { path_bytes: self.path_bytes, tree_depth: self.tree_depth }
    }
}

/// How much all new links may hold: as many as there may be files, at their longest.
const LINKS_BYTES_MAX: usize = 16 << 20;

/// How long judging may take, whatever else the machine does. Honest work takes
/// seconds; the time that git computes is limited more strictly.
const JUDGE_TIMEOUT: Duration = Duration::from_secs(300);

/// Judges a bundle and, if it will do, takes its commits into the mirror.
///
/// The bundle itself may be anything; the folder it is in has to be ours. It
/// can be called again for the same bundle, with the same end.
pub async fn collect(
    mirror: &Mirror,
    bundle: &Path,
    expect: &Expect,
) -> Result<Collected, CollectError> {
    let bundle = quarantine::read_bundle(bundle, expect.limits.bundle_bytes).await?;
    let quarantine = Quarantine::create(mirror, expect.run)?;
    let judging = judge(&quarantine, mirror, bundle, expect);
    let Ok(judged) = tokio::time::timeout(JUDGE_TIMEOUT, judging).await else {
        return Err(Refused::TooCostly.into());
    };
    let collected = judged?;
    quarantine.deliver(mirror, &collected.head, &collected.kept).await?;
    Ok(collected)
}

async fn judge(
    quarantine: &Quarantine,
    mirror: &Mirror,
    bundle: Vec<u8>,
    expect: &Expect,
) -> Result<Collected, CollectError> {
    let limits = &expect.limits;
    let head = quarantine.unpack(bundle, limits.n_objects).await?;
    if !quarantine.is_commit_on(&head, &expect.base).await? {
        return Err(Refused::WrongBase { head, base: expect.base.clone() }.into());
    }
    let (commits, changes) = read_history(quarantine, &head, expect).await?;
    let links = check_changes(&changes, limits)?;
    if !expect.guards.agent_config {
        check_agent_config(&changes)?;
    }
    let sizes = check_sizes(quarantine, &changes, limits).await?;
    check_links(quarantine, &links, limits.path()).await?;
    let stat = diff_stat(quarantine.git(), &expect.base, &head).await?;
    if stat.files.is_empty() {
        return Err(Refused::Empty.into());
    }
    if stat.files.len() > limits.n_files {
        return Err(Refused::TooManyFiles { limit: limits.n_files }.into());
    }
    secrets::check(quarantine, (&changes, &sizes), &expect.guards).await?;
    let tree = tree_of(quarantine.git(), &head).await?;
    let rewritten = rewrite::rewrite(quarantine, mirror, &commits, expect).await?;
    let head = rewritten.iter().find(|(old, _)| *old == head).map_or(head, |(_, new)| new.clone());
    if tree_of(quarantine.git(), &head).await? != tree {
        return Err(CollectError::Failed(anyhow!("{head} is not of the tree {tree}")));
    }
    let history = history(quarantine.git(), &expect.base, &head, limits.n_commits).await?;
    let commits = history.into_iter().map(|(commit, _)| commit).collect();
    let kept = KeptRef::run(expect.run);
    Ok(Collected { head, tree, kept, commits, rewritten, stat })
}

impl From<anyhow::Error> for CollectError {
    fn from(err: anyhow::Error) -> Self {
        // What does not fit today will not fit tomorrow.
        if err.is::<TooMuch>() { Refused::TooCostly.into() } else { Self::Failed(err) }
    }
}

/// Reads all commits of the result, and all that any of them changes: what is
/// added by one and removed by the next is published all the same.
async fn read_history(
    quarantine: &Quarantine,
    head: &CommitId,
    expect: &Expect,
) -> Result<(Vec<CommitInfo>, Vec<Change>), CollectError> {
    let Limits { n_commits, n_files, .. } = expect.limits;
    let history = history(quarantine.git(), &expect.base, head, n_commits).await?;
    if history.is_empty() {
        return Err(Refused::Empty.into());
    }
    if history.len() > n_commits {
        return Err(Refused::TooManyCommits { limit: n_commits }.into());
    }
    if history.iter().any(|(commit, _)| commit.n_files > n_files) {
        return Err(Refused::TooManyFiles { limit: n_files }.into());
    }
    let (commits, changes): (Vec<_>, Vec<_>) = history.into_iter().unzip();
    Ok((commits, changes.into_iter().flatten().collect()))
}

/// Checks paths and modes. Returns the symbolic links, by path and blob.
fn check_changes(changes: &[Change], limits: &Limits) -> Result<Vec<(String, String)>, Refused> {
    let mut links = Vec::new();
    for change in changes {
        let shown = || String::from_utf8_lossy(&change.path).escape_debug().to_string();
        if change.old_mode == MODE_SUBMODULE || change.new_mode == MODE_SUBMODULE {
            return Err(Refused::Submodule { path: shown() });
        }
        // What is removed may have had any name, except the one that changes
        // where submodules come from.
        let removed = change.new_mode == 0;
        let path = match check_path(&change.path, limits.path()) {
            Ok(path) => path,
            Err(fault) if !removed || fault == PathFault::Submodules => {
                return Err(Refused::Path { path: shown(), fault });
            }
            Err(_) => continue,
        };
        match change.new_mode {
            0 | MODE_FILE | MODE_PROGRAM => {}
            MODE_LINK => links.push((path.to_owned(), change.new_id.clone())),
            mode => return Err(Refused::Mode { path: shown(), mode }),
        }
    }
    Ok(links)
}

/// Refuses what would tell the next agent what to do, or start something when it starts.
fn check_agent_config(changes: &[Change]) -> Result<(), Refused> {
    match changes.iter().find(|change| is_agent_config(&change.path)) {
        Some(change) => {
            let path = String::from_utf8_lossy(&change.path).into_owned();
            Err(Refused::AgentConfig { path })
        }
        None => Ok(()),
    }
}

/// Checks the sizes of all new files, and returns them. A link is a small file too.
async fn check_sizes(
    quarantine: &Quarantine,
    changes: &[Change],
    limits: &Limits,
) -> Result<BTreeMap<String, u64>, CollectError> {
    let new = changes.iter().filter(|change| change.new_mode != 0);
    let blobs: BTreeMap<&str, &Change> = new.map(|change| (&*change.new_id, change)).collect();
    let sizes = quarantine.sizes(blobs.keys().copied()).await?;
    for ((_, change), n_bytes) in blobs.iter().zip(&sizes) {
        let is_link = change.new_mode == MODE_LINK;
        let limit = if is_link { limits.path_bytes as u64 } else { limits.file_bytes };
        if *n_bytes > limit {
            let path = String::from_utf8_lossy(&change.path).into_owned();
            return Err(Refused::FileTooLarge { path, limit }.into());
        }
    }
    Ok(blobs.into_keys().map(str::to_owned).zip(sizes).collect())
}

async fn check_links(
    quarantine: &Quarantine,
    links: &[(String, String)],
    limits: PathLimits,
) -> Result<(), CollectError> {
    let ids = links.iter().map(|(_, id)| id.as_str());
    let targets = quarantine.objects(ids, LINKS_BYTES_MAX).await?;
    for ((path, _), target) in links.iter().zip(targets) {
        check_link(path, &target, limits)
            .map_err(|fault| Refused::Path { path: path.clone(), fault })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
