//! `zazen acp`: the client of the Agent Client Protocol, inside the sandbox.
//!
//! Reads the prompt, starts the agent, and prints one event a line. Its input has one message
//! a line: the prompt, then what a person says meanwhile. Being told to end is passed on to
//! the agent, which can then say what it has.

use std::fs;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zazen_acp::event::Claim;
use zazen_acp::{Limits, Options, Order, Policy};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The session to go on with
    #[arg(long)]
    resume: Option<String>,
    /// A mode to be set; of several, the first that the agent has
    #[arg(long = "mode")]
    modes: Vec<String>,
    /// The way to log in, for agents that have to be told
    #[arg(long)]
    login: Option<String>,
    /// Deny whatever changes a file
    #[arg(long)]
    read_only: bool,
    /// Deny a kind of tool, or one by its name, or, as `execute:git push`, what has these words
    #[arg(long)]
    deny: Vec<String>,
    /// A file with the servers of tools that it gets, as the protocol says them
    #[arg(long)]
    servers: Option<PathBuf>,
    /// The agent's own command line
    #[arg(last = true, required = true)]
    argv: Vec<String>,
}

/// What an agent may take. It starts in seconds, and in a minute on a machine that is busy
/// with others; ten seconds are enough to stop. No message that means anything is longer
/// than 32 MiB, and an agent's memory is not ours to fill.
const LIMITS: Limits = Limits {
    start: Duration::from_secs(120),
    stop: Duration::from_secs(10),
    line_bytes_max: 32 << 20,
};

/// What cannot be used, as for all commands.
const USAGE: u8 = 2;

/// A line of the input.
#[derive(Debug, Deserialize)]
struct Message {
    id: String,
    text: String,
}

/// How many messages of people may wait for the agent. They are read by one person's reader.
const N_ORDERS_MAX: usize = 16;

/// The next message. None at the end of the input, or at what is no message.
fn next_message() -> Option<Message> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// The servers in a file. None where that is no list.
fn read(path: &Path) -> Option<Vec<Value>> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

pub(super) fn run(args: Args) -> ExitCode {
    let cwd = std::env::current_dir();
    let (Some(Message { text: prompt, .. }), Ok(cwd)) = (next_message(), cwd) else {
        return ExitCode::from(USAGE);
    };
    let Some(servers) = args.servers.map_or_else(|| Some(Vec::new()), |path| read(&path)) else {
        return ExitCode::from(USAGE);
    };
    let options = Options {
        argv: args.argv,
        prompt,
        cwd,
        resume: args.resume,
        modes: args.modes,
        login: args.login,
        policy: Policy {
            read_only: args.read_only,
            deny: args.deny,
            // Agents put drafts of all kinds there. In a sandbox it is the run's own.
            roots: vec![std::env::temp_dir()],
        },
        servers,
        limits: LIMITS,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::from(USAGE) };
    match runtime.block_on(work(options)) {
        Some(claim) => ExitCode::from(code(claim)),
        None => ExitCode::from(USAGE),
    }
}

async fn work(options: Options) -> Option<Claim> {
    let (sender, orders) = mpsc::channel(N_ORDERS_MAX);
    let of_people = sender.clone();
    // It is not waited for: reading cannot be given up, and the process ends with the agent.
    thread::spawn(move || {
        while let Some(Message { id, text }) = next_message() {
            if of_people.blocking_send(Order::Say { id, text }).is_err() {
                return;
            }
        }
    });
    let mut tasks = JoinSet::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let (mut told, sender) = (signal(kind).ok()?, sender.clone());
        tasks.spawn(async move {
            while told.recv().await.is_some() {
                sender.send(Order::Stop).await.ok();
            }
        });
    }
    drop(sender);
    zazen_acp::run(options, orders, &mut std::io::stdout()).await
}

/// The status that says it to those who look at nothing else.
fn code(claim: Claim) -> u8 {
    match claim {
        Claim::Finished => 0,
        Claim::MaxTokens | Claim::MaxTurns => 3,
        Claim::NeedsLogin => 4,
        Claim::Quota | Claim::Overloaded => 5,
        Claim::Cancelled => 6,
        Claim::Refused
        | Claim::ContextFull
        | Claim::ModelError
        | Claim::SessionLost
        | Claim::NotStarted
        | Claim::Silent
        | Claim::Exited
        | Claim::Crashed
        | Claim::Cut
        | Claim::Confused => 1,
    }
}
