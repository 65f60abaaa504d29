//! Branches and commits, as the real repository has them.

use serde_json::{Value, json};

use super::super::git::Moved;
use super::super::shared::{Cx, Shared, repo_path};
use super::super::state::{NAME, OWNER};
use super::super::wire::Reply;

/// The commit that a name stands for: a branch, or a commit in full.
pub(super) fn resolve(shared: &Shared, name: &str) -> Option<String> {
    let name = name.trim_start_matches("heads/");
    if let Some(commit) = shared.git.heads(OWNER, NAME).get(name) {
        return Some(commit.clone());
    }
    let dir = shared.git.bare(OWNER, NAME);
    let asked = format!("{name}^{{commit}}");
    let found = shared.git.try_run("Ada", &dir, &["rev-parse", "--verify", "-q", &asked]).ok()?;
    Some(found.trim().to_owned())
}

pub(super) async fn answer(cx: &Cx<'_>, method: &str, path: &str) -> Option<Reply> {
    let name = cx.at.text("branch").to_owned() + cx.at.text("ref");
    let name = name.trim_start_matches("heads/").to_owned();
    let missing = || Reply::error(404, "Not Found");
    let reply = match (method, path) {
        ("GET", "/branches") => {
            let heads = cx.shared.git.heads(OWNER, NAME);
            let all: Vec<Value> = heads.iter().map(|(n, c)| short_branch(cx, n, c)).collect();
            cx.list(&all)
        }
        ("GET", "/branches/{branch}") => match cx.shared.git.heads(OWNER, NAME).get(&name) {
            Some(commit) => branch(cx, &name, commit),
            None => Reply::error(404, "Branch not found"),
        },
        ("GET", "/git/ref/{ref}") => match cx.shared.git.heads(OWNER, NAME).get(&name) {
            Some(commit) => {
                let url = format!("{}{}/git", cx.shared.url, repo_path());
                let body = json!({
                    "ref": format!("refs/heads/{name}"), "node_id": "REF_kwDO",
                    "url": format!("{url}/refs/heads/{name}"),
                    "object": {
                        "type": "commit", "sha": commit, "url": format!("{url}/commits/{commit}"),
                    },
                });
                cx.own(200, &body)
            }
            None => missing(),
        },
        ("DELETE", "/git/refs/{ref}") => delete(cx, &name).await,
        ("GET", "/commits") => {
            let from = cx.ask.query("sha").unwrap_or_else(|| "main".to_owned());
            match resolve(cx.shared, &from) {
                Some(commit) => cx.list(&commits(cx.shared, &commit)),
                None => missing(),
            }
        }
        ("GET", "/commits/{ref}") => match resolve(cx.shared, &name) {
            Some(commit) => cx.own(200, &commits(cx.shared, &format!("{commit}^!"))[0]),
            None => Reply::error(422, &format!("No commit found for SHA: {name}")),
        },
        _ => return None,
    };
    Some(reply)
}

async fn delete(cx: &Cx<'_>, name: &str) -> Reply {
    let Some(before) = cx.shared.git.heads(OWNER, NAME).get(name).cloned() else {
        return Reply::error(422, "Reference does not exist");
    };
    let dir = cx.shared.git.bare(OWNER, NAME);
    cx.shared.git.run(&dir, &["update-ref", "-d", &format!("refs/heads/{name}")]);
    let moved = Moved { branch: name.to_owned(), before: Some(before), after: None };
    let login = cx.holder.login().to_owned();
    Box::pin(super::super::effects::branch_moved(cx.shared, &login, OWNER, &moved)).await;
    Reply::empty(204)
}

/// Commits as the API shows them, the newest first.
pub(super) fn commits(shared: &Shared, range: &str) -> Vec<Value> {
    let format = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%B%x1e";
    let dir = shared.git.bare(OWNER, NAME);
    let log = shared.git.run(&dir, &["log", format, range]);
    let url = format!("{}{}", shared.url, repo_path());
    let html = format!("{}/{OWNER}/{NAME}/commit", shared.url);
    log.split('\u{1e}')
        .map(|entry| entry.trim_start().split('\u{1f}').collect::<Vec<_>>())
        .filter(|fields| fields.len() == 7)
        .map(|fields| {
            let sha = fields[0];
            let person = json!({ "name": fields[3], "email": fields[4], "date": fields[5] });
            let parent = |sha: &str| {
                json!({
                    "sha": sha, "url": format!("{url}/commits/{sha}"),
                    "html_url": format!("{html}/{sha}"),
                })
            };
            json!({
                "sha": sha, "node_id": "C_kwDO", "url": format!("{url}/commits/{sha}"),
                "html_url": format!("{html}/{sha}"),
                "comments_url": format!("{url}/commits/{sha}/comments"),
                "commit": {
                    "url": format!("{url}/git/commits/{sha}"), "author": person,
                    "committer": person, "message": fields[6].trim_end(),
                    "tree": { "sha": fields[1], "url": format!("{url}/git/trees/{}", fields[1]) },
                    "comment_count": 0,
                },
                "author": null, "committer": null,
                "parents": fields[2].split_whitespace().map(parent).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn short_branch(cx: &Cx<'_>, name: &str, commit: &str) -> Value {
    let url = format!("{}{}/commits/{commit}", cx.shared.url, repo_path());
    json!({ "name": name, "commit": { "sha": commit, "url": url }, "protected": false })
}

fn branch(cx: &Cx<'_>, name: &str, commit: &str) -> Reply {
    let url = format!("{}{}/branches/{name}", cx.shared.url, repo_path());
    let html = format!("{}/{OWNER}/{NAME}/tree/{name}", cx.shared.url);
    let body = json!({
        "name": name,
        "commit": commits(cx.shared, &format!("{commit}^!"))[0],
        "_links": { "self": url, "html": html },
        "protected": false,
        "protection": {
            "enabled": false,
            "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
        },
        "protection_url": format!("{url}/protection"),
    });
    cx.own(200, &body)
}
