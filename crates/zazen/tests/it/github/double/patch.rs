//! Puts right in emulate's answers what GitHub is known to do otherwise.

use std::sync::Arc;

use serde_json::Value;

use super::answers::{pulls, reactions_of};
use super::shared::Shared;
use super::state::{APP_LOGIN, APP_USER};
use super::wire::Reply;

/// Puts a whole answer right.
pub(super) async fn reply(shared: &Arc<Shared>, reply: &mut Reply) {
    if let Some(link) = reply.header("link") {
        let inner = format!("http://{}", shared.emulate);
        let link = link.replace(&inner, &shared.url);
        reply.set("link", &link);
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return };
    value(shared, &mut body).await;
    reply.body = body.to_string().into();
}

/// Puts one object right, or each of a list.
pub(super) async fn value(shared: &Arc<Shared>, body: &mut Value) {
    walk(body);
    let list = if body.is_array() {
        body.as_array_mut().expect("it is a list").as_mut_slice()
    } else {
        std::slice::from_mut(body)
    };
    for item in list {
        if item["head"]["ref"].is_string() && item["base"]["ref"].is_string() {
            pulls::complete(shared, item).await;
        }
        if item["html_url"].is_string() && item["reactions"].is_object() {
            add_reactions(shared, item);
        }
        add_touch(shared, item);
    }
}

fn add_reactions(shared: &Shared, item: &mut Value) {
    let on = match item["number"].as_u64() {
        Some(number) => ("issue", number),
        None => ("comment", item["id"].as_u64().unwrap_or_default()),
    };
    item["reactions"] = reactions_of(&shared.state(), on);
}

fn add_touch(shared: &Shared, item: &mut Value) {
    let Some(number) = item["number"].as_u64().filter(|_| item["updated_at"].is_string()) else {
        return;
    };
    let touched = shared.state().touched.get(&number).cloned();
    let known = item["updated_at"].as_str().unwrap_or_default().to_owned();
    if let Some(touched) = touched.filter(|at| *at > known) {
        item["updated_at"] = touched.into();
    }
}

/// GitHub's times have no fractions, and accounts of Apps are bots.
fn walk(value: &mut Value) {
    match value {
        Value::String(text) => {
            let bytes = text.as_bytes();
            let is_time = bytes.len() == 24 && bytes[10] == b'T' && bytes[19] == b'.';
            if is_time && text.ends_with('Z') {
                text.replace_range(19..23, "");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(map) => {
            if map.get("login").and_then(Value::as_str).is_some_and(|l| l.ends_with("[bot]")) {
                map.insert("type".to_owned(), "Bot".into());
            }
            if map.get("login").is_some_and(|login| login == APP_LOGIN) {
                map.insert("id".to_owned(), APP_USER.into());
            }
            map.values_mut().for_each(walk);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
