//! The way to hosts: what a repository's list opens, and nothing beside it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::harness::model::{Model, SMALL_PLAN, Turn, script};
use crate::harness::place::{Place, Setup, git, has_bwrap};

/// A registry in the house: it answers every GET with a line.
fn registry() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream);
        }
    });
    port
}

fn answer(mut stream: TcpStream) {
    let mut head = [0; 4096];
    let n_bytes = stream.read(&mut head).unwrap_or(0);
    if head[..n_bytes].starts_with(b"GET ") {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhello from the house";
        drop(stream.write_all(answer.as_bytes()));
    }
}

fn has_curl() -> bool {
    if std::path::Path::new("/usr/bin/curl").exists() {
        return true;
    }
    assert!(std::env::var_os("ZAZEN_REQUIRE_TOOLS").is_none(), "curl is not installed");
    println!("SKIPPED: curl is not installed");
    false
}

/// Fetches what is listed, asks for what is not, and tries git's way through a tunnel.
fn steps(port: u16) -> String {
    format!(
        "curl -sS --noproxy '' http://localhost:{port}/hello > fetched.txt
         curl -sS http://evil.test/ > plain.txt 2>&1
         curl -sS https://evil.test/ > tunnel.txt 2>&1
         curl -sS --max-time 5 --noproxy '*' http://127.0.0.1:{port}/ > direct.txt 2>&1
         no_proxy= NO_PROXY= git ls-remote https://localhost:{port}/x.git > git.txt 2>&1
         echo hello >> README.md"
    )
}

fn files(place: &Place, names: &[&str]) -> Vec<String> {
    let show =
        |name: &&str| git(&place.remote(), &["show", &format!("zazen/1-sum-by-month:{name}")]);
    names.iter().map(show).collect()
}

fn lines(place: &Place, run: &str) -> Vec<Value> {
    let path = place.home().join(".zazen/runs").join(run).join("egress.jsonl");
    let text = std::fs::read_to_string(path).expect("a log");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn drafted_with(engine: &'static str, list: &str, step: &str, check: &str) -> Place {
    let plan = SMALL_PLAN.replace("grep -q hello README.md", check);
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(&plan)]),
        ("implement/1", vec![Turn::run(step), Turn::say("Done.")]),
    ]));
    let mut place = Place::new(&Setup::mini(engine, &model.url()));
    place.configure("[[repo]]", &format!("[[repo]]\n{list}"));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    let task = place.wait_for(1, &["drafted", "failed"]);
    assert_eq!(task["state"], "drafted", "{:?}", place.said(1));
    assert_eq!(model.prompts("plan")[0].contains("hosts can be reached"), !list.is_empty());
    place
}

#[test]
fn a_run_in_bwrap_reaches_what_is_listed_and_the_pull_request_says_what_it_was() {
    if !has_bwrap() || !has_curl() {
        return;
    }
    reaches_what_is_listed("bwrap");
}

#[test]
fn a_run_without_a_sandbox_finds_the_same_way() {
    if has_curl() {
        reaches_what_is_listed("none");
    }
}

fn reaches_what_is_listed(engine: &'static str) {
    let port = registry();
    let list = format!("private = [\"localhost:{port}\"]");
    let check = format!("curl -fsS --noproxy '' http://localhost:{port}/check");
    let mut place = drafted_with(engine, &list, &steps(port), &check);
    let [fetched, plain, tunnel] =
        files(&place, &["fetched.txt", "plain.txt", "tunnel.txt"]).try_into().expect("three");
    assert_eq!(fetched, "hello from the house");
    let fix = "hosts: `evil.test:80` is not on the list of repository local/tally";
    assert!(plain.contains(fix), "{plain}");
    assert!(tunnel.contains("403"), "{tunnel}");
    if engine == "bwrap" {
        let [direct] = files(&place, &["direct.txt"]).try_into().expect("one");
        assert!(!direct.contains("hello"), "there is no way but the gateway: {direct}");
    }

    let log = lines(&place, "1.2");
    let is = |line: &Value, ev: &str, method: &str, authority: &str| {
        line["ev"] == ev && line["method"] == method && line["authority"] == authority
    };
    let host = format!("localhost:{port}");
    let has = |ev: &str, method: &str, authority: &str| {
        assert!(log.iter().any(|line| is(line, ev, method, authority)), "{ev} {method}: {log:?}");
    };
    has("allowed", "GET", &host);
    has("allowed", "CONNECT", &host);
    has("refused", "GET", "evil.test");
    has("refused", "CONNECT", "evil.test:443");
    let checks = lines(&place, "1.3");
    assert_eq!((&checks[0]["ev"], &checks[0]["rule"]), (&"allowed".into(), &host.clone().into()));

    let [pull] = place.pulls().try_into().expect("one pull request");
    assert!(pull.contains("hello from the house"), "the checks fetched it: {pull}");
    let row = pull.lines().find(|line| line.starts_with("| Hosts |")).expect("a row");
    assert!(row.contains(&format!("`{host}` (")) && row.contains("refused: `evil.test`"), "{row}");
    let shown = place.zazen(&["task", "show", "1"]);
    assert!(shown.contains(&format!("hosts: `{host}` (")), "{shown}");
    let shown: Value = place.json(&["task", "show", "1", "--json"]);
    assert_eq!(shown["hosts"]["refused"]["evil.test:443"], 1);
    assert!(shown["hosts"]["reached"][&host]["down"].as_u64() > Some(20), "{shown}");
    place.down();
}

#[test]
fn checks_have_no_gateway_where_no_host_is_listed() {
    let check = "test -z \"$http_proxy$HTTPS_PROXY$GATEWAY\"";
    let mut place = drafted_with("none", "", "echo hello >> README.md", check);
    let spec = place.home().join(".zazen/runs/1.3/spec.json");
    let spec = std::fs::read_to_string(spec).expect("a spec");
    let spec: Value = serde_json::from_str(&spec).expect("JSON");
    assert_eq!(spec["gateway_socket"], Value::Null);
    assert!(!place.home().join(".zazen/runs/1.3/egress.jsonl").exists());
    let [pull] = place.pulls().try_into().expect("one pull request");
    assert!(!pull.contains("| Hosts |"), "{pull}");
    place.down();
}
