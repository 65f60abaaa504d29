//! Has the guards look at a whole change, from the commit that the work began with to its head.
//!
//! The report is written to the task's folder before it is a fact: whatever is said of it
//! afterwards is read from there, and belongs to the fact only if it has its hash.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context as _;
use zazen_core::engine::Fact;
use zazen_core::guard::{self, Contract, Evidence, Ran, Report};
use zazen_core::id::{CommitId, ContentHash, RunId};
use zazen_core::task::{Event, Examined, Task};
use zazen_core::trace;
use zazen_core::words;

use super::agents::Acting;
use super::evidence;
use super::own;
use super::world::World;
use crate::git::Mirror;
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{Ev, RunDir};

/// How much of the events of all runs of a task is read for the commands in them, in bytes.
const EVENTS_BYTES_MAX: usize = 64 << 20;

/// See the module.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Vec<Fact>> {
    let report = examine(world, task, head).await?;
    let json = report.to_json();
    let dir = world.task_dir(task);
    fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let path = Home::guards_file(&dir);
    atomic::write(&path, json.as_bytes(), Durability::Durable)
        .with_context(|| format!("write {}", path.display()))?;
    let examined = Examined {
        report: report.hash(),
        n_flagged: u32::try_from(report.n_flags()).unwrap_or(u32::MAX),
        hold: report.hold(),
        reviewers: own::reviewers(world, task),
    };
    Ok(vec![Fact::of(task.id, Event::Examined { head: head.clone(), examined })])
}

/// What is held back under this hash, for people.
pub(super) fn held(world: &World, task: &Task, hold: &ContentHash) -> anyhow::Result<String> {
    let Some(json) = read(world, task)? else { return Ok(String::new()) };
    let report = Report::from_json(&json).context("read what the guards found")?;
    if report.hold().as_ref() != Some(hold) {
        return Ok(String::new());
    }
    Ok(words::held_findings(&report))
}

/// What the guards found, if that is what the task has as a fact.
pub(super) fn report(
    world: &World,
    task: &Task,
    examined: Option<&Examined>,
) -> anyhow::Result<Option<Report>> {
    let json = examined.map(|examined| known(world, task, examined)).transpose()?.flatten();
    let report = json.as_deref().map(Report::from_json).transpose();
    report.context("read what the guards found")
}

/// The report as it was written, if that is what the task has as a fact.
pub(super) fn known(
    world: &World,
    task: &Task,
    examined: &Examined,
) -> anyhow::Result<Option<String>> {
    let json = read(world, task)?;
    Ok(json.filter(|json| examined.report == ContentHash::of(json.as_bytes())))
}

fn read(world: &World, task: &Task) -> anyhow::Result<Option<String>> {
    let path = Home::guards_file(&world.task_dir(task));
    match fs::read_to_string(&path) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| format!("read {}", path.display())),
    }
}

async fn examine(world: &World, task: &Task, head: &CommitId) -> anyhow::Result<Report> {
    let base = task.base.clone().context("the task has no base")?;
    let work = task.state.work().context("there is no work to look at")?;
    let (_, plan) = world.plan(&work.plan.hash)?;
    let mirror = world.mirror(&task.repo).await?;
    let reports = evidence::reports(world, task);
    let commands = commands(world, task)?;
    let looked = Looked {
        contract: Some(Contract::of(&plan)),
        reports,
        commands: Some(commands),
        checks: Some(if work.proof.is_flaky() {
            guard::Checks::Flaky
        } else {
            guard::Checks::Green
        }),
    };
    let (rules, scanner) = (world.config.policy.guards.clone(), world.scanner());
    look(&mirror, (&base, head), looked, (rules, scanner)).await
}

/// What is compared with a change.
#[derive(Debug, Default)]
pub struct Looked {
    pub contract: Option<Contract>,
    pub reports: Vec<String>,
    pub commands: Option<Vec<Ran>>,
    pub checks: Option<guard::Checks>,
}

/// Reads a change from a mirror and has the guards look at it, on a thread of its own: a
/// large one takes longer than anybody else should wait.
pub async fn look(
    mirror: &Mirror,
    (base, head): (&CommitId, &CommitId),
    looked: Looked,
    (rules, scanner): (guard::Rules, std::sync::Arc<zazen_core::secret::Scanner>),
) -> anyhow::Result<Report> {
    let changes = mirror.changes(base, head).await?;
    let new = changes.files.iter().filter(|change| change.is_added());
    let new = new.map(guard::Change::path).filter(|path| guard::is_source(path));
    let new: BTreeSet<&str> = new.collect();
    let siblings = mirror.beside(base, &new).await?;
    let examined = tokio::task::spawn_blocking(move || {
        guard::examine(&Evidence {
            contract: looked.contract.as_ref(),
            changes: &changes.files,
            is_cut: changes.is_cut,
            siblings: &siblings,
            reports: &looked.reports,
            commands: looked.commands.as_deref(),
            checks: looked.checks,
            rules: &rules,
            scanner: &scanner,
        })
    });
    examined.await.context("look at the change")
}

/// The commands of all agents that had a part in the work, in order.
fn commands(world: &World, task: &Task) -> anyhow::Result<Vec<Ran>> {
    let mut n_left = EVENTS_BYTES_MAX;
    let mut all = Vec::new();
    for n in 1..=task.n_runs {
        let run = RunId { task: task.id, n };
        let events = tool_events(&world.home, run, &mut n_left)?;
        all.extend(guard::commands(&events));
    }
    Ok(all)
}

/// What the tools of a run did.
fn tool_events(home: &Home, run: RunId, n_left: &mut usize) -> anyhow::Result<Vec<trace::Event>> {
    let dir = RunDir::new(home.run_dir(run));
    let Some(acting) = Acting::in_run(home, run) else { return Ok(Vec::new()) };
    let (mut reader, mut offset, mut events) = (acting.reader(), 0, Vec::new());
    loop {
        let lines = dir.read_new(&mut offset)?;
        if lines.is_empty() || *n_left == 0 {
            return Ok(events);
        }
        for line in lines {
            let Ev::Out { line } = line.ev else { continue };
            *n_left = n_left.saturating_sub(line.len());
            events.extend(reader.read(&line).into_iter().filter(is_of_tool).map(short));
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
fn is_of_tool(event: &trace::Event) -> bool {
    match event {
        trace::Event::Sub { event, .. } => is_of_tool(event),
        event => {
            matches!(event, trace::Event::ToolCall { .. } | trace::Event::ToolResult { .. })
        }
    }
}

/// The event without what a tool printed, which may be much.
fn short(mut event: trace::Event) -> trace::Event {
    if let trace::Event::ToolResult { output, .. } = &mut event {
        output.clear();
    }
    event
}
