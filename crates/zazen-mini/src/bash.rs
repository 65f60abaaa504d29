//! Runs one command of the model: a fresh shell, one pipe, a limit on everything.
//!
//! The command gets its own process group, which dies as a whole when the time
//! is up. A process that left the group (`setsid`) outlives it until the sandbox
//! ends: a pid namespace can end it, a parent cannot. What a finished command
//! left in the background is let be, since the next command may need it.

use std::io::{self, PipeWriter};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::clip::Clip;
use crate::{Options, prompt};

/// What one command did.
pub(crate) struct Outcome {
    pub(crate) exit: i32,
    pub(crate) timed_out: bool,
    pub(crate) output: String,
    pub(crate) bytes_cut: u64,
}

/// How long the pipe is read after the shell has ended. What the shell wrote is
/// there already; only a process it left behind can write more, for ever.
const PIPE_GRACE: Duration = Duration::from_secs(1);

/// How long a killed shell may take to go. Only one stuck in the kernel needs more.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// As much as a pipe holds, so that one read empties it.
const READ_BYTES: usize = 64 * 1024;

/// What a shell says when it cannot start a command.
const EXIT_NOT_STARTED: i32 = 127;

/// What a shell adds to the number of the signal that ended a command.
const EXIT_SIGNAL_BASE: i32 = 128;

/// Set for every command, so that none waits for a person or draws for one.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "true"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("TERM", "dumb"),
];

/// Runs `command` to its end, or to the end of its time.
pub(crate) async fn run(command: &str, options: &Options) -> Outcome {
    run_started(command, options).await.unwrap_or_else(|err| Outcome {
        exit: EXIT_NOT_STARTED,
        timed_out: false,
        output: prompt::not_started(&err),
        bytes_cut: 0,
    })
}

async fn run_started(command: &str, options: &Options) -> io::Result<Outcome> {
    let (reader, writer) = io::pipe()?;
    let mut pipe = Receiver::from_owned_fd(reader.into())?;
    let mut child = start(command, options, &writer)?;
    // Ours would keep the pipe open after everybody else's is closed.
    drop(writer);

    let mut clip = Clip::new(options.output_bytes_max);
    let ended = timeout(options.command_timeout, watch(&mut child, &mut pipe, &mut clip)).await;
    let timed_out = ended.is_err();
    let status = match ended {
        Ok(status) => status?,
        Err(_elapsed) => kill(&mut child).await?,
    };
    // Past the grace, somebody else holds the pipe, and is no part of this command.
    timeout(PIPE_GRACE, drain(&mut pipe, &mut clip)).await.ok();

    let (output, bytes_cut) = clip.into_text();
    Ok(Outcome { exit: exit_of(status), timed_out, output, bytes_cut })
}

fn start(command: &str, options: &Options, writer: &PipeWriter) -> io::Result<Child> {
    match start_in("bash", command, options, writer) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            start_in("sh", command, options, writer)
        }
        started => started,
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place here that starts a process")]
fn start_in(
    shell: &str,
    command: &str,
    options: &Options,
    writer: &PipeWriter,
) -> io::Result<Child> {
    let mut shell = Command::new(shell);
    shell.arg("-c").arg(command).current_dir(&options.cwd).envs(ENVIRONMENT);
    for (name, value) in std::env::vars_os() {
        if !options.token.is_empty() && value.to_string_lossy().contains(&options.token) {
            shell.env_remove(name);
        }
    }
    shell.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer.try_clone()?);
    shell.process_group(0).kill_on_drop(true).spawn()
}

/// Reads the pipe for as long as the shell lives.
async fn watch(child: &mut Child, pipe: &mut Receiver, clip: &mut Clip) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => status,
        () = drain(pipe, clip) => child.wait().await,
    }
}

async fn drain(pipe: &mut Receiver, clip: &mut Clip) {
    let mut buffer = vec![0; READ_BYTES];
    // A pipe that cannot be read is as good as one that has ended.
    while let Ok(n_read @ 1..) = pipe.read(&mut buffer).await {
        clip.push(&buffer[..n_read]);
    }
}

async fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(group) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // A group that is gone already needs no killing.
        kill_process_group(group, Signal::KILL).ok();
    }
    timeout(KILL_TIMEOUT, child.wait()).await.unwrap_or_else(|_elapsed| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "the shell was killed, but is not gone"))
    })
}

fn exit_of(status: ExitStatus) -> i32 {
    let by_signal = || EXIT_SIGNAL_BASE + status.signal().unwrap_or(0);
    status.code().unwrap_or_else(by_signal)
}
