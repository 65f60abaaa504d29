//! Tests of reading a recording and of finding answers in it.

use serde_json::{Value, json};

use super::*;

fn line(n: u64, turn: u32, model: &str, hash: &str, status: u16) -> String {
    json!({
        "v": 1, "n": n, "label": "implement", "turn": turn, "at_ms": 5,
        "request": {"path": "v1/messages", "model": model, "hash": hash, "body": {}},
        "response": {"status": status, "content_type": "text/event-stream",
            "body": "data: 1\n\ndata: 2\n\n", "complete": true},
        "tokens": {"input": 1, "output": 2},
    })
    .to_string()
}

fn facts(turn: u32, hash: &str) -> Facts {
    Facts { turn, hash: hash.to_owned(), body: Value::Null }
}

#[test]
fn an_answer_is_found_by_label_turn_and_kind() {
    let text = [line(0, 0, "big", "a", 200), line(1, 1, "big", "b", 200)].join("\n\n");
    let recording = Recording::parse(&text).unwrap();
    assert_eq!(recording.answer("implement", 1, "/anthropic/v1/messages").map(|c| c.n), Some(1));
    assert_eq!(recording.answer("implement", 1, "v1/chat/completions"), None);
    assert_eq!(recording.answer("plan", 1, "v1/messages"), None);
    assert_eq!(recording.answer("implement", 2, "v1/messages"), None);
}

#[test]
fn of_several_the_same_request_counts_then_the_model_then_success() {
    let text = [
        line(0, 0, "small", "title", 200),
        line(1, 0, "big", "work", 529),
        line(2, 0, "big", "work", 200),
        line(3, 0, "big", "work", 500),
    ]
    .join("\n");
    let recording = Recording::parse(&text).unwrap();
    let find = |hash, model| {
        let call = recording.answer_to("implement", Endpoint::Messages, &facts(0, hash), model);
        call.map(|call| call.n)
    };
    assert_eq!(find("title", "small"), Some(0));
    assert_eq!(find("work", "big"), Some(2), "the retry that succeeded");
    assert_eq!(find("other", "small"), Some(0));
    assert_eq!(find("other", "big"), Some(2));
    assert_eq!(find("other", "new"), Some(2));
    assert_eq!(recording.answer("implement", 0, "v1/messages").map(|call| call.n), Some(2));
}

#[test]
fn a_line_that_is_no_call_is_named() {
    let good = line(0, 0, "m", "h", 200);
    let err = |text: &str| Recording::parse(text).unwrap_err().to_string();
    let newer = good.replace("\"v\":1", "\"v\":2");
    assert_eq!(
        err(&format!("{good}\n{newer}\n")),
        "line 2 of the recording: version 2 is unknown, this zazen reads 1"
    );
    assert!(err(&format!("{good}\n\n{{\"v\":1}}")).starts_with("line 3 of the recording: missing"));
    assert!(err("{").starts_with("line 1 of the recording: "));
    let other = good.replace("v1/messages", "v1/files");
    assert!(err(&other).contains("`v1/files` is not a call"), "{}", err(&other));
}

#[tokio::test]
async fn a_stream_is_played_in_its_own_frames() {
    let recording = Recording::parse(&line(0, 0, "m", "h", 200)).unwrap();
    let mut call = recording.calls()[0].clone();
    let read = async |call: &Call| frames(call).collect::<Vec<_>>().await;
    let two = [Ok(Bytes::from("data: 1\n\n")), Ok(Bytes::from("data: 2\n\n"))];
    assert_eq!(read(&call).await, two);
    call.response.complete = false;
    let cut = read(&call).await;
    assert_eq!(cut[..2], two);
    assert!(cut[2].is_err());
    call.response.complete = true;
    call.response.content_type = "application/json".to_owned();
    assert_eq!(read(&call).await, [Ok(Bytes::from("data: 1\n\ndata: 2\n\n"))]);
    call.response.body = String::new();
    assert_eq!(read(&call).await, [Ok(Bytes::new())]);
}
