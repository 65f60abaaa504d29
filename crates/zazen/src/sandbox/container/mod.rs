//! The engine `container`: podman and docker, through the API that both speak.
//!
//! ```text
//! supervisor ──API──► engine ──makes──► container, whose first process is the runner
//!      └────────── a socket in a folder of the run ──────────────┘
//! ```
//!
//! [`api`] is what is asked of an engine, over [`http`], [`profile`] what a container is made
//! of, [`held`] the container as the supervisor holds it, [`channel`] how its
//! runner reports. [`image`] sees to images, [`sweep`] to what nobody holds.
//! What happens inside is the runner's, the same as in bubblewrap.

mod api;
mod channel;
mod held;
mod http;
mod image;
mod profile;
mod seen;
mod sweep;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

pub use api::{About, EngineName};
pub use image::{Recipe, build, require};
pub use sweep::sweep;

pub(super) use channel::{connect, inside};
pub(super) use held::{Gone, Held};
pub(super) use profile::check;
pub(super) use seen::{Seen, n_killed_for_memory, seen};
pub(super) use sweep::clear_run;

/// Where the runner's socket is seen in a container.
const CHANNEL_INSIDE: &str = "/run/zazen/channel";

/// The label with the run that a container belongs to.
const LABEL_OF_RUN: &str = "io.zazen.run";

/// The label with the home that the run belongs to.
const LABEL_OF_HOME: &str = "io.zazen.home";

/// Finds the engine: the first of these sockets that one listens on.
pub fn find_socket(candidates: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let found =
        candidates.iter().find(|path| std::os::unix::net::UnixStream::connect(path).is_ok());
    found.cloned().with_context(|| {
        let tried: Vec<String> =
            candidates.iter().map(|path| format!("`{}`", path.display())).collect();
        format!(
            "find a container engine: nothing listens on {}; start one with `systemctl --user \
             enable --now podman.socket` (as root: without `--user`), or name another one in \
             `sandbox.container_socket`",
            tried.join(", ")
        )
    })
}

/// Asks the engine what it is, and refuses one that runs cannot be made with.
pub async fn look(socket: &Path) -> anyhow::Result<About> {
    let about = api::Api::at(socket).about().await?;
    about.check()?;
    Ok(about)
}

/// Checks that a path can be told to an engine: podman takes mounts apart at commas.
fn plain(path: &Path) -> anyhow::Result<String> {
    match path.to_str() {
        Some(text) if !text.contains([',', '"', '\n']) => Ok(text.to_owned()),
        _ => bail!("`{}` cannot be mounted: its name has a comma or a quote", path.display()),
    }
}
