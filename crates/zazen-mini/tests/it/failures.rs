//! Endpoints that refuse, break off, and come back.

use zazen_mini::event::Claim;
use zazen_mini::{Api, Exit};

use crate::server::Reply::{Cut, Refusal, Short};
use crate::sse::{Bash, Text, answer, beginning};
use crate::{BOTH, TOKEN, run};

const OVER: &str = r#"{"error":{"type":"rate_limit_error","message":"slow down"}}"#;

#[tokio::test]
async fn a_refused_key_ends_the_run_at_once() {
    for api in BOTH {
        for status in [401, 403] {
            let body = r#"{"error":{"message":"bad key zrt-0123456789abcdef"}}"#;
            let done = run(api, vec![Refusal(status, "", body)]).await;
            assert_eq!((done.exit, u8::from(done.exit)), (Exit::NeedsLogin, 4));
            assert_eq!(done.end(), (Claim::NeedsLogin, "", 0));
            assert_eq!(done.errors(), [format!("status {status}: bad key [token]")]);
            assert_eq!((done.n_retries(), done.requests.len()), (0, 1));
            assert!(!done.lines.contains(TOKEN));
        }
    }
}

#[tokio::test]
async fn a_passing_failure_is_tried_again() {
    for api in BOTH {
        let replies = vec![
            Refusal(429, "retry-after: 0\r\n", OVER),
            Refusal(500, "", "oops"),
            answer(api, &[Bash("c", "echo x >> log")]),
            Refusal(529, "retry-after: 0\r\n", OVER),
            answer(api, &[Text("Done.")]),
        ];
        let done = run(api, replies).await;
        assert_eq!(done.end(), (Claim::Finished, "Done.", 2));
        assert_eq!((done.n_retries(), done.requests.len()), (3, 5));
        assert_eq!(done.read("log"), "x\n");
        assert!(done.lines.contains(r#"{"type":"retry","attempt":2,"why":"status 500: oops"}"#));
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_and_nothing_of_it_kept() {
    for api in BOTH {
        let half = beginning(api, &[Text("half"), Bash("c0", "echo half >> log")]);
        let replies = vec![
            Cut(half.clone()),
            Short(half),
            answer(api, &[Bash("c", "echo whole >> log")]),
            answer(api, &[Text("Done.")]),
        ];
        let done = run(api, replies).await;
        assert_eq!(done.end(), (Claim::Finished, "Done.", 2));
        assert_eq!((done.n_retries(), done.requests.len()), (2, 4));
        assert_eq!(done.read("log"), "whole\n");
        assert!(!done.requests[3].body.to_string().contains("half"));
        assert_eq!(done.requests[0].body, done.requests[2].body);
    }
}

#[tokio::test]
async fn an_error_instead_of_the_rest_of_an_answer_is_tried_again() {
    let api = Api::Anthropic;
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":\
        {\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let half = beginning(api, &[Text("half")]) + error;
    let done = run(api, vec![Short(half), answer(api, &[Text("Done.")])]).await;
    assert_eq!(done.end(), (Claim::Finished, "Done.", 1));
    assert_eq!(done.n_retries(), 1);
}

#[tokio::test]
async fn tries_come_to_an_end() {
    for api in BOTH {
        let replies = (0..7).map(|_| Refusal(429, "retry-after: 0\r\n", OVER)).collect();
        let done = run(api, replies).await;
        assert_eq!((done.exit, u8::from(done.exit)), (Exit::Quota, 5));
        assert_eq!(done.end(), (Claim::Quota, "", 0));
        assert_eq!((done.n_retries(), done.requests.len()), (6, 7));
        assert_eq!(done.errors(), ["status 429: slow down"]);
    }
}

#[tokio::test]
async fn a_long_wait_is_left_to_others() {
    let done = run(Api::Anthropic, vec![Refusal(429, "retry-after: 3600\r\n", OVER)]).await;
    assert_eq!((done.exit, done.n_retries()), (Exit::Quota, 0));
}

#[tokio::test]
async fn a_request_that_is_refused_for_good_is_a_model_error() {
    let body = r#"{"error":{"message":"no such model"}}"#;
    let done = run(Api::Anthropic, vec![Refusal(400, "", body)]).await;
    assert_eq!((done.exit, u8::from(done.exit)), (Exit::ModelError, 1));
    assert_eq!(done.errors(), ["status 400: no such model"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let header = "location: http://127.0.0.1:1/elsewhere\r\n";
    let done = run(Api::Anthropic, vec![Refusal(307, header, "")]).await;
    assert_eq!((done.exit, done.requests.len()), (Exit::ModelError, 1));
}
