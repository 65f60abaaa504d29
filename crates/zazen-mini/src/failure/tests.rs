//! What statuses, bodies and words come to.

use std::time::Duration;

use super::{Again, Failure};
use crate::event::Claim;

fn status(status: u16, body: &str, after: Option<u64>) -> (Claim, Again) {
    let failure = Failure::from_status(status, body, after.map(Duration::from_secs));
    (failure.claim, failure.again)
}

#[test]
fn a_refused_key_is_not_tried_again() {
    assert_eq!(status(401, "", None), (Claim::NeedsLogin, Again::Never));
    assert_eq!(status(403, "", Some(1)), (Claim::NeedsLogin, Again::Never));
}

#[test]
fn a_short_wait_is_waited_and_a_long_one_is_not() {
    let wait = Again::After(Duration::from_secs(2));
    assert_eq!(status(429, "", Some(2)), (Claim::Quota, wait));
    assert_eq!(status(429, "", Some(3600)), (Claim::Quota, Again::Never));
    assert_eq!(status(429, "", None), (Claim::Quota, Again::Later));
    assert_eq!(status(529, "", None), (Claim::Overloaded, Again::Later));
}

#[test]
fn an_empty_account_is_not_tried_again() {
    assert_eq!(status(402, "", None), (Claim::Quota, Again::Never));
    let body = r#"{"error":{"code":"insufficient_quota"}}"#;
    assert_eq!(status(429, body, Some(1)), (Claim::Quota, Again::Never));
    let body = r#"{"error":{"message":"Your credit balance is too low"}}"#;
    assert_eq!(status(400, body, None), (Claim::Quota, Again::Never));
}

#[test]
fn a_broken_server_is_tried_again_and_a_bad_request_is_not() {
    assert_eq!(status(500, "", None), (Claim::ModelError, Again::Later));
    assert_eq!(status(400, "", None), (Claim::ModelError, Again::Never));
    assert_eq!(status(404, "", None), (Claim::ModelError, Again::Never));
}

#[test]
fn an_error_in_an_answer_is_read_by_its_words() {
    let read = |body: &str| {
        let failure = Failure::from_error_event(body);
        (failure.claim, failure.again)
    };
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#;
    assert_eq!(read(overloaded), (Claim::Overloaded, Again::Later));
    let too_long = r#"{"error":{"code":"context_length_exceeded"}}"#;
    assert_eq!(read(too_long), (Claim::ContextTooLong, Again::Never));
    assert_eq!(read(r#"{"message":"server had an error"}"#), (Claim::ModelError, Again::Later));
    assert_eq!(read(r#"{"type":"invalid_request_error"}"#), (Claim::ModelError, Again::Never));
}

#[test]
fn a_conversation_that_is_too_long_is_not_tried_again() {
    let body = r#"{"error":{"message":"prompt is too long: 250000 tokens > 200000 maximum"}}"#;
    assert_eq!(status(400, body, None), (Claim::ContextTooLong, Again::Never));
    assert_eq!(status(413, "", None), (Claim::ContextTooLong, Again::Never));
}

#[test]
fn how_long_the_endpoint_wants_us_to_wait_is_told_where_we_do_not() {
    let failure = Failure::from_status(429, "", Some(Duration::from_secs(3600)));
    assert!(failure.message.ends_with("(retry after 3600 s)"), "{}", failure.message);
}

#[test]
fn the_endpoints_sentence_is_passed_on() {
    let failure = Failure::from_status(400, r#"{"error":{"message":"too long"}}"#, None);
    assert_eq!(failure.message, "status 400: too long");
}
