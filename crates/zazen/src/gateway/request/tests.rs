//! Tests of what is read from a request.

use serde_json::json;

use super::super::secret::Token;
use super::*;

fn veil() -> Veil {
    Veil::new(&Token::random().unwrap(), None)
}

fn check(endpoint: Endpoint, body: &str) -> Result<Asked, Refusal> {
    let (head, ()) = hyper::Request::post("/x").body(()).unwrap().into_parts();
    Asked::check(endpoint, &head, Bytes::copy_from_slice(body.as_bytes()))
}

fn turn_of(endpoint: Endpoint, body: &Value) -> u32 {
    Facts::read(endpoint, body.to_string().as_bytes(), &veil()).turn
}

#[test]
fn a_turn_is_the_number_of_answers_quoted() {
    let messages = json!({"messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": [{"type": "tool_result"}]},
        {"role": "assistant", "content": "b"},
    ]});
    assert_eq!(turn_of(Endpoint::Messages, &messages), 2);
    assert_eq!(turn_of(Endpoint::ChatCompletions, &messages), 2);
    assert_eq!(turn_of(Endpoint::Messages, &json!({"messages": []})), 0);
    let items = json!({"input": [
        {"type": "message", "role": "user"},
        {"type": "reasoning"},
        {"type": "message", "role": "assistant"},
        {"type": "function_call"},
        {"type": "function_call_output"},
    ]});
    assert_eq!(turn_of(Endpoint::Responses, &items), 3);
    assert_eq!(turn_of(Endpoint::Responses, &json!({"input": "text"})), 0);
}

#[test]
fn the_hash_depends_neither_on_order_nor_on_space() {
    let hash = |body: &str| Facts::read(Endpoint::Messages, body.as_bytes(), &veil()).hash;
    let a = hash(r#"{"a": {"x": 1, "y": [1, 2]}, "b": null}"#);
    assert_eq!(a, hash(r#"{"b":null,"a":{"y":[1,2],"x":1}}"#));
    assert_ne!(a, hash(r#"{"b":null,"a":{"y":[2,1],"x":1}}"#));
}

#[test]
fn a_token_is_replaced_even_where_it_is_escaped() {
    let token: Token = "a".repeat(64).parse().unwrap();
    let body = format!(r#"{{"{token}": ["x{token}", "\u0061{}"]}}"#, "a".repeat(63));
    let veil = Veil::new(&token, None);
    let facts = Facts::read(Endpoint::Messages, body.as_bytes(), &veil);
    assert_eq!(facts.body, json!({"[secret]": ["x[secret]", "[secret]"]}));
}

#[test]
fn a_streamed_chat_is_asked_for_its_usage_and_nothing_else_is_changed() {
    for body in [
        r#"{"stream":true,"model":"m","n":1.50}"#,
        r#"{"stream":true,"model":"m","n":1.50,"stream_options":null}"#,
        r#"{"stream":true,"model":"m","n":1.50,"stream_options":{"include_usage":false}}"#,
    ] {
        let asked = check(Endpoint::ChatCompletions, body).unwrap();
        let expected =
            r#"{"model":"m","n":1.50,"stream":true,"stream_options":{"include_usage":true}}"#;
        assert_eq!(asked.body, expected);
    }
    for body in [
        r#"{ "model":"m" }"#,
        r#"{ "model":"m", "stream":false }"#,
        r#"{ "stream":true, "stream_options":{"include_usage":true} }"#,
    ] {
        assert_eq!(check(Endpoint::ChatCompletions, body).unwrap().body, body);
    }
    let messages = r#"{ "stream":true }"#;
    assert_eq!(check(Endpoint::Messages, messages).unwrap().body, messages);
}

#[test]
fn what_could_not_be_metered_or_read_is_refused() {
    let background = check(Endpoint::Responses, r#"{"background": true}"#);
    assert_eq!(background.unwrap_err(), Refusal::Background);
    for body in ["", "{", "[1]x", r#"{"model":"a","model":"b"}"#, r#"{"model":7}"#, "{} {}"] {
        let refusal = check(Endpoint::Messages, body).unwrap_err();
        assert!(matches!(refusal, Refusal::Body { .. }), "`{body}`: {refusal}");
    }
    let bomb = format!("{{\"x\":[{}0]}}", "[],".repeat(VALUES_MAX));
    let refusal = check(Endpoint::Messages, &bomb).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyValues { max: VALUES_MAX });
    let text = json!({ "x": ",[{\\\"".repeat(VALUES_MAX) }).to_string();
    assert!(check(Endpoint::Messages, &text).is_ok(), "what stands in a text counts for nothing");
}

#[test]
fn a_body_that_is_no_text_is_still_recorded() {
    let body = r#"{"messages":[{"role":"assistant","content":"\ud83d"}]}"#;
    assert!(check(Endpoint::Messages, body).is_ok());
    let facts = Facts::read(Endpoint::Messages, body.as_bytes(), &veil());
    assert_eq!(facts.body, Value::String(body.to_owned()));
}
