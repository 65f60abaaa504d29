//! Links in an answer to the code on the forge, where the forge shows code.

use std::collections::BTreeSet;

use zazen_core::task::Task;
use zazen_core::words::{self, Links};

use super::world::World;
use crate::config::Forge;

/// An answer with links to the files of the commit that the agent read. An answer without
/// links is one, too: nothing fails for them.
pub(super) async fn linked(world: &World, task: &Task, answer: String) -> String {
    match with_links(world, task, &answer).await {
        Ok(Some(linked)) => linked,
        Ok(None) => answer,
        Err(err) => {
            tracing::warn!("the answer of task {} has no links: {err:#}", task.id);
            answer
        }
    }
}

async fn with_links(world: &World, task: &Task, answer: &str) -> anyhow::Result<Option<String>> {
    let (Some(github), Some(base)) = (&world.config.github, &task.base) else { return Ok(None) };
    if world.repo(&task.repo)?.forge != Forge::Github {
        return Ok(None);
    }
    let mirror = world.mirror(&task.repo).await?;
    let files: BTreeSet<String> = mirror.list_files(base).await?.into_iter().collect();
    let at = format!("{}{}/blob/{base}/", github.web(), task.repo);
    Ok(Some(words::linked(answer, Links { at: &at, files: &files })))
}
