//! A folder of a commit, packed up: what an image is built from.
//!
//! It is read from the mirror's objects, so nothing that lies in any checkout
//! is in it, and nothing of the repository is run to make it.

use anyhow::{Context, bail};
use zazen_core::id::CommitId;

use super::Mirror;

/// One folder of a commit, as a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Names exactly this content.
    pub tree: String,
    pub tar: Vec<u8>,
}

/// How large a folder may be: recipes with their scripts and lock files, not a
/// repository's data.
const TAR_BYTES_MAX: usize = 64 << 20;

impl Mirror {
    /// Packs up the folder that a file of a commit is in.
    pub async fn archive_around(&self, commit: &CommitId, file: &str) -> anyhow::Result<Archive> {
        if file.split('/').any(|part| matches!(part, "" | "." | "..")) {
            bail!("`{file}` is not a path inside a repository");
        }
        let found = self.git().call("cat-file").args(["-t", &format!("{commit}:{file}")]);
        if !found.line().await.is_ok_and(|kind| kind == "blob") {
            bail!("there is no file `{file}` in commit {commit} of the base branch");
        }
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = format!("{commit}:{folder}");
        let tree = self.git().call("rev-parse").args(["--verify", "--end-of-options", &name]);
        let tree = tree.line().await?;
        let tar = self.git().call("archive").args(["--format=tar", &tree]);
        let tar = tar.stdout_bytes_max(TAR_BYTES_MAX).run().await.with_context(|| {
            format!("pack up `{folder}`, which may have {} MiB", TAR_BYTES_MAX >> 20)
        })?;
        Ok(Archive { tree, tar: tar.stdout })
    }
}
