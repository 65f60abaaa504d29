//! Whether every agent that acts somewhere can be started, of which version it is, and
//! whether its stream is still known.

use std::collections::BTreeMap;

use zazen_core::roster::Role;

use super::super::{Context, context};
use super::{Finding, bad, good, warning};
use crate::config::{self, Config, Target};
use crate::daemon::{self, Asking};
use crate::home::Home;
use crate::sandbox::Zazen;

pub(super) async fn look(context: &Context, (home, config): (&Home, &Config)) -> Vec<Finding> {
    let used = config.used_agents();
    let book = Context::book(home).unwrap_or_default();
    let strange = daemon::strange(home, &book);
    let Ok(zazen) = context::zazen().map(Zazen) else { return Vec::new() };
    let kind = daemon::kind(config.sandbox.engine);
    let asking = Asking { kind, zazen: &zazen, home: Some(home) };
    let mut findings = Vec::new();
    for (name, agent) in config.agents.iter().filter(|(name, _)| used.contains(*name)) {
        let what = format!("agent {name}");
        findings.push(one(context, config, asking, (&what, agent)).await);
        let fix =
            "see whether a newer zazen knows this version, or install the one it was tested with";
        findings.extend(strange.get(name).map(|said| warning(&what, said, fix)));
    }
    findings
}

/// Roles in which nobody can take over, where the owner wants that somebody does.
pub(super) fn nobody_else(config: &Config) -> Vec<Finding> {
    if !config.quota.fails_over {
        return Vec::new();
    }
    let mut alone: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for repo in &config.repos {
        let roles =
            Role::ALL.into_iter().filter(|role| config.roster.agents(&repo.name, *role).len() < 2);
        let roles: Vec<&str> = roles.map(Role::word).collect();
        if !roles.is_empty() {
            alone.entry(roles.join(", ")).or_default().push(repo.name.to_string());
        }
    }
    let finding = |(roles, repos): (String, Vec<String>)| {
        let says = format!(
            "nobody can take over in {}: `quota.then` is \"fail-over\", and {roles} have one agent",
            repos.join(", ")
        );
        warning("fail-over", &says, "name a second agent in their lists in `[roles]`")
    };
    alone.into_iter().map(finding).collect()
}

async fn one(
    context: &Context,
    config: &Config,
    asking: Asking<'_>,
    (what, agent): (&str, &config::Agent),
) -> Finding {
    let abilities = agent.harness.abilities();
    let harness = match daemon::find_harness(config, &context.environment, agent) {
        Ok(harness) => harness,
        Err(err) => return bad(what, &format!("{err:#}"), abilities.install),
    };
    let word = agent.harness.word();
    let at = harness.program().map(|program| format!(", {}", program.path.display()));
    let at = at.unwrap_or_default();
    let key = login(context, config, agent);
    let Some(version) = daemon::version(asking, &harness).await else {
        let says = format!("{word} of an unknown version{at}; {key}");
        let fix = format!("zazen harness test {word}");
        return warning(what, &says, &fix);
    };
    match daemon::untested(agent.harness, &version) {
        Some(said) => {
            let fix = format!("zazen harness test {word}");
            warning(what, &format!("{said}{at}; {key}"), &fix)
        }
        None => good(what, &format!("{word} {version}{at}; {key}")),
    }
}

/// With what it logs in to its model's service. What is missing has a finding of its own.
fn login(context: &Context, config: &Config, agent: &config::Agent) -> String {
    let route = &agent.route;
    let with = match config.models.get(route).map(|model| &model.target) {
        Some(Target::Playback { .. }) => "a recording",
        Some(Target::Live { key, is_login, .. }) => {
            match daemon::read_key(key, &context.environment) {
                Ok(Some(_)) if *is_login => "a subscription's login",
                Ok(Some(_)) => "a key",
                Ok(None) => "no key",
                Err(_) => "a key that is missing",
            }
        }
        None => "no route",
    };
    format!("models.{route}, with {with}")
}
