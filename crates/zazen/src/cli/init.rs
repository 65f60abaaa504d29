//! `zazen init`: a new home.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

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
    pub(crate) harness: &'static str,
    pub(crate) model: &'static str,
    pub(crate) engine: &'static str,
    /// The lines of the route for model calls.
    pub(crate) route: String,
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
        answers.harness,
        answers.model_words(),
        answers.engine
    ));
    line("  soul.md      voice and standing rules, given to every agent: make it yours");
    line("  missions.md  what you want done");
    line("\nNext:");
    line(&format!("  cd {}", home.root().display()));
    line("  zazen repo add PATH     points zazen at a repository");
    line("  zazen doctor            checks that everything is there, the model's key included");
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
    let has_claude = environment.find_program("claude").is_some();
    let has_bwrap = environment.find_program("bwrap").is_some();
    let tools = [".cargo/bin", ".rustup", ".nvm/versions", ".pyenv/versions"];
    let is_there = |dir: &&&str| {
        let path = environment.home.join(dir);
        path.exists() && crate::sandbox::check_reachable(&path).is_ok()
    };
    let route = "[models.anthropic]\napi = \"anthropic\"\nkey_env = \"ANTHROPIC_API_KEY\"\n";
    Answers {
        name: environment.user.clone(),
        harness: if has_claude { "claude" } else { "mini" },
        model: if has_claude { "" } else { "claude-sonnet-4-5" },
        // Where there is no bwrap, `zazen doctor` says how to get it. Nothing is weakened silently.
        engine: if has_bwrap || cfg!(target_os = "linux") { "bwrap" } else { "none" },
        route: route.to_owned(),
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
    let harness = question(&format!("Which agent, `claude` or `mini`? [{}]", found.harness))?;
    match harness.as_str() {
        "claude" => (found.harness, found.model) = ("claude", ""),
        "mini" => (found.harness, found.model) = ("mini", "claude-sonnet-4-5"),
        _ => {}
    }
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
            .replace("{{harness}}", self.harness)
            .replace("{{model}}", self.model)
            .replace("{{engine}}", self.engine)
            .replace("{{tools}}", &tools.join(", "))
            .replace("{{env}}", &env.join(", "))
            .replace("{{route}}", self.route.trim_end())
    }

    fn model_words(&self) -> &str {
        if self.model.is_empty() { "its own choice of model" } else { self.model }
    }
}
