//! `package.json`, and the lock files of npm, Yarn, pnpm and Bun.

use serde_json::Value;

use super::{CHECKSUM, List, host_of};

/// The fields of a manifest that ask for packages, or put one in the place of another.
const FIELDS: [&str; 7] = [
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "bundledDependencies",
    "overrides",
    "resolutions",
];

/// How deep packages may stand in one another in a lock file of version 1.
const DEPTH_MAX: usize = 30;

pub(super) fn read(name: &str, text: &str) -> Option<List> {
    match name {
        "package.json" => asked(&serde_json::from_str(text).ok()?),
        "yarn.lock" => Some(yarn(text)),
        "pnpm-lock.yaml" => Some(pnpm(text)),
        "bun.lock" => Some(bun(text)),
        _ => locked(&serde_json::from_str(text).ok()?),
    }
}

fn asked(value: &Value) -> Option<List> {
    let mut list = List::default();
    let fields = value.as_object()?;
    for field in FIELDS {
        for (name, version) in fields.get(field).and_then(Value::as_object).into_iter().flatten() {
            // An override may be a whole object; its text says what it is.
            let text = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
            let is_elsewhere = [":", "/", "git"].iter().any(|mark| text.contains(mark))
                && !text.starts_with("workspace:")
                && !text.starts_with("catalog:");
            if is_elsewhere { list.add_from(name, "", text) } else { list.add(name, text) }
        }
    }
    // These are run when somebody installs the package: no dependency, and as good as one.
    for script in ["preinstall", "install", "postinstall", "prepare"] {
        let scripts = fields.get("scripts").and_then(|scripts| scripts.get(script));
        if let Some(command) = scripts.and_then(Value::as_str) {
            list.add_from(format!("scripts.{script}"), "", command);
        }
    }
    Some(list)
}

fn locked(value: &Value) -> Option<List> {
    let mut list = List::default();
    let fields = value.as_object()?;
    if let Some(packages) = fields.get("packages").and_then(Value::as_object) {
        for (path, package) in packages {
            // The root and the parts of a workspace are the repository's own.
            if let Some((_, name)) = path.rsplit_once("node_modules/") {
                add(&mut list, name, package);
            }
        }
        return Some(list);
    }
    nested(&mut list, value, 0);
    Some(list)
}

fn nested(list: &mut List, value: &Value, depth: usize) {
    let packages = value.get("dependencies").and_then(Value::as_object);
    for (name, package) in packages.into_iter().flatten().filter(|_| depth < DEPTH_MAX) {
        add(list, name, package);
        nested(list, package, depth + 1);
    }
}

fn add(list: &mut List, name: &str, package: &Value) {
    let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
    if package.get("link").and_then(Value::as_bool) == Some(true) {
        return;
    }
    list.add_from(name, text("version"), source(text("resolved"), text("integrity")));
}

/// Where a package comes from, if that is not where all do, and its checksum.
fn source(resolved: &str, integrity: &str) -> String {
    let resolved = resolved.split('#').next().unwrap_or_default();
    let is_usual = resolved.starts_with("https:")
        && ["registry.npmjs.org", "registry.yarnpkg.com"].contains(&host_of(resolved));
    let place = if is_usual { "" } else { resolved };
    let mark = if integrity.is_empty() { String::new() } else { format!("{CHECKSUM}{integrity}") };
    format!("{place}{mark}")
}

/// Reads entries like `"name@range", "name@other":` with `version` and `resolved` below.
fn yarn(text: &str) -> List {
    let mut list = List::default();
    let (mut name, mut version, mut resolved, mut integrity) = ("", "", "", "");
    for line in text.lines().chain(["end:"]) {
        if !line.starts_with([' ', '#']) && line.ends_with(':') {
            let is_own = version.starts_with("0.0.0-use.local");
            if !name.is_empty() && !version.is_empty() && !is_own {
                list.add_from(name, version, source(resolved, integrity));
            }
            name = name_before_at(line.trim_start_matches('"').split(['"', ',', ':']).next());
            (version, resolved, integrity) = ("", "", "");
            continue;
        }
        let Some((key, value)) = line.trim().split_once([' ', ':']) else { continue };
        let value = value.trim().trim_matches('"');
        match key {
            "version" => version = value,
            "resolved" => resolved = value,
            "integrity" | "checksum" => integrity = value,
            _ => {}
        }
    }
    list
}

/// `@scope/name@range` is `@scope/name`.
fn name_before_at(entry: Option<&str>) -> &str {
    let entry = entry.unwrap_or_default();
    let at = entry.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    at.map_or(entry, |at| &entry[..at])
}

/// Reads the keys below `packages:`, like `/name@1.0.0(peer@2.0.0):`, with their checksums.
fn pnpm(text: &str) -> List {
    let mut list = List::default();
    let mut is_inside = false;
    let mut open: Option<(&str, &str)> = None;
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            is_inside = line.starts_with("packages:");
        } else if let Some(key) = line.strip_prefix("  ").filter(|key| !key.starts_with(' '))
            && is_inside
        {
            flush(&mut list, &mut open, "");
            let key = key.trim_end_matches(':').trim_matches('\'').trim_start_matches('/');
            let key = key.split('(').next().unwrap_or_default();
            let name = name_before_at(Some(key));
            open = Some((name, key[name.len()..].trim_start_matches('@')));
        } else if let Some((_, after)) = line.split_once("integrity: ")
            && is_inside
        {
            flush(&mut list, &mut open, after.split(['}', ',']).next().unwrap_or_default().trim());
        }
    }
    flush(&mut list, &mut open, "");
    list
}

fn flush(list: &mut List, open: &mut Option<(&str, &str)>, integrity: &str) {
    if let Some((name, version)) = open.take().filter(|(name, _)| !name.is_empty()) {
        list.add_from(name, version, source("", integrity));
    }
}

/// Reads lines like `"name": ["name@1.0.0", "", {}, "sha512-…"],`.
fn bun(text: &str) -> List {
    let mut list = List::default();
    for line in text.lines() {
        let Some((_, entry)) = line.split_once("\": [\"") else { continue };
        let Some((id, rest)) = entry.split_once('"') else { continue };
        let name = name_before_at(Some(id));
        let version = id[name.len()..].trim_start_matches('@');
        let checksum = rest.rsplit('"').nth(1).filter(|text| text.starts_with("sha"));
        if !version.is_empty() && !version.starts_with("workspace:") {
            list.add_from(name, version, source("", checksum.unwrap_or_default()));
        }
    }
    list
}
