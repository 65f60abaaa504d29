//! A bare repository of our own to push to, for the local forge.
//!
//! It stands where GitHub would: people clone it and pull from it, and the
//! publisher pushes to it like to any other remote.

use std::path::Path;

use anyhow::{Context, bail};

use super::{Git, Mirror, init_bare};

/// Makes a bare repository that holds the mirror's default branch.
///
/// One that is there already stays as it is, with whatever people did to it.
pub async fn create_bare(path: &Path, from: &Mirror) -> anyhow::Result<()> {
    if path.join("HEAD").exists() {
        return Ok(());
    }
    let Some(branch) = from.default_branch().await? else {
        bail!("`{}` has no branch to start from; make a first commit in it", from.source());
    };
    let parent = path.parent().context("a repository needs a folder around it")?;
    std::fs::create_dir_all(parent)
        .with_context(|| format!("create the folder `{}`", parent.display()))?;
    // Made beside and then moved, so that one that is there is whole.
    let staging = tempfile::Builder::new().prefix(".new-").tempdir_in(parent)?;
    let new = staging.path().join("git");
    init_bare(&new).await?;
    let git = Git::at(&new);
    // Git sets it for what others may read. A rebased branch has to be replaced, as on a forge.
    git.call("config").args(["receive.denyNonFastForwards", "false"]).run().await?;
    git.call("fetch")
        .args(["--no-tags", "--no-write-fetch-head", "--quiet", "--end-of-options"])
        .arg(from.dir())
        .arg(format!("refs/source/heads/{branch}:refs/heads/{branch}"))
        .run()
        .await?;
    git.call("symbolic-ref").args(["HEAD", &format!("refs/heads/{branch}")]).run().await?;
    std::fs::rename(&new, path).with_context(|| format!("create `{}`", path.display()))
}

#[cfg(test)]
mod tests;
