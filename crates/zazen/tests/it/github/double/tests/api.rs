//! What is said of a request, and to whom.

use serde_json::json;

use crate::github::double::Double;
use crate::github::double::state::Permission;
use crate::github::double::wire::Ask;

#[test]
fn an_issue_of_a_person_is_read_with_a_token() {
    let Some(double) = Double::start() else { return };
    let alice = double.person("alice", Permission::Write);
    let number = alice.opens_issue("Sum by month", "Please.");
    alice.comments(number, "/plan");
    let ask = Ask::new("GET", &format!("/repos/ada/tally/issues/{number}/comments"))
        .token(&double.token())
        .with("user-agent", "zazen");
    let reply = double.ask(&ask);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.value()[0]["body"], "/plan");
    let ask = Ask::new("POST", &format!("/repos/ada/tally/issues/{number}/comments"))
        .token(&double.token())
        .with("user-agent", "zazen")
        .json(&json!({ "body": "a plan" }));
    assert_eq!(double.ask(&ask).status, 201);
    assert_eq!(double.said("zazen-machine", number), ["a plan"]);
    double.finish();
}
