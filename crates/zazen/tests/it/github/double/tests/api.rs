//! What GitHub's description says of a request, and what is counted and remembered.

use serde_json::{Value, json};

use super::Program;
use crate::github::double::Double;
use crate::github::double::state::Permission;
use crate::github::double::wire::Ask;

#[test]
fn an_issue_of_a_person_is_read_and_answered() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let number = alice.opens_issue("Sum by month", "Please.");
    alice.comments(number, "/plan");
    let zazen = Program::new(&double, &double.token());
    let reply = zazen.get(&format!("/repos/ada/tally/issues/{number}/comments"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.value()[0]["body"], "/plan");
    let path = format!("/repos/ada/tally/issues/{number}/comments");
    assert_eq!(zazen.post(&path, &json!({ "body": "a plan" })).status, 201);
    assert_eq!(double.said("zazen-machine", number), ["a plan"]);

    let calls = double.calls_of("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments");
    assert_eq!(calls.len(), 1, "what people do is not recorded");
    assert_eq!((calls[0].status, &*calls[0].body["body"].to_string()), (201, "\"a plan\""));
    assert!(calls[0].who.starts_with("zazen-machine actions:write"), "{}", calls[0].who);
    double.finish();
}

#[test]
fn what_github_does_not_know_is_told() {
    let Some(double) = Double::start() else { return };
    double.owner().opens_issue("One", "");
    let zazen = Program::new(&double, &double.token());
    let comments = "/repos/ada/tally/issues/1/comments";
    for (method, target, body, expected) in [
        ("GET", "/repos/ada/tally/isues", Value::Null, "there is nothing like it"),
        ("GET", "/repos/ada/tally/issues?state=opened", Value::Null, "parameter `state`"),
        ("GET", "/repos/ada/tally/issues?stat=open", Value::Null, "no parameter `stat`"),
        ("POST", comments, json!({ "text": "x" }), "\"body\" is a required property"),
        ("POST", comments, json!({ "body": 7 }), "at `/body`"),
        ("POST", comments, json!({ "body": "x", "bod": "y" }), "a field `bod`"),
        ("POST", comments, Value::Null, "it has no body"),
        ("POST", "/repos/ada/tally/pulls/1/reviews", json!({ "event": "REJECT" }), "at `/event`"),
    ] {
        zazen.send(method, target, &body);
        let violations = double.take_violations();
        assert!(
            violations.first().is_some_and(|violation| violation.contains(expected)),
            "{method} {target}: {violations:?}"
        );
    }
    double.ask(&Ask::new("GET", "/repos/ada/tally/issues").token(&double.token()));
    assert!(double.take_violations()[0].contains("User-Agent"));
    double.finish();
}

#[test]
#[should_panic(expected = "not as GitHub describes it")]
fn a_test_with_a_wrong_request_fails() {
    let Some(double) = Double::start() else { panic!("not as GitHub describes it: skipped") };
    Program::new(&double, &double.token()).get("/repos/ada/tally/nothing");
    double.finish();
}

#[test]
fn what_has_not_changed_is_not_sent_again_to_the_same_token() {
    let Some(double) = Double::start() else { return };
    double.owner().opens_issue("One", "");
    let list = |token: &str, etag: &str| {
        let ask = Ask::new("GET", "/repos/ada/tally/issues").token(token);
        double.ask(&ask.with("user-agent", "zazen").with("if-none-match", etag))
    };
    let (one, other) = (double.token(), double.token_with(&[("issues", "read")]));
    let first = list(&one, "");
    let etag = first.header("etag").expect("an ETag").to_owned();
    let again = list(&one, &etag);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let left = "x-ratelimit-remaining";
    assert_eq!(first.header(left), again.header(left), "304 is free");
    assert_eq!(list(&other, &etag).status, 200, "an ETag is one token's");
    double.owner().comments(1, "news");
    assert_eq!(list(&one, &etag).status, 200, "a comment changes the list");
    double.finish();
}

#[test]
fn lists_are_over_the_whole_repository_and_have_pages() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let (one, two) = (alice.opens_issue("One", ""), alice.opens_issue("Two", ""));
    alice.pushes_commit("work", "new.txt", "new\n");
    let pull = alice.opens_pull("Three", "work");
    for number in [one, two, pull] {
        alice.comments(number, &format!("on {number}"));
    }
    let zazen = Program::new(&double, &double.token());
    let reply = zazen.get("/repos/ada/tally/issues/comments?sort=updated&per_page=2");
    assert_eq!(reply.value().as_array().map(Vec::len), Some(2), "{}", reply.text());
    let link = reply.header("link").expect("there is another page").to_owned();
    let next = link.split('>').next().and_then(|l| l.split(&double.url()).nth(1));
    let rest = zazen.get(next.expect("the link leads to the double"));
    assert_eq!(rest.value()[0]["body"], "on 3");
    let items = zazen.get("/repos/ada/tally/issues?state=all&direction=asc").value();
    assert_eq!(
        items[2]["pull_request"]["url"],
        format!("{}/repos/ada/tally/pulls/3", double.url())
    );
    assert_eq!(items[2]["comments"], 1);
    let none = zazen.get("/repos/ada/tally/issues?since=2099-01-01T00:00:00Z");
    assert_eq!(none.value(), json!([]));
    double.finish();
}
