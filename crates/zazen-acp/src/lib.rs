//! A client of the Agent Client Protocol, for agents that nobody watches.
//!
//! It starts an agent, opens a session, hands it a prompt, answers what it asks by
//! rules that were given, and says in one stable vocabulary what it did. It is not
//! a sandbox: whoever calls [`run`] has already made one. Read [`event`] for what a
//! caller reads, `session` for the conversation, `failure` for how agents say what
//! went wrong, `agent` for the process.

mod agent;
pub mod event;
mod failure;
mod lines;
mod permission;
mod session;
mod speech;
mod tools;
mod usage;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::Receiver;

pub use crate::permission::Policy;

use crate::agent::Agent;
use crate::event::{Claim, Event, Events};
use crate::session::{Session, Wanted};

/// What one run of an agent is given.
#[derive(Debug, Clone)]
pub struct Options {
    /// The agent's own command line, as it speaks the protocol.
    pub argv: Vec<String>,
    pub prompt: String,
    /// Where it works.
    pub cwd: PathBuf,
    /// The session to go on with.
    pub resume: Option<String>,
    /// Modes to be set: the first one that the agent has.
    pub modes: Vec<String>,
    /// The way to log in, for agents that have to be told.
    pub login: Option<String>,
    pub policy: Policy,
    /// The servers of tools that it gets, as the protocol says each.
    pub servers: Vec<Value>,
    pub limits: Limits,
}

/// What an agent may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may be silent before its session is open.
    pub start: Duration,
    /// How long it may take to stop, and to end, when it is told to.
    pub stop: Duration,
    /// How long one line of it may be. Of a longer one the beginning is kept.
    pub line_bytes_max: usize,
}

/// What reaches a running agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A message of a person's, with an id that is repeated when it is handed over.
    Say { id: String, text: String },
    /// Stop.
    Stop,
}

/// Works on the prompt until the agent is done, writing one [`Event`] a line to `out`.
///
/// None where the options cannot be used, or nobody reads our events.
pub async fn run(
    options: Options,
    orders: Receiver<Order>,
    out: &mut (impl Write + Send),
) -> Option<Claim> {
    let mut events = Events::new(out);
    if let Err(message) = check(&options) {
        events.emit(&Event::Error { message }).ok()?;
        return None;
    }
    let mut agent = match Agent::start(&options) {
        Ok(agent) => agent,
        Err(err) => {
            let text = format!("`{}` cannot be started: {err}", options.argv[0]);
            events.emit(&Event::End { claim: Claim::NotStarted, text, turns: 0 }).ok()?;
            return Some(Claim::NotStarted);
        }
    };
    let session = Session::new(Wanted {
        prompt: options.prompt,
        cwd: options.cwd,
        resume: options.resume,
        modes: options.modes,
        login: options.login,
        policy: options.policy,
        servers: options.servers,
    });
    let worked = agent.work(session, orders, &mut events).await;
    agent.end().await;
    worked.ok()?
}

fn check(options: &Options) -> Result<(), String> {
    if options.argv.is_empty() {
        return Err("there is no agent to start".into());
    }
    if !options.cwd.is_absolute() || !options.cwd.is_dir() {
        return Err(format!("`{}` is no directory with a whole path", options.cwd.display()));
    }
    if options.prompt.trim().is_empty() {
        return Err("the prompt is empty".into());
    }
    Ok(())
}
