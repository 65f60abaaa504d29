//! `zazen harness test`.

use anyhow::anyhow;
use serde::Serialize;
use url::Url;
use zazen_core::id::AgentName;
use zazen_core::text::plain;
use zazen_harness::Name;

use super::super::{Context, ErrorKind, Result, context, json, kinded, line, say};
use super::list::unconfigured;
use crate::config::{Config, Target};
use crate::daemon::{self, Came, Step, Trial};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The agent of zazen.toml, or the harness, such as `codex`
    name: String,
    /// The most that it may cost, in US dollars
    #[arg(long, value_name = "DOLLARS", default_value = "0.50")]
    budget: f64,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct TestJson {
    agent: AgentName,
    works: bool,
    steps: Vec<Step>,
    /// Where everything is, if something did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
}

/// The largest budget. A trial makes about eight calls.
const DOLLARS_MAX: f64 = 100.0;

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let (_, mut config) = context.configured()?;
    let agent = choose(&mut config, &args.name).map_err(kinded(ErrorKind::Usage))?;
    let micros_max = micros(args.budget).map_err(kinded(ErrorKind::Usage))?;
    say(&announce(&config, &agent, args.budget));
    let trial = Trial {
        config,
        environment: context.environment.clone(),
        zazen: context::zazen()?,
        agent: agent.clone(),
        micros_max,
    };
    let runtime = daemon::runtime()?;
    let mut steps = Vec::new();
    let folder = runtime.block_on(trial.run(&mut |step| {
        if !args.json {
            print(&step);
        }
        steps.push(step);
    }))?;
    let works = steps.iter().all(|step| step.came != Came::Bad);
    let folder = folder.map(|folder| folder.display().to_string());
    if args.json {
        json(&TestJson { agent, works, steps, folder })?;
    } else if let Some(folder) = folder {
        line(&format!("\nwhat happened is kept in {folder}; remove it when you have looked"));
    }
    if !works {
        let what = anyhow!("`{}` does not work here; see above", args.name);
        return Err(kinded(ErrorKind::Unavailable)(what));
    }
    Ok(())
}

/// The agent that is meant: one by this name, else one with this harness, else one that
/// nobody has configured, on a route that it can use.
fn choose(config: &mut Config, name: &str) -> anyhow::Result<AgentName> {
    if let Some(agent) = config.agents.keys().find(|agent| agent.as_str() == name) {
        return Ok(agent.clone());
    }
    let harness: Name = name.parse().map_err(|_| {
        let agents: Vec<&str> = config.agents.keys().map(AgentName::as_str).collect();
        anyhow!("there is no agent and no harness `{name}`; agents are {}", agents.join(", "))
    })?;
    let same = config.agents.iter().find(|(_, agent)| agent.harness == harness);
    if let Some((agent, _)) = same {
        return Ok(agent.clone());
    }
    let speaks = harness.abilities().speaks;
    let fits = config.models.iter().find(|(_, model)| {
        speaks.contains(&model.api) && (harness == Name::Claude || !model.is_login())
    });
    let Some((route, _)) = fits else {
        let apis: Vec<&str> = speaks.iter().map(|api| api.word()).collect();
        let apis = apis.join("\" or \"");
        return Err(anyhow!(
            "`{harness}` needs a route with `api = \"{apis}\"`; write one into zazen.toml: \
             [models.NAME]"
        ));
    };
    let agent: AgentName = harness.word().parse()?;
    let mut new = unconfigured(harness);
    new.route.clone_from(route);
    config.agents.insert(agent.clone(), new);
    Ok(agent)
}

/// Says what it is about to do, before it costs anything.
fn announce(config: &Config, agent: &AgentName, budget: f64) -> String {
    let Some(of) = config.agents.get(agent) else { return String::new() };
    let model = if of.model.is_empty() { "its own choice of model" } else { of.model.as_str() };
    let where_to = match config.models.get(&of.route).map(|model| &model.target) {
        Some(Target::Live { base_url, .. }) if is_here(base_url) => format!("asks {base_url}"),
        Some(Target::Live { base_url, .. }) => format!("asks {base_url}, which costs real money"),
        Some(Target::Playback { .. }) | None => "asks a recording, which costs nothing".to_owned(),
    };
    format!(
        "`{agent}` ({} with {model}) {where_to}: a handful of calls, ${budget:.2} at the most. It \
         does not count against the budgets of this home.",
        of.harness
    )
}

/// Whether this is on this machine, where most services cost nothing.
fn is_here(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// Whole millionths of a dollar.
pub(in crate::cli) fn micros(dollars: f64) -> anyhow::Result<u64> {
    if !(dollars > 0.0 && dollars <= DOLLARS_MAX) {
        return Err(anyhow!("`--budget` is in US dollars, more than 0 and at most {DOLLARS_MAX}"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it was just seen that it is positive and small"
    )]
    let micros = (dollars * 1e6).round() as u64;
    Ok(micros)
}

fn print(step: &Step) {
    let sign = match step.came {
        Came::Good => "ok  ",
        Came::Unsure => "warn",
        Came::Absent => "--  ",
        Came::Bad => "BAD ",
    };
    line(&format!("{sign}  {:<15} {}", step.what, plain(&step.says)));
    if let Some(fix) = &step.fix {
        line(&format!("                      fix: {fix}"));
    }
}
