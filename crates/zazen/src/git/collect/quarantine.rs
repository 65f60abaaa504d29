//! The place where a bundle is unpacked and looked at.
//!
//! A bare repository of ours, made for one bundle (or one rebase) and gone with it. It sees
//! the mirror's objects and has its own place for new ones.

use std::io::Read;
use std::path::Path;
use std::{fmt, fs};

use anyhow::{Context, anyhow};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tempfile::TempDir;
use zazen_core::id::CommitId;

use super::{CollectError, Refused};
use crate::git::mirror::{QUARANTINE_PREFIX, SHALLOW};
use crate::git::{Git, KeptRef, Mirror, bundle, is_over_limit, said};

/// The place where one bundle is looked at. It is removed when this is dropped.
#[derive(Debug)]
pub(in crate::git) struct Quarantine {
    dir: TempDir,
    git: Git,
}

/// The ref under which the mirror fetches from here.
const HEAD_REF: &str = "refs/heads/result";

/// Reads a bundle whole, since whoever left it may still be able to change it.
pub(super) async fn read_bundle(path: &Path, bytes_max: u64) -> Result<Vec<u8>, CollectError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || read_bundle_blocking(&path, bytes_max))
        .await
        .context("read the bundle")?
}

fn read_bundle_blocking(path: &Path, bytes_max: u64) -> Result<Vec<u8>, CollectError> {
    // Without waiting, or a FIFO would keep us forever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => fs::File::from(file),
        Err(Errno::NOENT) => return Err(Refused::Missing.into()),
        // A link, a socket, a device without a driver, or a closed door.
        Err(Errno::LOOP | Errno::NXIO | Errno::NODEV | Errno::ACCESS) => {
            return Err(Refused::NotAFile.into());
        }
        Err(err) => {
            return Err(anyhow!(err).context(format!("open `{}`", path.display())).into());
        }
    };
    let facts = file.metadata().context("look at the bundle")?;
    if !facts.is_file() {
        return Err(Refused::NotAFile.into());
    }
    if facts.len() > bytes_max {
        return Err(Refused::TooLarge { limit: bytes_max }.into());
    }
    let mut bundle = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bundle).context("read the bundle")?;
    if bundle.len() as u64 > bytes_max {
        return Err(Refused::TooLarge { limit: bytes_max }.into());
    }
    Ok(bundle)
}

impl Quarantine {
    /// Makes an empty one beside the mirror's objects, on the same disk.
    pub(in crate::git) fn create(mirror: &Mirror, what: impl fmt::Display) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix(&format!("{QUARANTINE_PREFIX}{what}-"))
            .tempdir_in(mirror.dir())
            .context("make a quarantine")?;
        let at = dir.path();
        for folder in ["objects", "objects/info", "objects/pack", "refs", "refs/heads"] {
            fs::create_dir(at.join(folder)).context("make a quarantine")?;
        }
        let config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
        let objects = mirror.objects();
        let objects = objects.to_str().context("the mirror's path has to be UTF-8")?;
        for (file, text) in [
            ("config", config),
            ("HEAD", "ref: refs/heads/none\n"),
            ("objects/info/alternates", &format!("{objects}\n")),
        ] {
            fs::write(at.join(file), text).context("make a quarantine")?;
        }
        if let Some(end) = mirror.end()? {
            fs::write(at.join(SHALLOW), end).context("make a quarantine")?;
        }
        let git = Git::limited(at);
        Ok(Self { dir, git })
    }

    pub(in crate::git) fn git(&self) -> &Git {
        &self.git
    }

    /// Unpacks a bundle and returns the commit that it claims to bring.
    pub(super) async fn unpack(
        &self,
        mut bundle: Vec<u8>,
        n_objects_max: u32,
    ) -> Result<CommitId, CollectError> {
        let head = bundle::parse(&bundle).map_err(Refused::NotABundle)?;
        // Git goes by this number, and a pack that has more or fewer is broken.
        if head.n_objects > n_objects_max {
            return Err(Refused::TooManyObjects { limit: n_objects_max }.into());
        }
        let pack = bundle.split_off(head.n_bytes);
        let call = self.git.call("index-pack").stdin(pack);
        // Git knows an odd mode but only notes it, since old ones did write it.
        let call = call.args(["--strict=badFilemode=error", "--fix-thin", "--stdin"]);
        let output = call.output().await?;
        if output.status.success() {
            return Ok(head.result);
        }
        let why = said(&output);
        if is_over_limit(&output) {
            return Err(Refused::TooCostly.into());
        }
        if why.contains("No space left") {
            return Err(anyhow!("unpack the bundle: {why}").into());
        }
        Err(Refused::Broken { why }.into())
    }

    /// Whether `head` is a commit that builds on `base`, or is it.
    pub(super) async fn is_commit_on(
        &self,
        head: &CommitId,
        base: &CommitId,
    ) -> anyhow::Result<bool> {
        let args = ["--is-ancestor", base.as_str(), head.as_str()];
        Ok(self.git.call("merge-base").args(args).output().await?.status.success())
    }

    /// The sizes of blobs, in the order asked for.
    pub(super) async fn sizes(
        &self,
        ids: impl Iterator<Item = &str>,
    ) -> Result<Vec<u64>, CollectError> {
        let call = self.git.call("cat-file").arg("--batch-check=%(objecttype) %(objectsize)");
        let text = call.stdin(lines(ids)).run().await?.stdout_text();
        let sizes = text.lines().map(|line| line.strip_prefix("blob ")?.parse().ok());
        sizes.collect::<Option<_>>().ok_or_else(|| not_blobs().into())
    }

    /// Objects as they are, at most `bytes_max` together, in the order asked for.
    pub(in crate::git) async fn objects(
        &self,
        ids: impl Iterator<Item = &str>,
        bytes_max: usize,
    ) -> Result<Vec<Vec<u8>>, CollectError> {
        let call = self.git.call("cat-file").arg("--batch=%(objectsize)");
        let output = call.stdin(lines(ids)).stdout_bytes_max(bytes_max).run().await?;
        let mut rest = output.stdout.as_slice();
        let mut blobs = Vec::new();
        while !rest.is_empty() {
            let (blob, after) = split_blob(rest).ok_or_else(not_blobs)?;
            blobs.push(blob.to_vec());
            rest = after;
        }
        Ok(blobs)
    }

    /// Adds a commit, by the text of the object.
    pub(in crate::git) async fn write_commit(
        &self,
        text: impl Into<Vec<u8>>,
    ) -> anyhow::Result<CommitId> {
        let call = self.git.call("hash-object").args(["-t", "commit", "-w", "--stdin"]);
        let id = call.stdin(text).line().await.context("write a commit")?;
        id.parse().context("git printed a commit that cannot be read")
    }

    /// Takes a commit, with all it needs, to the mirror.
    pub(in crate::git) async fn deliver(
        &self,
        mirror: &Mirror,
        head: &CommitId,
        kept: &KeptRef,
    ) -> anyhow::Result<()> {
        fs::write(self.dir.path().join(HEAD_REF), format!("{head}\n"))
            .context("name the result")?;
        mirror
            .git()
            .call("fetch")
            .args(["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"])
            .args(["--end-of-options".as_ref(), self.dir.path().as_os_str()])
            .arg(format!("{HEAD_REF}:{kept}"))
            .run()
            .await
            .context("take the result to the mirror")?;
        Ok(())
    }
}

fn lines<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.flat_map(|id| [id, "\n"]).collect()
}

/// Splits off one blob: its size, a line end, its bytes, a line end.
fn split_blob(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&b| b == b'\n')?;
    let n_bytes: usize = std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()?;
    let (blob, after) = bytes[end + 1..].split_at_checked(n_bytes)?;
    Some((blob, after.strip_prefix(b"\n")?))
}

fn not_blobs() -> Refused {
    Refused::Broken { why: "a file of it is not there, or is no file".to_owned() }
}
