//! Labels, reactions, events and CI, as the API tells them.

use serde_json::{Value, json};

use super::Program;
use crate::github::double::Double;
use crate::github::double::faults::Fault;
use crate::github::double::state::Permission;
use crate::github::double::wire::{Ask, fetch};

#[test]
fn who_labelled_is_told() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Triage);
    let number = double.owner().opens_issue("One", "");
    alice.labels(number, "zazen:plan");
    alice.unlabels(number, "zazen:plan");
    alice.assigns(number, "zazen-machine");
    alice.tries("PATCH", &format!("/issues/{number}"), &json!({ "title": "Two" }));
    let zazen = Program::new(&double, &double.token());
    let events = zazen.get(&format!("/repos/ada/tally/issues/{number}/events")).value();
    let told: Vec<(&str, &str)> = events
        .as_array()
        .expect("a list")
        .iter()
        .map(|e| (e["event"].as_str().unwrap_or(""), e["actor"]["login"].as_str().unwrap_or("")))
        .collect();
    let by = "alice";
    assert_eq!(told, [("labeled", by), ("unlabeled", by), ("assigned", by), ("renamed", by)]);
    assert_eq!(events[0]["label"]["name"], "zazen:plan");
    let all = zazen.get("/repos/ada/tally/issues/events").value();
    assert_eq!((&all[0]["event"], &all[0]["issue"]["number"]), (&json!("renamed"), &json!(1)));
    double.finish();
}

#[test]
fn a_reaction_is_there_once() {
    let Some(double) = Double::start() else { return };
    let number = double.owner().opens_issue("One", "");
    let id = double.owner().comments(number, "/plan");
    let zazen = Program::app(&double, &json!({ "issues": "write" }));
    let path = format!("/repos/ada/tally/issues/comments/{id}/reactions");
    let statuses: Vec<u16> =
        (0..2).map(|_| zazen.post(&path, &json!({ "content": "eyes" })).status).collect();
    assert_eq!(statuses, [201, 200]);
    let path = format!("/repos/ada/tally/issues/{number}/reactions");
    assert_eq!(zazen.post(&path, &json!({ "content": "rocket" })).status, 201);
    let eyes = ("zazen-test[bot]".to_owned(), "eyes".to_owned());
    assert_eq!(double.reactions("comment", id), [eyes]);
    assert_eq!(double.item(number)["reactions"]["rocket"], 1);
    double.finish();
}

#[test]
fn ci_fails_is_read_and_runs_again() {
    let Some(double) = Double::start() else { return };
    let commit = double.owner().pushes_commit("work", "a.txt", "a\n");
    let run = double.ci_begins("work", &commit, "test");
    double.ci_ends(run, "failure", "assertion failed\n");
    let zazen = Program::app(&double, &json!({ "actions": "write", "checks": "read" }));
    let checks = zazen.get(&format!("/repos/ada/tally/commits/{commit}/check-runs")).value();
    assert_eq!(checks["check_runs"][0]["conclusion"], "failure", "{checks}");
    assert_eq!(checks["check_runs"][0]["app"]["slug"], "github-actions");
    let jobs = zazen.get(&format!("/repos/ada/tally/actions/runs/{run}/jobs")).value();
    let job = &jobs["jobs"][0]["id"];
    let log = zazen.get(&format!("/repos/ada/tally/actions/jobs/{job}/logs"));
    assert_eq!(log.status, 302);
    let location = log.header("location").expect("where the log is").to_owned();
    let (address, path) = location["http://".len()..].split_once('/').expect("an address");
    let text = double.block_on(fetch(address, &Ask::new("GET", &format!("/{path}"))));
    assert_eq!(text.expect("the log").text(), "assertion failed\n");
    let again = format!("/repos/ada/tally/actions/runs/{run}/rerun-failed-jobs");
    assert_eq!(zazen.send("POST", &again, &Value::Null).status, 201);
    assert_eq!(zazen.send("POST", &again, &Value::Null).status, 403, "it runs already");
    assert_eq!(double.ci_run(run)["run_attempt"], 2);

    let ask = Ask::new("GET", &format!("/{path}")).token(&double.token());
    double.block_on(fetch(address, &ask)).expect("an answer");
    assert!(double.take_violations()[0].contains("the token was sent to the host"));
    double.finish();
}

#[test]
fn too_long_texts_are_refused() {
    let Some(double) = Double::start() else { return };
    let number = double.owner().opens_issue("One", "");
    let zazen = Program::new(&double, &double.token());
    let path = format!("/repos/ada/tally/issues/{number}/comments");
    let reply = zazen.post(&path, &json!({ "body": "x".repeat(65_537) }));
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("maximum is 65536 characters"), "{}", reply.text());
    double.finish();
}

#[test]
fn an_app_can_be_made_of_a_manifest_once() {
    let Some(double) = Double::start() else { return };
    let path = format!("/app-manifests/{}/conversions", double.makes_app());
    let ask = Ask::new("POST", &path).with("user-agent", "zazen");
    let app = double.ask(&ask);
    assert_eq!((app.status, app.value()["id"].as_u64()), (201, Some(double.app_id())));
    assert_eq!(app.value()["pem"], double.app_key());
    assert_eq!(double.ask(&ask).status, 404);
    double.finish();
}

#[test]
fn people_talk_and_work_on_a_pull_request() {
    let Some(double) = Double::start() else { return };
    let zazen = Program::new(&double, &double.token());
    let (alice, bob) =
        (double.person("alice", Permission::Write), double.person("bob", Permission::Write));
    bob.pushes_commit("work", "a.txt", "a\n");
    let body = json!({ "title": "T", "head": "work", "base": "main", "draft": true });
    let number = zazen.post("/repos/ada/tally/pulls", &body).value()["number"].as_u64();
    let number = number.expect("it is opened");
    alice.labels(number, "zazen:fix");
    assert_eq!(double.labels(number), ["zazen:fix"]);
    alice.requests_review(number, bob.login());
    let id = alice.comments(number, "never mind");
    alice.deletes_comment(id);
    assert_eq!(double.comments(number), []);
    let merge = format!("/pulls/{number}/merge");
    assert_eq!(alice.tries("PUT", &merge, &json!({})).status, 405, "it is a draft");
    alice.marks_ready(number);
    bob.reviews(number, "approved", "", &[]);
    assert_eq!(double.reviews(number)[0]["state"], "APPROVED");
    alice.closes(number);
    assert_eq!(double.item(number)["state"], "closed");
    alice.reopens(number);
    alice.merges(number);
    let events: Vec<String> = double.events(number).into_iter().map(|(event, _)| event).collect();
    let expected = [
        "labeled",
        "review_requested",
        "ready_for_review",
        "closed",
        "reopened",
        "merged",
        "closed",
    ];
    assert_eq!(events, expected);
    assert_eq!(zazen.get("/repos/ada/tally/pulls/1").value()["merged"], true);
    let events = zazen.get("/repos/ada/tally/issues/1/events?per_page=100");
    assert_eq!(events.value().as_array().map(Vec::len), Some(7), "{}", events.text());
    double.finish();
}

#[test]
fn what_nobody_may_see_can_be_looked_for() {
    let Some(double) = Double::start() else { return };
    let zazen = Program::app(&double, &json!({ "issues": "read" }));
    let secrets = double.secrets();
    assert!(secrets.contains(&zazen.token));
    assert!(secrets.contains(&double.webhook_secret().to_owned()));
    let wait = std::time::Duration::from_millis(1);
    double.fault("GET", "/repos/{owner}/{repo}", Fault::Slow(wait));
    assert_eq!(zazen.get(&format!("/repos/{}?", double.repo())).status, 200);
    let call = double.calls().pop().expect("it is recorded");
    assert_eq!((&*call.path, &*call.query), ("/repos/ada/tally", ""));
    assert!(!secrets.iter().any(|secret| format!("{:?}", double.calls()).contains(secret)));
    double.finish();
}
