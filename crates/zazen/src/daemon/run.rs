//! Sees to it that a run is under way, follows it, and reports how it ended.
//!
//! Everything that a run needs to be found again is in its folder. So there is
//! one way through here, whether the run is new, was begun before a restart, or
//! ended while no daemon was there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use zazen_core::engine::Fact;
use zazen_core::id::{CommitId, RunId};
use zazen_core::prompt::{self, Brief, Place, Said};
use zazen_core::task::{Event, Outcome, Phase, State, Task, Trouble, TroubleKind, Try};
use zazen_core::text::{cut_middle, one_line, plain};
use zazen_core::usage::Usage;
use zazen_core::words;

use super::crash::{self, Moment};
use super::judge;
use super::keep::now;
use super::perform::{check_command, may_pass, trouble};
use super::world::World;
use crate::forge::local::BOT;
use crate::exec;
use crate::gateway::{self, CallReport, Grant, Token};
use crate::git::{trash, workspace};
use crate::harness::{self, Launch};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{
    self, Access, Collect, Ev, EventLine, Exit, LaunchSpec, Limits, Phase as Stage, RunDir, Work,
};

/// How long a run gets to end by itself when it is stopped.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(5);

/// How often a run's folder is looked at. People see progress within this time.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How much of the disk has to be free for a run to be begun: the trace of an ordinary
/// run, its recording and a small checkout, several times over.
const SPACE_MIN: u64 = 32 << 20;

/// How many reports of calls wait. They are for displays only.
const REPORTS_MAX: usize = 64;

/// The name of the file that keeps a run's token for a daemon that comes later.
const TOKEN_FILE: &str = "token";

/// The name of the file with the agent's last words.
const ANSWER_FILE: &str = "answer.md";

/// The name of the file with the recorded model calls.
const RECORDING_FILE: &str = "recording.jsonl";

/// The name of the file with what the run used, written when it has ended.
const USAGE_FILE: &str = "usage.json";

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
    /// The last lines that the work wrote to its standard error.
    pub(super) errors: Vec<String>,
}

/// How many lines of standard error are kept as evidence.
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
    let ended = match ended {
        Ok(Some(ended)) => ended,
        // The daemon is about to end. The run goes on, and is found again.
        Ok(None) => return Ok(Vec::new()),
        Err(err) if !may_pass(&err) && dir.observe().is_ok_and(|stage| stage == Stage::Absent) => {
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
    keep_answer(&dir, &ended.stream)?;
    let usage = usage(world, &dir)?;
    crash::point(world.crash(), Moment::RunJudged);
    clean_up(world, run, &dir)?;
    crash::point(world.crash(), Moment::RunCleaned);
    Ok(vec![Fact::of(task.id, Event::RunEnded { run, outcome, usage })])
}

/// A run that could not be started has failed, as one that ended badly.
fn not_started(task: &Task, run: RunId, err: &anyhow::Error) -> Fact {
    tracing::warn!("run {run} could not be started: {err:#}");
    let died = err.is::<sandbox::DidNotStart>();
    let kind = if died { TroubleKind::Crash } else { TroubleKind::Sandbox };
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
    let (sender, reports) = mpsc::channel(REPORTS_MAX);
    let door = if is_over || phase == Phase::Verify {
        None
    } else {
        make_dir(dir.path())?;
        Some(world.gateway.open(grant(world, dir, run, phase)?, sender).await?)
    };
    if stage == Stage::Absent {
        start(world, task, dir, (run, phase, from)).await?;
        crash::point(world.crash(), Moment::RunSubmitted);
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
fn token(dir: &RunDir) -> anyhow::Result<Token> {
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

async fn start(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (run, phase, from): (RunId, Phase, &CommitId),
) -> anyhow::Result<()> {
    check_space(&world.home)?;
    let mirror = world.mirror(&task.repo).await?;
    let workspace = world.home.work_dir().join(run.to_string());
    if workspace.exists() {
        // Half made when the daemon ended; nothing has run in it but our own git.
        exec::end_leftovers(&format!("--git-dir={}/", workspace.display()));
        trash::remove(&workspace, &world.home.trash_dir())?;
    }
    let objects = mirror.objects();
    let seen_as = match world.engine {
        sandbox::EngineKind::Bwrap => PathBuf::from(sandbox::OBJECTS_INSIDE),
        sandbox::EngineKind::None => objects.clone(),
    };
    workspace::prepare(&mirror, &workspace, from, &seen_as, sandbox::sandbox_ids()).await?;
    drop(mirror);
    let (work, launch) = work(world, task, dir, phase)?;
    let spec = LaunchSpec {
        v: sandbox::SPEC_VERSION,
        run,
        engine: world.engine,
        task_marker: task.id.to_string(),
        work,
        env: environment(world, launch.env),
        workspace,
        access: access(phase),
        objects,
        tools: world.config.sandbox.tools.iter().cloned().chain(launch.tools).collect(),
        gateway_socket: (phase != Phase::Verify)
            .then(|| dir.path().join("gateway").join("gateway.sock")),
        collect: collect(world, task, phase, from)?,
        limits: limits(world),
    };
    crash::point(world.crash(), Moment::RunPrepared);
    sandbox::submit(&world.zazen, dir.path(), &spec).await
}

/// Begins no run on a disk on which it could not even write down what it does. It
/// would fail, and so would the next one.
fn check_space(home: &Home) -> anyhow::Result<()> {
    let dir = home.runs_dir();
    let facts = rustix::fs::statvfs(&dir).map_err(std::io::Error::from);
    let facts = facts.with_context(|| format!("look at the disk of {}", dir.display()))?;
    let n_free = facts.f_bavail.saturating_mul(facts.f_frsize);
    if n_free < SPACE_MIN {
        let mib = n_free >> 20;
        let why = format!("only {mib} MiB are free on the disk of {}", dir.display());
        bail!(std::io::Error::new(std::io::ErrorKind::StorageFull, why));
    }
    Ok(())
}

fn access(phase: Phase) -> Access {
    match phase {
        Phase::Plan | Phase::Ask => Access::ReadOnly,
        Phase::Implement { .. } | Phase::Correct | Phase::Verify => Access::ReadWrite,
    }
}

fn limits(world: &World) -> Limits {
    let limits = &world.config.limits;
    Limits {
        memory_bytes: limits.memory_bytes,
        n_processes_max: limits.n_processes_max,
        wall: limits.wall,
        silence: limits.silence,
        disk_bytes: limits.disk_bytes,
        output_bytes: limits.output_bytes,
    }
}

fn environment(world: &World, launch: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut env = world.config.sandbox.env.clone();
    env.extend(launch);
    env
}

fn collect(
    world: &World,
    task: &Task,
    phase: Phase,
    from: &CommitId,
) -> anyhow::Result<Option<Collect>> {
    let step = match phase {
        Phase::Implement { step } => Some(step),
        Phase::Correct => None,
        Phase::Plan | Phase::Ask | Phase::Verify => return Ok(None),
    };
    let work = task.state.work().context("the task has no work")?;
    let (_, plan) = world.plan(&work.plan.hash)?;
    let title = step
        .and_then(|step| plan.steps.get(step.saturating_sub(1) as usize))
        .map_or_else(|| format!("Mend the checks of {}", task.title), |step| step.title.clone());
    let place = step.map(|step| (step, work.plan.n_steps));
    Ok(Some(Collect {
        base: from.clone(),
        message: words::step_commit(task.id, task.issue, &title, place),
        author: "zazen <agent@zazen.invalid>".to_owned(),
    }))
}

/// What is run: the harness with its prompt, or the validation command.
fn work(world: &World, task: &Task, dir: &RunDir, phase: Phase) -> anyhow::Result<(Work, Launch)> {
    let brief = brief(world, task)?;
    let fresh = Try::default();
    let (attempt, work) = match &task.state {
        State::Received(attempt) | State::Planning(attempt) => (attempt, None),
        state => match state.work() {
            Some(work) => (&work.attempt, Some(work)),
            None => (&fresh, None),
        },
    };
    let prompt = match (phase, work) {
        (Phase::Plan, _) => {
            let earlier = task.plan.as_ref().map(|plan| world.plan(&plan.hash)).transpose()?;
            let earlier = earlier.as_ref().map(|(text, _)| text.as_str());
            prompt::plan(&brief, &task.request, earlier, attempt)
        }
        (Phase::Ask, _) => prompt::ask(&brief, &task.request, attempt),
        (Phase::Implement { step }, Some(work)) => {
            let (text, plan) = world.plan(&work.plan.hash)?;
            let place = Place { index: step.saturating_sub(1) as usize, text: &text };
            prompt::implement(&brief, &plan, place, &work.answers, attempt)
        }
        (Phase::Correct, Some(work)) => {
            let (text, plan) = world.plan(&work.plan.hash)?;
            prompt::correct(&brief, &plan, &text, attempt)
        }
        (Phase::Verify, Some(work)) => {
            let (_, plan) = world.plan(&work.plan.hash)?;
            let command = check_command(world, task, &plan)?;
            return Ok((Work::Check { command }, Launch::default()));
        }
        (Phase::Implement { .. } | Phase::Correct | Phase::Verify, None) => {
            bail!("task {} has no approved plan", task.id)
        }
    };
    let kind = match access(phase) {
        Access::ReadOnly => harness::Task::Read,
        Access::ReadWrite => harness::Task::Write,
    };
    let token = token(dir)?.to_string();
    let route = world.config.harness.route.as_str();
    let launch = world.harness.launch(kind, &prompt, (route, &token));
    let work = Work::Harness { argv: launch.argv.clone(), stdin: launch.stdin.clone() };
    Ok((work, launch))
}

/// What the agent is told of the issue, of people, and of this place.
fn brief(world: &World, task: &Task) -> anyhow::Result<Brief> {
    let issue = world.forge.issue(&task.repo, task.issue)?;
    let thread = world.forge.comments(&task.repo, task.issue)?;
    let thread = thread
        .into_iter()
        .filter(|comment| comment.author != BOT)
        .map(|comment| Said { by: comment.author, text: comment.body })
        .collect();
    let home = &world.home;
    let memory = home.memory_dir();
    let own = memory.join("repos").join(format!("{}.md", task.repo));
    let memory = [page(&memory.join("global.md")), page(&own)].join("\n");
    Ok(Brief {
        repo: Some(task.repo.clone()),
        issue: Some(task.issue),
        title: issue.title,
        body: issue.body,
        thread,
        soul: page(&home.soul_page()),
        memory: memory.trim().to_owned(),
        missions: page(&home.missions_page()),
    })
}

/// A page's text, or nothing: a person may have deleted it.
fn page(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
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
            // It had a supervisor, which is gone, and may not have said a word.
            Stage::Lost | Stage::Absent => return Ok(Some(Ended { exit: None, stream })),
            Stage::Starting | Stage::Running => {}
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
                if let Some(last) = words::event_line(&event) {
                    world.live.change(run, |live| live.last = last);
                }
            }
        }
        Ev::Err { line } => {
            if stream.errors.len() >= N_ERRORS_MAX {
                stream.errors.remove(0);
            }
            stream.errors.push(one_line(&plain(&line), 500));
        }
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

/// What a run used: the sum of what its recording says.
fn usage(world: &World, dir: &RunDir) -> anyhow::Result<Usage> {
    let path = dir.path().join(RECORDING_FILE);
    let mut usage = Usage::default();
    let Ok(text) = fs::read_to_string(&path) else { return Ok(usage) };
    for line in text.lines() {
        let Ok(call) = serde_json::from_str::<gateway::Call>(line) else { continue };
        let cost = world.config.prices.cost(&call.request.model, call.tokens);
        usage += Usage { n_calls: 1, tokens: call.tokens, cost };
    }
    let kept = dir.path().join(USAGE_FILE);
    atomic::write(&kept, &serde_json::to_vec(&usage)?, Durability::Relaxed)?;
    Ok(usage)
}

fn keep_answer(dir: &RunDir, stream: &Stream) -> anyhow::Result<()> {
    let answer = plain(stream.reader.answer());
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

/// The text that the agent answered a question with.
pub(super) fn answer(world: &World, task: &Task) -> anyhow::Result<String> {
    let run = RunId { task: task.id, n: task.n_runs };
    let path = world.home.run_dir(run).join(ANSWER_FILE);
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

/// What the work of a run printed, both streams in order, cut in the middle.
pub(super) fn output(world: &World, run: RunId, bytes_max: usize) -> anyhow::Result<String> {
    output_of(&RunDir::new(world.home.run_dir(run)), bytes_max)
}

pub(super) fn output_of(dir: &RunDir, bytes_max: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut offset = 0;
    loop {
        let lines = dir.read_new(&mut offset)?;
        if lines.is_empty() {
            return Ok(cut_middle(&text, bytes_max));
        }
        for line in lines {
            if let Ev::Out { line } | Ev::Err { line } = line.ev {
                text.push_str(&plain(&line));
                text.push('\n');
            }
        }
        // Twice the limit keeps a head and a tail that are long enough for any cut.
        if text.len() > bytes_max * 4 {
            text = cut_middle(&text, bytes_max * 2);
        }
    }
}

/// Where a run happened and what held, in words.
pub(super) fn sandbox_words(world: &World, run: RunId) -> anyhow::Result<String> {
    let dir = RunDir::new(world.home.run_dir(run));
    let Stage::Ended(Exit { achieved: Some(achieved), .. }) = dir.observe()? else {
        return Ok("unknown".to_owned());
    };
    Ok(format!("{}: {achieved}", world.engine.word()))
}

/// What each agent said at the end of its step, in order.
pub(super) fn reports(world: &World, task: &Task) -> Vec<String> {
    let mut reports: BTreeMap<u32, String> = BTreeMap::new();
    for n in 1..=task.n_runs {
        let dir = RunDir::new(world.home.run_dir(RunId { task: task.id, n }));
        let Some(step) = step_of(&dir) else { continue };
        if let Ok(answer) = fs::read_to_string(dir.path().join(ANSWER_FILE)) {
            reports.insert(step, answer);
        }
    }
    reports.into_values().collect()
}

/// The step that a run was for, by the commit message that it was given.
fn step_of(dir: &RunDir) -> Option<u32> {
    let spec: LaunchSpec = serde_json::from_slice(&fs::read(dir.spec()).ok()?).ok()?;
    let message = spec.collect?.message;
    let step = message.lines().find_map(|line| line.strip_prefix("Zazen-Step: "))?;
    step.split('/').next()?.parse().ok()
}

/// Trouble with a run, with the last lines of its standard error as evidence.
pub(super) fn run_trouble(kind: TroubleKind, what: &str, stream: &Stream) -> Trouble {
    let mut evidence = what.trim().to_owned();
    for line in stream.failed.iter().chain(&stream.errors) {
        evidence.push('\n');
        evidence.push_str(line);
    }
    let evidence = cut_middle(plain(&evidence).trim(), zazen_core::task::EVIDENCE_BYTES_MAX);
    Trouble { kind, evidence }
}
