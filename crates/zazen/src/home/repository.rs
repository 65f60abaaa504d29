//! Calls of git in the home's own repository.
//!
//! The home belongs to people and to zazen; no agent can write into it. Git is
//! called the same way wherever it runs all the same: no hooks, no signing, no
//! configuration from outside the repository, nothing that asks or stays behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::exec::{Command, Output, run_blocking, run_blocking_each};

/// The repository of a home.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    root: PathBuf,
    /// What belongs to this checkout: `HEAD`, the index.
    git_dir: PathBuf,
    /// What all checkouts share: branches, objects. Nearly always the same folder.
    common_dir: PathBuf,
}

/// What `HEAD` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    /// The branch's full name, like `refs/heads/main`.
    Branch(String),
    /// A commit, of no branch.
    Detached(String),
    /// Nothing that git understands.
    Broken,
}

/// How long git may take in a home. A commit in a home of 100,000 files takes
/// half a second; a git that takes a minute waits for a disk that hangs.
const GIT_TIMEOUT: Duration = Duration::from_secs(60);

/// What is set for every call.
const SETTINGS: [&str; 8] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    // A commit that survives a power failure needs its objects, its branch and the index.
    "core.fsync=added",
    "commit.gpgSign=false",
    "advice.detachedHead=false",
    "core.quotePath=false",
    // Housekeeping is done while we wait, so that no process stays behind.
    "gc.autoDetach=false",
    "maintenance.autoDetach=false",
];

/// Makes a repository in `root`, with a branch `main` that has no commit yet.
pub(super) fn init(root: &Path) -> anyhow::Result<()> {
    // An empty template: git's own puts sample hooks into every home.
    let command = command(root).args(["init", "--quiet", "--template=", "-b", "main"]);
    succeed(&command).map(drop)
}

impl Repository {
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        let dot_git = root.join(".git");
        let git_dir = if dot_git.is_dir() {
            dot_git
        } else {
            let text = fs::read_to_string(&dot_git).with_context(|| {
                format!("find the git repository of `{}`; `zazen init` makes one", root.display())
            })?;
            let path = text.strip_prefix("gitdir: ").with_context(|| {
                format!("read `{}`: it does not name a repository", dot_git.display())
            })?;
            root.join(path.trim_end())
        };
        let common_dir = match fs::read_to_string(git_dir.join("commondir")) {
            Ok(path) => git_dir.join(path.trim_end()),
            Err(_) => git_dir.clone(),
        };
        Ok(Self { root: root.to_owned(), git_dir, common_dir })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    pub(super) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    pub(super) fn index_lock(&self) -> PathBuf {
        self.git_dir.join("index.lock")
    }

    pub(super) fn head(&self) -> Head {
        let text = fs::read_to_string(self.git_dir.join("HEAD")).unwrap_or_default();
        let text = text.trim_end();
        match text.strip_prefix("ref: ") {
            Some(branch) if branch.starts_with("refs/heads/") => Head::Branch(branch.to_owned()),
            None if is_object_id(text) => Head::Detached(text.to_owned()),
            _ => Head::Broken,
        }
    }

    /// A call of git in the root of the home.
    pub(super) fn git<const N: usize>(&self, args: [&str; N]) -> Command {
        command(&self.root).args(args)
    }
}

/// Whether a call of git succeeds.
pub(super) fn agrees(command: &Command) -> anyhow::Result<bool> {
    Ok(run_blocking(command)?.status.success())
}

/// Runs git, and makes an error of what it complains about.
pub(super) fn succeed(command: &Command) -> anyhow::Result<Output> {
    let output = run_blocking(command)?;
    if !output.status.success() {
        bail!("git refused ({}): {}", output.status, output.stderr_text().trim());
    }
    Ok(output)
}

/// Runs git, and hands over what it lists, piece by piece. Makes an error of what it
/// complains about.
pub(super) fn list(
    command: &Command,
    separator: u8,
    each: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let output = run_blocking_each(command, separator, each)?;
    if !output.status.success() {
        bail!("git refused ({}): {}", output.status, output.stderr_text().trim());
    }
    Ok(())
}

/// Whether a text is the name of an object, in either of git's formats.
pub(super) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn command(root: &Path) -> Command {
    let mut command = Command::new("git")
        .cwd(root)
        .timeout(GIT_TIMEOUT)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_CEILING_DIRECTORIES", root.parent().unwrap_or(root))
        .env("LC_ALL", "C");
    // The daemon was told to use this folder, whoever owns it.
    let safe = format!("safe.directory={}", root.display());
    for setting in SETTINGS.into_iter().chain([safe.as_str()]) {
        command = command.args(["-c", setting]);
    }
    command
}
