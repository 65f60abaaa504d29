//! What every agent is given and denied beside its prompt, whatever its harness.

use std::collections::BTreeMap;

use zazen_core::deny::{Denied, ToolName};

/// The same for every harness; each adapter says it in its own way.
#[derive(Debug, Clone, Default)]
pub struct Kit {
    /// By their names.
    pub servers: BTreeMap<String, Server>,
    pub denied: Denied,
}

/// A server of the Model Context Protocol.
#[derive(Debug, Clone)]
pub struct Server {
    pub at: At,
    /// The only tools of it that there are for agents. Empty means all.
    pub tools: Vec<ToolName>,
}

/// Where a server is.
#[derive(Debug, Clone)]
pub enum At {
    /// A program, which the harness starts in the sandbox and speaks to over its pipes.
    Program { argv: Vec<String>, env: BTreeMap<String, String> },
    /// Behind the gateway, which speaks to the real one.
    Gateway {
        /// With a place that is filled in inside the sandbox.
        url: String,
        /// Lets the run through there, and is worthless elsewhere.
        token: String,
    },
}

impl Server {
    /// The program and its arguments, where it is one: behind a filter, where only some of
    /// its tools are for agents.
    pub(crate) fn argv(&self) -> Option<Vec<String>> {
        let At::Program { argv, .. } = &self.at else { return None };
        if self.tools.is_empty() {
            return Some(argv.clone());
        }
        let mut filtered = vec!["{zazen}".to_owned(), FILTER.to_owned()];
        for tool in &self.tools {
            filtered.extend(["--only".to_owned(), tool.to_string()]);
        }
        filtered.push("--".to_owned());
        filtered.extend(argv.iter().cloned());
        Some(filtered)
    }
}

/// The command of zazen that starts a server and lets some of its tools through.
pub const FILTER: &str = "mcp-filter";
