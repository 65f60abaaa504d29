//! Where a receipt and the files beside it are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::id::{CommitId, RepoName, TaskId};
use zazen_core::receipt::{OfRun, Part, statement};

use crate::home::Home;
use crate::home::atomic;

/// See the module.
#[derive(Debug, Clone)]
pub struct Place {
    receipt: PathBuf,
    parts: PathBuf,
    /// Where the logs of runs are, if not beside the other parts.
    runs: Option<PathBuf>,
    repo: Repo,
    withheld: BTreeMap<Part, Withheld>,
    is_unpacked: bool,
}

/// Where the commits are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repo {
    /// In a bare repository.
    Bare(PathBuf),
    /// In a file that brings them.
    Packed(PathBuf),
}

/// What was taken out of one part when a bundle was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// How many secrets it was.
    pub n_secrets: u64,
    /// The lines that they were in, from 1. Empty, where the part is not read by lines.
    pub lines: Vec<u64>,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format, [`MANIFEST_VERSION`].
    pub v: u32,
    /// By the names of the parts.
    pub withheld: BTreeMap<String, Withheld>,
}

/// The version of bundles that are written, and the only one that is read.
pub(super) const MANIFEST_VERSION: u32 = 1;

/// The names of what is in a bundle beside the parts.
pub(super) const MANIFEST: &str = "bundle.json";
pub(super) const RECEIPT: &str = "receipt.json";
pub(super) const REPO: &str = "repo.bundle";

/// How large a manifest may be: thousands of parts with something taken out.
pub(super) const MANIFEST_BYTES_MAX: u64 = 4 << 20;

impl Place {
    /// The files of a task, in the home where it was worked on.
    pub fn in_home(
        home: &Home,
        task_dir: &Path,
        (task, repo, head): (TaskId, &RepoName, &CommitId),
    ) -> Self {
        Self {
            receipt: Home::receipt_page(task_dir),
            parts: home.receipt_dir(task, head),
            runs: Some(home.runs_dir()),
            repo: Repo::Bare(home.mirrors_dir().join(format!("{repo}.git"))),
            withheld: BTreeMap::new(),
            is_unpacked: false,
        }
    }

    /// The files of a bundle that was unpacked into `dir`.
    pub fn unpacked(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(MANIFEST);
        let bytes = atomic::read_small(&path, MANIFEST_BYTES_MAX)
            .with_context(|| format!("read `{}`: it is no unpacked bundle", dir.display()))?;
        let manifest =
            Manifest::parse(&bytes).with_context(|| format!("read `{}`", path.display()))?;
        let withheld = manifest.withheld.into_iter();
        let withheld = withheld
            .map(|(name, what)| Ok((name.parse::<Part>()?, what)))
            .collect::<anyhow::Result<_>>()
            .with_context(|| format!("read `{}`", path.display()))?;
        Ok(Self {
            receipt: dir.join(RECEIPT),
            parts: dir.to_owned(),
            runs: None,
            repo: Repo::Packed(dir.join(REPO)),
            withheld,
            is_unpacked: true,
        })
    }

    /// A receipt with nothing beside it, as it is fetched from a remote.
    pub fn alone(receipt: &Path) -> Self {
        let nowhere = receipt.with_extension("parts");
        Self {
            receipt: receipt.to_owned(),
            repo: Repo::Packed(nowhere.join(REPO)),
            parts: nowhere,
            runs: None,
            withheld: BTreeMap::new(),
            is_unpacked: false,
        }
    }

    /// The same, with the commits in a person's clone or a bare repository.
    #[must_use]
    pub fn with_repo(self, dir: &Path) -> Self {
        let dot_git = dir.join(".git");
        let dir = if dot_git.is_dir() { dot_git } else { dir.to_owned() };
        Self { repo: Repo::Bare(dir), ..self }
    }

    /// The signed receipt.
    pub fn receipt(&self) -> &Path {
        &self.receipt
    }

    /// Where a part is, if it is there.
    pub fn part(&self, part: Part) -> PathBuf {
        match (part, &self.runs) {
            (Part::Run(run, of), Some(runs)) if is_log(of) => {
                runs.join(run.to_string()).join(of.file())
            }
            _ => self.parts.join(part.to_string()),
        }
    }

    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// What was taken out of a part, if something was.
    pub fn withheld(&self, part: Part) -> Option<&Withheld> {
        self.withheld.get(&part)
    }

    /// Whether nothing but the files of one bundle should be in it.
    pub fn is_unpacked(&self) -> bool {
        self.is_unpacked
    }

    /// Where all is unpacked to, or the texts are.
    pub fn dir(&self) -> &Path {
        &self.parts
    }
}

/// Whether it is a file that a run wrote itself, which stays where it is.
fn is_log(of: OfRun) -> bool {
    match of {
        OfRun::Events | OfRun::Egress | OfRun::Recording => true,
        OfRun::Spec
        | OfRun::Agent
        | OfRun::Ground
        | OfRun::Skills
        | OfRun::Commits
        | OfRun::Chain => false,
    }
}

impl Manifest {
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let manifest: Self = serde_json::from_slice(bytes).context("it is no manifest")?;
        if manifest.v != MANIFEST_VERSION {
            anyhow::bail!("it has version {}, this zazen reads {MANIFEST_VERSION}", manifest.v);
        }
        if manifest.print().as_bytes() != bytes {
            anyhow::bail!("it is not written as zazen writes manifests");
        }
        Ok(manifest)
    }

    pub fn print(&self) -> String {
        let value = serde_json::to_value(self).expect("a manifest is numbers, texts and maps");
        format!("{}\n", statement::canonical(&value))
    }
}
