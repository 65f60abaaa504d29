//! The text of a task's page: people's words, and zazen's keys and marked parts.

use std::collections::BTreeMap;

use zazen_core::id::Time;
use zazen_core::page::{Page, ParseError};
use zazen_core::task::Task;
use zazen_core::text::one_line;
use zazen_core::words;

use super::keep::now;

/// The task's page: what a person wrote in it, with zazen's keys and parts as they are now.
/// Says also whether zazen's parts were left alone by people.
pub(super) fn task_page(
    task: &Task,
    before: &str,
    progress: &str,
) -> Result<(String, bool), ParseError> {
    let mut page = Page::parse(before)?;
    let issue = format!("{}#{}", task.repo, task.issue);
    for (key, value) in [
        ("task", task.id.to_string()),
        ("issue", issue),
        ("state", task.state.word().to_owned()),
        ("changed", time(task.changed)),
    ] {
        page.set(key, &value);
    }
    let mut parts = BTreeMap::from([("progress", progress.to_owned())]);
    parts.extend(words::result(task).map(|result| ("result", result)));
    let intact = parts.keys().all(|name| page.region(name).is_none_or(|region| region.intact));
    for (name, text) in &parts {
        page.set_region(name, text);
    }
    Ok((page.print(), intact))
}

pub(super) fn title(task: &Task) -> String {
    one_line(&task.title, 200)
}

fn time(at: Time) -> String {
    let millis = i64::try_from(at.0.min(now().0)).unwrap_or(0);
    jiff::Timestamp::from_millisecond(millis)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
