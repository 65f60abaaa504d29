//! What the agents of a repository are given beside their prompt: servers of tools, and
//! what is denied to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zazen_core::id::RepoName;
use zazen_harness::{At, Kit, Name, Server};

use super::world::{World, read_key};
use crate::config::{self, Config, Environment, Program, ServerAt};
use crate::gateway::{self, Token};

/// What a run is started with besides.
pub(super) struct Given {
    pub(super) kit: Kit,
    /// Where the servers' programs are.
    pub(super) folders: Vec<PathBuf>,
}

/// Folders whose programs every run sees.
const SYSTEM: [&str; 3] = ["/usr", "/bin", "/sbin"];

/// Everything for the agents of a repository. `token` is the run's own.
pub(super) fn of(
    world: &World,
    (repo, harness): (&RepoName, Name),
    token: &Token,
) -> anyhow::Result<Given> {
    let denied = world.config.policy.denied.clone();
    let mut given = Given { kit: Kit { denied, ..Kit::default() }, folders: Vec::new() };
    let servers = world.config.servers.iter().filter(|(_, server)| server.is_for(repo));
    for (name, server) in servers {
        if !harness.takes_servers() {
            tracing::info!("the server `{name}` is not given: `{harness}` takes none");
            continue;
        }
        let at = match &server.at {
            ServerAt::Service { .. } => {
                let url = format!("{{gateway}}/mcp/{name}");
                // It makes no model call, wherever the server's settings end up.
                At::Gateway { url, token: token.for_hosts().to_string() }
            }
            ServerAt::Program { program, args, env } => {
                let program = match program {
                    Program::Name(program) => program.clone(),
                    Program::Path(path) => {
                        let context = || format!("find the program of the server `{name}`");
                        let (program, folder) = host_program(path).with_context(context)?;
                        given.folders.extend(folder);
                        program.display().to_string()
                    }
                };
                let argv = std::iter::once(program).chain(args.iter().cloned()).collect();
                At::Program { argv, env: env.clone() }
            }
        };
        let server = Server { at, tools: server.tools.clone() };
        given.kit.servers.insert(name.clone(), server);
    }
    Ok(given)
}

/// A program of the host as runs see it, and the folder to be shown to them for it.
pub fn host_program(path: &Path) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let program = path.canonicalize().with_context(|| format!("find `{}`", path.display()))?;
    let is_system = SYSTEM.iter().any(|folder| program.starts_with(folder));
    let folder = program.parent().filter(|_| !is_system).map(Path::to_owned);
    Ok((program, folder))
}

/// The services that the agents of a repository may ask through the gateway.
pub(super) fn services_of(world: &World, (repo, harness): (&RepoName, Name)) -> Vec<String> {
    if !harness.takes_servers() {
        return Vec::new();
    }
    let is_given = |server: &config::Server| {
        matches!(server.at, ServerAt::Service { .. }) && server.is_for(repo)
    };
    let servers = world.config.servers.iter().filter(|(_, server)| is_given(server));
    servers.map(|(name, _)| name.clone()).collect()
}

/// All services, with their keys, for the gateway.
pub(super) fn services(
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<BTreeMap<String, gateway::Server>> {
    let mut services = BTreeMap::new();
    for (name, server) in &config.servers {
        let found = service(server, environment);
        let found = found.with_context(|| format!("prepare the server `{name}`"))?;
        services.extend(found.map(|service| (name.clone(), service)));
    }
    Ok(services)
}

/// A service with its key, if it is one.
pub fn service(
    server: &config::Server,
    environment: &Environment,
) -> anyhow::Result<Option<gateway::Server>> {
    let ServerAt::Service { url, key } = &server.at else { return Ok(None) };
    let key = read_key(key, environment)?;
    let tools = server.tools.iter().map(ToString::to_string).collect();
    Ok(Some(gateway::Server { url: url.clone(), key, tools }))
}
