//! What a crash leaves behind in the home's git, mended at the start.
//!
//! A power failure can leave a lock that nobody holds, a branch of no bytes
//! (which git takes for a repository without a commit) and objects that are
//! missing. What can be mended without a guess is mended; for the rest, the
//! finding says what a person has to do. History is never rewritten.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::Home;
use super::atomic::{self, Durability};
use super::boot::{BootId, read_boot_time};
use super::repository::{Head, Repository, agrees, is_object_id, list, succeed};

/// Something that was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is as it should be again; the text says what was done.
    Mended(String),
    /// A person has to do what the text says.
    ForPeople(String),
}

/// How many of the last commits are checked for missing objects. A crash
/// damages what was written just before it.
const COMMITS_CHECKED: usize = 20;

/// How many objects are checked by one call of git. Their names are small enough to be in
/// memory, and a large home still takes few calls.
const OBJECTS_PER_CHECK: usize = 2000;

/// Looks over the git repository of a home, and mends what it can.
///
/// The caller holds the instance lock, so that no commit of ours is under way.
pub fn heal(home: &Home) -> anyhow::Result<Vec<Finding>> {
    heal_in(home, BootId::read())
}

fn heal_in(home: &Home, boot: BootId) -> anyhow::Result<Vec<Finding>> {
    let repository = Repository::open(home.root())?;
    let mut findings = Vec::new();
    findings.extend(mend_head(&repository)?);
    let branch = match repository.head() {
        Head::Branch(branch) => branch,
        Head::Detached(commit) => {
            findings.extend(remove_stale_locks(&repository, None)?);
            findings.push(Finding::ForPeople(format!(
                "the home has commit `{commit}` checked out and no branch, so nothing is \
                 committed; go back with `git switch main`"
            )));
            return Ok(findings);
        }
        Head::Broken => return Ok(findings),
    };
    findings.extend(remove_stale_locks(&repository, Some(&branch))?);
    let (branch_is_good, finding) = mend_branch(&repository, &branch)?;
    let is_suspect = finding.is_some() || !is_checked(home, boot);
    findings.extend(finding);
    if branch_is_good && is_suspect {
        let of_objects = mend_objects(&repository)?;
        if !of_objects.iter().any(|finding| matches!(finding, Finding::ForPeople(_))) {
            note_checked(home, boot)?;
        }
        findings.extend(of_objects);
    }
    Ok(findings)
}

/// Whether the objects were looked for since the machine was started. A process that is killed
/// loses none; it takes a power failure, and after one this is another boot.
fn is_checked(home: &Home, boot: BootId) -> bool {
    let checked = fs::read_to_string(home.objects_checked_file());
    boot != BootId::default() && checked.is_ok_and(|text| BootId::from(text) == boot)
}

fn note_checked(home: &Home, boot: BootId) -> anyhow::Result<()> {
    let file = home.objects_checked_file();
    atomic::write(&file, boot.to_string().as_bytes(), Durability::Relaxed)
        .with_context(|| format!("write `{}`", file.display()))
}

/// Points an empty `HEAD` to the branch, if there is only one.
fn mend_head(repository: &Repository) -> anyhow::Result<Option<Finding>> {
    if repository.head() != Head::Broken {
        return Ok(None);
    }
    let file = repository.git_dir().join("HEAD");
    let branches = branches(repository);
    let [branch] = branches.as_slice() else {
        return Ok(Some(Finding::ForPeople(format!(
            "`{}` does not name a branch, so nothing is committed; write `ref: refs/heads/main` \
             into it, with the name of your branch",
            file.display()
        ))));
    };
    atomic::write(&file, format!("ref: refs/heads/{branch}\n").as_bytes(), Durability::Durable)
        .with_context(|| format!("write `{}`", file.display()))?;
    Ok(Some(Finding::Mended(format!("`HEAD` was empty; it names the branch `{branch}` again"))))
}

fn branches(repository: &Repository) -> Vec<String> {
    let entries = fs::read_dir(repository.common_dir().join("refs/heads"));
    let names = entries.into_iter().flatten().flatten().filter(|entry| entry.path().is_file());
    names.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Removes locks of git that nobody holds.
fn remove_stale_locks(
    repository: &Repository,
    branch: Option<&str>,
) -> anyhow::Result<Vec<Finding>> {
    let mut locks = vec![
        repository.index_lock(),
        repository.git_dir().join("HEAD.lock"),
        repository.common_dir().join("packed-refs.lock"),
    ];
    locks.extend(branch.map(|branch| repository.common_dir().join(format!("{branch}.lock"))));
    let mut findings = Vec::new();
    for lock in locks.iter().filter(|lock| lock.exists()) {
        let name = lock.display();
        if let Some(pid) = holder(repository, lock) {
            findings.push(Finding::ForPeople(format!(
                "`{name}` is held by process {pid}, and nothing is committed until it is done"
            )));
            continue;
        }
        fs::remove_file(lock).with_context(|| format!("remove `{name}`"))?;
        findings.push(Finding::Mended(format!("removed `{name}`, which nobody held")));
    }
    Ok(findings)
}

/// How old a lock is before it is taken for one that was left behind. Git holds one for moments,
/// or for as long as its process is there.
const LEFT_AFTER: Duration = Duration::from_secs(60);

/// Whether a lock was left behind by a git that died.
pub(super) fn is_left(repository: &Repository, lock: &Path) -> bool {
    let modified = fs::metadata(lock).and_then(|meta| meta.modified());
    let age = modified.ok().and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age >= LEFT_AFTER) && holder(repository, lock).is_none()
}

/// Finds the process that holds a lock: one that has it open, or a git in this home,
/// which closes the lock while it waits for an editor.
fn holder(repository: &Repository, lock: &Path) -> Option<u32> {
    let modified = fs::metadata(lock).and_then(|meta| meta.modified()).ok();
    if modified.zip(read_boot_time()).is_some_and(|(modified, boot)| modified < boot) {
        return None;
    }
    let lock = fs::canonicalize(lock).unwrap_or_else(|_| lock.to_owned());
    let root = fs::canonicalize(repository.root()).unwrap_or_else(|_| repository.root().to_owned());
    let has_open = |process: &Path| {
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        descriptors.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|target| target == lock)
    };
    let owner = fs::metadata(&lock).map(|meta| meta.uid()).ok();
    let is_git_here = |process: &Path| {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        name.trim_end() == "git"
            && match fs::read_link(process.join("cwd")) {
                Ok(cwd) => cwd.starts_with(&root),
                // It may be here, if it is of the one who made the lock.
                Err(err) if err.kind() == io::ErrorKind::PermissionDenied => {
                    fs::metadata(process).map(|meta| meta.uid()).ok() == owner
                }
                Err(_) => false,
            }
    };
    processes().find(|(_, process)| has_open(process) || is_git_here(process)).map(|(pid, _)| pid)
}

fn processes() -> impl Iterator<Item = (u32, PathBuf)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
}

/// Gives a branch that names no commit the last good one of its log, and says
/// whether the branch is good now.
fn mend_branch(repository: &Repository, branch: &str) -> anyhow::Result<(bool, Option<Finding>)> {
    let file = repository.common_dir().join(branch);
    let log = fs::read_to_string(repository.common_dir().join("logs").join(branch));
    let log = log.unwrap_or_default();
    let is_loose = match fs::read_to_string(&file) {
        Ok(text) if is_object_id(text.trim_end()) => return Ok((true, None)),
        Ok(_) => true,
        Err(_) => false,
    };
    if !is_loose && is_packed(repository, branch) {
        return Ok((true, None));
    }
    if !is_loose && log.is_empty() {
        // A branch without a first commit.
        return Ok((false, None));
    }
    for commit in log.lines().rev().filter_map(|line| line.split(' ').nth(1)) {
        if is_object_id(commit) && missing(repository, &["--no-walk", commit])?.is_empty() {
            atomic::create_dirs(file.parent().unwrap_or(repository.common_dir()))?;
            atomic::write(&file, format!("{commit}\n").as_bytes(), Durability::Durable)
                .with_context(|| format!("write `{}`", file.display()))?;
            let finding = format!("`{branch}` named no commit; it has `{commit}` of its log again");
            return Ok((true, Some(Finding::Mended(finding))));
        }
    }
    Ok((
        false,
        Some(Finding::ForPeople(format!(
            "`{}` names no commit, and its log has no good one, so nothing is committed; find the \
             last commit with `git fsck --lost-found` and write its name into that file",
            file.display()
        ))),
    ))
}

fn is_packed(repository: &Repository, branch: &str) -> bool {
    let packed = fs::read_to_string(repository.common_dir().join("packed-refs"));
    packed.unwrap_or_default().lines().any(|line| line.split(' ').nth(1) == Some(branch))
}

/// Looks for the objects of the last commits, and makes missing files again from the disk.
fn mend_objects(repository: &Repository) -> anyhow::Result<Vec<Finding>> {
    let excluded = format!("^HEAD~{COMMITS_CHECKED}");
    let exists = repository.git(["rev-parse", "--quiet", "--verify", &excluded[1..]]);
    let missing = if agrees(&exists)? {
        missing(repository, &["HEAD", &excluded])?
    } else {
        missing(repository, &["HEAD"])?
    };
    missing.into_iter().map(|(object, path)| mend_object(repository, &object, &path)).collect()
}

fn mend_object(repository: &Repository, object: &str, path: &str) -> anyhow::Result<Finding> {
    let found = if path.is_empty() { path_of(repository, object) } else { Some(path.to_owned()) };
    let path = found.unwrap_or_default();
    if repository.root().join(&path).is_file() {
        remove_if_empty(repository, object)?;
        let write = repository.git(["hash-object", "-w", "--", &path]);
        if succeed(&write).is_ok_and(|output| output.stdout_text().trim() == object) {
            return Ok(Finding::Mended(format!(
                "object `{object}` was missing; it was made again from `{path}`"
            )));
        }
    }
    let what = if path.is_empty() { "of the history" } else { path.as_str() };
    Ok(Finding::ForPeople(format!(
        "object `{object}` ({what}) is missing in the home's git; bring it back with `git fetch` \
         from a clone or from a backup of `.git/objects`; `git fsck` lists all that is missing"
    )))
}

/// Removes an object file without a byte: git would take it for the object.
fn remove_if_empty(repository: &Repository, object: &str) -> anyhow::Result<()> {
    let (folder, name) = object.split_at(2);
    let file = repository.common_dir().join("objects").join(folder).join(name);
    if fs::metadata(&file).is_ok_and(|meta| meta.len() == 0) {
        fs::remove_file(&file).with_context(|| format!("remove `{}`", file.display()))?;
    }
    Ok(())
}

/// Lists objects that the commits need and that are not there, with their paths.
///
/// In a large home there are hundreds of thousands, so they are looked at in parts.
fn missing(repository: &Repository, commits: &[&str]) -> anyhow::Result<BTreeMap<String, String>> {
    let command =
        repository.git(["rev-list", "--objects", "--missing=print"]).args(commits.iter().copied());
    let mut missing = BTreeMap::new();
    let mut part = BTreeMap::new();
    let listed = list(&command, b'\n', &mut |line| {
        let line = String::from_utf8_lossy(line);
        let (object, path) = line.split_once(' ').unwrap_or((&line, ""));
        if let Some(object) = object.strip_prefix('?') {
            missing.insert(object.to_owned(), String::new());
        } else {
            part.insert(object.to_owned(), path.to_owned());
        }
        if part.len() < OBJECTS_PER_CHECK {
            return Ok(());
        }
        missing.extend(unreadable(repository, &std::mem::take(&mut part))?);
        Ok(())
    });
    listed.context("list the objects of the last commits")?;
    missing.extend(unreadable(repository, &part)?);
    Ok(missing)
}

/// Those of the objects that cannot be read. A list only looks for a file; this reads the
/// head of each.
fn unreadable(
    repository: &Repository,
    objects: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<(String, String)>> {
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let names: String = objects.keys().flat_map(|object| [object.as_str(), "\n"]).collect();
    let check = repository.git(["cat-file", "--batch-check"]).stdin(names);
    let checked = succeed(&check).context("check the objects")?.stdout_text();
    let missing = checked.lines().filter_map(|line| line.strip_suffix(" missing"));
    let with_path =
        |object: &str| (object.to_owned(), objects.get(object).cloned().unwrap_or_default());
    Ok(missing.map(with_path).collect())
}

/// Finds a file of the last commit by its object.
fn path_of(repository: &Repository, object: &str) -> Option<String> {
    let mut found = None;
    let command = repository.git(["ls-tree", "-r", "-z", "HEAD"]);
    let listed = list(&command, 0, &mut |entry| {
        let entry = String::from_utf8_lossy(entry);
        let (what, path) = entry.split_once('\t').unwrap_or((&entry, ""));
        if found.is_none() && what.split(' ').next_back() == Some(object) {
            found = Some(path.to_owned());
        }
        Ok(())
    });
    listed.ok().and(found)
}

#[cfg(test)]
mod tests;
