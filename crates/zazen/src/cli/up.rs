//! `zazen up`: the daemon, in the foreground.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Context, ErrorKind, Result, context, kinded, say};
use crate::daemon::{self, Options, World};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Say more: what is done, and why
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    start_log(args.verbose);
    let (home, config) = context.configured()?;
    if config.sandbox.engine == crate::config::Engine::None {
        say(daemon::NO_SANDBOX);
    }
    let options = Options {
        home,
        config,
        environment: context.environment.clone(),
        zazen: context::zazen()?,
    };
    let runtime = daemon::runtime()?;
    runtime.block_on(async {
        // Listened to from the start: a daemon that is told to end while it begins ends well.
        let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = CancellationToken::new();
        let mut work = tokio::task::JoinSet::new();
        work.spawn(wait_for_signal(signals, shutdown.clone()));
        let world = World::open(options).await.map_err(kinded(ErrorKind::Unavailable))?;
        let result = daemon::run(world, shutdown).await;
        work.abort_all();
        Ok(result?)
    })
}

/// Cancels `shutdown` at the first SIGTERM or SIGINT.
async fn wait_for_signal((mut term, mut int): (Signal, Signal), shutdown: CancellationToken) {
    let either = std::future::poll_fn(|cx| {
        if term.poll_recv(cx).is_ready() || int.poll_recv(cx).is_ready() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    });
    either.await;
    shutdown.cancel();
}

/// Begins the log that people read: on standard error, one line an event.
pub(crate) fn start_log(verbose: bool) {
    use tracing_subscriber::EnvFilter;

    let default = if verbose { "zazen=debug" } else { "zazen=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
    // A second start in one process keeps the first log.
    drop(started);
}
