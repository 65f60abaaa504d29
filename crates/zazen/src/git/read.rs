//! Reading commits, files and differences from a repository of ours.
//!
//! All of it is bounded, since what is read may have come from an agent, and
//! none of it runs a program that a repository names. The mirror offers it to
//! others; `collect` uses the same functions on its quarantine.

use anyhow::{Context, bail};
use zazen_core::id::CommitId;

use super::{Git, Mirror, TreeId};

/// One commit, as its author wrote it. Nothing in it is verified: anyone can
/// write any name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    pub id: CommitId,
    pub tree: TreeId,
    pub parents: Vec<CommitId>,
    pub author: Person,
    pub committer: Person,
    /// The first line of the message, without control characters.
    pub subject: String,
    /// How many files it changes, against its first parent.
    pub n_files: usize,
}

/// Who a commit says made it, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
    /// In seconds since 1970, as it says.
    pub time: i64,
}

/// What differs between two commits, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiffStat {
    pub files: Vec<FileStat>,
}

/// What differs in one file, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// Its path. What is not UTF-8 is replaced; that cannot be in collected work.
    pub path: String,
    /// The lines added; 0 if it is binary.
    pub added: u64,
    /// The lines removed; 0 if it is binary.
    pub removed: u64,
    pub binary: bool,
}

/// What differs between two commits, as a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    pub text: String,
    /// There is more of it than was asked for.
    pub truncated: bool,
}

/// One file that a commit changes, against one of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: Vec<u8>,
    pub(super) old_mode: u32,
    pub(super) new_mode: u32,
    /// What it was; zeros if it is new.
    pub(super) old_id: String,
    /// What it is changed to; zeros if it is removed.
    pub(super) new_id: String,
}

/// The mode of a regular file, and of one that can be executed.
pub(super) const MODE_FILE: u32 = 0o100_644;
pub(super) const MODE_PROGRAM: u32 = 0o100_755;
/// The mode of a symbolic link.
pub(super) const MODE_LINK: u32 = 0o120_000;
/// The mode of a submodule.
pub(super) const MODE_SUBMODULE: u32 = 0o160_000;

/// How many commits are read at once. A task has tens.
pub(super) const READ_COMMITS_MAX: usize = 10_000;

/// How much git may print of a history or a list of files: a million paths.
pub(super) const LISTING_BYTES_MAX: usize = 64 << 20;

/// How long a name or a subject is kept; people read the first words.
const WORDS_CHARS_MAX: usize = 300;

/// One line of fields for each commit. The `>` tells it from a changed file.
const FORMAT: &str = "--format=>%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s";

impl Mirror {
    /// Reads a regular file of a commit; `None` if there is no such file.
    pub async fn read_file(
        &self,
        commit: &CommitId,
        path: &str,
        bytes_max: u64,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            bail!("`{path}` is not a path inside a repository");
        }
        let args = ["-z", "-l", "--full-tree", "--", commit.as_str(), path];
        let listed = self.git().call("ls-tree").args(args).run().await?;
        let Some(entry) = listed.stdout_text().split('\0').find_map(parse_blob) else {
            return Ok(None);
        };
        if entry.n_bytes > bytes_max {
            bail!("`{path}` has {} bytes, more than the limit of {bytes_max}", entry.n_bytes);
        }
        let call = self.git().call("cat-file").args(["blob", &entry.id]);
        let n_bytes = usize::try_from(entry.n_bytes).context("a file that fits into memory")?;
        Ok(Some(call.stdout_bytes_max(n_bytes).run().await?.stdout))
    }

    /// The paths of all files of a commit. What is not UTF-8 is replaced.
    pub async fn list_files(&self, commit: &CommitId) -> anyhow::Result<Vec<String>> {
        let args = ["-r", "-z", "--name-only", "--full-tree", "--", commit.as_str()];
        let call = self.git().call("ls-tree").args(args).stdout_bytes_max(LISTING_BYTES_MAX);
        let listed = call.run().await?;
        Ok(split(&listed.stdout).map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// The commits that `head` has and `base` has not, the oldest first.
    pub async fn commits_between(
        &self,
        base: &CommitId,
        head: &CommitId,
    ) -> anyhow::Result<Vec<CommitInfo>> {
        let history = history(&self.git(), base, head, READ_COMMITS_MAX).await?;
        Ok(history.into_iter().map(|(commit, _)| commit).collect())
    }

    /// What differs between two commits, in numbers.
    pub async fn diff_stat(&self, base: &CommitId, head: &CommitId) -> anyhow::Result<DiffStat> {
        diff_stat(&self.git(), base, head).await
    }

    /// What differs between two commits, as a patch of at most `bytes_max`.
    pub async fn diff(
        &self,
        base: &CommitId,
        head: &CommitId,
        bytes_max: usize,
    ) -> anyhow::Result<Diff> {
        let call = self.git().call("diff-tree").args(["-p", "-r", "--no-color", "--no-renames"]);
        let call = call.args(CLOSED_DIFF).args([base.as_str(), head.as_str()]);
        let output = call.stdout_bytes_max(bytes_max).output().await?;
        if !output.status.success() {
            bail!("compare {} with {}: {}", base.short(), head.short(), super::said(&output));
        }
        Ok(Diff { text: output.stdout_text(), truncated: output.truncated })
    }
}

/// What keeps a difference from starting programs or changing with attributes.
pub(super) const CLOSED_DIFF: [&str; 3] =
    ["--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];

struct Blob {
    id: String,
    n_bytes: u64,
}

/// Reads one line of `ls-tree -l`: mode, type, id, size, tab, path.
fn parse_blob(line: &str) -> Option<Blob> {
    let (facts, _path) = line.split_once('\t')?;
    let mut facts = facts.split_ascii_whitespace();
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let (_kind, id, n_bytes) = (facts.next()?, facts.next()?, facts.next()?);
    let is_file = matches!(mode, MODE_FILE | MODE_PROGRAM);
    is_file.then_some(Blob { id: id.to_owned(), n_bytes: n_bytes.parse().ok()? })
}

/// What differs between two commits of a repository of ours, in numbers.
pub(super) async fn diff_stat(
    git: &Git,
    base: &CommitId,
    head: &CommitId,
) -> anyhow::Result<DiffStat> {
    let call = git.call("diff-tree").args(["--numstat", "-r", "-z", "--no-renames"]);
    let output = call.args(CLOSED_DIFF).args([base.as_str(), head.as_str()]).run().await?;
    let files = split(&output.stdout).map(parse_numstat).collect::<Option<_>>();
    Ok(DiffStat { files: files.context("git printed numbers that cannot be read")? })
}

fn parse_numstat(line: &[u8]) -> Option<FileStat> {
    let line = String::from_utf8_lossy(line);
    let mut parts = line.splitn(3, '\t');
    let (added, removed, path) = (parts.next()?, parts.next()?, parts.next()?);
    let path = path.to_owned();
    if (added, removed) == ("-", "-") {
        return Some(FileStat { path, added: 0, removed: 0, binary: true });
    }
    let (added, removed) = (added.parse().ok()?, removed.parse().ok()?);
    Some(FileStat { path, added, removed, binary: false })
}

/// The commits that `head` has and `base` has not, the oldest first, each with
/// what it changes against every one of its parents.
///
/// If there are more than `n_max`, only the newest `n_max` come, and then one more.
pub(super) async fn history(
    git: &Git,
    base: &CommitId,
    head: &CommitId,
    n_max: usize,
) -> anyhow::Result<Vec<(CommitInfo, Vec<Change>)>> {
    let output = git
        .call("log")
        .args(["-z", "--reverse", "--topo-order", "--raw", "--no-abbrev", "--no-renames"])
        .args(["--diff-merges=separate", "--no-show-signature", "--no-notes", "--no-mailmap"])
        .args(["--encoding=UTF-8", "--no-color", FORMAT])
        .args(CLOSED_DIFF)
        .arg(format!("--max-count={}", n_max.saturating_add(1)))
        .args(["--end-of-options", &format!("{base}..{head}")])
        .stdout_bytes_max(LISTING_BYTES_MAX)
        .run()
        .await?;
    parse_history(&output.stdout).context("git printed a history that cannot be read")
}

fn parse_history(bytes: &[u8]) -> Option<Vec<(CommitInfo, Vec<Change>)>> {
    let mut commits: Vec<(CommitInfo, Vec<Change>)> = Vec::new();
    // A merge comes once for each parent. What the first time round changes is
    // what the commit changes.
    let mut is_again = false;
    let mut tokens =
        bytes.split(|&b| b == 0).map(|token| token.strip_prefix(b"\n").unwrap_or(token));
    while let Some(token) = tokens.next() {
        match token {
            [] => {}
            [b'>', id @ ..] => {
                let commit = parse_commit(id, &mut tokens)?;
                is_again = commits.last().is_some_and(|(last, _)| last.id == commit.id);
                if !is_again {
                    commits.push((commit, Vec::new()));
                }
            }
            [b':', facts @ ..] => {
                let (commit, changes) = commits.last_mut()?;
                changes.push(parse_change(facts, tokens.next()?)?);
                if !is_again {
                    commit.n_files += 1;
                }
            }
            _ => return None,
        }
    }
    Some(commits)
}

fn parse_commit<'a>(id: &[u8], tokens: &mut impl Iterator<Item = &'a [u8]>) -> Option<CommitInfo> {
    let mut next = || tokens.next().map(|token| String::from_utf8_lossy(token).into_owned());
    let (tree, parents) = (next()?, next()?);
    let author = parse_person(&next()?, &next()?, &next()?);
    let committer = parse_person(&next()?, &next()?, &next()?);
    Some(CommitInfo {
        id: std::str::from_utf8(id).ok()?.parse().ok()?,
        tree: tree.parse().ok()?,
        parents: parents
            .split(' ')
            .filter(|id| !id.is_empty())
            .map(|id| id.parse().ok())
            .collect::<Option<_>>()?,
        author,
        committer,
        subject: words(&next()?),
        n_files: 0,
    })
}

fn parse_person(name: &str, email: &str, time: &str) -> Person {
    Person { name: words(name), email: words(email), time: time.parse().unwrap_or(0) }
}

fn words(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect()
}

/// Reads `old-mode new-mode old-id new-id status`.
fn parse_change(facts: &[u8], path: &[u8]) -> Option<Change> {
    let mut facts = std::str::from_utf8(facts).ok()?.split(' ');
    let mut mode = || u32::from_str_radix(facts.next()?, 8).ok();
    let (old_mode, new_mode) = (mode()?, mode()?);
    let (old_id, new_id) = (facts.next()?.to_owned(), facts.next()?.to_owned());
    Some(Change { path: path.to_owned(), old_mode, new_mode, old_id, new_id })
}

/// The parts between zeros, of which the last is the end.
pub(super) fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&b| b == 0).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests;
