//! The only place that starts processes.
//!
//! A [`Command`] has a fixed working directory, an environment that starts
//! empty, a time limit and a limit on what it may print. It runs in a process
//! group of its own, which is killed as a whole when the time is up or when
//! nobody waits any more. It is for short commands on the host (git, say) and
//! for the few long-lived children of the sandbox; where an agent runs is
//! `sandbox`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

mod blocking;
mod leftover;
mod nonblocking;

pub use blocking::{run_blocking, run_blocking_each};
pub use leftover::end_leftovers;
pub use nonblocking::{run, run_started};

/// A user and a group to run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
}

/// A process to be started, with all that it may know and use.
#[derive(Debug, Clone)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
    stdin: Vec<u8>,
    timeout: Duration,
    output_bytes_max: usize,
    user: Option<Ids>,
    /// Held open for whoever is started, and until then.
    inherited: Vec<Arc<OwnedFd>>,
}

/// What a command did.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// One of the two was longer than allowed, and its end is missing.
    pub truncated: bool,
}

/// How long a command may take unless it says otherwise. Commands on the host
/// are short; one that takes two minutes hangs.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);

/// How much of each of stdout and stderr is kept unless a command says
/// otherwise. It holds the log and the file lists of large repositories.
pub const OUTPUT_BYTES_MAX: usize = 16 << 20;

/// Where programs are looked for, on the host and in the sandbox.
pub const PATH_DEFAULT: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

/// How long a pipe is read after its process is gone. What holds it open then
/// is a process that left the group, and it is not worth waiting for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

impl Command {
    /// A command that runs in `/`, with nothing in its environment but `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::from([("PATH".into(), PATH_DEFAULT.into())]),
            cwd: PathBuf::from("/"),
            stdin: Vec::new(),
            timeout: TIMEOUT_DEFAULT,
            output_bytes_max: OUTPUT_BYTES_MAX,
            user: None,
            inherited: Vec::new(),
        }
    }

    /// Adds one argument.
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

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(key.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn cwd(mut self, cwd: impl AsRef<Path>) -> Self {
        cwd.as_ref().clone_into(&mut self.cwd);
        self
    }

    /// Gives the command this to read; after it comes the end.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Kills the command after this long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Keeps at most this much of each of stdout and stderr.
    #[must_use]
    pub fn output_bytes_max(mut self, output_bytes_max: usize) -> Self {
        self.output_bytes_max = output_bytes_max;
        self
    }

    /// Runs the command as someone else. This takes root.
    #[must_use]
    pub fn user(mut self, user: Option<Ids>) -> Self {
        self.user = user;
        self
    }

    /// Adds an option and, as its value, the number of a descriptor that the
    /// command inherits. It must not be one that is closed on `exec`.
    #[must_use]
    pub fn arg_fd(mut self, option: &str, fd: OwnedFd) -> Self {
        self = self.arg(option).arg(fd.as_raw_fd().to_string());
        self.inherited.push(Arc::new(fd));
        self
    }

    /// Starts a long-lived child with pipes to all three streams, as the
    /// leader of its own process group. The time limit is the caller's.
    pub fn spawn_piped(&self) -> anyhow::Result<std::process::Child> {
        let mut command = self.to_std(Stdio::piped());
        command.process_group(0);
        command.spawn().with_context(|| self.failed())
    }

    /// Starts a child that is to outlive this process. It stays in this
    /// process's group, so that it can make a session of its own.
    pub fn spawn_outliving(&self, stderr: File) -> anyhow::Result<tokio::process::Child> {
        let mut command = self.to_std(Stdio::null());
        command.stderr(stderr);
        tokio::process::Command::from(command).spawn().with_context(|| self.failed())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn to_std(&self, stdin: Stdio) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env).current_dir(&self.cwd);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(Ids { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn failed(&self) -> String {
        let (program, cwd) = (self.program.display(), self.cwd.display());
        format!("start `{program}` in `{cwd}` (is it installed, and the folder there?)")
    }

    fn timed_out(&self) -> String {
        let program = self.program.display();
        format!("`{program}` was stopped: it took longer than {:?}", self.timeout)
    }
}

impl Output {
    /// What the command printed on stdout, with anything that is not UTF-8 replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What the command printed on stderr, with anything that is not UTF-8 replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

#[cfg(test)]
mod tests;
