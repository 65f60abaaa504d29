//! `zazen completions`: what a shell needs to complete our words.

use clap::CommandFactory as _;

use super::line;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell to print them for
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args) {
    // The generator takes a reader that goes away for a bug.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::Args::command(), "zazen", &mut text);
    line(String::from_utf8_lossy(&text).trim_end());
}
