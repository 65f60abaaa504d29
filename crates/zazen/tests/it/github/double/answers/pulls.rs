//! Pull requests: emulate keeps their texts, real git says what is in them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::patch;
use super::super::shared::{Cx, Shared, repo_path};
use super::super::state::{NAME, OWNER, Permission, PullFacts, now, person_token};
use super::super::wire::Reply;
use super::ordered;

/// One pull request, with what git says of it.
pub(crate) async fn get(shared: &Arc<Shared>, number: u64) -> Option<Value> {
    let mut pull = shared.read(&format!("/pulls/{number}")).await?;
    Box::pin(patch::value(shared, &mut pull)).await;
    Some(pull)
}

/// Puts into emulate's pull request what only git knows.
pub(crate) async fn complete(shared: &Arc<Shared>, pull: &mut Value) {
    let number = pull["number"].as_u64().unwrap_or_default();
    let Some(facts) = shared.state().pulls.get(&number).cloned() else { return };
    pull["head"]["sha"] = facts.head_commit.clone().into();
    pull["base"]["sha"] = facts.base_commit.clone().into();
    pull["maintainer_can_modify"] = false.into();
    let git = &shared.git;
    let dir = git.bare(OWNER, NAME);
    let range = format!("{}...{}", facts.base_commit, facts.head_commit);
    let stat = git.try_run("Ada", &dir, &["diff", "--numstat", &range]).unwrap_or_default();
    let column = |n: usize| {
        let lines = stat.lines().filter_map(|line| line.split('\t').nth(n)?.parse::<u64>().ok());
        lines.sum::<u64>()
    };
    pull["additions"] = column(0).into();
    pull["deletions"] = column(1).into();
    pull["changed_files"] = stat.lines().count().into();
    let range = format!("{}..{}", facts.base_commit, facts.head_commit);
    let count = git.try_run("Ada", &dir, &["rev-list", "--count", &range]).unwrap_or_default();
    pull["commits"] = count.trim().parse::<u64>().unwrap_or_default().into();
    let tree = ["merge-tree", "--write-tree", &facts.base, &facts.head_commit];
    let is_clean = git.try_run("Ada", &dir, &tree).is_ok();
    pull["mergeable"] = is_clean.into();
    pull["mergeable_state"] = if is_clean { "clean" } else { "dirty" }.into();
    let n_comments = shared.state().review_comments.iter().filter(|(of, _)| *of == number).count();
    pull["review_comments"] = n_comments.into();
    let comments = shared.read_all(&format!("/issues/{number}/comments")).await;
    pull["comments"] = comments.len().into();
    if let Some((commit, login, at)) = &facts.merged {
        pull["merged"] = true.into();
        pull["merge_commit_sha"] = commit.clone().into();
        pull["merged_at"] = at.clone().into();
        pull["merged_by"] = shared.user(login).await;
        pull["mergeable"] = Value::Null;
    }
}

pub(super) async fn answer(cx: &Cx<'_>, path: &str) -> Option<Reply> {
    let number = cx.at.number("pull_number");
    let reply = match (cx.ask.method.as_str(), path) {
        ("GET", "/pulls") => list(cx).await,
        ("POST", "/pulls") => create(cx).await,
        ("GET", "/pulls/{pull_number}") => match get(cx.shared, number).await {
            Some(pull) => Reply::json(200, &pull),
            None => Reply::error(404, "Not Found"),
        },
        ("PATCH", "/pulls/{pull_number}") => edit(cx, number).await,
        ("PUT", "/pulls/{pull_number}/merge") => merge(cx, number).await,
        ("GET", "/pulls/{pull_number}/files") => files(cx, number),
        ("GET", "/pulls/{pull_number}/commits") => {
            let Some(facts) = cx.shared.state().pulls.get(&number).cloned() else {
                return Some(Reply::error(404, "Not Found"));
            };
            let range = format!("{}..{}", facts.base_commit, facts.head_commit);
            let mut commits = super::code::commits(cx.shared, &range);
            commits.reverse();
            cx.list(&commits)
        }
        ("POST", "/pulls/{pull_number}/requested_reviewers") => request(cx, number).await,
        _ => return None,
    };
    Some(reply)
}

async fn list(cx: &Cx<'_>) -> Reply {
    let (state, head) = (cx.ask.query("state"), cx.ask.query("head"));
    let base = cx.ask.query("base");
    let state = state.unwrap_or_else(|| "open".to_owned());
    let mut pulls = Value::Array(cx.shared.read_all("/pulls?state=all").await);
    Box::pin(patch::value(cx.shared, &mut pulls)).await;
    let Value::Array(mut pulls) = pulls else { return Reply::error(500, "no list") };
    pulls.retain(|pull| {
        let is_state = state == "all" || pull["state"] == *state;
        // GitHub filters by `owner:branch`, and ignores what is not of that form.
        let is_head =
            head.as_ref().is_none_or(|head| !head.contains(':') || pull["head"]["label"] == **head);
        is_state && is_head && base.as_ref().is_none_or(|base| pull["base"]["ref"] == **base)
    });
    // In this list alone, GitHub describes a label's description as a text at all times.
    for label in pulls.iter_mut().filter_map(|pull| pull["labels"].as_array_mut()).flatten() {
        if label["description"].is_null() {
            label["description"] = "".into();
        }
    }
    let pulls = ordered(cx, pulls, ("created", "desc"));
    cx.list(&pulls)
}

/// Opens a pull request where GitHub would: the branches are there, they differ, and there
/// is none yet.
async fn create(cx: &Cx<'_>) -> Reply {
    let body = cx.ask.value();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (base, head) = (text("base"), text("head"));
    let (owner, head) = head.split_once(':').map_or_else(
        || (OWNER.to_owned(), head.clone()),
        |(owner, head)| (owner.to_owned(), head.to_owned()),
    );
    let shared = cx.shared;
    let base_commit = shared.git.heads(OWNER, NAME).get(&base).cloned();
    let Some(base_commit) = base_commit else {
        return Reply::invalid("PullRequest", "base", "invalid", "");
    };
    let is_known = owner == OWNER || shared.state().forks.contains(&owner);
    let head_commit = is_known.then(|| shared.git.heads(&owner, NAME).get(&head).cloned());
    let Some(head_commit) = head_commit.flatten() else {
        return Reply::invalid("PullRequest", "head", "invalid", "");
    };
    if let Some(refusal) = refuse_pull(cx, &owner, &head, &base) {
        return refusal;
    }
    shared.fetch_fork(&owner, &head);
    let range = format!("{base_commit}..{head_commit}");
    let count = shared.git.run(&shared.git.bare(OWNER, NAME), &["rev-list", "--count", &range]);
    if count.trim() == "0" {
        let what = format!("No commits between {base} and {head}");
        return Reply::invalid("PullRequest", "", "custom", &what);
    }
    make_branch(shared, &owner, &head).await;
    let mut reply = cx.forward().await;
    if !reply.is_success() {
        return reply;
    }
    let number = reply.value()["number"].as_u64().unwrap_or_default();
    let name = format!("refs/pull/{number}/head");
    shared.git.run(&shared.git.bare(OWNER, NAME), &["update-ref", &name, &head_commit]);
    let facts = PullFacts {
        head_owner: owner,
        head,
        head_commit,
        base,
        base_commit,
        is_closed: false,
        merged: None,
    };
    shared.state().pulls.insert(number, facts);
    Box::pin(patch::reply(shared, &mut reply)).await;
    reply
}

/// Lets emulate have a branch of that name. It would make it when the pull request is opened,
/// and want `contents: write` for that, which GitHub does not.
async fn make_branch(shared: &Shared, owner: &str, head: &str) {
    let (path, token) = (format!("/repos/{owner}/{NAME}/git"), person_token(owner));
    let main = shared.inner_as(&token, "GET", &format!("{path}/ref/heads/main"), None).await;
    let sha = main.value()["object"]["sha"].clone();
    let asked = json!({ "ref": format!("refs/heads/{head}"), "sha": sha });
    // It is there already, if the branch had a pull request before.
    shared.inner_as(&token, "POST", &format!("{path}/refs"), Some(&asked)).await;
}

fn refuse_pull(cx: &Cx<'_>, owner: &str, head: &str, base: &str) -> Option<Reply> {
    let (may_push, no_drafts) = {
        let state = cx.shared.state();
        let login = cx.holder.login();
        let may =
            cx.holder.is_app() || login == owner || state.permission(login) >= Permission::Write;
        (may, state.no_drafts)
    };
    if !may_push {
        return Some(Reply::error(403, "Resource not accessible"));
    }
    if no_drafts && cx.ask.value()["draft"] == true {
        let what = "Draft pull requests are not supported in this repository.";
        return Some(Reply::error(422, what));
    }
    let pulls = cx.shared.state().pulls.clone();
    let is_there = pulls.values().any(|pull| {
        !pull.is_closed && pull.head_owner == owner && pull.head == head && pull.base == base
    });
    is_there.then(|| {
        let what = format!("A pull request already exists for {owner}:{head}.");
        Reply::invalid("PullRequest", "", "custom", &what)
    })
}

pub(super) async fn edit(cx: &Cx<'_>, number: u64) -> Reply {
    // Whether it is a draft is not to be changed here: GitHub ignores it.
    let mut body = cx.ask.value();
    if let Some(body) = body.as_object_mut() {
        body.remove("draft");
    }
    let target = format!("{}/pulls/{number}", repo_path());
    let mut reply = cx.inner("PATCH", &target, Some(&body)).await;
    if reply.is_success()
        && let Some(facts) = cx.shared.state().pulls.get_mut(&number)
        && let Some(state) = body["state"].as_str()
    {
        facts.is_closed = state == "closed";
    }
    Box::pin(patch::reply(cx.shared, &mut reply)).await;
    reply
}

async fn merge(cx: &Cx<'_>, number: u64) -> Reply {
    let shared = cx.shared;
    let Some(facts) = shared.state().pulls.get(&number).cloned() else {
        return Reply::error(404, "Not Found");
    };
    let pull = get(shared, number).await.unwrap_or_default();
    if facts.is_closed || pull["draft"] == true {
        return Reply::error(405, "Pull Request is not mergeable");
    }
    if cx.ask.value()["sha"].as_str().is_some_and(|sha| sha != facts.head_commit) {
        return Reply::error(409, "Head branch was modified. Review and try the merge again.");
    }
    let git = &shared.git;
    let dir = git.bare(OWNER, NAME);
    let tree = ["merge-tree", "--write-tree", &facts.base, &facts.head_commit];
    let Ok(tree) = git.try_run("Ada", &dir, &tree) else {
        return Reply::error(405, "Merge conflict");
    };
    let base = git.run(&dir, &["rev-parse", &format!("refs/heads/{}", facts.base)]);
    let title = format!("Merge pull request #{number} from {OWNER}/{}", facts.head);
    let mut args = vec!["commit-tree", tree.trim(), "-m", &title, "-p", base.trim()];
    if cx.ask.value()["merge_method"] != "squash" {
        args.extend(["-p", &facts.head_commit]);
    }
    let commit = git.run_as(cx.holder.login(), &dir, &args).trim().to_owned();
    git.run(&dir, &["update-ref", &format!("refs/heads/{}", facts.base), &commit]);
    let target = format!("{}/pulls/{number}", repo_path());
    shared.inner("PATCH", &target, Some(&json!({ "state": "closed" }))).await;
    if let Some(facts) = shared.state().pulls.get_mut(&number) {
        facts.is_closed = true;
        facts.merged = Some((commit.clone(), cx.holder.login().to_owned(), now()));
    }
    let body = json!({
        "sha": commit, "merged": true, "message": "Pull Request successfully merged",
    });
    cx.own(200, &body)
}

async fn request(cx: &Cx<'_>, number: u64) -> Reply {
    let Some(pull) = get(cx.shared, number).await else { return Reply::error(404, "Not Found") };
    let asked = cx.ask.value();
    let reviewers = asked["reviewers"].as_array().cloned().unwrap_or_default();
    for login in &reviewers {
        let login = login.as_str().unwrap_or_default();
        if pull["user"]["login"] == login {
            let what = "Review cannot be requested from pull request author.";
            return Reply::error(422, what);
        }
        if cx.shared.association(login) == "NONE" {
            let what = "Reviews may only be requested from collaborators. One or more of the \
                        users or teams you specified is not a collaborator.";
            return Reply::error(422, what);
        }
    }
    let mut reply = cx.forward().await;
    Box::pin(patch::reply(cx.shared, &mut reply)).await;
    reply.status = if reply.is_success() { 201 } else { reply.status };
    reply
}

fn files(cx: &Cx<'_>, number: u64) -> Reply {
    let Some(facts) = cx.shared.state().pulls.get(&number).cloned() else {
        return Reply::error(404, "Not Found");
    };
    let git = &cx.shared.git;
    let dir = git.bare(OWNER, NAME);
    let range = format!("{}...{}", facts.base_commit, facts.head_commit);
    let names = git.run(&dir, &["diff", "--no-renames", "--name-status", &range]);
    let url = format!("{}{}", cx.shared.url, repo_path());
    let files: Vec<Value> = names
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(status, name)| {
            let stat = git.run(&dir, &["diff", "--numstat", &range, "--", name]);
            let mut counts = stat.split('\t').filter_map(|n| n.parse::<u64>().ok());
            let (plus, minus) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
            let diff = git.run(&dir, &["diff", &range, "--", name]);
            let patch = diff.find("@@").map_or("", |at| &diff[at..]);
            json!({
                "sha": facts.head_commit, "filename": name,
                "status": match status { "A" => "added", "D" => "removed", _ => "modified" },
                "additions": plus, "deletions": minus, "changes": plus + minus,
                "blob_url": format!("{url}/blob/{name}"), "raw_url": format!("{url}/raw/{name}"),
                "contents_url": format!("{url}/contents/{name}"), "patch": patch.trim_end(),
            })
        })
        .collect();
    cx.list(&files)
}

impl Shared {
    /// Brings a branch of a fork into the repository's own store, as GitHub has it.
    pub(crate) fn fetch_fork(&self, owner: &str, head: &str) {
        if owner == OWNER {
            return;
        }
        let from = self.git.bare(owner, NAME).display().to_string();
        let refspec = format!("+refs/heads/{head}:refs/forks/{owner}/{head}");
        self.git.run(&self.git.bare(OWNER, NAME), &["fetch", "-q", &from, &refspec]);
    }
}
