//! Tells an agent at work what somebody wrote on the issue.
//!
//! It goes in as what a user says, with whose words they are, and never as a command line.
//! That it arrived, only the harness can say: it repeats what it has taken in.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use zazen_core::engine::Fact;
use zazen_core::id::RunId;
use zazen_core::prompt;
use zazen_core::task::{Digest, Event, Reached, Saying, Task};

use super::agents::Acting;
use super::world::World;
use crate::sandbox::{self, LaunchSpec, Phase as Stage, RunDir, Work};

/// How often is looked whether the agent has taken it in. It does so between two steps.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Every how many looks it is said again: before the sandbox stands, nobody hears it. The
/// runner passes it on once.
const LOOKS_PER_SAYING: u32 = 20;

/// Tells the agent of a run, and reports whom it reached.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    (run, saying): (Option<RunId>, Saying),
) -> anyhow::Result<Vec<Fact>> {
    let is_told = match run {
        Some(run) => tell(world, task, (run, &saying)).await?,
        None => false,
    };
    let reached = if is_told { Reached::AtWork } else { Reached::Next };
    Ok(vec![Fact::of(task.id, Event::Told { text: saying.text, reached })])
}

/// Says it until the agent has taken it in, or its run is over.
async fn tell(world: &World, task: &Task, (run, saying): (RunId, &Saying)) -> anyhow::Result<bool> {
    let dir = RunDir::new(world.home.run_dir(run));
    let text = world.forge.text(&task.repo, (saying.text.on, saying.text.id))?;
    let words = world.clean(&prompt::said_meanwhile(&saying.by, &text.body));
    let id = id_of(saying);
    let Some(acting) = Acting::expected(world, task, &dir) else { return Ok(false) };
    let Some(line) = acting.harness.message(&id, &words) else { return Ok(false) };
    for n_looks in 0_u32.. {
        if world.live.was_told(run, &id) {
            return Ok(true);
        }
        if world.closing.is_cancelled() {
            bail!("the daemon ends; the next one says it");
        }
        if n_looks.is_multiple_of(LOOKS_PER_SAYING) {
            match dir.observe()? {
                Stage::Ended(_) | Stage::Lost => break,
                Stage::Absent | Stage::Starting => {}
                Stage::Running if !listens(&dir)? => break,
                Stage::Running => {
                    sandbox::say(dir.path(), &id, &line)?;
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(false)
}

/// Names a saying to the harness, which wants a UUID.
fn id_of(saying: &Saying) -> String {
    let Digest(digest) = Digest::of(&format!("{:?}", saying.text));
    format!("00000000-0000-4000-8000-{digest:012x}")
}

/// Whether the work of a run reads on after its prompt.
fn listens(dir: &RunDir) -> anyhow::Result<bool> {
    let spec = fs::read(dir.spec()).context("read the spec of a run")?;
    let spec: LaunchSpec = serde_json::from_slice(&spec).context("read the spec of a run")?;
    Ok(matches!(spec.work, Work::Harness { open_until: Some(_), .. }))
}
