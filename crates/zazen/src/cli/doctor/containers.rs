//! What `zazen doctor` says of containers: the engine, its rights, each image.

use super::{Finding, bad, good, warning};
use crate::config::{self, Config, Engine, Image};
use crate::sandbox::container::About;
use crate::sandbox::{self, Container, Zazen, container};
use crate::{cli::context, daemon};

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let sockets = &config.sandbox.containers.sockets;
    let socket = match container::find_socket(sockets) {
        Ok(socket) => socket,
        Err(err) => return vec![bad("containers", &format!("{err:#}"), START)],
    };
    let about = match container::look(&socket).await {
        Ok(about) => about,
        Err(err) => return vec![bad("containers", &format!("{err:#}"), START)],
    };
    let mut findings = vec![engine(&about, &socket.display().to_string())];
    let Ok(zazen) = context::zazen().map(Zazen) else { return findings };
    match daemon::named(config) {
        Ok(named) => {
            for of in &named {
                findings.push(image(of, &about, &zazen).await);
            }
        }
        Err(err) => findings.push(bad("images", &format!("{err:#}"), START)),
    }
    findings.extend(config.repos.iter().filter_map(built));
    findings
}

/// What helps where there is no engine.
const START: &str = "systemctl --user enable --now podman.socket; on a Mac, run zazen inside of \
    `podman machine ssh`, as sockets do not reach into its virtual machine";

fn engine(about: &About, socket: &str) -> Finding {
    let rights = if about.is_rootless() { "without root" } else { "as root" };
    let says = format!("{} {} {rights}, at {socket}", about.name.command(), about.version);
    if about.is_rootless() && about.cgroup_version == "1" {
        let says = format!("{says}; it cannot limit memory and processes on cgroup v1");
        return warning("containers", &says, "boot with cgroup v2, or use podman as root");
    }
    good("containers", &says)
}

async fn image(of: &Container, about: &About, zazen: &Zazen) -> Finding {
    if let Err(err) = container::require(&of.socket, &of.image).await {
        let fix = format!("{} pull {}", about.name.command(), of.image);
        return bad("image", &format!("{err:#}"), &fix);
    }
    let probe = sandbox::probe_container(of, zazen).await;
    let axes: Vec<String> =
        probe.axes.iter().map(|axis| format!("{}: {}", axis.name, axis.detail)).collect();
    let says = format!("{}; {}", of.image, axes.join("; "));
    if !probe.isolated {
        return bad("image", &probe.worst(&of.image), "see what it names");
    }
    if probe.axes.iter().any(|axis| !axis.achieved && axis.fix.is_some()) {
        return warning(
            "image",
            &says,
            "an engine that can limit: podman on cgroup v2, or as root",
        );
    }
    good("image", &says)
}

/// An image that is not there before its repository's first run.
fn built(repo: &config::Repo) -> Option<Finding> {
    let Some(Image::Built { containerfile }) = &repo.image else { return None };
    let says = format!("{}: built from {containerfile} of its base branch, once", repo.name);
    (repo.engine == Engine::Container).then(|| good("image", &says))
}
