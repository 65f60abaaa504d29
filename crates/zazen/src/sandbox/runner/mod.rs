//! The first process in every sandbox.
//!
//! It says hello and waits to be told to go on (until then the supervisor puts
//! it into its limits), tries what must fail, opens the way to the gateway,
//! starts the work, and hands back what the work left. It reports in frames on
//! its stdout; the work has pipes of its own and cannot reach that stdout. It
//! is not the supervisor: it knows nothing of the host.
//!
//! It is a small program with threads and without a runtime, because there is
//! one for every run.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use super::container;
use super::event::{Ev, Frame, Held, Outcome};
use super::filter;
use super::inside::{GO, GO_COUNTED, Inside, Rlimits};
use super::process;
use super::run_dir::read_json;
use super::spec::EngineKind;
use report::{report, report_event};
use stdin::Stdin;
use tree::Tree;

mod canary;
mod collect;
mod files;
mod ground;
mod relay;
mod report;
mod stdin;
mod tree;
mod work;

/// Runs as the runner: reads its orders, and reports on stdout.
pub fn runner(spec_path: &Path) -> ExitCode {
    match run(spec_path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            report_event(Ev::Failed { message: format!("{err:#}") });
            ExitCode::FAILURE
        }
    }
}

fn run(spec_path: &Path) -> anyhow::Result<()> {
    process::close_inherited()?;
    // Closes our descriptors and our memory to all others of the same user.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("close ourselves to others")?;
    let inside: Inside = read_json(spec_path)?;
    let orders = match &inside.channel {
        Some(socket) => Orders::Channel(report::to(container::connect(socket)?)?),
        None => Orders::Stdin,
    };
    if is_root() {
        bail!("nothing of a run is ever root, and this would be");
    }
    if inside.engine == EngineKind::None {
        let own = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(own)).context("adopt orphans")?;
    }
    // Bubblewrap does this before us. Where it fails, the supervisor refuses the
    // run, unless its engine promises nothing.
    let applied = inside.engine == EngineKind::Bwrap || filter::apply().is_ok();
    let held = Held {
        filtered: applied && is_filtered(),
        landlock: ground::version(),
        container: (inside.engine == EngineKind::Container).then(container::seen),
    };
    let tree = Arc::new(Tree::new(inside.engine));
    let stdin = Arc::new(Stdin::default());
    let go = listen(orders, &tree, &stdin);
    report(&Frame::Hello(held));
    // Without a limit: the supervisor has one, and its end ends us.
    let is_counted = go.recv().context("wait to be told to go on")?;
    limit(inside.rlimits, inside.engine, is_counted)?;

    let tried = canary::try_all(&inside);
    let ok = tried.iter().all(|tried| tried.outcome != Outcome::Allowed);
    report_event(Ev::Canary { ok, tried });
    if !ok {
        return Ok(());
    }
    let gateway_port = inside.gateway_socket.clone().map(relay::start).transpose()?;
    if held.landlock.is_some() {
        // This thread, and what it starts: the work, and the git that collects.
        ground::restrict(&inside)?;
    }
    let ended = work::run(&inside, gateway_port, &tree, &stdin)?;
    report(&ended);
    if let Some(collect) = &inside.collect {
        let collected = collect::collect(collect, &inside.paths);
        report_event(Ev::Result(collected.context("collect what the work left")?));
    }
    Ok(())
}

/// Whether either of our users is root. In bubblewrap they are those outside.
fn is_root() -> bool {
    rustix::process::getuid().is_root() || rustix::process::geteuid().is_root()
}

/// Whether the kernel has a filter of system calls in force for us, and as many
/// programs as ours has: there may be another one, of a container around us.
fn is_filtered() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().parse::<usize>().ok()
    };
    // Kernels before 5.9 do not count them.
    field("Seccomp:") == Some(FILTERED)
        && field("Seccomp_filters:").is_none_or(|n_programs| n_programs >= filter::N_PROGRAMS)
}

/// How the kernel writes that a filter is in force.
const FILTERED: usize = 2;

/// Where the supervisor speaks to us.
enum Orders {
    Stdin,
    Channel(UnixStream),
}

/// Does what the supervisor asks for, and ends everything when it is gone.
fn listen(orders: Orders, tree: &Arc<Tree>, stdin: &Arc<Stdin>) -> mpsc::Receiver<bool> {
    let (sender, go) = mpsc::sync_channel(1);
    let (tree, stdin) = (Arc::clone(tree), Arc::clone(stdin));
    thread::spawn(move || {
        let orders: Box<dyn Read> = match orders {
            Orders::Stdin => Box::new(std::io::stdin()),
            Orders::Channel(stream) => Box::new(stream),
        };
        for line in BufReader::new(orders).lines().map_while(Result::ok) {
            if line == GO || line == GO_COUNTED {
                sender.send(line == GO_COUNTED).ok();
            } else if let Some(grace) = line.strip_prefix("stop ").and_then(|ms| ms.parse().ok()) {
                tree.stop(Duration::from_millis(grace));
            } else if let Some(line) = line.strip_prefix("say ") {
                stdin.say(line);
            }
        }
        tree.end_with_us();
    });
    go
}

/// Sets the limits of each process. Not `RLIMIT_AS`: node and the like map
/// far more than they use.
fn limit(rlimits: Rlimits, engine: EngineKind, is_counted: bool) -> anyhow::Result<()> {
    // In a sandbox the count is its own; on the host it is that of the user.
    let n_before = match engine {
        EngineKind::Bwrap | EngineKind::Container => 0,
        EngineKind::None => tree::n_threads_of_user(),
    };
    let n_processes = match engine {
        // There all runs are one user, and would take the processes from each other.
        EngineKind::None | EngineKind::Container if is_counted => None,
        EngineKind::None | EngineKind::Bwrap | EngineKind::Container => {
            Some(rlimits.n_processes_max + n_before)
        }
    };
    let limits = [
        (Resource::Nproc, n_processes),
        (Resource::Fsize, Some(rlimits.file_bytes_max)),
        (Resource::Core, Some(0)),
    ];
    for (resource, limit) in limits {
        let Some(limit) = limit else { continue };
        let before = rustix::process::getrlimit(resource).maximum;
        let limit = Some(before.map_or(limit, |before| limit.min(before)));
        if let Err(err) = setrlimit(resource, Rlimit { current: limit, maximum: limit }) {
            bail!("set the limit {resource:?} to {limit:?}: {err}");
        }
    }
    Ok(())
}
