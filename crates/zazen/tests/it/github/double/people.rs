//! What people do on GitHub. Each deed goes through the same rules as zazen's requests, and
//! has the webhooks that it would have.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Double;
use super::answers::checks;
use super::description::Description;
use super::effects::{Happening, branch_moved};
use super::front;
use super::git::Moved;
use super::shared::{Shared, repo_path};
use super::state::{MACHINE, NAME, OWNER, now, person_token};
use super::wire::{Ask, Reply};

/// The App that CI's checks are by.
const ACTIONS: (u64, &str) = (15_368, "github-actions");

/// Somebody with an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person<'d> {
    double: &'d Double,
    login: &'d str,
}

/// A comment at a line of the diff.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inline<'a> {
    pub(crate) path: &'a str,
    pub(crate) line: u64,
    pub(crate) body: &'a str,
}

impl<'d> Person<'d> {
    pub(super) fn new(double: &'d Double, login: &str) -> Self {
        let cast = super::CAST.iter().chain([&OWNER, &MACHINE]);
        let login = cast.copied().find(|known| *known == login).expect("they are in the cast");
        Self { double, login }
    }

    pub(crate) fn login(&self) -> &'d str {
        self.login
    }

    /// Opens an issue: its number.
    pub(crate) fn opens_issue(&self, title: &str, body: &str) -> u64 {
        let body = json!({ "title": title, "body": body });
        self.does("POST", "/issues", &body)["number"].as_u64().expect("a number")
    }

    /// Comments on an issue or a pull request: the comment's id.
    pub(crate) fn comments(&self, number: u64, text: &str) -> u64 {
        let path = format!("/issues/{number}/comments");
        self.does("POST", &path, &json!({ "body": text }))["id"].as_u64().expect("an id")
    }

    pub(crate) fn edits_comment(&self, id: u64, text: &str) {
        self.does("PATCH", &format!("/issues/comments/{id}"), &json!({ "body": text }));
    }

    pub(crate) fn deletes_comment(&self, id: u64) {
        self.does("DELETE", &format!("/issues/comments/{id}"), &Value::Null);
    }

    /// Changes the text of an issue or a pull request.
    pub(crate) fn edits(&self, number: u64, title: &str, body: &str) {
        let edit = json!({ "title": title, "body": body });
        self.does("PATCH", &format!("/issues/{number}"), &edit);
    }

    pub(crate) fn labels(&self, number: u64, label: &str) {
        self.does("POST", &format!("/issues/{number}/labels"), &json!({ "labels": [label] }));
    }

    pub(crate) fn unlabels(&self, number: u64, label: &str) {
        let label = label.replace(':', "%3A").replace(' ', "%20");
        self.does("DELETE", &format!("/issues/{number}/labels/{label}"), &Value::Null);
    }

    pub(crate) fn assigns(&self, number: u64, login: &str) {
        let body = json!({ "assignees": [login] });
        self.does("POST", &format!("/issues/{number}/assignees"), &body);
    }

    pub(crate) fn locks(&self, number: u64) {
        self.does("PUT", &format!("/issues/{number}/lock"), &json!({ "lock_reason": "resolved" }));
    }

    /// Closes an issue or a pull request.
    pub(crate) fn closes(&self, number: u64) {
        self.does("PATCH", &format!("/issues/{number}"), &json!({ "state": "closed" }));
    }

    pub(crate) fn reopens(&self, number: u64) {
        self.does("PATCH", &format!("/issues/{number}"), &json!({ "state": "open" }));
    }

    /// Makes a discussion of an issue: it is closed, and stays where it was.
    pub(crate) fn converts(&self, number: u64) {
        let shared = &self.double.shared;
        let target = format!("{}/issues/{number}", repo_path());
        self.double.block_on(async {
            let reply = shared.inner("PATCH", &target, Some(&json!({ "state": "closed" }))).await;
            assert!(reply.is_success(), "{}", reply.text());
            let from = Happening { shared, login: self.login };
            from.note(number, "converted_to_discussion", json!({})).await;
            from.tell_of(number, "closed", json!({})).await;
        });
    }

    /// Moves an issue to another repository: GitHub sends whoever asks for it there.
    pub(crate) fn transfers(&self, number: u64) {
        self.removes(number, 301, "transferred");
    }

    /// Deletes an issue for good.
    pub(crate) fn deletes_issue(&self, number: u64) {
        self.removes(number, 410, "deleted");
    }

    fn removes(&self, number: u64, status: u16, action: &str) {
        let shared = &self.double.shared;
        self.double.block_on(async {
            let issue = super::answers::items::get(shared, number).await;
            shared.state().gone.insert(number, status);
            let from = Happening { shared, login: self.login };
            from.tell("issues", action, json!({ "issue": issue })).await;
        });
    }

    /// Says that a pull request is to go into another branch.
    pub(crate) fn retargets(&self, number: u64, base: &str) {
        self.does("PATCH", &format!("/pulls/{number}"), &json!({ "base": base }));
    }

    pub(crate) fn requests_review(&self, number: u64, login: &str) {
        let body = json!({ "reviewers": [login] });
        self.does("POST", &format!("/pulls/{number}/requested_reviewers"), &body);
    }

    /// Reviews: `approved`, `changes_requested` or `commented`. Returns the review's id.
    pub(crate) fn reviews(
        &self,
        number: u64,
        state: &str,
        body: &str,
        inline: &[Inline<'_>],
    ) -> u64 {
        let event = match state {
            "approved" => "APPROVE",
            "changes_requested" => "REQUEST_CHANGES",
            "commented" => "COMMENT",
            other => panic!("there is no review that is `{other}`"),
        };
        let comments: Vec<Value> = inline
            .iter()
            .map(|c| json!({ "path": c.path, "line": c.line, "side": "RIGHT", "body": c.body }))
            .collect();
        let review = json!({ "event": event, "body": body, "comments": comments });
        self.does("POST", &format!("/pulls/{number}/reviews"), &review)["id"]
            .as_u64()
            .expect("an id")
    }

    /// Answers a comment at a line.
    pub(crate) fn replies(&self, number: u64, comment: u64, body: &str) -> u64 {
        let path = format!("/pulls/{number}/comments/{comment}/replies");
        self.does("POST", &path, &json!({ "body": body }))["id"].as_u64().expect("an id")
    }

    /// Opens a pull request: `head` is a branch, or `login:branch` of a fork.
    pub(crate) fn opens_pull(&self, title: &str, head: &str) -> u64 {
        let body = json!({ "title": title, "head": head, "base": "main", "body": "" });
        self.does("POST", "/pulls", &body)["number"].as_u64().expect("a number")
    }

    /// Says at the web page that a draft is ready.
    pub(crate) fn marks_ready(&self, number: u64) {
        let target = format!("{}/pulls/{number}", repo_path());
        let shared = &self.double.shared;
        self.double.block_on(async {
            let reply = shared.inner("PATCH", &target, Some(&json!({ "draft": false }))).await;
            assert!(reply.is_success(), "{}", reply.text());
            let from = Happening { shared, login: self.login };
            from.note(number, "ready_for_review", json!({})).await;
            let pull = super::answers::pulls::get(shared, number).await;
            let parts = json!({ "pull_request": pull, "number": number });
            from.tell("pull_request", "ready_for_review", parts).await;
        });
    }

    /// Merges a pull request that is no draft: the commit on the base.
    pub(crate) fn merges(&self, number: u64) -> String {
        let merged = self.does("PUT", &format!("/pulls/{number}/merge"), &json!({}));
        merged["sha"].as_str().expect("a commit").to_owned()
    }

    /// Pushes a commit with one file onto a branch, which is made from `main` if need be.
    pub(crate) fn pushes_commit(&self, branch: &str, path: &str, content: &str) -> String {
        self.push((OWNER, branch), None, path, content)
    }

    /// Rewrites a branch: one commit on `main` instead of all that was there.
    pub(crate) fn force_pushes(&self, branch: &str, path: &str, content: &str) -> String {
        self.push((OWNER, branch), Some("refs/heads/main"), path, content)
    }

    /// Forks the repository.
    pub(crate) fn forks(&self) {
        let shared = &self.double.shared;
        let target = format!("{}/forks", repo_path());
        let token = person_token(self.login);
        let reply =
            self.double.block_on(shared.inner_as(&token, "POST", &target, Some(&json!({}))));
        assert!(reply.is_success(), "{}", reply.text());
        shared.git.clone_bare(&shared.git.bare(OWNER, NAME), self.login, NAME);
        shared.state().forks.insert(self.login.to_owned());
    }

    /// Pushes a commit onto a branch of their own fork.
    pub(crate) fn pushes_to_fork(&self, branch: &str, path: &str, content: &str) -> String {
        self.push((self.login, branch), None, path, content)
    }

    /// Has a program of theirs say of a commit how its check went: `success`, `failure`, …
    pub(crate) fn reports(&self, commit: &str, context: &str, (state, says): (&str, &str)) {
        let body = json!({ "state": state, "context": context, "description": says });
        self.does("POST", &format!("/statuses/{commit}"), &body);
    }

    pub(crate) fn deletes_branch(&self, branch: &str) {
        self.moves(OWNER, branch, None);
    }

    /// Commits one file on `from`, or on what the branch has, and moves the branch there.
    fn push(
        &self,
        (owner, branch): (&str, &str),
        from: Option<&str>,
        path: &str,
        content: &str,
    ) -> String {
        let shared = &self.double.shared;
        let git = &shared.git;
        let dir = git.bare(owner, NAME);
        let known = git.heads(owner, NAME).get(branch).cloned();
        let from = from.map(str::to_owned).or(known);
        let from = from.unwrap_or_else(|| "refs/heads/main".to_owned());
        let work = tempfile::tempdir().expect("a folder");
        let copy = work.path().join("copy");
        let (source, target) = (dir.display().to_string(), copy.display().to_string());
        git.run_as(self.login, work.path(), &["clone", "-q", &source, &target]);
        let start = git.run(&dir, &["rev-parse", &from]);
        git.run_as(self.login, &copy, &["checkout", "-q", "--detach", start.trim()]);
        let file = copy.join(path);
        std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
        std::fs::write(file, content).expect("a file");
        git.run_as(self.login, &copy, &["add", "-A"]);
        git.run_as(self.login, &copy, &["commit", "-q", "-m", &format!("Change {path}")]);
        let commit = git.run(&copy, &["rev-parse", "HEAD"]).trim().to_owned();
        let refspec = format!("{commit}:refs/people/{commit}");
        git.run_as(self.login, &copy, &["push", "-q", "origin", &refspec]);
        self.moves(owner, branch, Some(&commit));
        commit
    }

    /// Moves a branch as a push does.
    fn moves(&self, owner: &str, branch: &str, after: Option<&str>) {
        let shared = &self.double.shared;
        let dir = shared.git.bare(owner, NAME);
        let name = format!("refs/heads/{branch}");
        let may = owner == self.login
            || shared.state().permission(self.login) >= super::Permission::Write;
        assert!(may, "{} may not push", self.login);
        self.double.block_on(async {
            let _turn = shared.turn.lock().await;
            let before = shared.git.heads(owner, NAME).get(branch).cloned();
            match after {
                Some(commit) => shared.git.run(&dir, &["update-ref", &name, commit]),
                None => shared.git.run(&dir, &["update-ref", "-d", &name]),
            };
            let after = after.map(str::to_owned);
            let moved = Moved { branch: branch.to_owned(), before, after };
            branch_moved(shared, self.login, owner, &moved).await;
        });
    }

    /// Does something in the repository by the API, and expects that they may.
    fn does(&self, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.tries(method, path, body);
        assert!(
            reply.is_success(),
            "{} cannot {method} {path}: {} {}",
            self.login,
            reply.status,
            reply.text()
        );
        reply.value()
    }

    /// Tries something in the repository by the API: `/issues/1/comments`.
    pub(crate) fn tries(&self, method: &str, path: &str, body: &Value) -> Reply {
        let mut ask = Ask::new(method, &format!("{}{path}", repo_path()))
            .token(&person_token(self.login))
            .with("user-agent", "a browser");
        if !body.is_null() {
            ask = ask.json(body);
        }
        let matched = Description::get().find(&ask.path);
        let shared = &self.double.shared;
        let found = Description::get().check_request(&ask, matched.as_ref());
        shared.state().violations.extend(found);
        self.double.block_on(front::answer_api(shared, &ask, matched))
    }
}

impl Double {
    /// CI begins on a commit: the run's id. It has one job, of the same name.
    pub(crate) fn ci_begins(&self, branch: &str, commit: &str, name: &str) -> u64 {
        let shared = &self.shared;
        self.block_on(async {
            let repository = shared.read("").await.unwrap_or_default();
            let mut check = checks::run(shared, commit, ACTIONS);
            check["name"] = name.into();
            check["status"] = "in_progress".into();
            let (run, job) = ci_objects(shared, (branch, commit, name), &check, &repository).await;
            let id = run["id"].as_u64().expect("a number");
            // The page of a job of Actions says which run it is part of.
            for name in ["html_url", "details_url"] {
                check[name] = job["html_url"].clone();
            }
            let mut state = shared.state();
            state.check_runs.push(check);
            state.runs.push(run);
            state.jobs.push(job);
            id
        })
    }

    /// CI ends: `success`, `failure`, …, with the log of its job.
    pub(crate) fn ci_ends(&self, run: u64, conclusion: &str, log: &str) {
        let shared = &self.shared;
        let (run, check) = {
            let mut state = shared.state();
            let state = &mut *state;
            let end = |it: &mut Value| {
                it["status"] = "completed".into();
                it["conclusion"] = conclusion.into();
            };
            let run = state.runs.iter_mut().find(|it| it["id"] == run).expect("it has begun");
            end(run);
            run["updated_at"] = now().into();
            let job = state.jobs.iter_mut().find(|it| it["run_id"] == run["id"]).expect("its job");
            end(job);
            job["completed_at"] = now().into();
            let id = job["id"].as_u64().expect("a number");
            state.logs.insert(id, log.to_owned());
            let check = state.check_runs.iter_mut().find(|it| it["id"] == id).expect("its check");
            end(check);
            check["completed_at"] = now().into();
            (run.clone(), check.clone())
        };
        self.block_on(tell_ci(shared, run, check));
    }
}

async fn tell_ci(shared: &Arc<Shared>, run: Value, check: Value) {
    let from = Happening { shared, login: OWNER };
    let suite = json!({
        "id": check["check_suite"]["id"], "head_sha": check["head_sha"], "status": "completed",
        "head_branch": run["head_branch"], "conclusion": run["conclusion"], "app": check["app"],
        "pull_requests": [],
    });
    from.tell("check_run", "completed", json!({ "check_run": check })).await;
    from.tell("check_suite", "completed", json!({ "check_suite": suite })).await;
    from.tell("workflow_run", "completed", json!({ "workflow_run": run })).await;
}

/// A run of a workflow and its job. The job's id is the check's, as on GitHub.
async fn ci_objects(
    shared: &Arc<Shared>,
    (branch, commit, name): (&str, &str, &str),
    check: &Value,
    repository: &Value,
) -> (Value, Value) {
    let actor = shared.user(OWNER).await;
    let id = shared.state().next_id();
    let url = format!("{}{}/actions", shared.url, repo_path());
    let this = format!("{url}/runs/{id}");
    let html = format!("{}/{OWNER}/{NAME}/actions/runs/{id}", shared.url);
    let job = check["id"].as_u64().expect("a number");
    let run = json!({
        "id": id, "name": name, "node_id": "WFR_kwDO", "head_branch": branch, "head_sha": commit,
        "path": ".github/workflows/ci.yml", "run_number": 1, "run_attempt": 1,
        "display_title": name, "event": "push", "status": "in_progress", "conclusion": null,
        "workflow_id": 161_335, "url": this, "html_url": html, "pull_requests": [],
        "created_at": now(), "updated_at": now(), "actor": actor, "triggering_actor": actor,
        "run_started_at": now(), "jobs_url": format!("{this}/jobs"),
        "logs_url": format!("{this}/logs"),
        "check_suite_url": format!("{}{}/check-suites/1", shared.url, repo_path()),
        "artifacts_url": format!("{this}/artifacts"), "cancel_url": format!("{this}/cancel"),
        "rerun_url": format!("{this}/rerun"), "workflow_url": format!("{url}/workflows/161335"),
        "head_commit": null, "repository": repository, "head_repository": repository,
    });
    let job = json!({
        "id": job, "run_id": id, "run_url": this, "run_attempt": 1, "node_id": "CR_kwDO",
        "head_sha": commit, "head_branch": branch, "workflow_name": name, "name": name,
        "url": format!("{url}/jobs/{job}"), "html_url": format!("{html}/job/{job}"),
        "status": "in_progress", "conclusion": null, "created_at": now(), "started_at": now(),
        "completed_at": null, "check_run_url": check["url"], "labels": ["ubuntu-latest"],
        "runner_id": 1, "runner_name": "one", "runner_group_id": 1, "runner_group_name": "all",
        "steps": [],
    });
    (run, job)
}
