//! Whether the servers of tools can be started or asked. None is: they are others' programs.

use super::{Finding, bad, good, warning};
use crate::cli::Context;
use crate::config::{Config, Program, Server, ServerAt};
use crate::{daemon, sandbox};

pub(super) fn look(context: &Context, config: &Config) -> Vec<Finding> {
    let used = config.used_agents();
    let mut used = config.agents.iter().filter(|(name, _)| used.contains(name));
    let takes = used.any(|(_, agent)| agent.harness.takes_servers());
    let looked = config.servers.iter().map(|(name, server)| {
        let what = format!("mcp.{name}");
        if !takes {
            let says = "the harness takes no servers of tools, so its agents do not get this one";
            return warning(&what, says, "set `harness.use = \"claude\"`");
        }
        match program(server) {
            Some(Err(err)) => bad(&what, &format!("{err:#}"), "mend `command` in zazen.toml"),
            Some(Ok(says)) => good(&what, &says),
            None => service(context, &what, server),
        }
    });
    looked.collect()
}

/// Whether its program is there, where it is one.
fn program(server: &Server) -> Option<anyhow::Result<String>> {
    let ServerAt::Program { program, .. } = &server.at else { return None };
    let path = match program {
        Program::Name(name) => return Some(Ok(format!("starts `{name}` of the sandbox"))),
        Program::Path(path) => path,
    };
    Some(daemon::host_program(path).and_then(|(program, _)| {
        sandbox::check_reachable(&program)?;
        Ok(format!("starts {} in the sandbox", program.display()))
    }))
}

fn service(context: &Context, what: &str, server: &Server) -> Finding {
    match daemon::service(server, &context.environment) {
        Ok(Some(service)) => {
            let key = if service.key.is_some() { "with a key" } else { "without a key" };
            good(what, &format!("{}, through the gateway, {key}", service.url))
        }
        Ok(None) => good(what, "is a program"),
        Err(err) => bad(what, &format!("{err:#}"), "set that variable where `zazen up` is started"),
    }
}
