//! The review of zazen's own work by a second agent, before people see it.
//!
//! Who may review is decided when the guards have looked; what a reviewer is told is in
//! [`zazen_core::prompt`], and nothing of it is what the author said. What it found is checked
//! against the files, and kept in the folder of its run: the pull request, the correction
//! and the next review read it there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zazen_core::guard::GuardName;
use zazen_core::id::{AgentName, CommitId, RunId};
use zazen_core::prompt::{self, Brief, Own};
use zazen_core::review::{self, Progress, Quotes, Review, Unfounded};
use zazen_core::roster::{self, Made, Reviewers, Role};
use zazen_core::task::{Digest, Outcome, Proof, Task, TroubleKind, Try, Work};
use zazen_core::text::plain;
use zazen_core::words::{self, NotReviewed, OwnReview, Reviewed};

use super::agents::Acting;
use super::checks;
use super::examine;
use super::judge;
use super::world::World;
use crate::git::Mirror;
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{LaunchSpec, RunDir};

/// What is known of one review: `reviewed.json` in the folder of its run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    v: u32,
    /// What was reviewed.
    head: CommitId,
    /// The review before the last correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<RunId>,
    n_dropped: u32,
    n_unplaced: u32,
    n_moved: u32,
}

/// The version of [`Kept`].
const KEPT_VERSION: u32 = 1;

/// The names in the folder of a reviewer's run: the review as it was checked, and what is known
/// of it.
pub(super) const REVIEW_FILE: &str = "review.md";
const KEPT_FILE: &str = "reviewed.json";

/// How much of a change is read for a reviewer, in bytes. More is cut by the prompt anyway.
const DIFF_BYTES_MAX: usize = 1 << 20;

/// How much of a correction is read to see whether it takes back another, in bytes.
const CORRECTION_BYTES_MAX: usize = 1 << 20;

/// The agents that may review the work of a task, the first choice first.
pub(super) fn reviewers(world: &World, task: &Task) -> Vec<AgentName> {
    let candidates = world.config.roster.agents(&task.repo, Role::Review);
    let made = world.config.agents.iter().map(|(name, agent)| {
        let (harness, model) = (agent.harness.word().to_owned(), agent.model.clone());
        (name.clone(), Made { harness, model })
    });
    let made: BTreeMap<AgentName, Made> = made.collect();
    let wanted = world.config.policy.own_review.by;
    roster::reviewers(wanted, &candidates, &authors(world, task), &made)
}

/// The agents that have changed something for a task: the only runs that are to bring commits
/// back are theirs.
fn authors(world: &World, task: &Task) -> BTreeSet<AgentName> {
    let mut authors = BTreeSet::new();
    for n in 1..=task.n_runs {
        let dir = RunDir::new(world.home.run_dir(RunId { task: task.id, n }));
        let is_author = fs::read(dir.spec())
            .ok()
            .and_then(|text| serde_json::from_slice::<LaunchSpec>(&text).ok())
            .is_some_and(|spec| spec.collect.is_some());
        if let Some(acting) = Acting::read(&dir).filter(|_| is_author) {
            authors.insert(acting.agent);
        }
    }
    authors
}

/// What a reviewer is asked.
pub(super) async fn prompt(
    world: &World,
    task: &Task,
    (mirror, work, brief): (&Mirror, &Work, &Brief),
    attempt: &Try,
) -> anyhow::Result<String> {
    let base = task.base.as_ref().context("the base is not known")?;
    let head = work.head.as_ref().context("there is nothing to review")?;
    let diff = mirror.diff(base, head, DIFF_BYTES_MAX).await?.text;
    let (plan, _) = world.plan(&work.plan.hash)?;
    let checks = match work.proof.green {
        Some(green) => {
            let (checks, output) = checks::of(world, &work.proof, green)?;
            words::checks_evidence(&checks, &output)
        }
        None => String::new(),
    };
    let earlier = work.proof.earlier.map(|earlier| read(world, earlier.run)).transpose()?;
    let earlier = earlier.as_ref().map(|(review, _)| review);
    let found = examine::report(world, task, work.proof.examined.as_ref())?;
    let guards = found.map_or_else(String::new, |mut found| {
        // What agents claim is their own story.
        found.findings.retain(|finding| finding.guard != GuardName::Claims);
        words::guard_findings(&found)
    });
    let own = Own { plan: &plan, base, diff: &diff, checks: &checks, guards: &guards, earlier };
    Ok(prompt::review_own(brief, own, attempt))
}

/// What an agent that is to correct the work is asked.
pub(super) fn correction(
    world: &World,
    (work, brief): (&Work, &Brief),
    run: RunId,
    attempt: &Try,
) -> anyhow::Result<String> {
    let (text, plan) = world.plan(&work.plan.hash)?;
    let (review, _) = read(world, run)?;
    Ok(prompt::correct_own(brief, (&plan, &text), &review, attempt))
}

/// What a reviewer's answer comes to. Findings are about what is there, or they are dropped.
pub(super) async fn judge(
    world: &World,
    task: &Task,
    (dir, work, at): (&RunDir, &Work, &CommitId),
    answer: &str,
) -> anyhow::Result<Outcome> {
    let mut review = match review::parse(&plain(answer)) {
        Ok(review) => review,
        Err(err) => return Ok(judge::unreadable(TroubleKind::UnreadableReview, &err, answer)),
    };
    let unfounded = judge::look_up(world, task, (at, &mut review, Quotes::Needed)).await?;
    let text = review::print(&review);
    keep(world, task, (dir, &work.proof, at), (&text, unfounded))?;
    let own = world.config.policy.own_review;
    let n_blocking = review.n_blocking(own.blocks);
    let sends_back = n_blocking > 0
        && work.proof.n_sent_back < own.n_corrections_max
        && leads_somewhere(world, task, (&work.proof, at), &review).await?;
    let n_findings = u32::try_from(review.findings.len()).unwrap_or(u32::MAX);
    Ok(Outcome::Reviewed { digest: Digest::of(&text), n_findings, n_blocking, sends_back })
}

fn keep(
    world: &World,
    task: &Task,
    (dir, proof, at): (&RunDir, &Proof, &CommitId),
    (text, unfounded): (&str, Unfounded),
) -> anyhow::Result<()> {
    let Unfounded { n_dropped, n_unplaced, n_moved } = unfounded;
    let earlier = proof.earlier.map(|earlier| earlier.run);
    let (v, head) = (KEPT_VERSION, at.clone());
    let kept = Kept { v, head, earlier, n_dropped, n_unplaced, n_moved };
    let kept = serde_json::to_vec_pretty(&kept).context("print what is known of a review")?;
    let page = Home::review_page(&world.task_dir(task));
    if let Some(parent) = page.parent() {
        fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
    }
    let files = [
        (dir.path().join(REVIEW_FILE), text.as_bytes()),
        (dir.path().join(KEPT_FILE), kept.as_slice()),
        (page, text.as_bytes()),
    ];
    for (path, bytes) in files {
        atomic::write(&path, bytes, Durability::Durable)
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// A review of before, as it was checked.
fn read(world: &World, run: RunId) -> anyhow::Result<(Review, Kept)> {
    let dir = world.home.run_dir(run);
    let open = |name| {
        let path = dir.join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    };
    let review = review::parse(&open(REVIEW_FILE)?).context("read a review again")?;
    let kept = serde_json::from_str(&open(KEPT_FILE)?);
    Ok((review, kept.with_context(|| format!("read what is known of the review of run {run}"))?))
}

/// Whether one more correction may help: the last one mended something, and did not take
/// back what the one before did.
async fn leads_somewhere(
    world: &World,
    task: &Task,
    (proof, at): (&Proof, &CommitId),
    review: &Review,
) -> anyhow::Result<bool> {
    let Some(earlier) = proof.earlier else { return Ok(true) };
    let (earlier, kept) = read(world, earlier.run)?;
    if !Progress::new(&earlier, review).converges() {
        return Ok(false);
    }
    let Some(before) = kept.earlier else { return Ok(true) };
    let (_, first) = read(world, before)?;
    let mirror = world.mirror(&task.repo).await?;
    let earlier = mirror.diff(&first.head, &kept.head, CORRECTION_BYTES_MAX).await?;
    let later = mirror.diff(&kept.head, at, CORRECTION_BYTES_MAX).await?;
    Ok(!review::undoes(&earlier.text, &later.text))
}

/// What the pull request says of the review.
pub(super) fn told(world: &World, task: &Task, proof: &Proof) -> anyhow::Result<OwnReview> {
    let Some(own) = proof.review else {
        return Ok(OwnReview::Missing(match proof.unreviewed {
            Some(kind) => NotReviewed::Failed(kind),
            None if world.config.policy.own_review.by == Reviewers::Never => NotReviewed::NotWanted,
            None => NotReviewed::NoSecondAgent,
        }));
    };
    let (review, kept) = read(world, own.run)?;
    let Kept { n_dropped, n_unplaced, n_moved, .. } = kept;
    let acting = Acting::in_run(&world.home, own.run);
    let earlier = proof.earlier.map(|earlier| read(world, earlier.run)).transpose()?;
    Ok(OwnReview::By(Box::new(Reviewed {
        by: acting.as_ref().map_or_else(String::new, Acting::words),
        is_author: acting.is_some_and(|acting| authors(world, task).contains(&acting.agent)),
        review,
        unfounded: Unfounded { n_dropped, n_unplaced, n_moved },
        earlier: earlier.map(|(review, _)| review),
    })))
}
