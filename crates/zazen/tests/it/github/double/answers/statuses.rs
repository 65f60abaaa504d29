//! Statuses of commits: what those put there who are no App. emulate's are of no real commit.

use serde_json::{Value, json};

use super::super::shared::{Cx, repo_path};
use super::super::state::now;
use super::super::wire::Reply;

pub(super) async fn answer(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    match (cx.ask.method.as_str(), path) {
        ("POST", "/statuses/{sha}") => Some(create(cx).await),
        ("GET", "/commits/{ref}/statuses") => {
            let head = cx.at.text("ref");
            let state = cx.shared.state();
            let of = state.statuses.iter().rev().filter(|(commit, _)| commit == head);
            let all: Vec<Value> = of.map(|(_, status)| status.clone()).collect();
            drop(state);
            Some(cx.list(&all))
        }
        _ => None,
    }
}

async fn create(cx: &Cx<'_>) -> Reply {
    let (asked, head) = (cx.ask.value(), cx.at.text("sha").to_owned());
    if super::code::resolve(cx.shared, &head).is_none() {
        return Reply::error(422, &format!("No commit found for SHA: {head}"));
    }
    let description = asked["description"].as_str().unwrap_or_default();
    if description.chars().count() > 140 {
        let what = "description is too long (maximum is 140 characters)";
        return Reply::invalid("Status", "description", "custom", what);
    }
    let creator = cx.shared.user(cx.holder.login()).await;
    let id = cx.shared.state().next_id();
    let status = json!({
        "url": format!("{}{}/statuses/{head}", cx.shared.url, repo_path()), "id": id,
        "avatar_url": creator["avatar_url"], "node_id": "SC_kwDO", "state": asked["state"],
        "description": description, "target_url": asked["target_url"],
        "context": asked["context"].as_str().unwrap_or("default"),
        "created_at": now(), "updated_at": now(), "creator": creator,
    });
    cx.shared.state().statuses.push((head, status.clone()));
    cx.own(201, &status)
}
