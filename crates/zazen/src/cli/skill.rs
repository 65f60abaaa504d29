//! `zazen skill`: what agents are taught here.

use clap::Subcommand;
use serde::Serialize;
use zazen_core::id::RepoName;
use zazen_core::skill::SkillName;

use super::{Context, ErrorKind, Result, json, kinded, line};
use crate::config::Config;
use crate::home::Home;
use crate::home::skills::{self, Broken, Found};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the skills, and which repositories' agents get them
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct ListJson<'a> {
    skills: Vec<SkillJson<'a>>,
    /// What is not given to agents, with its place and the reason.
    broken: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SkillJson<'a> {
    name: &'a SkillName,
    description: &'a str,
    folder: String,
    n_files: usize,
    n_bytes: u64,
    repos: Vec<&'a RepoName>,
}

/// How much of a description stands in a line.
const SHOWN_CHARS_MAX: usize = 72;

pub(super) fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List(args) => list(&args, context),
    }
}

fn list(args: &List, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let (found, broken) = read(&home)?;
    let is_broken = !broken.is_empty();
    if args.json {
        let skills = found.iter().map(|found| SkillJson {
            name: &found.skill.name,
            description: &found.skill.description,
            folder: found.folder.display().to_string(),
            n_files: found.files.len(),
            n_bytes: found.n_bytes,
            repos: taking(&config, &found.skill.name),
        });
        let broken = broken.iter().map(ToString::to_string).collect();
        json(&ListJson { skills: skills.collect(), broken })?;
    } else if found.is_empty() && !is_broken {
        let folder = home.skills_dir();
        line(&format!(
            "There are no skills. Each is a folder with a SKILL.md in {}",
            folder.display()
        ));
    } else {
        for found in &found {
            print(&config, found);
        }
        for broken in &broken {
            line(&format!("not given to agents: {broken}"));
        }
    }
    if is_broken {
        let what = anyhow::anyhow!("a skill is not given to agents; its place is named above");
        return Err(kinded(ErrorKind::Config)(what));
    }
    Ok(())
}

fn print(config: &Config, Found { skill, .. }: &Found) {
    let taking = taking(config, &skill.name);
    let repos = match taking.len() {
        0 => "no repository".to_owned(),
        n if n == config.repos.len() => "all repositories".to_owned(),
        _ => taking.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
    };
    let description = zazen_core::text::one_line(&skill.description, SHOWN_CHARS_MAX);
    line(&format!("{:<24} {description}", skill.name.as_str()));
    line(&format!("{:<24} {repos}", ""));
}

/// The skills of a home, and what is wrong with the others.
pub(super) fn read(home: &Home) -> anyhow::Result<(Vec<Found>, Vec<Broken>)> {
    let (mut good, mut broken) = (Vec::new(), Vec::new());
    for found in skills::read(&home.skills_dir())? {
        match found {
            Ok(found) => good.push(found),
            Err(err) => broken.push(err),
        }
    }
    Ok((good, broken))
}

/// The repositories whose agents get a skill.
fn taking<'a>(config: &'a Config, name: &SkillName) -> Vec<&'a RepoName> {
    config.repos.iter().filter(|repo| repo.skills.takes(name)).map(|repo| &repo.name).collect()
}
