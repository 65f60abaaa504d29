//! The listener on a real socket, the table of events, and GitHub's own examples.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;

use expect_test::expect_file;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use zazen_core::id::IssueNumber;

use super::*;
use crate::forge::github::hint::Hint;

const SECRET: &str = "a secret that only tests have";
const NOW: Time = Time(1_800_000_000_000);

fn secrets() -> Secrets {
    Secrets::parse(SECRET).unwrap()
}

fn repo() -> RepoName {
    "ada/tally".parse().unwrap()
}

fn options(dir: &Path) -> Options {
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        secrets: secrets(),
        inbox: dir.join("inbox"),
        repos: vec![repo()],
        now: || NOW,
    }
}

async fn start(dir: &Path) -> Started {
    Hooks::start(options(dir)).await.unwrap()
}

/// Sends bytes and gives the whole answer. The client may be cut off while it sends.
async fn send(to: SocketAddr, bytes: Vec<u8>) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(&bytes).ok();
        stream.shutdown(Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

fn request(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {PATH} HTTP/1.1\r\nHost: zazen\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
    [head.as_bytes(), body].concat()
}

fn signed(event: &str, guid: &str, body: &[u8]) -> Vec<u8> {
    let headers = [
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", event),
        ("X-GitHub-Delivery", guid),
        ("X-GitHub-Hook-ID", "7"),
        ("X-Hub-Signature-256", &secrets().sign(body)),
    ];
    request(&headers, body)
}

fn issue(action: &str, number: u64) -> Vec<u8> {
    json!({ "action": action, "issue": { "number": number, "title": "x" },
        "repository": { "full_name": "Ada/Tally" } })
    .to_string()
    .into_bytes()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn a_signed_delivery_is_acknowledged_and_handed_out_once() {
    let dir = TempDir::new().unwrap();
    let mut started = start(dir.path()).await;
    let to = started.hooks.address();
    let first = send(to, signed("issues", "guid-1", &issue("opened", 12))).await;
    assert!(first.starts_with("HTTP/1.1 202"), "{first}");
    let again = send(to, signed("issues", "guid-1", &issue("opened", 12))).await;
    assert!(again.starts_with("HTTP/1.1 202") && again.contains("known"), "{again}");
    let delivery = started.deliveries.recv().await.unwrap();
    let hint = Hint::Item { repo: repo(), number: IssueNumber(12) };
    assert_eq!((delivery.hints, delivery.event.as_str()), (vec![hint], "issues.opened"));
    assert!(started.deliveries.try_recv().is_err());
    let counts = started.hooks.counts();
    assert_eq!((counts.accepted, counts.known, counts.refused), (1, 1, 0));
    started.hooks.inbox().done([delivery.id]).await;
    started.hooks.close().await;
}

#[tokio::test]
async fn what_is_not_signed_is_refused_before_it_is_read() {
    let dir = TempDir::new().unwrap();
    let started = start(dir.path()).await;
    let to = started.hooks.address();
    let body = issue("opened", 12);
    let plain = [("X-GitHub-Event", "issues"), ("X-GitHub-Delivery", "g")];
    let other = Secrets::parse("another secret than that").unwrap().sign(&body);
    let sha1 = format!("sha1={}", "a".repeat(40));
    let mut asked = vec![request(&plain, &body)];
    for (name, value) in [
        ("X-Hub-Signature-256", other.as_str()),
        ("X-Hub-Signature-256", "sha256=ab"),
        ("X-Hub-Signature-256", sha1.as_str()),
        ("X-Hub-Signature", sha1.as_str()),
    ] {
        asked.push(request(&[plain[0], plain[1], (name, value)], &body));
    }
    let right = secrets().sign(&body);
    let twice = [("X-Hub-Signature-256", right.as_str()), ("X-Hub-Signature-256", other.as_str())];
    asked.push(request(&twice, &body));
    for bytes in asked {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(status(&send(to, bytes).await), 401, "{shown}");
    }
    // No body is waited for: this one never comes.
    let head = format!("POST {PATH} HTTP/1.1\r\nContent-Length: 9999\r\n\r\n");
    assert_eq!(status(&send(to, head.into_bytes()).await), 401);
    assert_eq!(started.hooks.counts().refused, 7);
}

#[tokio::test]
async fn what_is_too_large_odd_or_elsewhere_is_refused_with_its_status() {
    let dir = TempDir::new().unwrap();
    let started = start(dir.path()).await;
    let to = started.hooks.address();
    let signature = format!("X-Hub-Signature-256: sha256={}", "a".repeat(64));
    let large = format!("POST {PATH} HTTP/1.1\r\n{signature}\r\nContent-Length: 26214401\r\n\r\n");
    let form = b"payload=%7B%7D".as_slice();
    let form_sign = secrets().sign(form);
    let form_headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-GitHub-Event", "issues"),
        ("X-GitHub-Delivery", "g"),
        ("X-Hub-Signature-256", form_sign.as_str()),
    ];
    for (bytes, expected) in [
        (large.into_bytes(), 413),
        (request(&form_headers, form), 415),
        (signed("issues", "g", b"[1"), 400),
        (signed("issues", "a guid with spaces", b"{}"), 400),
        (format!("GET {PATH} HTTP/1.1\r\n\r\n").into_bytes(), 405),
        (b"POST /elsewhere HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_vec(), 404),
        (b"GET /healthz HTTP/1.1\r\n\r\n".to_vec(), 200),
        (signed("ping", "g", b"{\"zen\":\"x\"}"), 200),
        (signed("issues", "g", br#"{"action":"opened"}"#), 200),
    ] {
        let shown: String = String::from_utf8_lossy(&bytes).chars().take(300).collect();
        let answer = send(to, bytes).await;
        assert_eq!(status(&answer), expected, "{shown}\n{answer}");
    }
}

#[tokio::test]
async fn a_large_body_in_pieces_is_taken_and_one_without_an_end_is_not() {
    let dir = TempDir::new().unwrap();
    let started = start(dir.path()).await;
    let to = started.hooks.address();
    let mut body = issue("opened", 3);
    body.pop();
    body.extend_from_slice(format!(",\"x\":\"{}\"}}", "y".repeat(3 << 20)).as_bytes());
    assert_eq!(status(&send(to, signed("issues", "large", &body)).await), 202);
    let signature = secrets().sign(&body);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nX-Hub-Signature-256: {signature}\r\nX-GitHub-Event: issues\r\n\
         X-GitHub-Delivery: pieces\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    );
    let bytes = [head.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(status(&send(to, bytes).await), 202);
    let mut cut = signed("issues", "cut", &issue("opened", 4));
    cut.truncate(cut.len() - 5);
    assert_ne!(status(&send(to, cut).await), 202);
    assert_eq!(started.hooks.counts().accepted, 2);
}

/// Sends bytes, keeps the connection open, and gives what comes until it is closed.
async fn send_and_hold(to: SocketAddr, bytes: Vec<u8>) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

#[tokio::test]
async fn a_client_that_plays_for_time_is_cut_off() {
    let dir = TempDir::new().unwrap();
    let short = std::time::Duration::from_millis(200);
    let times = listen::Times { head: short, body: short, connection: short * 5 };
    let started = Hooks::start_with(options(dir.path()), times).await.unwrap();
    let to = started.hooks.address();
    // Nothing at all, half a head, and half a body: each ends, and nothing is taken.
    for n_missing in [usize::MAX, 150, 5] {
        let mut bytes = signed("issues", "slow", &issue("opened", 1));
        bytes.truncate(bytes.len().saturating_sub(n_missing));
        assert_ne!(status(&send_and_hold(to, bytes).await), 202);
    }
    assert_eq!(status(&send_and_hold(to, signed("issues", "g", &issue("opened", 1))).await), 202);
    assert_eq!(started.hooks.counts().accepted, 1);
}

#[tokio::test]
async fn a_burst_is_acknowledged_whole_and_none_of_it_is_lost() {
    let dir = TempDir::new().unwrap();
    let mut started = start(dir.path()).await;
    let to = started.hooks.address();
    let mut senders = JoinSet::new();
    // More than there are places for connections: the others wait in the kernel's queue.
    for n in 1..=400_u64 {
        let bytes = signed("issues", &format!("guid-{n}"), &issue("edited", n));
        senders.spawn(send(to, bytes));
    }
    while let Some(answer) = senders.join_next().await {
        assert_eq!(status(&answer.unwrap()), 202);
    }
    // More than the channel holds: the rest waits on the disk.
    let mut numbers = std::collections::BTreeSet::new();
    while numbers.len() < 400 {
        let delivery = started.deliveries.recv().await.unwrap();
        numbers.insert(delivery.hints);
        started.hooks.inbox().done([delivery.id]).await;
    }
}

#[test]
fn the_table_of_events() {
    let mut text = String::from(
        "# GitHub's events\n\nPrinted by the test `the_table_of_events` from the table that is \
         used, so it cannot be out of date. An event is a hint: what it is about is read again \
         through the API before anything is done. An event that is not here is ignored.\n\n\
         | event | action | comes to |\n|---|---|---|\n",
    );
    for Rule { event, actions, gives } in RULES {
        let has_row = |rule: &&Rule| rule.event == *event && !rule.actions.is_empty();
        let others = if RULES.iter().any(|rule| has_row(&rule)) { "any other" } else { "any" };
        let actions = if actions.is_empty() { others.to_owned() } else { actions.join(", ") };
        let gives = match gives {
            Gives::Item => "a look at the issue or pull request".to_owned(),
            Gives::Checks => "a look at the checks of the commit".to_owned(),
            Gives::Branch => "a look at the branch".to_owned(),
            Gives::Installation => "tokens and permissions are asked again".to_owned(),
            Gives::Nothing(why) => format!("ignored: {why}"),
        };
        writeln!(text, "| `{event}` | {actions} | {gives} |").unwrap();
    }
    expect_file!["../../../../../../docs/github-events.md"].assert_eq(&text);
}

/// GitHub's own examples, each with the name of its event.
#[expect(clippy::disallowed_methods, reason = "where tools are is said to tests so")]
fn examples() -> Option<Vec<(String, Value)>> {
    let Ok(dir) = std::env::var("ZAZEN_WEBHOOK_EXAMPLES") else {
        let required = std::env::var("ZAZEN_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        assert!(!required, "ZAZEN_WEBHOOK_EXAMPLES does not say where the examples are");
        println!("SKIPPED: ZAZEN_WEBHOOK_EXAMPLES is to name @octokit/webhooks-examples");
        return None;
    };
    let file = Path::new(&dir).join("api.github.com/index.json");
    let events: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let of = |event: &Value| {
        let name = event["name"].as_str().unwrap().to_owned();
        let examples = event["examples"].as_array().unwrap().clone();
        examples.into_iter().map(move |example| (name.clone(), example))
    };
    Some(events.iter().flat_map(of).collect())
}

#[test]
fn every_published_example_is_acted_on_or_ignored_for_a_stated_reason() {
    let Some(examples) = examples() else { return };
    assert!(examples.len() >= 329, "{}", examples.len());
    let (mut n_hints, mut silent) = (0, Vec::new());
    for (event, payload) in &examples {
        assert!(RULES.iter().any(|rule| rule.event == event), "`{event}` is not in the table");
        let name = payload["repository"]["full_name"].as_str();
        let repos: Vec<RepoName> = name.iter().filter_map(|name| name.parse().ok()).collect();
        let action = payload["action"].as_str();
        let body = payload.to_string();
        match (gives(event, action), reduce(event, body.as_bytes(), &repos).unwrap()) {
            (Gives::Nothing(why), Reduced::Ignored(said)) => assert_eq!(why, said),
            (Gives::Nothing(_), reduced) => panic!("{event} {action:?}: {reduced:?}"),
            (_, Reduced::Hints { hints, .. }) => {
                assert_eq!(hints.len(), 1);
                n_hints += 1;
            }
            (_, Reduced::Ignored(why)) => silent.push((event.clone(), why)),
        }
    }
    // A push of a tag, and nothing else, is of an event that counts and still means nothing.
    assert!(silent.iter().all(|(_, why)| *why == "it is about a tag"), "{silent:?}");
    assert!(n_hints > 100, "{n_hints}");
}

#[tokio::test]
async fn every_published_example_is_answered_in_the_two_hundreds() {
    let Some(examples) = examples() else { return };
    let dir = TempDir::new().unwrap();
    let started = start(dir.path()).await;
    for (n, (event, payload)) in examples.iter().enumerate() {
        let bytes = signed(event, &format!("guid-{n}"), payload.to_string().as_bytes());
        let answer = send(started.hooks.address(), bytes).await;
        assert!(matches!(status(&answer), 200 | 202), "{event}: {answer}");
    }
}

#[test]
fn fields_that_are_missing_null_or_of_another_kind_give_no_hint_and_no_error() {
    let repos = [repo()];
    let whole = |number: Value| {
        json!({ "action": "opened", "issue": { "number": number },
        "repository": { "full_name": "ada/tally" } })
    };
    for (event, body) in [
        ("issues", whole(json!("12"))),
        ("issues", whole(json!(0))),
        ("issues", whole(json!(-1))),
        ("issues", whole(json!(null))),
        ("issues", json!({ "issue": { "number": 1 }, "repository": null })),
        ("issues", json!({ "issue": 1, "repository": { "full_name": "ada/tally" } })),
        ("issues", json!({ "issue": { "number": 1 }, "repository": { "full_name": "eve/x" } })),
        ("push", json!({ "ref": "refs/heads/", "repository": { "full_name": "ada/tally" } })),
        ("push", json!({ "ref": "refs/heads/a b", "repository": { "full_name": "ada/tally" } })),
        ("status", json!({ "sha": "xyz", "repository": { "full_name": "ada/tally" } })),
        ("unheard_of", whole(json!(1))),
    ] {
        let reduced = reduce(event, body.to_string().as_bytes(), &repos).unwrap();
        assert!(matches!(reduced, Reduced::Ignored(_)), "{event} {body}: {reduced:?}");
    }
    // An action that is none is as good as no action.
    let body = json!({ "action": 5, "issue": { "number": 1 },
        "repository": { "full_name": "ada/tally" } });
    let reduced = reduce("issues", body.to_string().as_bytes(), &repos).unwrap();
    assert!(matches!(reduced, Reduced::Hints { action: None, .. }));
}

proptest! {
    #[test]
    fn whatever_is_signed_is_reduced_or_refused(
        event in "[a-z_]{0,20}",
        body in proptest::collection::vec(any::<u8>(), 0..300),
        text in "[\\[\\]{}\":,a-z0-9]{0,80}",
    ) {
        let _bytes = reduce(&event, &body, &[repo()]);
        let _text = reduce("issues", text.as_bytes(), &[repo()]);
    }
}

#[test]
fn arbitrary_bytes_on_the_socket_are_answered_or_dropped_and_never_accepted() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let dir = TempDir::new().unwrap();
    let started = runtime.block_on(start(dir.path()));
    let to = started.hooks.address();
    let strategy = (
        proptest::collection::vec(any::<u8>(), 0..200),
        "[ -~]{0,90}",
        proptest::collection::vec(any::<u8>(), 0..200),
    );
    let config = ProptestConfig { cases: 200, ..ProptestConfig::default() };
    proptest!(config, |((raw, header, body) in strategy)| {
        runtime.block_on(send(to, raw));
        let headers = [("X-Hub-Signature-256", header.as_str()), ("X-GitHub-Event", &header)];
        let answer = runtime.block_on(send(to, request(&headers, &body)));
        prop_assert!(!matches!(status(&answer), 200 | 202), "{}", answer);
    });
    let answer = runtime.block_on(send(to, signed("issues", "after", &issue("opened", 1))));
    assert_eq!(status(&answer), 202);
    assert_eq!(started.hooks.counts().accepted, 1);
    runtime.block_on(started.hooks.close());
}
