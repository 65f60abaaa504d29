//! Why bubblewrap does not come to stand on this machine, and what helps.
//!
//! Its own message says which step failed. What the step needs is a matter of
//! the machine: a package, a switch of the kernel, a rule of `AppArmor`, a
//! container around us. Those are looked at only once something has failed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::bwrap;
use crate::exec::{self, Command};

/// What is wrong, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) what: String,
    pub(super) fix: String,
}

/// What of a machine decides whether a user without rights may make a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Machine {
    /// The version of bubblewrap, as it says it, if there is one.
    bwrap: Option<String>,
    /// `user.max_user_namespaces`.
    n_namespaces_max: Option<u64>,
    /// `kernel.unprivileged_userns_clone`, which only Debian's kernels have.
    clone_allowed: Option<bool>,
    /// `kernel.apparmor_restrict_unprivileged_userns`, which Ubuntu has since 23.10.
    apparmor_restricts: bool,
    in_container: bool,
}

/// The first version that can keep a sandbox from making others.
const OLDEST: (u32, u32) = (0, 8);

/// How long bubblewrap may take to say its version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(5);

/// What to do where none of it can be mended.
const OTHER_WAY: &str = "or let runs have containers: `sandbox.engine = \"container\"`";

/// Says why a sandbox failed with this message.
pub(super) fn of(message: &str) -> Cause {
    Machine::look().cause(message)
}

/// What to do where nothing is known to help.
pub(super) const NO_IDEA: &str = "run `zazen supervise` on the run's folder by hand to see more";

/// Says why a container failed with this message.
pub(super) fn of_container(message: &str) -> Cause {
    let fixes = [
        ("is not on this machine", "pull it, or build it"),
        ("ask the container engine", "start it, or name another in `sandbox.container_socket`"),
        ("no `git` in the image", "take an image with git: results are handed back as commits"),
        ("has to run in it", "take an image with glibc, or a zazen that is built for musl"),
    ];
    let fix = fixes.into_iter().find(|(sign, _)| message.contains(sign));
    let fix = fix.map_or(NO_IDEA, |(_, fix)| fix).to_owned();
    Cause { what: message.to_owned(), fix }
}

impl Machine {
    fn look() -> Self {
        let switch = |path: &str| -> Option<u64> {
            fs::read_to_string(Path::new("/proc/sys").join(path)).ok()?.trim().parse().ok()
        };
        let apparmor = switch("kernel/apparmor_restrict_unprivileged_userns");
        let signs = ["/.dockerenv", "/run/.containerenv"];
        Self {
            bwrap: bwrap::find().ok().map(|path| version(path).unwrap_or_default()),
            n_namespaces_max: switch("user/max_user_namespaces"),
            clone_allowed: switch("kernel/unprivileged_userns_clone").map(|value| value != 0),
            apparmor_restricts: apparmor.is_some_and(|value| value != 0),
            in_container: signs.iter().any(|sign| Path::new(sign).exists()),
        }
    }

    fn cause(&self, message: &str) -> Cause {
        let cause = |what: &str, fix: &str| Cause { what: what.to_owned(), fix: fix.to_owned() };
        let says = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
        if says(&["cannot reach"]) {
            return cause(message, "open the folder that is named, or move the home");
        }
        let Some(bwrap) = &self.bwrap else {
            let fix = format!("install the package `bubblewrap` (0.8 or newer), {OTHER_WAY}");
            return cause("bubblewrap is not installed", &fix);
        };
        if number(bwrap).is_some_and(|version| version < OLDEST) || says(&["Unknown option"]) {
            let what = format!("bubblewrap is too old: `{bwrap}` ({message})");
            return cause(&what, &format!("install bubblewrap 0.8 or newer, {OTHER_WAY}"));
        }
        if let Some(cause) = self.of_namespaces(message) {
            return cause;
        }
        cause(message, "run `zazen supervise` on the run's folder by hand to see more")
    }

    /// The causes that there is no user namespace to be had, or not a whole one.
    fn of_namespaces(&self, message: &str) -> Option<Cause> {
        let says = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
        let is_refused = says(&["namespace", "uid map", "Permission denied", "not permitted"]);
        let (what, fix) = if self.n_namespaces_max == Some(0) || says(&["ENOSPC"]) {
            (
                "the kernel gives out no user namespaces (`user.max_user_namespaces`)",
                "`sysctl user.max_user_namespaces=10000`; inside of another sandbox there are none",
            )
        } else if self.clone_allowed == Some(false) && is_refused {
            (
                "only root may make user namespaces (`kernel.unprivileged_userns_clone` is 0)",
                "`sysctl kernel.unprivileged_userns_clone=1`",
            )
        } else if self.in_container && (is_refused || says(&["proc"])) {
            (
                "the container that zazen runs in does not let it make a sandbox",
                "Docker: `--security-opt seccomp=unconfined --security-opt \
                 systempaths=unconfined`; Podman: `--security-opt unmask=ALL`",
            )
        } else if self.apparmor_restricts && is_refused {
            (
                "AppArmor lets no program without a profile use user namespaces (Ubuntu)",
                "a file `/etc/apparmor.d/bwrap` with `abi <abi/4.0>, include <tunables/global> \
                 profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }`, and \
                 `systemctl reload apparmor`",
            )
        } else if is_refused {
            ("the kernel refuses a user namespace", "allow user namespaces")
        } else {
            return None;
        };
        Some(Cause { what: format!("{what} ({message})"), fix: format!("{fix}, {OTHER_WAY}") })
    }
}

/// What bubblewrap says that it is.
fn version(program: &str) -> Option<String> {
    let command = Command::new(program).arg("--version").timeout(VERSION_TIMEOUT);
    let output = exec::run_blocking(&command).ok()?;
    Some(output.stdout_text().trim().to_owned())
}

/// The first two numbers of `bubblewrap 0.8.0`.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split_whitespace().last()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests;
