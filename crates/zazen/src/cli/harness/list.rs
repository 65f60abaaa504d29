//! `zazen harness list`.

use std::collections::BTreeMap;

use serde::Serialize;
use zazen_core::id::{AgentName, RepoName};
use zazen_core::merit::Merit;
use zazen_core::roster::Role;
use zazen_core::words;
use zazen_harness::{Harness, Name};

use super::super::{Context, Result, context, json, line};
use crate::config::{self, Config};
use crate::daemon::{self, Asking};
use crate::home::Home;
use crate::sandbox::Zazen;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
    /// Say of each what it can do
    #[arg(long, short)]
    abilities: bool,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct ListJson {
    agents: Vec<AgentJson>,
    /// Harnesses that are installed and that no agent has.
    also_here: Vec<ProgramJson>,
    /// Those that could be installed.
    missing: Vec<MissingJson>,
}

#[derive(Debug, Serialize)]
struct AgentJson {
    agent: AgentName,
    #[serde(flatten)]
    program: ProgramJson,
    model: String,
    effort: String,
    route: String,
    /// The roles that it acts in, first of all agents.
    acts: Vec<&'static str>,
    /// The roles in which it can take over.
    takes_over: Vec<&'static str>,
    /// Why it cannot be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// What of its stream was not known in its last runs, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    strange: Option<String>,
    merits: BTreeMap<&'static str, Merit>,
}

#[derive(Debug, Serialize)]
pub(in crate::cli) struct ProgramJson {
    pub(in crate::cli) harness: Name,
    pub(in crate::cli) program: Option<String>,
    pub(in crate::cli) version: Option<String>,
    pub(in crate::cli) tested: Option<&'static str>,
    abilities: BTreeMap<&'static str, String>,
}

#[derive(Debug, Serialize)]
struct MissingJson {
    harness: Name,
    install: &'static str,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let list = runtime.block_on(look(context, (&home, &config)))?;
    if args.json {
        return json(&list);
    }
    list.agents.iter().for_each(|agent| print_agent(agent, args.abilities));
    if !list.also_here.is_empty() {
        line("\nalso here; `[agents.NAME]` with `harness = …` makes an agent of one");
    }
    list.also_here.iter().for_each(|program| print_program("  ", program, args.abilities));
    for MissingJson { harness, install } in &list.missing {
        line(&format!("  {:<10} not here: {install}", harness.word()));
    }
    line("\nwhether one works: zazen harness test NAME");
    Ok(())
}

async fn look(context: &Context, (home, config): (&Home, &Config)) -> Result<ListJson> {
    let zazen = Zazen(context::zazen()?);
    let kind = daemon::kind(config.sandbox.engine);
    let asking = Asking { kind, zazen: &zazen, home: Some(home) };
    let merits = daemon::merits(home)?.all();
    let strange = daemon::strange(home, &Context::book(home)?);
    let mut agents = Vec::new();
    for (name, agent) in &config.agents {
        let found = daemon::find_harness(config, &context.environment, agent);
        let program = program(asking, agent.harness, found.as_ref().ok()).await;
        let config::Agent { model, effort, route, .. } = agent.clone();
        let own = merits.iter().filter(|((of, _), _)| of == name);
        agents.push(AgentJson {
            agent: name.clone(),
            program,
            model,
            effort,
            route,
            acts: roles(config, name, Place::First),
            takes_over: roles(config, name, Place::Later),
            trouble: found.err().map(|err| format!("{err:#}")),
            strange: strange.get(name).cloned(),
            merits: own.map(|((_, role), merit)| (role.word(), *merit)).collect(),
        });
    }
    let (mut also_here, mut missing) = (Vec::new(), Vec::new());
    let is_used = |name: Name| config.agents.values().any(|agent| agent.harness == name);
    for harness in Name::ALL.into_iter().filter(|name| !is_used(*name)) {
        let abilities = harness.abilities();
        let Some(word) = abilities.program else { continue };
        if context.environment.find_program(word).is_none() {
            missing.push(MissingJson { harness, install: abilities.install });
            continue;
        }
        let agent = unconfigured(harness);
        let found = daemon::find_harness(config, &context.environment, &agent).ok();
        also_here.push(program(asking, harness, found.as_ref()).await);
    }
    Ok(ListJson { agents, also_here, missing })
}

/// An agent that nobody has configured, to find its program by.
pub(super) fn unconfigured(harness: Name) -> config::Agent {
    let model = harness.abilities().model.usual().to_owned();
    let (effort, route, program) = (String::new(), String::new(), None);
    let own = config::Own::default();
    config::Agent { harness, model, effort, route, program, own }
}

/// A harness's program as it is here.
pub(in crate::cli) async fn program(
    asking: Asking<'_>,
    name: Name,
    found: Option<&Harness>,
) -> ProgramJson {
    let version = match found {
        Some(harness) => daemon::version(asking, harness).await,
        None => None,
    };
    let path = found.and_then(Harness::program).map(|program| program.path.display().to_string());
    let abilities = name.abilities();
    let words = abilities.in_words().into_iter().collect();
    ProgramJson {
        harness: name,
        program: path,
        version,
        tested: abilities.tested,
        abilities: words,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Later,
}

/// The roles in which an agent has this place, in some repository.
fn roles(config: &Config, agent: &AgentName, place: Place) -> Vec<&'static str> {
    let repos: Vec<RepoName> = if config.repos.is_empty() {
        // What holds for one that comes later.
        "any/any".parse().into_iter().collect()
    } else {
        config.repos.iter().map(|repo| repo.name.clone()).collect()
    };
    let has = |role: &Role| {
        repos.iter().any(|repo| {
            let at = config.roster.agents(repo, *role).iter().position(|name| name == agent);
            match place {
                Place::First => at == Some(0),
                Place::Later => at.is_some_and(|at| at > 0),
            }
        })
    };
    Role::ALL.into_iter().filter(has).map(Role::word).collect()
}

fn print_agent(agent: &AgentJson, with_abilities: bool) {
    let AgentJson { model, effort, route, acts, takes_over, .. } = agent;
    line(&format!("{}", agent.agent));
    print_program("  ", &agent.program, with_abilities);
    let chosen = [("model", model), ("effort", effort), ("route", route)];
    let chosen = chosen.iter().filter(|(_, word)| !word.is_empty());
    let chosen: Vec<String> = chosen.map(|(what, word)| format!("{what} {word}")).collect();
    line(&format!("  {}", chosen.join(", ")));
    let then = match takes_over.as_slice() {
        [] => String::new(),
        roles => format!("; can take over: {}", roles.join(", ")),
    };
    let acts = if acts.is_empty() { "nothing".to_owned() } else { acts.join(", ") };
    line(&format!("  does {acts}{then}"));
    for (what, said) in [("BAD ", &agent.trouble), ("warning: ", &agent.strange)] {
        if let Some(said) = said {
            line(&format!("  {what}{said}"));
        }
    }
    for (role, merit) in &agent.merits {
        line(&format!("  {role}: {}", merit_words(merit)));
    }
}

fn print_program(indent: &str, program: &ProgramJson, with_abilities: bool) {
    let version = program.version.as_deref().unwrap_or("of an unknown version");
    let tested = match (program.tested, &program.version) {
        (Some(tested), Some(version)) if tested == version => " (tested)".to_owned(),
        (Some(tested), _) => format!(" (tested: {tested})"),
        (None, _) => String::new(),
    };
    let at = program.program.as_deref().unwrap_or_default();
    let word = program.harness.word();
    line(format!("{indent}{word:<10} {version}{tested}  {at}").trim_end());
    if with_abilities {
        for (what, says) in &program.abilities {
            line(&format!("{indent}  {what:<30} {says}"));
        }
    }
}

/// What came of an agent's work in a role.
fn merit_words(merit: &Merit) -> String {
    let Merit { n_tasks, n_drafted, n_merged, n_closed, n_corrections, n_failed, .. } = merit;
    format!(
        "{}, {n_drafted} drafted, {n_merged} merged, {n_closed} closed unmerged, \
         {}, {} ({n_failed} failed), {}",
        words::n_of(*n_tasks, "task"),
        words::n_of(*n_corrections, "correction"),
        words::n_of(merit.n_runs, "run"),
        words::cost(merit.usage.cost)
    )
}
