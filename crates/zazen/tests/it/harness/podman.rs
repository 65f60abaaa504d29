//! A podman that is the tests' own, with an image that is made of this machine's files.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::skip;

/// Where it listens, and the image.
#[derive(Debug, Clone)]
pub(crate) struct Podman {
    pub(crate) socket: PathBuf,
    pub(crate) image: String,
}

/// The tests' podman, or why it cannot be had on this machine.
#[expect(clippy::disallowed_methods, reason = "tests start programs as a person does")]
pub(crate) fn podman() -> Result<Podman, String> {
    if !["/usr/bin/podman", "/usr/sbin/runc"].iter().all(|path| Path::new(path).exists()) {
        return Err("`podman` and `runc` are not installed".to_owned());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/podman");
    let output = Command::new(script).arg(env!("CARGO_BIN_EXE_zazen")).output();
    let output = output.map_err(|err| format!("`tests/podman` does not start: {err}"))?;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    match answer.split_whitespace().collect::<Vec<_>>()[..] {
        [socket, image] => Ok(Podman { socket: socket.into(), image: image.to_owned() }),
        _ => Err(format!("`podman` does not work: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The tests' podman. Where it cannot be had, that is said loudly, or a failure.
pub(crate) fn has_podman() -> Option<Podman> {
    match podman() {
        Ok(podman) => Some(podman),
        Err(why) => {
            skip(&why);
            None
        }
    }
}
