//! A GitHub on loopback that answers at once: as much of it as one task needs.
//!
//! It keeps issues, comments and pull requests in memory, counts every call by its kind, and
//! tells by webhook what follows from a call, as GitHub does. Whether requests are right is
//! for the tests to say; here only their number and the time count.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::loopback::serve;
use crate::place::REPO;

/// The server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct GitHub {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

/// What happened, as a webhook tells it.
#[derive(Debug, Clone)]
pub(crate) struct Happened {
    pub(crate) event: &'static str,
    pub(crate) body: Value,
}

#[derive(Debug)]
struct Shared {
    /// The repository that branches are pushed to.
    repo: PathBuf,
    state: Mutex<Hub>,
}

#[derive(Debug, Default)]
struct Hub {
    last_id: u64,
    issues: BTreeMap<u64, Value>,
    /// Each with its issue.
    comments: Vec<(u64, Value)>,
    pulls: BTreeMap<u64, Value>,
    statuses: Vec<Value>,
    calls: BTreeMap<String, usize>,
    /// What was asked that is not known here.
    unknown: Vec<String>,
    happened: Vec<Happened>,
}

/// The status of what nothing is known of here.
const UNKNOWN: u16 = 501;

/// Whose token zazen has.
const ME: &str = "zazen-machine";

impl GitHub {
    pub(crate) fn start(repo: PathBuf) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared { repo, state: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let (address, runtime) = serve("github", app)?;
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// Opens an issue, and says its number. Nobody is told.
    pub(crate) fn opens_issue(&self, title: &str) -> u64 {
        let mut hub = self.shared.hub();
        let number = hub.next_id();
        let issue = json!({
            "id": number, "number": number, "title": title, "body": "Please sum by month, too.",
            "user": user("ada"), "state": "open", "labels": [], "assignees": [], "comments": 0,
            "author_association": "OWNER", "created_at": now(), "updated_at": now(),
        });
        hub.issues.insert(number, issue);
        number
    }

    /// Writes a comment, and says what webhook tells of it.
    pub(crate) fn comments(&self, issue: u64, text: &str) -> Happened {
        self.shared.hub().comment(issue, ("ada", text))
    }

    /// What follows from the calls since this was asked the last time.
    pub(crate) fn take_happened(&self) -> Vec<Happened> {
        std::mem::take(&mut self.shared.hub().happened)
    }

    /// The calls by their kinds, from now on counted anew.
    pub(crate) fn take_calls(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.shared.hub().calls)
    }

    /// Refuses a measurement in which something was asked that is not known here.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let unknown = self.shared.hub().unknown.clone();
        anyhow::ensure!(unknown.is_empty(), "this GitHub does not know {unknown:?}");
        Ok(())
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn comment(&mut self, issue: u64, (login, text): (&str, &str)) -> Happened {
        let id = self.next_id();
        let comment = json!({
            "id": id, "user": user(login), "body": text, "author_association": "OWNER",
            "created_at": now(), "updated_at": now(),
        });
        self.comments.push((issue, comment.clone()));
        let parts = json!({ "issue": self.issues.get(&issue), "comment": comment });
        happened("issue_comment", "created", parts)
    }

    fn tells(&mut self, event: &'static str, action: &str, parts: Value) {
        let told = happened(event, action, parts);
        self.happened.push(told);
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let asked = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let path = uri.path().trim_start_matches('/').to_owned();
    let mut hub = shared.hub();
    let parts: Vec<&str> = path.split('/').collect();
    *hub.calls.entry(kind(&method, &parts)).or_default() += 1;
    let (status, value) = match parts.as_slice() {
        ["user"] => (200, user(ME)),
        ["repos", owner, name, rest @ ..] if format!("{owner}/{name}") == REPO => {
            let write = method != Method::GET;
            if write {
                act(&mut hub, &shared.repo, (&method, rest), &asked)
            } else {
                look(&hub, rest)
            }
        }
        _ => unknown(),
    };
    if status == UNKNOWN {
        let what = format!("{method} {path}");
        hub.unknown.push(what);
    }
    drop(hub);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
    (status, [(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn look(hub: &Hub, rest: &[&str]) -> (u16, Value) {
    let number = rest.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let found = match rest {
        ["collaborators", login, "permission"] => {
            json!({ "permission": "write", "role_name": "write", "user": user(login) })
        }
        ["issues"] | [_, _, "events" | "reviews"] => json!([]),
        ["actions", "runs"] => json!({ "total_count": 0, "workflow_runs": [] }),
        ["issues", _] => return there(hub.issues.get(&number)),
        ["issues", _, "comments"] => {
            let of = hub.comments.iter().filter(|(issue, _)| *issue == number);
            of.map(|(_, comment)| comment.clone()).collect()
        }
        ["pulls"] => hub.pulls.values().cloned().collect(),
        ["pulls", _, "comments"] => json!([]),
        ["pulls", _] => return there(hub.pulls.get(&number)),
        // As GitHub answers whoever is no App.
        ["commits", _, "check-runs"] => return denied(),
        ["commits", _, "statuses"] => hub.statuses.iter().cloned().collect(),
        _ => return unknown(),
    };
    (200, found)
}

fn act(
    hub: &mut Hub,
    repo: &std::path::Path,
    (method, rest): (&Method, &[&str]),
    asked: &Value,
) -> (u16, Value) {
    let number = rest.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    match (method.as_str(), rest) {
        ("POST", [.., "reactions"]) => (201, json!({ "id": hub.next_id() })),
        ("POST", ["issues", _, "comments"]) => {
            let told = hub.comment(number, (ME, &text("body")));
            let comment = told.body["comment"].clone();
            hub.happened.push(told);
            (201, comment)
        }
        ("PATCH", ["issues", "comments", id]) => {
            let id: u64 = id.parse().unwrap_or(0);
            let Some((issue, comment)) = hub.comments.iter_mut().find(|(_, c)| c["id"] == id)
            else {
                return there(None);
            };
            comment["body"] = text("body").into();
            let (issue, comment) = (*issue, comment.clone());
            let parts = json!({ "issue": hub.issues.get(&issue), "comment": comment });
            hub.tells("issue_comment", "edited", parts);
            (200, comment)
        }
        ("POST", ["issues", _, "labels"]) => {
            let pull = hub.pulls.get(&number).cloned();
            hub.tells("pull_request", "labeled", json!({ "number": number, "pull_request": pull }));
            (200, json!([]))
        }
        ("POST", ["pulls"]) => opened(hub, repo, asked),
        ("PATCH", ["pulls", _]) => {
            let Some(pull) = hub.pulls.get_mut(&number) else { return there(None) };
            pull["body"] = text("body").into();
            let pull = pull.clone();
            hub.tells("pull_request", "edited", json!({ "number": number, "pull_request": pull }));
            (200, pull)
        }
        ("POST", ["check-runs"]) => denied(),
        ("POST", ["statuses", head]) => {
            let status = json!({
                "context": text("context"), "state": text("state"), "creator": user(ME),
                "description": text("description"),
            });
            hub.statuses.push(status.clone());
            let told = json!({ "sha": head, "state": "success" });
            hub.happened.push(Happened { event: "status", body: with_repo(told) });
            (201, status)
        }
        _ => unknown(),
    }
}

/// A pull request of a branch that was pushed.
fn opened(hub: &mut Hub, repo: &std::path::Path, asked: &Value) -> (u16, Value) {
    let branch = asked["head"].as_str().unwrap_or_default();
    let tip = std::fs::read_to_string(repo.join(".git/refs/heads").join(branch));
    let Ok(tip) = tip else { return there(None) };
    let number = hub.next_id();
    let pull = json!({
        "number": number, "title": asked["title"], "body": asked["body"], "user": user(ME),
        "state": "open", "draft": true, "locked": false, "merged_at": null,
        "head": { "ref": branch, "sha": tip.trim(), "repo": { "full_name": REPO } },
        "base": { "ref": asked["base"], "sha": tip.trim(), "repo": { "full_name": REPO } },
        "mergeable": null, "requested_reviewers": [], "labels": [],
        "created_at": now(), "updated_at": now(),
    });
    let mut issue = pull.clone();
    issue["pull_request"] = json!({});
    hub.issues.insert(number, issue);
    hub.pulls.insert(number, pull.clone());
    let pushed = json!({ "ref": format!("refs/heads/{branch}"), "after": tip.trim() });
    hub.happened.push(Happened { event: "push", body: with_repo(pushed) });
    hub.tells("pull_request", "opened", json!({ "number": number, "pull_request": pull }));
    (201, pull)
}

/// What is counted as one kind: the path with all that differs left out.
fn kind(method: &Method, parts: &[&str]) -> String {
    let rest = if parts.first() == Some(&"repos") { parts.get(3..) } else { Some(parts) };
    let is_name = |before: Option<&&str>, part: &str| {
        part.bytes().all(|b| b.is_ascii_digit())
            || matches!(before, Some(&("collaborators" | "commits" | "statuses")))
    };
    let mut kind = method.to_string();
    let rest = rest.unwrap_or_default();
    for (index, part) in rest.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| rest.get(index));
        kind.push(if index == 0 { ' ' } else { '/' });
        kind.push_str(if is_name(before, part) { "*" } else { part });
    }
    kind
}

fn there(found: Option<&Value>) -> (u16, Value) {
    match found {
        Some(found) => (200, found.clone()),
        None => (404, json!({ "message": "Not Found" })),
    }
}

/// What nothing is known of here. It is no answer of GitHub's.
fn unknown() -> (u16, Value) {
    (UNKNOWN, json!({ "message": "Not Implemented" }))
}

fn denied() -> (u16, Value) {
    (403, json!({ "message": "Resource not accessible by personal access token" }))
}

fn happened(event: &'static str, action: &str, mut body: Value) -> Happened {
    body["action"] = action.into();
    Happened { event, body: with_repo(body) }
}

fn with_repo(mut body: Value) -> Value {
    body["repository"] = json!({ "full_name": REPO, "private": true });
    body
}

fn user(login: &str) -> Value {
    let id = if login == ME { 2 } else { 1 };
    json!({ "login": login, "id": id, "type": "User" })
}

fn now() -> String {
    // A second ahead: what is older than zazen's first look asks for nothing.
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let at = jiff::Timestamp::from_second(
        i64::try_from(since.unwrap_or_default().as_secs() + 1).unwrap_or(0),
    );
    at.unwrap_or_default().to_string()
}
