//! Finds the native program of Codex.
//!
//! What npm puts on the path is a script for node, with the native program in a package
//! beside it. A script that is killed leaves that program at work, so it is never started.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::real;

/// What every native program on Linux begins with.
const ELF: [u8; 4] = *b"\x7fELF";

/// The file by which a package of Codex is known. The program, and what belongs to it, are
/// in folders beside it.
const PACKAGE_FILE: &str = "codex-package.json";

/// The packages with a native program, beside or below that of the script.
const NATIVE: [&str; 2] = [
    "codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex",
    "codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex",
];

/// The native program, and the folder that it needs to see. `found` is it, or the script.
pub(super) fn native(found: PathBuf) -> anyhow::Result<(PathBuf, PathBuf)> {
    let native = if is_native(&found) {
        found
    } else {
        let beside = beside(&found).with_context(|| {
            format!(
                "{} is a script, and Codex's native program is not in the packages beside it; set \
                 `program` to `bin/codex` in the package `@openai/codex-linux-x64` (or \
                 `-linux-arm64`)",
                found.display()
            )
        })?;
        real(&beside)?
    };
    let folder = folder(&native);
    Ok((native, folder))
}

fn is_native(program: &Path) -> bool {
    let mut begin = [0; 4];
    File::open(program).is_ok_and(|mut file| file.read_exact(&mut begin).is_ok()) && begin == ELF
}

/// The native program that a script of `@openai/codex` would start.
fn beside(script: &Path) -> Option<PathBuf> {
    // `@openai/codex/bin/codex.js`
    let package = script.parent()?.parent()?;
    let all = [package.parent()?.to_owned(), package.join("node_modules/@openai")];
    let all = all.iter().flat_map(|scope| NATIVE.map(|native| scope.join(native)));
    all.into_iter().find(|native| is_native(native))
}

/// The whole package, where the program is in one: it brings tools of its own.
fn folder(program: &Path) -> PathBuf {
    let own = program.parent().unwrap_or(Path::new("/"));
    let package = own.parent().filter(|folder| folder.join(PACKAGE_FILE).is_file());
    package.unwrap_or(own).to_owned()
}

#[cfg(test)]
mod tests;
