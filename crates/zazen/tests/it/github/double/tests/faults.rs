//! What goes wrong on purpose.

use serde_json::json;

use super::Program;
use crate::github::double::Double;
use crate::github::double::faults::Fault;
use crate::github::double::wire::{Ask, fetch};

const COMMENTS: &str = "/repos/{owner}/{repo}/issues/{issue_number}/comments";

#[test]
fn a_lost_reply_has_had_its_effect() {
    let Some(double) = Double::start() else { return };
    let number = double.owner().opens_issue("One", "");
    let send = |text: &str| {
        let ask = Ask::new("POST", &format!("/repos/ada/tally/issues/{number}/comments"))
            .token(&double.token())
            .with("user-agent", "zazen")
            .json(&json!({ "body": text }));
        double.block_on(fetch(&double.address().to_string(), &ask)).map(|reply| reply.status)
    };
    double.fault("POST", COMMENTS, Fault::ReplyLost);
    assert!(send("lost").is_err());
    double.fault("POST", COMMENTS, Fault::Unheard);
    assert!(send("unheard").is_err());
    double.fault("*", "*", Fault::BadGatewayAfter);
    assert_eq!(send("behind a proxy"), Ok(502));
    double.fault("POST", COMMENTS, Fault::Unavailable);
    assert_eq!(send("unavailable"), Ok(503));
    assert_eq!(double.said("zazen-machine", number), ["lost", "behind a proxy"]);
    assert!(!double.has_faults_left());
    let statuses: Vec<u16> = double.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [0, 0, 502, 503]);
    double.finish();
}

#[test]
fn limits_are_told_as_github_tells_them() {
    let Some(double) = Double::start() else { return };
    let zazen = Program::new(&double, &double.token());
    let path = "/repos/ada/tally/issues";
    double.fault("GET", "*", Fault::TooMany(7));
    let reply = zazen.get(path);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    double.fault("GET", "*", Fault::Secondary(None));
    let reply = zazen.get(path);
    assert_eq!((reply.status, reply.header("retry-after")), (403, None));
    assert!(reply.text().contains("secondary rate limit"));
    double.fault("GET", "*", Fault::UsedUp(30));
    let reply = zazen.get(path);
    assert_eq!((reply.status, reply.header("x-ratelimit-remaining")), (403, Some("0")));
    let reply = zazen.get(path);
    assert_eq!((reply.status, reply.header("x-ratelimit-limit")), (200, Some("5000")));
    double.finish();
}
