//! Rules about everything that is tracked: names, sizes, paths of one machine,
//! and what the core may depend on.

use crate::{File, Violation};

/// How big a tracked file may be. What is bigger is data, and history never forgets it.
pub const BYTES_MAX: u64 = 200_000;

/// What the core may depend on: enough to hold values and print them, and
/// nothing that can touch the world.
pub const CORE_DEPENDENCIES: &[&str] = &[
    "aho-corasick",
    "base64",
    "blake3",
    "borsh",
    "hex",
    "regex",
    "serde",
    "serde_json",
    "thiserror",
    "toml",
];

/// The manifest that [`CORE_DEPENDENCIES`] is about.
pub const CORE_MANIFEST: &str = "crates/zazen-core/Cargo.toml";

/// Names that say nothing of what is in a file.
const EMPTY_NAMES: &[&str] =
    &["common", "helper", "helpers", "imp", "manager", "misc", "service", "types", "util", "utils"];

/// Folders at the top of the file system that hold some developer's own things.
const MACHINE_FOLDERS: &[&str] = &["root", "work"];

/// Where packages come from by default. A name in code or docs is fine; an
/// address ties the project to one host.
const REGISTRY_HOSTS: &[&str] = &[
    "crates.io",
    "index.crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "pypi.org",
    "files.pythonhosted.org",
    "proxy.golang.org",
    "rubygems.org",
    "deb.debian.org",
    "security.debian.org",
    "archive.ubuntu.com",
    "registry-1.docker.io",
];

/// Finds files and folders whose names say nothing.
pub fn check_name(path: &str) -> Vec<Violation> {
    if is_fixture(path) {
        return Vec::new();
    }
    let stem = |part: &str| part.split('.').next().unwrap_or(part).to_ascii_lowercase();
    let empty = path.split('/').find(|part| EMPTY_NAMES.contains(&stem(part).as_str()));
    let report = |part: &str| Violation {
        path: path.to_owned(),
        line: None,
        what: format!("the name `{part}` says nothing of what is in it"),
        instead: "name it after what a person would call the thing",
    };
    empty.map(report).into_iter().collect()
}

/// Finds files that are too big to be kept in history.
pub fn check_bytes(path: &str, n_bytes: u64) -> Vec<Violation> {
    if n_bytes <= BYTES_MAX || path == "Cargo.lock" || is_fixture(path) {
        return Vec::new();
    }
    vec![Violation {
        path: path.to_owned(),
        line: None,
        what: format!("the file has {n_bytes} bytes, at most {BYTES_MAX} are allowed"),
        instead: "make it when it is needed, or cut it down; recordings go to `tests/fixtures`",
    }]
}

/// Finds paths that exist on one machine only.
pub fn check_machine_paths(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let found = MACHINE_FOLDERS.iter().find(|folder| has_absolute(line, folder));
        if let Some(folder) = found {
            let what = format!("the line names `/{folder}`, a folder of one machine");
            let instead = "make the path relative, or take it from the environment";
            violations.push(file.at_line(index, what, instead));
        }
    }
    violations
}

/// Finds addresses of package registries.
pub fn check_registry_hosts(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for host in hosts(line).filter(|host| REGISTRY_HOSTS.contains(&host.as_str())) {
            let what = format!("the line has an address at the package registry `{host}`");
            let instead = "let the package manager's own configuration say where packages are";
            violations.push(file.at_line(index, what, instead));
        }
    }
    violations
}

/// Finds dependencies by which the core could touch the world.
pub fn check_core_manifest(manifest: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, name) in dependencies(&manifest.text) {
        if !CORE_DEPENDENCIES.contains(&name) {
            let allowed = CORE_DEPENDENCIES.join("`, `");
            let what = format!("the core depends on `{name}`, but may only on `{allowed}`");
            let instead = "do it in the `zazen` crate and pass the core a value";
            violations.push(manifest.at_line(index, what, instead));
        }
    }
    violations
}

/// Says whether a file is a recording that a test plays back.
fn is_fixture(path: &str) -> bool {
    format!("/{path}").contains("/tests/fixtures/")
}

/// Says whether a path in a folder at the top of the file system stands in a line.
fn has_absolute(line: &str, folder: &str) -> bool {
    line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~*})]>".contains(c))
    })
}

/// The host of every web address in a line.
fn hosts(line: &str) -> impl Iterator<Item = String> {
    line.match_indices("://")
        .filter(|(at, _)| {
            let scheme = line[..*at].to_ascii_lowercase();
            scheme.ends_with("http") || scheme.ends_with("https")
        })
        .map(|(at, mark)| {
            let rest = &line[at + mark.len()..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._@:".contains(c)));
            let authority = &rest[..end.unwrap_or(rest.len())];
            let host = authority.rsplit('@').next().unwrap_or(authority);
            let host = host.split(':').next().unwrap_or(host);
            host.trim_matches('.').to_ascii_lowercase()
        })
}

/// The dependencies of a manifest that are built into the crate, with their lines.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut is_in_list = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or(section);
            is_in_list = is_dependency_list(section);
            if let Some((list, name)) = section.rsplit_once('.')
                && is_dependency_list(list)
            {
                names.push((index, name));
            }
        } else if is_in_list && !line.starts_with('#') && line.contains('=') {
            let end = line.find(['.', '=', ' ']).unwrap_or(line.len());
            names.push((index, line[..end].trim_matches('"')));
        }
    }
    names
}

/// Says whether a section's name is that of a list of normal or build dependencies.
fn is_dependency_list(section: &str) -> bool {
    let list = section.rsplit('.').next().unwrap_or(section);
    matches!(list, "dependencies" | "build-dependencies")
}

#[cfg(test)]
mod tests;
