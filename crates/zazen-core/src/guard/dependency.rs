//! Dependencies: which came, went or changed, and whether the plan names them.
//!
//! Each ecosystem has a reader that turns a manifest or a lock file into a list; they are
//! tolerant, as what they read is hostile, and what they cannot read is held: nobody could
//! say what came in. The comparison is the same for all.

mod cargo;
mod gem;
mod go;
mod maven;
mod npm;
mod python;

use std::collections::{BTreeMap, BTreeSet};

use super::change::shown;
use super::evidence::Evidence;
use super::language::file_name;
use super::report::Draft;
use super::{Change, Level};

/// What a file asks for, or locks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct List {
    all: BTreeMap<String, BTreeSet<Version>>,
}

/// A version of a dependency, as a file has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    /// The version, or what versions may be taken.
    text: String,
    /// Where it comes from and its checksum, where a file says so: whatever makes the same
    /// version another thing.
    source: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// People write into it what they want.
    Manifest,
    /// A program writes into it what is taken.
    Lock,
}

/// Who reads which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ecosystem {
    Cargo,
    Npm,
    Python,
    Go,
    Maven,
    Gem,
}

/// How many names stand in one sentence.
const NAMES_MAX: usize = 12;

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let files: Vec<_> = evidence
        .changes
        .iter()
        .filter_map(|change| kind_of(change.path()).map(|kind| (change, kind)))
        .collect();
    let allowed: BTreeSet<String> = evidence
        .contract
        .iter()
        .flat_map(|contract| &contract.dependencies)
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let asked: BTreeSet<Ecosystem> = files
        .iter()
        .filter(|(_, (_, kind))| *kind == Kind::Manifest)
        .map(|(_, (ecosystem, _))| *ecosystem)
        .collect();
    let mut drafts = Vec::new();
    for (change, (ecosystem, kind)) in files {
        let read = |text: Option<&str>| match text {
            Some(text) => ecosystem.read(change.path(), text),
            None => Some(List::default()),
        };
        let is_unread =
            |side: &Option<super::Side>| side.as_ref().is_some_and(|side| side.text().is_none());
        let after = read(change.text_after()).filter(|_| !is_unread(&change.after));
        let Some(after) = after else {
            drafts.push(unreadable(change));
            continue;
        };
        let before = read(change.text_before()).unwrap_or_default();
        drafts.extend(match kind {
            Kind::Manifest => manifest(change, (&before, &after), &allowed),
            Kind::Lock => lock(change, (&before, &after), asked.contains(&ecosystem)),
        });
    }
    drafts
}

fn unreadable(change: &Change) -> Draft {
    let what = format!(
        "{} lists dependencies and cannot be read, so nobody can say what it brings.",
        change.shown()
    );
    Draft::hold(what).at(change.path()).holding([change.identity()])
}

/// What a manifest asks for now that it did not.
fn manifest(change: &Change, lists: (&List, &List), allowed: &BTreeSet<String>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (name, before, after) in differences(lists) {
        let (old, new) = (print(before), print(after));
        let is_named = allowed.contains(&name.to_ascii_lowercase());
        let is_elsewhere = sources(after).difference(&sources(before)).next().is_some();
        let place = shown(name);
        let (level, what) = match (before.is_empty(), after.is_empty()) {
            (true, _) if is_named => (Level::Flag, format!("{place} {new} is new, as planned.")),
            (true, _) => (
                Level::Hold,
                format!("{place} {new} is a new dependency, and the plan does not name it."),
            ),
            (_, true) => (Level::Flag, format!("{place} {old} is no dependency any more.")),
            _ if is_elsewhere && !is_named => {
                (Level::Hold, format!("{place} comes from another place: {old} → {new}."))
            }
            _ => (Level::Flag, format!("{place} is another version: {old} → {new}.")),
        };
        drafts.push(placed(change, name, Draft::new(level, what)).holding([name, &old, &new]));
    }
    drafts
}

/// What a lock file takes now that it did not.
fn lock(change: &Change, lists: (&List, &List), is_asked_for: bool) -> Vec<Draft> {
    let (mut new, mut gone, mut other, mut drafts) = (vec![], vec![], vec![], vec![]);
    for (name, before, after) in differences(lists) {
        let (old, now) = (print(before), print(after));
        if let Some(version) = tampered(before, after) {
            let what = format!(
                "{} {version} is locked to another source or checksum than before, with the same \
                 version.",
                shown(name)
            );
            let draft = placed(change, name, Draft::hold(what));
            drafts.push(draft.holding(whole(name, before, after)));
        }
        match (before.is_empty(), after.is_empty()) {
            (true, _) => new.push((format!("{} {now}", shown(name)), whole(name, before, after))),
            (_, true) => gone.push((format!("{} {old}", shown(name)), whole(name, before, after))),
            _ if old != now => {
                other.push((format!("{} {old} → {now}", shown(name)), whole(name, before, after)));
            }
            _ => {}
        }
    }
    let file = change.shown();
    if !new.is_empty() {
        let why = "though no file that asks for dependencies was changed";
        let (level, why) = if is_asked_for {
            (Level::Flag, String::new())
        } else {
            (Level::Hold, format!(", {why}"))
        };
        drafts.push(listed(change, level, (&format!("{file} has new packages{why}"), &new)));
    }
    for (what, all) in [("has other versions", &other), ("has packages no more", &gone)] {
        if !all.is_empty() {
            drafts.push(listed(change, Level::Flag, (&format!("{file} {what}"), all)));
        }
    }
    drafts
}

/// One sentence about many packages, which is about all of them.
fn listed(change: &Change, level: Level, (what, all): (&str, &[(String, Vec<String>)])) -> Draft {
    let names: Vec<&str> = all.iter().take(NAMES_MAX).map(|(name, _)| name.as_str()).collect();
    let more = all.len().saturating_sub(NAMES_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let what = format!("{what}: {}{more}.", names.join(", "));
    Draft::new(level, what).at(change.path()).holding(all.iter().flat_map(|(_, whole)| whole))
}

/// The first new line that the name stands in, as the place of a finding.
fn placed(change: &Change, name: &str, draft: Draft) -> Draft {
    let draft = draft.at(change.path());
    let word = name.rsplit([':', ' ']).next().unwrap_or(name).to_ascii_lowercase();
    let lines = [change.added(), change.removed()];
    match lines.iter().flatten().find(|line| has_word(line.text, &word)) {
        Some(line) => draft.lines(line.n, line.n).quoting(line.text),
        None => draft,
    }
}

/// Whether a name stands in a line by itself, however it is written.
fn has_word(line: &str, word: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let line = if line.contains(word) { line } else { line.replace('_', "-") };
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    line.match_indices(word).take(WORDS_MAX).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
    })
}

/// How often a name is looked for in one line.
const WORDS_MAX: usize = 1000;

/// Every name for which the two lists have something else, with what each has.
fn differences<'a>(
    (before, after): (&'a List, &'a List),
) -> Vec<(&'a str, &'a BTreeSet<Version>, &'a BTreeSet<Version>)> {
    const NONE: &BTreeSet<Version> = &BTreeSet::new();
    let names: BTreeSet<&String> = before.all.keys().chain(after.all.keys()).collect();
    names
        .into_iter()
        .map(|name| {
            let of = |list: &'a List| list.all.get(name).unwrap_or(NONE);
            (name.as_str(), of(before), of(after))
        })
        .filter(|(_, before, after)| before != after)
        .collect()
}

/// A version that is there before and after, and is not the same thing.
fn tampered<'a>(before: &BTreeSet<Version>, after: &'a BTreeSet<Version>) -> Option<&'a str> {
    let is_other = |new: &&Version| {
        let mut same = before.iter().filter(|old| old.text == new.text).peekable();
        // A checksum that comes to an old entry, or a source that goes, is a new form of file.
        same.peek().is_some() && same.all(|old| is_contrary(&old.source, &new.source))
    };
    after.iter().find(is_other).map(|version| version.text.as_str())
}

/// Whether two descriptions of one thing contradict each other.
fn is_contrary(old: &str, new: &str) -> bool {
    !old.is_empty() && !new.is_empty() && old != new
}

fn whole(name: &str, before: &BTreeSet<Version>, after: &BTreeSet<Version>) -> Vec<String> {
    let all = |side: &str, set: &BTreeSet<Version>| {
        set.iter().map(|v| format!("{side} {name} {} {}", v.text, v.source)).collect::<Vec<_>>()
    };
    [all("-", before), all("+", after)].concat()
}

fn sources(versions: &BTreeSet<Version>) -> BTreeSet<&str> {
    versions.iter().map(|version| version.source.as_str()).collect()
}

/// Versions, as they stand in a sentence.
fn print(versions: &BTreeSet<Version>) -> String {
    let one = |version: &Version| {
        let source = version.source.split(CHECKSUM).next().unwrap_or_default();
        match (version.text.is_empty(), source.is_empty()) {
            (true, true) => "(any version)".to_owned(),
            (false, true) => version.text.clone(),
            (true, false) => format!("({source})"),
            (false, false) => format!("{} ({source})", version.text),
        }
    };
    let all: BTreeSet<String> = versions.iter().map(one).collect();
    all.into_iter().collect::<Vec<_>>().join(", ")
}

/// Stands before the checksum in a source.
const CHECKSUM: char = '#';

impl List {
    fn add(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.add_from(name, text, "");
    }

    fn add_from(
        &mut self,
        name: impl Into<String>,
        text: impl Into<String>,
        source: impl Into<String>,
    ) {
        let version = Version { text: text.into(), source: source.into() };
        self.all.entry(name.into()).or_default().insert(version);
    }
}

impl Ecosystem {
    /// What a file of this ecosystem lists; nothing, where it cannot be read.
    fn read(self, path: &str, text: &str) -> Option<List> {
        let name = file_name(path).to_ascii_lowercase();
        match self {
            Self::Cargo => cargo::read(&name, text),
            Self::Npm => npm::read(&name, text),
            Self::Python => python::read(&name, text),
            Self::Go => Some(go::read(&name, text)),
            Self::Maven => maven::read(&name, text),
            Self::Gem => Some(gem::read(&name, text)),
        }
    }
}

/// The host of an address; empty, where it has none.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// Which reader a file is for, by its name.
fn kind_of(path: &str) -> Option<(Ecosystem, Kind)> {
    use Ecosystem::{Cargo, Gem, Go, Maven, Npm, Python};
    use Kind::{Lock, Manifest};
    let name = file_name(path).to_ascii_lowercase();
    Some(match name.as_str() {
        "cargo.toml" => (Cargo, Manifest),
        "cargo.lock" => (Cargo, Lock),
        "package.json" => (Npm, Manifest),
        "package-lock.json"
        | "npm-shrinkwrap.json"
        | "yarn.lock"
        | "pnpm-lock.yaml"
        | "bun.lock" => (Npm, Lock),
        "pyproject.toml" | "pipfile" | "setup.cfg" | "setup.py" => (Python, Manifest),
        "poetry.lock" | "uv.lock" | "pipfile.lock" | "pdm.lock" => (Python, Lock),
        "go.mod" => (Go, Manifest),
        "go.sum" => (Go, Lock),
        "pom.xml" | "build.gradle" | "build.gradle.kts" | "libs.versions.toml" => (Maven, Manifest),
        "gradle.lockfile" => (Maven, Lock),
        "gemfile" => (Gem, Manifest),
        "gemfile.lock" => (Gem, Lock),
        _ if name.ends_with(".gemspec") => (Gem, Manifest),
        _ if python::is_requirements(&name) => (Python, Manifest),
        _ => return None,
    })
}
