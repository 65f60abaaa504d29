//! The versions of harnesses' programs: found without starting them where that is possible.
//!
//! What npm installs says its version in its package's file. Of another program it is asked,
//! once, in a sandbox; the answer is kept by the program's path, size and time of change. A
//! version that was not tested is said and used all the same.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::words;
use zazen_harness::{Harness, Name, Program, version_in};

use crate::exec;
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{self, EngineKind, Once, Zazen};

/// By what programs are asked, and where what they say is kept.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    pub kind: EngineKind,
    pub zazen: &'a Zazen,
    /// Nothing is kept where there is none.
    pub home: Option<&'a Home>,
}

/// What is kept of a program: `.zazen/versions.json`, which can be deleted at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    n_bytes: u64,
    changed: (i64, i64),
    /// Empty where it says none, or does not answer: it is not asked again either.
    version: String,
}

/// The file with what is known.
const FILE: &str = "versions.json";

/// How large that file may be: a few programs.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// How many programs are remembered. With more, all are asked again.
const N_MAX: usize = 64;

/// How large a package's file may be.
const PACKAGE_BYTES_MAX: u64 = 1 << 20;

/// How many folders above a program its package's file is looked for in.
const N_ABOVE: usize = 6;

/// How long a program may take to say its version. The slowest one takes six seconds on a
/// busy machine.
const ASK_MAX: Duration = Duration::from_secs(20);

/// How much memory it may use meanwhile: programs for node use a few hundred MiB.
const MEMORY_BYTES: u64 = 1 << 30;

/// The version of a harness's program. None where it does not say one.
pub async fn version(asking: Asking<'_>, harness: &Harness) -> Option<String> {
    let Some(program) = harness.program() else {
        return Some(env!("CARGO_PKG_VERSION").to_owned());
    };
    if let Some(version) = of_package(program.path) {
        return Some(version);
    }
    let facts = fs::metadata(program.path).ok()?;
    let file = asking.home.map(|home| home.dot_dir().join(FILE));
    let mut known = file.as_deref().map(read).unwrap_or_default();
    if let Some(known) = known.get(program.path).filter(|known| known.is_of(&facts)) {
        return Some(known.version.clone()).filter(|version| !version.is_empty());
    }
    let version = asked(asking, &program).await.unwrap_or_else(|err| {
        tracing::debug!("{} does not say its version: {err:#}", program.path.display());
        None
    });
    // Others may have been asked meanwhile.
    known = file.as_deref().map(read).unwrap_or_default();
    if known.len() >= N_MAX {
        known.clear();
    }
    let said = version.as_deref().unwrap_or_default();
    known.insert(program.path.to_owned(), Known::new(&facts, said));
    if let Some(Err(err)) = file.map(|file| write(&file, &known)) {
        tracing::debug!("versions are not kept: {err:#}");
    }
    version
}

/// Says that this is not the version that was tested, if it is not.
pub fn untested(harness: Name, version: &str) -> Option<String> {
    let abilities = harness.abilities();
    let tested = abilities.tested.filter(|_| abilities.is_tested(version) == Some(false))?;
    Some(words::untested(harness.word(), version, tested))
}

impl Known {
    fn new(facts: &Metadata, version: &str) -> Self {
        let changed = (facts.mtime(), facts.mtime_nsec());
        Self { n_bytes: facts.len(), changed, version: version.to_owned() }
    }

    fn is_of(&self, facts: &Metadata) -> bool {
        *self == Self::new(facts, &self.version)
    }
}

fn read(file: &Path) -> BTreeMap<PathBuf, Known> {
    let text = atomic::read_small(file, FILE_BYTES_MAX).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write(file: &Path, known: &BTreeMap<PathBuf, Known>) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(known).context("print versions")?;
    atomic::write(file, &text, Durability::Relaxed).context("write versions")
}

/// What the package says that a program was installed with.
fn of_package(program: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }
    let mut above = program.ancestors().skip(1).take(N_ABOVE);
    let file = above.find(|folder| is_package(folder))?.join("package.json");
    let text = atomic::read_small(&file, PACKAGE_BYTES_MAX)?;
    let package: Package = serde_json::from_slice(&text).ok()?;
    version_in(&package.version).map(str::to_owned)
}

/// Whether npm has put a package here: below `node_modules`, or below a scope like `@openai`
/// in there.
fn is_package(folder: &Path) -> bool {
    let Some(above) = folder.parent() else { return false };
    let is_scope = above.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@'));
    let modules = if is_scope { above.parent() } else { Some(above) };
    modules.is_some_and(|modules| modules.ends_with("node_modules"))
}

/// What the program itself says. Where runs happen in containers alone, it is not asked:
/// those have programs of their own.
async fn asked(asking: Asking<'_>, program: &Program<'_>) -> anyhow::Result<Option<String>> {
    let lines = match asking.kind {
        EngineKind::Container => return Ok(None),
        EngineKind::Bwrap => {
            let once = Once {
                argv: &program.argv,
                tools: &program.folders,
                memory_bytes: MEMORY_BYTES,
                timeout: ASK_MAX,
            };
            sandbox::once(asking.kind, asking.zazen, once).await?
        }
        EngineKind::None => on_host(program).await?,
    };
    Ok(lines.iter().find_map(|line| version_in(line)).map(str::to_owned))
}

async fn on_host(program: &Program<'_>) -> anyhow::Result<Vec<String>> {
    let [word, args @ ..] = program.argv.as_slice() else {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    };
    let command = exec::Command::new(word).args(args).timeout(ASK_MAX);
    let output = exec::run(command).await?;
    Ok(output.stdout_text().lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
