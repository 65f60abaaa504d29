//! A checkout of its own for one run.
//!
//! It has its own `.git`, which holds nothing but a branch and an index; the
//! objects stay in the mirror, where the sandbox can read but not write them.
//! It is made once, before anyone hostile is near, and from then on no git of
//! ours ever runs in it: results come back as a bundle (see `collect`), and
//! the folder goes to the trash (see `trash`).

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use zazen_core::id::CommitId;

use super::mirror::SHALLOW;
use super::path::is_agent_config;
use super::read::{LISTING_BYTES_MAX, split};
use super::{Call, Git, Mirror, trash};
use crate::exec::Ids;

/// What is checked out.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// What the branch is at.
    pub commit: &'a CommitId,
    /// The commit whose files there are. Where it is another one, they are changes to `commit`
    /// that are not committed.
    pub files: &'a CommitId,
    /// Files that tell coding agents what to do, or have programs of them start something,
    /// are not among them. To git they are unchanged.
    pub hides_agent_config: bool,
    /// Files at the top that are not among them either.
    pub also_hidden: &'a [&'a str],
}

/// The branch that a run works on, in its own checkout.
pub const WORK_BRANCH: &str = "work";

/// How long writing the files may take. Large repositories take seconds.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(600);

/// The whole configuration of a checkout. There is no remote, no helper and no
/// filter in it. The name is what commits carry unless a run sets another.
const CONFIG: &str = "\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[user]
\tname = zazen
\temail = agent@zazen.invalid
[commit]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// What Aider notes of a repository, in its midst. It is nobody's work.
const EXCLUDED: &str = ".aider.tags.cache.v*/\n";

/// The folders of a `.git`, without which git does not take it for one.
const FOLDERS: [&str; 6] =
    [".git", ".git/info", ".git/objects", ".git/objects/info", ".git/refs", ".git/refs/heads"];

/// Checks out `commit` into the new folder `dest`.
///
/// All of it belongs to `user`, who also does the writing, and who therefore
/// has to be able to read the mirror's objects and to reach `dest`.
/// `alternates` is where the sandbox sees those objects. On failure, nothing
/// is left.
pub async fn prepare(
    mirror: &Mirror,
    dest: &Path,
    commit: &CommitId,
    alternates: &Path,
    user: Option<Ids>,
) -> anyhow::Result<()> {
    let what = Content { commit, files: commit, hides_agent_config: false, also_hidden: &[] };
    prepare_with(mirror, dest, what, alternates, user).await
}

/// The same, with this content.
pub async fn prepare_with(
    mirror: &Mirror,
    dest: &Path,
    what: Content<'_>,
    alternates: &Path,
    user: Option<Ids>,
) -> anyhow::Result<()> {
    let context = || format!("prepare the workspace `{}`", dest.display());
    fs::DirBuilder::new().mode(0o755).create(dest).with_context(context)?;
    let filled = fill(mirror, dest, what, alternates, user).await;
    if filled.is_err() {
        trash::delete(dest).with_context(context)?;
    }
    filled.with_context(context)
}

async fn fill(
    mirror: &Mirror,
    dest: &Path,
    what: Content<'_>,
    alternates: &Path,
    user: Option<Ids>,
) -> anyhow::Result<()> {
    let alternates = one_path(alternates)?;
    let objects = mirror.objects();
    let objects = one_path(&objects)?;
    write_skeleton(dest, what.commit, user)?;
    if let Some(end) = mirror.end()? {
        write(&dest.join(".git").join(SHALLOW), &end, user)?;
    }
    call(dest, "read-tree", user)
        .args(["--reset", "-u", what.files.as_str()])
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects)
        .run()
        .await
        .with_context(|| match user {
            Some(Ids { uid, .. }) => {
                format!("check out as user {uid}, who has to be able to read `{objects}`")
            }
            None => "check out".to_owned(),
        })?;
    if what.hides_agent_config || !what.also_hidden.is_empty() {
        hide(dest, what, user).await.context("hide what is for coding agents")?;
    }
    // Only now, since the path is that in the sandbox and leads nowhere here.
    write(&dest.join(".git/objects/info/alternates"), &format!("{alternates}\n"), user)
}

/// A call of git in a checkout that nobody else has touched.
fn call(dest: &Path, name: &'static str, user: Option<Ids>) -> Call {
    let call = Git::at(&dest.join(".git")).call(name);
    call.work_tree(dest).timeout(CHECKOUT_TIMEOUT).user(user)
}

/// Takes files away that are for coding agents. The index keeps them, marked as not checked
/// out, so that neither what an agent commits nor what it leaves says that they are gone.
async fn hide(dest: &Path, what: Content<'_>, user: Option<Ids>) -> anyhow::Result<()> {
    let listed = call(dest, "ls-files", user).arg("-z").stdout_bytes_max(LISTING_BYTES_MAX);
    let listed = listed.run().await?.stdout;
    let is_hidden = |path: &&[u8]| {
        what.hides_agent_config && is_agent_config(path)
            || what.also_hidden.iter().any(|name| name.as_bytes() == *path)
    };
    let hidden: Vec<&[u8]> = split(&listed).filter(is_hidden).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let paths = hidden.iter().flat_map(|path| [*path, b"\0"]).collect::<Vec<_>>().concat();
    let args = ["-z", "--skip-worktree", "--stdin"];
    call(dest, "update-index", user).args(args).stdin(paths).run().await?;
    for path in hidden {
        let path = dest.join(OsStr::from_bytes(path));
        match fs::symlink_metadata(&path) {
            // A submodule is a folder, with nothing in it.
            Ok(facts) if facts.is_dir() => {}
            Ok(_) => {
                fs::remove_file(&path).with_context(|| format!("remove `{}`", path.display()))?;
            }
            Err(err) if err.kind() == ErrorKind::NotFound => {}
            Err(err) => return Err(err).with_context(|| format!("find `{}`", path.display())),
        }
        remove_empty(dest, &path);
    }
    Ok(())
}

/// Removes the folders above a file that have nothing in them.
fn remove_empty(dest: &Path, path: &Path) {
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != dest) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Lays out the `.git` by hand: it is the same few files each time, and
/// starting git for them would take longer than all the rest.
fn write_skeleton(dest: &Path, commit: &CommitId, user: Option<Ids>) -> anyhow::Result<()> {
    for folder in FOLDERS {
        let folder = dest.join(folder);
        fs::create_dir(&folder).with_context(|| format!("create `{}`", folder.display()))?;
        give(&folder, user)?;
    }
    write(&dest.join(".git/config"), CONFIG, user)?;
    write(&dest.join(".git/info/exclude"), EXCLUDED, user)?;
    write(&dest.join(".git/HEAD"), &format!("ref: refs/heads/{WORK_BRANCH}\n"), user)?;
    let branch = dest.join(".git/refs/heads").join(WORK_BRANCH);
    write(&branch, &format!("{commit}\n"), user)?;
    give(dest, user)
}

fn write(path: &Path, text: &str, user: Option<Ids>) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write `{}`", path.display()))?;
    give(path, user)
}

fn give(path: &Path, user: Option<Ids>) -> anyhow::Result<()> {
    let Some(Ids { uid, gid }) = user else { return Ok(()) };
    chown(path, Some(uid), Some(gid))
        .with_context(|| format!("give `{}` to user {uid}", path.display()))
}

/// The path as text that git cannot take for a list of several.
fn one_path(path: &Path) -> anyhow::Result<&str> {
    let text = path.to_str().context("the path of the objects has to be UTF-8")?;
    if !path.is_absolute() || text.starts_with('"') || text.contains([':', '\n']) {
        bail!("the path of the objects `{text}` has to be absolute, without `:` and line ends");
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
