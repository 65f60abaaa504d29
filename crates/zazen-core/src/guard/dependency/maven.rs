//! `pom.xml`, and what Gradle reads.
//!
//! XML is read by a small scanner that knows tags, text, comments and nothing else: a `pom.xml`
//! has no more, and what has (entities, sections of data) is not believed to be one.

use std::collections::BTreeMap;

use super::List;

/// How deep tags may stand in one another.
const DEPTH_MAX: usize = 64;

/// How Gradle's files ask for something: `implementation("g:a:1")`.
const VERBS: [&str; 14] = [
    "androidTestImplementation",
    "annotationProcessor",
    "api",
    "classpath",
    "compile",
    "compileOnly",
    "implementation",
    "kapt",
    "ksp",
    "runtimeOnly",
    "testCompile",
    "testImplementation",
    "testRuntimeOnly",
    "debugImplementation",
];

pub(super) fn read(name: &str, text: &str) -> Option<List> {
    match name {
        "pom.xml" => pom(text),
        "gradle.lockfile" => Some(lockfile(text)),
        "libs.versions.toml" => catalogue(text),
        _ => Some(gradle(text)),
    }
}

/// Reads every `dependency`, `plugin`, `parent` and `extension` of a `pom.xml`.
fn pom(text: &str) -> Option<List> {
    let mut list = List::default();
    let mut path: Vec<&str> = Vec::new();
    let mut fields: BTreeMap<(usize, &str), &str> = BTreeMap::new();
    let mut properties: BTreeMap<String, &str> = BTreeMap::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        let (tag, after) = after.split_once('>')?;
        rest = after;
        if tag.starts_with('?') {
            continue;
        }
        if tag.starts_with('!') {
            // A declaration can have names mean anything.
            return None;
        }
        let name = tag.trim_start_matches('/').split_ascii_whitespace().next()?;
        let name = name.trim_end_matches('/');
        if tag.starts_with('/') {
            if path.pop()? != name {
                return None;
            }
            let depth = path.len();
            let value = before.trim();
            if path.last() == Some(&"properties") {
                properties.insert(format!("${{{name}}}"), value);
            }
            if matches!(name, "dependency" | "plugin" | "parent" | "extension") {
                add(&mut list, (depth + 1, name), &fields);
            }
            fields.retain(|(of, _), _| *of <= depth);
            fields.insert((depth, name), value);
        } else if !tag.ends_with('/') {
            path.push(name);
            if path.len() > DEPTH_MAX {
                return None;
            }
        }
    }
    path.is_empty().then(|| resolved(list, &properties))
}

fn add(list: &mut List, (depth, tag): (usize, &str), fields: &BTreeMap<(usize, &str), &str>) {
    let get = |name| fields.get(&(depth, name)).copied().unwrap_or_default();
    // A plugin's group may be left out; then it is Maven's own.
    let group = if get("groupId").is_empty() { "org.apache.maven.plugins" } else { get("groupId") };
    let kind = if tag == "dependency" { String::new() } else { format!("{tag} ") };
    list.add(format!("{kind}{group}:{}", get("artifactId")), get("version"));
}

/// Puts in the values of properties, so that a changed one is a changed version.
fn resolved(list: List, properties: &BTreeMap<String, &str>) -> List {
    let mut all = List::default();
    for (name, versions) in list.all {
        for version in versions {
            let text = properties.get(&version.text).map_or(version.text.as_str(), |text| text);
            all.add(name.clone(), text);
        }
    }
    all
}

/// Reads lines like `group:artifact:1.0=compileClasspath`.
fn lockfile(text: &str) -> List {
    let mut list = List::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((id, _)) = line.split_once('=')
            && let Some((name, version)) = id.rsplit_once(':')
        {
            list.add(name, version);
        }
    }
    list
}

/// Reads lines like `implementation 'group:artifact:1.0'` and `id("plugin") version "1.0"`.
fn gradle(text: &str) -> List {
    let mut list = List::default();
    for line in text.lines() {
        let line = line.trim();
        let verb = line.split(['(', ' ', '"', '\'']).next().unwrap_or_default();
        let quoted: Vec<&str> = line.split(['"', '\'']).skip(1).step_by(2).collect();
        match (&quoted[..], verb) {
            ([id, rest @ ..], "id") => list.add(format!("plugin {id}"), rest.join(" ")),
            ([id, ..], verb) if VERBS.contains(&verb) && id.contains(':') => {
                match id.match_indices(':').nth(1) {
                    Some((at, _)) => list.add(&id[..at], &id[at + 1..]),
                    None => list.add(*id, ""),
                }
            }
            _ => {}
        }
    }
    list
}

/// Reads Gradle's catalogue of versions.
fn catalogue(text: &str) -> Option<List> {
    let table: toml::Table = text.parse().ok()?;
    let mut list = List::default();
    let versions = table.get("versions").and_then(toml::Value::as_table);
    for section in ["libraries", "plugins"] {
        let of = table.get(section).and_then(toml::Value::as_table);
        for (alias, value) in of.into_iter().flatten() {
            let text = |key: &str| value.get(key).and_then(toml::Value::as_str);
            let group = text("group").zip(text("name")).map(|(g, n)| format!("{g}:{n}"));
            let written = value.as_str().or(text("module")).or(text("id"));
            let name = group.or(written.map(str::to_owned)).unwrap_or_else(|| alias.clone());
            let of_list = value.get("version").and_then(|v| v.get("ref")?.as_str());
            let of_list = of_list.and_then(|key| versions?.get(key)?.as_str());
            list.add(name, text("version").or(of_list).unwrap_or_default());
        }
    }
    Some(list)
}
