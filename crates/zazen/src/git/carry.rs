//! Carrying a change to another machine: one file with its commits, and with the files of
//! the commit that it begins from.
//!
//! The file is a bundle that builds on the base, so whoever has the repository can fetch
//! from it. Its pack also holds the base and its files, without anything older: whoever
//! has nothing else can unpack it, look at both trees, and check out either. What comes
//! in is hostile, and is read as one bundle and nothing else.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use tempfile::TempDir;
use zazen_core::id::CommitId;

use super::bundle::RESULT_REF;
use super::mirror::{QUARANTINE_PREFIX, SHALLOW, tree_of};
use super::read::LISTING_BYTES_MAX;
use super::{Git, Mirror, TreeId, said};

/// A repository to look a change up in, which may not be there.
#[derive(Debug)]
pub struct Carried {
    git: Git,
    /// Removed when this is dropped, where it was made for one look.
    dir: Option<TempDir>,
}

/// Why a file is not the change that it should be.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// What the file is makes no sense.
    #[error("{0}")]
    Broken(String),
    /// It is ours, or the disk's.
    #[error("look into a bundle of commits")]
    Failed(#[from] anyhow::Error),
}

/// How large a pack may be: a large repository's files, without their history.
const PACK_BYTES_MAX: u64 = 2 << 30;

/// The name that the pack has while it is looked at.
const PACK: &str = "objects/pack/pack-carried.pack";

/// The lines before the pack: that it is a bundle, what it builds on, what it brings.
fn head(base: &CommitId, commit: &CommitId) -> String {
    format!("# v2 git bundle\n-{base}\n{commit} {RESULT_REF}\n\n")
}

/// Writes the commits from `base` to `commit`, and the files of `base`, to a file.
///
/// So are those of `others` that are there and build on `base`. No ref in the file names them.
pub async fn carry(
    mirror: &Mirror,
    (base, commit): (&CommitId, &CommitId),
    others: &BTreeSet<CommitId>,
    to: &Path,
) -> anyhow::Result<()> {
    let staging = tempfile::Builder::new()
        .prefix(&format!("{QUARANTINE_PREFIX}carry-"))
        .tempdir_in(mirror.dir())
        .context("make room for a pack")?;
    let git = mirror.git();
    let list = |args: Vec<String>| {
        let call = git.call("rev-list").args(["--objects", "--no-object-names"]).args(args);
        call.stdout_bytes_max(LISTING_BYTES_MAX).run()
    };
    let mut ids = list(vec!["--no-walk".to_owned(), base.to_string()]).await?.stdout;
    let mut range = vec![format!("{base}..{commit}")];
    for other in others {
        if mirror.is_ancestor(base, other).await? {
            range.push(other.to_string());
        }
    }
    range.push("--".to_owned());
    ids.extend(list(range).await?.stdout);
    let call = git.call("pack-objects").args(["-q", "--no-reuse-delta", "--threads=1"]);
    let call = call.file_bytes_max(PACK_BYTES_MAX).arg(staging.path().join("pack")).stdin(ids);
    let name = call.line().await.context("pack up the commits")?;
    let pack = staging.path().join(format!("pack-{name}.pack"));
    let (head, to) = (head(base, commit), to.to_owned());
    let write = move || -> io::Result<()> {
        let mut file = File::create(&to)?;
        file.write_all(head.as_bytes())?;
        io::copy(&mut File::open(&pack)?, &mut file)?;
        file.sync_all()
    };
    tokio::task::spawn_blocking(write).await?.context("write a bundle of commits")?;
    drop(staging);
    Ok(())
}

impl Carried {
    /// The mirror of a repository, as it is on the disk. Nothing is fetched, nothing written.
    pub fn in_mirror(dir: &Path) -> Self {
        Self { git: Git::at(dir), dir: None }
    }

    /// Unpacks a file that should bring these commits, into a folder of its own.
    pub async fn unpack(
        file: &Path,
        (base, commit): (&CommitId, &CommitId),
    ) -> Result<Self, CarryError> {
        let dir = tempfile::Builder::new().prefix("zazen-carried-").tempdir();
        let dir = dir.context("make room for a pack")?;
        let (at, from) = (dir.path().to_owned(), file.to_owned());
        let (head, shallow) = (head(base, commit), format!("{base}\n"));
        let made = move || make(&at, &from, (&head, &shallow));
        tokio::task::spawn_blocking(made).await.map_err(|err| anyhow!(err))??;
        let git = Git::limited(dir.path());
        let pack = dir.path().join(PACK);
        let call = git.call("index-pack").arg("--strict=badFilemode=error").arg(&pack);
        let output = call.output().await?;
        if !output.status.success() {
            return Err(CarryError::Broken(format!("its pack is broken: {}", said(&output))));
        }
        Ok(Self { git, dir: Some(dir) })
    }

    /// The tree of a commit, if that commit is there with everything that it needs.
    pub async fn tree_of(&self, commit: &CommitId) -> anyhow::Result<Option<TreeId>> {
        let name = format!("{commit}^{{commit}}");
        let found = self.git.call("cat-file").args(["-e", &name]).output().await?;
        if !found.status.success() {
            return Ok(None);
        }
        Ok(Some(tree_of(&self.git, commit).await?))
    }

    /// Whether one commit builds on another, or is it.
    pub async fn builds_on(&self, commit: &CommitId, base: &CommitId) -> anyhow::Result<bool> {
        let args = ["--is-ancestor", base.as_str(), commit.as_str()];
        Ok(self.git.call("merge-base").args(args).output().await?.status.success())
    }

    /// The first object that these commits need and that is damaged or not there, if one is.
    pub async fn damage(
        &self,
        (base, commit): (&CommitId, &CommitId),
    ) -> anyhow::Result<Option<String>> {
        for args in
            [["--no-walk", base.as_str()], ["--end-of-options", &format!("{base}..{commit}")]]
        {
            let call =
                self.git.call("rev-list").args(["--objects", "--no-object-names", "--quiet"]);
            let output = call.args(args).output().await?;
            if !output.status.success() {
                return Ok(Some(said(&output)));
            }
        }
        Ok(None)
    }

    /// Where the repository is.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_ref().map(TempDir::path)
    }
}

/// Makes a bare repository with the pack of a bundle in it. Its history ends at the base.
fn make(dir: &Path, from: &Path, (head, shallow): (&str, &str)) -> Result<(), CarryError> {
    let mut file = File::open(from).with_context(|| format!("open `{}`", from.display()))?;
    let n_bytes = file.metadata().context("look at a bundle")?.len();
    if n_bytes > PACK_BYTES_MAX {
        return Err(CarryError::Broken(format!("it has more than {PACK_BYTES_MAX} bytes")));
    }
    let mut found = vec![0; head.len()];
    let is_head = file.read_exact(&mut found).is_ok() && found == head.as_bytes();
    if !is_head {
        let why = "it does not begin as a bundle of the stated commits does";
        return Err(CarryError::Broken(why.to_owned()));
    }
    let mut write = || -> io::Result<()> {
        for folder in ["objects", "objects/info", "objects/pack", "refs", "refs/heads"] {
            fs::create_dir(dir.join(folder))?;
        }
        fs::write(dir.join("config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
        fs::write(dir.join("HEAD"), "ref: refs/heads/none\n")?;
        fs::write(dir.join(SHALLOW), shallow)?;
        file.seek(SeekFrom::Start(head.len() as u64))?;
        io::copy(&mut file, &mut File::create(pack_file(dir))?)?;
        Ok(())
    };
    write().context("unpack a bundle of commits")?;
    Ok(())
}

fn pack_file(dir: &Path) -> PathBuf {
    dir.join(PACK)
}

#[cfg(test)]
mod tests;
