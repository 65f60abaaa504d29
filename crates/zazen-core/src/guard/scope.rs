//! Files that were changed though the plan does not speak of them.
//!
//! What goes along with a planned file without being planned is let pass: its tests, the
//! lock file of its package, the file that lists a module. What lies near is flagged, and
//! what has no folder in common with anything planned is held. So is a change that is far
//! larger than was planned.

use std::collections::BTreeSet;

use super::change::shown;
use super::evidence::Evidence;
use super::language::{file_name, folder, is_snapshot_path, is_test_path, stem};
use super::report::Draft;
use super::{Change, Contract, Glob};

/// How many files outside are too many, whatever they are.
const OUTSIDE_MAX: usize = 10;

/// How many entries of a plan are compared. A plan is a text of at most 48 KiB.
const ENTRIES_MAX: usize = 2000;

/// Files that every change may add a line to.
const LOGS: [&str; 9] = [
    "changelog",
    "changelog.md",
    "changelog.rst",
    "changelog.txt",
    "changes",
    "changes.md",
    "changes.rst",
    "history.md",
    "news",
];

/// Files that list the modules beside them.
const LISTS: [&str; 9] = [
    "__init__.py",
    "index.js",
    "index.jsx",
    "index.ts",
    "index.tsx",
    "lib.rs",
    "main.rs",
    "mod.rs",
    "index.mjs",
];

/// Files that lock what another file asks for.
pub(super) const LOCKS: [&str; 16] = [
    "bun.lock",
    "bun.lockb",
    "cargo.lock",
    "composer.lock",
    "gemfile.lock",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// How far a path is from what was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    /// It was planned.
    Planned,
    /// It goes along with what was planned.
    Beside,
    /// It has a folder in common with something planned.
    Near,
    Far,
}

/// What a plan names, in the forms in which it is asked for.
struct Planned {
    /// As written, without `./` before and `/` after.
    entries: BTreeSet<String>,
    globs: Vec<Glob>,
    stems: BTreeSet<String>,
    tops: BTreeSet<String>,
    has_tests: bool,
    has_dependencies: bool,
}

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let Some(contract) = evidence.contract else { return Vec::new() };
    let planned = Planned::of(contract);
    if planned.is_empty() {
        return Vec::new();
    }
    let changes = evidence.changes;
    // Files that go along count as what they are, not as work that was not planned.
    let distances: Vec<Distance> =
        changes.iter().map(|change| planned.distance_of(change)).collect();
    let n_planned = distances.iter().filter(|d| **d <= Distance::Beside).count();
    let outside: Vec<&Change> = changes
        .iter()
        .zip(&distances)
        .filter_map(|(change, distance)| (*distance > Distance::Beside).then_some(change))
        .collect();
    if outside.len() > OUTSIDE_MAX && outside.len() > 2 * n_planned {
        let first: Vec<String> =
            outside.iter().take(3).map(|change| shown(change.path())).collect();
        let what = format!(
            "{} files were changed that the plan does not name, and {n_planned} that it does: {} \
             and others.",
            outside.len(),
            first.join(", "),
        );
        return vec![Draft::hold(what).holding(outside.iter().map(|change| change.identity()))];
    }
    changes.iter().zip(distances).filter_map(|(change, distance)| draft(change, distance)).collect()
}

fn draft(change: &Change, distance: Distance) -> Option<Draft> {
    let path = change.shown();
    let draft = match distance {
        Distance::Planned | Distance::Beside => return None,
        Distance::Near => Draft::flag(format!("The plan does not name {path}.")),
        Distance::Far => Draft::hold(format!(
            "The plan does not name {path}, nor anything else in the folders where it is."
        )),
    };
    Some(draft.at(change.path()).holding([change.identity()]))
}

impl Planned {
    fn of(contract: &Contract) -> Self {
        let entries: BTreeSet<String> = contract
            .files
            .iter()
            .take(ENTRIES_MAX)
            .map(|entry| entry.trim().trim_start_matches("./").trim_matches('/').to_owned())
            .filter(|entry| !entry.is_empty())
            .collect();
        let has_stars = |entry: &&String| entry.contains(['*', '?']);
        Self {
            globs: entries.iter().filter(has_stars).filter_map(|text| text.parse().ok()).collect(),
            stems: entries.iter().map(|entry| bare_stem(entry)).collect(),
            tops: entries.iter().map(|entry| top(entry).to_owned()).collect(),
            has_tests: entries.iter().any(|entry| is_test_path(entry) || is_test_folder(entry)),
            has_dependencies: !contract.dependencies.is_empty(),
            entries,
        }
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Of a file that was renamed, both names count: it is taken from one place to another.
    fn distance_of(&self, change: &Change) -> Distance {
        change.paths().map(|path| self.distance(path)).max().unwrap_or(Distance::Planned)
    }

    fn distance(&self, path: &str) -> Distance {
        if self.names(path) || self.globs.iter().any(|glob| glob.matches(path)) {
            Distance::Planned
        } else if self.goes_along(path) {
            Distance::Beside
        } else if self.tops.contains(top(path)) || !path.contains('/') {
            Distance::Near
        } else {
            Distance::Far
        }
    }

    /// Whether the path, or a folder that it is in, is named.
    fn names(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).take(DEPTH_MAX).chain([path.len()]);
        ends.into_iter().any(|end| self.entries.contains(&path[..end]))
    }

    fn goes_along(&self, path: &str) -> bool {
        let lower = path.to_ascii_lowercase();
        let name = file_name(&lower);
        if LOCKS.contains(&name) {
            return self.has_dependencies || self.has_manifest_beside(path);
        }
        if LOGS.contains(&name) {
            return true;
        }
        if LISTS.contains(&name) {
            // It lists what is new beside it or one folder below.
            let folder = folder(path);
            return self.entries.iter().any(|entry| {
                let of = super::language::folder(entry);
                of == folder || super::language::folder(of) == folder
            });
        }
        // The tests of what is planned are part of the work, wherever they are kept.
        (is_test_path(path) || is_snapshot_path(path))
            && (self.has_tests || self.stems.contains(&bare_stem(path)) || self.is_inside(path))
    }

    fn has_manifest_beside(&self, lock: &str) -> bool {
        self.entries.iter().any(|entry| {
            let name = file_name(entry).to_ascii_lowercase();
            MANIFESTS.contains(&name.as_str())
                && (folder(entry) == folder(lock) || folder(lock).is_empty())
        })
    }

    /// Whether a test lies in the folder of the module that it is of: `foo/tests.rs` for `foo.rs`.
    fn is_inside(&self, path: &str) -> bool {
        let folder = folder(path);
        let of = folder.strip_suffix("/tests").or(folder.strip_suffix("/__tests__"));
        let of = of.unwrap_or(folder);
        self.entries.iter().any(|entry| {
            entry.rsplit_once('.').is_some_and(|(stem, _)| stem == of)
                || (of != folder && super::language::folder(entry) == of)
        })
    }
}

/// Files that ask for dependencies.
const MANIFESTS: [&str; 12] = [
    "build.gradle",
    "build.gradle.kts",
    "cargo.toml",
    "composer.json",
    "gemfile",
    "go.mod",
    "package.json",
    "pipfile",
    "pom.xml",
    "pyproject.toml",
    "requirements.txt",
    "setup.py",
];

/// How deep a path is followed.
const DEPTH_MAX: usize = 200;

fn top(path: &str) -> &str {
    path.split_once('/').map_or("", |(top, _)| top)
}

fn is_test_folder(entry: &str) -> bool {
    is_test_path(&format!("{entry}/x"))
}

/// What a file is about: its name without endings, and without what says that it is a test.
fn bare_stem(path: &str) -> String {
    let stem = stem(path).to_ascii_lowercase();
    let stem = stem.split('.').next().unwrap_or_default();
    let stem = stem.strip_prefix("test_").unwrap_or(stem);
    let ends = ["_tests", "_test", "_spec", "-test", "-spec", "tests", "test"];
    let bare = ends.iter().find_map(|end| stem.strip_suffix(end)).filter(|bare| !bare.is_empty());
    bare.unwrap_or(stem).to_owned()
}
