//! `zazen completions`: what a shell needs to complete our words.

use clap::CommandFactory as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell to print them for
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) {
    let mut command = super::Args::command();
    clap_complete::generate(args.shell, &mut command, "zazen", &mut std::io::stdout());
}
