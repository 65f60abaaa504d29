//! Who may what: scopes, roles, tokens that are wrong, too long ahead, or over.

use serde_json::{Value, json};

use super::{Program, app_token};
use crate::github::double::state::Permission;
use crate::github::double::{Double, Setup};

#[test]
fn an_unknown_token_is_nobodys() {
    let Some(double) = Double::start() else { return };
    let reply = Program::new(&double, "ghp_invented").get("/repos/ada/tally");
    assert_eq!((reply.status, reply.value()["message"].clone()), (401, json!("Bad credentials")));
    double.finish();
}

#[test]
fn an_app_gets_what_it_asks_for_and_no_more() {
    let Some(double) = Double::start() else { return };
    let number = double.owner().opens_issue("One", "");
    let reader = Program::app(&double, &json!({ "issues": "read" }));
    let path = format!("/repos/ada/tally/issues/{number}/comments");
    assert_eq!(reader.get(&path).status, 200);
    let refused = reader.post(&path, &json!({ "body": "x" }));
    assert_eq!(refused.status, 403, "{}", refused.text());
    let writer = Program::app(&double, &json!({ "issues": "write", "checks": "write" }));
    let reply = writer.post(&path, &json!({ "body": "x" }));
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.value()["user"]["login"], "zazen-test[bot]");
    assert_eq!(reply.value()["user"]["type"], "Bot");

    let app = Program::new(&double, &app_token(&double, 300));
    let target = format!("/app/installations/{}/access_tokens", double.installation());
    let reply = app.post(&target, &json!({ "permissions": { "administration": "write" } }));
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert_eq!(app.get("/app").value()["slug"], "zazen-test");
    assert_eq!(reader.get("/app").status, 401);
    assert_eq!(app.get(&path).status, 401);
    assert_eq!(double.minted().len(), 2);
    double.finish();
}

#[test]
fn a_token_of_an_app_ends() {
    let Some(double) = Double::start() else { return };
    let one = Program::app(&double, &json!({ "issues": "read" }));
    let two = Program::app(&double, &json!({ "issues": "read" }));
    assert_eq!(one.send("DELETE", "/installation/token", &Value::Null).status, 204);
    assert_eq!(one.get("/repos/ada/tally/issues").status, 401);
    assert_eq!(two.get("/repos/ada/tally/issues").status, 200);
    double.expire_tokens();
    assert_eq!(two.get("/repos/ada/tally/issues").status, 401);
    for seconds in [-5, 3600] {
        let app = Program::new(&double, &app_token(&double, seconds));
        assert_eq!(app.get("/app").status, 401, "an App's token of {seconds} seconds");
    }
    let mut forged = app_token(&double, 300);
    forged.truncate(forged.len() - 8);
    assert_eq!(Program::new(&double, &(forged + "AAAAAAAA")).get("/app").status, 401);
    double.finish();
}

#[test]
fn checks_are_for_apps() {
    let Some(double) = Double::start() else { return };
    let head = double.branches()["main"].clone();
    let run = json!({ "name": "zazen", "head_sha": head, "status": "in_progress" });
    let machine = Program::new(&double, &double.token_with(&[("checks", "write")]));
    assert_eq!(machine.post("/repos/ada/tally/check-runs", &run).status, 403);
    let app = Program::app(&double, &json!({ "checks": "write" }));
    let reply = app.post("/repos/ada/tally/check-runs", &run);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let path = format!("/repos/ada/tally/check-runs/{}", reply.value()["id"]);
    let end = json!({ "conclusion": "success", "output": { "title": "ok", "summary": "ok" } });
    assert_eq!(app.send("PATCH", &path, &end).value()["status"], "completed");
    assert_eq!(double.checks(&head).len(), 1);
    double.finish();
}

#[test]
fn roles_hold_for_people() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Triage);
    let mallory = double.person("mallory", Permission::None);
    let number = mallory.opens_issue("One", "");
    let labels = format!("/issues/{number}/labels");
    assert_eq!(mallory.tries("POST", &labels, &json!({ "labels": ["zazen:plan"] })).status, 403);
    alice.labels(number, "zazen:plan");
    let id = alice.comments(number, "hello");
    let edit = json!({ "body": "forged" });
    let path = format!("/issues/comments/{id}");
    assert_eq!(mallory.tries("PATCH", &path, &edit).status, 403);
    double.owner().locks(number);
    let path = format!("/issues/{number}/comments");
    assert_eq!(mallory.tries("POST", &path, &json!({ "body": "x" })).status, 403);

    let zazen = Program::new(&double, &double.token());
    let permission = |login: &str| {
        let path = format!("/repos/ada/tally/collaborators/{login}/permission");
        let reply = zazen.get(&path);
        (reply.status, reply.value()["permission"].clone(), reply.value()["role_name"].clone())
    };
    assert_eq!(permission("ada"), (200, json!("admin"), json!("admin")));
    assert_eq!(permission("alice"), (200, json!("read"), json!("triage")));
    assert_eq!(permission("mallory"), (200, json!("read"), json!("read")));
    assert_eq!(permission("nobody-at-all").0, 404);
    double.finish();
}

#[test]
fn a_private_repository_is_not_there_for_others() {
    let setup = Setup { is_private: true, ..Setup::default() };
    let Some(double) = Double::with(setup) else { return };
    let mallory = double.person("mallory", Permission::None);
    assert_eq!(mallory.tries("GET", "/issues", &Value::Null).status, 404);
    let alice = double.person("alice", Permission::Read);
    assert_eq!(alice.tries("GET", "/issues", &Value::Null).status, 200);
    double.finish();
}
