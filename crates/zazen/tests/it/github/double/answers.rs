//! What each request is answered with: by emulate where it does as GitHub does, else here.
//!
//! What neither of them can answer is an unexpected request, and fails the test.

mod actions;
mod app;
pub(super) mod checks;
mod code;
pub(super) mod items;
pub(super) mod pulls;
mod reactions;
pub(super) mod reviews;
mod statuses;

use serde_json::Value;

use super::access;
use super::patch;
use super::shared::Cx;
use super::state::{Holder, Permission};
use super::wire::Reply;

pub(super) use reactions::rollup as reactions_of;

/// The longest title and body GitHub takes.
const TITLE_CHARS_MAX: usize = 256;
const BODY_CHARS_MAX: usize = 65_536;

/// What emulate answers rightly, apart from what `patch` puts right.
const EMULATED: &[(&str, &str)] = &[
    ("GET", "/app"),
    ("GET", "/app/installations"),
    ("GET", "/app/installations/{installation_id}"),
    ("GET", "/repos/{owner}/{repo}"),
    ("GET", "/repos/{owner}/{repo}/installation"),
    ("POST", "/repos/{owner}/{repo}/issues"),
    ("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/assignees"),
    ("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/assignees"),
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("PUT", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels"),
    ("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}"),
    ("PUT", "/repos/{owner}/{repo}/issues/{issue_number}/lock"),
    ("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/lock"),
    ("GET", "/repos/{owner}/{repo}/labels"),
    ("POST", "/repos/{owner}/{repo}/labels"),
    ("GET", "/repos/{owner}/{repo}/labels/{name}"),
    ("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"),
    ("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}"),
    ("DELETE", "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers"),
];

/// Answers one request of somebody who may make it.
pub(super) async fn answer(cx: &Cx<'_>) -> Reply {
    if let Some(refusal) = check_there(cx) {
        return refusal;
    }
    if let Some(refusal) = check_texts(cx) {
        return refusal;
    }
    if let Some(refusal) = check_author(cx).await {
        return refusal;
    }
    let (method, template) = cx.route();
    let template = template.to_owned();
    let Some(rest) = template.strip_prefix("/repos/{owner}/{repo}") else {
        return match app::answer(cx).await {
            Some(reply) => reply,
            None => emulated(cx).await,
        };
    };
    let own = match rest {
        path if path.ends_with("/reactions") || path.contains("/reactions/") => {
            reactions::answer(cx).await
        }
        path if path.starts_with("/actions") => actions::answer(cx, path),
        path if path.starts_with("/check-") || path.contains("/check-") => checks::answer(cx, path),
        path if path.starts_with("/collaborators") => app::permission(cx, path).await,
        path if path.starts_with("/issues") => items::answer(cx, path).await,
        path if path.contains("/reviews") || path.contains("/comments") => {
            reviews::answer(cx, path).await
        }
        path if path.starts_with("/pulls") => pulls::answer(cx, path).await,
        path if path.starts_with("/statuses") || path.ends_with("/statuses") => {
            statuses::answer(cx, path).await
        }
        path if is_code(path) => code::answer(cx, method, path).await,
        _ => None,
    };
    match own {
        Some(reply) => reply,
        None => emulated(cx).await,
    }
}

fn is_code(path: &str) -> bool {
    ["/branches", "/commits", "/compare", "/git/"].iter().any(|start| path.starts_with(start))
}

/// Hands a request on to emulate, if that is known to be right.
async fn emulated(cx: &Cx<'_>) -> Reply {
    let (method, template) = cx.route();
    if !EMULATED.contains(&(method, template)) {
        let what = format!("{method} {template}: the double does not answer this");
        cx.shared.state().violations.push(what);
        return Reply::error(501, "the double does not answer this");
    }
    let mut reply = cx.forward().await;
    patch::reply(cx.shared, &mut reply).await;
    reply
}

/// What GitHub says of an issue that was moved or deleted, and of all below it.
fn check_there(cx: &Cx<'_>) -> Option<Reply> {
    let number = cx.at.number("issue_number");
    let status = cx.shared.state().gone.get(&number).copied()?;
    let mut reply = match status {
        301 => Reply::error(301, "Moved Permanently"),
        _ => Reply::error(status, "This issue was deleted"),
    };
    if status == 301 {
        reply.set("location", &format!("{}/repositories/2/issues/1", cx.shared.url));
    }
    Some(reply)
}

fn check_texts(cx: &Cx<'_>) -> Option<Reply> {
    let body = cx.ask.value();
    let n_chars = |name: &str| body[name].as_str().map_or(0, |text| text.chars().count());
    let resource = if cx.at.template.contains("comments") { "IssueComment" } else { "Issue" };
    let too_long = |field: &str, max: usize| {
        let what = format!("{field} is too long (maximum is {max} characters)");
        Some(Reply::invalid(resource, field, "custom", &what))
    };
    if n_chars("title") > TITLE_CHARS_MAX {
        return too_long("title", TITLE_CHARS_MAX);
    }
    if n_chars("body") > BODY_CHARS_MAX {
        return too_long("body", BODY_CHARS_MAX);
    }
    None
}

/// People may change their own texts; those of others take a role. An App that may write
/// may change all of them.
async fn check_author(cx: &Cx<'_>) -> Option<Reply> {
    let login = match &cx.holder {
        Holder::Person { login } | Holder::Machine { login, .. } => login,
        Holder::Installation { .. } | Holder::App => return None,
    };
    let changes = matches!(cx.ask.method.as_str(), "PATCH" | "DELETE");
    let id = cx.at.number("comment_id");
    let text = match &*cx.at.template {
        "/repos/{owner}/{repo}/issues/{issue_number}"
        | "/repos/{owner}/{repo}/pulls/{pull_number}"
            if changes =>
        {
            let number = cx.at.number("issue_number").max(cx.at.number("pull_number"));
            items::get(cx.shared, number).await
        }
        "/repos/{owner}/{repo}/issues/comments/{comment_id}" if changes => {
            cx.shared.read(&format!("/issues/comments/{id}")).await
        }
        "/repos/{owner}/{repo}/pulls/comments/{comment_id}" if changes => {
            reviews::comment(&cx.shared.state(), id)
        }
        _ => return None,
    };
    let author = text.as_ref().and_then(|text| text["user"]["login"].as_str()).unwrap_or_default();
    let has = cx.shared.state().permission(login);
    let needs = access::least_role(&cx.at.template);
    (author != login && has < needs.max(Permission::Triage))
        .then(|| Reply::error(403, "Must have admin rights to Repository."))
}

/// A list's entries that were updated since then, as the query says.
fn since(cx: &Cx<'_>, items: Vec<Value>) -> Vec<Value> {
    let Some(since) = cx.ask.query("since") else { return items };
    let is_new = |item: &Value| item["updated_at"].as_str().is_some_and(|at| at >= since.as_str());
    items.into_iter().filter(is_new).collect()
}

/// Puts a list into the order that the query asks for.
fn ordered(cx: &Cx<'_>, mut items: Vec<Value>, default: (&str, &str)) -> Vec<Value> {
    let sort = cx.ask.query("sort").unwrap_or_else(|| default.0.to_owned());
    let field = if sort == "updated" { "updated_at" } else { "created_at" };
    let number = |item: &Value| item["number"].as_u64().or(item["id"].as_u64());
    let key = |item: &Value| (item[field].as_str().map(str::to_owned), number(item));
    items.sort_by_key(key);
    if cx.ask.query("direction").as_deref().unwrap_or(default.1) == "desc" {
        items.reverse();
    }
    items
}
