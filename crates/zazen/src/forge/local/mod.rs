//! The local forge: issues, comments and pull requests as Markdown files.
//!
//! ```text
//! forge/<owner>/<name>/issues/<n>/issue.md
//!                      issues/<n>/comments/<nnnn>.md
//!                      pulls/<n>.md
//! ```
//!
//! One file a comment, so that a person comments by putting a file there, and no
//! two writers ever touch the same file. Issues and pull requests share their
//! numbers, as on the big forges. See `issues` and `pulls`.

mod copies;
mod issues;
mod parts;
mod pulls;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zazen_core::id::{IssueNumber, RepoName};
use zazen_core::page::Page;

pub use self::copies::{About, Copy};
pub use self::issues::NewIssue;

/// The name that zazen signs its own comments with.
pub const BOT: &str = "zazen";

/// The forge that is a folder.
#[derive(Debug, Clone)]
pub struct Local {
    root: PathBuf,
    locks: PathBuf,
    person: String,
}

impl Local {
    /// The forge in `root`. `locks` is a folder for lock files, outside git;
    /// `person` is who signs what people write by hand.
    pub fn new(root: PathBuf, locks: PathBuf, person: String) -> Self {
        Self { root, locks, person }
    }

    fn repo_dir(&self, repo: &RepoName) -> PathBuf {
        self.root.join(repo.owner()).join(repo.name())
    }

    fn issue_dir(&self, repo: &RepoName, issue: IssueNumber) -> PathBuf {
        self.repo_dir(repo).join("issues").join(issue.to_string())
    }

    /// Holds the repository's numbers while one is given out. Processes take turns.
    fn hold(&self, repo: &RepoName) -> anyhow::Result<fs::File> {
        fs::create_dir_all(&self.locks)?;
        let path = self.locks.join(format!("{}-{}.lock", repo.owner(), repo.name()));
        let file = fs::File::create(&path).with_context(|| format!("open {}", path.display()))?;
        file.lock().with_context(|| format!("lock {}", path.display()))?;
        Ok(file)
    }

    /// The next free number. Call it only while the numbers are held.
    fn next_number(&self, repo: &RepoName) -> anyhow::Result<u64> {
        let dir = self.repo_dir(repo);
        let issues = numbers(&dir.join("issues"))?;
        let pulls = numbers(&dir.join("pulls"))?;
        Ok(issues.into_iter().chain(pulls).max().unwrap_or(0) + 1)
    }
}

/// The numbers that the names in a folder begin with: `12`, `12.md`. Other names are passed over.
fn numbers(dir: &Path) -> anyhow::Result<Vec<u64>> {
    let number = |name: &String| name.strip_suffix(".md").unwrap_or(name).parse().ok();
    let mut numbers: Vec<u64> = names(dir)?.iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The names in a folder, in no order. One that is not there has none.
fn names(dir: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(err) => return Err(err).with_context(|| format!("read {}", dir.display())),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// A new page with these keys, in this order.
fn new_page(keys: &[(&str, &str)], body: &str) -> anyhow::Result<Page> {
    let body = body.trim_end();
    let mut page = Page::parse(&format!("---\n---\n\n{body}\n")).context("make a page")?;
    for (key, value) in keys {
        page.set(key, value);
    }
    Ok(page)
}

fn read_page(path: &Path) -> anyhow::Result<Page> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    Page::parse(&text).with_context(|| format!("read {}", path.display()))
}

/// What a person wrote: the first line keeps its indent, which makes it code.
fn text_of(page: &Page) -> String {
    let body = page.body();
    let is_blank = |line: &&str| line.trim().is_empty();
    let n_blank: usize = body.split_inclusive('\n').take_while(is_blank).map(str::len).sum();
    body[n_blank..].trim_end().to_owned()
}

fn value(page: &Page, key: &str) -> String {
    page.get(key).map(|value| value.to_string()).unwrap_or_default()
}

/// A list in a page: `[a, b]`.
fn list(page: &Page, key: &str) -> Vec<String> {
    page.list(key).unwrap_or_default()
}

/// The time, as pages show it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes a file so that a reader sees all of it or nothing, also after a crash.
fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let dir = path.parent().context("a file has a folder")?;
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    crate::home::atomic::write(path, text.as_bytes(), crate::home::atomic::Durability::Durable)
        .with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests;
