//! Fits a run to this home that was recorded in another one.
//!
//! What was run comes from the bundle. All that is of a machine comes from this one, as the
//! configuration says: the engine, the folders that are shown, the limits, the program. So no
//! bundle can have something of this machine shown to what it runs, or run anything in a weaker
//! sandbox than the owner has chosen.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use zazen_core::id::RepoName;
use zazen_harness::Name;

use super::super::{containers, launch};
use super::again::harness;
use crate::config::{Config, Environment};
use crate::sandbox::{EngineKind, LaunchSpec, Work};

/// The variable that says where programs are.
const PATH: &str = "PATH";

/// What stands for this program in an argument list.
const ZAZEN: &str = "{zazen}";

/// The word of an argument list that `zazen acp` puts before the program that it starts.
const BEFORE_PROGRAM: &str = "--";

/// The program that other programs are scripts for.
const NODE: &str = "node";

/// Puts what is of this home into a spec. Fails with what cannot be had here.
pub(super) fn fit(
    (config, environment): (&Config, &Environment),
    repo: &RepoName,
    (spec, harness): (&mut LaunchSpec, Option<Name>),
) -> anyhow::Result<()> {
    check_engine(config, repo, spec.engine)?;
    spec.container = match spec.container.take() {
        Some(container) => Some(containers::here(config, container)?),
        None if spec.engine == EngineKind::Container => bail!("it does not say which image it had"),
        None => None,
    };
    spec.limits = launch::limits(config);
    // Where programs are, and nothing else of what the owner has set for all runs.
    spec.env.extend(launch::environment(config, BTreeMap::new()).remove_entry(PATH));
    let folders = match &mut spec.work {
        Work::Check { .. } => Vec::new(),
        Work::Harness { argv, .. } => {
            let harness = harness.context("nobody says who acted in it")?;
            program((config, environment), harness, argv)?
        }
    };
    spec.tools = launch::tools(config, folders);
    Ok(())
}

/// A run is made again in the kind of sandbox that it had, and only where the owner has chosen
/// that kind: in another one its paths and its programs are other ones, too.
fn check_engine(config: &Config, repo: &RepoName, was: EngineKind) -> anyhow::Result<()> {
    let known = config.repos.iter().find(|known| known.name == *repo);
    let is = containers::kind(known.map_or(config.sandbox.engine, |known| known.engine));
    if was != is {
        let (was, is) = (was.word(), is.word());
        bail!("it was made with the engine `{was}`, and this home has `{is}` (`sandbox.engine`)");
    }
    Ok(())
}

/// Puts the program of this home into an argument list. Says which folders it has to see.
fn program(
    here: (&Config, &Environment),
    name: Name,
    argv: &mut Vec<String>,
) -> anyhow::Result<Vec<PathBuf>> {
    let is_ours = argv.first().is_some_and(|word| word == ZAZEN);
    if name == Name::Mini {
        return if is_ours { Ok(Vec::new()) } else { bail!("it was not begun as `mini` is") };
    }
    let at = if is_ours { argv.iter().position(|word| word == BEFORE_PROGRAM) } else { None };
    let at = at.map_or(0, |at| at + 1);
    let was = argv.get(at).map(PathBuf::from).context("it has no program")?;
    let harness = harness(here, name, &was);
    let harness = harness.with_context(|| format!("no agent of this home is {name}"))?;
    let program = harness.program().with_context(|| format!("{name} has no program here"))?;
    let n_words = if was.file_name().is_some_and(|word| word == NODE) { 2 } else { 1 };
    let (_, words) = program.argv.split_last().context("a program has a name")?;
    let end = argv.len().min(at + n_words);
    argv.splice(at..end, words.iter().cloned());
    Ok(program.folders)
}

#[cfg(test)]
mod tests;
