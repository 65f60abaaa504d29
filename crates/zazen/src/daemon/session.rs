//! What of an agent outlives its run: its session, and what it did.
//!
//! An agent that is interrupted, by a quota, a crash or a limit, leaves a session in its
//! private home, and changes in its workspace. The session is moved to
//! `.zazen/sessions/<run>/` before the home goes; the changes were collected and checked
//! like any result. The next run of the same phase goes on with both, or is told what was
//! done where it cannot. A session is gone on with by the very agent that it is of: another
//! one is told what all agents before it did, since the last that brought something back.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::account::Account;
use zazen_core::id::{AgentName, CommitId, RunId, TaskId};
use zazen_core::prompt::Tree;
use zazen_core::task::{Digest, Outcome, Phase, Task, Trouble, TroubleKind};
use zazen_core::usage::Tokens;
use zazen_harness::{Name, Reader, Totals};

use super::agents::Acting;
use super::run::Stream;
use super::world::World;
use crate::gateway::Token;
use crate::git::{KeptRef, Mirror, trash};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{self, Ev, RunDir};

/// What is known of an agent that was interrupted: `kept.json` in the session's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    v: u32,
    run: RunId,
    phase: Phase,
    from: CommitId,
    harness: String,
    /// The agent, by its name: another one may have another account, or another model.
    #[serde(default)]
    agent: AgentName,
    /// The runs before this one of which the next agent is told as well, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<RunId>,
    /// What was asked for. Where it is something else by now, the work begins anew.
    asked: Digest,
    /// How the run ended.
    trouble: Trouble,
    /// The id of its session, if that is here.
    session: Option<String>,
    /// What the session used until now.
    used: Option<Used>,
    /// The commit with all that it had changed, if that was collected.
    left: Option<CommitId>,
}

/// What is known of a run's own session: `session.json` in its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Own {
    id: String,
    /// What it had used when the run began, where it goes on with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used: Option<Used>,
}

/// What a session used, as its harness counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    tokens: Tokens,
    cost_micros: u64,
}

/// What a run goes on from.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    /// The session that is in the new run's private home.
    pub(super) session: Option<String>,
    /// What that has used.
    used: Option<Used>,
    /// The commit whose files the workspace gets, beside the commit that it is at.
    pub(super) left: Option<CommitId>,
    /// What the agent before did.
    pub(super) account: Account,
    /// How its run ended.
    pub(super) trouble: Trouble,
}

/// The version of [`Kept`].
const KEPT_VERSION: u32 = 1;

/// The names in a session's folder.
const KEPT_FILE: &str = "kept.json";
const HOME_PART: &str = "home";

/// The file in a run's folder with its [`Own`] session, written before it starts.
const OWN_FILE: &str = "session.json";

/// How long a session is kept for a run that may go on with it. The longest window of a
/// subscription's quota is a week; a day more is for people.
const KEPT_MAX: Duration = Duration::from_secs(8 * 24 * 3600);

/// Of how many runs before the last one the next agent is told.
const BEFORE_MAX: usize = 8;

/// How long the id of a session may be, where a harness says it.
const ID_BYTES_MAX: usize = 100;

/// Keeps what a later run can go on from, if this one was interrupted. Otherwise lets go
/// of what earlier ones left: it is used up.
pub(super) async fn keep(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (run, phase, from): (RunId, Phase, &CommitId),
    (outcome, stream): (&Outcome, &Stream),
) -> anyhow::Result<()> {
    let Some(acting) = &stream.acting else { return Ok(()) };
    let Some(trouble) = interruption(outcome) else {
        return forget(&world.home, task.id, None);
    };
    let folder = folder_of(&world.home, run);
    if folder.join(KEPT_FILE).exists() {
        return Ok(());
    }
    let earlier = newest(&world.home, run)?.filter(|kept| kept.is_about(task, (phase, from)));
    let is_of_another = |kept: &Kept| !kept.is_of(acting);
    if earlier.as_ref().is_some_and(is_of_another) && account(&world.home, &[run])?.is_empty() {
        // It was not let in, and did nothing: what another left is still all there is.
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    // One that is too long would be as long again. What was done is told instead.
    let is_too_long = trouble.kind == TroubleKind::ContextTooLong;
    let session =
        if is_too_long { Ok(None) } else { take_session(acting.harness, dir, &folder, stream) };
    let session = session.unwrap_or_else(|err| {
        tracing::warn!("the session of run {run} is not kept: {err:#}");
        None
    });
    let mirror = world.mirror(&task.repo).await?;
    let left = mirror.resolve_kept(&KeptRef::run(run)).await?.filter(|left| left != from);
    drop(mirror);
    let Totals { tokens, cost_micros } = stream.reader.totals();
    let kept = Kept {
        v: KEPT_VERSION,
        run,
        phase,
        from: from.clone(),
        harness: acting.harness.word().to_owned(),
        agent: acting.agent.clone(),
        before: earlier.map(|kept| kept.runs()).unwrap_or_default(),
        asked: asked(task),
        trouble: trouble.clone(),
        used: session.is_some().then_some(Used { tokens, cost_micros }),
        session,
        left,
    };
    let json = serde_json::to_vec_pretty(&kept).context("print what is kept of a run")?;
    atomic::write(&folder.join(KEPT_FILE), &json, Durability::Durable)
        .context("note what is kept of a run")?;
    forget(&world.home, task.id, Some(run))
}

/// By what an agent was interrupted, if it was.
fn interruption(outcome: &Outcome) -> Option<&Trouble> {
    match outcome {
        Outcome::Failed { trouble } => Some(trouble).filter(|it| it.kind.is_interruption()),
        Outcome::Held { trouble, .. } => Some(trouble),
        Outcome::Planned { .. }
        | Outcome::Answered { .. }
        | Outcome::Reviewed { .. }
        | Outcome::StepDone { .. }
        | Outcome::ChecksGreen { .. }
        | Outcome::Stopped => None,
    }
}

/// What agents of a task are asked for, in this phase.
fn asked(task: &Task) -> Digest {
    let plan = task.plan.as_ref().map(|plan| &plan.hash);
    let asks = task.state.rework().map(|rework| &rework.asks);
    Digest::of(&format!("{} {plan:?} {asks:?}", task.request))
}

fn take_session(
    harness: Name,
    dir: &RunDir,
    folder: &Path,
    stream: &Stream,
) -> anyhow::Result<Option<String>> {
    let Some(inner) = harness.sessions() else { return Ok(None) };
    let said = stream.reader.session().map(str::to_owned);
    let Some(id) = said.or_else(|| own(dir).map(|own| own.id)).filter(|id| is_id(id)) else {
        return Ok(None);
    };
    let to = folder.join(HOME_PART);
    let is_there = sandbox::take_out(dir, inner, &to)? && sandbox::has_session(&to, &id);
    Ok(is_there.then_some(id))
}

/// Whether this can be an id: it becomes an argument, and part of a file's name.
pub(super) fn is_id(id: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !id.starts_with('-')
}

/// Finds what a run can go on from, and puts the session into its private home.
pub(super) async fn find(
    world: &World,
    (task, mirror): (&Task, &Mirror),
    (dir, acting): (&RunDir, Option<&Acting>),
    (run, phase, from): (RunId, Phase, &CommitId),
) -> anyhow::Result<Option<Earlier>> {
    let Some(acting) = acting else { return Ok(None) };
    let kept = newest(&world.home, run)?.filter(|kept| kept.is_about(task, (phase, from)));
    let Some(kept) = kept else { return Ok(None) };
    let account = account(&world.home, &kept.runs())?;
    let is_own = kept.is_of(acting);
    let mut session = None;
    if let (Some(id), Some(inner), true) = (kept.session, acting.harness.sessions(), is_own) {
        let at = folder_of(&world.home, kept.run).join(HOME_PART);
        let is_there =
            sandbox::put_in(&at, dir, inner)? && sandbox::has_session(&dir.home().join(inner), &id);
        session = Some(id).filter(|_| is_there);
    }
    let mut left = None;
    if let Some(commit) = kept.left
        && mirror.has(&commit).await?
    {
        left = Some(commit);
    }
    let (used, trouble) = (kept.used, kept.trouble);
    Ok(Some(Earlier { session, used, left, account, trouble }))
}

impl Kept {
    /// Whether this is asked for now, too, on the same commit.
    fn is_about(&self, task: &Task, (phase, from): (Phase, &CommitId)) -> bool {
        self.phase == phase && self.from == *from && self.asked == asked(task)
    }

    /// Whether it is of this agent. One of the same harness may have another account, of which
    /// the session is not.
    fn is_of(&self, acting: &Acting) -> bool {
        self.harness == acting.harness.word() && self.agent == acting.agent
    }

    /// All runs of which the next agent is told.
    fn runs(&self) -> Vec<RunId> {
        let runs: Vec<RunId> = self.before.iter().copied().chain([self.run]).collect();
        let n_over = runs.len().saturating_sub(BEFORE_MAX);
        runs[n_over..].to_vec()
    }
}

/// What the agents of these runs did, by their events.
fn account(home: &Home, runs: &[RunId]) -> anyhow::Result<Account> {
    let mut account = Account::default();
    for run in runs {
        add(&mut account, home, *run)?;
    }
    Ok(account)
}

fn add(account: &mut Account, home: &Home, run: RunId) -> anyhow::Result<()> {
    let dir = RunDir::new(home.run_dir(run));
    let Some(acting) = Acting::in_run(home, run) else { return Ok(()) };
    let mut reader = acting.reader();
    let mut offset = 0;
    loop {
        let lines = dir.read_new(&mut offset)?;
        if lines.is_empty() {
            return Ok(());
        }
        for line in lines {
            if let Ev::Out { line } = line.ev {
                for event in reader.read(&line) {
                    account.see(&event);
                }
            }
        }
    }
}

impl Earlier {
    /// What the agent finds in its working tree.
    pub(super) fn tree(&self, (phase, from): (Phase, &CommitId)) -> Tree {
        match (phase, &self.left) {
            (Phase::Implement { .. } | Phase::Correct, Some(_)) => Tree::AsLeft,
            (Phase::Implement { .. } | Phase::Correct, None) => Tree::Only(from.clone()),
            (Phase::Plan | Phase::Ask | Phase::Review, _) => Tree::ReadOnly,
            (Phase::Verify | Phase::Baseline, _) => Tree::ReadOnly,
        }
    }
}

/// The id of a run's session, noted before the run starts: the one that it goes on with, or
/// a new one.
pub(super) fn id(dir: &RunDir, earlier: Option<&Earlier>) -> anyhow::Result<String> {
    let resumed = earlier.and_then(|earlier| {
        let id = earlier.session.clone()?;
        Some(Own { id, used: earlier.used })
    });
    let own = match (resumed, own(dir)) {
        (Some(own), _) => own,
        (None, Some(own)) if own.used.is_none() && is_id(&own.id) => return Ok(own.id),
        (None, _) => Own { id: new_id()?, used: None },
    };
    let path = dir.path().join(OWN_FILE);
    let json = serde_json::to_vec(&own).context("print a session")?;
    atomic::write(&path, &json, Durability::Relaxed)
        .with_context(|| format!("write {}", path.display()))?;
    Ok(own.id)
}

fn own(dir: &RunDir) -> Option<Own> {
    serde_json::from_slice(&fs::read(dir.path().join(OWN_FILE)).ok()?).ok()
}

/// A reader for the stream of a run. What its session had used before is not counted again.
pub(super) fn reader(dir: &RunDir, acting: Option<&Acting>) -> Reader {
    // Checks have no agent; what they print is told as it is.
    let reader = acting.map_or_else(|| Name::Mini.reader(None), Acting::reader);
    match own(dir).and_then(|own| own.used) {
        Some(Used { tokens, cost_micros }) => reader.after(Totals { tokens, cost_micros }),
        None => reader,
    }
}

/// A random UUID (of version 4), which is what harnesses take.
pub(super) fn new_id() -> anyhow::Result<String> {
    let hex = Token::random().context("make a session's id")?.to_string();
    Ok(format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..15],
        &hex[15..18],
        &hex[18..30]
    ))
}

fn sessions_dir(home: &Home) -> PathBuf {
    home.dot_dir().join("sessions")
}

fn folder_of(home: &Home, run: RunId) -> PathBuf {
    sessions_dir(home).join(run.to_string())
}

/// The runs of which something is kept.
fn all(home: &Home) -> anyhow::Result<Vec<RunId>> {
    let dir = sessions_dir(home);
    let entries = match fs::read_dir(&dir) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("read {}", dir.display()))?,
    };
    let run = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    Ok(entries.filter_map(run).collect())
}

/// What is kept of the last run before this one, of the same task.
fn newest(home: &Home, run: RunId) -> anyhow::Result<Option<Kept>> {
    let before = |other: &RunId| other.task == run.task && other.n < run.n;
    let Some(last) = all(home)?.into_iter().filter(before).max_by_key(|run| run.n) else {
        return Ok(None);
    };
    let path = folder_of(home, last).join(KEPT_FILE);
    let text = match fs::read(&path) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("read {}", path.display()))?,
    };
    let kept: Kept =
        serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    Ok((kept.v == KEPT_VERSION).then_some(kept))
}

/// Lets go of what is kept of the runs of a task, but for one.
fn forget(home: &Home, task: TaskId, but: Option<RunId>) -> anyhow::Result<()> {
    for run in all(home)?.into_iter().filter(|run| run.task == task && Some(*run) != but) {
        trash::remove(&folder_of(home, run), &home.trash_dir())?;
    }
    Ok(())
}

/// Lets go of what nobody came for.
pub(super) fn tidy(home: &Home) -> anyhow::Result<()> {
    for run in all(home)? {
        let folder = folder_of(home, run);
        let changed = fs::metadata(&folder).and_then(|facts| facts.modified());
        let age = changed.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_some_and(|age| age >= KEPT_MAX) {
            trash::remove(&folder, &home.trash_dir())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
