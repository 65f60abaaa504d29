//! Tries one agent for real: what `zazen harness test` does.
//!
//! The program, the sandbox, the gateway, the model and its key are those that tasks get;
//! the repository is a throw-away one with two files. What can be looked at is looked at:
//! the commit, what a command printed, what the gateway counted. What the agent says counts
//! for nothing but its memory. `place` makes the place, `act` has the agent act there,
//! `finding` says what came of it.

mod act;
mod finding;
mod place;

use std::path::PathBuf;

use serde::Serialize;
use zazen_core::id::AgentName;
use zazen_harness::Task;

use self::act::{Act, Acted};
use self::place::{Place, Proof};
use super::agents;
use super::version::{Asking, untested, version};
use crate::config::{Config, Environment};
use crate::sandbox::Zazen;

/// What is to be tried, with what.
#[derive(Debug)]
pub struct Trial {
    pub config: Config,
    pub environment: Environment,
    pub zazen: PathBuf,
    /// One of the configuration's.
    pub agent: AgentName,
    /// The most that it may cost, in millionths of a US dollar.
    pub micros_max: u64,
}

/// One thing that was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub what: &'static str,
    pub came: Came,
    pub says: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What came of something that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    Good,
    /// It works, and something about it should be known; or it could not be told.
    Unsure,
    /// This harness has no such thing, and is not expected to.
    Absent,
    Bad,
}

impl Trial {
    /// Tries the agent. Each step is told as soon as it is known. Says where the place is, if
    /// something went wrong there that is worth a look.
    pub async fn run(self, tell: &mut dyn FnMut(Step)) -> anyhow::Result<Option<PathBuf>> {
        let mut all_good = true;
        let mut tell = |step: Step| {
            all_good &= step.came != Came::Bad;
            tell(step);
        };
        let Some(place) = self.open(&mut tell).await? else { return Ok(None) };
        let acted = place.act(Act::first(&place)).await;
        let first = match acted {
            Ok(acted) => acted,
            Err(err) => {
                tell(Step::bad("place", &format!("{err:#}"), "zazen doctor"));
                return Ok(Some(place.keep()));
            }
        };
        finding::started(&place, &first).into_iter().for_each(&mut tell);
        let works = finding::answered(&place, &first);
        let is_answered = works.iter().all(|step| step.came != Came::Bad);
        works.into_iter().for_each(&mut tell);
        let mut usage = first.sum.usage;
        if is_answered {
            finding::worked(&place, &first).await?.into_iter().for_each(&mut tell);
            let again = again(&place, &first).await?;
            if let Some(again) = &again {
                usage += again.sum.usage;
            }
            tell(finding::remembered(&place, again.as_ref()));
            tell(finding::cost(&place, usage));
        }
        drop(first);
        if all_good {
            place.remove();
            return Ok(None);
        }
        Ok(Some(place.keep()))
    }

    /// Finds the program, and makes the place.
    async fn open(self, tell: &mut dyn FnMut(Step)) -> anyhow::Result<Option<Place>> {
        let Self { config, environment, zazen, agent, micros_max } = self;
        let Some(of) = config.agents.get(&agent) else {
            anyhow::bail!("there is no agent `{agent}`");
        };
        let abilities = of.harness.abilities();
        let harness = match agents::find(&config, &environment, of) {
            Ok(harness) => harness,
            Err(err) => {
                tell(Step::bad("program", &format!("{err:#}"), abilities.install));
                return Ok(None);
            }
        };
        let kind = super::containers::kind(config.sandbox.engine);
        let asking = Asking { kind, zazen: &Zazen(zazen.clone()), home: None };
        let version = version(asking, &harness).await;
        tell(program(&harness, version.as_deref()));
        match Place::make(config, (environment, zazen), (agent, harness), micros_max).await {
            Ok(place) => Ok(Some(place)),
            Err(err) => {
                tell(Step::bad("place", &format!("{err:#}"), "zazen doctor"));
                Ok(None)
            }
        }
    }
}

/// Has the agent go on with its session, where it can.
async fn again(place: &Place, first: &Acted) -> anyhow::Result<Option<Acted>> {
    let Some(session) = &first.session else { return Ok(None) };
    let act = Act { n: 2, task: Task::Read, prompt: Proof::second(), resumed: Some(session) };
    place.act(act).await.map(Some)
}

/// What is known of the program before it does anything.
fn program(harness: &zazen_harness::Harness, version: Option<&str>) -> Step {
    let name = harness.name();
    let path = harness.program().map(|program| program.path.display().to_string());
    let at = path.map(|path| format!(", {path}")).unwrap_or_default();
    let Some(version) = version else {
        return Step::unsure("program", &format!("{name} of an unknown version{at}"));
    };
    match untested(name, version) {
        Some(said) => Step::unsure("program", &format!("{said}{at}")),
        None => Step::good("program", &format!("{name} {version}{at}")),
    }
}

impl Step {
    fn new(what: &'static str, came: Came, says: &str) -> Self {
        Self { what, came, says: says.to_owned(), fix: None }
    }

    fn good(what: &'static str, says: &str) -> Self {
        Self::new(what, Came::Good, says)
    }

    fn unsure(what: &'static str, says: &str) -> Self {
        Self::new(what, Came::Unsure, says)
    }

    fn absent(what: &'static str, says: &str) -> Self {
        Self::new(what, Came::Absent, says)
    }

    fn bad(what: &'static str, says: &str, fix: &str) -> Self {
        Self { fix: Some(fix.to_owned()), ..Self::new(what, Came::Bad, says) }
    }
}
