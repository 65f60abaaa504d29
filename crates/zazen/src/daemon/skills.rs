//! Gives a run the skills of its repository: copies, in its private home.
//!
//! They are those of zazen's own home and, where the owner says so, those that stand on
//! the repository's base branch; never those of the checkout, which agents write to.
//! A skill that cannot be given is left out and said: the work does not depend on it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zazen_core::id::CommitId;
use zazen_core::prompt::Skills;
use zazen_core::skill::{self, SKILL_PAGE, Skill};
use zazen_core::task::Task;
use zazen_harness::Name;

use super::ground;
use super::world::World;
use crate::git::{Mirror, trash};
use crate::home::skills::{self, BYTES_MAX, FILES_MAX, Found, PAGE_BYTES_MAX, SKILLS_MAX};
use crate::sandbox::{self, RunDir};

/// Where repositories keep skills. Of two with the same name the first counts.
const REPO_FOLDERS: [&str; 2] = [".agents/skills/", ".claude/skills/"];

/// How large all skills of a run may be together. They count as its disk.
const ALL_BYTES_MAX: u64 = 16 << 20;

/// Puts the skills where the harness of the run looks for them. Returns those that its
/// prompt has to name.
pub(super) async fn give(
    world: &World,
    task: &Task,
    (dir, harness): (&RunDir, Name),
    (mirror, base): (&Mirror, Option<&CommitId>),
) -> anyhow::Result<Skills> {
    let place = harness.skills();
    let to = dir.home().join(place.folder);
    if to.exists() {
        // Half made by a start that failed; nothing has run with it.
        trash::remove(&to, &world.home.trash_dir())?;
    }
    let (above, _) = place.folder.rsplit_once('/').unwrap_or_default();
    sandbox::make_in_home(dir, above)?;
    let mut given = of_home(world, task, &to).await?;
    if let Some(base) = base.filter(|_| world.config.policy.repo_texts.skills) {
        let more = of_repository((mirror, base), &to, &given).await;
        let more = more.with_context(|| format!("read the skills of {}", task.repo))?;
        given.extend(more);
    }
    if to.exists() {
        ground::keep_skills(&to, dir).context("keep the skills that a run is given")?;
        sandbox::hand_over(&to)?;
    }
    if place.finds_them {
        given.clear();
    }
    Ok(Skills { folder: format!("~/{}", place.folder), all: given })
}

/// Copies those of zazen's home that the repository takes.
async fn of_home(world: &World, task: &Task, to: &Path) -> anyhow::Result<Vec<Skill>> {
    let (from, to) = (world.home.skills_dir(), to.to_owned());
    let choice = world.repo(&task.repo)?.skills.clone();
    let copied = tokio::task::spawn_blocking(move || {
        let mut n_left = ALL_BYTES_MAX;
        let mut given = Vec::new();
        for found in skills::read(&from).context("read the skills")? {
            match found {
                Ok(found) if !choice.takes(&found.skill.name) => {}
                Ok(Found { skill, n_bytes, .. }) if n_bytes > n_left => {
                    let mib = ALL_BYTES_MAX >> 20;
                    tracing::warn!("the skill `{}` is left out: all have {mib} MiB", skill.name);
                }
                Ok(found) => {
                    found.copy(&to)?;
                    n_left -= found.n_bytes;
                    given.push(found.skill);
                }
                Err(broken) => tracing::warn!("a skill is left out: {broken}"),
            }
        }
        anyhow::Ok(given)
    });
    copied.await.context("copy the skills")?
}

/// Writes those that stand on the base branch, but for names that are taken.
async fn of_repository(
    (mirror, base): (&Mirror, &CommitId),
    to: &Path,
    taken: &[Skill],
) -> anyhow::Result<Vec<Skill>> {
    let mut given: Vec<Skill> = Vec::new();
    let mut n_left = ALL_BYTES_MAX;
    for (name, of_skill) in folders(&mirror.list_files(base).await?) {
        let is_taken = |skill: &Skill| skill.name.as_str() == name;
        if taken.iter().any(is_taken) || taken.len() + given.len() >= SKILLS_MAX {
            continue;
        }
        match read(mirror, base, (&name, &of_skill)).await {
            Ok((_, files))
                if files.iter().map(|(_, text)| text.len() as u64).sum::<u64>() > n_left =>
            {
                tracing::warn!("the repository's skill `{name}` is left out: there is no room");
            }
            Ok((skill, files)) => {
                for (path, text) in files {
                    n_left -= text.len() as u64;
                    // Whether it is a program, git said and the listing does not.
                    let mode = if text.starts_with(b"#!") { 0o755 } else { 0o644 };
                    let context = || format!("write `{}`", path.display());
                    let mut file = skills::create(&to.join(&path), mode).with_context(context)?;
                    file.write_all(&text).with_context(context)?;
                }
                given.push(skill);
            }
            Err(err) => tracing::warn!("the repository's skill `{name}` is left out: {err:#}"),
        }
    }
    Ok(given)
}

/// The folders of skills in a list of files: each by its name, with the paths of its files.
fn folders(files: &[String]) -> BTreeMap<String, (&'static str, Vec<String>)> {
    let mut found = BTreeMap::new();
    for folder in REPO_FOLDERS {
        let mut here: BTreeMap<String, (&'static str, Vec<String>)> = BTreeMap::new();
        for path in files.iter().filter_map(|path| path.strip_prefix(folder)) {
            let Some((name, rest)) = path.split_once('/') else { continue };
            here.entry(name.to_owned()).or_insert((folder, Vec::new())).1.push(rest.to_owned());
        }
        for (name, of_skill) in here {
            found.entry(name).or_insert(of_skill);
        }
    }
    found
}

/// Reads one skill of the repository as a whole.
async fn read(
    mirror: &Mirror,
    base: &CommitId,
    (name, (folder, files)): (&str, &(&str, Vec<String>)),
) -> anyhow::Result<(Skill, Vec<(PathBuf, Vec<u8>)>)> {
    if files.len() > FILES_MAX {
        bail!("it has more than {FILES_MAX} files");
    }
    let page = format!("{folder}{name}/{SKILL_PAGE}");
    let text = mirror.read_file(base, &page, PAGE_BYTES_MAX).await?;
    let text = text.with_context(|| format!("there is no `{page}`"))?;
    let text = String::from_utf8(text).with_context(|| format!("read `{page}`"))?;
    let skill = skill::parse(name, &text).with_context(|| format!("read `{page}`"))?;
    let mut n_left = BYTES_MAX;
    let mut read = Vec::new();
    for file in files {
        let path = format!("{folder}{name}/{file}");
        // A link, or a name that was no text, is not a file that can be read.
        let text = mirror.read_file(base, &path, n_left).await?;
        let text = text.with_context(|| format!("`{path}` is no plain file"))?;
        n_left -= text.len() as u64;
        read.push((Path::new(name).join(file), text));
    }
    Ok((skill, read))
}
