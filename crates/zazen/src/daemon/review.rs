//! Reviews of pull requests: what is read, what it is compared with, where it is said.
//!
//! A review stays at the commit that it was asked for, whatever is pushed meanwhile. That
//! commit may be anybody's: it is fetched, checked out and read, and nothing of it is ever
//! run or believed. See [`crate::forge::Publisher::review`] for how it is posted.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;

use anyhow::Context as _;
use zazen_core::engine::Fact;
use zazen_core::id::CommitId;
use zazen_core::review::{self, Finding, Review};
use zazen_core::task::{Event, PullHead, Task};
use zazen_core::words::{self, Aside};

use super::perform::base_branch;
use super::world::World;
use crate::config::Forge;
use crate::forge::github::client::{CallError, Purpose};
use crate::forge::{self, NewReview};
use crate::git::{FetchError, KeptRef, Mirror};
use crate::home::Home;

/// What is to be reviewed is not to be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is not part of #{} any more, and cannot be had; write `/review` for what is",
    .0.head.short(),
    .0.pull
)]
struct Gone(PullHead);

/// Sees to it that what a task is to review is in the mirror, and what it is compared with.
pub(super) async fn fetch(world: &World, task: &Task, mirror: &Mirror) -> anyhow::Result<()> {
    let Some(review) = &task.review else { return Ok(()) };
    if world.repo(&task.repo)?.forge == Forge::Local {
        // It is zazen's own work.
        return Ok(());
    }
    let PullHead { pull, head } = &review.at;
    world.fetch(&task.repo, mirror).await?;
    if !mirror.has(head).await? {
        let auth = world.auth(&task.repo, Purpose::Read).await?;
        mirror.fetch_pull(*pull, auth.as_ref()).await?;
    }
    if !mirror.has(head).await? {
        return Err(Gone(review.at.clone()).into());
    }
    // Whatever is pushed, the commit stays.
    mirror.update_ref(&KeptRef::base(task.id), head, None).await
}

/// Whether what kept a review from being begun goes away by itself.
pub(super) fn is_passing(err: &anyhow::Error) -> bool {
    let fetch = err.downcast_ref::<FetchError>();
    let call = err.downcast_ref::<CallError>();
    fetch.is_some_and(FetchError::is_passing) || call.is_some_and(CallError::is_passing)
}

/// Whether a review was not begun as there is nothing to be had.
pub(super) fn is_missing(err: &anyhow::Error) -> bool {
    err.is::<FetchError>() || err.is::<Gone>()
}

/// The commit that the work of a task is on top of: the tip of what a pull request is to go
/// into, where one is reviewed.
pub(super) async fn onto(
    world: &World,
    task: &Task,
    mirror: &Mirror,
) -> anyhow::Result<Option<CommitId>> {
    if task.review.is_none() {
        return Ok(task.base.clone());
    }
    let proposed = world.forge.issue(&task.repo, task.issue)?.proposed;
    if let Some(proposed) = proposed.filter(|proposed| !proposed.base.is_empty()) {
        // Not every base is a branch still. Then the usual one says more than nothing.
        if let Some(onto) = mirror.resolve(&proposed.base).await? {
            return Ok(Some(onto));
        }
    }
    let branch = base_branch(world, task, mirror).await?;
    mirror.resolve(&branch).await
}

/// Puts a review on its pull request: beside the lines, where the forge has places for that.
pub(super) async fn post(world: &World, task: &Task, at: &PullHead) -> anyhow::Result<Vec<Fact>> {
    let path = Home::report_page(&world.task_dir(task));
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let review = review::parse(&text).context("read the review again")?;
    let key = format!("{}/review", task.id);
    if world.publisher.has_asides(&task.repo) {
        give(world, task, (at, &review), &key).await?;
    } else {
        let text = world.clean(words::review_comment(at, &review).as_str());
        world.publisher.show(&task.repo, task.issue, (&key, &text)).await?;
    }
    Ok(vec![Fact::of(task.id, Event::ReviewPosted)])
}

async fn give(
    world: &World,
    task: &Task,
    (at, review): (&PullHead, &Review),
    key: &str,
) -> anyhow::Result<()> {
    let shown = shown(world, task, (at, review)).await?;
    let places: Vec<Aside> = review.findings.iter().map(|finding| place(finding, &shown)).collect();
    let head = world.publisher.head_of(&task.repo, at.pull).await?;
    let at = (at, head.as_ref().filter(|head| **head != at.head));
    let below = vec![Aside::Below; review.findings.len()];
    let body = world.clean(words::review_body(at, review, &places).as_str());
    let whole = world.clean(words::review_body(at, review, &below).as_str());
    let findings = review.findings.iter().zip(&places);
    let beside = findings.filter(|(_, place)| **place == Aside::Beside);
    let asides: Vec<forge::Aside> = beside
        .filter_map(|(finding, _)| {
            let at = finding.place.as_ref()?;
            let body = world.clean(words::review_aside(finding).as_str());
            Some(forge::Aside { path: at.path.clone(), line: at.line, body })
        })
        .collect();
    let new = NewReview { at: at.0, body: &body, asides: &asides, whole: &whole };
    world.publisher.review(&task.repo, (key, &new)).await
}

/// The lines that the pull request shows, of each file that the review speaks of.
async fn shown(
    world: &World,
    task: &Task,
    (at, review): (&PullHead, &Review),
) -> anyhow::Result<BTreeMap<String, Vec<RangeInclusive<u32>>>> {
    let mirror = world.mirror(&task.repo).await?;
    let Some(onto) = onto(world, task, &mirror).await? else { return Ok(BTreeMap::new()) };
    let places = review.findings.iter().filter_map(|finding| finding.place.as_ref());
    let paths = places.map(|place| place.path.as_str()).collect();
    mirror.shown_lines((&onto, &at.head), &paths).await
}

fn place(finding: &Finding, shown: &BTreeMap<String, Vec<RangeInclusive<u32>>>) -> Aside {
    let Some(at) = &finding.place else { return Aside::Below };
    let ranges = shown.get(&at.path);
    let is_shown = ranges.is_some_and(|all| all.iter().any(|lines| lines.contains(&at.line)));
    if is_shown { Aside::Beside } else { Aside::Below }
}
