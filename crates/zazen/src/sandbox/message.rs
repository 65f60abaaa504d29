//! What is said to a run while it is under way: a line for the work's input.
//!
//! It waits in a file of the run's folder, as a pipe takes only short lines at once. The
//! supervisor is told its name by the pipe on which it is asked to stop.

use std::fs::{self, DirBuilder, File};
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::run_dir::{RunDir, write_unsynced};
use super::supervisor::tell;

/// How long a line may be. What people say is cut to a part of it.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// How many messages a run may get. People write a few in an hour.
const MESSAGES_MAX: usize = 64;

/// The folder of the messages in a run's folder.
fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join("said")
}

/// Says a line to the work of a run, under a name. Says whether somebody was there to take
/// it; whether the work read it, only the work can say.
pub fn say(run_dir: &Path, name: &str, line: &str) -> anyhow::Result<bool> {
    if !is_name(name) {
        bail!("`{name}` is no name for a message");
    }
    if line.len() as u64 > LINE_BYTES_MAX || line.contains('\n') {
        bail!("a message is one line of {LINE_BYTES_MAX} bytes at the most");
    }
    let folder = folder(run_dir);
    let context = || format!("write into `{}`", folder.display());
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).with_context(context)?;
    let path = folder.join(name);
    if !path.exists() {
        if fs::read_dir(&folder).with_context(context)?.count() >= MESSAGES_MAX {
            return Ok(false);
        }
        write_unsynced(&path, line.as_bytes())?;
    }
    tell(&RunDir::new(run_dir).control(), &format!("say {name}"))
}

/// Reads a message that was said, by its name.
pub(super) fn read(run_dir: &Path, name: &str) -> anyhow::Result<String> {
    if !is_name(name) {
        bail!("`{name}` is no name for a message");
    }
    let file = File::open(folder(run_dir).join(name)).context("open a message")?;
    let mut line = String::new();
    file.take(LINE_BYTES_MAX).read_to_string(&mut line).context("read a message")?;
    Ok(line)
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
