//! Runs a command from async code, and kills it when its future is dropped.

use std::process::Stdio;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use super::{Command, DRAIN_TIMEOUT, Output};

/// Runs a command to its end.
pub async fn run(command: Command) -> anyhow::Result<Output> {
    run_started(command, |_| ()).await
}

/// Runs a command to its end, and says once it has started which process group is its own.
pub async fn run_started(command: Command, started: impl FnOnce(Pid)) -> anyhow::Result<Output> {
    let mut std_command = command.to_std(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut std_command, 0);
    let child = tokio::process::Command::from(std_command)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| command.failed())?;
    let mut group = Group::of(child);
    if let Some(id) = group.id {
        started(id);
    }
    match tokio::time::timeout(command.timeout, wait(&mut group, &command)).await {
        Ok(output) => output,
        Err(_) => Err(anyhow::anyhow!(command.timed_out())),
    }
}

/// A child and its process group; the group goes when this does.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn of(child: Child) -> Self {
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Self { child, id }
    }

    fn kill(&self) {
        if let Some(id) = self.id {
            kill_process_group(id, Signal::KILL).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn wait(group: &mut Group, command: &Command) -> anyhow::Result<Output> {
    let (stdin, stdout, stderr) =
        (group.child.stdin.take(), group.child.stdout.take(), group.child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A command that does not read its input is no error.
            stdin.write_all(&command.stdin).await.ok();
        }
        std::future::pending::<()>().await;
    };
    let mut out = Drained::default();
    let mut err = Drained::default();
    let cap = command.output_bytes_max;
    let both = async {
        futures_util::future::join(out.drain(stdout, cap), err.drain(stderr, cap)).await;
    };
    let mut both = Box::pin(both);
    let mut feed = Box::pin(feed);
    let mut drained = false;
    let status = {
        let mut ended = Box::pin(group.child.wait());
        std::future::poll_fn(|cx| {
            let _pending = feed.as_mut().poll(cx);
            if !drained {
                drained = both.as_mut().poll(cx).is_ready();
            }
            ended.as_mut().poll(cx)
        })
        .await
        .context("wait for a command")?
    };
    // Whatever the command left behind in its group may hold the pipes open.
    group.kill();
    group.id = None;
    let late = !drained && tokio::time::timeout(DRAIN_TIMEOUT, both.as_mut()).await.is_err();
    drop(both);
    let truncated = late || out.cut || err.cut;
    Ok(Output { status, stdout: out.kept, stderr: err.kept, truncated })
}

#[derive(Default)]
struct Drained {
    kept: Vec<u8>,
    cut: bool,
}

impl Drained {
    async fn drain<R: AsyncRead + Unpin>(&mut self, pipe: Option<R>, n_bytes_max: usize) {
        let Some(mut pipe) = pipe else { return };
        (&mut pipe).take(n_bytes_max as u64).read_to_end(&mut self.kept).await.ok();
        let n_more = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await.unwrap_or(0);
        self.cut = n_more > 0;
    }
}
