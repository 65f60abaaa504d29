//! The stateful part of the double that nobody here wrote: `emulate`, on a node of its own.
//!
//! Issues, pull requests, comments, labels, reviews, Apps and their tokens are kept by it.
//! Where it is known to differ from GitHub, `answers` and `patch` say so and stand before it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::state::{APP_ID, CAST, INSTALLATION, MACHINE, NAME, OWNER, person_token};
use super::wire::{Ask, Reply, fetch};

/// Where `.ci/run` puts the packages, if `ZAZEN_GITHUB_DOUBLE` does not say.
const PLACES: &[&str] = &["/var/cache/zazen-tools/github-double-1"];

/// What an installation of the App is granted.
pub(super) const GRANTED: &[(&str, &str)] = &[
    ("actions", "write"),
    ("checks", "write"),
    ("contents", "write"),
    ("issues", "write"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "read"),
];

/// The packages the double is made of.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    node: PathBuf,
    emulate: PathBuf,
    pub(super) examples: PathBuf,
}

/// The server. Its process ends when this is dropped, or when the test's process dies.
#[derive(Debug)]
pub(super) struct Emulate {
    child: Child,
    pub(super) address: String,
    /// The App's private key, which it made.
    pub(super) key: String,
}

impl Tools {
    /// Finds the packages, or says what is missing.
    pub(super) fn find() -> Result<Self, String> {
        let named = std::env::var_os("ZAZEN_GITHUB_DOUBLE").map(PathBuf::from);
        let cached = std::env::var_os("HOME")
            .map(|home| PathBuf::from(home).join(".cache/zazen-tools/github-double-1"));
        let places = named.into_iter().chain(PLACES.iter().map(PathBuf::from)).chain(cached);
        for place in places {
            let modules = place.join("node_modules");
            let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
            let found = Self {
                node: modules.join(format!("node-linux-{machine}/bin/node")),
                emulate: modules.join("emulate/dist/api.js"),
                examples: modules.join("@octokit/webhooks-examples/api.github.com/index.json"),
            };
            if [&found.node, &found.emulate, &found.examples].iter().all(|path| path.exists()) {
                return Ok(found);
            }
        }
        Err("the packages of GitHub's double are not installed: run `.ci/run`, or set \
             ZAZEN_GITHUB_DOUBLE"
            .to_owned())
    }
}

impl Emulate {
    /// Starts it for a double that is reached at `url`.
    #[expect(clippy::disallowed_methods, reason = "tests start programs as a person does")]
    pub(super) fn start(tools: &Tools, url: &str, private: bool) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulate.mjs");
        let mut child = Command::new(&tools.node)
            .arg(script)
            .arg(&tools.emulate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let line = json!({ "baseUrl": url, "seed": seed(private) }).to_string() + "\n";
        let stdin = child.stdin.as_mut().expect("it is piped");
        stdin.write_all(line.as_bytes()).expect("emulate reads its seed");
        let mut answer = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut answer).expect("emulate answers");
        let answer: Value = serde_json::from_str(&answer).expect("emulate says where it listens");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            child,
            address: format!("127.0.0.1:{}", answer["port"]),
            key: text(&answer["secrets"][0]["value"]),
        }
    }
}

impl Drop for Emulate {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks emulate at `address`, with one of its own tokens.
pub(super) async fn forward(address: &str, ask: &Ask, token: &str) -> Reply {
    let mut ask = ask.clone();
    ask.headers.retain(|(name, _)| name == "content-type" || name == "accept");
    if !token.is_empty() {
        ask.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    match fetch(address, &ask).await {
        Ok(reply) => reply,
        Err(err) => panic!("emulate does not answer {} {}: {err}", ask.method, ask.path),
    }
}

/// Who and what is there at the start. A token that emulate does not know acts as the
/// first user there, so the first one may do nothing.
fn seed(private: bool) -> Value {
    let logins = ["nobody", OWNER, MACHINE].into_iter().chain(CAST.iter().copied());
    let users: Vec<Value> = logins
        .clone()
        .map(|login| {
            json!({ "login": login, "name": login, "email": format!("{login}@example.org") })
        })
        .collect();
    let scopes = ["repo", "user", "admin:org"];
    let tokens: serde_json::Map<String, Value> = logins
        .map(|login| (person_token(login), json!({ "login": login, "scopes": scopes })))
        .collect();
    let permissions: serde_json::Map<String, Value> =
        GRANTED.iter().map(|(name, level)| ((*name).to_owned(), json!(level))).collect();
    json!({
        "tokens": tokens,
        "github": {
            "users": users,
            "repos": [{ "owner": OWNER, "name": NAME, "private": private }],
            "apps": [{
                "app_id": APP_ID, "slug": "zazen-test", "name": "zazen test",
                "permissions": permissions, "events": [],
                "installations": [{
                    "installation_id": INSTALLATION, "account": OWNER,
                    "repository_selection": "all", "permissions": permissions,
                }],
            }],
        },
    })
}
