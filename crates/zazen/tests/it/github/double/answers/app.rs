//! The App, its tokens and its deliveries; accounts, permissions and limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::patch;
use super::super::shared::Cx;
use super::super::state::{
    APP_ID, APP_LOGIN, CAST, Holder, MACHINE, OWNER, Permission, Token, WEBHOOK_SECRET,
};
use super::super::wire::Reply;

pub(super) async fn answer(cx: &Cx<'_>) -> Option<Reply> {
    let reply = match cx.route() {
        ("POST", "/app/installations/{installation_id}/access_tokens") => mint(cx).await,
        ("DELETE", "/installation/token") => revoke(cx),
        ("GET", "/installation/repositories") => {
            let repo = cx.shared.read("").await.unwrap_or_default();
            Reply::json(200, &json!({ "total_count": 1, "repositories": [repo] }))
        }
        ("GET", "/app/hook/deliveries") => deliveries(cx),
        ("GET", "/app/hook/deliveries/{delivery_id}") => {
            let id = cx.at.number("delivery_id");
            let state = cx.shared.state();
            let found = state.deliveries.iter().find(|d| d.id == id).map(|d| d.shown(true));
            drop(state);
            found.map_or_else(|| Reply::error(404, "Not Found"), |body| cx.own(200, &body))
        }
        ("POST", "/app/hook/deliveries/{delivery_id}/attempts") => {
            let is_there = cx.shared.redeliver(cx.at.number("delivery_id")).await;
            if is_there { cx.own(202, &json!({})) } else { Reply::error(404, "Not Found") }
        }
        ("GET", "/user") => account(cx, cx.holder.login()).await,
        ("GET", "/users/{username}") => {
            let login = cx.at.text("username");
            if is_known(login) { account(cx, login).await } else { Reply::error(404, "Not Found") }
        }
        ("GET", "/rate_limit") => limits(cx),
        ("POST", "/app-manifests/{code}/conversions") => convert(cx),
        _ => return None,
    };
    Some(reply)
}

/// Mints a token as emulate does, of the length and form that GitHub's have now: nobody is
/// to count on what a token looks like.
async fn mint(cx: &Cx<'_>) -> Reply {
    let mut reply = cx.forward().await;
    if !reply.is_success() {
        return reply;
    }
    let mut body = reply.value();
    let inner = body["token"].as_str().unwrap_or_default().to_owned();
    let hash = blake3::hash(inner.as_bytes()).to_hex();
    let token = format!("ghs_4711_eyJhbGciOiJSUzI1NiJ9.{hash}.{hash}-_{}", &hash[..32]);
    let permissions: BTreeMap<String, String> =
        serde_json::from_value(body["permissions"].clone()).unwrap_or_default();
    let repos = body["repositories"].as_array().map(|repos| {
        repos.iter().filter_map(|r| r["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    });
    let holder = Holder::Installation { permissions, repos };
    let known = Token { holder, inner, is_dead: false };
    cx.shared.state().tokens.insert(token.clone(), known);
    body["token"] = token.into();
    reply.body = body.to_string().into();
    patch::reply(cx.shared, &mut reply).await;
    reply
}

/// Gives an App that was made from a manifest to whoever has the code, once.
fn convert(cx: &Cx<'_>) -> Reply {
    let mut state = cx.shared.state();
    if state.manifest_code.as_deref() != Some(cx.at.text("code")) {
        drop(state);
        return Reply::error(404, "Not Found");
    }
    state.manifest_code = None;
    drop(state);
    let mut app = super::checks::app_object(cx.shared, (APP_ID, "zazen-test"));
    app["client_id"] = "Iv23canary".into();
    app["client_secret"] = "canary-client-secret".into();
    app["webhook_secret"] = WEBHOOK_SECRET.into();
    app["pem"] = cx.shared.key.clone().into();
    cx.own(201, &app)
}

fn revoke(cx: &Cx<'_>) -> Reply {
    let mut state = cx.shared.state();
    for token in state.tokens.values_mut().filter(|token| token.inner == cx.inner) {
        token.is_dead = true;
    }
    drop(state);
    Reply::empty(204)
}

fn deliveries(cx: &Cx<'_>) -> Reply {
    let state = cx.shared.state();
    let status = cx.ask.query("status");
    let all = state.deliveries.iter().rev().filter(|delivery| {
        let failed = !(200..400).contains(&delivery.status);
        delivery.is_done && status.as_deref().is_none_or(|s| (s == "failure") == failed)
    });
    let all: Vec<Value> = all.map(|delivery| delivery.shown(false)).collect();
    drop(state);
    // GitHub pages this list by a cursor; there are never that many here.
    let size = cx.ask.query("per_page").and_then(|n| n.parse().ok()).unwrap_or(30);
    cx.own(200, &Value::Array(all.into_iter().take(size).collect()))
}

async fn account(cx: &Cx<'_>, login: &str) -> Reply {
    let mut user = cx.shared.user(login).await;
    let more = json!({
        "name": login, "company": null, "blog": null, "location": null, "email": null,
        "hireable": null, "bio": null, "public_repos": 1, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z",
    });
    let more = more.as_object().cloned().unwrap_or_default();
    user.as_object_mut().expect("it is an object").extend(more);
    cx.own(200, &user)
}

fn limits(cx: &Cx<'_>) -> Reply {
    let reset = jiff::Timestamp::now().as_second() + 3600;
    let core = json!({ "limit": 5000, "used": 0, "remaining": 5000, "reset": reset });
    cx.own(200, &json!({ "resources": { "core": core, "search": core }, "rate": core }))
}

/// What somebody may do. Whoever has no part in a public repository may read it.
pub(super) async fn permission(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    let login = cx.at.text("username");
    if !is_known(login) {
        return Some(Reply::error(404, &format!("{login} is not a user")));
    }
    let has = cx.shared.state().permission(login);
    if path == "/collaborators/{username}" && cx.ask.method == hyper::Method::GET {
        let is_in = cx.shared.association(login) != "NONE";
        return Some(Reply::empty(if is_in { 204 } else { 404 }));
    }
    if path != "/collaborators/{username}/permission" {
        return None;
    }
    let mut user = cx.shared.user(login).await;
    user["role_name"] = has.role().into();
    user["permissions"] = json!({
        "pull": has >= Permission::Read, "triage": has >= Permission::Triage,
        "push": has >= Permission::Write, "maintain": has >= Permission::Maintain,
        "admin": has >= Permission::Admin,
    });
    let body = json!({ "permission": has.coarse(), "role_name": has.role(), "user": user });
    Some(cx.own(200, &body))
}

/// Whether there is such an account.
fn is_known(login: &str) -> bool {
    [OWNER, MACHINE, APP_LOGIN].contains(&login) || CAST.contains(&login)
}
