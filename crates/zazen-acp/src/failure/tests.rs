use expect_test::expect;
use serde_json::json;

use super::*;

/// The errors of the recordings, and others of their kind.
#[test]
fn each_agents_way_to_say_what_went_wrong_is_understood() {
    let gemini =
        r#"{"error":{"code":401,"message":"API key not valid.","status":"UNAUTHENTICATED"}}"#;
    let errors = [
        json!({ "code": 401, "message": gemini }),
        json!({ "code": 429, "message": "You have exhausted your daily quota on this model." }),
        json!({ "code": 500, "message": "oh" }),
        json!({ "code": 503, "message": "oh" }),
        json!({ "code": -32000, "message": "Authentication required" }),
        json!({ "code": -32603, "message": "x", "data": { "errorKind": "rate_limit" } }),
        json!({ "code": -32603, "message": "x",
            "data": { "codexErrorInfo": "usageLimitExceeded" } }),
        json!({ "code": -32603, "message": "x",
            "data": { "codexErrorInfo": { "contextWindowExceeded": {} } } }),
        json!({ "code": -32603, "message": "Internal error: Incorrect API key provided: sk-x.",
            "data": { "service": "session", "errorName": "APIError" } }),
        json!({ "code": -32603, "message": "Internal error: invalid_api_key",
            "data": { "errorName": "APIError" } }),
        json!({ "code": -32603, "message": "Internal error: rate_limit_exceeded" }),
        json!({ "code": -32603, "message": "Internal error: context_length_exceeded" }),
        json!({ "code": -32603, "message": "Internal error",
            "data": { "details": "401 Incorrect API key provided: sk-x." } }),
        json!({ "code": -32603, "message": "Oh", "data": { "details": "429 slow down" } }),
        json!({ "code": -32603, "message": "Oh", "data": { "details": "Overloaded" } }),
        json!({ "code": -32603, "message": "prompt is too long: 2 tokens > 1 maximum" }),
        json!({ "code": -32603, "message": "Oh", "data": { "details": "4011 files" } }),
        json!({ "code": "E", "message": 7, "data": [] }),
        json!({}),
    ];
    let read = errors.map(|error| {
        let error: RpcError = serde_json::from_value(error).unwrap();
        format!("{:?}: {}", error.claim(), error.text())
    });
    expect![[r#"
        NeedsLogin: API key not valid.
        Quota: You have exhausted your daily quota on this model.
        ModelError: oh
        Overloaded: oh
        NeedsLogin: Authentication required
        Quota: x
        Quota: x
        ContextFull: x
        NeedsLogin: Internal error: Incorrect API key provided: sk-x.
        NeedsLogin: Internal error: invalid_api_key
        Quota: Internal error: rate_limit_exceeded
        ContextFull: Internal error: context_length_exceeded
        NeedsLogin: Internal error: 401 Incorrect API key provided: sk-x.
        Quota: Oh: 429 slow down
        Overloaded: Oh: Overloaded
        ContextFull: prompt is too long: 2 tokens > 1 maximum
        ModelError: Oh: 4011 files
        ModelError: an error without words
        ModelError: an error without words"#]]
    .assert_eq(&read.join("\n"));
}

#[test]
fn a_status_in_a_text_is_one_that_stands_alone() {
    for (text, status) in [
        ("Authentication failed with provider at http://h/v1 (HTTP 401).", Some(401)),
        ("API Error: Request rejected (429) · slow down", Some(429)),
        ("401 no", Some(401)),
        ("exceeded retry limit, last status: 429 Too Many Requests", Some(429)),
        ("unexpected status 503 Service Unavailable", Some(503)),
        ("4290 tokens", None),
        ("(200) fine", None),
        ("ö", None),
        ("", None),
    ] {
        assert_eq!(status_in(text), status, "{text}");
    }
}
