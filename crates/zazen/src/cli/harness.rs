//! `zazen harness`: which coding agents there are, what each can do, and whether it works.

mod list;
mod test;

use clap::Subcommand;

pub(super) use self::test::micros;

use super::{Context, Result};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the agents and the harnesses that are here: versions, abilities, what came of them
    List(list::Args),
    /// Have an agent do a small task for real, and say what works
    Test(test::Args),
}

pub(super) fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List(args) => list::run(&args, context),
        Command::Test(args) => test::run(&args, context),
    }
}
