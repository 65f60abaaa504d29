//! `zazen eval`.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _, stdin};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use zazen_core::engine::Book;
use zazen_core::id::{AgentName, TaskId};
use zazen_core::task::{Kind, State, Task};
use zazen_core::text::{cut_middle, plain};
use zazen_core::words;

use super::harness::micros;
use super::{Context, ErrorKind, Result, context, json, kinded, line, say};
use crate::config::Config;
use crate::daemon::{self, Eval, Row};

/// The steps of the approved plans are carried out again from the same base, in sandboxes, and
/// the checks are run on what comes of it. No task, branch or page is touched. The calls are
/// real and cost money.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The tasks, by their numbers: `3,5,12`
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with = "last")]
    tasks: Vec<u32>,
    /// The last so many tasks that were finished [default: 3]
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// The agents of zazen.toml that do it [default: the first one that implements]
    #[arg(long, value_name = "AGENTS", value_delimiter = ',')]
    with: Vec<AgentName>,
    /// A file to be read in the place of `soul.md`
    #[arg(long, value_name = "FILE")]
    soul: Option<PathBuf>,
    /// The most that all of it may cost, in US dollars
    #[arg(long, value_name = "DOLLARS", default_value = "5.00")]
    budget: f64,
    /// Begin without asking
    #[arg(long)]
    yes: bool,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct EvalJson {
    rows: Vec<Row>,
}

/// How many tasks are taken where nobody says which.
const N_LAST: usize = 3;

/// How large a soul may be: what of it is read by agents, several times over.
const SOUL_BYTES_MAX: usize = 256 * 1024;

/// How wide the column with the agents is.
const WHO_CHARS_MAX: usize = 44;

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let book = Context::book(&home)?;
    let usage = |err| kinded(ErrorKind::Usage)(err);
    let tasks = chosen(args, &book).map_err(usage)?;
    let agents = agents(args, &config, &tasks).map_err(usage)?;
    let micros_max = micros(args.budget).map_err(usage)?;
    let soul = args.soul.as_ref().map(|file| {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        anyhow::Ok(cut_middle(&text, SOUL_BYTES_MAX))
    });
    let soul = soul.transpose()?;
    let names: Vec<&str> = agents.iter().map(AgentName::as_str).collect();
    let ids: Vec<String> = tasks.iter().map(|task| task.id.to_string()).collect();
    say(&format!(
        "tasks {} are done again by {}: real calls, ${:.2} at the most. It does not count against \
         the budgets of this home.",
        ids.join(", "),
        names.join(", "),
        args.budget
    ));
    if !args.yes && !agrees()? {
        return Err(usage(anyhow!("nothing was done; say `--yes` to have it begin")));
    }
    let eval = Eval {
        home,
        config,
        environment: context.environment.clone(),
        zazen: context::zazen()?,
        tasks,
        agents,
        soul,
        micros_max,
    };
    if !args.json {
        line(&format!("{:<6} {:<WHO_CHARS_MAX$} {HEAD}", "task", "who"));
    }
    let rows = daemon::runtime()?.block_on(eval.run(&mut |row| {
        if !args.json {
            print(row);
        }
    }))?;
    if args.json {
        return json(&EvalJson { rows });
    }
    Ok(())
}

/// Asks at a terminal. Nobody is there elsewhere.
fn agrees() -> anyhow::Result<bool> {
    if !stdin().is_terminal() {
        return Ok(false);
    }
    say("Begin? [y/N]");
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).context("read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn chosen(args: &Args, book: &Book) -> anyhow::Result<Vec<Task>> {
    if args.tasks.is_empty() {
        let finished = book.tasks().rev().filter(|task| is_finished(task));
        let mut tasks: Vec<Task> =
            finished.take(args.last.unwrap_or(N_LAST)).map(std::borrow::Cow::into_owned).collect();
        tasks.reverse();
        if tasks.is_empty() {
            return Err(anyhow!("no task is finished yet"));
        }
        return Ok(tasks);
    }
    let of = |id: &u32| {
        let task = book.task(TaskId(*id)).with_context(|| format!("there is no task {id}"))?;
        if !is_finished(&task) {
            return Err(anyhow!("task {id} is {}; only finished ones can be compared", task.state));
        }
        Ok(task.into_owned())
    };
    args.tasks.iter().map(of).collect()
}

/// Whether its plan was approved and all of it was carried out.
fn is_finished(task: &Task) -> bool {
    let is_done = matches!(
        task.state,
        State::Drafted { .. } | State::Merged { .. } | State::Closed { pull: Some(_) }
    );
    is_done && task.kind == Kind::Change && task.plan.is_some()
}

fn agents(args: &Args, config: &Config, tasks: &[Task]) -> anyhow::Result<Vec<AgentName>> {
    if args.with.is_empty() {
        let role = zazen_core::roster::Role::Implement;
        let first = tasks.first().map(|task| config.roster.agents(&task.repo, role));
        return Ok(first.unwrap_or_default().into_iter().take(1).collect());
    }
    for agent in &args.with {
        if !config.agents.contains_key(agent) {
            let known: Vec<&str> = config.agents.keys().map(AgentName::as_str).collect();
            let known = known.join(", ");
            return Err(anyhow!("there is no agent `{agent}` in zazen.toml; there is: {known}"));
        }
    }
    Ok(args.with.clone())
}

const HEAD: &str = "checks  steps  files   lines        cost      calls  time";

fn print(row: &Row) {
    let checks = match row.checks {
        Some(true) => "green",
        Some(false) => "red",
        None => "-",
    };
    let who = match &row.agent {
        None => format!("as it was: {}", row.who),
        Some(_) => row.who.clone(),
    };
    let who: String = plain(&who).chars().take(WHO_CHARS_MAX).collect();
    let steps = format!("{}/{}", row.n_done, row.n_steps);
    let lines = format!("+{} -{}", row.n_added, row.n_removed);
    let cost = words::cost(row.usage.cost);
    let seconds = row.took_ms / 1000;
    let (task, n_files, n_calls) = (row.task.to_string(), row.n_files, row.usage.n_calls);
    line(&format!(
        "{task:<6} {who:<WHO_CHARS_MAX$} {checks:<7} {steps:<6} {n_files:<7} {lines:<12} \
         {cost:<9} {n_calls:<6} {seconds} s"
    ));
    if !row.says.is_empty() {
        line(&format!("       {}", plain(&row.says)));
    }
}
