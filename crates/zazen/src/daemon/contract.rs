//! What a person says yes to with a plan: made when the plan is there, kept by its hash, and
//! read again for what holds while the work is done.

use std::fs;

use anyhow::Context as _;
use zazen_core::brief::{self, Brief};
use zazen_core::contract::{self, Bounds, Parts};
use zazen_core::delegate::{self, Subject};
use zazen_core::id::PlanHash;
use zazen_core::plan::{ParseError, Plan};
use zazen_core::task::{Around, ContractRef, Task};
use zazen_core::words::{self, Text};

use super::perform::check_command;
use super::world::World;
use crate::home::Home;

/// Makes the contract of a plan, and keeps its text.
pub(super) fn of(
    world: &World,
    task: &Task,
    (hash, plan): (&PlanHash, &Plan),
) -> anyhow::Result<Box<ContractRef>> {
    let issue = world.forge.issue(&task.repo, task.issue)?;
    let brief = Brief::parse(&issue.body).unwrap_or_default();
    let (title, text, labels) = (&*issue.title, &*issue.body, &*issue.labels);
    let subject = Subject { title, text, labels, plan };
    let kinds = delegate::kinds(&world.config.policy.kinds, subject);
    let hosts = world.repo(&task.repo)?.hosts.entries();
    let check = check_command(world, task, plan)?;
    let parts =
        Parts { hash, plan, brief: &brief, title, check: &check, hosts: &hosts, kinds: &kinds };
    // Secrets are struck out before it is hashed: what is shown is what is approved.
    let text = world.clean(&contract::print(&parts));
    let hash = world.keep_plan(&text)?;
    let needs = kinds.iter().filter_map(|kind| kind.need()).collect();
    Ok(Box::new(ContractRef { hash, needs }))
}

/// What a plan does not ask for though the issue's brief lacks it.
pub(super) fn check_questions(
    world: &World,
    task: &Task,
    plan: &Plan,
) -> anyhow::Result<Result<(), ParseError>> {
    let issue = world.forge.issue(&task.repo, task.issue)?;
    let Some(brief) = Brief::parse(&issue.body) else { return Ok(Ok(())) };
    let missing = brief.missing(&world.repo(&task.repo)?.check);
    let problems = brief::unasked(plan, &missing);
    Ok(if problems.is_empty() { Ok(()) } else { Err(ParseError { problems }) })
}

/// The text of a contract.
pub(super) fn text(world: &World, contract: &ContractRef) -> anyhow::Result<String> {
    let path = world.home.blobs_dir().join(format!("{}.md", contract.hash));
    let text = fs::read_to_string(&path);
    text.with_context(|| format!("read the contract in {}", path.display()))
}

/// The plan's comment, with the contract that is approved with it.
pub(super) fn plan_comment(
    world: &World,
    (task, around): (&Task, &Around),
) -> anyhow::Result<Text> {
    let shown = task.plan.as_ref().context("there is no plan to show")?;
    let (_, plan) = world.plan(&shown.hash)?;
    let page = Home::plan_page(&world.task_dir(task));
    let page = page.strip_prefix(world.home.root()).unwrap_or(&page);
    let comment = words::plan_comment(task, &plan, around, &page.to_string_lossy());
    Ok(match &shown.contract {
        Some(contract) => words::with_contract(comment, task, (contract, &text(world, contract)?)),
        None => comment,
    })
}

/// What holds for a task's runs: what was approved, or, while nothing is, what the issue says.
pub(super) fn bounds(world: &World, task: &Task) -> anyhow::Result<Bounds> {
    let Some(work) = task.state.work() else {
        let issue = world.forge.issue(&task.repo, task.issue)?;
        let brief = Brief::parse(&issue.body).unwrap_or_default();
        return Ok(contract::bounds_of(&brief, &[]));
    };
    match &work.plan.contract {
        Some(contract) => Ok(contract::bounds(&text(world, contract)?)),
        None => Ok(Bounds::default()),
    }
}

/// Who is to look at the draft, by what was approved.
pub(super) fn reviewers(world: &World, task: &Task) -> anyhow::Result<Vec<String>> {
    let contract = task.plan.as_ref().and_then(|plan| plan.contract.as_ref());
    let text = contract.map(|contract| text(world, contract)).transpose()?;
    Ok(contract::bounds(&text.unwrap_or_default()).reviewers)
}
