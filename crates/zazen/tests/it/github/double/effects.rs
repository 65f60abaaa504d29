//! What follows from a request that was carried out: events of the item, and webhooks.
//!
//! It does not matter who asked: GitHub tells an App of its own deeds, too.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answers::{items, pulls};
use super::git::Moved;
use super::shared::{Cx, Shared, repo_path};
use super::state::{NAME, OWNER, now};
use super::wire::Reply;

/// The words before `#12` that close an issue when the pull request is merged.
const CLOSING: &[&str] =
    &["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];

/// What has to be known of the time before: the item or the text that is about to change.
pub(super) async fn before(cx: &Cx<'_>) -> Value {
    if cx.ask.method == hyper::Method::GET {
        return Value::Null;
    }
    let number = number(cx);
    if number > 0 {
        return items::get(cx.shared, number).await.unwrap_or_default();
    }
    let id = cx.at.number("comment_id");
    if id > 0 && cx.at.template.contains("/issues/comments/") {
        return cx.shared.read(&format!("/issues/comments/{id}")).await.unwrap_or_default();
    }
    Value::Null
}

fn number(cx: &Cx<'_>) -> u64 {
    cx.at.number("issue_number").max(cx.at.number("pull_number"))
}

/// Notes and tells what has happened.
pub(super) async fn after(cx: &Cx<'_>, before: &Value, reply: &Reply) {
    let Some(rest) = cx.at.template.strip_prefix("/repos/{owner}/{repo}") else { return };
    let body = reply.value();
    let number = number(cx);
    let from = Happening { shared: cx.shared, login: cx.holder.login() };
    match (cx.ask.method.as_str(), rest) {
        ("POST", "/issues") => from.opened(&body).await,
        ("PATCH", "/issues/{issue_number}" | "/pulls/{pull_number}") => {
            from.edited(number, before, &cx.ask.value()).await;
        }
        ("POST", "/issues/{issue_number}/comments") => {
            from.commented("created", number, &body, Value::Null).await;
        }
        ("PATCH", "/issues/comments/{comment_id}") => {
            let changes = json!({ "body": { "from": before["body"] } });
            from.commented("edited", number_of(before), &body, changes).await;
        }
        ("DELETE", "/issues/comments/{comment_id}") => {
            from.commented("deleted", number_of(before), before, Value::Null).await;
        }
        (_, path) if path.contains("/labels") && number > 0 => from.labelled(number, before).await,
        (_, "/issues/{issue_number}/assignees") => from.assigned(number, before).await,
        (_, "/issues/{issue_number}/lock") => from.note(number, "locked", json!({})).await,
        ("POST", "/pulls") => {
            from.tell("pull_request", "opened", json!({ "pull_request": body })).await;
        }
        ("PUT", "/pulls/{pull_number}/merge") => from.merged(number).await,
        ("POST", "/pulls/{pull_number}/requested_reviewers") => {
            from.requested(number, &cx.ask.value()).await;
        }
        ("POST", "/pulls/{pull_number}/reviews") => from.reviewed(number, &body).await,
        (
            "POST",
            "/pulls/{pull_number}/comments" | "/pulls/{pull_number}/comments/{comment_id}/replies",
        ) => {
            from.line_commented(number, &body).await;
        }
        ("POST", "/statuses/{sha}") => {
            let parts = json!({
                "sha": cx.at.text("sha"), "state": body["state"], "context": body["context"],
                "description": body["description"],
            });
            from.tell("status", "", parts).await;
        }
        ("POST", "/check-runs") => {
            from.tell("check_run", "created", json!({ "check_run": body })).await;
        }
        ("PATCH", "/check-runs/{check_run_id}") if body["status"] == "completed" => {
            from.tell("check_run", "completed", json!({ "check_run": body })).await;
        }
        _ => {}
    }
}

fn number_of(comment: &Value) -> u64 {
    let url = comment["issue_url"].as_str().unwrap_or_default();
    url.rsplit('/').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Something that somebody did.
#[derive(Debug)]
pub(super) struct Happening<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) login: &'a str,
}

impl Happening<'_> {
    /// Sends a webhook.
    pub(super) async fn tell(&self, event: &str, action: &str, parts: Value) {
        self.shared.tell(self.login, event, action, parts).await;
    }

    /// Keeps an event of an item.
    pub(super) async fn note(&self, number: u64, event: &str, more: Value) {
        let actor = self.shared.user(self.login).await;
        let mut state = self.shared.state();
        let id = state.next_id();
        let mut noted = json!({
            "id": id, "node_id": "EV_lADO", "actor": actor, "event": event,
            "url": format!("{}{}/issues/events/{id}", self.shared.url, repo_path()),
            "commit_id": null, "commit_url": null, "created_at": now(),
            "performed_via_github_app": null,
        });
        let more: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
        noted.as_object_mut().expect("it is an object").extend(more);
        state.events.push((number, noted));
        drop(state);
        self.shared.touch(number);
    }

    /// Tells of an item: `issues` or `pull_request`, with the item in it.
    pub(super) async fn tell_of(&self, number: u64, action: &str, mut parts: Value) {
        if let Some(pull) = pulls::get(self.shared, number).await {
            parts["pull_request"] = pull;
            parts["number"] = number.into();
            self.tell("pull_request", action, parts).await;
        } else if let Some(issue) = items::get(self.shared, number).await {
            parts["issue"] = issue;
            self.tell("issues", action, parts).await;
        }
    }

    async fn opened(&self, issue: &Value) {
        let number = issue["number"].as_u64().unwrap_or_default();
        self.tell("issues", "opened", json!({ "issue": issue })).await;
        let nothing = json!({ "labels": [] });
        self.labelled(number, &nothing).await;
    }

    async fn edited(&self, number: u64, before: &Value, asked: &Value) {
        let mut changes = Map::new();
        for field in ["title", "body"] {
            if asked[field].is_string() && asked[field] != before[field] {
                changes.insert(field.to_owned(), json!({ "from": before[field] }));
            }
        }
        if !changes.is_empty() {
            self.tell_of(number, "edited", json!({ "changes": changes })).await;
        }
        if asked["title"].is_string() && asked["title"] != before["title"] {
            let rename = json!({ "from": before["title"], "to": asked["title"] });
            self.note(number, "renamed", json!({ "rename": rename })).await;
        }
        if asked["state"].is_string() && asked["state"] != before["state"] {
            let what = if asked["state"] == "closed" { "closed" } else { "reopened" };
            self.note(number, what, json!({ "state_reason": asked["state_reason"] })).await;
            self.tell_of(number, what, json!({})).await;
        }
        if asked["base"].is_string() {
            self.note(number, "base_ref_changed", json!({})).await;
            let changes = json!({ "base": { "ref": { "from": "main" } } });
            self.tell_of(number, "edited", json!({ "changes": changes })).await;
        }
        if asked["labels"].is_array() {
            self.labelled(number, before).await;
        }
        if asked["assignees"].is_array() {
            self.assigned(number, before).await;
        }
    }

    async fn commented(&self, action: &str, number: u64, comment: &Value, changes: Value) {
        let Some(issue) = items::get(self.shared, number).await else { return };
        self.shared.touch(number);
        let mut parts = json!({ "issue": issue, "comment": comment });
        if !changes.is_null() {
            parts["changes"] = changes;
        }
        self.tell("issue_comment", action, parts).await;
    }

    /// One event for each label that came or went.
    async fn labelled(&self, number: u64, before: &Value) {
        let item = items::get(self.shared, number).await.unwrap_or_default();
        for (label, action) in differences(&before["labels"], &item["labels"], "name") {
            let action = if action { "labeled" } else { "unlabeled" };
            let short = json!({ "name": label["name"], "color": label["color"] });
            self.note(number, action, json!({ "label": short })).await;
            self.tell_of(number, action, json!({ "label": label })).await;
        }
    }

    async fn assigned(&self, number: u64, before: &Value) {
        let item = items::get(self.shared, number).await.unwrap_or_default();
        for (user, action) in differences(&before["assignees"], &item["assignees"], "login") {
            let action = if action { "assigned" } else { "unassigned" };
            let assigner = self.shared.user(self.login).await;
            self.note(number, action, json!({ "assignee": user, "assigner": assigner })).await;
            self.tell_of(number, action, json!({ "assignee": user })).await;
        }
    }

    async fn requested(&self, number: u64, asked: &Value) {
        for login in asked["reviewers"].as_array().into_iter().flatten() {
            let user = self.shared.user(login.as_str().unwrap_or_default()).await;
            let requester = self.shared.user(self.login).await;
            let more = json!({ "requested_reviewer": user, "review_requester": requester });
            self.note(number, "review_requested", more).await;
            self.tell_of(number, "review_requested", json!({ "requested_reviewer": user })).await;
        }
    }

    async fn reviewed(&self, number: u64, review: &Value) {
        let Some(pull) = pulls::get(self.shared, number).await else { return };
        let mut told = review.clone();
        let state = review["state"].as_str().unwrap_or_default().to_lowercase();
        told["state"] = state.into();
        let parts = json!({ "pull_request": pull, "review": told });
        self.tell("pull_request_review", "submitted", parts).await;
        let comments: Vec<Value> = {
            let state = self.shared.state();
            let all = state.review_comments.iter().map(|(_, comment)| comment.clone());
            all.filter(|comment| comment["pull_request_review_id"] == review["id"]).collect()
        };
        for comment in comments {
            self.line_commented(number, &comment).await;
        }
    }

    async fn line_commented(&self, number: u64, comment: &Value) {
        let Some(pull) = pulls::get(self.shared, number).await else { return };
        let parts = json!({ "pull_request": pull, "comment": comment });
        self.tell("pull_request_review_comment", "created", parts).await;
    }

    async fn merged(&self, number: u64) {
        let Some(pull) = pulls::get(self.shared, number).await else { return };
        let commit = pull["merge_commit_sha"].clone();
        self.note(number, "merged", json!({ "commit_id": commit })).await;
        self.note(number, "closed", json!({})).await;
        self.tell_of(number, "closed", json!({})).await;
        let base = pull["base"]["ref"].as_str().unwrap_or_default().to_owned();
        let moved = Moved {
            branch: base,
            before: pull["base"]["sha"].as_str().map(str::to_owned),
            after: commit.as_str().map(str::to_owned),
        };
        self.pushed(&moved).await;
        for issue in closed_by(pull["body"].as_str().unwrap_or_default()) {
            let target = format!("{}/issues/{issue}", repo_path());
            let asked = json!({ "state": "closed", "state_reason": "completed" });
            let before = items::get(self.shared, issue).await.unwrap_or_default();
            if self.shared.inner("PATCH", &target, Some(&asked)).await.is_success() {
                self.edited(issue, &before, &asked).await;
            }
        }
    }

    /// Tells of a push to the repository.
    async fn pushed(&self, moved: &Moved) {
        let zeros = "0".repeat(40);
        let (before, after) = (moved.before.as_deref(), moved.after.as_deref());
        let parts = json!({
            "ref": format!("refs/heads/{}", moved.branch),
            "before": before.unwrap_or(&zeros), "after": after.unwrap_or(&zeros),
            "created": before.is_none(), "deleted": after.is_none(),
            "forced": is_forced(self.shared, moved), "base_ref": null,
            "pusher": { "name": self.login, "email": format!("{}@example.org", self.login) },
            "commits": [], "head_commit": null,
        });
        self.tell("push", "", parts).await;
        if after.is_none() {
            let parts = json!({ "ref": moved.branch, "ref_type": "branch", "pusher_type": "user" });
            self.tell("delete", "", parts).await;
        }
    }
}

/// What is in the one list and not in the other; true if it came.
fn differences(before: &Value, after: &Value, name: &str) -> Vec<(Value, bool)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (before, after) = (list(before), list(after));
    let lacks = |all: &[Value], one: &Value| !all.iter().any(|other| other[name] == one[name]);
    let came = after.iter().filter(|one| lacks(&before, one)).map(|one| (one.clone(), true));
    let went = before.iter().filter(|one| lacks(&after, one)).map(|one| (one.clone(), false));
    came.chain(went).collect()
}

/// The issues that a pull request closes, by the words of its text.
fn closed_by(text: &str) -> Vec<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words
        .windows(2)
        .filter(|pair| CLOSING.contains(&pair[0].trim_end_matches(':').to_lowercase().as_str()));
    let numbers = pairs.filter_map(|pair| {
        let digits: String =
            pair[1].strip_prefix('#')?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    numbers.collect()
}

fn is_forced(shared: &Shared, moved: &Moved) -> bool {
    let (Some(before), Some(after)) = (&moved.before, &moved.after) else { return false };
    let dir = shared.git.bare(OWNER, NAME);
    shared.git.try_run("Ada", &dir, &["merge-base", "--is-ancestor", before, after]).is_err()
}

/// A branch moved by a push: its pull requests move with it.
pub(super) async fn branch_moved(shared: &Arc<Shared>, login: &str, owner: &str, moved: &Moved) {
    let from = Happening { shared, login };
    if moved.after.is_some() {
        shared.fetch_fork(owner, &moved.branch);
    }
    let forced = is_forced(shared, moved);
    if owner == OWNER {
        from.pushed(moved).await;
    }
    let pulls = shared.state().pulls.clone();
    let ours = pulls.into_iter().filter(|(_, pull)| {
        !pull.is_closed && pull.head_owner == owner && pull.head == moved.branch
    });
    for (number, pull) in ours {
        let Some(after) = &moved.after else {
            from.note(number, "head_ref_deleted", json!({})).await;
            let target = format!("{}/pulls/{number}", repo_path());
            shared.inner("PATCH", &target, Some(&json!({ "state": "closed" }))).await;
            if let Some(facts) = shared.state().pulls.get_mut(&number) {
                facts.is_closed = true;
            }
            from.note(number, "closed", json!({})).await;
            from.tell_of(number, "closed", json!({})).await;
            continue;
        };
        let dir = shared.git.bare(OWNER, NAME);
        shared.git.run(&dir, &["update-ref", &format!("refs/pull/{number}/head"), after]);
        if let Some(facts) = shared.state().pulls.get_mut(&number) {
            facts.head_commit.clone_from(after);
        }
        shared.touch(number);
        if forced {
            from.note(number, "head_ref_force_pushed", json!({ "commit_id": after })).await;
        }
        let parts = json!({ "before": pull.head_commit, "after": after });
        from.tell_of(number, "synchronize", parts).await;
    }
}
