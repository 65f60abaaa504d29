//! Real git over HTTP, and pull requests that follow it.

use std::path::Path;

use serde_json::{Value, json};

use super::Program;
use crate::github::double::people::Inline;
use crate::github::double::state::Permission;
use crate::github::double::{Double, Setup};
use crate::harness::place::git;

/// Clones with a token, commits `path`, and pushes to `branch`: whether that went well.
#[expect(clippy::disallowed_methods, reason = "tests use git as a person does")]
fn pushes(double: &Double, token: &str, branch: &str, path: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().expect("a folder");
    let url = double.git_url().replace("http://", &format!("http://x-access-token:{token}@"));
    let copy = dir.path().join("copy");
    let run = |at: &Path, args: &[&str]| {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(at)
            .args(["-c", "credential.helper=", "-c", "user.name=Z", "-c", "user.email=z@z"])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .expect("git starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    };
    run(dir.path(), &["clone", "-q", &url, "copy"])?;
    let file = copy.join(path);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(file, "new\n").expect("a file");
    run(&copy, &["add", "-A"])?;
    run(&copy, &["commit", "-q", "-m", "New"])?;
    run(&copy, &["push", "-q", "origin", &format!("HEAD:refs/heads/{branch}")])
}

#[test]
fn git_pushes_with_the_right_token_only() {
    let Some(double) = Double::start() else { return };
    let writer = Program::app(&double, &json!({ "contents": "write" }));
    let reader = Program::app(&double, &json!({ "contents": "read" }));
    pushes(&double, &writer.token, "good", "new.txt").expect("it may push");
    assert!(double.branches().contains_key("good"));
    let refused = pushes(&double, &reader.token, "bad", "new.txt").expect_err("it may not push");
    assert!(refused.contains("403"), "{refused}");
    let refused = pushes(&double, "ghs_wrong", "bad", "new.txt").expect_err("nobody's token");
    assert!(refused.contains("Authentication failed") || refused.contains("could not read"));
    let workflow = ".github/workflows/ci.yml";
    let refused = pushes(&double, &writer.token, "bad", workflow).expect_err("no `workflows`");
    assert!(refused.contains("refusing to allow a GitHub App"), "{refused}");
    assert!(!double.branches().contains_key("bad"));
    let dir = tempfile::tempdir().expect("a folder");
    git(dir.path(), &["clone", "-q", &double.git_url(), "copy"]);
    assert!(dir.path().join("copy/README.md").exists(), "a public repository is everybody's");
    let pushes = double.calls_of("POST", "git/receive-pack");
    assert_eq!(pushes.len(), 2, "{pushes:?}");
    assert_eq!(pushes[0].who, "installation contents:write");
    double.finish();
}

#[test]
fn a_draft_is_opened_once_for_a_branch_that_is_there() {
    let Some(double) = Double::start() else { return };
    let zazen = Program::app(&double, &json!({ "contents": "write", "pull_requests": "write" }));
    let open = |head: &str| {
        let body = json!({ "title": "T", "head": head, "base": "main", "draft": true, "body": "" });
        zazen.post("/repos/ada/tally/pulls", &body)
    };
    let reply = open("zazen/1");
    assert_eq!((reply.status, &reply.value()["errors"][0]["field"]), (422, &json!("head")));
    pushes(&double, &zazen.token, "zazen/1", "new.txt").expect("it may push");
    let reply = open("zazen/1");
    assert_eq!(reply.status, 201, "{}", reply.text());
    let head = double.branches()["zazen/1"].clone();
    let pull = reply.value();
    assert_eq!((&pull["head"]["sha"], &pull["draft"]), (&json!(head), &json!(true)));
    assert_eq!((&pull["commits"], &pull["changed_files"]), (&json!(1), &json!(1)));
    let reply = open("zazen/1");
    let message = reply.value()["errors"][0]["message"].clone();
    assert_eq!(
        (reply.status, message),
        (422, json!("A pull request already exists for ada:zazen/1."))
    );
    let list = zazen.get("/repos/ada/tally/pulls?head=ada:zazen/1&state=all");
    assert_eq!(list.value().as_array().map(Vec::len), Some(1));
    let files = zazen.get("/repos/ada/tally/pulls/1/files").value();
    assert_eq!(files[0]["filename"], "new.txt");
    assert_eq!(zazen.get("/repos/ada/tally/pulls/1/commits").value()[0]["sha"], head);
    double.finish();
}

#[test]
fn drafts_can_be_refused() {
    let setup = Setup { has_no_drafts: true, ..Setup::default() };
    let Some(double) = Double::with(setup) else { return };
    double.owner().pushes_commit("work", "a", "a");
    let body = json!({ "title": "T", "head": "work", "base": "main", "draft": true });
    let reply = Program::new(&double, &double.token()).post("/repos/ada/tally/pulls", &body);
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("Draft pull requests are not supported in this repository."));
    double.finish();
}

#[test]
fn a_pull_request_follows_its_branch() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let first = alice.pushes_commit("work", "a.txt", "a\n");
    let number = alice.opens_pull("Closes nothing", "work");
    let second = alice.pushes_commit("work", "b.txt", "b\n");
    assert_eq!(double.pulls()[0]["head"]["sha"], second);
    let third = alice.force_pushes("work", "c.txt", "c\n");
    assert_eq!(double.pulls()[0]["head"]["sha"], third);
    assert_eq!(double.subjects("main..work"), ["Change c.txt"]);
    assert_eq!(double.git(&["rev-parse", "refs/pull/1/head"]).trim(), third);
    let deliveries = double.deliveries();
    let synchronized: Vec<&Value> = deliveries
        .iter()
        .filter(|delivery| delivery.action == "synchronize")
        .map(|delivery| &delivery.body["before"])
        .collect();
    assert_eq!(synchronized, [&json!(first), &json!(second)]);
    alice.deletes_branch("work");
    assert_eq!(double.item(number)["state"], "closed");
    let events: Vec<String> = double.events(number).into_iter().map(|(event, _)| event).collect();
    assert_eq!(events, ["head_ref_force_pushed", "head_ref_deleted", "closed"]);
    double.finish();
}

#[test]
fn a_merge_closes_what_it_says() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let issue = alice.opens_issue("One", "");
    alice.pushes_commit("work", "a.txt", "a\n");
    let pull = alice.opens_pull("Work", "work");
    alice.edits(pull, "Work", &format!("It works.\n\nCloses #{issue}."));
    let commit = alice.merges(pull);
    assert_eq!(double.branches()["main"], commit);
    assert_eq!(
        (&double.pulls()[0]["merged"], &double.pulls()[0]["state"]),
        (&json!(true), &json!("closed"))
    );
    assert_eq!(double.item(issue)["state"], "closed");
    let zazen = Program::new(&double, &double.token());
    let events = zazen.get(&format!("/repos/ada/tally/issues/{issue}/events"));
    assert_eq!(events.value()[0]["event"], "closed", "{}", events.text());
    double.finish();
}

#[test]
fn a_fork_is_others_and_its_pull_request_can_be_fetched() {
    let Some(double) = Double::start() else { return };
    let mallory = double.person("mallory", Permission::None);
    mallory.forks();
    let commit = mallory.pushes_to_fork("evil", "hook.sh", "rm\n");
    let number = mallory.opens_pull("Trust me", "mallory:evil");
    let pull = &double.pulls()[0];
    assert_eq!(pull["head"]["repo"]["fork"], true);
    assert_eq!(pull["head"]["sha"], commit);
    assert!(!double.branches().contains_key("evil"));
    let name = format!("refs/pull/{number}/head");
    assert_eq!(double.git(&["rev-parse", &name]).trim(), commit);
    let refused = mallory.tries("PUT", &format!("/pulls/{number}/merge"), &json!({}));
    assert_eq!(refused.status, 403);
    double.finish();
}

#[test]
fn a_review_is_at_lines_of_the_diff() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let bob = double.person("bob", Permission::Write);
    alice.pushes_commit("work", "a.txt", "one\ntwo\n");
    let number = alice.opens_pull("Work", "work");
    let inline = Inline { path: "a.txt", line: 2, body: "three?" };
    let review = bob.reviews(number, "changes_requested", "Not yet.", &[inline]);
    let zazen = Program::new(&double, &double.token());
    let path = format!("/repos/ada/tally/pulls/{number}/reviews");
    let reviews = zazen.get(&path).value();
    assert_eq!(
        (&reviews[0]["id"], &reviews[0]["state"]),
        (&json!(review), &json!("CHANGES_REQUESTED"))
    );
    let comments = zazen.get(&format!("{path}/{review}/comments"));
    assert_eq!(comments.value()[0]["line"], 2, "{}", comments.text());
    let id = double.review_comments(number)[0]["id"].as_u64().expect("an id");
    let reply = format!("/repos/ada/tally/pulls/{number}/comments/{id}/replies");
    assert_eq!(zazen.post(&reply, &json!({ "body": "done" })).status, 201);
    alice.replies(number, id, "thank you");
    let thread = zazen.get(&format!("/repos/ada/tally/pulls/{number}/comments")).value();
    assert_eq!(thread[2]["in_reply_to_id"], id, "{thread}");
    let off = json!({ "path": "a.txt", "line": 9, "side": "RIGHT", "body": "x" });
    let body = json!({ "event": "COMMENT", "body": "b", "comments": [off] });
    assert_eq!(zazen.post(&path, &body).status, 422);
    let own = json!({ "event": "APPROVE", "body": "mine" });
    assert_eq!(alice.tries("POST", &format!("/pulls/{number}/reviews"), &own).status, 422);
    double.finish();
}
