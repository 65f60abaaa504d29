//! `zazen fork`.

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use zazen_core::id::AgentName;
use zazen_core::intake::{self, Request};
use zazen_core::task::Fork;

use super::replay::find;
use super::task::leave;
use super::{Context, ErrorKind, Result, json, kinded, line};
use crate::config::Config;
use crate::daemon::{self, Steps};

/// The new task has the same approved plan, a workspace, a branch and a pull request of its
/// own, and the steps until then as they are. The daemon carries it on like any other task.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A task's number, or a pull request: `#7`, `owner/name#7` or its address
    #[arg(value_name = "TASK|PR")]
    what: String,
    /// The last step that is kept; 0 begins on the base
    #[arg(long, value_name = "N")]
    from: u32,
    /// Who carries it on: an agent of zazen.toml, or its harness and model
    #[arg(long, value_name = "AGENT|HARNESS/MODEL")]
    with: Option<String>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct ForkJson {
    asked: Fork,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let book = Context::book(&home)?;
    let usage = |err| kinded(ErrorKind::Usage)(err);
    let task = find(&book, &args.what).map_err(usage)?;
    let agent = args.with.as_deref().map(|with| agent(&config, with));
    let agent = agent.transpose().map_err(usage)?;
    let steps = daemon::steps(&home, task.id, task.n_runs)?;
    let head = left_by(&steps, args.from).map_err(usage)?;
    let fork = Fork { of: task.id, step: args.from, base: steps.base, head, agent };
    let request = Request::Fork { fork: fork.clone(), by: config.name };
    // Said at once where it cannot be right; the daemon checks it again.
    intake::request(&book, "", &request).map_err(|why| usage(anyhow!("{why}")))?;
    leave(&home, &request)?;
    if args.json {
        return json(&ForkJson { asked: fork });
    }
    line("asked; `zazen status` shows the new task");
    Ok(())
}

/// What the step left, if it left something beside the base.
fn left_by(steps: &Steps, step: u32) -> anyhow::Result<Option<zazen_core::id::CommitId>> {
    if step == 0 {
        return Ok(None);
    }
    let of_step = steps.all.iter().rfind(|left| left.step == Some(step));
    let left = of_step.with_context(|| format!("what step {step} left is not kept"))?;
    Ok(Some(left.head.clone()).filter(|head| *head != steps.base))
}

/// The agent that is meant: by its name, or by its harness and its model.
fn agent(config: &Config, with: &str) -> anyhow::Result<AgentName> {
    if let Some(name) = config.agents.keys().find(|name| name.as_str() == with) {
        return Ok(name.clone());
    }
    if let Some((harness, model)) = with.split_once('/') {
        let mut fits = config
            .agents
            .iter()
            .filter(|(_, agent)| agent.harness.word() == harness && agent.model == model);
        if let Some((name, _)) = fits.next() {
            return Ok(name.clone());
        }
    }
    let known: Vec<&str> = config.agents.keys().map(AgentName::as_str).collect();
    bail!(
        "no agent of zazen.toml is `{with}`; there is: {}. Write one: [agents.NAME]",
        known.join(", ")
    )
}
