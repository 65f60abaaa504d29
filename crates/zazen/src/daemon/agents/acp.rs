//! Finds the agents that speak the Agent Client Protocol, with what they need to see.
//!
//! Most of them are scripts for node, which npm puts on the path as links. They then need
//! node, and the packages that they were installed with.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zazen_harness::{self as harness, Speaker};

use super::{program, real};
use crate::config::{self, Api, Config, Environment};

/// How many bytes of a program are looked at for what runs it.
const LINE_BYTES_MAX: u64 = 128;

/// Where every sandbox has programs of its own; it does not need those of the host.
const SYSTEM: &str = "/usr";

pub(super) fn find(
    config: &Config,
    environment: &Environment,
    (agent, speaker): (&config::Agent, Speaker),
) -> anyhow::Result<harness::Acp> {
    let (word, program) = (speaker.word(), program(environment, agent)?);
    let node = if is_for_node(&program)? {
        let node = environment.find_program("node").with_context(|| {
            format!("`{word}` is a script for node, and there is no `node` on the path")
        })?;
        Some(real(&node)?)
    } else {
        None
    };
    let folders = folders(&program, node.as_deref());
    let api = config.models.get(&agent.route).map_or(Api::Anthropic, |model| model.api);
    let model = agent.model.clone();
    let n_turns_max = config.limits.n_turns_max;
    Ok(harness::Acp { agent: speaker, program, node, folders, model, api, n_turns_max })
}

/// Whether its first line says that node runs it.
fn is_for_node(program: &Path) -> anyhow::Result<bool> {
    let mut start = Vec::new();
    File::open(program)
        .and_then(|file| file.take(LINE_BYTES_MAX).read_to_end(&mut start))
        .with_context(|| format!("read the program {}", program.display()))?;
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let words = line.strip_prefix("#!").into_iter().flat_map(str::split_whitespace);
    Ok(words.into_iter().any(|word| word.rsplit('/').next() == Some("node")))
}

/// The packages around the program, else its own folder; and that of node.
fn folders(program: &Path, node: Option<&Path>) -> Vec<PathBuf> {
    let packages = program.ancestors().find(|folder| folder.ends_with("node_modules"));
    let own = packages.filter(|_| node.is_some()).or_else(|| program.parent());
    let of_node = node.and_then(Path::parent).filter(|folder| !folder.starts_with(SYSTEM));
    own.into_iter().chain(of_node).map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests;
