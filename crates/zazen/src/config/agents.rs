//! Agents and who acts in which role, checked: harnesses, routes, names.
//!
//! Whether a harness's program is there is not looked at here; the daemon does
//! that when it starts, for those that are used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use zazen_core::id::{AgentName, InvalidId};
use zazen_core::roster::{Role, Roles, Roster};
use zazen_harness::{Choice, Name};

use super::own::Own;
use super::{Check, Config, Error, Model, Repo, raw};

/// A harness with its model, its route and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    pub harness: Name,
    /// The model that is asked for; empty means the harness's own choice.
    pub model: String,
    /// How much it is to think, in the harness's words; empty means its own choice.
    pub effort: String,
    /// The key of the route in `models`.
    pub route: String,
    /// Where the program is, if not on the path.
    pub program: Option<PathBuf>,
    /// What a harness is told of which nothing is known here.
    pub own: Own,
}

/// Where an agent is written, and how its keys are called there.
struct Place<'a> {
    path: &'a [&'a str],
    /// The key that names the harness.
    harness: &'static str,
}

impl Config {
    /// The agents that act in some role.
    pub fn used_agents(&self) -> BTreeSet<AgentName> {
        self.roster.used(self.repos.iter().map(|repo| &repo.name))
    }

    /// The routes of those agents.
    pub fn used_routes(&self) -> BTreeSet<&str> {
        let used = self.used_agents();
        let used = self.agents.iter().filter(|(name, _)| used.contains(name));
        used.map(|(_, agent)| agent.route.as_str()).collect()
    }
}

impl Place<'_> {
    fn word(&self) -> String {
        self.path.join(".")
    }
}

impl Check<'_> {
    pub(super) fn agents(
        &self,
        (harness, others): (Option<raw::Harness>, BTreeMap<String, raw::Agent>),
        models: &BTreeMap<String, Model>,
    ) -> Result<BTreeMap<AgentName, Agent>, Error> {
        let mut agents = BTreeMap::new();
        // Where other agents are written, one that is not is none.
        if harness.is_some() || others.is_empty() {
            let raw = self.of_harness(harness.unwrap_or_default())?;
            let place = Place { path: &["harness"], harness: "use" };
            agents.insert(AgentName::default(), self.agent(&place, raw, models)?);
        }
        for (name, raw) in others {
            let path = ["agents", name.as_str()];
            let wrong = |err: InvalidId| self.wrong(&path, &err.to_string());
            let key: AgentName = name.parse().map_err(wrong)?;
            if agents.contains_key(&key) {
                let why =
                    format!("`{key}` is the agent of `[harness]`; give this one another name");
                return Err(self.wrong(&path, &why));
            }
            let place = Place { path: &path, harness: "harness" };
            agents.insert(key, self.agent(&place, raw, models)?);
        }
        Ok(agents)
    }

    /// The agent called `default`, in the words of all others.
    fn of_harness(&self, raw: raw::Harness) -> Result<raw::Agent, Error> {
        let raw::Harness { name, model, effort, route, program, claude, args, env, login, lines } =
            raw;
        if claude.is_some() && program.is_some() {
            let why = "write `program` or `claude`, not both";
            return Err(self.wrong(&["harness", "program"], why));
        }
        let harness = name.unwrap_or_else(|| Name::Mini.word().to_owned());
        let claude = claude.filter(|_| harness == Name::Claude.word());
        let program = program.or(claude);
        Ok(raw::Agent { harness, model, effort, route, program, args, env, login, lines })
    }

    fn agent(
        &self,
        place: &Place<'_>,
        raw: raw::Agent,
        models: &BTreeMap<String, Model>,
    ) -> Result<Agent, Error> {
        let at = |key| [place.path, &[key]].concat();
        let harness: Name = raw.harness.parse().map_err(|err: zazen_harness::UnknownName| {
            self.wrong(&at(place.harness), &err.to_string())
        })?;
        let route = raw.route.unwrap_or_else(|| "anthropic".to_owned());
        let Some(of_route) = models.get(&route) else {
            let word = place.word();
            let why = format!("`{word}.route` is `{route}`, and there is no `[models.{route}]`");
            return Err(self.wrong(&at("route"), &why));
        };
        if let Some(needs) = needs(harness, of_route) {
            let why = format!("`{harness}` needs a route with {needs}; `{route}` has another");
            return Err(self.wrong(&at("route"), &why));
        }
        let model = raw.model.unwrap_or_default();
        if model.is_empty()
            && let Choice::Needed(such_as) = harness.abilities().model
        {
            let word = place.word();
            let why = format!("`{harness}` needs `{word}.model`, such as \"{such_as}\"");
            return Err(self.wrong(place.path, &why));
        }
        let effort = raw.effort.unwrap_or_default();
        if !effort.is_empty() && !harness.knows_effort() {
            let why = format!("`{harness}` cannot be told an effort; leave it out");
            return Err(self.wrong(&at("effort"), &why));
        }
        if !effort.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let why = format!("`{effort}` is no effort; write a word like \"low\" or \"high\"");
            return Err(self.wrong(&at("effort"), &why));
        }
        let program = raw.program.map(|path| self.host_path(&path));
        if matches!(harness, Name::Acp | Name::Custom) && program.is_none() {
            let why = format!("`{harness}` can be any program; name it with `program`");
            return Err(self.wrong(place.path, &why));
        }
        let own = Own::of((raw.args, raw.env), raw.login, raw.lines);
        let own = self.own(place.path, harness, own)?;
        Ok(Agent { harness, model, effort, route, program, own })
    }

    /// Who acts where. `of_repos` are the roles of the repositories, in their order.
    pub(super) fn roster(
        &self,
        everywhere: &raw::Roles,
        of_repos: Vec<raw::Roles>,
        (repos, agents): (&[Repo], &BTreeMap<AgentName, Agent>),
    ) -> Result<Roster, Error> {
        let everywhere = self.roles(&["roles"], everywhere, agents)?;
        let mut own = BTreeMap::new();
        for ((repo, raw), index) in repos.iter().zip(of_repos).zip(0_usize..) {
            let path = ["repo", &index.to_string(), "roles"];
            own.insert(repo.name.clone(), self.roles(&path, &raw, agents)?);
        }
        let roster = Roster::new(everywhere, own);
        let used = roster.used(repos.iter().map(|repo| &repo.name));
        if let Some(missing) = used.iter().find(|name| !agents.contains_key(*name)) {
            let why = format!(
                "a role without a list has the agent `{missing}`, which is not there; write \
                 `[harness]`, or give every role its list"
            );
            return Err(self.wrong(&["roles"], &why));
        }
        Ok(roster)
    }

    fn roles(
        &self,
        path: &[&str],
        raw: &raw::Roles,
        agents: &BTreeMap<AgentName, Agent>,
    ) -> Result<Roles, Error> {
        let mut roles = Roles::default();
        for role in Role::ALL {
            let list = match role {
                Role::Plan => &raw.plan,
                Role::Implement => &raw.implement,
                Role::Correct => &raw.correct,
                Role::Review => &raw.review,
                Role::Ask => &raw.ask,
            };
            if let Some(list) = list {
                let path = [path, &[role.word()]].concat();
                roles.set(role, self.role(&path, list, agents)?);
            }
        }
        Ok(roles)
    }

    fn role(
        &self,
        path: &[&str],
        list: &[String],
        agents: &BTreeMap<AgentName, Agent>,
    ) -> Result<Vec<AgentName>, Error> {
        if list.is_empty() {
            return Err(self.wrong(path, "this list is empty; name an agent, or leave it out"));
        }
        let mut names = Vec::new();
        for (text, index) in list.iter().zip(0_usize..) {
            let wrong =
                |why: String| self.wrong(&[path, &[index.to_string().as_str()]].concat(), &why);
            let found = agents.keys().find(|name| name.as_str() == text);
            let Some(name) = found else { return Err(wrong(no_agent(text, agents))) };
            if names.contains(name) {
                return Err(wrong(format!("`{name}` is in this list twice")));
            }
            names.push(name.clone());
        }
        Ok(names)
    }
}

fn no_agent(text: &str, agents: &BTreeMap<AgentName, Agent>) -> String {
    let distance = |name: &&AgentName| strsim::damerau_levenshtein(text, name.as_str());
    match agents.keys().min_by_key(distance) {
        Some(nearest) => format!("there is no agent `{text}`; did you mean `{nearest}`?"),
        None => format!("there is no agent `{text}`"),
    }
}

/// What a harness needs of its route that this one does not have.
fn needs(harness: Name, route: &Model) -> Option<String> {
    let speaks = harness.abilities().speaks;
    let words: Vec<String> = speaks.iter().map(|api| format!("\"{}\"", api.word())).collect();
    let needs = format!("`api = {}`", words.join("` or `"));
    if harness == Name::Mini {
        // Subscriptions are for the vendors' own programs.
        let fits = speaks.contains(&route.api) && !route.is_login();
        return (!fits).then(|| format!("{needs}, and a key, not a login"));
    }
    (!speaks.contains(&route.api)).then_some(needs)
}
