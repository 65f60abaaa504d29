//! Finds the native program of an agent, and refuses what only stands in for one.
//!
//! What npm puts on the path is a script for node, or a few lines that were to be replaced
//! when it was installed; the native program is in a package of its own. A script that is
//! killed leaves that program at work, and an installation without that package succeeds.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::bail;
use zazen_harness::Name;

use super::real;

/// What every native program on Linux begins with.
const ELF: &[u8] = b"\x7fELF";

/// What every script begins with that the kernel can start.
const SCRIPT: &[u8] = b"#!";

/// The file by which a package of Codex is known. The program, and what belongs to it, are
/// in folders beside it.
const PACKAGE_FILE: &str = "codex-package.json";

/// How far above the script a folder can be that has the package with the program.
const N_FOLDERS_MAX: usize = 5;

/// Where the packages with the native programs of an agent have them.
struct Natives {
    /// By paths below a `node_modules`.
    paths: &'static [&'static str],
    /// What to set instead, for people.
    advice: &'static str,
    /// The script that is found without them is no use.
    is_needed: bool,
}

/// The native programs of a harness, where it has any.
fn natives(harness: Name) -> Option<Natives> {
    let natives = |paths, advice, is_needed| Some(Natives { paths, advice, is_needed });
    match harness {
        Name::Claude => natives(
            &[
                "@anthropic-ai/claude-code-linux-x64/claude",
                "@anthropic-ai/claude-code-linux-arm64/claude",
            ],
            "`claude` in the package `@anthropic-ai/claude-code-linux-x64`",
            false,
        ),
        Name::Codex => natives(
            &[
                "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex",
                "@openai/codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex",
            ],
            "`bin/codex` in the package `@openai/codex-linux-x64`",
            true,
        ),
        Name::Copilot => natives(
            &["@github/copilot-linux-x64/copilot", "@github/copilot-linux-arm64/copilot"],
            "`copilot` in the package `@github/copilot-linux-x64`",
            true,
        ),
        Name::OpenCode => natives(
            &["opencode-linux-x64/bin/opencode", "opencode-linux-arm64/bin/opencode"],
            "`bin/opencode` in the package `opencode-linux-x64`",
            true,
        ),
        Name::Gemini | Name::Qwen | Name::Mini | Name::Aider | Name::Acp | Name::Custom => None,
    }
}

/// The program to start for one that was found: the native one, where the harness has one.
pub(super) fn of(harness: Name, found: PathBuf) -> anyhow::Result<PathBuf> {
    // What can be started and not read is not looked into.
    let Ok(begins) = begin(&found) else { return Ok(found) };
    if begins.starts_with(ELF) {
        return Ok(found);
    }
    let is_script = begins.starts_with(SCRIPT);
    let (shown, natives) = (found.display(), natives(harness));
    match natives {
        None if is_script => Ok(found),
        None => bail!(
            "{shown} is no program: it stands in for one that was not installed with it; install \
             `{harness}` again"
        ),
        Some(natives) if is_script && !natives.is_needed => Ok(found),
        Some(natives) => {
            if let Some(native) = beside(&found, natives.paths) {
                return real(&native);
            }
            let what = if is_script { "a script" } else { "no program but stands in for one" };
            let advice = natives.advice;
            bail!(
                "{shown} is {what}, and the native program is not in the packages beside it: it \
                 was installed without its optional packages; install it again with them, or set \
                 `program` to {advice} (or `-linux-arm64`)"
            )
        }
    }
}

/// The folder that a native program needs to see: its own, or its package where that is one
/// of Codex's, which brings tools of its own.
pub(super) fn folder(program: &Path) -> PathBuf {
    let own = program.parent().unwrap_or(Path::new("/"));
    let package = own.parent().filter(|folder| folder.join(PACKAGE_FILE).is_file());
    package.unwrap_or(own).to_owned()
}

/// How a file begins.
fn begin(program: &Path) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    File::open(program)?.take(4).read_to_end(&mut begin)?;
    Ok(begin)
}

/// The native program that what was found would start.
fn beside(found: &Path, paths: &[&str]) -> Option<PathBuf> {
    let above = found.ancestors().skip(1).take(N_FOLDERS_MAX);
    let folders = above.flat_map(|folder| [folder.to_owned(), folder.join("node_modules")]);
    let mut all = folders.flat_map(|folder| paths.iter().map(move |path| folder.join(path)));
    all.find(|native| begin(native).is_ok_and(|begin| begin.starts_with(ELF)))
}

#[cfg(test)]
mod tests;
