//! `zazen init`: a new home.

mod agents;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(crate) use self::agents::Here;
use super::context::absolute;
use super::{Context, ErrorKind, Result, kinded, line};
use crate::config;
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::home::commit::{Author, Committer};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to make it in
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Ask nothing; take what is found
    #[arg(long, short)]
    yes: bool,
}

/// The pages that a home begins with. People change them as they like.
const SOUL: &str = include_str!("../../assets/home/soul.md");
const MISSIONS: &str = include_str!("../../assets/home/missions.md");
const CONFIG: &str = include_str!("../../assets/home/zazen.toml");

/// What the answers to the few questions come to.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) name: String,
    /// The agent that does the work.
    pub(crate) agent: Here,
    /// All that could.
    pub(crate) here: Vec<Here>,
    pub(crate) engine: &'static str,
    /// The lines of the route for model calls, where they are not the agent's usual ones.
    pub(crate) route: Option<String>,
    /// Folders of tools that runs may read.
    pub(crate) tools: Vec<String>,
    /// Variables that these tools need.
    pub(crate) env: Vec<(&'static str, String)>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let root = absolute(&args.dir)?;
    if root.join(config::FILE).exists() {
        let why = anyhow::anyhow!("{} is a home already", root.display());
        return Err(kinded(ErrorKind::Usage)(why));
    }
    let found = find(context);
    let answers = if args.yes || !std::io::stdin().is_terminal() { found } else { ask(found)? };
    let home = create(&root, &answers)?;
    line(&format!("A home is made in {}", home.root().display()));
    line(&format!(
        "  zazen.toml   {} with {}, in {}",
        answers.agent.words(),
        answers.model_words(),
        answers.engine
    ));
    line("  soul.md      voice and standing rules, given to every agent: make it yours");
    line("  missions.md  what you want done");
    let others = answers.here.iter().filter(|other| other.harness != answers.agent.harness);
    let others: Vec<String> = others.map(Here::words).collect();
    if !others.is_empty() {
        line(&format!("               also here, commented: {}", others.join(", ")));
    }
    line("\nNext:");
    line(&format!("  cd {}", home.root().display()));
    line("  zazen repo add PATH     points zazen at a repository");
    line("  zazen doctor            checks that everything is there, the model's key included");
    line("  zazen harness test NAME tries an agent for real, for a few cents");
    line("  zazen up                runs the daemon, in the foreground");
    Ok(())
}

/// Makes a home with these answers.
pub(crate) fn create(root: &Path, answers: &Answers) -> anyhow::Result<Home> {
    let home = Home::create(root)?;
    let pages = [
        (config::FILE, answers.config()),
        ("soul.md", SOUL.to_owned()),
        ("missions.md", MISSIONS.to_owned()),
    ];
    let mut paths = vec![home.root().join(".gitignore")];
    for (name, text) in pages {
        let path = home.root().join(name);
        // A person's own page of before stays.
        if !path.exists() {
            atomic::write(&path, text.as_bytes(), Durability::Durable)
                .with_context(|| format!("write {}", path.display()))?;
        }
        paths.push(path);
    }
    Committer::new(&home)?.commit(&paths, &Author::person(&answers.name), "Begin")?;
    Ok(home)
}

/// What is found on this machine.
fn find(context: &Context) -> Answers {
    let environment = &context.environment;
    let has_bwrap = environment.find_program("bwrap").is_some();
    let tools = [".cargo/bin", ".rustup", ".nvm/versions", ".pyenv/versions"];
    let is_there = |dir: &&&str| {
        let path = environment.home.join(dir);
        path.exists() && crate::sandbox::check_reachable(&path).is_ok()
    };
    let here = agents::find(environment);
    Answers {
        name: environment.user.clone(),
        agent: here.first().cloned().unwrap_or(Here::MINI),
        here,
        // Where there is no bwrap, `zazen doctor` says how to get it. Nothing is weakened silently.
        engine: if has_bwrap || cfg!(target_os = "linux") { "bwrap" } else { "none" },
        route: None,
        tools: tools.iter().filter(is_there).map(|dir| format!("~/{dir}")).collect(),
        env: variables(&environment.home),
    }
}

/// What a toolchain needs to be found by, where it is not in the run's own home.
fn variables(home: &Path) -> Vec<(&'static str, String)> {
    let rustup = home.join(".rustup");
    if !rustup.exists() || crate::sandbox::check_reachable(&rustup).is_err() {
        return Vec::new();
    }
    vec![("RUSTUP_HOME", rustup.display().to_string())]
}

/// Asks for what cannot be found out.
fn ask(mut found: Answers) -> anyhow::Result<Answers> {
    let name = question(&format!("How should what you write be signed? [{}]", found.name))?;
    if !name.is_empty() {
        found.name = name;
    }
    let names: Vec<&str> = found.here.iter().map(|here| here.harness.word()).collect();
    let names = names.join(", ");
    let harness = question(&format!("Which agent of {names}? [{}]", found.agent.harness))?;
    let chosen = found.here.iter().find(|here| here.harness.word() == harness);
    found.agent = chosen.cloned().unwrap_or(found.agent);
    Ok(found)
}

fn question(text: &str) -> anyhow::Result<String> {
    let mut out = anstream::stderr();
    write!(out, "{text} ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

impl Answers {
    /// The text of `zazen.toml`.
    pub(crate) fn config(&self) -> String {
        let tools: Vec<String> = self.tools.iter().map(|tool| format!("{tool:?}")).collect();
        let env: Vec<String> =
            self.env.iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
        CONFIG
            .replace("{{name}}", &self.name.replace(['"', '\\', '\n'], ""))
            .replace("{{harness}}", self.agent.harness.word())
            .replace("{{model}}", self.agent.model())
            .replace("{{route_name}}", self.agent.route())
            .replace("{{others}}", &self.others())
            .replace("{{engine}}", self.engine)
            .replace("{{tools}}", &tools.join(", "))
            .replace("{{env}}", &env.join(", "))
            .replace("{{route}}", self.route_lines().trim_end())
    }

    fn route_lines(&self) -> String {
        self.route.clone().unwrap_or_else(|| self.agent.route_lines())
    }

    /// The other agents, and an empty line after them.
    fn others(&self) -> String {
        match agents::others(&self.agent, &self.here) {
            others if others.is_empty() => others,
            others => others + "\n",
        }
    }

    fn model_words(&self) -> &str {
        let model = self.agent.model();
        if model.is_empty() { "its own choice of model" } else { model }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use zazen_harness::Name;

    use super::{Answers, Here};
    use crate::config::{self, Environment};

    fn answers(agent: Here, here: &[Here]) -> Answers {
        Answers {
            name: "Grace".to_owned(),
            agent,
            here: here.to_vec(),
            engine: "bwrap",
            route: None,
            tools: vec!["~/.cargo/bin".to_owned()],
            env: vec![("RUSTUP_HOME", "/home/ada/.rustup".to_owned())],
        }
    }

    fn read(text: &str) -> config::Config {
        let environment = Environment {
            home: PathBuf::from("/home/ada"),
            user: "ada".to_owned(),
            path: Vec::new(),
            zazen_home: None,
            container_sockets: Vec::new(),
            crash: None,
        };
        let root = Path::new("/zazen");
        config::parse(&root.join(config::FILE), text, root, &environment)
            .unwrap_or_else(|err| panic!("{err}\n{text}"))
    }

    #[test]
    fn whatever_is_found_the_page_can_be_read_and_so_can_its_comments() {
        let program = |name: Name| Some(PathBuf::from(format!("/usr/bin/{name}")));
        // Of the others nobody knows what they are called.
        let has_name = |name: &Name| *name == Name::Mini || name.abilities().program.is_some();
        let here = Name::ALL.into_iter().filter(has_name);
        let here: Vec<Here> =
            here.map(|harness| Here { harness, program: program(harness) }).collect();
        for agent in &here {
            let text = answers(agent.clone(), &here).config();
            let config = read(&text);
            assert_eq!(config.agents.len(), 1, "{text}");
            assert!(config.agents.values().all(|it| it.harness == agent.harness), "{text}");
            let (before, rest) = text.split_once("# [agents.").expect("there are others");
            let (others, after) = rest.split_once("\n\n").expect("they end");
            let others = others.replace("\n# ", "\n");
            let config = read(&format!("{before}[agents.{others}\n\n{after}"));
            assert_eq!(config.agents.len(), here.len(), "{text}");
        }
    }
}
