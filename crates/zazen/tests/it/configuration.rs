//! The pages about `zazen.toml` say what is true of it.

use std::collections::BTreeSet;
use std::path::Path;

use zazen::config::{self, Environment};

const EXAMPLE: &str = include_str!("../../../../docs/zazen.example.toml");
const PAGE: &str = include_str!("../../../../docs/configuration.md");
const RAW: &str = include_str!("../../src/config/raw.rs");
/// A price has one shape in the file and in the built-in table.
const PRICE: &str = include_str!("../../../zazen-core/src/price/list.rs");

#[test]
fn the_example_is_a_configuration_with_every_key() {
    let path = Path::new("docs/zazen.example.toml");
    let parsed = config::parse(path, EXAMPLE, Path::new("/home/ada/zazen"), &Environment::read());
    let config = parsed.expect("the example is good");
    assert_eq!(config.repos.len(), 4);

    let code = EXAMPLE.lines().map(|line| line.split('#').next().unwrap_or_default());
    let code: Vec<&str> = code.collect();
    let missing: Vec<String> = keys()
        .into_iter()
        .filter(|key| !code.iter().any(|line| names(line).any(|name| name == key)))
        .collect();
    assert!(missing.is_empty(), "docs/zazen.example.toml does not have {missing:?}");
}

#[test]
fn every_key_is_explained_and_no_other() {
    let keys = keys();
    let headings: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("## ")).collect();
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| {
            let row = format!("| `{key}` |");
            let heading = format!("[{key}");
            !PAGE.contains(&row) && !headings.iter().any(|line| line.contains(&heading))
        })
        .collect();
    assert!(missing.is_empty(), "docs/configuration.md does not explain {missing:?}");

    let rows = PAGE.lines().take_while(|line| *line != "## The environment");
    let invented: Vec<&str> = rows
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| !keys.contains(*name))
        .collect();
    assert!(invented.is_empty(), "docs/configuration.md explains {invented:?}, which do not exist");
}

/// Every key that the file can have, read off the types that it is parsed into.
fn keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut renamed = None;
    for line in RAW.lines().map(str::trim) {
        if let Some((_, rest)) = line.split_once("rename = \"") {
            renamed = rest.split('"').next();
        }
        let field = line.strip_prefix("pub(super) ").and_then(|rest| rest.split_once(':'));
        if let Some((name, _)) = field {
            keys.insert(renamed.take().unwrap_or(name).to_owned());
        }
    }
    for line in PRICE.lines().map(str::trim).filter(|line| line.ends_with(',')) {
        let field = line.strip_prefix("pub ").and_then(|rest| rest.split_once(':'));
        keys.extend(field.map(|(name, _)| name.to_owned()));
    }
    assert!(keys.len() > 20, "the keys were not found: {keys:?}");
    keys
}

/// The names of the tables and keys in a line.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let head = line.trim().trim_start_matches('[').split([']', '=']).next().unwrap_or_default();
    head.split('.').map(str::trim)
}
