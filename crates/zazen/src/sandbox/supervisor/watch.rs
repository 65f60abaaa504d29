//! Keeps what a run reports, and holds it to its limits.
//!
//! One loop over one channel: frames, requests to stop, and the disk's watch
//! come in; the next limit in time is how long it waits.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use zazen_core::secret::{Lines, Scanner};

use super::child::{self, Sandbox};
use super::journal::Journal;
use crate::sandbox::cgroup::Cgroups;
use crate::sandbox::container::Seen;
use crate::sandbox::event::{
    Achieved, EndReason, Ev, Event, Frame, Held, Level, LimitedBy, TRUNCATED,
};
use crate::sandbox::inside::home_mark;
use crate::sandbox::run_dir::RunDir;
use crate::sandbox::spec::{EngineKind, LaunchSpec, Limits};
use crate::sandbox::{disk, reach};

/// What comes in.
pub(super) enum Message {
    Frame(Frame),
    /// The runner said something that is no frame.
    Broken(String),
    /// The runner's stdout is closed.
    Closed,
    /// All that the sandbox itself said on stderr, at its end.
    Said(String),
    Stop(Duration),
    /// A line for the work's input.
    Say(String),
    DiskFull,
}

/// How a run ended, as the supervisor knows it.
pub(super) struct Ended {
    pub(super) reason: EndReason,
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) achieved: Option<Achieved>,
}

/// How many messages may wait. A burst of output fills it, and is slowed down.
const N_MESSAGES_MAX: usize = 256;

/// How long a sandbox may take to stand. It takes 30 ms, and on a machine
/// that starts hundreds at once, seconds.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the work has to end by itself after a limit.
const LIMIT_GRACE: Duration = Duration::from_secs(5);

/// How long the runner has after the work is dead: for its last words and the
/// commits. Large repositories take seconds.
pub(in crate::sandbox) const COLLECT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a sandbox may take to be gone once it is killed.
const GONE_TIMEOUT: Duration = Duration::from_secs(5);

impl Ended {
    /// An end before anything was started.
    pub(super) fn without_work(reason: EndReason) -> Self {
        Self { reason, code: None, signal: None, achieved: None }
    }
}

/// Runs a run from its sandbox's start to its end.
pub(super) fn run(run_dir: &RunDir, journal: &mut Journal) -> anyhow::Result<Ended> {
    let spec = run_dir.read_spec()?;
    let (sender, messages) = sync_channel(N_MESSAGES_MAX);
    child::listen(run_dir, sender.clone())?;
    let mut sandbox = Sandbox::start(run_dir, &spec, &sender)?;
    let held = match wait_for_hello(&messages)? {
        Hello::Here(held) => held,
        Hello::Stopped => {
            sandbox.kill();
            sandbox.wait(GONE_TIMEOUT)?;
            return Ok(Ended::without_work(EndReason::Stopped));
        }
        Hello::NotComing(said) => {
            sandbox.kill();
            let status = sandbox.wait(GONE_TIMEOUT)?.status;
            bail!("the sandbox did not come to stand ({status}): {said}");
        }
    };
    check_held(&spec, held)?;
    let cgroups = match spec.engine {
        // Its engine makes them, and the runner sees whether they hold.
        EngineKind::Container => Cgroups::default(),
        EngineKind::Bwrap | EngineKind::None => {
            Cgroups::create(run_dir, &cgroup_name(run_dir, &spec), &spec.limits)?
        }
    };
    for pid in sandbox.members()? {
        cgroups.add(pid).context("put the run into its control groups")?;
    }
    let achieved = achieved(&spec, &cgroups, held);
    journal.append(Ev::Ready { achieved: achieved.clone() })?;
    sandbox.go(achieved.processes_limit)?;

    let folders = vec![spec.workspace.clone(), run_dir.out(), run_dir.home()];
    let disk_sender = sender.clone();
    let disk_watch = disk::watch(folders, spec.limits.disk_bytes, move || {
        disk_sender.send(Message::DiskFull).ok();
    });
    drop(sender);
    let scanner = Scanner::knowing(spec.env.values().map(String::as_str).filter(is_token));
    let mut watch = Watch::new(spec.limits, journal, sandbox, &scanner);
    let followed = watch.follow(&messages);
    drop(disk_watch);
    watch.end(&messages, followed, &cgroups, achieved)
}

/// Whether a value that the work was given is the run's token, which is 64 digits.
fn is_token(value: &&str) -> bool {
    value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What came instead of the runner, or the runner.
enum Hello {
    Here(Held),
    Stopped,
    /// With what the sandbox said of it.
    NotComing(String),
}

/// Waits until the runner is there.
fn wait_for_hello(messages: &Receiver<Message>) -> anyhow::Result<Hello> {
    let deadline = Instant::now() + START_TIMEOUT;
    let mut explained = String::new();
    let mut closed = false;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match messages.recv_timeout(left) {
            Ok(Message::Frame(Frame::Hello(held))) => return Ok(Hello::Here(held)),
            Ok(Message::Frame(Frame::Event(Event { ev: Ev::Failed { message } }))) => {
                explained = message;
            }
            Ok(Message::Frame(frame)) => bail!("the runner began before it was told: {frame:?}"),
            Ok(Message::Broken(message)) => explained = message,
            Ok(Message::Stop(_)) => return Ok(Hello::Stopped),
            Ok(Message::Closed) => closed = true,
            Ok(Message::Said(said)) if explained.is_empty() => explained = said,
            // Before there is a runner, nobody takes a message; it is said again.
            Ok(Message::Said(_) | Message::Say(_) | Message::DiskFull) => {}
            Err(_) => return Ok(Hello::NotComing(format!("nothing for {START_TIMEOUT:?}"))),
        }
        if closed && !explained.is_empty() {
            return Ok(Hello::NotComing(explained));
        }
    }
}

struct Watch<'a> {
    limits: Limits,
    journal: &'a mut Journal,
    /// What is printed is kept without secrets: both streams, line by line.
    out: Lines<'a>,
    err: Lines<'a>,
    sandbox: Option<Sandbox>,
    deadline: Instant,
    last_line_at: Instant,
    n_output_bytes: u64,
    /// Why the run ends, as soon as it does for a reason of ours.
    ending: Option<EndReason>,
    /// When patience ends.
    kill_at: Option<Instant>,
    /// How the work ended, once it has.
    work: Option<(Option<i32>, Option<i32>)>,
    /// What the runner says went wrong.
    failure: Option<String>,
    /// How many processes the runner knows to have died for want of memory.
    n_killed_for_memory: u64,
    /// What the sandbox itself had to say. It matters only if nothing else is known.
    said: String,
}

impl<'a> Watch<'a> {
    fn new(
        limits: Limits,
        journal: &'a mut Journal,
        sandbox: Sandbox,
        scanner: &'a Scanner,
    ) -> Self {
        let now = Instant::now();
        Self {
            limits,
            journal,
            out: Lines::new(scanner),
            err: Lines::new(scanner),
            sandbox: Some(sandbox),
            deadline: now + limits.wall,
            last_line_at: now,
            n_output_bytes: 0,
            ending: None,
            kill_at: None,
            work: None,
            failure: None,
            n_killed_for_memory: 0,
            said: String::new(),
        }
    }

    /// Follows the run until its runner is gone.
    fn follow(&mut self, messages: &Receiver<Message>) -> anyhow::Result<()> {
        loop {
            match messages.recv_timeout(self.next_limit()) {
                Ok(Message::Frame(frame)) => self.take(frame)?,
                Ok(Message::Broken(message)) => {
                    self.stop(EndReason::RunnerFailed { message }, Duration::ZERO);
                }
                Ok(Message::Stop(grace)) => self.stop(EndReason::Stopped, grace),
                Ok(Message::Say(line)) => {
                    if let Some(sandbox) = &mut self.sandbox {
                        sandbox.pass_on(&line);
                    }
                }
                // Without a grace, in which it would only write more.
                Ok(Message::DiskFull) => self.stop(EndReason::Disk, Duration::ZERO),
                Ok(Message::Said(said)) => self.said = said,
                Ok(Message::Closed) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // After every message: a run that always talks has its limits too.
            self.check_limits();
        }
    }

    fn take(&mut self, frame: Frame) -> anyhow::Result<()> {
        match frame {
            Frame::Hello(_) => Ok(()),
            Frame::Work { code, signal, n_killed_for_memory } => {
                self.n_killed_for_memory = n_killed_for_memory;
                self.work = Some((code, signal));
                // What is left is ours, and has a limit of its own.
                self.kill_at.get_or_insert(Instant::now() + COLLECT_TIMEOUT);
                Ok(())
            }
            Frame::Event(Event { ev }) => self.keep(ev),
        }
    }

    fn keep(&mut self, ev: Ev) -> anyhow::Result<()> {
        match &ev {
            Ev::Out { line } | Ev::Err { line } => {
                self.last_line_at = Instant::now();
                self.n_output_bytes += line.len() as u64 + 1;
                if self.n_output_bytes > self.limits.output_bytes {
                    return self.over_output();
                }
            }
            Ev::Canary { ok: false, .. } => self.stop(EndReason::CanaryFailed, Duration::ZERO),
            Ev::Failed { message } => {
                self.failure.get_or_insert(message.clone());
            }
            Ev::Ready { .. } | Ev::Ended { .. } => bail!("the runner said what is ours to say"),
            Ev::Canary { .. } | Ev::Started { .. } | Ev::Result(_) => {}
        }
        let ev = self.clean(ev);
        self.journal.append(ev)
    }

    /// What is kept of what the work prints.
    fn clean(&mut self, mut ev: Ev) -> Ev {
        match &mut ev {
            Ev::Out { line } => *line = self.out.line(line).into_owned(),
            Ev::Err { line } => *line = self.err.line(line).into_owned(),
            Ev::Ready { .. }
            | Ev::Canary { .. }
            | Ev::Started { .. }
            | Ev::Result(_)
            | Ev::Failed { .. }
            | Ev::Ended { .. } => {}
        }
        ev
    }

    /// Says once that the rest is missing, and ends the run.
    fn over_output(&mut self) -> anyhow::Result<()> {
        if self.ending != Some(EndReason::OutputCap) {
            self.journal.append(Ev::Err { line: TRUNCATED.trim().to_owned() })?;
        }
        self.stop(EndReason::OutputCap, LIMIT_GRACE);
        Ok(())
    }

    fn next_limit(&self) -> Duration {
        let next = match self.kill_at {
            Some(kill_at) => kill_at,
            None => self.deadline.min(self.last_line_at + self.limits.silence),
        };
        next.saturating_duration_since(Instant::now())
    }

    fn check_limits(&mut self) {
        let now = Instant::now();
        match self.kill_at {
            Some(kill_at) if now >= kill_at => {
                if let Some(sandbox) = &mut self.sandbox {
                    sandbox.kill();
                }
                // Its end is what comes next, or nothing does.
                self.kill_at = Some(now + GONE_TIMEOUT);
            }
            Some(_) => {}
            None if now >= self.deadline => self.stop(EndReason::Deadline, LIMIT_GRACE),
            None if now >= self.last_line_at + self.limits.silence => {
                self.stop(EndReason::Silence, LIMIT_GRACE);
            }
            None => {}
        }
    }

    /// Ends the work. What it has done is collected all the same.
    fn stop(&mut self, reason: EndReason, grace: Duration) {
        if self.work.is_some() || self.ending.is_some() {
            return;
        }
        self.ending = Some(reason);
        self.kill_at = Some(Instant::now() + grace + COLLECT_TIMEOUT);
        if let Some(sandbox) = &mut self.sandbox {
            sandbox.stop(grace);
        }
    }

    fn end(
        mut self,
        messages: &Receiver<Message>,
        followed: anyhow::Result<()>,
        cgroups: &Cgroups,
        achieved: Achieved,
    ) -> anyhow::Result<Ended> {
        if let Some(mut sandbox) = self.sandbox.take() {
            if followed.is_err() {
                sandbox.kill();
            }
            let gone = sandbox.wait(GONE_TIMEOUT)?;
            // Of a container that said how its work ended, the runner knows better.
            self.n_killed_for_memory += u64::from(gone.out_of_memory && self.work.is_none());
            self.said = gone.said;
        }
        followed?;
        while let Ok(message) = messages.try_recv() {
            if let Message::Said(said) = message {
                self.said = said;
            }
        }
        let (code, signal) = self.work.unwrap_or_default();
        let out_of_memory = cgroups.n_killed_for_memory() + self.n_killed_for_memory > 0;
        let reason = match (self.ending, self.work, self.failure) {
            (Some(reason), _, _) => reason,
            // What ran out of memory may have been one tool of many. It is the
            // run's end only if the run did not get over it.
            (None, work, _) if out_of_memory && work != Some((Some(0), None)) => EndReason::Memory,
            (None, _, Some(message)) => EndReason::RunnerFailed { message },
            (None, Some(_), None) => EndReason::Exited,
            (None, None, None) => {
                let message = format!("the runner ended before the work did: {}", self.said);
                EndReason::RunnerFailed { message }
            }
        };
        Ok(Ended { reason, code, signal, achieved: Some(achieved) })
    }
}

/// Refuses a sandbox whose system calls are not filtered.
fn check_held(spec: &LaunchSpec, held: Held) -> anyhow::Result<()> {
    if held.filtered || spec.engine == EngineKind::None {
        return Ok(());
    }
    bail!("the sandbox `{}` does not filter system calls", spec.engine.word())
}

fn achieved(spec: &LaunchSpec, cgroups: &Cgroups, held: Held) -> Achieved {
    let level = if spec.engine.is_isolated() { Level::Isolated } else { Level::None };
    let limits = &spec.limits;
    let (memory, processes) = match held.container {
        Some(seen) => (
            seen.held_by(seen.memory_bytes, limits.memory_bytes).unwrap_or(LimitedBy::Nothing),
            seen.held_by(seen.n_processes, limits.n_processes_max).unwrap_or(LimitedBy::Rlimit),
        ),
        None => (cgroups.memory_limited_by(), cgroups.processes_limited_by()),
    };
    Achieved {
        files: level,
        network: level,
        processes: level,
        memory_limit: memory,
        processes_limit: processes,
        disk_limit: LimitedBy::Watched,
        cpu_limit: held.container.map_or(LimitedBy::Nothing, Seen::cpu_limited_by),
        users: match held.container {
            Some(seen) if !seen.has_own_users => Level::None,
            Some(_) | None => level,
        },
        syscall_filter: held.filtered,
        landlock: held.landlock,
        uid: reach::work_uid(),
    }
}

fn cgroup_name(run_dir: &RunDir, spec: &LaunchSpec) -> String {
    let runs = run_dir.path().parent().unwrap_or(run_dir.path());
    format!("{}-{}", home_mark(runs), spec.run)
}
