//! `zazen task`: tasks, what their runs did, and a word with them.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use zazen_core::host::Traffic;
use zazen_core::id::{RunId, TaskId};
use zazen_core::intake::{self, Request};
use zazen_core::task::Task;
use zazen_core::text::plain;
use zazen_core::{trace, words};

use super::spent::{self, Used};
use super::status::{agent, of, row};
use super::{Context, ErrorKind, Result, json, kinded, line};
use crate::daemon::{self, Acting, now};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{Ev, EventLine, LaunchSpec, Phase, RunDir};
use zazen_harness as harness;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the tasks
    List(List),
    /// Show one task: where it stands, its plan, its runs
    Show(Show),
    /// Show what the runs of a task did
    Logs(Logs),
    /// Stop a task; `retry` sends it on again
    Stop(Stop),
    /// Send a task on that failed or was stopped
    Retry(Retry),
    /// Let through what a guard holds back
    Release(Release),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The task's number
    task: u32,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// The task's number
    task: u32,
    /// Go on until the task rests
    #[arg(long, short)]
    follow: bool,
    /// Print every event as a line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Stop {
    /// The task's number
    task: u32,
}

#[derive(Debug, clap::Args)]
pub(super) struct Retry {
    /// The task's number
    task: u32,
    /// What the next agent should know
    remarks: Vec<String>,
    /// It does not go on by itself after a wait from now on; `--resume` undoes that
    #[arg(long)]
    no_resume: bool,
    /// It goes on by itself after a wait from now on
    #[arg(long, conflicts_with = "no_resume")]
    resume: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Release {
    /// The task's number
    task: u32,
    /// The hash of what is held back: the task's page and `zazen task show` have it
    hash: String,
}

/// How often new events are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List(args) => list(&args, context),
        Command::Show(args) => show(&args, context),
        Command::Logs(args) => logs(&args, context),
        Command::Stop(args) => {
            let (_, config) = context.configured()?;
            ask(context, &Request::Stop { task: TaskId(args.task), by: config.name })
        }
        Command::Retry(args) => {
            let (_, config) = context.configured()?;
            let remarks = args.remarks.join(" ");
            let resumes = (args.resume || args.no_resume).then_some(args.resume);
            let (task, by) = (TaskId(args.task), config.name);
            ask(context, &Request::Retry { task, by, remarks, resumes })
        }
        Command::Release(args) => {
            let (_, config) = context.configured()?;
            let (task, by) = (TaskId(args.task), config.name);
            ask(context, &Request::Release { task, by, hold: args.hash })
        }
    }
}

fn list(args: &List, context: &Context) -> Result {
    let home = context.home()?;
    let book = Context::book(&home)?;
    if args.json {
        let said =
            book.tasks().map(|task| of(&task, &book.around(&task), agent(&home, &task).as_deref()));
        return json(&said.collect::<Vec<_>>());
    }
    if book.n_tasks() == 0 {
        line("no tasks yet; write `/plan` on an issue: zazen issue comment NUMBER /plan");
    }
    let print = |task: &Task| row(task, &book.around(task), agent(&home, task).as_deref());
    book.tasks().for_each(|task| print(&task));
    Ok(())
}

/// A task and its runs, for machines.
#[derive(Debug, Serialize)]
struct ShowJson<'a> {
    task: &'a Task,
    folder: String,
    runs: Vec<RunJson>,
    hosts: Traffic,
    budgets: Vec<Used>,
}

#[derive(Debug, Serialize)]
struct RunJson {
    run: RunId,
    folder: String,
    stage: String,
    /// Who acts. The checks have no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Acting>,
    /// Where it ran, and what held it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<String>,
}

fn show(args: &Show, context: &Context) -> Result {
    let home = context.home()?;
    let book = Context::book(&home)?;
    let task = book.task(TaskId(args.task)).ok_or_else(|| no_task(args.task))?;
    let folder = daemon::task_dir(&home, &task);
    let runs: Vec<RunJson> = runs(&task)
        .map(|run| {
            let dir = RunDir::new(home.run_dir(run));
            let sandbox = sandbox_words(&dir);
            let stage = dir.observe().map_or_else(|_| "unreadable".to_owned(), stage_words);
            let agent = Acting::in_run(&home, run);
            RunJson { run, folder: dir.path().display().to_string(), stage, agent, sandbox }
        })
        .collect();
    let hosts = daemon::traffic(&home, &task)?;
    let config = context.configured().ok().map(|(_, config)| config);
    let budgets = config.as_ref().map(|config| spent::of_task(&task, &home, config));
    let budgets = budgets.transpose()?.unwrap_or_default();
    if args.json {
        let folder = folder.display().to_string();
        return json(&ShowJson { task: &task, folder, runs, hosts, budgets });
    }
    line(&format!("task {}: {}", task.id, plain(&task.title)));
    line(&format!("{} #{} · {}", task.repo, task.issue, plain(&task.state.to_string())));
    if let Some(waits) = words::waits_for(&task, &book.around(&task)) {
        line(&format!("it {waits}; `zazen task retry {}` has it begin without", task.id));
    }
    if let Some(agents) = words::passed_over(&task) {
        line(&format!("agents: {agents}"));
    }
    line(&format!("pages: {}", folder.display()));
    line(&format!(
        "cost: {} ({} tokens, {} calls)",
        words::cost(task.usage.cost),
        words::tokens(task.usage.tokens.total()),
        task.usage.n_calls
    ));
    if !hosts.is_empty() {
        line(&format!("hosts: {}", plain(&words::traffic(&hosts))));
    }
    for budget in &budgets {
        line(&format!("budget {}", spent::in_words(budget)));
    }
    let prices = config.map(|config| config.prices).unwrap_or_default();
    for run in runs {
        let calls = spent::calls_in_words(&daemon::calls_of(&home, run.run, &prices)?);
        line(&format!("run {}: {} · {calls} · {}", run.run, run.stage, run.folder));
        if let Some(agent) = run.agent {
            line(&format!("  agent: {}", agent.words()));
            agent.strange().into_iter().for_each(|said| line(&format!("  warning: {said}")));
        }
        if let Some(sandbox) = run.sandbox {
            line(&format!("  sandbox: {sandbox}"));
        }
    }
    if let Ok(page) = fs::read_to_string(Home::task_page(&folder)) {
        line(&format!("\n{}", plain(&page)));
    }
    Ok(())
}

/// The engine of a run that is over, and what it achieved.
fn sandbox_words(dir: &RunDir) -> Option<String> {
    let Ok(Phase::Ended(exit)) = dir.observe() else { return None };
    let spec: LaunchSpec = serde_json::from_slice(&fs::read(dir.spec()).ok()?).ok()?;
    Some(format!("{}; {}", spec.engine.word(), exit.achieved?))
}

fn stage_words(stage: Phase) -> String {
    match stage {
        Phase::Absent => "not begun".to_owned(),
        Phase::Starting => "starting".to_owned(),
        Phase::Running => "running".to_owned(),
        Phase::Ended(exit) => format!("ended ({})", exit.reason.word()),
        Phase::Lost => "lost".to_owned(),
    }
}

fn runs(task: &Task) -> impl Iterator<Item = RunId> + use<> {
    let id = task.id;
    (1..=task.n_runs).map(move |n| RunId { task: id, n })
}

fn logs(args: &Logs, context: &Context) -> Result {
    let home = context.home()?;
    let id = TaskId(args.task);
    let mut printed = 0;
    let mut log = None;
    loop {
        let book = Context::book(&home)?;
        let task = book.task(id).ok_or_else(|| no_task(args.task))?;
        let waits = task.waits(&book.around(&task));
        let rests = (task.is_at_rest() || waits) && task.run.is_none();
        for run in runs(&task).skip(printed) {
            if let Some(mut last) = log.replace(Log::of(&home, run)) {
                print_new(&mut last, args.json)?;
                print_strange(&home, last.run, args.json);
            }
            printed += 1;
            if !args.json {
                let agent = Acting::in_run(&home, run).map(|agent| agent.words());
                let who = agent.map(|agent| format!(" ({agent})")).unwrap_or_default();
                line(&format!("{}── run {run}{who}", if printed > 1 { "\n" } else { "" }));
            }
        }
        if let Some(log) = &mut log {
            print_new(log, args.json)?;
        }
        if rests || !args.follow {
            if let Some(log) = log {
                print_strange(&home, log.run, args.json);
            }
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// One run's events, as far as they were printed.
struct Log {
    run: RunId,
    dir: RunDir,
    offset: u64,
    /// None where what runs is no agent.
    reader: Option<harness::Reader>,
}

impl Log {
    fn of(home: &Home, run: RunId) -> Self {
        let reader = Acting::in_run(home, run).map(|acting| acting.reader());
        Self { run, dir: RunDir::new(home.run_dir(run)), offset: 0, reader }
    }
}

/// An event of a run, for machines: the raw line, and what it means.
#[derive(Debug, Serialize)]
struct EventJson<'a> {
    run: RunId,
    #[serde(flatten)]
    raw: &'a EventLine,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    means: Vec<trace::Event>,
}

fn print_new(log: &mut Log, as_json: bool) -> Result {
    loop {
        let events = log.dir.read_new(&mut log.offset)?;
        if events.is_empty() {
            return Ok(());
        }
        for event in &events {
            let means = match (&event.ev, &mut log.reader) {
                (Ev::Out { line }, Some(reader)) => reader.read(line),
                _ => Vec::new(),
            };
            if as_json {
                let text = serde_json::to_string(&EventJson { run: log.run, raw: event, means })?;
                line(&text);
            } else {
                print_event(event, &means);
            }
        }
    }
}

/// Says of a run that is over that its stream has changed. The raw events are there for machines.
fn print_strange(home: &Home, run: RunId, as_json: bool) {
    let said = Acting::in_run(home, run).and_then(|acting| acting.strange());
    said.filter(|_| !as_json).into_iter().for_each(|said| line(&format!("── warning: {said}")));
}

/// What the work says is indented, so that it can say nothing in zazen's name.
fn print_event(event: &EventLine, means: &[trace::Event]) {
    match &event.ev {
        Ev::Out { line: text } if means.is_empty() => line(&format!("   {}", one(text))),
        Ev::Out { .. } => {
            let lines = means.iter().flat_map(words::event_lines);
            lines.for_each(|text| line(format!("   {text}").trim_end()));
        }
        Ev::Err { line: text } => line(&format!("   ! {}", one(text))),
        Ev::Failed { message } => line(&format!("── failed: {}", one(message))),
        Ev::Ready { achieved } => line(&format!("── sandbox: {achieved}")),
        Ev::Canary { ok, tried } => {
            let what = if *ok { "nothing forbidden was possible" } else { "the sandbox leaks" };
            line(&format!("── canary: {what} ({} tries)", tried.len()));
        }
        Ev::Result(result) if result.n_commits == 1 => line("── result: 1 commit"),
        Ev::Result(result) => line(&format!("── result: {} commits", result.n_commits)),
        Ev::Ended { exit } => line(&format!("── ended: {}", exit.reason.word())),
        Ev::Started { .. } => {}
    }
}

/// What was one line stays one, whatever it holds.
fn one(text: &str) -> String {
    plain(text).replace('\n', " ")
}

/// Leaves a request for the daemon, which takes it when it is up, or when it comes up.
fn ask(context: &Context, request: &Request) -> Result {
    let home = context.home()?;
    let book = Context::book(&home)?;
    // Said at once where it cannot be right; the daemon checks it again.
    intake::request(&book, "", request)
        .map_err(|why| kinded(ErrorKind::Usage)(anyhow::anyhow!("{why}")))?;
    leave(&home, request)?;
    line("asked; `zazen status` shows what comes of it");
    Ok(())
}

/// Puts a request where the daemon finds it.
pub(super) fn leave(home: &Home, request: &Request) -> anyhow::Result<()> {
    let name = format!("{:013}-{}", now().0, std::process::id());
    let path = home.inbox_dir().join(format!("{name}.json"));
    let text = serde_json::to_vec(request)?;
    atomic::write(&path, &text, Durability::Durable)
        .with_context(|| format!("leave the request in {}", path.display()))?;
    Ok(())
}

fn no_task(task: u32) -> super::Failure {
    kinded(ErrorKind::Usage)(anyhow::anyhow!(
        "there is no task {task}; `zazen task list` lists them"
    ))
}
