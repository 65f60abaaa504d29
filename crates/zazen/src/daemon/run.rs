//! Sees to it that a run is under way, follows it, and reports how it ended.
//!
//! Everything that a run needs to be found again is in its folder. So there is
//! one way through here, whether the run is new, was begun before a restart, or
//! ended while no daemon was there.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use zazen_core::engine::Fact;
use zazen_core::id::{CommitId, RunId};
use zazen_core::task::{Event, Outcome, Phase, Task, Trouble, TroubleKind};
use zazen_core::text::{cut_middle, one_line, plain};
use zazen_core::trace;
use zazen_core::usage::Usage;
use zazen_core::words;

use super::evidence::usage;
use super::judge;
use super::keep::now;
use super::launch;
use super::perform::trouble;
use super::world::World;
use crate::gateway::{self, CallReport, Grant, Token};
use crate::git::trash;
use crate::harness::{self};
use crate::home::atomic::{self, Durability};
use crate::sandbox::{self, Ev, EventLine, Exit, Phase as Stage, RunDir};

/// How long a run gets to end by itself when it is stopped.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(5);

/// How often a run's folder is looked at. People see progress within this time.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How many reports of calls wait. They are for displays only.
const REPORTS_MAX: usize = 64;

/// The name of the file that keeps a run's token for a daemon that comes later.
const TOKEN_FILE: &str = "token";

/// The name of the file with the agent's last words.
pub(super) const ANSWER_FILE: &str = "answer.md";

/// The name of the file with the recorded model calls.
pub(super) const RECORDING_FILE: &str = "recording.jsonl";

/// What a run came to: its end, and what was read from its stream.
pub(super) struct Ended {
    pub(super) exit: Option<Exit>,
    pub(super) stream: Stream,
}

/// What the lines of a run say, as far as it matters for its end.
pub(super) struct Stream {
    pub(super) reader: harness::Reader,
    pub(super) collected: Option<sandbox::Collected>,
    pub(super) failed: Vec<String>,
    /// What went wrong in the words of the work: the last lines of its standard error,
    /// and the errors that its harness told.
    pub(super) errors: Vec<String>,
}

/// How many lines of errors are kept as evidence.
const N_ERRORS_MAX: usize = 40;

impl Stream {
    fn note_error(&mut self, text: &str) {
        if self.errors.len() >= N_ERRORS_MAX {
            self.errors.remove(0);
        }
        self.errors.push(one_line(&plain(text), 500));
    }
}

/// See the module.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    (run, phase, from): (RunId, Phase, CommitId),
) -> anyhow::Result<Vec<Fact>> {
    let dir = RunDir::new(world.home.run_dir(run));
    world.live.begin(run, phase, now());
    let ended = see_through(world, task, &dir, (run, phase, &from)).await;
    world.live.end(run);
    let ended = match ended {
        Ok(Some(ended)) => ended,
        // The daemon is about to end. The run goes on, and is found again.
        Ok(None) => return Ok(Vec::new()),
        // There will be space again; nothing is wrong with the task.
        Err(err) if is_disk_full(&err) => return Err(err),
        Err(err) if dir.observe().is_ok_and(|stage| stage == Stage::Absent) => {
            return Ok(vec![not_started(task, run, &err)]);
        }
        Err(err) => return Err(err),
    };
    let outcome = judge::judge(world, task, &dir, (phase, &from), &ended).await?;
    keep_answer(&dir, &ended.stream)?;
    let usage = usage(world, &dir)?;
    clean_up(world, run, &dir)?;
    Ok(vec![Fact::of(task.id, Event::RunEnded { run, outcome, usage })])
}

/// Whether the disk, or somebody's share of it, is full.
fn is_disk_full(err: &anyhow::Error) -> bool {
    err.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|err| {
        matches!(err.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
    })
}

/// A run that could not be started has failed, as one that ended badly.
fn not_started(task: &Task, run: RunId, err: &anyhow::Error) -> Fact {
    tracing::warn!("run {run} could not be started: {err:#}");
    let outcome = Outcome::Failed { trouble: trouble(TroubleKind::Sandbox, err) };
    Fact::of(task.id, Event::RunEnded { run, outcome, usage: Usage::default() })
}

/// Starts the run if it is not under way, and follows it to its end.
async fn see_through(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (run, phase, from): (RunId, Phase, &CommitId),
) -> anyhow::Result<Option<Ended>> {
    let stage = dir.observe()?;
    let is_over = matches!(stage, Stage::Ended(_) | Stage::Lost);
    let (sender, reports) = mpsc::channel(REPORTS_MAX);
    let door = if is_over || phase == Phase::Verify {
        None
    } else {
        make_dir(dir.path())?;
        Some(world.gateway.open(grant(world, dir, run, phase)?, sender).await?)
    };
    if stage == Stage::Absent {
        launch::start(world, task, dir, (run, phase, from)).await?;
        tracing::info!("run {run} ({phase}) of task {} begins", task.id);
    } else if !is_over {
        tracing::info!("run {run} ({phase}) of task {} is found again", task.id);
    }
    let ended = follow(world, dir, run, reports).await;
    if let Some(door) = door {
        door.close().await.context("close the gateway's door")?;
    }
    ended
}

fn make_dir(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(dir)
        .with_context(|| format!("make {}", dir.display()))
}

fn grant(world: &World, dir: &RunDir, run: RunId, phase: Phase) -> anyhow::Result<Grant> {
    let source = match &world.playback {
        Some(recording) => gateway::Source::Playback(recording.clone()),
        None => gateway::Source::Live { route: world.config.harness.route.clone() },
    };
    let folder = dir.path().join("gateway");
    make_dir(&folder)?;
    // Only who can enter the folder gets to the socket, and the token is needed as well.
    let socket_mode = if sandbox::sandbox_ids().is_some() { 0o666 } else { 0o600 };
    Ok(Grant {
        run,
        label: phase.to_string(),
        token: token(dir)?,
        socket: folder.join("gateway.sock"),
        source,
        record_to: dir.path().join(RECORDING_FILE),
        socket_mode,
    })
}

/// The run's token: a new one, or the one that it was started with.
pub(super) fn token(dir: &RunDir) -> anyhow::Result<Token> {
    let path = dir.path().join(TOKEN_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().with_context(|| format!("read {}", path.display())),
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
            let token = Token::random().context("make a token")?;
            atomic::write(&path, token.to_string().as_bytes(), Durability::Durable)?;
            Ok(token)
        }
        Err(err) => Err(err).with_context(|| format!("read {}", path.display())),
    }
}

/// Reads what happens in a run until it has ended, or the daemon is about to.
async fn follow(
    world: &World,
    dir: &RunDir,
    run: RunId,
    mut reports: mpsc::Receiver<CallReport>,
) -> anyhow::Result<Option<Ended>> {
    let mut stream = Stream {
        reader: world.harness.reader(),
        collected: None,
        failed: Vec::new(),
        errors: Vec::new(),
    };
    let mut offset = 0;
    loop {
        let stage = dir.observe()?;
        while let Ok(report) = reports.try_recv() {
            world.live.change(run, |live| live.usage += report.usage);
        }
        for line in dir.read_new(&mut offset)? {
            take_line(world, run, &mut stream, line);
        }
        match stage {
            Stage::Ended(exit) => {
                read_rest(world, dir, (run, &mut offset), &mut stream)?;
                return Ok(Some(Ended { exit: Some(exit), stream }));
            }
            Stage::Lost => return Ok(Some(Ended { exit: None, stream })),
            Stage::Absent | Stage::Starting | Stage::Running => {}
        }
        if world.closing.is_cancelled() {
            return Ok(None);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Nothing is written after the exit, so what is there now is all.
fn read_rest(
    world: &World,
    dir: &RunDir,
    (run, offset): (RunId, &mut u64),
    stream: &mut Stream,
) -> anyhow::Result<()> {
    loop {
        let lines = dir.read_new(offset)?;
        if lines.is_empty() {
            return Ok(());
        }
        for line in lines {
            take_line(world, run, stream, line);
        }
    }
}

fn take_line(world: &World, run: RunId, stream: &mut Stream, line: EventLine) {
    match line.ev {
        Ev::Out { line } => {
            for event in stream.reader.read(&line) {
                if let trace::Event::Error { message } = &event {
                    stream.note_error(message);
                }
                if let Some(last) = words::event_line(&event) {
                    world.live.change(run, |live| live.last = last);
                }
            }
        }
        Ev::Err { line } => stream.note_error(&line),
        Ev::Result(collected) => stream.collected = Some(collected),
        Ev::Failed { message } => stream.failed.push(message),
        Ev::Ready { .. } | Ev::Canary { .. } | Ev::Started { .. } | Ev::Ended { .. } => {}
    }
}

/// The fact that a run has ended which nobody in this daemon follows.
pub(super) fn ended_without_follower(world: &World, run: RunId) -> anyhow::Result<Fact> {
    let usage = usage(world, &RunDir::new(world.home.run_dir(run)))?;
    Ok(Fact::of(run.task, Event::RunEnded { run, outcome: Outcome::Stopped, usage }))
}

fn keep_answer(dir: &RunDir, stream: &Stream) -> anyhow::Result<()> {
    let answer = plain(stream.reader.answer());
    atomic::write(&dir.path().join(ANSWER_FILE), answer.as_bytes(), Durability::Relaxed)
        .context("keep the agent's answer")
}

/// The workspace and the private home go; the trace, the recording and the result stay.
fn clean_up(world: &World, run: RunId, dir: &RunDir) -> anyhow::Result<()> {
    let trash = world.trash();
    for folder in [world.home.work_dir().join(run.to_string()), dir.home()] {
        if folder.exists() {
            trash::remove(&folder, &trash)?;
        }
    }
    let _old = fs::remove_file(dir.path().join(TOKEN_FILE));
    Ok(())
}

/// Trouble with a run, with the last errors that it told as evidence.
pub(super) fn run_trouble(kind: TroubleKind, what: &str, stream: &Stream) -> Trouble {
    let mut evidence = what.trim().to_owned();
    let new = |line: &&String| !what.contains(line.as_str());
    for line in stream.failed.iter().chain(&stream.errors).filter(new) {
        evidence.push('\n');
        evidence.push_str(line);
    }
    let evidence = cut_middle(plain(&evidence).trim(), zazen_core::task::EVIDENCE_BYTES_MAX);
    Trouble { kind, evidence }
}
