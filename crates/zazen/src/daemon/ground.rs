//! What a run was begun on: enough to begin the very same run again.
//!
//! Its argv, its input and its texts are in `spec.json`; this is the rest, which the
//! workspace was made of. Written before the run is started, and never changed.

pub(super) mod skills;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use zazen_core::id::CommitId;
use zazen_core::task::Phase;

use crate::home::atomic::{self, Durability};
use crate::sandbox::RunDir;

/// See the module: `ground.json` in a run's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ground {
    /// The version of the format: 1.
    pub(super) v: u32,
    pub(super) phase: Phase,
    /// What its branch was at.
    pub(super) from: CommitId,
    /// The commit whose files it had.
    pub(super) files: CommitId,
    /// Whether it was not shown what is for coding agents.
    #[serde(default)]
    pub(super) hides_agent_config: bool,
    /// Whether its harness went on with a session of an earlier run.
    #[serde(default)]
    pub(super) resumes: bool,
}

const FILE: &str = "ground.json";

/// The folder with copies of the skills that a run was given.
const SKILLS: &str = "skills";

/// How large [`Ground`] may be on the disk: it is a few words.
const BYTES_MAX: u64 = 64 * 1024;

/// How deep the folders of a skill may be. Real ones have one or two.
const DEPTH_MAX: usize = 32;

impl Ground {
    pub(super) const VERSION: u32 = 1;

    pub(super) fn write(&self, dir: &RunDir) -> anyhow::Result<()> {
        let path = dir.path().join(FILE);
        let text = serde_json::to_vec_pretty(self).context("print what a run is begun on")?;
        // It is there before the run is, and no run is there any more when the machine was down.
        atomic::write(&path, &text, Durability::Relaxed)
            .with_context(|| format!("write {}", path.display()))
    }

    /// What a run was begun on; nothing, for one of an older zazen.
    pub(super) fn read(dir: &RunDir) -> anyhow::Result<Option<Self>> {
        let path = dir.path().join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let context = || format!("read {}", path.display());
        let text = atomic::read_small(&path, BYTES_MAX).context("it is too large");
        let ground: Self =
            serde_json::from_slice(&text.with_context(context)?).with_context(context)?;
        if ground.v != Self::VERSION {
            let v = ground.v;
            bail!("{} has version {v}; this zazen reads {}", path.display(), Self::VERSION);
        }
        Ok(Some(ground))
    }
}

/// Keeps copies of the skills that a run is given, which it may change.
pub(super) fn keep_skills(given: &Path, dir: &RunDir) -> anyhow::Result<()> {
    let to = kept_skills(dir);
    if to.exists() {
        fs::remove_dir_all(&to).with_context(|| format!("remove {}", to.display()))?;
    }
    copy(given, &to)
}

/// Where these copies are.
pub(super) fn kept_skills(dir: &RunDir) -> PathBuf {
    dir.path().join(SKILLS)
}

/// Copies a folder of plain files. Links and whatever else there may be stay behind.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    copy_below(from, to, 0).with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

fn copy_below(from: &Path, to: &Path, depth: usize) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("it is more than {DEPTH_MAX} folders deep");
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, kind) = (to.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            copy_below(&entry.path(), &path, depth + 1)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), path)?;
        }
    }
    Ok(())
}
