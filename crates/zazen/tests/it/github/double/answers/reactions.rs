//! Reactions to issues, comments and comments of reviews.

use serde_json::{Value, json};

use super::super::shared::Cx;
use super::super::state::{State, now};
use super::super::wire::Reply;
use super::{items, reviews};

/// All there are, in the API's words.
const CONTENTS: &[&str] = &["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// What is counted below an object.
pub(crate) fn rollup(state: &State, on: (&str, u64)) -> Value {
    let count = |content: &str| {
        let all = state.reactions.iter().filter(|((kind, id), _)| (kind.as_str(), *id) == on);
        all.filter(|(_, reaction)| content.is_empty() || reaction["content"] == content).count()
    };
    let mut rollup = json!({ "url": "https://api.github.com/reactions", "total_count": count("") });
    for content in CONTENTS {
        rollup[*content] = count(content).into();
    }
    rollup
}

pub(super) async fn answer(cx: &Cx<'_>) -> Option<Reply> {
    let (issue, id) = (cx.at.number("issue_number"), cx.at.number("comment_id"));
    let (on, is_there) = if issue > 0 {
        (("issue".to_owned(), issue), items::get(cx.shared, issue).await.is_some())
    } else if cx.at.template.contains("/pulls/") {
        let is_there = reviews::comment(&cx.shared.state(), id).is_some();
        (("review-comment".to_owned(), id), is_there)
    } else {
        let is_there = cx.shared.read(&format!("/issues/comments/{id}")).await.is_some();
        (("comment".to_owned(), id), is_there)
    };
    if !is_there {
        return Some(Reply::error(404, "Not Found"));
    }
    match cx.ask.method.as_str() {
        "GET" => {
            let state = cx.shared.state();
            let all = state.reactions.iter().filter(|(known, _)| *known == on);
            let all: Vec<Value> = all.map(|(_, reaction)| reaction.clone()).collect();
            drop(state);
            Some(cx.list(&all))
        }
        "POST" => Some(react(cx, on).await),
        "DELETE" => {
            let id = cx.at.number("reaction_id");
            let mut state = cx.shared.state();
            let n = state.reactions.len();
            state.reactions.retain(|(_, reaction)| reaction["id"] != id);
            let status = if state.reactions.len() < n { 204 } else { 404 };
            drop(state);
            Some(Reply::empty(status))
        }
        _ => None,
    }
}

/// A second reaction of the same kind by the same account is the first one.
async fn react(cx: &Cx<'_>, on: (String, u64)) -> Reply {
    let content = cx.ask.value()["content"].clone();
    let login = cx.holder.login();
    if !CONTENTS.iter().any(|known| content == **known) {
        return Reply::invalid("Reaction", "content", "invalid", "");
    }
    let known = {
        let state = cx.shared.state();
        let mut all = state.reactions.iter();
        all.find(|(at, r)| *at == on && r["content"] == content && r["user"]["login"] == login)
            .map(|(_, reaction)| reaction.clone())
    };
    if let Some(known) = known {
        return cx.own(200, &known);
    }
    let user = cx.shared.user(login).await;
    let reaction = {
        let mut state = cx.shared.state();
        let reaction = json!({
            "id": state.next_id(), "node_id": "REA_lAD", "user": user,
            "content": content, "created_at": now(),
        });
        state.reactions.push((on, reaction.clone()));
        reaction
    };
    cx.own(201, &reaction)
}
