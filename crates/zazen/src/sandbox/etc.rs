//! The few files of `/etc` that are made for a run, the same in every sandbox.
//!
//! They say who the agent is and where loopback is, and nothing of the host.

use std::path::PathBuf;

use super::bwrap::HOME_INSIDE;
use super::reach;
use super::run_dir::{RunDir, write_unsynced};

/// Writes the files into the run's folder, and says where each is to be shown.
pub(super) fn write(run_dir: &RunDir) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let (uid, gid) = (reach::work_uid(), reach::work_gid());
    let files = [
        ("passwd", format!("agent:x:{uid}:{gid}:agent:{HOME_INSIDE}:/bin/sh\n")),
        ("group", format!("agent:x:{gid}:\n")),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n".to_owned()),
    ];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = run_dir.etc().join(name);
        write_unsynced(&path, text.as_bytes())?;
        reach::give_to_runs(&path)?;
        written.push((path, format!("/etc/{name}")));
    }
    Ok(written)
}
