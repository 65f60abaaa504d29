//! `pyproject.toml`, requirements, `setup.cfg`, `setup.py`, `Pipfile`, and Python's lock files.

use toml::{Table, Value};

use super::{CHECKSUM, List, host_of};

/// How deep the tables of a file are searched.
const DEPTH_MAX: usize = 12;

/// Whether a file is a list of requirements, by its name in lower case.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "names of files of programs that mind the case"
)]
pub(super) fn is_requirements(name: &str) -> bool {
    name.contains("requirements") && (name.ends_with(".txt") || name.ends_with(".in"))
        || name == "constraints.txt"
}

pub(super) fn read(name: &str, text: &str) -> Option<List> {
    let mut list = List::default();
    match name {
        "pyproject.toml" | "pipfile" => project(&mut list, &text.parse().ok()?),
        "poetry.lock" | "uv.lock" | "pdm.lock" => locked(&mut list, &text.parse().ok()?),
        "pipfile.lock" => pipfile_lock(&mut list, &serde_json::from_str(text).ok()?)?,
        "setup.cfg" => setup_cfg(&mut list, text),
        "setup.py" => setup_py(&mut list, text),
        _ => text.lines().for_each(|line| requirement(&mut list, line)),
    }
    Some(list)
}

/// Reads one requirement: `name[extra] >= 1, < 2 ; marker`, or `name @ https://…`, or an option.
fn requirement(list: &mut List, line: &str) {
    let line = line.trim().trim_end_matches('\\').trim();
    if line.is_empty() || line.starts_with('#') {
        return;
    }
    if line.starts_with('-') || line.contains("://") && !line.contains(" @ ") {
        // Another index, another file, or a package by its address.
        if !line.starts_with("--hash") {
            let key = line.split([' ', '=']).next().unwrap_or(line);
            list.add_from(key, "", line);
        }
        return;
    }
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.split(" --hash").next().unwrap_or_default();
    if let Some((name, place)) = line.split_once(" @ ") {
        list.add_from(plain_name(name), "", place.trim());
        return;
    }
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    if !name.is_empty() {
        list.add(plain_name(name), rest.trim());
    }
}

/// Names are the same whatever stands between their words.
fn plain_name(name: &str) -> String {
    let name = name.split('[').next().unwrap_or_default().trim();
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn project(list: &mut List, table: &Table) {
    for (key, value) in table {
        section(list, (key, value), 0);
    }
}

/// Goes through a table for lists and tables of dependencies, by their names.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
fn section(list: &mut List, (key, value): (&str, &Value), depth: usize) {
    let names = ["dependencies", "dev-dependencies", "requires"];
    // In a `Pipfile` they are at the top; elsewhere the word means something else.
    let is_pipfile = depth == 0 && matches!(key, "packages" | "dev-packages");
    let groups = ["optional-dependencies", "dependency-groups", "extras"];
    match value {
        Value::Array(items) if names.contains(&key) => requirements(list, items),
        Value::Table(table) if names.contains(&key) || is_pipfile => {
            table.iter().for_each(|(name, value)| poetry(list, name, value));
        }
        Value::Table(table) if groups.contains(&key) => {
            for items in table.values().filter_map(Value::as_array) {
                requirements(list, items);
            }
        }
        // uv says here where a name comes from.
        Value::Table(table) if key == "sources" => {
            table
                .iter()
                .for_each(|(name, value)| list.add_from(plain_name(name), "", value.to_string()));
        }
        Value::Table(table) if depth < DEPTH_MAX => {
            for (key, value) in table {
                section(list, (key, value), depth + 1);
            }
        }
        Value::Array(items) if key == "source" || key == "index" => {
            for item in items {
                list.add_from("package index", "", item.to_string());
            }
        }
        _ => {}
    }
}

fn requirements(list: &mut List, items: &[Value]) {
    items.iter().filter_map(Value::as_str).for_each(|line| requirement(list, line));
}

/// Reads `name = "^1"` or `name = { version = "^1", git = "…" }`.
fn poetry(list: &mut List, name: &str, value: &Value) {
    if let Some(version) = value.as_str() {
        return list.add(plain_name(name), version);
    }
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let place: Vec<String> =
        ["git", "branch", "rev", "tag", "path", "url", "file", "source", "index"]
            .iter()
            .filter_map(|key| text(key).map(|value| format!("{key} {value}")))
            .collect();
    list.add_from(plain_name(name), text("version").unwrap_or_default(), place.join(", "));
}

fn locked(list: &mut List, table: &Table) {
    for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        let source = package.get("source").and_then(Value::as_table);
        let of = |key: &str| source.and_then(|source| source.get(key)?.as_str());
        // The project itself is in the file of uv, too.
        if of("editable").or(of("virtual")).is_some() {
            continue;
        }
        let place = of("registry").filter(|url| host_of(url) != "pypi.org");
        let place = place.or(of("git")).or(of("url")).or(of("path")).unwrap_or_default();
        list.add_from(
            plain_name(text("name")),
            text("version"),
            format!("{place}{}", files(package)),
        );
    }
}

/// The checksum of a package: that of its source, or of its first file.
fn files(package: &Value) -> String {
    let sdist = package.get("sdist").and_then(|sdist| sdist.get("hash")?.as_str());
    let hash = sdist.map(|hash| format!("{CHECKSUM}{hash}"));
    hash.unwrap_or_default()
}

fn pipfile_lock(list: &mut List, value: &serde_json::Value) -> Option<()> {
    for (_, packages) in value.as_object()?.iter().filter(|(key, _)| *key != "_meta") {
        for (name, package) in packages.as_object().into_iter().flatten() {
            let text = |key: &str| package.get(key).and_then(serde_json::Value::as_str);
            let place = text("git").or(text("file")).unwrap_or_default();
            list.add_from(plain_name(name), text("version").unwrap_or_default(), place);
        }
    }
    Some(())
}

/// Reads the lines below `install_requires =` and the like.
fn setup_cfg(list: &mut List, text: &str) {
    let mut is_inside = false;
    let mut is_extras = false;
    for line in text.lines() {
        if line.starts_with('[') {
            (is_inside, is_extras) = (false, line.starts_with("[options.extras_require]"));
        } else if !line.starts_with([' ', '\t']) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            is_inside = is_extras
                || matches!(key.trim(), "install_requires" | "setup_requires" | "tests_require");
            if is_inside {
                requirement(list, value);
            }
        } else if is_inside {
            requirement(list, line);
        }
    }
}

/// Reads the quoted entries of `install_requires=[…]` and the like. What a program makes of
/// its own list is not known; its text is.
fn setup_py(list: &mut List, text: &str) {
    for key in ["install_requires", "setup_requires", "tests_require", "extras_require"] {
        let Some((_, after)) = text.split_once(key) else { continue };
        let Some((value, _)) =
            after.trim_start_matches([' ', '=', ':', '"']).split_once([']', '}'])
        else {
            continue;
        };
        if value.starts_with(['[', '{']) {
            value.split(['"', '\'']).skip(1).step_by(2).for_each(|item| requirement(list, item));
        }
    }
}
