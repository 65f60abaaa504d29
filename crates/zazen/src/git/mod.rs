//! Mirrors, workspaces, hostile reads, push.
//!
//! [`Git`] is the closed way to call git: every call names a repository that
//! we made ourselves, knows no configuration but ours and asks nobody
//! anything. No call is ever made inside a folder that an agent has touched.
//!
//! Read on in the order of the work: [`Mirror`] keeps a copy of what we work
//! on, [`workspace`] gives a run its checkout, [`collect`] takes the result
//! back as a bundle and judges it, [`rebase`] puts it onto another base, and
//! [`publish`] pushes exactly that commit. `credential` tells git who we are, and [`carry`]
//! puts a change into a file.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};

use self::credential::Login;
use crate::exec::{self, Ids, Output};

mod archive;
mod bundle;
mod carry;
mod changes;
pub mod collect;
mod credential;
mod fault;
mod fetch;
mod mirror;
mod path;
pub mod publish;
mod range;
mod read;
pub mod rebase;
mod refs;
mod remote;
mod shown;
mod source;
pub mod trash;
pub mod workspace;

pub use archive::Archive;
pub use bundle::{BundleFault, RESULT_REF};
pub use carry::{Carried, CarryError, carry};
pub use changes::Changes;
pub use fetch::FetchError;
pub use mirror::{KeptRef, Mirror};
pub use path::PathFault;
pub use range::{ForeignCommit, Ours, RangeStat};
pub use read::{CommitInfo, Diff, DiffStat, FileStat, Person};
pub use remote::create_bare;
pub use source::{Auth, InvalidSource, RepoUrl, Source};

/// One repository of ours, to call git in.
#[derive(Debug, Clone)]
pub struct Git {
    git_dir: PathBuf,
    is_limited: bool,
}

/// One call of git, not yet made.
#[derive(Debug)]
pub struct Call {
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    /// Settings after the ones that every call has.
    settings: Vec<String>,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    stdin: Vec<u8>,
    stdout_bytes_max: usize,
    timeout: Duration,
    user: Option<Ids>,
    is_limited: bool,
    /// No file that git writes may be longer.
    file_bytes_max: Option<u64>,
    /// The one way in which it may reach another repository.
    protocol: String,
    login: Option<Login>,
}

/// The tree of a commit: forty lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeId(String);

/// Git was stopped by a limit on memory, on time, or on what it may print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`git {name}` took or printed too much")]
pub struct TooMuch {
    name: String,
}

/// A text is not the id of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not a tree (forty hexadecimal digits)")]
pub struct InvalidTreeId;

/// How long git may work without leaving this machine. Listing a very large
/// repository takes seconds, or minutes when everything else is busy too; ten
/// minutes is a hung disk.
pub const LOCAL_TIMEOUT: Duration = Duration::from_secs(600);

/// How long git may look at what a remote has. It is one small answer.
pub const LOOK_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a transfer may take. The first fetch of a repository of several
/// gigabytes over a slow line stays below it.
pub const TRANSFER_TIMEOUT: Duration = Duration::from_secs(1_800);

/// How much of what git says of an error is passed on.
const STDERR_CHARS_MAX: usize = 2_000;

/// What every call is made with. None of it can be left out by a caller, and
/// what is set here wins over the configuration in the repository.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.pager=cat",
    "core.quotePath=false",
    // Two of our own calls may meet at one ref; both should get their turn.
    "core.filesRefLockTimeout=10000",
    "core.packedRefsTimeout=10000",
    "safe.bareRepository=explicit",
    "protocol.ext.allow=never",
    "transfer.fsckObjects=true",
    "credential.helper=",
    // A redirect would carry the token to wherever it points.
    "http.followRedirects=false",
    // A server that sends less than this is not coming back.
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "commit.gpgSign=false",
    "log.showSignature=false",
    // A process that goes on in the background is one that nobody waits for.
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Starts git with at most 1 GiB of memory, with all that is mapped, and a
/// minute of processor time: the largest bundle allowed takes seconds, but two
/// hundred bytes can claim to be a file of ten gigabytes. A system whose shell
/// has no such limits goes without.
const LIMITED: &str = "ulimit -v 1048576 2>/dev/null; ulimit -t 60 2>/dev/null; ";

/// What keeps honest work far below the limit on memory.
const LIMITED_SETTINGS: &[&str] = &[
    "pack.threads=1",
    "core.bigFileThreshold=16m",
    "core.packedGitWindowSize=32m",
    "core.packedGitLimit=128m",
    "core.deltaBaseCacheLimit=32m",
];

/// The environment of every call, which has nothing else in it but `PATH`.
const ENV: &[(&str, &str)] = &[
    ("HOME", "/nonexistent"),
    ("LC_ALL", "C"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_CEILING_DIRECTORIES", "/"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "false"),
];

impl Git {
    /// Names a repository. It must be one that only we have written to.
    pub fn at(git_dir: &Path) -> Self {
        Self { git_dir: git_dir.to_owned(), is_limited: false }
    }

    /// Names a repository of ours with objects of others in it. A call that
    /// takes too much of the machine for them ends with [`TooMuch`].
    pub(in crate::git) fn limited(git_dir: &Path) -> Self {
        Self { git_dir: git_dir.to_owned(), is_limited: true }
    }

    /// Starts a call of one git command.
    pub fn call(&self, name: &'static str) -> Call {
        Call {
            git_dir: self.git_dir.clone(),
            work_tree: None,
            settings: Vec::new(),
            args: vec![name.into()],
            env: Vec::new(),
            stdin: Vec::new(),
            stdout_bytes_max: exec::OUTPUT_BYTES_MAX,
            timeout: LOCAL_TIMEOUT,
            user: None,
            is_limited: self.is_limited,
            file_bytes_max: None,
            protocol: "file".to_owned(),
            login: None,
        }
    }
}

impl Call {
    /// Adds one argument. Put `--` or `--end-of-options` before what came from outside.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds a setting (`name=value`). Settings are arguments, so no secret may be in one.
    #[must_use]
    pub fn setting(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Names the folder whose files belong to the repository.
    #[must_use]
    pub fn work_tree(mut self, work_tree: &Path) -> Self {
        self.work_tree = Some(work_tree.to_owned());
        self
    }

    /// Adds to the environment, in which the closed part cannot be changed.
    #[must_use]
    pub fn env(mut self, key: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((key, value.as_ref().to_owned()));
        self
    }

    /// Gives git this to read.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Keeps at most this much of what git prints.
    #[must_use]
    pub fn stdout_bytes_max(mut self, stdout_bytes_max: usize) -> Self {
        self.stdout_bytes_max = stdout_bytes_max;
        self
    }

    /// Stops git after this long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs git as someone else.
    #[must_use]
    pub fn user(mut self, user: Option<Ids>) -> Self {
        self.user = user;
        self
    }

    /// Stops git where it would write a file longer than this: a pack, mostly.
    #[must_use]
    pub(in crate::git) fn file_bytes_max(mut self, file_bytes_max: u64) -> Self {
        self.file_bytes_max = Some(file_bytes_max);
        self
    }

    /// Names the one remote that is reached, and proves to it who we are.
    #[must_use]
    pub(in crate::git) fn reaching(mut self, source: &Source, auth: Option<&Auth>) -> Self {
        source.protocol().clone_into(&mut self.protocol);
        self.login = auth.and_then(|auth| Login::new(source, auth));
        self
    }

    /// Makes the call and returns whatever git says.
    pub async fn output(self) -> anyhow::Result<Output> {
        match self.login.clone() {
            Some(login) => credential::run(self, &login).await,
            None => exec::run(self.command()).await,
        }
    }

    /// Makes the call, which has to succeed.
    pub async fn run(self) -> anyhow::Result<Output> {
        let (name, git_dir) = (self.args[0].display().to_string(), self.git_dir.clone());
        let is_limited = self.is_limited;
        let output = self.output().await?;
        if output.status.success() && !output.truncated {
            return Ok(output);
        }
        if output.status.success() || (is_limited && is_over_limit(&output)) {
            return Err(TooMuch { name }.into());
        }
        bail!("`git {name}` failed in `{}`: {}", git_dir.display(), said(&output))
    }

    /// Makes the call, which has to succeed, and returns its one line.
    pub async fn line(self) -> anyhow::Result<String> {
        Ok(self.run().await?.stdout_text().trim_end_matches('\n').to_owned())
    }

    fn command(self) -> exec::Command {
        let limits = self.limits();
        let mut command = if limits.is_empty() {
            exec::Command::new("git")
        } else {
            // What the shell runs is fixed; git's arguments pass through it unread.
            let script = format!("{limits}exec git \"$@\"");
            exec::Command::new("sh").args(["-c", &script, "git"])
        };
        let more = if self.is_limited { LIMITED_SETTINGS } else { &[] };
        let settings = SETTINGS.iter().chain(more).copied();
        for setting in settings.chain(self.settings.iter().map(String::as_str)) {
            command = command.arg("-c").arg(setting);
        }
        command = command.arg(option("--git-dir=", &self.git_dir));
        if let Some(work_tree) = &self.work_tree {
            command = command.arg(option("--work-tree=", work_tree)).cwd(work_tree);
        }
        command = command.args(&self.args);
        for (key, value) in &self.env {
            command = command.env(key, value);
        }
        for (key, value) in ENV {
            command = command.env(key, value);
        }
        command = command.env("GIT_ALLOW_PROTOCOL", &self.protocol);
        command = command.stdin(self.stdin).output_bytes_max(self.stdout_bytes_max);
        command.timeout(self.timeout).user(self.user)
    }

    /// What a shell sets before it becomes git.
    fn limits(&self) -> String {
        let general = if self.is_limited { LIMITED } else { "" };
        // Shells count in blocks of 512 bytes.
        let files = self.file_bytes_max.map(|n| format!("ulimit -f {} 2>/dev/null; ", n / 512));
        format!("{general}{}", files.unwrap_or_default())
    }
}

impl TreeId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TreeId {
    type Err = InvalidTreeId;

    fn from_str(text: &str) -> Result<Self, InvalidTreeId> {
        let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 40 && is_hex { Ok(Self(text.to_owned())) } else { Err(InvalidTreeId) }
    }
}

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An option and a path in one argument, so that the path can begin with anything.
fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

/// Whether a limited call failed because of its limits.
fn is_over_limit(output: &Output) -> bool {
    let said = output.stderr_text().to_lowercase();
    // What git says, what its library for compression says, and what the system says.
    let is_out = said.contains("out of memory") || said.contains("cannot allocate memory");
    output.status.code().is_none() || is_out
}

/// What git said of its failure, fit for a log and for people.
fn said(output: &Output) -> String {
    let text = plain(&output.stderr_text());
    if text.is_empty() { format!("it said nothing ({})", output.status) } else { text }
}

/// The text in one line, without anything that acts on a terminal.
fn plain(text: &str) -> String {
    let text = zazen_core::text::plain(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ");
    line.chars().filter(|c| !c.is_control()).take(STDERR_CHARS_MAX).collect()
}

/// Makes an empty bare repository, whole or not at all.
async fn init_bare(dir: &Path) -> anyhow::Result<()> {
    let parent = dir.parent().context("a repository needs a folder around it")?;
    std::fs::create_dir_all(parent)
        .with_context(|| format!("create the folder `{}`", parent.display()))?;
    let staging = tempfile::Builder::new().prefix(".new-").tempdir_in(parent)?;
    let new = staging.path().join("git");
    Git::at(&new)
        .call("init")
        // Others may read, whatever our umask is: a sandbox's user is another one.
        .args(["--bare", "--quiet", "--template=", "--shared=0644", "--object-format=sha1"])
        .arg("--initial-branch=main")
        .run()
        .await?;
    std::fs::rename(&new, dir).with_context(|| format!("create `{}`", dir.display()))
}

#[cfg(test)]
mod tests;
