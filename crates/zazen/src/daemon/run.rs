//! Sees to it that a run is under way, follows it, and reports how it ended.
//!
//! Everything that a run needs to be found again is in its folder. So there is
//! one way through here, whether the run is new, was begun before a restart, or
//! ended while no daemon was there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use zazen_core::budget::{Exceeded, Payer};
use zazen_core::contract::Bounds;
use zazen_core::engine::Fact;
use zazen_core::id::{CommitId, RunId, Time};
use zazen_core::stuck::{Verdict, Watch};
use zazen_core::task::{Event, Outcome, Phase, Task, Trouble, TroubleKind};
use zazen_core::text::{cut_middle, one_line, plain};
use zazen_core::usage::Usage;
use zazen_core::{trace, words};

use super::agents::{Acting, Gone};
use super::contract;
use super::crash::{self, Moment};
use super::evidence::usage;
use super::hold;
use super::judge;
use super::keep::now;
use super::launch;
use super::perform::{may_pass, trouble};
use super::review;
use super::session;
use super::stuck;
use super::world::World;
use crate::gateway::{CallReport, Grant, Source, Token};
use crate::git::trash;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{self, Ev, EventLine, Exit, Phase as Stage, RunDir};
use zazen_harness as harness;

/// How long a run gets to end by itself when it is stopped.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(5);

/// How often a run's folder is looked at. People see progress within this time.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Every how many looks a run is looked at though it says nothing new: whether its
/// supervisor is still there. Until then a look is no more than the size of a file.
const LOOKS_PER_CLOSE_LOOK: u32 = 10;

/// How often is looked whether the last file is there, once all is said. It is there
/// as soon as it is synced.
const LOOK_AT_END_EVERY: Duration = Duration::from_millis(3);

/// How many reports of calls wait. They are for displays only.
const REPORTS_MAX: usize = 64;

/// How much longer than the run itself its token is good for: the time that a sandbox may
/// take to start, and to end.
const TOKEN_SLACK: Duration = Duration::from_secs(5 * 60);

/// The name of the file that keeps a run's token for a daemon that comes later.
const TOKEN_FILE: &str = "token";

/// The name of the file with the agent's last words.
pub(super) const ANSWER_FILE: &str = "answer.md";

/// The name of the file with the recorded model calls.
pub(super) const RECORDING_FILE: &str = "recording.jsonl";

/// The name of the file with what the run reached and was refused.
pub(crate) const EGRESS_FILE: &str = "egress.jsonl";

/// The name of the folder with the run's socket.
pub(super) const GATEWAY_DIR: &str = "gateway";

/// What a run came to: its end, and what was read from its stream.
pub(super) struct Ended {
    pub(super) exit: Option<Exit>,
    pub(super) stream: Stream,
}

/// What the lines of a run say, as far as it matters for its end.
pub(super) struct Stream {
    pub(super) reader: harness::Reader,
    /// Who acts. Nobody does in checks.
    pub(super) acting: Option<Acting>,
    pub(super) collected: Option<sandbox::Collected>,
    pub(super) failed: Vec<String>,
    /// The last errors: what the work wrote to its standard error, or told of in its stream.
    pub(super) errors: Vec<String>,
    /// Whether the supervisor has said how the run ended.
    is_over: bool,
    /// Sees whether the agent gets somewhere. Checks have no agent.
    watch: Option<Watch>,
    /// That it gets nowhere.
    verdict: Option<Verdict>,
}

/// How many errors are kept as evidence.
const N_ERRORS_MAX: usize = 40;

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
    let mut ended = match ended {
        Ok(Some(ended)) => ended,
        Err(err) if err.is::<OverBudget>() => {
            let because = trouble(TroubleKind::Budget, &err);
            let outcome = match err.downcast_ref() {
                Some(OverBudget(exceeded)) => hold::over_budget(world, exceeded, because),
                None => Outcome::Failed { trouble: because },
            };
            let usage = Usage::default();
            return Ok(vec![Fact::of(task.id, Event::RunEnded { run, outcome, usage })]);
        }
        Err(err) if err.is::<TooLate>() => {
            let outcome = Outcome::Failed { trouble: trouble(TroubleKind::TooLate, &err) };
            let usage = Usage::default();
            return Ok(vec![Fact::of(task.id, Event::RunEnded { run, outcome, usage })]);
        }
        // The next run has an agent that is there.
        Err(err) if err.is::<Gone>() => {
            tracing::warn!("run {run} is not started: {err:#}");
            // Who may review zazen's own work was found before, and stays.
            let is_own_review = phase == Phase::Review && task.state.work().is_some();
            let trouble = is_own_review.then(|| trouble(TroubleKind::Crash, &err));
            let outcome = trouble.map_or(Outcome::Stopped, |trouble| Outcome::Failed { trouble });
            let usage = Usage::default();
            return Ok(vec![Fact::of(task.id, Event::RunEnded { run, outcome, usage })]);
        }
        // The daemon is about to end. The run goes on, and is found again.
        Ok(None) => return Ok(Vec::new()),
        // The machine is to blame, not the task: the same is tried again.
        Err(err) if may_pass(&err) || review::is_passing(&err) => return Err(err),
        Err(err) if dir.observe().is_ok_and(|stage| stage == Stage::Absent) => {
            return Ok(vec![not_started(task, run, &err)]);
        }
        Err(err) => return Err(err),
    };
    crash::point(world.crash(), Moment::RunEnded);
    if ended.exit.is_none() {
        // Its supervisor cannot clear up after it any more.
        sandbox::stop(dir.path(), Duration::ZERO).await?;
    }
    let outcome = judge::judge(world, task, &dir, (phase, &from), &ended).await?;
    let outcome = hold::judged(world, (task, phase), &dir, outcome)?;
    keep_answer(world, &dir, &ended.stream)?;
    let lines = ended.stream.reader.lines();
    if let Some(acting) = &mut ended.stream.acting {
        acting.note_lines(&dir, lines)?;
    }
    let usage = usage(world, &dir)?;
    crash::point(world.crash(), Moment::RunJudged);
    session::keep(world, task, &dir, (run, phase, &from), (&outcome, &ended.stream)).await?;
    clean_up(world, run, &dir)?;
    crash::point(world.crash(), Moment::RunCleaned);
    Ok(vec![Fact::of(task.id, Event::RunEnded { run, outcome, usage })])
}

/// A run that could not be started has failed, as one that ended badly.
fn not_started(task: &Task, run: RunId, err: &anyhow::Error) -> Fact {
    tracing::warn!("run {run} could not be started: {err:#}");
    let died = err.is::<sandbox::DidNotStart>();
    let kind = match () {
        () if died => TroubleKind::Crash,
        () if review::is_missing(err) => TroubleKind::Repository,
        () => TroubleKind::Sandbox,
    };
    let outcome = Outcome::Failed { trouble: trouble(kind, err) };
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
    let bounds = contract::bounds(world, task)?;
    let payer = payer(task, (run, phase), &bounds);
    make_dir(dir.path())?;
    let acting = Acting::of(world, task, (dir, stage == Stage::Absent))?;
    let source = acting.as_ref().map_or(Source::Nobody, |acting| world.source(&acting.route));
    if let Some(deadline) = bounds.deadline.filter(|_| stage == Stage::Absent && acting.is_some())
        && now() >= deadline
    {
        return Err(TooLate(deadline).into());
    }
    if stage == Stage::Absent && matches!(source, Source::Live { .. }) {
        world.gateway.check(&payer).map_err(OverBudget)?;
    }
    if is_over {
        world.gateway.count(&payer, &usage(world, dir)?);
    }
    let (sender, reports) = mpsc::channel(REPORTS_MAX);
    // Checks have no model, and no door at all where there are no hosts.
    let has_door = !phase.is_checks()
        || !launch::outside(world, task, dir).hosts.is_empty()
        || dir.path().join(GATEWAY_DIR).exists();
    let door = if is_over || !has_door {
        None
    } else {
        let grant = grant(world, task, dir, (run, phase, source), &payer)?;
        Some(world.gateway.open(grant, sender).await?)
    };
    if stage == Stage::Absent {
        launch::start(world, task, (dir, acting.as_ref()), (run, phase, from)).await?;
        let who = acting.as_ref().map_or_else(|| "the checks".to_owned(), Acting::words);
        tracing::info!("run {run} ({phase}) of task {} begins: {who}", task.id);
    } else if !is_over {
        tracing::info!("run {run} ({phase}) of task {} is found again", task.id);
    }
    let ended = follow(world, dir, (run, acting), reports).await;
    if let Some(door) = door {
        door.close().await.context("close the gateway's door")?;
    }
    ended
}

pub(super) fn make_dir(dir: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(dir)
        .with_context(|| format!("make {}", dir.display()))
}

/// A run was not begun, as its first call would have been refused.
#[derive(Debug, thiserror::Error)]
#[error("{}", words::exceeded(.0))]
struct OverBudget(Exceeded);

/// Trouble with a budget, with the one it is as evidence.
pub(super) fn over_budget(exceeded: &Exceeded) -> Trouble {
    Trouble::new(TroubleKind::Budget, words::exceeded(exceeded))
}

/// An agent was not begun, as the deadline of its task is past.
#[derive(Debug, thiserror::Error)]
#[error("the work was to be done by {}", .0.utc())]
struct TooLate(Time);

fn payer(task: &Task, (run, phase): (RunId, Phase), bounds: &Bounds) -> Payer {
    let (repo, of_task) = (task.repo.clone(), bounds.budget);
    Payer { run, repo, may_use_reserve: phase == Phase::Correct, of_task }
}

fn grant(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (run, phase, source): (RunId, Phase, Source),
    payer: &Payer,
) -> anyhow::Result<Grant> {
    make_dir(&dir.path().join(GATEWAY_DIR))?;
    let Payer { repo, may_use_reserve, of_task, .. } = payer.clone();
    let age = task.run.as_ref().map_or(0, |run| now().millis_since(run.begun));
    let lifetime = world.config.limits.wall.saturating_add(TOKEN_SLACK);
    let mut outside = launch::outside(world, task, dir);
    if phase.is_checks() {
        // Checks are no agents.
        outside.servers.clear();
    }
    Ok(Grant {
        run,
        repo,
        may_use_reserve,
        of_task,
        is_forced: task.state.is_forced(),
        task_usage: task.usage,
        lifetime: lifetime.saturating_sub(Duration::from_millis(age)),
        label: phase.to_string(),
        token: token(dir)?,
        socket: socket(dir),
        source,
        record_to: dir.path().join(RECORDING_FILE),
        outside,
        socket_mode: socket_mode(),
    })
}

/// Where a run finds the gateway.
pub(super) fn socket(dir: &RunDir) -> PathBuf {
    dir.path().join(GATEWAY_DIR).join("gateway.sock")
}

/// Only who can enter the folder gets to the socket, and the token is needed as well.
pub(super) fn socket_mode() -> u32 {
    if sandbox::sandbox_ids().is_some() { 0o666 } else { 0o600 }
}

/// The run's token: a new one, or the one that it was started with.
pub(super) fn token(dir: &RunDir) -> anyhow::Result<Token> {
    let path = dir.path().join(TOKEN_FILE);
    if let Some(token) = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
        return Ok(token);
    }
    let token = Token::random().context("make a token")?;
    // It is for a later daemon only, and no run is there any more when the machine was down.
    atomic::write(&path, token.to_string().as_bytes(), Durability::Relaxed)
        .with_context(|| format!("write {}", path.display()))?;
    Ok(token)
}

/// Reads what happens in a run until it has ended, or the daemon is about to.
pub(super) async fn follow(
    world: &World,
    dir: &RunDir,
    (run, acting): (RunId, Option<Acting>),
    mut reports: mpsc::Receiver<CallReport>,
) -> anyhow::Result<Option<Ended>> {
    let watch = acting.as_ref().map(|_| Watch::default());
    let mut stream = Stream {
        reader: session::reader(dir, acting.as_ref()),
        acting,
        collected: None,
        failed: Vec::new(),
        errors: Vec::new(),
        is_over: false,
        watch,
        verdict: stuck::verdict(dir)?,
    };
    let mut offset = 0;
    let mut is_ended = false;
    for n_looks in 0_u32.. {
        while let Ok(report) = reports.try_recv() {
            world.live.change(run, |live| live.usage += report.usage);
        }
        if world.closing.is_cancelled() {
            return Ok(None);
        }
        let is_due = stream.is_over || n_looks.is_multiple_of(LOOKS_PER_CLOSE_LOOK);
        if !is_due && !dir.has_more_than(offset) {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let stage = dir.observe()?;
        for line in dir.read_new(&mut offset)? {
            take_line(world, (run, dir), &mut stream, line)?;
        }
        match stage {
            Stage::Ended(exit) => {
                read_rest(world, dir, (run, &mut offset), &mut stream)?;
                return Ok(Some(Ended { exit: Some(exit), stream }));
            }
            // It had a supervisor, which is gone, and may not have said a word.
            Stage::Lost | Stage::Absent => return Ok(Some(Ended { exit: None, stream })),
            Stage::Starting | Stage::Running => {}
        }
        if let (Some(verdict), false) = (&stream.verdict, is_ended) {
            stuck::end(world, dir, (run, verdict)).await?;
            is_ended = true;
            continue;
        }
        let pause = if stream.is_over { LOOK_AT_END_EVERY } else { LOOK_EVERY };
        tokio::time::sleep(pause).await;
    }
    Ok(None)
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
            take_line(world, (run, dir), stream, line)?;
        }
    }
}

fn take_line(
    world: &World,
    (run, dir): (RunId, &RunDir),
    stream: &mut Stream,
    line: EventLine,
) -> anyhow::Result<()> {
    match line.ev {
        Ev::Out { line: text } => {
            for event in stream.reader.read(&text) {
                if let Some(acting) = &mut stream.acting {
                    acting.note(dir, &event)?;
                }
                let verdict = stream.watch.as_mut().and_then(|watch| watch.see(&event, line.at));
                stream.verdict = stream.verdict.take().or(verdict);
                if let trace::Event::Error { message } = &event {
                    keep_error(&mut stream.errors, message);
                }
                if let trace::Event::Told { id } = &event {
                    world.live.change(run, |live| live.told.extend([id.clone()]));
                }
                if let Some(last) = words::event_line(&event) {
                    world.live.change(run, |live| live.last = last);
                }
            }
        }
        Ev::Err { line } => {
            stream.reader.read_error(&line);
            keep_error(&mut stream.errors, &line);
        }
        Ev::Result(collected) => stream.collected = Some(collected),
        Ev::Failed { message } => stream.failed.push(message),
        Ev::Ended { .. } => stream.is_over = true,
        Ev::Ready { .. } | Ev::Canary { .. } | Ev::Started { .. } => {}
    }
    Ok(())
}

/// Keeps what may explain a failure later: the last of it, a line each.
pub(super) fn keep_error(errors: &mut Vec<String>, text: &str) {
    if errors.len() >= N_ERRORS_MAX {
        errors.remove(0);
    }
    errors.push(one_line(&plain(text), 500));
}

/// The fact that a run has ended which nobody in this daemon follows.
pub(super) fn ended_without_follower(world: &World, run: RunId) -> anyhow::Result<Fact> {
    let dir = RunDir::new(world.home.run_dir(run));
    let usage = usage(world, &dir)?;
    clean_up(world, run, &dir)?;
    Ok(Fact::of(run.task, Event::RunEnded { run, outcome: Outcome::Stopped, usage }))
}

fn keep_answer(world: &World, dir: &RunDir, stream: &Stream) -> anyhow::Result<()> {
    let answer = world.clean(&plain(stream.reader.answer()));
    atomic::write(&dir.path().join(ANSWER_FILE), answer.as_bytes(), Durability::Relaxed)
        .context("keep the agent's answer")
}

/// The workspace and the private home go; the trace, the recording and the result stay.
fn clean_up(world: &World, run: RunId, dir: &RunDir) -> anyhow::Result<()> {
    let trash = world.home.trash_dir();
    for folder in [world.home.work_dir().join(run.to_string()), dir.home()] {
        if folder.exists() {
            trash::remove(&folder, &trash)?;
        }
    }
    let _old = fs::remove_file(dir.path().join(TOKEN_FILE));
    Ok(())
}

/// Trouble with a run, with the last lines of its standard error as evidence.
pub(super) fn run_trouble(kind: TroubleKind, what: &str, stream: &Stream) -> Trouble {
    let mut evidence = what.trim().to_owned();
    for line in stream.failed.iter().chain(&stream.errors) {
        evidence.push('\n');
        evidence.push_str(line);
    }
    let evidence = cut_middle(plain(&evidence).trim(), zazen_core::task::EVIDENCE_BYTES_MAX);
    Trouble::new(kind, evidence)
}
