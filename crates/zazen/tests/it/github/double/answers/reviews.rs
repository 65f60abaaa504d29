//! Reviews and their comments at lines of the diff, which have to be in the diff.
//!
//! emulate keeps the reviews; it has no place for a line, so the comments are kept here.

use serde_json::{Value, json};

use super::super::patch;
use super::super::shared::{Cx, repo_path};
use super::super::state::{NAME, OWNER, PullFacts, State, now};
use super::super::wire::Reply;
use super::{ordered, since};

/// One comment of a review.
pub(crate) fn comment(state: &State, id: u64) -> Option<Value> {
    let found = state.review_comments.iter().find(|(_, comment)| comment["id"] == id);
    found.map(|(_, comment)| comment.clone())
}

pub(super) async fn answer(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    let number = cx.at.number("pull_number");
    let facts = cx.shared.state().pulls.get(&number).cloned();
    if number > 0 && facts.is_none() {
        return Some(Reply::error(404, "Not Found"));
    }
    let facts = facts.unwrap_or_default();
    let id = cx.at.number("comment_id");
    let reply = match (cx.ask.method.as_str(), path) {
        ("POST", "/pulls/{pull_number}/reviews") => create(cx, number, &facts).await,
        ("GET", "/pulls/comments") => list(cx, |_, _| true, true),
        ("GET", "/pulls/{pull_number}/comments") => list(cx, |of, _| of == number, true),
        ("GET", "/pulls/{pull_number}/reviews/{review_id}/comments") => {
            let review = cx.at.number("review_id");
            list(cx, |_, comment| comment["pull_request_review_id"] == review, false)
        }
        ("GET", "/pulls/comments/{comment_id}") => match comment(&cx.shared.state(), id) {
            Some(comment) => cx_own(cx, 200, &comment),
            None => Reply::error(404, "Not Found"),
        },
        ("PATCH", "/pulls/comments/{comment_id}") => edit(cx, id),
        ("DELETE", "/pulls/comments/{comment_id}") => {
            cx.shared.state().review_comments.retain(|(_, comment)| comment["id"] != id);
            Reply::empty(204)
        }
        ("POST", "/pulls/{pull_number}/comments") => alone(cx, number, &facts).await,
        ("POST", "/pulls/{pull_number}/comments/{comment_id}/replies") => {
            reply_to(cx, number, &facts).await
        }
        _ => return None,
    };
    Some(reply)
}

fn cx_own(cx: &Cx<'_>, status: u16, comment: &Value) -> Reply {
    cx.own(status, &with_reactions(cx, comment.clone()))
}

fn with_reactions(cx: &Cx<'_>, mut comment: Value) -> Value {
    let id = comment["id"].as_u64().unwrap_or_default();
    comment["reactions"] = super::reactions_of(&cx.shared.state(), ("review-comment", id));
    comment
}

fn list(cx: &Cx<'_>, is_in: impl Fn(u64, &Value) -> bool, with_line: bool) -> Reply {
    let all = cx.shared.state().review_comments.clone();
    let all = all.into_iter().filter(|(of, comment)| is_in(*of, comment));
    let mut all: Vec<Value> = all.map(|(_, comment)| with_reactions(cx, comment)).collect();
    for comment in all.iter_mut().filter(|_| !with_line) {
        comment["position"] = Value::Null;
    }
    cx.list(&ordered(cx, since(cx, all), ("created", "asc")))
}

async fn create(cx: &Cx<'_>, number: u64, facts: &PullFacts) -> Reply {
    let asked = cx.ask.value();
    let event = asked["event"].as_str().unwrap_or("PENDING");
    let is_own = super::items::get(cx.shared, number)
        .await
        .is_some_and(|item| item["user"]["login"] == cx.holder.login());
    if is_own && matches!(event, "APPROVE" | "REQUEST_CHANGES") {
        let what = match event {
            "APPROVE" => "Can not approve your own pull request",
            _ => "Can not request changes on your own pull request",
        };
        return Reply::invalid("PullRequestReview", "", "custom", what);
    }
    let empty = asked["body"].as_str().unwrap_or_default().trim().is_empty();
    let inline = asked["comments"].as_array().cloned().unwrap_or_default();
    if empty && (event == "REQUEST_CHANGES" || (event == "COMMENT" && inline.is_empty())) {
        return Reply::error(422, "Unprocessable Entity: body is missing");
    }
    let commit = asked["commit_id"].as_str().unwrap_or(&facts.head_commit).to_owned();
    for comment in &inline {
        if let Err(refusal) = check_line(cx, facts, comment) {
            return refusal;
        }
    }
    let body = json!({ "body": asked["body"], "commit_id": commit, "event": asked["event"] });
    let target = format!("{}/pulls/{number}/reviews", repo_path());
    let mut reply = cx.inner("POST", &target, Some(&body)).await;
    let review = reply.value()["id"].as_u64();
    if !reply.is_success() {
        return reply;
    }
    for comment in &inline {
        add(cx, number, facts, comment, review).await;
    }
    cx.shared.touch(number);
    patch::reply(cx.shared, &mut reply).await;
    // GitHub answers 200 here, where one would think of 201.
    reply.status = 200;
    reply
}

async fn alone(cx: &Cx<'_>, number: u64, facts: &PullFacts) -> Reply {
    let asked = cx.ask.value();
    if let Err(refusal) = check_line(cx, facts, &asked) {
        return refusal;
    }
    let comment = add(cx, number, facts, &asked, None).await;
    cx_own(cx, 201, &comment)
}

async fn reply_to(cx: &Cx<'_>, number: u64, facts: &PullFacts) -> Reply {
    let Some(first) = comment(&cx.shared.state(), cx.at.number("comment_id")) else {
        return Reply::error(404, "Not Found");
    };
    let mut asked = first.clone();
    asked["body"] = cx.ask.value()["body"].clone();
    if first["in_reply_to_id"].is_null() {
        asked["in_reply_to_id"] = first["id"].clone();
    }
    let review = first["pull_request_review_id"].as_u64();
    let comment = add(cx, number, facts, &asked, review).await;
    cx_own(cx, 201, &comment)
}

fn edit(cx: &Cx<'_>, id: u64) -> Reply {
    let changed = {
        let mut state = cx.shared.state();
        let mut all = state.review_comments.iter_mut();
        all.find(|(_, comment)| comment["id"] == id).map(|(_, comment)| {
            comment["body"] = cx.ask.value()["body"].clone();
            comment["updated_at"] = now().into();
            comment.clone()
        })
    };
    match changed {
        Some(comment) => cx_own(cx, 200, &comment),
        None => Reply::error(404, "Not Found"),
    }
}

/// Keeps one comment.
async fn add(
    cx: &Cx<'_>,
    number: u64,
    facts: &PullFacts,
    asked: &Value,
    review: Option<u64>,
) -> Value {
    let user = cx.shared.user(cx.holder.login()).await;
    let association = cx.shared.association(cx.holder.login());
    cx.shared.touch(number);
    let mut state = cx.shared.state();
    let id = state.next_id();
    let url = format!("{}{}", cx.shared.url, repo_path());
    let html = format!("{}/{OWNER}/{NAME}/pull/{number}#discussion_r{id}", cx.shared.url);
    let this = format!("{url}/pulls/comments/{id}");
    let pull = format!("{url}/pulls/{number}");
    let side = asked["side"].as_str().unwrap_or("RIGHT");
    let mut comment = json!({
        "url": this, "id": id, "node_id": "PRRC_kwDO", "pull_request_review_id": review,
        "diff_hunk": "@@ -1 +1 @@", "path": asked["path"], "position": 1, "original_position": 1,
        "commit_id": facts.head_commit, "original_commit_id": facts.head_commit, "user": user,
        "body": asked["body"], "created_at": now(), "updated_at": now(), "html_url": html,
        "pull_request_url": pull, "author_association": association,
        "_links": {
            "self": { "href": this }, "html": { "href": html }, "pull_request": { "href": pull },
        },
        "side": side, "start_side": null, "start_line": null, "original_start_line": null,
        "subject_type": "line",
    });
    for name in ["line", "in_reply_to_id"] {
        if !asked[name].is_null() {
            comment[name] = asked[name].clone();
        }
    }
    comment["original_line"] = comment["line"].clone();
    if comment["line"].is_null() {
        let map = comment.as_object_mut().expect("it is an object");
        map.remove("line");
        map.remove("original_line");
    }
    state.review_comments.push((number, comment.clone()));
    comment
}

/// A comment has to be at a line that the diff shows.
fn check_line(cx: &Cx<'_>, facts: &PullFacts, comment: &Value) -> Result<(), Reply> {
    let refuse = |field: &str| {
        let what = format!("pull_request_review_thread.{field} must be part of the diff");
        Err(Reply::invalid("PullRequestReviewComment", field, "custom", &what))
    };
    let path = comment["path"].as_str().unwrap_or_default();
    let range = format!("{}...{}", facts.base_commit, facts.head_commit);
    let dir = cx.shared.git.bare(OWNER, NAME);
    let diff = cx.shared.git.run(&dir, &["diff", &range, "--", path]);
    if diff.is_empty() {
        return refuse("path");
    }
    let Some(line) = comment["line"].as_u64() else {
        let is_other = comment["subject_type"] == "file" || comment["position"].is_u64();
        return if is_other { Ok(()) } else { refuse("line") };
    };
    let is_left = comment["side"] == "LEFT";
    if lines_of(&diff, is_left).contains(&line) { Ok(()) } else { refuse("line") }
}

/// The lines that a diff shows of one side.
fn lines_of(diff: &str, is_left: bool) -> Vec<u64> {
    let (mut at, mut lines) = (0, Vec::new());
    for line in diff.lines().skip_while(|line| !line.starts_with("@@")) {
        if let Some(rest) = line.strip_prefix("@@ ") {
            let part = rest.split(' ').nth(usize::from(!is_left)).unwrap_or_default();
            let first = part.trim_start_matches(['-', '+']).split(',').next().unwrap_or_default();
            at = first.parse().unwrap_or(0);
            continue;
        }
        let is_other = if is_left { '+' } else { '-' };
        if !line.starts_with(is_other) && !line.starts_with('\\') {
            lines.push(at);
            at += 1;
        }
    }
    lines
}
