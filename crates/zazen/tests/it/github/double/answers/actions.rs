//! Runs of workflows, their jobs and logs, and having them run again.

use serde_json::{Value, json};

use super::super::shared::Cx;
use super::super::wire::Reply;

pub(super) fn answer(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    let (run, job) = (cx.at.number("run_id"), cx.at.number("job_id"));
    let one = |all: &[Value], id: u64| all.iter().find(|it| it["id"] == id).cloned();
    let reply = match (cx.ask.method.as_str(), path) {
        ("GET", "/actions/runs") => {
            let mut runs = cx.shared.state().runs.clone();
            let is = |name: &str, field: &Value| {
                cx.ask.query(name).is_none_or(|asked| field.as_str() == Some(&*asked))
            };
            runs.retain(|run| {
                is("head_sha", &run["head_sha"])
                    && is("branch", &run["head_branch"])
                    && (is("status", &run["status"]) || is("status", &run["conclusion"]))
            });
            runs.reverse();
            let n = runs.len();
            cx.page(&runs, |shown| json!({ "total_count": n, "workflow_runs": shown }))
        }
        ("GET", "/actions/runs/{run_id}") => {
            let found = one(&cx.shared.state().runs, run);
            found.map_or_else(|| Reply::error(404, "Not Found"), |run| cx.own(200, &run))
        }
        ("GET", "/actions/runs/{run_id}/jobs") => {
            let mut jobs = cx.shared.state().jobs.clone();
            jobs.retain(|job| job["run_id"] == run);
            let n = jobs.len();
            cx.page(&jobs, |shown| json!({ "total_count": n, "jobs": shown }))
        }
        ("GET", "/actions/jobs/{job_id}") => {
            let found = one(&cx.shared.state().jobs, job);
            found.map_or_else(|| Reply::error(404, "Not Found"), |job| cx.own(200, &job))
        }
        ("GET", "/actions/jobs/{job_id}/logs") => logs(cx, job),
        ("POST", "/actions/runs/{run_id}/rerun-failed-jobs" | "/actions/runs/{run_id}/rerun") => {
            rerun(cx, run)
        }
        ("POST", "/actions/jobs/{job_id}/rerun") => {
            let run = one(&cx.shared.state().jobs, job).and_then(|job| job["run_id"].as_u64());
            rerun(cx, run.unwrap_or(0))
        }
        _ => return None,
    };
    Some(reply)
}

/// The log is elsewhere: a redirect to another host, which is not to get the token.
fn logs(cx: &Cx<'_>, job: u64) -> Reply {
    if !cx.shared.state().logs.contains_key(&job) {
        return Reply::error(404, "Not Found");
    }
    let mut reply = Reply::empty(302);
    reply.set("location", &format!("{}/logs/{job}?sig=canary", cx.shared.storage));
    reply
}

fn rerun(cx: &Cx<'_>, id: u64) -> Reply {
    let mut state = cx.shared.state();
    let Some(run) = state.runs.iter_mut().find(|run| run["id"] == id) else {
        drop(state);
        return Reply::error(404, "Not Found");
    };
    if run["status"] != "completed" {
        drop(state);
        return Reply::error(403, "This workflow is already running");
    }
    run["status"] = "queued".into();
    run["conclusion"] = Value::Null;
    let attempt = run["run_attempt"].as_u64().unwrap_or(1);
    run["run_attempt"] = (attempt + 1).into();
    for job in state.jobs.iter_mut().filter(|job| job["run_id"] == id) {
        job["status"] = "queued".into();
        job["conclusion"] = Value::Null;
        job["completed_at"] = Value::Null;
    }
    drop(state);
    cx.own(201, &json!({}))
}
