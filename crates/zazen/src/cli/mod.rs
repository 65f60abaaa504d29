//! The command line: one file a subcommand, named like it.
//!
//! What is printed to standard output is the answer; everything else (progress,
//! logs, errors) goes to standard error. `--json` prints the answer for machines.

mod acp;
mod bisect;
mod bundle;
mod completions;
mod context;
mod doctor;
mod eval;
mod exit;
mod fork;
mod github;
mod harness;
mod hidden;
mod init;
mod issue;
mod limits;
mod repair;
mod replay;
mod repo;
mod report;
mod skill;
mod spent;
mod status;
mod task;
mod up;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use self::context::Context;
pub(crate) use self::exit::{ErrorKind, Failure, Result, kinded};
pub(crate) use self::init::{Answers as NewHome, Here, create as create_home};
pub(crate) use self::repo::{NewRepo, write_repo};
pub(crate) use self::report::{json, line, say};
use crate::config::Environment;

/// Turns issues into checked draft pull requests while nobody watches.
#[derive(Debug, Parser)]
#[command(name = "zazen", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Args {
    /// The home to work with [default: the present folder, or one above it]
    #[arg(long, global = true, value_name = "DIR", env = "ZAZEN_HOME", hide_env_values = true)]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole way from an issue to a draft pull request, offline, in seconds
    Demo(crate::demo::Args),
    /// Make a home: the folder of Markdown that is this zazen's memory
    Init(init::Args),
    /// Point zazen at repositories
    #[command(subcommand)]
    Repo(repo::Command),
    /// See which coding agents are here, what they can do, and whether they work
    #[command(subcommand)]
    Harness(harness::Command),
    /// Look at what agents are taught here
    #[command(subcommand)]
    Skill(skill::Command),
    /// Make a GitHub App for this zazen, and see whether it works
    #[command(subcommand)]
    Github(github::Command),
    /// Write and read issues of the local forge
    #[command(subcommand)]
    Issue(issue::Command),
    /// Run the daemon in the foreground
    Up(up::Args),
    /// Say what is under way and what waits for you
    Status(status::Args),
    /// Look at tasks, stop them, send them on
    #[command(subcommand)]
    Task(task::Command),
    /// Check the receipt of a pull request, a task or a bundle, offline
    Verify(verify::Args),
    /// Put all that proves a task into one file, or take it out
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Make the runs of a task again from their recordings, offline, and compare
    Replay(replay::Args),
    /// Find the step of a task that broke a check, or mended it
    Bisect(bisect::Args),
    /// Go on from what a step of a task left, as a task of its own, by another agent perhaps
    Fork(fork::Args),
    /// Have finished tasks done again by another agent, model or prompt, and compare
    Eval(eval::Args),
    /// Check everything that zazen needs, and say how to mend what is missing
    Doctor(doctor::Args),
    /// Cut a damaged journal before its first damaged line, because you say so
    Repair(repair::Args),
    /// Print the completions for a shell
    Completions(completions::Args),
    #[command(flatten)]
    Hidden(hidden::Command),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let environment = Environment::read();
    let context = Context::new(args.home, environment);
    let result = match args.command {
        Command::Demo(args) => crate::demo::run(&args, &context),
        Command::Init(args) => init::run(&args, &context),
        Command::Repo(command) => repo::run(command, &context),
        Command::Harness(command) => harness::run(command, &context),
        Command::Skill(command) => skill::run(command, &context),
        Command::Github(command) => github::run(command, &context),
        Command::Issue(command) => issue::run(command, &context),
        Command::Up(args) => up::run(&args, &context),
        Command::Status(args) => status::run(&args, &context),
        Command::Task(command) => task::run(command, &context),
        Command::Verify(args) => verify::run(&args, &context),
        Command::Bundle(command) => bundle::run(command, &context),
        Command::Replay(args) => replay::run(&args, &context),
        Command::Bisect(args) => bisect::run(&args, &context),
        Command::Fork(args) => fork::run(&args, &context),
        Command::Eval(args) => eval::run(&args, &context),
        Command::Doctor(args) => doctor::run(&args, &context),
        Command::Repair(args) => repair::run(&args, &context),
        Command::Completions(args) => {
            completions::run(&args);
            Ok(())
        }
        Command::Hidden(command) => return hidden::run(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => exit::print(&err),
    }
}
