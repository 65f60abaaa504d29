//! The place of a trial: a throw-away repository, and a home that has the agent alone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use zazen_core::budget::{Limit, Scope};
use zazen_core::deny::Denied;
use zazen_core::host::Hosts;
use zazen_core::id::{AgentName, CommitId, RepoName};
use zazen_core::roster::{Role, Roles, Roster};
use zazen_core::skill::Choice;
use zazen_harness::Harness;

use super::super::world::{Options, World};
use crate::config::{Config, Coverage, Environment, Forge, Repo};
use crate::exec;
use crate::gateway::Token;
use crate::git::trash;
use crate::home::Home;
use crate::sandbox;

/// See the module.
pub(super) struct Place {
    dir: TempDir,
    pub(super) world: Arc<World>,
    pub(super) agent: AgentName,
    pub(super) harness: Harness,
    pub(super) repo: RepoName,
    /// The one commit of the repository.
    pub(super) base: CommitId,
    pub(super) proof: Proof,
}

/// What the agent is asked for, so that nothing but having done it explains that it is there.
pub(super) struct Proof {
    /// What it writes into a file, and is asked for when it goes on.
    pub(super) word: String,
    /// Two factors. Their product is in no file; a program of the repository prints it.
    factors: (u64, u64),
}

/// The longest that one run may take.
const WALL_MAX: Duration = Duration::from_secs(4 * 60);

/// The longest that it may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(2 * 60);

/// How many turns one run may have: it needs five.
const N_TURNS_MAX: u32 = 20;

/// The files of a trial.
pub(super) const WRITTEN: &str = "trial.txt";
pub(super) const COPIED: &str = "copied.txt";
const PROGRAM: &str = "proof.sh";

/// The command that is denied.
pub(super) const DENIED: &str = "cp";

impl Place {
    pub(super) async fn make(
        config: Config,
        (environment, zazen): (Environment, PathBuf),
        (agent, harness): (AgentName, Harness),
        micros_max: u64,
    ) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("zazen-trial-").tempdir();
        let dir = dir.context("make a folder for the trial")?;
        // The sandbox's own user passes through here when zazen runs as root.
        let mode = if sandbox::sandbox_ids().is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode))?;
        let proof = Proof::random()?;
        let clone = dir.path().join("trial");
        make_repo(&clone, &proof).await?;
        let home = Home::create(&dir.path().join("home"))?;
        let repo: RepoName = "local/trial".parse().context("name the repository")?;
        let config = alone(config, (&repo, &clone, &home), &agent, micros_max)?;
        let world = World::open(Options { home, config, environment, zazen }).await?;
        let mirror = world.mirror(&repo).await?;
        world.fetch(&repo, &mirror).await?;
        let base = mirror.resolve("main").await?.context("the repository has no commit")?;
        drop(mirror);
        Ok(Self { dir, world, agent, harness, repo, base, proof })
    }

    /// Keeps all that happened, for a person to look at. Says where.
    pub(super) fn keep(self) -> PathBuf {
        self.dir.keep()
    }

    /// Removes it, whatever the agent has left in there.
    pub(super) fn remove(self) {
        let dir = self.dir.keep();
        drop(self.world);
        let trash = dir.with_extension("trash");
        let removed = trash::remove(&dir, &trash).and_then(|()| trash::reap(&trash));
        let removed = removed.and_then(|()| Ok(fs::remove_dir(&trash)?));
        if let Err(err) = removed {
            tracing::warn!("{} is still there: {err:#}", dir.display());
        }
    }
}

/// The configuration with this agent in every role, this repository, and nothing that a
/// trial has no use for.
fn alone(
    config: Config,
    (repo, source, home): (&RepoName, &Path, &Home),
    agent: &AgentName,
    micros_max: u64,
) -> anyhow::Result<Config> {
    let mut roles = Roles::default();
    for role in Role::ALL {
        roles.set(role, vec![agent.clone()]);
    }
    let engine = config.sandbox.engine;
    let repo = Repo {
        name: repo.clone(),
        forge: Forge::Local,
        source: source.display().to_string(),
        remote: home.remotes_dir().join("trial.git"),
        branch: "main".to_owned(),
        check: "true".to_owned(),
        coverage: Coverage::default(),
        reviewers: Vec::new(),
        hosts: Hosts::default(),
        skills: Choice::Only(std::collections::BTreeSet::new()),
        engine,
        image: None,
    };
    let mut config = Config {
        roster: Roster::new(roles, BTreeMap::new()),
        servers: BTreeMap::new(),
        github: None,
        repos: vec![repo],
        ..config
    };
    let limits = &mut config.limits;
    limits.wall = limits.wall.min(WALL_MAX);
    limits.silence = limits.silence.min(SILENCE_MAX);
    limits.n_turns_max = limits.n_turns_max.min(N_TURNS_MAX);
    let Denied { commands, tools: _ } = &mut config.policy.denied;
    commands.push(DENIED.parse().context("deny a command")?);
    let limit = Limit { micros: Some(micros_max), tokens: None };
    config.budget.limits = BTreeMap::from([(Scope::Total, limit)]);
    Ok(config)
}

impl Proof {
    fn random() -> anyhow::Result<Self> {
        let hex = Token::random().context("make a word")?.to_string();
        let number = |at: usize| {
            let digits = hex.get(at..at + 4).unwrap_or("0");
            1000 + u64::from_str_radix(digits, 16).unwrap_or(0)
        };
        let word = format!("plum-{}", hex.get(8..14).unwrap_or("stone"));
        Ok(Self { word, factors: (number(0), number(4)) })
    }

    /// What the program of the repository prints.
    pub(super) fn product(&self) -> String {
        (self.factors.0 * self.factors.1).to_string()
    }

    /// What is asked first.
    pub(super) fn first(&self) -> String {
        format!(
            "This is a short test of whether you work here. Do these four things, one after the \
             other, each once, and nothing else. Read nothing besides.\n\n\
             1. Write the file `{WRITTEN}` with this one line in it: {word}\n\
             2. Run the command: sh {PROGRAM}\n\
             3. Run the command: {DENIED} {WRITTEN} {COPIED}\n   \
             It may be refused. If it is, leave it at that: do not do it in another way.\n\
             4. Answer with the number that the command of 2 printed, and nothing else.\n\n\
             Do not commit.\n",
            word = self.word,
        )
    }

    /// What is asked of the one that goes on.
    pub(super) fn second() -> String {
        format!(
            "Use no tool now. Which word did you write into `{WRITTEN}`? Answer with that word, \
             and nothing else.\n"
        )
    }
}

async fn make_repo(dir: &Path, proof: &Proof) -> anyhow::Result<()> {
    let (a, b) = proof.factors;
    let files = [
        ("README.md", "A repository to try a coding agent in.\n".to_owned()),
        (PROGRAM, format!("echo $(({a} * {b}))\n")),
    ];
    fs::create_dir(dir).with_context(|| format!("make {}", dir.display()))?;
    for (name, text) in files {
        fs::write(dir.join(name), text).with_context(|| format!("write {name}"))?;
    }
    for args in
        [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]]
    {
        let mut command = exec::Command::new("git").args(args).cwd(dir);
        for who in ["AUTHOR", "COMMITTER"] {
            command = command
                .env(format!("GIT_{who}_NAME"), "zazen")
                .env(format!("GIT_{who}_EMAIL"), "zazen@localhost");
        }
        let command = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("HOME", "/nonexistent");
        let output = exec::run(command).await.context("start git")?;
        if !output.status.success() {
            bail!("make the repository of the trial: {}", output.stderr_text().trim());
        }
    }
    Ok(())
}
