//! `zazen repair`: what zazen does not do by itself, because it gives something up.

use super::{Context, ErrorKind, Result, kinded, line};
use crate::home::journal;
use crate::home::lock::Lock;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Really cut; without it only what would be done is said
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let home = context.home()?;
    if let Ok(position) = journal::read(&home, journal::Position::START, &mut |_| Ok(())) {
        line(&format!("the journal is whole, up to record {}", position.seq));
        return Ok(());
    }
    if !args.yes {
        if let Err(err) = journal::read(&home, journal::Position::START, &mut |_| Ok(())) {
            line(&err.to_string());
        }
        line(
            "`zazen repair --yes` cuts the active segment there; what is cut is kept in quarantine",
        );
        return Ok(());
    }
    let _lock =
        Lock::take(&home).map_err(anyhow::Error::from).map_err(kinded(ErrorKind::Unavailable))?;
    match journal::repair(&home)? {
        Some(note) => line(&note.to_string()),
        None => line("there was nothing to cut"),
    }
    Ok(())
}
