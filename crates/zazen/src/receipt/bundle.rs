//! A receipt and everything beside it, in one file.
//!
//! A bundle is an archive of files with fixed names, in a fixed order: the manifest, the
//! receipt, its parts, the commits. What looks like a secret is taken out when it is made,
//! and the manifest says where: such a part can be read and not be checked. What comes
//! in may have been made by anybody. It is unpacked file by file, each of a known name and
//! within its limit, into a folder that is there as a whole or not at all.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;
use zazen_core::id::CommitId;
use zazen_core::receipt::envelope::BYTES_MAX;
use zazen_core::receipt::{OfRun, Part, RUNS_MAX, Receipt};
use zazen_core::secret::Scanner;

use super::lines::{self, Then};
use super::place::{MANIFEST, MANIFEST_BYTES_MAX, MANIFEST_VERSION, RECEIPT, REPO};
use super::tar::{Entry, Reader, Writer};
use super::{Manifest, Place, Withheld, derive};
use crate::git::{Mirror, carry};
use crate::home::atomic;

/// What was put into a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub n_files: u64,
    pub n_bytes: u64,
    /// What was taken out, by the parts.
    pub withheld: BTreeMap<Part, Withheld>,
    /// The parts that the receipt names and that are not there any more.
    pub missing: Vec<Part>,
}

/// How large the commits may be, packed.
const REPO_BYTES_MAX: u64 = 2 << 30;

/// How many files there may be.
const FILES_MAX: usize = 3 + Part::SINGLE.len() + OfRun::ALL.len() * RUNS_MAX;

/// What is in a bundle, in the order in which it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Manifest,
    Receipt,
    Part(Part),
    Repo,
}

impl Item {
    fn parse(name: &str) -> Option<Self> {
        match name {
            MANIFEST => Some(Self::Manifest),
            RECEIPT => Some(Self::Receipt),
            REPO => Some(Self::Repo),
            name => name.parse().ok().map(Self::Part),
        }
    }

    fn bytes_max(self) -> u64 {
        match self {
            Self::Manifest => MANIFEST_BYTES_MAX,
            Self::Receipt => BYTES_MAX as u64,
            Self::Part(part) => part.bytes_max(),
            Self::Repo => REPO_BYTES_MAX,
        }
    }
}

/// The parts that a receipt states something of, in order.
pub fn parts(receipt: &Receipt) -> Vec<Part> {
    let mut parts = vec![Part::Issue, Part::Brief, Part::Plan, Part::Policy, Part::Checks];
    parts.extend(receipt.contract.iter().map(|_| Part::Contract));
    parts.extend(receipt.guards.iter().map(|_| Part::Guards));
    parts.extend(receipt.baseline.iter().map(|_| Part::Baseline));
    parts.extend(receipt.review.iter().map(|_| Part::Review));
    for run in &receipt.runs {
        parts.extend(run.files.keys().map(|of| Part::Run(run.run, *of)));
        let recorded = [OfRun::Recording, OfRun::Chain].map(|of| Part::Run(run.run, of));
        parts.extend(recorded.into_iter().filter(|_| run.recording.is_some()));
    }
    parts.sort_unstable();
    parts
}

/// Packs a receipt and all that stands beside it into one file, without secrets.
pub async fn export(
    (place, mirror): (&Place, &Mirror),
    receipt: &Receipt,
    scanner: &Scanner,
    to: &Path,
) -> anyhow::Result<Exported> {
    let staging = tempfile::tempdir().context("make room for a bundle")?;
    let repo = staging.path().join(REPO);
    let others = of_runs(place, receipt)?;
    carry(mirror, (&receipt.base.commit, &receipt.head.commit), &others, &repo).await?;
    let mut exported =
        Exported { n_files: 0, n_bytes: 0, withheld: BTreeMap::new(), missing: Vec::new() };
    let mut files = vec![(RECEIPT.to_owned(), place.receipt().to_owned())];
    for part in parts(receipt) {
        let path = place.part(part);
        if !path.exists() {
            exported.missing.push(part);
            continue;
        }
        let cleaned = staging.path().join(files.len().to_string());
        let withheld = clean(&path, part, scanner, &cleaned)
            .with_context(|| format!("read {}", path.display()))?;
        let path = if withheld.is_some() { cleaned } else { path };
        exported.withheld.extend(withheld.map(|withheld| (part, withheld)));
        files.push((part.to_string(), path));
    }
    files.push((REPO.to_owned(), repo));
    let withheld = exported.withheld.iter();
    let withheld = withheld.map(|(part, what)| (part.to_string(), what.clone())).collect();
    let manifest = Manifest { v: MANIFEST_VERSION, withheld };
    write(&manifest, &files, to).with_context(|| format!("write {}", to.display()))?;
    exported.n_files = files.len() as u64 + 1;
    exported.n_bytes = fs::metadata(to)?.len();
    Ok(exported)
}

/// The commits that the runs were begun on and left: some are not in the history of the head.
fn of_runs(place: &Place, receipt: &Receipt) -> anyhow::Result<BTreeSet<CommitId>> {
    let mut commits = BTreeSet::new();
    for run in &receipt.runs {
        commits.extend(derive::commits(place, run.run)?);
    }
    Ok(commits)
}

fn write(manifest: &Manifest, files: &[(String, PathBuf)], to: &Path) -> io::Result<()> {
    atomic::write_by(to, atomic::Durability::Durable, |file| {
        let mut writer = Writer::new(BufWriter::new(file));
        let manifest = manifest.print();
        let entry = Entry { name: MANIFEST.to_owned(), n_bytes: manifest.len() as u64 };
        writer.add(&entry, manifest.as_bytes())?;
        for (name, path) in files {
            let file = File::open(path)?;
            let entry = Entry { name: name.clone(), n_bytes: file.metadata()?.len() };
            writer.add(&entry, file)?;
        }
        writer.finish()?.flush()
    })
}

/// Writes a part without its secrets to another file, if there is one in it.
fn clean(
    path: &Path,
    part: Part,
    scanner: &Scanner,
    to: &Path,
) -> anyhow::Result<Option<Withheld>> {
    if !is_log(part) {
        let bytes = atomic::read_small(path, part.bytes_max()).context("it is too large")?;
        let text = String::from_utf8_lossy(&bytes);
        let n_secrets = scanner.find(text.as_bytes()).len() as u64;
        if n_secrets == 0 {
            return Ok(None);
        }
        fs::write(to, scanner.redact(&text).as_bytes())?;
        return Ok(Some(Withheld { n_secrets, lines: Vec::new() }));
    }
    let mut withheld = Withheld { n_secrets: 0, lines: Vec::new() };
    let mut file = BufWriter::new(File::create(to)?);
    lines::each(path, |n, line| {
        let n_secrets = scanner.find(line).len() as u64;
        let text = String::from_utf8_lossy(line);
        let text = if n_secrets > 0 { scanner.redact(&text) } else { Cow::Borrowed(&*text) };
        if n_secrets > 0 {
            withheld.n_secrets += n_secrets;
            withheld.lines.push(n);
        }
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        Ok(Then::Go)
    })?;
    file.flush()?;
    Ok((withheld.n_secrets > 0).then_some(withheld))
}

fn is_log(part: Part) -> bool {
    matches!(part, Part::Run(_, OfRun::Events | OfRun::Egress | OfRun::Recording))
}

/// Unpacks a bundle into a folder that goes when it is dropped.
pub fn open(file: &Path) -> anyhow::Result<(TempDir, Place)> {
    let dir = tempfile::Builder::new().prefix("zazen-bundle-").tempdir();
    let dir = dir.context("make room for a bundle")?;
    unpack(file, dir.path()).with_context(|| format!("unpack {}", file.display()))?;
    let place = Place::unpacked(dir.path())?;
    Ok((dir, place))
}

/// Unpacks a bundle into a new folder: all of it, or nothing.
pub fn import(file: &Path, to: &Path) -> anyhow::Result<Place> {
    if to.exists() {
        bail!("{} is there already", to.display());
    }
    let parent = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
    let staging = tempfile::Builder::new().prefix(".zazen-bundle-").tempdir_in(parent);
    let staging = staging.with_context(|| format!("make room in {}", parent.display()))?;
    unpack(file, staging.path()).with_context(|| format!("unpack {}", file.display()))?;
    Place::unpacked(staging.path())?;
    fs::rename(staging.path(), to).with_context(|| format!("make {}", to.display()))?;
    Place::unpacked(to)
}

/// Takes a bundle, as a file or unpacked by [`import`], into a new folder that nobody else
/// writes to.
pub fn take(from: &Path, to: &Path) -> anyhow::Result<Place> {
    if !from.is_dir() {
        return import(from, to);
    }
    copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    Place::unpacked(to)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for (n, name) in names(from)?.into_iter().enumerate() {
        let item = item(&name)?;
        // What is no plain file by now is not waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = rustix::fs::open(from.join(&name), flags, Mode::empty());
        let file = File::from(file.with_context(|| format!("open `{name}`"))?);
        let facts = file.metadata()?;
        if !facts.is_file() || facts.len() > item.bytes_max() || n >= FILES_MAX {
            bail!("`{name}` is no plain file or too large, or there are too many files");
        }
        let path = to.join(&name);
        fs::create_dir_all(path.parent().unwrap_or(to))?;
        io::copy(&mut file.take(item.bytes_max()), &mut File::create_new(&path)?)?;
    }
    Ok(())
}

fn item(name: &str) -> anyhow::Result<Item> {
    Item::parse(name)
        .with_context(|| format!("`{}` is no file of a bundle", zazen_core::receipt::name(name)))
}

/// Whether a file begins like a bundle.
pub fn is_bundle(file: &Path) -> bool {
    let Ok(file) = File::open(file) else { return false };
    if !file.metadata().is_ok_and(|facts| facts.is_file()) {
        return false;
    }
    let first = Reader::new(file).next();
    first.is_ok_and(|entry| entry.is_some_and(|entry| entry.name == MANIFEST))
}

fn unpack(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut file = File::open(from).context("open it")?;
    if !file.metadata()?.is_file() {
        bail!("it is not a plain file");
    }
    file.seek(SeekFrom::Start(0))?;
    let mut reader = Reader::new(BufReader::new(file));
    let (mut last, mut n_files) = (None, 0);
    while let Some(entry) = reader.next()? {
        let item = item(&entry.name)?;
        if last.is_some_and(|last| last >= item) {
            bail!("`{}` stands twice in it, or in the wrong place", entry.name);
        }
        n_files += 1;
        if n_files > FILES_MAX || entry.n_bytes > item.bytes_max() {
            bail!("`{}` is too large, or there are too many files", entry.name);
        }
        last = Some(item);
        let path = to.join(&entry.name);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder)?;
        let mut file = BufWriter::new(File::create_new(&path)?);
        reader.content(&entry, &mut file)?;
        file.flush()?;
    }
    Ok(())
}

/// The files of an unpacked bundle that its receipt says nothing of, by their names.
pub fn strangers(place: &Place, receipt: &Receipt) -> io::Result<Vec<String>> {
    let stated = parts(receipt);
    let mut strangers = Vec::new();
    for name in names(place.dir())? {
        let is_known = match Item::parse(&name) {
            Some(Item::Part(part)) => stated.contains(&part),
            Some(Item::Manifest | Item::Receipt | Item::Repo) => true,
            None => false,
        };
        if !is_known {
            strangers.push(name);
        }
    }
    Ok(strangers)
}

/// The names of all files in an unpacked bundle, as far down as those of bundles are.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![(dir.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() && depth < 2 {
                folders.push((entry.path(), format!("{name}/"), depth + 1));
            } else {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
