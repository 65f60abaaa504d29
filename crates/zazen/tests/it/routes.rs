//! Where model calls go, and what people are told when they do not arrive.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header::CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::harness::model::{Model, Script, Turn};
use crate::harness::place::{KEY, Place, Setup};

/// Where the tests' key is found.
const KEY_LINE: &str = "key_env = \"ZAZEN_TEST_KEY\"\n";

#[test]
fn what_the_models_service_said_is_told_on_the_issue() {
    let refused = || Turn::fail(400, "the_prompt_is_too_odd");
    let model = Model::start(Script::from([("plan".to_owned(), vec![refused(), refused()])]));
    let mut place = Place::new(&Setup::mini("none", &model.url()));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed"]);

    let told = place.wait("it is told", |place| {
        place.comments().into_iter().map(|(_, body)| body).find(|body| body.contains("I gave up"))
    });
    assert!(told.contains("the_prompt_is_too_odd"), "{told}");
    place.down();
}

#[test]
fn mini_speaks_to_a_service_with_the_other_api() {
    let service = ChatCompletions::start();
    let mut place = Place::new(&Setup {
        harness: "use = \"mini\"\nmodel = \"house-large\"\nroute = \"house\"\n".to_owned(),
        more: format!(
            "[models.house]\napi = \"openai\"\nbase_url = \"{}/v1\"\n{KEY_LINE}",
            service.url
        ),
        ..Setup::mini("none", &service.url)
    });
    place.up();
    place.zazen(&["issue", "new", "Sum by month", "--body", "/ask What does tally do?"]);
    place.wait_for(1, &["closed", "failed"]);

    place.wait("the answer is there", |place| {
        place.comments().iter().any(|(_, body)| body.contains("It sums expenses.")).then_some(())
    });
    let calls = service.calls.lock().expect("no test panics with it").clone();
    assert_eq!(calls, [("/v1/chat/completions".to_owned(), format!("Bearer {KEY}"))]);
    place.down();
}

/// The path and the key of every call.
type Calls = Arc<Mutex<Vec<(String, String)>>>;

/// A service that answers every chat with the same sentence. It ends when this is dropped.
struct ChatCompletions {
    url: String,
    calls: Calls,
    _runtime: tokio::runtime::Runtime,
}

impl ChatCompletions {
    fn start() -> Self {
        let calls = Calls::default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(say).with_state(calls.clone());
        runtime.handle().spawn(async move {
            axum::serve(listener, app).await.expect("the service serves");
        });
        Self { url, calls, _runtime: runtime }
    }
}

async fn say(State(calls): State<Calls>, uri: Uri, headers: HeaderMap) -> Response {
    let key = headers.get("authorization").and_then(|key| key.to_str().ok()).unwrap_or_default();
    calls.lock().expect("no test panics with it").push((uri.path().to_owned(), key.to_owned()));
    let choice = json!({ "index": 0, "finish_reason": "stop",
        "delta": { "role": "assistant", "content": "It sums expenses." } });
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107 });
    let text = format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        json!({ "object": "chat.completion.chunk", "choices": [choice] }),
        json!({ "object": "chat.completion.chunk", "choices": [], "usage": usage }),
    );
    ([(CONTENT_TYPE, "text/event-stream")], text).into_response()
}
