//! Who is asked for a review of a draft: whom the owner names, whom the approved contract names,
//! and whom the brief names.
//!
//! A brief counts here if its author may command: else anybody could have zazen call on
//! people. Who cannot be asked is told on the draft, and the task goes on.

use zazen_core::brief::Brief;
use zazen_core::command::Name;
use zazen_core::id::{IssueNumber, PullNumber};
use zazen_core::task::Task;
use zazen_core::trust::Author;
use zazen_core::words;

use super::contract;
use super::world::World;

/// Sees to it that all of them were asked.
pub(super) async fn ask(world: &World, task: &Task, pull: PullNumber) -> anyhow::Result<()> {
    let wanted = wanted(world, task)?;
    let refused = world.publisher.ask_reviewers(&task.repo, pull, &wanted).await?;
    if refused.is_empty() {
        return Ok(());
    }
    let text = world.clean(words::not_asked(&refused).as_str());
    let key = format!("{}/reviewers", task.id);
    world.publisher.show(&task.repo, IssueNumber(pull.0), (&key, &text)).await
}

fn wanted(world: &World, task: &Task) -> anyhow::Result<Vec<String>> {
    let mut wanted = world.repo(&task.repo)?.reviewers.clone();
    let mut add = |login: String| {
        if !wanted.iter().any(|known| known.eq_ignore_ascii_case(&login)) {
            wanted.push(login);
        }
    };
    contract::reviewers(world, task)?.into_iter().for_each(&mut add);
    let issue = world.forge.issue(&task.repo, task.issue)?;
    let author = Author { name: &issue.author, permission: issue.permission, is_bot: issue.is_bot };
    if world.rules.trust.may_command(author, Name::Implement) {
        Brief::parse(&issue.body).unwrap_or_default().reviewers.into_iter().for_each(add);
    }
    Ok(wanted)
}
