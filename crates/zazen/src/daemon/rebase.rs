//! Puts what is published for a task onto its base branch as that is by now.
//!
//! Here it only comes to be, in the mirror, and is kept by a ref. It is checked as all else
//! and pushed by `perform`, in place of exactly what was published. Done again after a crash,
//! it comes to the same commit, as long as the base has not moved again.

use anyhow::Context as _;
use zazen_core::engine::Fact;
use zazen_core::id::CommitId;
use zazen_core::task::{CONFLICTS_MAX, EVIDENCE_BYTES_MAX, Event, NotRebased, State, Task};
use zazen_core::text::{cut_middle, plain};

use super::perform::{base_branch, branch, may_pass};
use super::push::{remote, shut_out};
use super::world::World;
use crate::git::publish::{Rewritten, look};
use crate::git::rebase::{Conflict, People, Rebase, RebaseError, rebase};
use crate::git::{ForeignCommit, KeptRef, Mirror, Ours};

/// What it comes to: the new base and the new tip, or why there are none.
type Outcome = Result<(CommitId, CommitId), NotRebased>;

/// How many rebases of one task are kept at most; each was asked for by a person.
const KEPT_MAX: u32 = 10_000;

/// Puts the commits that are published at `head` onto the base branch.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Vec<Fact>> {
    let from = head.clone();
    let event = match put_on_base(world, task, head).await {
        Ok(Ok((onto, head))) => Event::Rebased { from, onto, head },
        Ok(Err(why)) => Event::NotRebased { from, why },
        Err(err) if may_pass(&err) => return Err(err),
        Err(err) => Event::NotRebased { from, why: other(world, &format!("{err:#}")) },
    };
    Ok(vec![Fact::of(task.id, event)])
}

/// What replaces what when this is pushed, if it is put onto another base.
pub(super) fn rewritten(world: &World, task: &Task, head: &CommitId) -> Option<Rewritten> {
    let State::Publishing(published) = &task.state else { return None };
    let rework = published.work.rework.as_deref()?;
    Some(Rewritten {
        base: rework.rebased.clone()?,
        published: rework.head.clone(),
        commit: head.clone(),
        ours: ours(world, task),
        people: People::Refuse,
    })
}

async fn put_on_base(world: &World, task: &Task, head: &CommitId) -> anyhow::Result<Outcome> {
    let mirror = world.mirror(&task.repo).await?;
    let remote = remote(world, task, &mirror).await?;
    let there = look(&mirror, &remote, &branch(task)?).await;
    match there.map_err(|err| shut_out(world, err))? {
        Some(theirs) if theirs != *head => return Ok(Err(NotRebased::Foreign { head: theirs })),
        None => return Ok(Err(other(world, "the branch is gone from the remote"))),
        Some(_) => {}
    }
    world.fetch(&task.repo, &mirror).await?;
    let name = base_branch(world, task, &mirror).await?;
    let onto = mirror.resolve(&name).await?;
    let onto = onto.with_context(|| format!("`{}` has no branch `{name}`", task.repo))?;
    if mirror.is_ancestor(&onto, head).await? {
        return Ok(Err(NotRebased::OnTop { base: onto }));
    }
    let what = Rebase {
        base: task.base.clone().context("the base is not known")?,
        head: head.clone(),
        onto,
        ours: ours(world, task),
        people: People::Refuse,
        kept: free_ref(&mirror, task).await?,
    };
    outcome(world, &mirror, what).await
}

async fn outcome(world: &World, mirror: &Mirror, what: Rebase) -> anyhow::Result<Outcome> {
    Ok(match rebase(mirror, &what).await {
        Ok(rebased) if rebased.head == what.onto => {
            Err(NotRebased::NothingLeft { base: what.onto })
        }
        Ok(rebased) => Ok((what.onto, rebased.head)),
        Err(RebaseError::Conflicts { commit, conflicts, .. }) => {
            Err(conflict(world, commit, &conflicts))
        }
        Err(RebaseError::Foreign(foreign)) => Err(theirs(foreign, what.head)),
        Err(RebaseError::Failed(err)) => return Err(err.context("rebase")),
        Err(
            err @ (RebaseError::Merge { .. }
            | RebaseError::NotOnBase { .. }
            | RebaseError::TooManyCommits { .. }
            | RebaseError::TooCostly
            | RebaseError::GitTooOld { .. }),
        ) => Err(other(world, &err.to_string())),
    })
}

/// The ref to keep it by: the first that is free. Those before keep what was published.
async fn free_ref(mirror: &Mirror, task: &Task) -> anyhow::Result<KeptRef> {
    for n in 1..=KEPT_MAX {
        let kept = KeptRef::rebased(task.id, n);
        if mirror.resolve_kept(&kept).await?.is_none() {
            return Ok(kept);
        }
    }
    anyhow::bail!("task {} was rebased more than {KEPT_MAX} times", task.id)
}

/// Which commits are ours. What a task's refs keep under another name is somebody else's.
fn ours(world: &World, task: &Task) -> Ours {
    Ours { task: task.id, author: world.config.policy.author.clone() }
}

fn conflict(world: &World, commit: CommitId, conflicts: &[Conflict]) -> NotRebased {
    let paths = conflicts.iter().take(CONFLICTS_MAX);
    NotRebased::Conflict {
        commit,
        paths: paths.map(|conflict| world.clean(&conflict.path)).collect(),
        n_paths: u32::try_from(conflicts.len()).unwrap_or(u32::MAX),
    }
}

/// The last of somebody else's commits.
fn theirs(foreign: Vec<ForeignCommit>, head: CommitId) -> NotRebased {
    let last = foreign.into_iter().next_back();
    NotRebased::Foreign { head: last.map_or(head, |foreign| foreign.commit) }
}

fn other(world: &World, why: &str) -> NotRebased {
    let why = world.clean(&plain(why));
    NotRebased::Other { evidence: cut_middle(&why, EVIDENCE_BYTES_MAX) }
}
