//! Makes a bundle of what the work left in its workspace.
//!
//! The workspace is hostile by now: git runs here, inside the sandbox, where
//! what it may be tricked into can do no harm, and never on the host. All that
//! this reports is a claim; the daemon checks the bundle.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::exec::{self, Command, Output};
use crate::sandbox::event::Collected;
use crate::sandbox::inside::Paths;
use crate::sandbox::spec::{Collect, RESULT_REF};

/// How long one git command may take, on a repository with large changes.
const GIT_TIMEOUT: Duration = Duration::from_secs(60);

/// How many paths one command is given.
const N_PATHS_MAX: usize = 100;

/// How many left-over files are named. It is for people.
const N_LEFT_OVER_MAX: usize = 100;

/// Locks that a killed git leaves behind. Nobody holds them: all processes of
/// the work are dead.
const STALE_LOCKS: [&str; 3] = ["index.lock", "HEAD.lock", "shallow.lock"];

/// Collects the commits into `result.bundle`.
pub(super) fn collect(collect: &Collect, paths: &Paths) -> anyhow::Result<Collected> {
    let git = Git { collect, workspace: &paths.workspace };
    for lock in STALE_LOCKS {
        fs::remove_file(paths.workspace.join(".git").join(lock)).ok();
    }
    if collect.takes_hidden {
        git.take_hidden()?;
    }
    let base = collect.base.as_str();
    let mut head = git.head()?;
    let mut status = git.status()?;
    let committed_by_runner = head == base && !status.is_clean();
    if committed_by_runner {
        git.run(&["add", "--all"])?;
        git.run(&["commit", "--quiet", "--no-verify", "--message", &collect.message])?;
        head = git.head()?;
        status = git.status()?;
    }
    let n_commits: u64 = git
        .text(&["rev-list", "--count", &format!("{base}..{head}")])?
        .parse()
        .context("count the commits")?;
    let base_mismatch = !git.succeeds(&["merge-base", "--is-ancestor", base, &head])?;
    let bundle = paths.out.join("result.bundle");
    remove(&bundle);
    let bundle_bytes = if n_commits == 0 { 0 } else { git.bundle(&head, &bundle)? };
    let collected = Collected {
        head: head.parse().context("read the head")?,
        base: collect.base.clone(),
        n_commits,
        bundle_bytes,
        committed_by_runner,
        base_mismatch,
        left_over: status.tracked,
        untracked_left: status.n_untracked,
    };
    let result = paths.out.join("result.json");
    remove(&result);
    let json = serde_json::to_vec(&collected).context("print the result")?;
    fs::write(&result, json).with_context(|| format!("write `{}`", result.display()))?;
    Ok(collected)
}

/// Removes whatever the work may have put in a place that is ours.
fn remove(path: &Path) {
    fs::remove_file(path).or_else(|_| fs::remove_dir_all(path)).ok();
}

struct Git<'a> {
    collect: &'a Collect,
    workspace: &'a Path,
}

/// What is not committed.
struct Status {
    tracked: Vec<String>,
    n_untracked: u64,
}

impl Status {
    fn is_clean(&self) -> bool {
        self.tracked.is_empty() && self.n_untracked == 0
    }
}

impl Git<'_> {
    fn head(&self) -> anyhow::Result<String> {
        self.text(&["rev-parse", "--verify", "HEAD^{commit}"])
    }

    fn status(&self) -> anyhow::Result<Status> {
        let output = self.run(&["status", "--porcelain=v1", "-z", "--untracked-files=all"])?;
        let text = output.stdout_text();
        let mut status = Status { tracked: Vec::new(), n_untracked: 0 };
        let mut entries = text.split('\0').filter(|entry| entry.len() > 3);
        while let Some(entry) = entries.next() {
            let (state, path) = entry.split_at_checked(3).unwrap_or(("", entry));
            if state == "?? " {
                status.n_untracked += 1;
                continue;
            }
            if status.tracked.len() < N_LEFT_OVER_MAX {
                status.tracked.push(path.to_owned());
            }
            if state.starts_with(['R', 'C']) {
                // The old name of a renamed file follows as an entry of its own.
                entries.next();
            }
        }
        Ok(status)
    }

    /// Has git see what stands in the place of files that were not checked out.
    fn take_hidden(&self) -> anyhow::Result<()> {
        let listed = self.run(&["ls-files", "-t", "-z"])?;
        let text = listed.stdout_text();
        let hidden = text.split('\0').filter_map(|entry| entry.strip_prefix("S "));
        let is_there = |path: &&str| fs::symlink_metadata(self.workspace.join(path)).is_ok();
        for paths in hidden.filter(is_there).collect::<Vec<_>>().chunks(N_PATHS_MAX) {
            self.run(&[&["update-index", "--no-skip-worktree", "--"], paths].concat())?;
        }
        Ok(())
    }

    fn bundle(&self, head: &str, bundle: &Path) -> anyhow::Result<u64> {
        self.run(&["update-ref", "--no-deref", RESULT_REF, head])?;
        let not_base = format!("^{}", self.collect.base);
        let path = bundle.to_string_lossy();
        self.run(&["bundle", "create", "--quiet", &path, RESULT_REF, &not_base])?;
        let metadata = fs::symlink_metadata(bundle)
            .with_context(|| format!("look at `{}`", bundle.display()))?;
        Ok(metadata.len())
    }

    fn text(&self, args: &[&str]) -> anyhow::Result<String> {
        Ok(self.run(args)?.stdout_text().trim().to_owned())
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        let output = exec::run_blocking(&self.command(args))?;
        if !output.status.success() {
            let said = output.stderr_text();
            bail!("`git {}` ended with {}: {}", args.join(" "), output.status, said.trim());
        }
        Ok(output)
    }

    fn succeeds(&self, args: &[&str]) -> anyhow::Result<bool> {
        Ok(exec::run_blocking(&self.command(args))?.status.success())
    }

    fn command(&self, args: &[&str]) -> Command {
        let (name, email) = self.collect.name_and_email();
        Command::new("git")
            .args([
                "-c",
                "safe.directory=*",
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "core.fsmonitor=false",
                "-c",
                "commit.gpgSign=false",
                "-c",
                "gc.auto=0",
                "-c",
                "maintenance.auto=false",
            ])
            .args(args)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_AUTHOR_NAME", name)
            .env("GIT_AUTHOR_EMAIL", email)
            .env("GIT_COMMITTER_NAME", name)
            .env("GIT_COMMITTER_EMAIL", email)
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C.UTF-8")
            .cwd(self.workspace)
            .timeout(GIT_TIMEOUT)
    }
}
