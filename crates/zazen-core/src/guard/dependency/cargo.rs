//! `Cargo.toml` and `Cargo.lock`.

use toml::{Table, Value};

use super::{CHECKSUM, List, host_of};

/// The tables of a manifest that ask for dependencies.
const TABLES: [&str; 5] = [
    "dependencies",
    "dev-dependencies",
    "build-dependencies",
    "dev_dependencies",
    "build_dependencies",
];

/// Tables that put one thing in the place of another.
const REPLACING: [&str; 2] = ["patch", "replace"];

pub(super) fn read(name: &str, text: &str) -> Option<List> {
    let table: Table = text.parse().ok()?;
    Some(if name == "cargo.lock" { locked(&table) } else { asked(&table) })
}

fn asked(table: &Table) -> List {
    let mut list = List::default();
    add_tables(&mut list, table);
    for target in table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values)
    {
        target.as_table().into_iter().for_each(|target| add_tables(&mut list, target));
    }
    if let Some(workspace) = table.get("workspace").and_then(Value::as_table) {
        add_tables(&mut list, workspace);
    }
    for key in REPLACING {
        for (place, of) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
            match of.as_table() {
                // `[patch.crates-io]` has dependencies below it, `[replace]` is one.
                Some(of) if key == "patch" => {
                    of.iter().for_each(|(name, value)| add(&mut list, (name, value), key));
                }
                _ => add(&mut list, (place, of), key),
            }
        }
    }
    list
}

fn add_tables(list: &mut List, table: &Table) {
    for key in TABLES {
        let of = table.get(key).and_then(Value::as_table);
        of.into_iter().flatten().for_each(|(name, value)| add(list, (name, value), ""));
    }
}

fn add(list: &mut List, (name, value): (&str, &Value), prefix: &str) {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    // What it is called here may be anything; what it is, is the package.
    let package = text("package").unwrap_or(name);
    let version = value.as_str().or_else(|| text("version")).unwrap_or_default();
    // Of a workspace's dependency, the workspace says which it is.
    let is_inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
    let version = if is_inherited { "of the workspace" } else { version };
    let source: Vec<String> = ["git", "branch", "tag", "rev", "path", "registry", "registry-index"]
        .iter()
        .filter_map(|key| text(key).map(|value| format!("{key} {value}")))
        .chain((!prefix.is_empty()).then(|| prefix.to_owned()))
        .collect();
    list.add_from(package, version, source.join(", "));
}

fn locked(table: &Table) -> List {
    let mut list = List::default();
    for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        let source = text("source");
        // Packages of the repository itself have no source; their versions are its own.
        if source.is_empty() {
            continue;
        }
        let is_usual = source == "registry+https://github.com/rust-lang/crates.io-index"
            || source.starts_with("sparse+https:") && host_of(source) == "index.crates.io";
        let place = if is_usual { "" } else { source };
        let checksum = text("checksum");
        let mark =
            if checksum.is_empty() { String::new() } else { format!("{CHECKSUM}{checksum}") };
        list.add_from(text("name"), text("version"), format!("{place}{mark}"));
    }
    list
}
