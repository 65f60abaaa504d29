//! Holds the work to its own ground with Landlock: the second layer.
//!
//! Everything that is there may be read and run; written is only what is the
//! run's own. Where the kernel can, sockets without a file and signals stay
//! among the run's processes too. In a sandbox this repeats what the mounts
//! say, for the day one of them is wrong; without a sandbox it is most of what
//! there is. It does not hold the network: tests talk to servers of their own
//! on loopback, and what is beyond it is for the namespace to keep away.

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, bail};
use landlock::{
    ABI, Access, AccessFs, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use crate::sandbox::inside::Inside;
use crate::sandbox::spec::{Access as WorkspaceAccess, EngineKind};

/// The newest version whose rights were looked at. Older kernels get what they can do.
const NEWEST: ABI = ABI::V7;

/// The first version that can allow files to be moved between folders. The one
/// before it forbids that everywhere, and neither git nor a compiler lives so.
const OLDEST: u32 = 2;

/// The version that the kernel offers, if it is of use. Really tried, in a
/// thread of its own that ends right after.
pub(super) fn version() -> Option<u32> {
    let tried = thread::Builder::new().spawn(|| enforce(&[]));
    let status = tried.ok()?.join().ok()?.ok()?;
    in_force(&status).filter(|version| *version >= OLDEST)
}

/// Puts this thread, and all that it will start, under the rules.
pub(super) fn restrict(inside: &Inside) -> anyhow::Result<()> {
    let status = enforce(&own(inside)).context("hold the work to its folders")?;
    if in_force(&status).is_none() {
        bail!("Landlock was there a moment ago, and does not hold: {status:?}");
    }
    Ok(())
}

/// What the work may write to.
fn own(inside: &Inside) -> Vec<PathBuf> {
    let paths = &inside.paths;
    let mut own = vec![paths.home.clone(), paths.out.clone(), paths.tmp.clone(), "/dev".into()];
    if inside.access == WorkspaceAccess::ReadWrite {
        own.push(paths.workspace.clone());
    }
    if inside.engine == EngineKind::None {
        // Programs that do not ask where to go, go there.
        own.extend(["/tmp", "/var/tmp"].map(PathBuf::from));
    }
    own
}

fn enforce(own: &[PathBuf]) -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules([Path::new("/")], AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(own, AccessFs::from_all(NEWEST)))?
        .restrict_self()
}

/// The version whose rules are in force.
fn in_force(status: &RestrictionStatus) -> Option<u32> {
    match (&status.ruleset, status.landlock) {
        (
            RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
            LandlockStatus::Available { effective_abi, .. },
        ) => Some(effective_abi.min(NEWEST) as u32),
        _ => None,
    }
}
