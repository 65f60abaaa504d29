//! What does not fit, as `git merge-tree` says it.

use anyhow::{Context, bail};
use zazen_core::id::CommitId;
use zazen_core::text;

use crate::exec::Output;
use crate::git::{Git, TooMuch, TreeId, is_over_limit, plain, said};

/// A file that two sides changed in ways that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its path. What is not UTF-8 is replaced.
    pub path: String,
    /// What git says of it: `Merge conflict in src/main.rs`.
    pub why: String,
    /// The first places in it, with git's marks. Empty where there are none to show.
    pub excerpt: String,
}

/// What a merge came to.
pub(super) struct Merged {
    /// Its files; those in conflict have marks in them.
    pub(super) tree: TreeId,
    pub(super) conflicts: Vec<Conflict>,
}

/// How many files are shown with an excerpt; whoever mends it looks at all of them.
const EXCERPTS_MAX: usize = 20;

/// How much of a file is searched for marks.
const FILE_BYTES_MAX: usize = 1 << 20;

/// How many lines of one file are shown, and how long they may be together.
const EXCERPT_LINES_MAX: usize = 60;
const EXCERPT_BYTES_MAX: usize = 4 * 1024;

/// How many lines are shown before the first mark.
const LINES_BEFORE: usize = 3;

/// Reads what `merge-tree -z --name-only --messages` printed.
pub(super) fn parse(output: &Output) -> anyhow::Result<Merged> {
    if output.truncated || is_over_limit(output) {
        return Err(TooMuch { name: "merge-tree".to_owned() }.into());
    }
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("`git merge-tree` failed: {}", said(output));
    }
    let text = output.stdout_text();
    let mut parts = text.split('\0');
    let tree = parts.next().unwrap_or_default().parse().context("read what was merged")?;
    let mut conflicts: Vec<Conflict> = Vec::new();
    if output.status.success() {
        return Ok(Merged { tree, conflicts });
    }
    for path in parts.by_ref().take_while(|part| !part.is_empty()) {
        if conflicts.iter().all(|conflict| conflict.path != path) {
            let (path, why) = (path.to_owned(), String::new());
            conflicts.push(Conflict { path, why, excerpt: String::new() });
        }
    }
    add_reasons(&mut conflicts, parts);
    if conflicts.is_empty() {
        bail!("git found a conflict and named no file");
    }
    Ok(Merged { tree, conflicts })
}

/// Adds git's reasons: each is a number of paths, the paths, a kind, and a text.
fn add_reasons<'a>(conflicts: &mut [Conflict], mut parts: impl Iterator<Item = &'a str>) {
    while let Some(n_paths) = parts.next().and_then(|n| n.parse::<usize>().ok()) {
        let paths: Vec<&str> = parts.by_ref().take(n_paths).collect();
        let (Some(kind), Some(why)) = (parts.next(), parts.next()) else { return };
        if !kind.starts_with("CONFLICT") {
            continue;
        }
        for conflict in conflicts.iter_mut().filter(|c| paths.contains(&c.path.as_str())) {
            let why = plain(why.split_once("): ").map_or(why, |(_, why)| why));
            let gap = if conflict.why.is_empty() { "" } else { "; " };
            conflict.why = format!("{}{gap}{why}", conflict.why);
        }
    }
}

/// Adds to each conflict what is in its file, with names in place of ids.
pub(super) async fn with_excerpts(
    git: &Git,
    merged: Merged,
    names: [(&CommitId, &str); 2],
) -> anyhow::Result<Vec<Conflict>> {
    let mut conflicts = merged.conflicts;
    for conflict in conflicts.iter_mut().take(EXCERPTS_MAX) {
        let name = format!("{}:{}", merged.tree, conflict.path);
        let call = git.call("cat-file").args(["blob", &name]).stdout_bytes_max(FILE_BYTES_MAX);
        let output = call.output().await?;
        // A file that one side removed is not there; what is cut has its beginning.
        if output.status.success() {
            let name_it =
                |text: String, (id, name): (&CommitId, &str)| text.replace(id.as_str(), name);
            conflict.excerpt = names.into_iter().fold(excerpt(&output.stdout_text()), name_it);
        }
    }
    Ok(conflicts)
}

/// The part of a file that begins with its first conflict.
fn excerpt(file: &str) -> String {
    let Some(first) = file.lines().position(|line| line.starts_with("<<<<<<< ")) else {
        return String::new();
    };
    let last = file.lines().enumerate().filter(|(_, line)| line.starts_with(">>>>>>> ")).last();
    let from = first.saturating_sub(LINES_BEFORE);
    let n_lines = last.map_or(EXCERPT_LINES_MAX, |(last, _)| last + 1 - from.min(last));
    let mut excerpt = String::new();
    for line in file.lines().skip(from).take(n_lines.min(EXCERPT_LINES_MAX)) {
        if excerpt.len() + line.len() > EXCERPT_BYTES_MAX {
            break;
        }
        excerpt.extend([text::plain(line).as_str(), "\n"]);
    }
    excerpt
}

/// The paths, for one line of an error.
pub(super) fn list(conflicts: &[Conflict]) -> String {
    let paths: Vec<String> = conflicts
        .iter()
        .take(EXCERPTS_MAX)
        .map(|conflict| format!("`{}`", plain(&conflict.path)))
        .collect();
    paths.join(", ")
}
