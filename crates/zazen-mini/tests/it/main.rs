//! The agent from its prompt to its exit, against a scripted endpoint on loopback.
//!
//! The endpoint, the shells and the files are real; only the model's words are
//! made up. `server` is the endpoint, `sse` its answers on both wires.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "clippy takes only test functions for tests, not what they share"
)]

mod commands;
mod failures;
mod server;
mod sse;
mod turns;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use zazen_mini::event::{Claim, Event};
use zazen_mini::{Api, Exit, Options};

use crate::server::{Reply, Server};

const BOTH: [Api; 2] = [Api::Anthropic, Api::OpenAi];

/// Looks like a run token, so that a leak would be found.
const TOKEN: &str = "zrt-0123456789abcdef";

/// A finished run and what it left.
struct Done {
    exit: Exit,
    events: Vec<Event>,
    /// All that was written, as it was written.
    lines: String,
    requests: Vec<server::Request>,
    workspace: TempDir,
}

/// Runs the agent against `replies`, with options that `change` may change.
async fn run_with(api: Api, replies: Vec<Reply>, change: impl FnOnce(&mut Options)) -> Done {
    let workspace = tempfile::tempdir().unwrap();
    let server = Server::start(replies);
    let base_url = match api {
        Api::Anthropic => server.url("/anthropic"),
        Api::OpenAi => server.url("/openai/v1"),
    };
    let mut options = Options {
        api,
        base_url,
        token: TOKEN.into(),
        model: "fake-model-max".into(),
        cwd: workspace.path().to_owned(),
        turns_max: 10,
        command_timeout: Duration::from_secs(60),
        output_bytes_max: 10_000,
        denied: Vec::new(),
    };
    change(&mut options);
    let mut out = Vec::new();
    let exit = zazen_mini::run(options, "please do it".into(), &mut out).await;
    let lines = String::from_utf8(out).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Done { exit, events, lines, requests: server.requests(), workspace }
}

async fn run(api: Api, replies: Vec<Reply>) -> Done {
    run_with(api, replies, |_| ()).await
}

impl Done {
    fn path(&self) -> &Path {
        self.workspace.path()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn end(&self) -> (Claim, &str, u32) {
        match self.events.last().unwrap() {
            Event::End { claim, text, turns } => (*claim, text, *turns),
            event => panic!("the last event is {event:?}"),
        }
    }

    /// Exit status, whether the time was up, and output of every command.
    fn results(&self) -> Vec<(i32, bool, &str)> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::Result { exit, timed_out, output, .. } => Some((*exit, *timed_out, &**output)),
            _ => None,
        });
        results.collect()
    }

    fn n_retries(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Retry { .. })).count()
    }

    fn errors(&self) -> Vec<&str> {
        let errors = self.events.iter().filter_map(|event| match event {
            Event::Error { message } => Some(&**message),
            _ => None,
        });
        errors.collect()
    }

    /// What the endpoint was told about each call in request number `n`: id and text.
    fn tool_results(&self, n: usize) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut results = Vec::new();
        for message in self.requests[n].body["messages"].as_array().unwrap() {
            if message["role"] == "tool" {
                results.push((text(&message["tool_call_id"]), text(&message["content"])));
            }
            for block in message["content"].as_array().into_iter().flatten() {
                if block["type"] == "tool_result" {
                    results.push((text(&block["tool_use_id"]), text(&block["content"])));
                }
            }
        }
        results
    }
}
