//! demo
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    json: bool,
}
pub(crate) fn run(_args: &Args, _context: &crate::cli::Context) -> crate::cli::Result {
    Ok(())
}
