//! Tests of writing a recording.

use hyper::http::request::Parts;

use super::super::route::Endpoint;
use super::super::secret::Token;
use super::*;

fn veil() -> Veil {
    Veil::new(&Token::random().unwrap(), None)
}

fn draft(n: u64) -> Draft {
    let (head, ()): (Parts, ()) = hyper::Request::post("/").body(()).unwrap().into_parts();
    let body = Bytes::from_static(br#"{"model":"m"}"#);
    Draft {
        n,
        at_ms: 1,
        asked: Asked::check(Endpoint::Messages, &head, body).unwrap(),
        status: 200,
        content_type: "application/json".to_owned(),
        body: Bytes::from_static(b"{}"),
        complete: true,
        tokens: Tokens::default(),
        room: None,
        retry_after: None,
        error: None,
        bill: None,
        refused: None,
        closing: None,
        latency_ms: 3,
    }
}

#[tokio::test]
async fn every_draft_is_a_line_and_numbers_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.jsonl");
    for part in 0..2 {
        let (recorder, writer) = open(&path, "plan", veil()).await.unwrap();
        let record = async move {
            for at in 0..20 {
                let n = recorder.next();
                assert_eq!(n, part * 20 + at);
                recorder.record(draft(n)).await;
            }
        };
        let (written, ()) = futures_util::future::join(writer.run(), record).await;
        written.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let numbers: Vec<u64> =
        text.lines().map(|line| serde_json::from_str::<Call>(line).unwrap().n).collect();
    assert_eq!(numbers, (0..40).collect::<Vec<u64>>());
}

#[test]
fn the_format_is_what_it_is() {
    let line = print(draft(7), "plan".to_owned(), &veil()).unwrap();
    assert!(line.ends_with("}\n") && line.lines().count() == 1);
    let call: Call = serde_json::from_str(&line).unwrap();
    expect_test::expect![[r#"
        {
          "v": 1,
          "n": 7,
          "label": "plan",
          "turn": 0,
          "at_ms": 1,
          "request": {
            "path": "v1/messages",
            "model": "m",
            "hash": "e2abc6cdcced4fd8d55826da8711525d15776e99a6a4da156b3709cadec1a8ca",
            "body": {
              "model": "m"
            }
          },
          "response": {
            "status": 200,
            "content_type": "application/json",
            "body": "{}",
            "complete": true
          },
          "tokens": {
            "input": 0,
            "output": 0,
            "cache_read": 0,
            "cache_write": 0
          },
          "latency_ms": 3
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&call).unwrap());
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_refuses_the_next_call() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, mut writer) = open(&dir.path().join("a"), "plan", veil()).await.unwrap();
    // Open for reading only, so that every write fails.
    writer.file = tokio::fs::File::open(dir.path().join("a")).await.unwrap();
    assert_eq!(recorder.check(), Ok(()));
    let (written, ()) = futures_util::future::join(writer.run(), recorder.record(draft(0))).await;
    assert!(format!("{:#}", written.unwrap_err()).starts_with("write the recording: "));
    assert_eq!(recorder.check(), Err(Refusal::NoRecording));
    recorder.record(draft(1)).await;
}

#[tokio::test]
async fn what_is_not_a_plain_file_is_no_recording() {
    let err = open(Path::new("/dev/full"), "plan", veil()).await.err().unwrap();
    assert!(format!("{err:#}").contains("it is not a plain file"), "{err:#}");
}
