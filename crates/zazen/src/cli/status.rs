//! `zazen status`: what waits for you, what is under way, what is done.

use std::borrow::Cow;

use serde::Serialize;
use zazen_core::engine::Book;
use zazen_core::task::{Around, Other, State, Task};
use zazen_core::text::one_line;
use zazen_core::usage::Usage;
use zazen_core::words;

use super::limits::{self, RouteJson};
use super::spent::{self, Used};
use super::{Context, Result, json, line};
use crate::daemon::{self, Acting, now};
use crate::forge::github::client::Waiting;
use crate::home::{Home, lock};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct StatusJson {
    /// The process that holds the home, if a daemon is up.
    daemon: Option<u32>,
    needs_you: Vec<TaskJson>,
    working: Vec<TaskJson>,
    /// What goes on by itself at a certain time.
    waiting: Vec<TaskJson>,
    n_done: usize,
    usage: Usage,
    /// What waits because GitHub wants it to.
    waits: Vec<Waiting>,
    /// The limits over all tasks. Empty where the configuration cannot be read.
    budgets: Vec<Used>,
    /// What the services of models report of their limits, for each route that an agent uses.
    limits: Vec<RouteJson>,
}

/// A task, for machines.
#[derive(Debug, Serialize)]
pub(super) struct TaskJson {
    pub(super) task: u32,
    pub(super) repo: String,
    pub(super) issue: u64,
    pub(super) title: String,
    pub(super) state: &'static str,
    pub(super) says: String,
    pub(super) since_ms: u64,
    pub(super) usage: Usage,
    /// Which agents are passed over, and who goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agents: Option<String>,
    /// Who is at work on it, if an agent is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<String>,
    /// The issues that have to be merged before it begins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) waits_for: Vec<u64>,
}

/// Where a task belongs, for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    NeedsYou,
    Working,
    /// Goes on by itself at a certain time.
    Waiting,
    Done,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let home = context.home()?;
    let book = Context::book(&home)?;
    let holder = lock::holder(&home);
    let all = &book;
    let tasks = |column| all.tasks().filter(move |task| column_of(all, task) == column);
    // What is wrong with a configuration is for `doctor` to say.
    let config = context.configured().ok().map(|(_, config)| config);
    let limits = config.as_ref().map(|config| limits::all(&home, config)).unwrap_or_default();
    let budgets = config.map(|config| spent::overall(&book, &home, &config));
    let budgets = budgets.transpose()?.unwrap_or_default();
    let waits = daemon::waits(&home);
    if args.json {
        let said =
            |task: Cow<'_, Task>| of(&task, &book.around(&task), agent(&home, &task).as_deref());
        return json(&StatusJson {
            daemon: holder.map(|holder| holder.pid),
            needs_you: tasks(Column::NeedsYou).map(said).collect(),
            working: tasks(Column::Working).map(said).collect(),
            waiting: tasks(Column::Waiting).map(said).collect(),
            n_done: tasks(Column::Done).count(),
            usage: total(&book),
            waits,
            budgets,
            limits,
        });
    }
    match holder {
        Some(holder) => line(&format!("zazen is up (process {})", holder.pid)),
        None => line("zazen is down; `zazen up` starts it"),
    }
    section((&home, &book), "needs you", &mut tasks(Column::NeedsYou));
    section((&home, &book), "working", &mut tasks(Column::Working));
    section((&home, &book), "waiting", &mut tasks(Column::Waiting));
    let usage = total(&book);
    line(&format!(
        "\ndone: {}   cost so far: {} ({} tokens)",
        tasks(Column::Done).count(),
        words::cost(usage.cost),
        words::tokens(usage.tokens.total())
    ));
    for Waiting { whose, n_waiting, until, .. } in &waits {
        let left = words::elapsed(until.millis_since(now()));
        line(&format!("GitHub wants {whose} to wait for {left} (calls that wait: {n_waiting})"));
    }
    for budget in &budgets {
        line(&format!("budget {}", spent::in_words(budget)));
    }
    for route in &limits {
        line(&route.in_words());
    }
    Ok(())
}

fn section(
    (home, book): (&Home, &Book),
    title: &str,
    tasks: &mut dyn Iterator<Item = Cow<'_, Task>>,
) {
    let mut tasks = tasks.peekable();
    if tasks.peek().is_none() {
        return;
    }
    line(&format!("\n{title}"));
    for task in tasks {
        row(&task, &book.around(&task), agent(home, &task).as_deref());
    }
}

/// Who is at work on a task, with all that is known of it.
pub(super) fn agent(home: &Home, task: &Task) -> Option<String> {
    let run = task.run.as_ref()?;
    let name = run.agent()?;
    // A run that is only about to be started has no folder yet.
    let acting = Acting::in_run(home, run.id);
    Some(acting.map_or_else(|| name.to_string(), |acting| acting.words()))
}

/// Prints one line about a task.
pub(super) fn row(task: &Task, around: &Around, agent: Option<&str>) {
    let age = words::elapsed(now().millis_since(task.changed));
    let says = words::waits_for(task, around).unwrap_or_else(|| task.state.to_string());
    let state = one_line(&says, 60);
    let title = one_line(&task.title, 50);
    let agent = agent.map(|agent| format!("  ({agent})")).unwrap_or_default();
    line(&format!(
        "  {:<5} {state:<34} {age:>12}  {} #{}  {title}{agent}",
        task.id.0, task.repo, task.issue
    ));
    if let Some(agents) = words::passed_over(task) {
        line(&format!("        {agents}"));
    }
}

fn column_of(book: &Book, task: &Task) -> Column {
    let around = book.around(task);
    if task.waits(&around) && around.before.iter().any(Other::is_stuck) {
        return Column::NeedsYou;
    }
    match &task.state {
        State::AwaitingApproval
        | State::Held(_)
        | State::Drafted { .. }
        | State::Failed { .. }
        | State::Stopped { .. } => Column::NeedsYou,
        State::Split(_) | State::Merged { .. } | State::Closed { .. } => Column::Done,
        State::Received(_)
        | State::Planning(_)
        | State::Splitting(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Reviewing(_)
        | State::Correcting(_)
        | State::Publishing(_)
        | State::Rebasing(_) => Column::Working,
        State::Parked { pause, .. } if pause.ends().is_some() => Column::Waiting,
        State::Parked { .. } => Column::NeedsYou,
    }
}

fn total(book: &Book) -> Usage {
    let mut total = Usage::default();
    for task in book.tasks() {
        total += task.usage;
    }
    total
}

pub(super) fn of(task: &Task, around: &Around, agent: Option<&str>) -> TaskJson {
    let waits = task.waits(around);
    let before = around.before.iter().filter(|_| waits);
    TaskJson {
        agents: words::passed_over(task),
        waits_for: before.map(|other| other.issue.0).collect(),
        task: task.id.0,
        repo: task.repo.to_string(),
        issue: task.issue.0,
        title: task.title.clone(),
        agent: agent.map(str::to_owned),
        state: task.state.word(),
        says: task.state.to_string(),
        since_ms: task.changed.0,
        usage: task.usage,
    }
}
