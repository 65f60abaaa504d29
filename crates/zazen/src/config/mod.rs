//! `zazen.toml`: as written in `raw`, checked here.
//!
//! [`Config`] has no `Option` that means "default": every key that is not
//! written has got its value by then. An error names the file, the line, the
//! key, and what would be right. The environment is read here and nowhere else.

mod agents;
mod container;
mod delegate;
mod env;
mod github;
mod money;
mod own;
mod policy;
mod quota;
mod raw;
mod repos;
mod route;
mod tools;
mod units;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize as _;
use zazen_core::budget::Budget;
use zazen_core::host::Hosts;
use zazen_core::id::{AgentName, RepoName};
use zazen_core::price::Prices;
use zazen_core::roster::Roster;
use zazen_core::skill::Choice;
use zazen_core::trust::Trust;

pub use self::agents::Agent;
pub use self::container::{Containers, Image};
pub use self::env::{CRASH_VARIABLE, Environment};
pub use self::github::{
    APP_KEY_FILE, Forge, GITHUB_API, GITHUB_DIR, Github, GithubLogin, Poll, WEBHOOK_SECRET_FILE,
    check_api, web_of,
};
pub use self::own::Own;
pub use self::policy::{OwnReviews, Policy, Programs, Texts};
pub use self::quota::Quota;
pub use self::tools::{Program, Server, ServerAt};
pub use zazen_harness::Api;

/// The name of the configuration's file in a home.
pub const FILE: &str = "zazen.toml";

/// The version of the file's format that this zazen reads and writes.
pub const VERSION: u32 = 1;

/// Everything that the owner decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// How the command line and hand-made comments are signed.
    pub name: String,
    /// How many runs may be under way at once.
    pub n_runs_max: usize,
    pub limits: Limits,
    pub sandbox: Sandbox,
    pub trust: Trust,
    pub policy: Policy,
    /// The weakest engine in which agents may read what strangers wrote.
    pub strangers_engine: Engine,
    /// A harness with its model, its route and its settings each.
    pub agents: BTreeMap<AgentName, Agent>,
    /// Which of them acts in which role. Each that it names is there.
    pub roster: Roster,
    pub models: BTreeMap<String, Model>,
    /// The servers of tools that agents get, by name.
    pub servers: BTreeMap<String, Server>,
    /// The built-in prices, with the owner's over them.
    pub prices: Prices,
    pub budget: Budget,
    pub quota: Quota,
    /// Nothing, where GitHub is not used.
    pub github: Option<Github>,
    pub repos: Vec<Repo>,
    /// The file as it was read. There is no secret in it.
    pub text: String,
}

/// What one run may use.
#[derive(Debug, Clone)]
pub struct Limits {
    pub wall: Duration,
    pub silence: Duration,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub output_bytes: u64,
    pub n_processes_max: u64,
    pub n_turns_max: u32,
    /// From hosts, in one run.
    pub download_bytes: u64,
    /// To hosts, in one run.
    pub upload_bytes: u64,
}

/// Where runs happen.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub engine: Engine,
    pub containers: Containers,
    /// Folders of the host that every run may read, at the same path.
    pub tools: Vec<PathBuf>,
    /// Variables that every run gets.
    pub env: BTreeMap<String, String>,
}

/// Which engine starts the sandboxes. The weakest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// No isolation at all. Must be asked for.
    None,
    Bwrap,
    /// A container of podman's or docker's.
    Container,
}

/// Where model calls go.
#[derive(Debug, Clone)]
pub struct Model {
    pub api: Api,
    pub target: Target,
    /// Patterns of the models that may be asked for. Empty means any.
    pub allow: Vec<String>,
}

/// What answers the model calls of a route.
#[derive(Debug, Clone)]
pub enum Target {
    Live {
        base_url: url::Url,
        key: Key,
        /// The key is a person's login with a subscription.
        is_login: bool,
    },
    /// A recording answers; nothing leaves the machine.
    Playback { recording: PathBuf },
}

/// Where the key of a route comes from. The key itself is never in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The server wants none.
    None,
    Variable(String),
    File(PathBuf),
}

/// One repository that zazen is pointed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    pub name: RepoName,
    /// Where its issues and pull requests are.
    pub forge: Forge,
    /// Where the code comes from: a path or a URL. zazen only reads it.
    pub source: String,
    /// Where branches are pushed on the local forge: a bare repository.
    pub remote: PathBuf,
    /// The branch that work starts from; empty means the source's own default.
    pub branch: String,
    /// The validation command; empty means the one that the plan names.
    pub check: String,
    /// What measures coverage, where that is wanted.
    pub coverage: Coverage,
    /// Who is asked for a review of every draft.
    pub reviewers: Vec<String>,
    /// What its runs may reach besides the model.
    pub hosts: Hosts,
    /// Which of the home's skills its agents get.
    pub skills: Choice,
    /// Where its runs happen.
    pub engine: Engine,
    /// What a container of its runs is made of. There where the engine takes one.
    pub image: Option<Image>,
}

/// How coverage is measured, right behind the checks. Both are empty where it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The command. Its last line with a percentage counts.
    pub command: String,
    /// The report that it leaves, in lcov's format. It counts, then.
    pub file: String,
}

/// The configuration cannot be used. Says where and what would be right.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    line: Option<usize>,
    why: String,
}

/// The default of `limits.wall`. Half an hour is long for one step of a plan.
const WALL: Duration = Duration::from_secs(30 * 60);

/// The default of `limits.silence`. Agents print something at every turn; a
/// model call that is silent for ten minutes is hung, not slow.
const SILENCE: Duration = Duration::from_secs(10 * 60);

/// The default of `limits.download`: several times what a large project's packages are.
const DOWNLOAD_BYTES: u64 = 4 << 30;

/// The default of `limits.upload`. To fetch packages takes a few megabytes of
/// requests; the source of a large project does not fit.
const UPLOAD_BYTES: u64 = 16 << 20;

/// Reads and checks the configuration of the home at `root`.
pub fn read(root: &Path, environment: &Environment) -> Result<Config, Error> {
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|err| Error {
        path: path.clone(),
        line: None,
        why: format!("cannot be read: {err}; `zazen init` writes a new one"),
    })?;
    parse(&path, &text, root, environment)
}

/// Checks the text of a configuration that stands at `path`.
pub fn parse(
    path: &Path,
    text: &str,
    root: &Path,
    environment: &Environment,
) -> Result<Config, Error> {
    let at = |line, why| Error { path: path.to_owned(), line, why };
    let raw: raw::File = toml::Deserializer::parse(text)
        .and_then(raw::File::deserialize)
        .map_err(|err| at(err.span().map(|span| line_of(text, span.start)), explain(&err)))?;
    if raw.version != VERSION {
        let why = format!("`version` is {}; this zazen reads version {VERSION}", raw.version);
        return Err(at(find(text, &["version"]), why));
    }
    let check = Check { text, path, root, environment };
    check.file(raw)
}

struct Check<'a> {
    text: &'a str,
    path: &'a Path,
    root: &'a Path,
    environment: &'a Environment,
}

impl Check<'_> {
    fn file(&self, mut raw: raw::File) -> Result<Config, Error> {
        let models = raw
            .models
            .into_iter()
            .map(|(name, model)| Ok((name.clone(), self.model(&name, model)?)))
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let agents = self.agents((raw.harness, raw.agents), &models)?;
        let of_repos = raw.repo.iter_mut().map(|repo| std::mem::take(&mut repo.roles)).collect();
        let prices = self.prices(&raw.prices)?;
        let n_runs_max = raw.runs.parallel.unwrap_or(2);
        if n_runs_max == 0 {
            return Err(self.wrong(&["runs", "parallel"], "`runs.parallel` is 0; write 1 or more"));
        }
        let sandbox = self.sandbox(raw.sandbox)?;
        let github = self.github(raw.github)?;
        let repos = self.repos(raw.repo, (&sandbox, github.as_ref()))?;
        Ok(Config {
            name: raw.name.unwrap_or_else(|| self.environment.user.clone()),
            n_runs_max,
            limits: self.limits(&raw.limits)?,
            strangers_engine: match &raw.trust.strangers_engine {
                None => Engine::Bwrap,
                Some(name) => self.engine(&["trust", "strangers_engine"], name)?,
            },
            trust: self.trust(raw.trust)?,
            policy: self.policy(raw.policy)?,
            servers: self.servers(raw.mcp, &repos)?,
            roster: self.roster(&raw.roles, of_repos, (&repos, &agents))?,
            repos,
            github,
            sandbox,
            agents,
            models,
            budget: self.budget(&raw.budget, &prices)?,
            quota: self.quota(&raw.quota)?,
            prices,
            text: self.text.to_owned(),
        })
    }

    fn limits(&self, raw: &raw::Limits) -> Result<Limits, Error> {
        let bytes = |key: &str, text: &Option<String>, default: u64| match text {
            None => Ok(default),
            Some(text) => units::bytes(text).map_err(|why| self.wrong(&["limits", key], &why)),
        };
        let span = |key: &str, text: &Option<String>, default: Duration| match text {
            None => Ok(default),
            Some(text) => units::duration(text).map_err(|why| self.wrong(&["limits", key], &why)),
        };
        Ok(Limits {
            wall: span("wall", &raw.wall, WALL)?,
            silence: span("silence", &raw.silence, SILENCE)?,
            memory_bytes: bytes("memory", &raw.memory, 4 << 30)?,
            disk_bytes: bytes("disk", &raw.disk, 4 << 30)?,
            output_bytes: bytes("output", &raw.output, 256 << 20)?,
            n_processes_max: raw.processes.unwrap_or(512),
            n_turns_max: raw.turns.unwrap_or(200),
            download_bytes: bytes("download", &raw.download, DOWNLOAD_BYTES)?,
            upload_bytes: bytes("upload", &raw.upload, UPLOAD_BYTES)?,
        })
    }

    fn sandbox(&self, raw: raw::Sandbox) -> Result<Sandbox, Error> {
        let name = raw.engine.as_deref().unwrap_or("bwrap");
        let engine = self.engine(&["sandbox", "engine"], name)?;
        let containers = self.containers(&raw)?;
        let tools = raw.tools.iter().map(|path| self.host_path(path)).collect();
        Ok(Sandbox { engine, containers, tools, env: raw.env })
    }

    /// A path of the host: `~/` is the person's home, a relative one starts at zazen's home.
    fn host_path(&self, text: &str) -> PathBuf {
        match text.strip_prefix("~/") {
            Some(rest) => self.environment.home.join(rest),
            None => self.root.join(text),
        }
    }

    fn wrong(&self, key: &[&str], why: &str) -> Error {
        Error { path: self.path.to_owned(), line: find(self.text, key), why: why.to_owned() }
    }
}

/// What the parser says of one table where there is to be a list of them.
const TABLE_FOR_LIST: &str = "invalid type: map, expected a sequence";

/// Says what is wrong, and which key was probably meant.
fn explain(err: &toml::de::Error) -> String {
    let message = err.message().trim().to_owned();
    if message.starts_with(TABLE_FOR_LIST) {
        return "this is a list of tables: each of them begins with a line in double brackets, such \
                as `[[repo]]` with its `name`; what belongs to it, such as `[repo.roles]`, follows"
            .to_owned();
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let [wrong, right @ ..] = quoted.as_slice() else { return message };
    if !message.starts_with("unknown field") {
        return message;
    }
    let nearest = right.iter().min_by_key(|key| strsim::damerau_levenshtein(wrong, key));
    match nearest {
        Some(key) => format!("`{wrong}` is not a key here; did you mean `{key}`?"),
        None => format!("`{wrong}` is not a key here"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// The line of a key, or of the innermost table around it that is written.
/// A number in `path` is a place in a list.
fn find(text: &str, path: &[&str]) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.as_item();
    let mut found = None;
    for key in path {
        if let (Some(list), Ok(index)) = (item.as_array(), key.parse::<usize>()) {
            found = list.get(index).and_then(toml_edit::Value::span).or(found);
            break;
        }
        let next = match key.parse::<usize>() {
            Ok(index) if item.is_array_of_tables() => {
                item.get(index).map(|table| (table.span(), table))
            }
            Ok(_) | Err(_) => item
                .as_table_like()
                .and_then(|table| table.get_key_value(key))
                .map(|(key, item)| (key.span().or_else(|| item.span()), item)),
        };
        let Some((span, next)) = next else { break };
        found = span.or(found);
        item = next;
    }
    found.map(|span| line_of(text, span.start))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
