//! `zazen repo`: which repositories zazen is pointed at.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};
use zazen_core::id::RepoName;
use zazen_core::text::slug;

use super::{Context, ErrorKind, Result, json, kinded, line};
use crate::config::{self, Forge, GithubLogin};
use crate::git::Source;
use crate::home::Home;
use crate::home::atomic::{self, Durability};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a repository: a folder of yours, or a URL. It is only read; yours stays untouched
    Add(Add),
    /// List the repositories
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// A folder with a repository in it, or a URL
    #[arg(required_unless_present = "github")]
    source: Option<String>,
    /// A repository at GitHub, with its issues and pull requests
    #[arg(long, value_name = "OWNER/NAME", conflicts_with_all = ["source", "name"])]
    github: Option<RepoName>,
    /// What to call it [default: local/<the last part of the path>]
    #[arg(long)]
    name: Option<RepoName>,
    /// The branch that work starts from [default: the repository's own]
    #[arg(long)]
    branch: Option<String>,
    /// The command that must pass before anything is published [default: the plan names it]
    #[arg(long)]
    check: Option<String>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// A repository, for machines.
#[derive(Debug, Serialize)]
struct RepoJson {
    name: RepoName,
    source: String,
    remote: String,
}

pub(super) fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Add(args) => add(&args, context),
        Command::List(args) => list(&args, context),
    }
}

fn add(args: &Add, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let usage = kinded(ErrorKind::Usage);
    let (name, source) = named(args)?;
    let has_login = config.github.as_ref().is_some_and(|at| at.login != GithubLogin::None);
    if source.is_none() && !has_login {
        return Err(kinded(ErrorKind::Config)(anyhow::anyhow!(
            "zazen.toml does not say how to log in to GitHub; `zazen github setup` makes an App"
        )));
    }
    if config.repos.iter().any(|repo| repo.name == name) {
        return Err(usage(anyhow::anyhow!(
            "{name} is in zazen.toml already; give this one another name with `--name`"
        )));
    }
    let new = NewRepo {
        name: &name,
        source: source.as_deref(),
        branch: args.branch.as_deref(),
        check: args.check.as_deref(),
    };
    write_repo(&home, &new)?;
    let (_, config) = context.configured()?;
    let repo = config.repos.into_iter().find(|repo| repo.name == name);
    let repo = repo.context("find in zazen.toml what was just written there")?;
    let remote = match repo.forge {
        Forge::Local => repo.remote.display().to_string(),
        Forge::Github => repo.source.clone(),
    };
    if args.json {
        return json(&RepoJson { name, source: repo.source, remote });
    }
    line(&format!("{name}: read from {}", repo.source));
    line(&format!("  branches are pushed to {remote}"));
    line("  a daemon that is up has to be started again to see it");
    Ok(())
}

/// The name of what is to be added and, unless it is at GitHub, where it is.
fn named(args: &Add) -> Result<(RepoName, Option<String>)> {
    if let Some(name) = &args.github {
        return Ok((name.clone(), None));
    }
    let source = checked_source(args.source.as_deref().unwrap_or_default())
        .map_err(kinded(ErrorKind::Usage))?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => default_name(&source)?,
    };
    Ok((name, Some(source)))
}

/// What is written to `zazen.toml` for one repository.
pub(crate) struct NewRepo<'a> {
    pub(crate) name: &'a RepoName,
    /// Where it is; nothing, if it is at GitHub.
    pub(crate) source: Option<&'a str>,
    pub(crate) branch: Option<&'a str>,
    pub(crate) check: Option<&'a str>,
}

/// Adds a repository to `zazen.toml`, and leaves the rest of the file as it is.
pub(crate) fn write_repo(home: &Home, new: &NewRepo<'_>) -> anyhow::Result<()> {
    let path = home.root().join(config::FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut document: DocumentMut =
        text.parse().with_context(|| format!("read {}", path.display()))?;
    let mut table = Table::new();
    table.insert("name", value(new.name.to_string()));
    match new.source {
        Some(source) => table.insert("source", value(source)),
        None => table.insert("forge", value("github")),
    };
    for (key, text) in [("branch", new.branch), ("check", new.check)] {
        if let Some(text) = text {
            table.insert(key, value(text));
        }
    }
    let repos = document.entry("repo").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    repos
        .as_array_of_tables_mut()
        .with_context(|| format!("`repo` in {} is not written as [[repo]]", path.display()))?
        .push(table);
    atomic::write(&path, document.to_string().as_bytes(), Durability::Durable)
        .with_context(|| format!("write {}", path.display()))
}

/// A folder becomes its absolute path; a URL stays as it is. Both are checked.
fn checked_source(text: &str) -> anyhow::Result<String> {
    let path = Path::new(text);
    let source = if path.exists() {
        let path = path.canonicalize().with_context(|| format!("find {text}"))?;
        path.display().to_string()
    } else if text.contains(':') {
        text.to_owned()
    } else {
        anyhow::bail!("there is nothing at `{text}`");
    };
    let _checked: Source = source.parse().with_context(|| format!("`{text}` cannot be used"))?;
    if path.exists() && !path.join(".git").exists() && !path.join("HEAD").exists() {
        anyhow::bail!("{text} is not a git repository");
    }
    Ok(source)
}

fn default_name(source: &str) -> Result<RepoName> {
    let last = source.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or("repo");
    let name = slug(last.strip_suffix(".git").unwrap_or(last));
    format!("local/{name}").parse().map_err(|err| {
        kinded(ErrorKind::Usage)(anyhow::Error::new(err).context("give it a name with `--name`"))
    })
}

fn list(args: &List, context: &Context) -> Result {
    let (_, config) = context.configured()?;
    if args.json {
        let repos = config.repos.into_iter().map(|repo| RepoJson {
            name: repo.name,
            source: repo.source,
            remote: repo.remote.display().to_string(),
        });
        return json(&repos.collect::<Vec<_>>());
    }
    if config.repos.is_empty() {
        line("no repositories yet; `zazen repo add PATH` adds one");
    }
    for repo in config.repos {
        line(&format!("{:<24} {}", repo.name.to_string(), repo.source));
    }
    Ok(())
}
