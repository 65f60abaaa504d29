//! Whose the work is, and whether that user gets to what it needs.
//!
//! Nothing of a run is ever root: a daemon that is root lends its runs a user
//! of their own. This file says who that is, hands files over to it, and
//! finds the folder that is in its way before anything is started.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{AtFlags, CWD, Gid, Uid, chownat};

use crate::exec::Ids;

/// The user and group of all runs of a daemon that is root. It belongs to
/// nobody: people end at 60000, systemd hands out 60001-60577 and from 61184
/// on, and leaves what is between unused.
pub const SANDBOX_UID: u32 = 60_800;

/// How deep a workspace may be. Real ones stay below fifty.
const DEPTH_MAX: usize = 200;

/// The user that runs get, or nothing where they stay this process's own user.
pub fn sandbox_ids() -> Option<Ids> {
    rustix::process::geteuid().is_root().then_some(Ids { uid: SANDBOX_UID, gid: SANDBOX_UID })
}

/// The real user of the work.
pub(super) fn work_uid() -> u32 {
    sandbox_ids().map_or_else(|| rustix::process::geteuid().as_raw(), |ids| ids.uid)
}

/// The real group of the work.
pub(super) fn work_gid() -> u32 {
    sandbox_ids().map_or_else(|| rustix::process::getegid().as_raw(), |ids| ids.gid)
}

/// Checks that the user of the runs can reach a path, and names the folder
/// that is in the way when it cannot.
pub fn check_reachable(path: &Path) -> anyhow::Result<()> {
    let path = path.canonicalize().with_context(|| format!("find `{}`", path.display()))?;
    let Some(ids) = sandbox_ids() else { return Ok(()) };
    for folder in path.ancestors().skip(1) {
        let metadata =
            fs::metadata(folder).with_context(|| format!("look at `{}`", folder.display()))?;
        if !allows(&metadata, ids, 0o1) {
            let (path, folder) = (path.display(), folder.display());
            bail!(
                "the sandbox's user ({SANDBOX_UID}) cannot reach `{path}`: `{folder}` is closed \
                 to it; run `chmod o+x {folder}`, or keep zazen's home elsewhere (`/var/lib/zazen`)"
            );
        }
    }
    Ok(())
}

/// Checks that the user of the runs can reach a path and write to it.
pub(super) fn check_writable(path: &Path) -> anyhow::Result<()> {
    check_reachable(path)?;
    let Some(ids) = sandbox_ids() else { return Ok(()) };
    let metadata = fs::metadata(path).with_context(|| format!("look at `{}`", path.display()))?;
    if !allows(&metadata, ids, 0o2) {
        let path = path.display();
        bail!("the sandbox's user ({SANDBOX_UID}) cannot write to `{path}`; give it the right to");
    }
    Ok(())
}

/// Checks that the user of the runs can enter a folder.
pub(super) fn check_enterable(folder: &Path) -> anyhow::Result<()> {
    check_reachable(&folder.join("."))?;
    let Some(ids) = sandbox_ids() else { return Ok(()) };
    let metadata =
        fs::metadata(folder).with_context(|| format!("look at `{}`", folder.display()))?;
    if !allows(&metadata, ids, 0o1) {
        let folder = folder.display();
        bail!("the sandbox's user ({SANDBOX_UID}) cannot enter `{folder}`; `chmod o+x {folder}`");
    }
    Ok(())
}

/// Gives a folder of a run, its workspace mostly, to the user of the runs, if it is not theirs yet.
///
/// Links are given, not followed. A file with a second name is refused: the
/// other name may be in the mirror, and the run could write to it.
pub fn hand_over(workspace: &Path) -> anyhow::Result<()> {
    let Some(ids) = sandbox_ids() else { return Ok(()) };
    let top = fs::symlink_metadata(workspace)
        .with_context(|| format!("look at the workspace `{}`", workspace.display()))?;
    if !top.is_dir() {
        bail!("the workspace `{}` is not a folder", workspace.display());
    }
    if top.uid() == ids.uid {
        return Ok(());
    }
    hand_over_below(workspace, ids, 0)?;
    // Last, so that a hand-over that was cut short is done again.
    give(workspace, ids)
}

/// Gives one file or folder to the user of the runs.
pub(super) fn give_to_runs(path: &Path) -> anyhow::Result<()> {
    sandbox_ids().map_or(Ok(()), |ids| give(path, ids))
}

fn hand_over_below(folder: &Path, ids: Ids, depth: usize) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("`{}` is more than {DEPTH_MAX} folders deep", folder.display());
    }
    let context = || format!("hand over `{}`", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path: PathBuf = entry.with_context(context)?.path();
        let metadata = fs::symlink_metadata(&path).with_context(context)?;
        if metadata.is_dir() {
            hand_over_below(&path, ids, depth + 1)?;
        } else if metadata.nlink() > 1 {
            bail!(
                "`{}` has {} names (hard links), so a run could write to the other ones; \
                 make the workspace without hard links",
                path.display(),
                metadata.nlink()
            );
        }
        give(&path, ids)?;
    }
    Ok(())
}

fn give(path: &Path, ids: Ids) -> anyhow::Result<()> {
    let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
    chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        .with_context(|| format!("give `{}` to user {}", path.display(), ids.uid))
}

/// Whether a user has a right (1: enter, 2: write, 4: read) to a file.
fn allows(metadata: &Metadata, ids: Ids, right: u32) -> bool {
    let shift = match (metadata.uid() == ids.uid, metadata.gid() == ids.gid) {
        (true, _) => 6,
        (false, true) => 3,
        (false, false) => 0,
    };
    metadata.mode() >> shift & right == right
}
