//! What zazen starts itself as: the supervisor of a run, the runner inside its
//! sandbox, the built-in harness, the client for agents that speak the Agent Client
//! Protocol, and a filter for servers of tools. People have no use for these.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use zazen_harness as harness;

use super::acp;
use crate::sandbox;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(hide = true)]
    Supervise { run_dir: PathBuf },
    #[command(hide = true)]
    Runner { spec: PathBuf },
    #[command(hide = true)]
    Mini(Mini),
    #[command(hide = true)]
    Acp(acp::Args),
    #[command(hide = true, name = harness::FILTER)]
    Filter(Filter),
}

/// Some of a server's tools.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    #[arg(long)]
    only: Vec<String>,
    #[arg(last = true, required = true)]
    server: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Mini {
    #[arg(long)]
    api: Api,
    #[arg(long)]
    base_url: String,
    #[arg(long)]
    model: String,
    #[arg(long)]
    turns: u32,
    /// Beginnings of commands that are not run.
    #[arg(long)]
    deny: Vec<String>,
    /// The run's token. Worthless outside of it.
    #[arg(long, env = harness::TOKEN_VARIABLE, hide_env_values = true)]
    token: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Api {
    Anthropic,
    Openai,
}

/// How long one command of the agent may take. Test suites take minutes; the
/// run's own limits end what takes longer.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// How much of one command's output the model sees, in bytes.
const OUTPUT_BYTES_MAX: usize = 16 * 1024;

pub(super) fn run(command: Command) -> ExitCode {
    match command {
        Command::Supervise { run_dir } => sandbox::supervise(&run_dir),
        Command::Runner { spec } => sandbox::runner(&spec),
        Command::Mini(args) => mini(args),
        Command::Acp(args) => acp::run(args),
        Command::Filter(args) => {
            sandbox::filter_tools(args.only.into_iter().collect(), &args.server)
        }
    }
}

fn mini(args: Mini) -> ExitCode {
    let mut prompt = String::new();
    let cwd = std::env::current_dir();
    let (Ok(_), Ok(cwd)) = (std::io::stdin().read_to_string(&mut prompt), cwd) else {
        return ExitCode::from(2);
    };
    let options = zazen_mini::Options {
        api: match args.api {
            Api::Anthropic => zazen_mini::Api::Anthropic,
            Api::Openai => zazen_mini::Api::OpenAi,
        },
        base_url: args.base_url,
        token: args.token,
        model: args.model,
        cwd,
        turns_max: args.turns,
        command_timeout: COMMAND_TIMEOUT,
        output_bytes_max: OUTPUT_BYTES_MAX,
        denied: args.deny,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::from(2) };
    let exit = runtime.block_on(zazen_mini::run(options, prompt, &mut std::io::stdout()));
    ExitCode::from(u8::from(exit))
}
