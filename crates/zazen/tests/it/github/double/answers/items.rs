//! Issues and pull requests as one list, their comments, and what happened to them.
//!
//! emulate keeps the two apart and does not know the lists over the whole repository.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::patch;
use super::super::shared::{Cx, Shared, repo_path};
use super::super::state::Permission;
use super::super::wire::Reply;
use super::{ordered, pulls, since};

/// Where the ids of issues begin that are pull requests.
const ISSUE_OF_PULL: u64 = 1_000_000;

/// One item, pull requests included, as the issues' part of the API shows it.
pub(crate) async fn get(shared: &Arc<Shared>, number: u64) -> Option<Value> {
    if let Some(mut issue) = shared.read(&format!("/issues/{number}")).await {
        patch::value(shared, &mut issue).await;
        return Some(issue);
    }
    let pull = pulls::get(shared, number).await?;
    Some(as_issue(shared, &pull))
}

/// All items, the oldest first.
pub(crate) async fn all(shared: &Arc<Shared>) -> Vec<Value> {
    let mut items = Vec::new();
    for number in 1.. {
        match get(shared, number).await {
            Some(item) => items.push(item),
            None => break,
        }
    }
    items
}

fn as_issue(shared: &Arc<Shared>, pull: &Value) -> Value {
    let number = pull["number"].as_u64().unwrap_or_default();
    let path = format!("{}{}", shared.url, repo_path());
    let mut issue = json!({
        "url": format!("{path}/issues/{number}"),
        "repository_url": path,
        "labels_url": format!("{path}/issues/{number}/labels{{/name}}"),
        "comments_url": format!("{path}/issues/{number}/comments"),
        "events_url": format!("{path}/issues/{number}/events"),
        "timeline_url": format!("{path}/issues/{number}/timeline"),
        "state_reason": null,
        "active_lock_reason": null,
        "closed_by": pull["merged_by"],
        "performed_via_github_app": null,
        "reactions": super::reactions::rollup(&shared.state(), ("issue", number)),
        "pull_request": {
            "url": pull["url"], "html_url": pull["html_url"], "diff_url": pull["diff_url"],
            "patch_url": pull["patch_url"], "merged_at": pull["merged_at"],
        },
    });
    for name in [
        "id",
        "node_id",
        "html_url",
        "number",
        "title",
        "user",
        "labels",
        "state",
        "locked",
        "assignee",
        "assignees",
        "milestone",
        "comments",
        "created_at",
        "updated_at",
        "closed_at",
        "body",
        "author_association",
        "draft",
    ] {
        issue[name] = pull[name].clone();
    }
    // It has an id of its own among the issues.
    issue["id"] = (ISSUE_OF_PULL + pull["id"].as_u64().unwrap_or_default()).into();
    issue
}

pub(super) async fn answer(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    let number = cx.at.number("issue_number");
    let reply = match (cx.ask.method.as_str(), path) {
        ("GET", "/issues") => list(cx).await,
        ("GET", "/issues/{issue_number}") => match get(cx.shared, number).await {
            Some(item) => Reply::json(200, &item),
            None => Reply::error(404, "Not Found"),
        },
        ("PATCH", "/issues/{issue_number}") => edit(cx, number).await,
        ("GET", "/issues/comments") => {
            let comments = all_comments(cx.shared).await;
            cx.list(&ordered(cx, since(cx, comments), ("created", "asc")))
        }
        ("GET", "/issues/{issue_number}/comments") => {
            let path = format!("/issues/{number}/comments");
            let mut comments = Value::Array(cx.shared.read_all(&path).await);
            patch::value(cx.shared, &mut comments).await;
            let Value::Array(comments) = comments else { return None };
            cx.list(&since(cx, comments))
        }
        ("POST", "/issues/{issue_number}/comments") => comment(cx, number).await,
        ("GET", "/issues/{issue_number}/sub_issues") => cx.list(&sub_issues(cx, number).await),
        ("POST", "/issues/{issue_number}/sub_issues") => add_sub_issue(cx, number).await,
        ("GET", "/issues/events") => {
            let mut events = events(cx, None).await;
            events.reverse();
            cx.list(&events)
        }
        ("GET", "/issues/{issue_number}/events") => {
            let events = events(cx, Some(number)).await;
            cx.list(&events)
        }
        _ => return None,
    };
    Some(reply)
}

async fn list(cx: &Cx<'_>) -> Reply {
    let state = cx.ask.query("state").unwrap_or_else(|| "open".to_owned());
    let labels = cx.ask.query("labels").unwrap_or_default();
    let labels: Vec<&str> = labels.split(',').filter(|label| !label.is_empty()).collect();
    let creator = cx.ask.query("creator");
    let has = |item: &Value, name: &str| {
        let all = item["labels"].as_array();
        all.is_some_and(|all| all.iter().any(|label| label["name"] == name))
    };
    let mut items = all(cx.shared).await;
    items.retain(|item| {
        let is_state = state == "all" || item["state"] == *state;
        let is_by = creator.as_ref().is_none_or(|login| item["user"]["login"] == **login);
        is_state && is_by && labels.iter().all(|label| has(item, label))
    });
    // What emulate made of it is not held against the description: it is known to differ.
    let items = ordered(cx, since(cx, items), ("created", "desc"));
    cx.list(&items)
}

/// Changes an issue, or a pull request by its other path.
async fn edit(cx: &Cx<'_>, number: u64) -> Reply {
    let is_pull = cx.shared.state().pulls.contains_key(&number);
    let mut reply = if is_pull { pulls::edit(cx, number).await } else { cx.forward().await };
    if !reply.is_success() {
        return reply;
    }
    if is_pull {
        return Reply::json(200, &get(cx.shared, number).await.unwrap_or_default());
    }
    patch::reply(cx.shared, &mut reply).await;
    reply
}

async fn comment(cx: &Cx<'_>, number: u64) -> Reply {
    let Some(item) = get(cx.shared, number).await else {
        return Reply::error(404, "Not Found");
    };
    let may =
        cx.holder.is_app() || cx.shared.state().permission(cx.holder.login()) >= Permission::Write;
    if item["locked"] == true && !may {
        return Reply::error(403, "Unable to create comment because issue is locked.");
    }
    let mut reply = cx.forward().await;
    if reply.is_success() {
        cx.shared.touch(number);
    }
    patch::reply(cx.shared, &mut reply).await;
    reply
}

async fn sub_issues(cx: &Cx<'_>, number: u64) -> Vec<Value> {
    let numbers = cx.shared.state().sub_issues.get(&number).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for part in numbers {
        found.extend(get(cx.shared, part).await);
    }
    found
}

/// Makes an issue a part of another. GitHub refuses one that is a part already.
async fn add_sub_issue(cx: &Cx<'_>, number: u64) -> Reply {
    let wanted = cx.ask.value()["sub_issue_id"].clone();
    let items = all(cx.shared).await;
    let part = items.iter().find(|item| item["id"] == wanted && item["pull_request"].is_null());
    let (Some(part), Some(above)) = (part, get(cx.shared, number).await) else {
        return Reply::error(404, "Not Found");
    };
    let part = part["number"].as_u64().unwrap_or_default();
    let mut state = cx.shared.state();
    if part == number || state.sub_issues.values().flatten().any(|other| *other == part) {
        let what = "Issue may not contain duplicate sub-issues and Sub issue may only have one \
                    parent";
        return Reply::error(422, what);
    }
    state.sub_issues.entry(number).or_default().push(part);
    Reply::json(201, &above)
}

async fn all_comments(shared: &Arc<Shared>) -> Vec<Value> {
    let mut comments = Vec::new();
    for item in all(shared).await {
        comments.extend(shared.read_all(&format!("/issues/{}/comments", item["number"])).await);
    }
    let mut comments = Value::Array(comments);
    patch::value(shared, &mut comments).await;
    comments.as_array().cloned().unwrap_or_default()
}

/// What happened, the oldest first; for the whole repository with the item in each.
async fn events(cx: &Cx<'_>, of: Option<u64>) -> Vec<Value> {
    let known = cx.shared.state().events.clone();
    let mut events = Vec::new();
    for (number, mut event) in known {
        if of.is_some_and(|of| of != number) {
            continue;
        }
        if of.is_none() {
            event["issue"] = get(cx.shared, number).await.unwrap_or_default();
        }
        events.push(event);
    }
    events
}
