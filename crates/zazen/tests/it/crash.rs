//! Nothing is lost and nothing done twice, whatever is killed and whenever.
//!
//! `oracle` says what has to be true in the end, and compares it with a flow that
//! nobody disturbed. `moments` kills the daemon at each of its own crash points,
//! `agents` kills it under an agent at work (`work`), `killed` kills everything
//! else, and `disk` damages, fills and deletes files. Every system call is the
//! matter of `syscalls`, which is told by `bench/crash-matrix` what to do.

mod agents;
mod disk;
mod killed;
pub(crate) mod moments;
pub(crate) mod oracle;
mod syscalls;
mod work;

use std::path::Path;

use crate::harness::machine::skip;
use crate::harness::place::Setup;

/// How a home with this engine is set up, or nothing where the engine cannot be had.
fn setup(engine: &'static str) -> Option<Setup> {
    if engine == "bwrap" && !Path::new("/usr/bin/bwrap").exists() {
        skip("`bwrap` is not installed");
        return None;
    }
    if engine == "container" {
        crate::harness::podman::has_podman()?;
    }
    Some(Setup::mini(engine, "http://127.0.0.1:9"))
}
