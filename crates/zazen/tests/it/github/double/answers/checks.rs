//! Check runs, of zazen's App and of others. emulate has them for commits it does not know.

use serde_json::{Value, json};

use super::super::shared::{Cx, Shared, repo_path};
use super::super::state::{APP_ID, NAME, OWNER, now};
use super::super::wire::Reply;

pub(super) fn answer(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    let reply = match (cx.ask.method.as_str(), path) {
        ("POST", "/check-runs") => create(cx),
        ("PATCH", "/check-runs/{check_run_id}") => update(cx),
        ("GET", "/check-runs/{check_run_id}") => {
            let id = cx.at.number("check_run_id");
            let found = cx.shared.state().check_runs.iter().find(|r| r["id"] == id).cloned();
            found.map_or_else(|| Reply::error(404, "Not Found"), |run| cx.own(200, &run))
        }
        ("GET", "/commits/{ref}/check-runs") => list(cx),
        _ => return None,
    };
    Some(reply)
}

fn list(cx: &Cx<'_>) -> Reply {
    let Some(head) = super::code::resolve(cx.shared, cx.at.text("ref")) else {
        let what = format!("No commit found for SHA: {}", cx.at.text("ref"));
        return Reply::error(422, &what);
    };
    let mut runs: Vec<Value> = cx.shared.state().check_runs.clone();
    let is = |name: &str, field: &Value| {
        cx.ask.query(name).is_none_or(|asked| field.as_str() == Some(asked.as_str()))
    };
    runs.retain(|run| {
        let app = cx.ask.query("app_id").and_then(|id| id.parse::<u64>().ok());
        run["head_sha"] == *head
            && app.is_none_or(|id| run["app"]["id"] == id)
            && is("check_name", &run["name"])
            && is("status", &run["status"])
    });
    runs.reverse();
    if cx.ask.query("filter").as_deref() != Some("all") {
        let mut seen = std::collections::BTreeSet::new();
        runs.retain(|run| seen.insert((run["name"].to_string(), run["app"]["id"].to_string())));
    }
    let n = runs.len();
    cx.page(&runs, |shown| json!({ "total_count": n, "check_runs": shown }))
}

fn create(cx: &Cx<'_>) -> Reply {
    let asked = cx.ask.value();
    let head = asked["head_sha"].as_str().unwrap_or_default();
    if super::code::resolve(cx.shared, head).is_none() {
        return Reply::error(422, &format!("No commit found for SHA: {head}"));
    }
    let mut run = run(cx.shared, head, (APP_ID, "zazen-test"));
    fill(&mut run, &asked);
    if let Err(refusal) = check_end(&run) {
        return refusal;
    }
    cx.shared.state().check_runs.push(run.clone());
    cx.own(201, &run)
}

fn update(cx: &Cx<'_>) -> Reply {
    let id = cx.at.number("check_run_id");
    let known = cx.shared.state().check_runs.iter().find(|run| run["id"] == id).cloned();
    let Some(mut run) = known else { return Reply::error(404, "Not Found") };
    if run["app"]["id"] != APP_ID {
        return Reply::error(
            403,
            "Invalid app_id - check run can only be modified by the GitHub App that created it.",
        );
    }
    fill(&mut run, &cx.ask.value());
    if let Err(refusal) = check_end(&run) {
        return refusal;
    }
    let mut state = cx.shared.state();
    for known in &mut state.check_runs {
        if known["id"] == id {
            *known = run.clone();
        }
    }
    drop(state);
    cx.own(200, &run)
}

fn fill(run: &mut Value, asked: &Value) {
    for name in ["name", "status", "conclusion", "details_url", "external_id", "started_at"] {
        if !asked[name].is_null() {
            run[name] = asked[name].clone();
        }
    }
    if !asked["conclusion"].is_null() {
        run["status"] = "completed".into();
    }
    for name in ["title", "summary", "text"] {
        if !asked["output"][name].is_null() {
            run["output"][name] = asked["output"][name].clone();
        }
    }
    if run["status"] == "completed" && run["completed_at"].is_null() {
        run["completed_at"] = asked["completed_at"].as_str().map_or_else(now, str::to_owned).into();
    }
}

fn check_end(run: &Value) -> Result<(), Reply> {
    let has_ended = run["status"] == "completed";
    if has_ended && run["conclusion"].is_null() {
        return Err(Reply::error(422, "Invalid request. conclusion is missing"));
    }
    Ok(())
}

/// A check run that has just begun.
pub(crate) fn run(shared: &Shared, head: &str, app: (u64, &str)) -> Value {
    let id = shared.state().next_id();
    let url = format!("{}{}", shared.url, repo_path());
    let html = format!("{}/{OWNER}/{NAME}/runs/{id}", shared.url);
    json!({
        "id": id, "node_id": "CR_kwDO", "head_sha": head, "name": "", "external_id": "",
        "url": format!("{url}/check-runs/{id}"), "html_url": html, "details_url": html,
        "status": "queued", "conclusion": null, "started_at": now(), "completed_at": null,
        "check_suite": { "id": 5_000_000 + app.0 },
        "output": {
            "title": null, "summary": null, "text": null, "annotations_count": 0,
            "annotations_url": format!("{url}/check-runs/{id}/annotations"),
        },
        "app": app_object(shared, app),
        "pull_requests": [],
    })
}

/// An App, as it is shown beside what it made.
pub(crate) fn app_object(shared: &Shared, (id, slug): (u64, &str)) -> Value {
    let url = format!("{}/users/{OWNER}", shared.url);
    json!({
        "id": id, "slug": slug, "node_id": "A_kwDO", "name": slug, "description": null,
        "owner": {
            "login": OWNER, "id": 4, "node_id": "U_kgDO", "avatar_url": url, "gravatar_id": "",
            "url": url, "html_url": url, "followers_url": url, "following_url": url,
            "gists_url": url, "starred_url": url, "subscriptions_url": url,
            "organizations_url": url, "repos_url": url, "events_url": url,
            "received_events_url": url, "type": "User", "site_admin": false,
        },
        "external_url": "https://example.org", "html_url": format!("{}/apps/{slug}", shared.url),
        "created_at": now(), "updated_at": now(), "permissions": { "checks": "write" },
        "events": ["check_run"],
    })
}
