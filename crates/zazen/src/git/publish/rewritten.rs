//! Replacing a branch of ours by the same work put onto another base.
//!
//! It is the only push that takes commits off a branch. So the branch has to be exactly
//! where we last published, and each commit that goes has to be ours, or somebody's
//! that comes along: the same change by the same author.

use std::collections::BTreeSet;

use zazen_core::id::CommitId;

use super::{BranchName, PushError, Pushed, Remote, look, push_onto};
use crate::git::range::patch_id;
use crate::git::rebase::People;
use crate::git::{Mirror, Ours, Person};

/// What replaces what.
#[derive(Debug, Clone)]
pub struct Rewritten {
    /// The commit that the published work builds on.
    pub base: CommitId,
    /// Where we last put the branch.
    pub published: CommitId,
    /// What is to be there.
    pub commit: CommitId,
    pub ours: Ours,
    pub people: People,
}

/// Replaces a branch of ours, if that takes nothing away from anyone.
pub async fn push_rewritten(
    mirror: &Mirror,
    remote: &Remote,
    branch: &BranchName,
    what: &Rewritten,
) -> Result<Pushed, PushError> {
    let Some(theirs) = look(mirror, remote, branch).await? else {
        return Err(PushError::Gone { branch: branch.clone() });
    };
    if theirs == what.commit {
        return Ok(Pushed::AlreadyThere);
    }
    if theirs != what.published {
        return Err(PushError::Foreign { branch: branch.clone(), theirs });
    }
    let is_on_it = mirror.is_ancestor(&theirs, &what.commit).await?;
    let lost = if is_on_it { None } else { lost(mirror, what).await? };
    if let Some(theirs) = lost {
        return Err(PushError::Foreign { branch: branch.clone(), theirs });
    }
    push_onto(mirror, remote, branch, (Some(&theirs), &what.commit)).await?;
    Ok(if is_on_it { Pushed::Advanced } else { Pushed::Replaced })
}

/// The first commit of somebody else that would be gone from the branch.
async fn lost(mirror: &Mirror, what: &Rewritten) -> anyhow::Result<Option<CommitId>> {
    let foreign = mirror.foreign_commits(&what.base, &what.published, &what.ours).await?;
    if foreign.is_empty() || what.people == People::Refuse {
        return Ok(foreign.into_iter().next().map(|foreign| foreign.commit));
    }
    let mut carried = BTreeSet::new();
    for commit in mirror.commits_between(&what.published, &what.commit).await? {
        let patch = patch_id(&mirror.git(), &commit.id).await?;
        carried.insert((patch, who(&commit.author)));
    }
    for foreign in foreign {
        let is_kept = mirror.is_ancestor(&foreign.commit, &what.commit).await?;
        let patch = patch_id(&mirror.git(), &foreign.commit).await?;
        if !is_kept && !carried.contains(&(patch, who(&foreign.author))) {
            return Ok(Some(foreign.commit));
        }
    }
    Ok(None)
}

fn who(person: &Person) -> (String, String, i64) {
    (person.name.clone(), person.email.clone(), person.time)
}

#[cfg(test)]
mod tests;
