//! What runs in containers are made of: the engine that is found, and the image.
//!
//! An image is named in `zazen.toml`, or built from a recipe on the base
//! branch. An agent's branch never counts: what it writes there is not looked
//! at before a person has merged it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use zazen_core::id::RunId;
use zazen_core::task::Task;

use super::world::World;
use crate::config::{self, Config, Image};
use crate::sandbox::{self, Container, EngineKind, Zazen, container};

/// The kind of sandbox that an engine of the configuration is.
pub fn kind(engine: config::Engine) -> EngineKind {
    match engine {
        config::Engine::Bwrap => EngineKind::Bwrap,
        config::Engine::Container => EngineKind::Container,
        config::Engine::None => EngineKind::None,
    }
}

/// All kinds of sandbox that runs may happen in.
pub fn kinds(config: &Config) -> Vec<EngineKind> {
    let engines = config.repos.iter().map(|repo| repo.engine).chain([config.sandbox.engine]);
    let mut kinds: Vec<EngineKind> = engines.map(kind).collect();
    kinds.sort_unstable_by_key(|kind| kind.word());
    kinds.dedup();
    kinds
}

/// The images that are named, each with what its container would be made of.
pub fn named(config: &Config) -> anyhow::Result<Vec<Container>> {
    let socket = socket(config)?;
    let of_repos = config.repos.iter().filter(|repo| repo.engine == config::Engine::Container);
    let of_repos = of_repos.filter_map(|repo| match &repo.image {
        Some(Image::Named(image)) => Some(image.clone()),
        Some(Image::Built { .. }) | None => None,
    });
    let images: BTreeSet<String> =
        of_repos.chain(config.sandbox.containers.image.clone()).collect();
    let of = |image| Container {
        socket: socket.clone(),
        image,
        cpus_milli: config.sandbox.containers.cpus_milli,
    };
    Ok(images.into_iter().map(of).collect())
}

fn socket(config: &Config) -> anyhow::Result<PathBuf> {
    container::find_socket(&config.sandbox.containers.sockets)
}

/// Checks that the engine is there and usable, and that a run in one of the images that
/// are there is shut in. An image that is missing is named, and stops only its own runs.
pub(super) async fn check(config: &Config, zazen: &Zazen) -> anyhow::Result<()> {
    container::look(&socket(config)?).await?;
    for of in named(config)? {
        if let Err(err) = container::require(&of.socket, &of.image).await {
            tracing::warn!("{err:#}");
            continue;
        }
        let probe = sandbox::probe_container(&of, zazen).await;
        if !probe.isolated {
            bail!("{}", probe.worst("a container"));
        }
        for axis in probe.axes.iter().filter(|axis| !axis.achieved && axis.fix.is_some()) {
            tracing::warn!("in containers of {}: {}: {}", of.image, axis.name, axis.detail);
        }
        return Ok(());
    }
    Ok(())
}

/// What the container of a task's run is made of. Builds the image, where it has a recipe.
pub(super) async fn of(world: &World, task: &Task) -> anyhow::Result<Container> {
    let repo = world.repo(&task.repo)?;
    let socket = socket(&world.config)?;
    let image = match repo.image.as_ref().context("the repository names no image")? {
        Image::Named(image) => image.clone(),
        Image::Built { containerfile } => {
            let base = task.base.as_ref().context("the base branch's tip is not known")?;
            let mirror = world.mirror(&task.repo).await?;
            let archive = mirror.archive_around(base, containerfile).await?;
            drop(mirror);
            let file = containerfile.rsplit('/').next().unwrap_or(containerfile).to_owned();
            let recipe = container::Recipe::new(archive.tar, file, &archive.tree);
            tracing::info!("{}: its image is {}", task.repo, recipe.image());
            container::build(&socket, recipe).await?
        }
    };
    Ok(Container { socket, image, cpus_milli: world.config.sandbox.containers.cpus_milli })
}

/// What a container is made of that was one of another machine: its image, if it is here.
pub(super) fn here(config: &Config, there: Container) -> anyhow::Result<Container> {
    let cpus_milli = config.sandbox.containers.cpus_milli;
    Ok(Container { socket: socket(config)?, cpus_milli, ..there })
}

/// Removes containers that a supervisor left behind when it was killed.
pub(super) async fn sweep(world: &World, keep: &BTreeSet<RunId>) -> anyhow::Result<()> {
    if !kinds(&world.config).contains(&EngineKind::Container) {
        return Ok(());
    }
    let socket = socket(&world.config)?;
    for run in container::sweep(&socket, &world.home.runs_dir(), keep).await? {
        tracing::warn!("removed the container that run {run} had left behind");
    }
    Ok(())
}
