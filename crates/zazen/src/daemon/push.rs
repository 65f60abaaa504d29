//! Puts a verified commit on the remote: its branch, then its receipt.

use zazen_core::engine::Fact;
use zazen_core::id::CommitId;
use zazen_core::task::{Event, Task, TroubleKind};

use super::crash::{self, Moment};
use super::perform::{branch, trouble};
use super::rebase;
use super::seal;
use super::world::World;
use crate::config::Forge;
use crate::forge::github::client::Purpose;
use crate::git::publish::{PushError, Pushed, Remote, push, push_rewritten};
use crate::git::{Mirror, Source, create_bare};

/// Who it was that changed something, where nobody knows the name.
const SOMEBODY: &str = "somebody";

/// Pushes the branch of a task, if that takes nothing away from anyone.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Vec<Fact>> {
    let mut pushed = push_once(world, task, head).await?;
    if pushed.as_ref().is_err_and(PushError::is_denial) {
        // Somebody may have given it more since this token was made. A new one knows.
        world.forget_tokens();
        pushed = push_once(world, task, head).await?;
    }
    let event = match pushed {
        Ok(_) => {
            crash::point(world.crash(), Moment::BranchPushed);
            seal::publish(world, task, head).await?;
            Event::Pushed { head: head.clone() }
        }
        Err(err @ PushError::Foreign { .. }) => {
            Event::Blocked { trouble: trouble(TroubleKind::ForeignBranch, &err.into()) }
        }
        Err(err) if err.is_denial() || matches!(err, PushError::Rejected { .. }) => {
            Event::Blocked { trouble: trouble(TroubleKind::Refused, &err.into()) }
        }
        // Who did it, git does not say.
        Err(PushError::Gone { .. }) => Event::BranchDeleted { by: SOMEBODY.to_owned() },
        Err(err) => return Err(shut_out(world, err)),
    };
    Ok(vec![Fact::of(task.id, event)])
}

async fn push_once(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Result<Pushed, PushError>> {
    let mirror = world.mirror(&task.repo).await?;
    let remote = remote(world, task, &mirror).await?;
    let branch = branch(task)?;
    Ok(match rebase::rewritten(world, task, head) {
        Some(what) => push_rewritten(&mirror, &remote, &branch, &what).await,
        None => push(&mirror, &remote, &branch, head).await,
    })
}

/// What kept us from a remote. The token that it did not take is not used again.
pub(super) fn shut_out(world: &World, err: PushError) -> anyhow::Error {
    if matches!(err, PushError::Unauthorized { .. }) {
        world.forget_tokens();
    }
    err.into()
}

/// Where the branches of a task's repository go.
pub(super) async fn remote(world: &World, task: &Task, mirror: &Mirror) -> anyhow::Result<Remote> {
    let repo = world.repo(&task.repo)?;
    match repo.forge {
        Forge::Github => {
            let auth = world.auth(&task.repo, Purpose::Push).await?;
            Ok(Remote { source: repo.source.parse()?, auth })
        }
        Forge::Local => {
            let path = repo.remote.clone();
            if !path.exists() {
                create_bare(&path, mirror).await?;
            }
            Ok(Remote { source: Source::Path(path), auth: None })
        }
    }
}
