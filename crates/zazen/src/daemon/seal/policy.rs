//! What the owner had set for a repository, as one text: what a receipt has the hash of.

use anyhow::Context as _;
use serde_json::{Map, Value};
use zazen_core::id::RepoName;
use zazen_core::receipt::statement;

/// The tables of `zazen.toml` that say nothing of what may be done: where services and
/// forges are, how to log in there, what they cost. What is new in the file is in the text.
const LEFT_OUT: [&str; 5] = ["github", "mcp", "models", "name", "prices"];

/// The table with the repositories, of which only one matters.
const REPOS: &str = "repo";

/// Prints what counts of a configuration for one repository: canonical JSON, in one line.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
pub(super) fn text(config: &str, repo: &RepoName) -> anyhow::Result<String> {
    let table: toml::Table = config.parse().context("read zazen.toml again")?;
    let value = serde_json::to_value(table).context("print the rules of zazen.toml")?;
    let Value::Object(all) = value else { return Ok(String::new()) };
    let is_it = |it: &Value| it["name"].as_str() == Some(repo.as_str());
    let mut rules = Map::new();
    for (key, value) in all {
        if LEFT_OUT.contains(&key.as_str()) {
            continue;
        }
        let value = match value {
            Value::Array(repos) if key == REPOS => repos.into_iter().filter(is_it).collect(),
            value => value,
        };
        rules.insert(key, value);
    }
    Ok(format!("{}\n", statement::canonical(&Value::Object(rules))))
}

#[cfg(test)]
mod tests;
