//! Which name the library gets to see, and an endpoint that is not there.

use std::net::TcpListener;
use std::time::Duration;

use genai::chat::ChatMessage;

use super::{Model, plain_name};
use crate::event::Claim;
use crate::failure::Again;
use crate::{Api, Options};

#[test]
fn a_models_name_is_kept_from_the_librarys_ideas() {
    assert_eq!(plain_name("claude-sonnet-4-5"), "claude-sonnet-4-5");
    assert_eq!(plain_name("qwen-max"), "qwen");
    assert_eq!(plain_name("vendor::x-high-max"), "x");
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let options = Options {
        api: Api::Anthropic,
        base_url: format!("http://{address}"),
        token: "t".into(),
        model: "m".into(),
        cwd: "/".into(),
        turns_max: 1,
        command_timeout: Duration::from_secs(1),
        output_bytes_max: 1,
        denied: Vec::new(),
    };
    let model = Model::new(&options).unwrap();
    let failure = model.ask(&[ChatMessage::user("hi")]).await.err().unwrap();
    assert_eq!((failure.claim, failure.again), (Claim::ModelError, Again::Later));
    assert!(failure.message.contains("refused"), "{}", failure.message);
}
