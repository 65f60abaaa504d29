//! The agent's process: its two streams, its limits, and its end.
//!
//! It gets a process group of its own, which dies as a whole. What left the group
//! outlives it until the sandbox ends: a process namespace can end it, a parent
//! cannot.

use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout};

use crate::event::{Claim, Event, Events};
use crate::lines::Lines;
use crate::session::{Out, Session, Waits};
use crate::{Limits, Options, Order};

/// See the module.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    /// Whoever is still in it has its number kept for it.
    group: Option<Pid>,
    /// How it ended.
    status: Option<ExitStatus>,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// What the agent has not read yet.
    unsent: Vec<u8>,
    lines: Lines,
    limits: Limits,
}

/// What happened next.
enum Next {
    Read(io::Result<usize>),
    Written(io::Result<usize>),
    Ordered(Option<Order>),
    Ended(io::Result<ExitStatus>),
    Late,
}

/// As much as a pipe holds, so that one read empties it.
const READ_BYTES: usize = 64 << 10;

/// How long the output is read of an agent that has ended. What it wrote is there already;
/// only a process that it left behind can write more, for ever.
const PIPE_GRACE: Duration = Duration::from_secs(1);

impl Agent {
    #[expect(clippy::disallowed_methods, reason = "the one place here that starts a process")]
    pub(crate) fn start(options: &Options) -> io::Result<Self> {
        let mut child = Command::new(&options.argv[0])
            .args(&options.argv[1..])
            .current_dir(&options.cwd)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            group: child.id().and_then(|id| Pid::from_raw(id.cast_signed())),
            status: None,
            stdin: child.stdin.take(),
            stdout,
            child,
            unsent: Vec::new(),
            lines: Lines::new(options.limits.line_bytes_max),
            limits: options.limits,
        })
    }

    /// Carries the conversation to its end. Fails where nobody reads our events.
    pub(crate) async fn work<W: Write>(
        &mut self,
        mut session: Session,
        mut orders: Receiver<Order>,
        events: &mut Events<'_, W>,
    ) -> io::Result<Option<Claim>> {
        let mut buffer = vec![0; READ_BYTES];
        let mut has_orders = true;
        let mut waits = session.waits();
        let mut late = self.deadline(waits);
        loop {
            if let Some(claim) = self.pass_on(&mut session, events)? {
                return Ok(Some(claim));
            }
            let next = self.next(&mut buffer, has_orders.then_some(&mut orders), late).await;
            let was_read = matches!(next, Next::Read(Ok(1..)));
            match next {
                Next::Read(Ok(n_read @ 1..)) => {
                    for line in self.lines.push(&buffer[..n_read]) {
                        session.take_line(&line);
                    }
                }
                Next::Read(Ok(_) | Err(_)) => {
                    if let Some(line) = self.lines.end() {
                        session.take_line(&line);
                    }
                    let (claim, why) = self.how_it_ended().await;
                    session.gone(claim, &why);
                }
                Next::Written(Ok(n_written)) => drop(self.unsent.drain(..n_written)),
                // Its end shows where it is read.
                Next::Written(Err(_)) => self.stdin = None,
                Next::Ordered(Some(Order::Say { id, text })) => session.say(id, text),
                Next::Ordered(Some(Order::Stop)) => session.stop(),
                Next::Ordered(None) => has_orders = false,
                Next::Ended(status) => {
                    self.status = status.ok();
                    late = Some(Instant::now() + PIPE_GRACE);
                    continue;
                }
                Next::Late => {
                    let (claim, why) = self.why_late();
                    session.gone(claim, &why);
                }
            }
            let waits_now = session.waits();
            let is_over = self.status.is_some();
            if !is_over && (waits_now != waits || was_read && waits_now == Waits::ForStart) {
                waits = waits_now;
                late = self.deadline(waits);
            }
        }
    }

    /// Sends and tells what has come out. Yields the claim of the end, once it is told.
    fn pass_on<W: Write>(
        &mut self,
        session: &mut Session,
        events: &mut Events<'_, W>,
    ) -> io::Result<Option<Claim>> {
        for out in session.take_out() {
            match out {
                Out::Send(line) => {
                    self.unsent.extend_from_slice(line.as_bytes());
                    self.unsent.push(b'\n');
                }
                Out::Tell(event) => {
                    events.emit(&event)?;
                    if let Event::End { claim, .. } = event {
                        return Ok(Some(claim));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn next(
        &mut self,
        buffer: &mut [u8],
        orders: Option<&mut Receiver<Order>>,
        late: Option<Instant>,
    ) -> Next {
        let Self { child, status, stdin, stdout, unsent, .. } = self;
        let write = async {
            match stdin {
                Some(stdin) if !unsent.is_empty() => stdin.write(unsent).await,
                Some(_) | None => std::future::pending().await,
            }
        };
        let ordered = async {
            match orders {
                Some(orders) => orders.recv().await,
                None => std::future::pending().await,
            }
        };
        let is_late = async {
            match late {
                Some(late) => tokio::time::sleep_until(late).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            order = ordered => Next::Ordered(order),
            written = write => Next::Written(written),
            read = stdout.read(buffer) => Next::Read(read),
            ended = child.wait(), if status.is_none() => Next::Ended(ended),
            () = is_late => Next::Late,
        }
    }

    fn deadline(&self, waits: Waits) -> Option<Instant> {
        match waits {
            Waits::ForStart => Some(Instant::now() + self.limits.start),
            Waits::ForStop => Some(Instant::now() + self.limits.stop),
            Waits::ForAnswer | Waits::No => None,
        }
    }

    /// Says how an agent ended whose stream has.
    async fn how_it_ended(&mut self) -> (Claim, String) {
        if self.status.is_none() {
            let waited = timeout(self.limits.stop, self.child.wait()).await;
            self.status = waited.ok().and_then(Result::ok);
        }
        match self.status {
            Some(status) => ended(status),
            None => (Claim::Cut, "its output ended, and it went on".to_owned()),
        }
    }

    fn why_late(&self) -> (Claim, String) {
        let n_seconds = self.limits.start.as_secs();
        let silent = || (Claim::Silent, format!("it did not answer for {n_seconds} seconds"));
        self.status.map_or_else(silent, ended)
    }

    /// Ends the agent and its whole group: by the end of its input, by being asked, by force.
    pub(crate) async fn end(mut self) {
        self.stdin = None;
        let group = self.group;
        for signal in [None, Some(Signal::TERM)] {
            if let (Some(signal), Some(group)) = (signal, group) {
                // A group that is gone already needs no signal.
                kill_process_group(group, signal).ok();
            }
            if timeout(self.limits.stop, self.drain()).await.is_ok() {
                break;
            }
        }
        if let Some(group) = group {
            kill_process_group(group, Signal::KILL).ok();
        }
        // Only a process that is stuck in the kernel is not gone by now.
        timeout(self.limits.stop, self.child.wait()).await.ok();
    }

    /// Waits for the end, and reads what is still said: else the agent could wait for us.
    async fn drain(&mut self) {
        let mut buffer = vec![0; READ_BYTES];
        let read = async {
            while let Ok(1..) = self.stdout.read(&mut buffer).await {}
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ended = self.child.wait() => {}
            () = read => {}
        }
    }
}

fn ended(status: ExitStatus) -> (Claim, String) {
    match (status.signal(), status.code()) {
        (Some(signal), _) => (Claim::Crashed, format!("it was ended by signal {signal}")),
        (None, Some(code)) => (Claim::Exited, format!("it ended with status {code}")),
        (None, None) => (Claim::Exited, "it ended".to_owned()),
    }
}
