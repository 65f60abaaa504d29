//! A bundle that is to be replayed: unpacked into a place apart, checked as `zazen verify`
//! does, and laid out as the folders of runs are.
//!
//! Nothing of it is run before its receipt was found to hold, with a key that is known here.
//! Where a part was taken out of it, or was never in it, the runs that need it are named.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use zazen_core::receipt::{KeyId, OfRun, Part, Receipt, Run, Verdict};
use zazen_core::words;

use super::super::apart::Apart;
use super::super::ground::{self, skills};
use super::again::{Again, MadeWithTree, Origin};
use super::recorded::{Loaded, load};
use super::{Came, Made, Replay, Replayed, sum_up};
use crate::git::Carried;
use crate::home::atomic::{self, Durability};
use crate::receipt::{Place, Repo, bundle, check, derive};
use crate::sandbox::RunDir;

/// See the module.
#[expect(missing_debug_implementations, reason = "a place apart has none")]
pub struct Bundled {
    apart: Apart,
    place: Place,
    receipt: Receipt,
}

/// The parts of a run that it is made again from, in the order in which they are missed.
const NEEDED: [OfRun; 7] = [
    OfRun::Spec,
    OfRun::Ground,
    OfRun::Agent,
    OfRun::Skills,
    OfRun::Commits,
    OfRun::Events,
    OfRun::Recording,
];

impl Replay {
    /// Unpacks a bundle, from its file or from a folder, and checks it. One that does not
    /// hold is refused.
    pub async fn open(&self, path: &Path, trusted: &BTreeSet<KeyId>) -> anyhow::Result<Bundled> {
        let path = path.canonicalize().with_context(|| format!("open {}", path.display()))?;
        let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
        let apart = self.apart(&format!("bundle-{}", &hash[..16])).await?;
        match unpack(&apart, &path, trusted).await {
            Ok((place, receipt)) => Ok(Bundled { apart, place, receipt }),
            Err(err) => {
                apart.remove().await?;
                Err(err)
            }
        }
    }

    /// Replays all runs of a bundle, in their order. Each is told as soon as it is known.
    pub async fn bundle(
        &self,
        bundled: Bundled,
        tell: &mut dyn FnMut(&Made),
    ) -> anyhow::Result<Replayed> {
        let runs = bundled.all(self, tell).await;
        bundled.apart.remove().await?;
        Ok(sum_up(bundled.receipt.task, runs?))
    }
}

async fn unpack(
    apart: &Apart,
    path: &Path,
    trusted: &BTreeSet<KeyId>,
) -> anyhow::Result<(Place, Receipt)> {
    let place = bundle::take(path, &apart.room("bundle"))?;
    let checked = check::check(&place, trusted).await;
    let is_broken = checked.report.verdict() == Verdict::Broken;
    let Some(receipt) = checked.receipt.filter(|_| !is_broken) else {
        bail!("{}", words::not_replayed(&checked.report));
    };
    let range = (&receipt.base.commit, &receipt.head.commit);
    if let Repo::Packed(file) = place.repo()
        && file.exists()
    {
        let carried = Carried::unpack(file, range).await?;
        let dir = carried.dir().context("the commits are in a folder of their own")?;
        apart.borrow(&dir.join("objects")).await?;
        apart.mirror.end_at(range.0)?;
    }
    for run in &receipt.runs {
        lay_out(&place, run).with_context(|| format!("unpack run {}", run.run))?;
    }
    Ok((place, receipt))
}

/// Makes of the parts of a run what its folder had beside them.
fn lay_out(place: &Place, run: &Run) -> anyhow::Result<()> {
    let dir = dir(place, run);
    let is_whole = |of| place.withheld(Part::Run(run.run, of)).is_none();
    if is_whole(OfRun::Events)
        && let Some(exit) = derive::exit(place, run.run)?
    {
        atomic::write(&dir.exit(), &serde_json::to_vec(&exit)?, Durability::Relaxed)?;
    }
    let skills = Part::Run(run.run, OfRun::Skills);
    if is_whole(OfRun::Skills) && place.part(skills).exists() {
        let text = atomic::read_small(&place.part(skills), skills.bytes_max());
        skills::unpack(&text.context("it is too large")?, &ground::kept_skills(&dir))?;
    }
    Ok(())
}

/// The folder of a run in a bundle: that of its parts.
fn dir(place: &Place, run: &Run) -> RunDir {
    RunDir::new(place.dir().join("runs").join(run.run.to_string()))
}

impl Bundled {
    /// What is in it, for people.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    async fn all(
        &self,
        replay: &Replay,
        tell: &mut dyn FnMut(&Made),
    ) -> anyhow::Result<Vec<MadeWithTree>> {
        let (apart, repo) = (&self.apart, &self.receipt.issue.repo);
        let again = Again { replay, apart, mirror: &apart.mirror, repo, origin: Origin::Bundle };
        let mut runs = Vec::new();
        for run in &self.receipt.runs {
            let loaded = match self.lacks(run) {
                Some(why) => Loaded::Not(Made::without(run.run, Came::Missing, &why)),
                None => load(&dir(&self.place, run), run.run)?,
            };
            runs.push(again.told(loaded, tell).await?);
        }
        Ok(runs)
    }

    /// What a run would need that is not in the bundle, or not as it was. One that came to
    /// nothing then needs nothing.
    fn lacks(&self, run: &Run) -> Option<String> {
        if run.end.reason != derive::EXITED {
            return None;
        }
        NEEDED.into_iter().find_map(|of| {
            let (part, file) = (Part::Run(run.run, of), of.file());
            if let Some(withheld) = self.place.withheld(part) {
                let why = words::unknown_link(&withheld.lines);
                return Some(format!("its `{file}` is not as it was: {why}"));
            }
            let is_always = matches!(of, OfRun::Spec | OfRun::Ground | OfRun::Events);
            let is_stated = run.files.contains_key(&of);
            let is_there = self.place.part(part).exists();
            ((is_always || is_stated) && !is_there)
                .then(|| format!("its `{file}` is not in the bundle"))
        })
    }
}
