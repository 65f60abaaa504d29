//! The agents of this daemon, and which of them a run has.
//!
//! The engine decides on an agent when a run begins. What is needed to go on
//! with the run is kept in its folder: a daemon that comes later may have
//! another configuration, in which that agent is another one, or none.

mod acp;
mod learn;
mod native;
mod python;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::id::{AgentName, RunId};
use zazen_core::task::{Run, Task};
use zazen_core::{trace, words};
use zazen_harness::{self as harness, Harness, Name, Patterns, Reader, Speaker};

pub use self::learn::strange;
use super::world::World;
use crate::config::{self, Config, Environment};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{LaunchSpec, RunDir, Work};

/// The agents that can act here.
#[derive(Debug)]
pub(super) struct Agents(BTreeMap<AgentName, Ready>);

/// An agent whose program was found.
#[derive(Debug)]
struct Ready {
    harness: Harness,
    config: config::Agent,
    /// The version of its program, as far as it says one.
    version: Option<String>,
}

/// The agent of one run, as it was when the run was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acting {
    pub agent: AgentName,
    pub harness: Name,
    /// The model that was asked for; empty where the harness chooses. Once the run has said
    /// which one it uses, that one.
    #[serde(default)]
    pub model: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub effort: String,
    /// Where its calls go.
    pub route: String,
    /// The version of the harness: of its program, and once the stream says one, that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How much of its stream is known, once the run has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<trace::Lines>,
    /// What the lines mean that it prints, where the owner says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patterns: Option<Patterns>,
}

/// The agent of a run that was not started yet is not in the configuration any more.
#[derive(Debug, thiserror::Error)]
#[error("the agent `{0}` is not in zazen.toml any more, or its program is gone")]
pub(super) struct Gone(AgentName);

/// The name of the file in a run's folder that says who acts.
const FILE: &str = "agent.json";

/// How large that file may be: it is a few words.
const FILE_BYTES_MAX: u64 = 64 * 1024;

impl Agents {
    /// Finds the programs of all agents. Only one that acts somewhere has to be there.
    pub(super) fn find(config: &Config, environment: &Environment) -> anyhow::Result<Self> {
        let used = config.used_agents();
        let mut agents = BTreeMap::new();
        for (name, agent) in &config.agents {
            match find(config, environment, agent) {
                Ok(harness) => {
                    let (config, version) = (agent.clone(), None);
                    let ready = Ready { harness, config, version };
                    agents.insert(name.clone(), ready);
                }
                Err(err) if used.contains(name) => {
                    return Err(err).with_context(|| format!("prepare the agent `{name}`"));
                }
                Err(err) => tracing::debug!("the agent `{name}`, which has no role: {err:#}"),
            }
        }
        Ok(Self(agents))
    }

    /// Says who is there, for people.
    pub(super) fn words(&self) -> String {
        let all = self.0.keys().filter_map(|name| Some(self.acting(name).ok()?.words()));
        all.collect::<Vec<_>>().join("; ")
    }

    /// The harness of an agent, as this daemon starts it.
    pub(super) fn harness(&self, name: &AgentName) -> Result<&Harness, Gone> {
        self.0.get(name).map(|ready| &ready.harness).ok_or_else(|| Gone(name.clone()))
    }

    /// Says who acts in a run that is about to be started.
    pub(super) fn acting(&self, name: &AgentName) -> Result<Acting, Gone> {
        let ready = self.0.get(name).ok_or_else(|| Gone(name.clone()))?;
        let config::Agent { harness, model, effort, route, .. } = ready.config.clone();
        Ok(Acting {
            agent: name.clone(),
            harness,
            model,
            effort,
            route,
            version: ready.version.clone(),
            lines: None,
            patterns: ready.harness.lines().cloned(),
        })
    }
}

impl Acting {
    /// Says who acts in a run of a task. The checks have nobody.
    ///
    /// A run that has begun keeps who was written down then. One that is only about to be
    /// started has the agent of that name as it is in the configuration now.
    pub(super) fn of(
        world: &World,
        task: &Task,
        (dir, is_new): (&RunDir, bool),
    ) -> anyhow::Result<Option<Self>> {
        let Some(name) = task.run.as_ref().and_then(Run::agent) else { return Ok(None) };
        if is_new {
            let acting = world.agents.acting(&name)?;
            acting.write(dir)?;
            return Ok(Some(acting));
        }
        match Self::read(dir) {
            Some(acting) => Ok(Some(acting)),
            None => Ok(Some(world.agents.acting(&name)?)),
        }
    }

    /// Says who acts in a run of a task, or will where it was not started yet.
    pub(super) fn expected(world: &World, task: &Task, dir: &RunDir) -> Option<Self> {
        let named = || world.agents.acting(&task.run.as_ref()?.agent()?).ok();
        Self::read(dir).or_else(named)
    }

    /// Who acted in a run, if an agent did.
    pub fn in_run(home: &Home, run: RunId) -> Option<Self> {
        Self::read(&RunDir::new(home.run_dir(run)))
    }

    /// The same, by the run's folder.
    pub(super) fn read(dir: &RunDir) -> Option<Self> {
        let path = dir.path().join(FILE);
        if path.metadata().is_ok_and(|file| file.len() <= FILE_BYTES_MAX) {
            return serde_json::from_slice(&fs::read(path).ok()?).ok();
        }
        Self::of_old(dir)
    }

    /// Runs of before had no such file. There were two harnesses then, and one agent.
    fn of_old(dir: &RunDir) -> Option<Self> {
        let spec: LaunchSpec = serde_json::from_slice(&fs::read(dir.spec()).ok()?).ok()?;
        let Work::Harness { argv, .. } = spec.work else { return None };
        let is_mini = argv.get(1).is_some_and(|arg| arg == "mini");
        let variables = ["ANTHROPIC_BASE_URL", "{gateway}/"];
        let url = spec.env.get(variables[0]).cloned();
        let after = |flag: &str| {
            let at = argv.iter().position(|arg| arg == flag)?;
            argv.get(at + 1).cloned()
        };
        let url = url.or_else(|| after("--base-url")).unwrap_or_default();
        let route = url.strip_prefix(variables[1]).unwrap_or_default();
        Some(Self {
            agent: AgentName::default(),
            harness: if is_mini { Name::Mini } else { Name::Claude },
            model: after("--model").unwrap_or_default(),
            effort: String::new(),
            route: route.split('/').next().unwrap_or_default().to_owned(),
            version: None,
            lines: None,
            patterns: None,
        })
    }

    /// A reader for the stream of its run.
    pub fn reader(&self) -> Reader {
        self.harness.reader(self.patterns.as_ref())
    }

    /// Says who acts, for people.
    pub fn words(&self) -> String {
        words::agent(words::Agent {
            name: &self.agent,
            harness: self.harness.word(),
            version: self.version.as_deref().unwrap_or_default(),
            model: &self.model,
            effort: &self.effort,
        })
    }

    fn write(&self, dir: &RunDir) -> anyhow::Result<()> {
        let path = dir.path().join(FILE);
        let text = serde_json::to_vec_pretty(self).context("print the agent of a run")?;
        // It is there before the run is, and no run is there any more when the machine was down.
        atomic::write(&path, &text, Durability::Relaxed)
            .with_context(|| format!("write {}", path.display()))
    }

    /// Keeps what the harness says of itself when it is up.
    pub(super) fn note(&mut self, dir: &RunDir, event: &trace::Event) -> anyhow::Result<()> {
        let trace::Event::Started { model, version, .. } = event else { return Ok(()) };
        let before = self.clone();
        self.model = model.clone().unwrap_or_else(|| self.model.clone());
        self.version = version.clone().or_else(|| self.version.clone());
        if *self == before { Ok(()) } else { self.write(dir) }
    }
}

/// The harness of an agent, found on this machine.
pub fn find(
    config: &Config,
    environment: &Environment,
    agent: &config::Agent,
) -> anyhow::Result<Harness> {
    let model = agent.model.clone();
    let n_turns_max = config.limits.n_turns_max;
    let acp = |speaker| acp::find(config, environment, (agent, speaker)).map(Harness::Acp);
    match agent.harness {
        Name::Mini => {
            let api = match config.models.get(&agent.route).map(|model| model.api) {
                Some(config::Api::OpenAi) => "openai",
                Some(config::Api::Anthropic | config::Api::Gemini) | None => "anthropic",
            };
            Ok(Harness::Mini(harness::Mini { api, model, n_turns_max }))
        }
        Name::Codex => {
            let program = program(environment, agent)?;
            let folder = native::folder(&program);
            let effort = agent.effort.clone();
            Ok(Harness::Codex(harness::Codex { program, folder, model, effort }))
        }
        Name::Gemini => acp(Speaker::Gemini),
        Name::OpenCode => acp(Speaker::OpenCode),
        Name::Qwen => acp(Speaker::Qwen),
        Name::Copilot => acp(Speaker::Copilot),
        Name::Acp => {
            let config::Own { args, env, login, lines: _ } = agent.own.clone();
            acp(Speaker::Other(harness::Other { args, env, login }))
        }
        Name::Aider => {
            let program = program(environment, agent)?;
            let folders = python::folders(&program);
            let api = config.models.get(&agent.route).map_or(config::Api::OpenAi, |it| it.api);
            Ok(Harness::Aider(harness::Aider { program, folders, model, api }))
        }
        Name::Custom => {
            let program = program(environment, agent)?;
            let folder = program.parent().unwrap_or(Path::new("/")).to_owned();
            let config::Own { args, env, login: _, lines } = agent.own.clone();
            Ok(Harness::Custom(harness::Custom { program, folder, model, args, env, lines }))
        }
        Name::Claude => {
            let program = program(environment, agent)?;
            let folder = program.parent().unwrap_or(Path::new("/")).to_owned();
            let is_login = config.models.get(&agent.route).is_some_and(config::Model::is_login);
            let config::Programs { hooks, mcp } = config.policy.repo_programs;
            Ok(Harness::Claude(harness::Claude {
                program,
                folder,
                model,
                effort: agent.effort.clone(),
                n_turns_max,
                repo_programs: harness::Programs { hooks, mcp },
                is_login,
            }))
        }
    }
}

/// The program of an agent, as it is named or found on the path, or the native one beside it.
fn program(environment: &Environment, agent: &config::Agent) -> anyhow::Result<PathBuf> {
    let word = agent.harness.word();
    let named = agent.program.clone().or_else(|| environment.find_program(word));
    let missing = || format!("`{word}` is not on the path; install it, or set `program`");
    native::of(agent.harness, real(&named.with_context(missing)?)?)
}

/// What npm puts on the path is a link to the real program.
fn real(program: &Path) -> anyhow::Result<PathBuf> {
    program.canonicalize().with_context(|| format!("find the program {}", program.display()))
}

#[cfg(test)]
mod tests;
