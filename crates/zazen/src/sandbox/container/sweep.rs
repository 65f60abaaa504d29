//! Removes containers that no supervisor holds any more.
//!
//! When a supervisor dies, its runner ends itself and all that it started; what
//! stays is the engine's record of it, which is found by its labels.

use std::collections::BTreeSet;
use std::path::Path;

use zazen_core::id::RunId;

use super::api::Api;
use super::profile;
use crate::sandbox::inside::home_mark;
use crate::sandbox::run_dir::RunDir;
use crate::sandbox::spec::LaunchSpec;

/// Removes the containers of this home's runs that are not to be kept, or whose
/// supervisor is gone. Says of which runs there were any.
///
/// It is for the time before runs are started, and after `sandbox::sweep`.
pub async fn sweep(
    socket: &Path,
    runs: &Path,
    keep: &BTreeSet<RunId>,
) -> anyhow::Result<Vec<RunId>> {
    let api = Api::at(socket);
    let mut removed = Vec::new();
    for (run, id) in api.of_home(&home_mark(runs)).await? {
        let Ok(run) = run.parse::<RunId>() else { continue };
        let run_dir = RunDir::new(runs.join(run.to_string()));
        if keep.contains(&run) && run_dir.is_locked().unwrap_or(true) {
            continue;
        }
        api.remove(&id).await?;
        removed.push(run);
    }
    Ok(removed)
}

/// Removes the container of one run. It must have no supervisor any more.
pub(in crate::sandbox) fn clear_run(run_dir: &RunDir, spec: &LaunchSpec) -> anyhow::Result<()> {
    let wanted = profile::container(spec)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Api::at(&wanted.socket).remove(&profile::name(run_dir, spec)).await })
}
