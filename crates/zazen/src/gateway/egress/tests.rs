//! Tests of the way to hosts as runs see it: real sockets, and hosts on loopback.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Mutex;

use base64::Engine as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use zazen_core::host::Traffic;
use zazen_core::id::{RunId, TaskId};
use zazen_core::price::Prices;

use super::*;
use crate::gateway::{CallReport, Gateway, Grant, Opened, Options, Source};

/// A name system that says what each test wants, and remembers what it was asked.
#[derive(Debug, Default)]
struct Names {
    known: BTreeMap<&'static str, Vec<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Resolve for Names {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let known = self.known.get(name).map(Vec::as_slice).unwrap_or_default();
        let found = known.iter().map(|address| address.parse().unwrap()).collect();
        async move { Ok(found) }.boxed()
    }
}

/// A run with a way to hosts.
struct Place {
    dir: TempDir,
    token: Token,
    opened: Option<Opened>,
    names: Arc<Names>,
    _reports: mpsc::Receiver<CallReport>,
    _gateway: Gateway,
}

struct Setup {
    hosts: Vec<String>,
    private: Vec<String>,
    names: Vec<(&'static str, Vec<&'static str>)>,
    times: Times,
    bytes: u64,
}

impl Setup {
    /// `localhost` at this port is a host of the house.
    fn local(address: SocketAddr) -> Self {
        let mut setup = Self::listing(&[]);
        setup.private = vec![format!("localhost:{}", address.port())];
        setup.names = vec![("localhost", vec!["127.0.0.1"])];
        setup
    }

    fn listing(hosts: &[&str]) -> Self {
        Self {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            private: Vec::new(),
            names: Vec::new(),
            times: Means::standard().times,
            bytes: 1 << 20,
        }
    }

    async fn open(self) -> Place {
        let dir = tempfile::tempdir().unwrap();
        self.open_in(dir).await
    }

    async fn open_in(self, dir: TempDir) -> Place {
        let mut hosts = Hosts::default();
        self.hosts.iter().for_each(|entry| hosts.add(entry).unwrap());
        self.private.iter().for_each(|entry| hosts.add_private(entry).unwrap());
        let names = Arc::new(Names { known: self.names.into_iter().collect(), ..Names::default() });
        let resolver = Arc::clone(&names) as Arc<dyn Resolve>;
        let options = Options {
            routes: BTreeMap::new(),
            prices: Prices::builtin(),
            budget: zazen_core::budget::Budget::default(),
            servers: BTreeMap::new(),
        };
        let means = Means { resolver, times: self.times };
        let gateway = Gateway::with_means(options, means).unwrap();
        let token = Token::random().unwrap();
        let grant = Grant {
            run: RunId { task: TaskId(7), n: 1 },
            label: "verify".to_owned(),
            token: token.clone(),
            socket: dir.path().join("gateway.sock"),
            source: Source::Nobody,
            record_to: dir.path().join("recording.jsonl"),
            outside: Outside {
                repo: "ada/tally".to_owned(),
                hosts,
                servers: Vec::new(),
                log_to: dir.path().join("egress.jsonl"),
                download_bytes: self.bytes,
                upload_bytes: self.bytes,
            },
            socket_mode: 0o600,
            repo: "ada/tally".parse().unwrap(),
            task_usage: zazen_core::usage::Usage::default(),
            may_use_reserve: false,
            of_task: zazen_core::budget::Limit::default(),
            is_forced: false,
            lifetime: Duration::from_secs(600),
        };
        let (usage, reports) = mpsc::channel(1);
        let opened = Some(gateway.open(grant, usage).await.unwrap());
        Place { dir, token, opened, names, _reports: reports, _gateway: gateway }
    }
}

impl Place {
    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.dir.path().join("gateway.sock")).await.unwrap()
    }

    /// The header that clients send for `http://run:TOKEN@…`.
    fn authorization(&self) -> String {
        let text = format!("run:{}", self.token.for_hosts());
        let text = base64::engine::general_purpose::STANDARD.encode(text);
        format!("Proxy-Authorization: Basic {text}\r\n")
    }

    fn connect_to(&self, authority: &str) -> String {
        let authorization = self.authorization();
        format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{authorization}\r\n")
    }

    fn get(&self, url: &str, more: &str) -> String {
        let host = url.trim_start_matches("http://").split('/').next().unwrap();
        let authorization = self.authorization();
        format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n{authorization}{more}\r\n")
    }

    /// Says something, and reads the answer to its end.
    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    /// A tunnel that stands, or the refusal.
    async fn tunnel(&self, authority: &str) -> Result<UnixStream, String> {
        let mut stream = self.connect().await;
        stream.write_all(self.connect_to(authority).as_bytes()).await.unwrap();
        let mut head = vec![0; ESTABLISHED.len()];
        stream.read_exact(&mut head).await.unwrap();
        if head == ESTABLISHED {
            return Ok(stream);
        }
        let rest = read_all(&mut stream).await;
        Err(String::from_utf8(head).unwrap() + &rest)
    }

    /// Ends the run. Returns its log, without times.
    async fn log(&mut self) -> Vec<What> {
        self.opened.take().unwrap().close().await.unwrap();
        lines(&self.dir.path().join("egress.jsonl"))
    }
}

fn lines(path: &Path) -> Vec<What> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().what).collect()
}

async fn read_all(stream: &mut UnixStream) -> String {
    let mut all = Vec::new();
    // What comes before a connection that is cut is read, too.
    drop(stream.read_to_end(&mut all).await);
    String::from_utf8(all).unwrap()
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn ended(log: &[What]) -> (u64, u64, &str) {
    let found = log.iter().find_map(|what| match what {
        What::Ended { up, down, end, .. } => Some((*up, *down, end.as_str())),
        What::Allowed { .. } | What::Refused { .. } | What::Full => None,
    });
    found.unwrap()
}

#[tokio::test]
async fn a_tunnel_carries_both_ways_and_passes_on_both_ends_and_the_log_says_so() {
    let (listener, address) = listener().await;
    let mut place = Setup::local(address).open().await;
    let host = format!("localhost:{}", address.port());
    let mut tunnel = place.tunnel(&host).await.unwrap();
    let (mut there, _) = listener.accept().await.unwrap();
    tunnel.write_all(b"hello").await.unwrap();
    tunnel.shutdown().await.unwrap();
    let mut said = String::new();
    there.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "hello");
    there.write_all(b"good day").await.unwrap();
    drop(there);
    assert_eq!(read_all(&mut tunnel).await, "good day");
    let log = place.log().await;
    let allowed = What::Allowed {
        method: "CONNECT".to_owned(),
        authority: host.clone(),
        rule: host.clone(),
        address: address.to_string(),
    };
    assert_eq!((&log[0], log.len()), (&allowed, 2));
    assert_eq!(ended(&log), (5, 8, "closed"));
    let mut traffic = Traffic::default();
    add_traffic(&place.dir.path().join("egress.jsonl"), &mut traffic).unwrap();
    let moved = traffic.reached[&host];
    assert_eq!((moved.n_connections, moved.up, moved.down), (1, 5, 8));
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_refused_with_the_rule_and_the_fix_and_never_looked_up() {
    let mut place = Setup::listing(&["crates"]).open().await;
    let said = place.ask(&place.connect_to("evil.test:443")).await;
    assert!(said.starts_with("HTTP/1.1 403 refused by zazen, rule hosts\r\n"), "{said}");
    let fix = "hosts: `evil.test:443` is not on the list of repository ada/tally; \
        add it to `hosts` in zazen.toml";
    assert!(said.contains(fix), "{said}");
    let said = place.ask(&place.get("http://evil.test/x?secret", "")).await;
    assert!(said.starts_with("HTTP/1.1 403 ") && said.contains("`evil.test:80`"), "{said}");
    assert_eq!(*place.names.asked.lock().unwrap(), Vec::<String>::new());
    let log = place.log().await;
    let What::Refused { method, authority, rule, .. } = &log[1] else { panic!("{log:?}") };
    assert_eq!((method.as_str(), authority.as_str(), rule.as_str()), ("GET", "evil.test", "hosts"));
    let mut traffic = Traffic::default();
    add_traffic(&place.dir.path().join("egress.jsonl"), &mut traffic).unwrap();
    assert_eq!(traffic.refused.len(), 2);
}

#[tokio::test]
async fn only_the_runs_own_token_opens_the_way_to_hosts() {
    let (_listener, address) = listener().await;
    let place = Setup::local(address).open().await;
    let other = Setup::local(address).open().await;
    let host = format!("localhost:{}", address.port());
    let line = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n");
    let own = place.authorization();
    for headers in [
        String::new(),
        other.authorization(),
        "Proxy-Authorization: Basic \r\n".to_owned(),
        own.replace("Proxy-Authorization", "Authorization"),
        format!("Proxy-Authorization: Bearer {}\r\n", place.token),
    ] {
        let said = place.ask(&format!("{line}{headers}\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 407 "), "{headers}: {said}");
        assert!(said.contains("proxy-authenticate: Basic"), "{said}");
    }
    let said = place.ask(&format!("{line}{own}{own}\r\n")).await;
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    let bearer = format!("{line}Proxy-Authorization: Bearer {}\r\n\r\n", place.token.for_hosts());
    let mut stream = place.connect().await;
    stream.write_all(bearer.as_bytes()).await.unwrap();
    let mut head = vec![0; ESTABLISHED.len()];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, ESTABLISHED);
}

#[tokio::test]
async fn no_way_of_writing_an_address_leads_to_the_machine_or_to_its_network() {
    let (_listener, address) = listener().await;
    let port = address.port();
    let mut setup = Setup::listing(&["*.example.org"]);
    setup.names = vec![("localhost", vec!["127.0.0.1"])];
    let place = setup.open().await;
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "127.0.0.1.",
        "a.example.org.",
        "127.0.0.1%00.example.org",
        "[fe80::1%25lo]",
        "a.example.org@127.0.0.1",
        "127.0.0.1#.example.org",
        "\u{ff11}27.0.0.1",
        "127\u{3002}0.0.1",
    ] {
        let said = place.ask(&place.connect_to(&format!("{host}:{port}"))).await;
        let is_no = said.starts_with("HTTP/1.1 403 ") || said.starts_with("HTTP/1.1 400 ");
        assert!(is_no, "{host}: {said}");
        let said = place.ask(&place.get(&format!("http://{host}:{port}/"), "")).await;
        let is_no = said.starts_with("HTTP/1.1 403 ") || said.starts_with("HTTP/1.1 400 ");
        assert!(is_no, "{host}: {said}");
    }
    assert_eq!(*place.names.asked.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn one_address_that_may_not_be_reached_refuses_the_name() {
    let mut setup = Setup::listing(&["*.example.org"]);
    setup.private = vec!["registry.house:443".to_owned()];
    setup.names = vec![
        ("a.example.org", vec!["1.1.1.1", "127.0.0.1"]),
        ("b.example.org", vec!["10.0.0.1"]),
        ("c.example.org", vec!["2606:4700::1111", "fd00:ec2::254"]),
        ("d.example.org", vec!["::ffff:169.254.169.254"]),
        ("registry.house", vec!["10.0.0.7", "127.0.0.1"]),
    ];
    let place = setup.open().await;
    for (host, kind) in [
        ("a.example.org", "loopback"),
        ("b.example.org", "private"),
        ("c.example.org", "metadata"),
        ("d.example.org", "embedding"),
        ("registry.house", "loopback"),
    ] {
        let said = place.tunnel(&format!("{host}:443")).await.unwrap_err();
        assert!(said.starts_with("HTTP/1.1 403 refused by zazen, rule address"), "{said}");
        assert!(said.contains(&format!("of the kind `{kind}`")), "{host}: {said}");
    }
    assert_eq!(place.names.asked.lock().unwrap().len(), 5, "each name is looked up once");
    let said = place.tunnel("e.example.org:443").await.unwrap_err();
    assert!(said.starts_with("HTTP/1.1 502 ") && said.contains("not known"), "{said}");
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let (listener, address) = listener().await;
    let mut setup = Setup::local(address);
    // Nothing listens at the first one; the second is tried, and no name is looked up again.
    setup.names = vec![("localhost", vec!["127.0.0.2", "127.0.0.1"])];
    let place = setup.open().await;
    let host = format!("localhost:{}", address.port());
    let tunnel = place.tunnel(&host).await.unwrap();
    let (_there, _) = listener.accept().await.unwrap();
    assert_eq!(*place.names.asked.lock().unwrap(), ["localhost"]);
    drop(tunnel);
}

#[tokio::test]
async fn an_address_of_this_machine_is_not_a_host_of_the_house() {
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Sends nothing; the kernel only chooses the address that it would send from.
    if probe.connect("192.168.255.254:9").is_err() {
        println!("SKIPPED: this machine has no address but loopback");
        return;
    }
    let own = probe.local_addr().unwrap().ip();
    let authority = zazen_core::host::Authority::parse("registry.house:1", None).unwrap();
    let own: &'static str = own.to_string().leak();
    let names = Names { known: [("registry.house", vec![own])].into(), ..Names::default() };
    let means = Means { resolver: Arc::new(names), ..Means::standard() };
    let reach = zazen_core::host::Reach::House;
    let found = resolve::addresses(&means, &authority, reach).await;
    assert!(matches!(found, Err(Denied::Address { .. })), "{own}: {found:?}");
}

#[tokio::test]
async fn a_plain_request_goes_out_without_what_opens_doors_and_comes_back_without_cookies() {
    let (listener, address) = listener().await;
    let mut place = Setup::local(address).open().await;
    let more = "Authorization: Basic theirs\r\nCookie: theirs\r\nX-Any: theirs\r\n\
        Connection: keep-alive, x-any\r\nTE: theirs\r\nUser-Agent: apt\r\nRange: bytes=0-\r\n";
    let request = place.get(&format!("http://localhost:{}/a?b=c", address.port()), more);
    let ask = place.ask(&request);
    let serve = async {
        let (mut there, _) = listener.accept().await.unwrap();
        let head = read_head(&mut there).await;
        let answer = "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\nset-cookie: a=b\r\n\
            etag: \"x\"\r\nproxy-authenticate: Basic\r\nkeep-alive: timeout=5\r\n\r\nhello";
        there.write_all(answer.as_bytes()).await.unwrap();
        head
    };
    let (said, head) = futures_util::future::join(ask, serve).await;
    let expected = format!(
        "GET /a?b=c HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\nuser-agent: apt\r\n\
         range: bytes=0-\r\n\r\n",
        address.port()
    );
    assert_eq!(head, expected);
    let expected = "HTTP/1.1 206 Partial Content\r\netag: \"x\"\r\ncontent-length: 5\r\n\
        connection: close\r\n\r\nhello";
    assert_eq!(said, expected);
    assert_eq!(ended(&place.log().await).2, "closed");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_to_be_broken() {
    let (listener, address) = listener().await;
    let mut place = Setup::local(address).open().await;
    let request = place.get(&format!("http://localhost:{}/", address.port()), "");
    let ask = place.ask(&request);
    let serve = async {
        let (mut there, _) = listener.accept().await.unwrap();
        read_head(&mut there).await;
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n9\r\nto";
        there.write_all(answer.as_bytes()).await.unwrap();
    };
    let (said, ()) = futures_util::future::join(ask, serve).await;
    assert!(said.contains("transfer-encoding: chunked\r\n"), "{said}");
    assert!(said.contains("5\r\nhello\r\n") && !said.contains("0\r\n\r\n"), "{said}");
    assert_eq!(ended(&place.log().await).2, "broken");
}

#[tokio::test]
async fn nothing_is_smuggled_past_the_head() {
    let (listener, address) = listener().await;
    let mut place = Setup::local(address).open().await;
    let host = format!("localhost:{}", address.port());
    let own = place.authorization();
    let second = place.get(&format!("http://{host}/second"), "");
    for head in [
        format!(
            "GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{own}Content-Length: 3\r\n\
            Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!(
            "GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{own}Content-Length: 0\r\n\
            Content-Length: 9\r\n\r\n"
        ),
        format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{own}X: a\r\n b\r\n\r\n"),
        format!("GET http://{host}/ HTTP/1.1\nHost: {host}\n{own}\n\n"),
        format!("GET http://{host}/ HTTP/1.1\r\nHost: other.test\r\n{own}\r\n"),
        format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n{own}\r\n"),
    ] {
        let said = place.ask(&format!("{head}{second}")).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{head}: {said}");
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "what follows is not read: {said}");
    }
    let refused = place.connect_to("evil.test:443");
    let said = place.ask(&format!("{refused}{second}")).await;
    assert_eq!(said.matches("HTTP/1.1").count(), 1, "{said}");
    // What follows a tunnel's head is the tunnel's, and no request.
    let mut stream = place.connect().await;
    let both = format!("{}{second}", place.connect_to(&host));
    stream.write_all(both.as_bytes()).await.unwrap();
    let (mut there, _) = listener.accept().await.unwrap();
    assert!(read_head(&mut there).await.starts_with("GET http://"));
    drop((stream, there));
    let log = place.log().await;
    let n_allowed = log.iter().filter(|what| matches!(what, What::Allowed { .. })).count();
    assert_eq!(n_allowed, 1, "{log:?}");
}

#[tokio::test]
async fn a_request_to_a_host_cannot_follow_a_model_call() {
    let place = Setup::listing(&["a.example.org"]).open().await;
    let own = place.authorization();
    let second = format!("GET http://a.example.org/ HTTP/1.1\r\nHost: a.example.org\r\n{own}");
    let of_hosts = format!("x-api-key: {}\r\nConnection: close\r\n", place.token.for_hosts());
    let call = format!("POST /anthropic/v1/messages HTTP/1.1\r\nHost: g\r\n{of_hosts}\r\n");
    assert!(place.ask(&call).await.contains("rule `run-token`"));
    let call = "GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n";
    let token = format!("x-api-key: {}\r\n", place.token);
    let said = place.ask(&format!("{call}{second}{token}Connection: close\r\n\r\n")).await;
    assert!(said.contains("404 Not Found") && said.contains("rule `model-paths`"), "{said}");
    // Nor is there a model in this run.
    let call = format!("POST /anthropic/v1/messages HTTP/1.1\r\nHost: g\r\n{token}");
    let said = place.ask(&format!("{call}Connection: close\r\n\r\n")).await;
    assert!(said.contains("rule `model-paths`"), "{said}");
}

#[tokio::test]
async fn who_is_slow_or_silent_is_told_so() {
    let (listener, address) = listener().await;
    let soon = Duration::from_millis(50);
    let patient = Means::standard().times;
    let host = format!("localhost:{}", address.port());

    let mut setup = Setup::local(address);
    setup.times = Times { head: soon, ..patient };
    let place = setup.open().await;
    let said = place.ask("CONNECT localhost").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");

    let mut setup = Setup::local(address);
    setup.times = Times { idle: soon, ..patient };
    let mut place = setup.open().await;
    let mut tunnel = place.tunnel(&host).await.unwrap();
    let _silent = listener.accept().await.unwrap();
    assert_eq!(read_all(&mut tunnel).await, "");
    assert_eq!(ended(&place.log().await).2, "idle");

    let mut setup = Setup::local(address);
    setup.times = Times { idle: soon, ..patient };
    let mut place = setup.open().await;
    let said = place.ask(&place.get(&format!("http://{host}/"), "")).await;
    assert!(said.starts_with("HTTP/1.1 504 "), "{said}");
    assert_eq!(ended(&place.log().await).2, "idle");

    drop(listener);
    let place = Setup::local(address).open().await;
    let said = place.tunnel(&host).await;
    assert!(said.unwrap_err().starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn a_run_moves_no_more_than_it_may_however_many_connections_it_opens() {
    let (listener, address) = listener().await;
    let host = format!("localhost:{}", address.port());
    let mut setup = Setup::local(address);
    setup.bytes = 100_000;
    let mut place = setup.open().await;
    let mut first = place.tunnel(&host).await.unwrap();
    let (mut there, _) = listener.accept().await.unwrap();
    first.write_all(&vec![7; 60_000]).await.unwrap();
    there.read_exact(&mut vec![0; 60_000]).await.unwrap();
    let mut second = place.tunnel(&host).await.unwrap();
    let (mut there, _) = listener.accept().await.unwrap();
    let sent = async {
        // Cut on the way, most likely.
        drop(second.write_all(&vec![7; 60_000]).await);
        read_all(&mut second).await
    };
    let got = async {
        let mut got = Vec::new();
        drop(there.read_to_end(&mut got).await);
        got.len()
    };
    let (_, n_got) = futures_util::future::join(sent, got).await;
    assert!(n_got <= 40_000, "{n_got}");
    let said = place.tunnel(&host).await.unwrap_err();
    assert!(said.contains("`limits.upload`") && said.starts_with("HTTP/1.1 403 "), "{said}");
    let log = place.log().await;
    let is_spent = |what: &What| matches!(what, What::Ended { end, .. } if end == "spent");
    assert!(log.iter().any(is_spent), "{log:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let (listener, address) = listener().await;
    let mut setup = Setup::local(address);
    setup.bytes = 50_000;
    let mut place = setup.open().await;
    let request = place.get(&format!("http://localhost:{}/", address.port()), "");
    let ask = place.ask(&request);
    let serve = async {
        let (mut there, _) = listener.accept().await.unwrap();
        read_head(&mut there).await;
        there.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while there.write_all(&[b'a'; 4096]).await.is_ok() {}
    };
    let (said, ()) = futures_util::future::join(ask, serve).await;
    assert!(said.len() < 60_000 && !said.ends_with("0\r\n\r\n"), "{}", said.len());
    assert_eq!(ended(&place.log().await).2, "spent");
}

#[tokio::test]
async fn the_end_of_the_run_cuts_every_tunnel_and_is_logged() {
    let (listener, address) = listener().await;
    let mut place = Setup::local(address).open().await;
    let host = format!("localhost:{}", address.port());
    let mut tunnel = place.tunnel(&host).await.unwrap();
    let (mut there, _) = listener.accept().await.unwrap();
    tunnel.write_all(b"a").await.unwrap();
    assert_eq!(there.read_u8().await.unwrap(), b'a');
    let log = place.log().await;
    assert_eq!(ended(&log), (1, 0, "run-over"));
    assert_eq!(read_all(&mut tunnel).await, "");
    assert_eq!(there.read(&mut [0; 9]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn ten_thousand_connections_of_one_run_are_refused_and_no_other_run_notices() {
    let (listener, address) = listener().await;
    let host = format!("localhost:{}", address.port());
    let crowded = Setup::local(address).open().await;
    let other = Setup::local(address).open().await;
    let mut held = Vec::new();
    let mut n_refused = 0;
    for _ in 0..10_000 {
        let mut stream = crowded.connect().await;
        if held.len() < 128 {
            held.push(stream);
            continue;
        }
        let said = read_all(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 503 refused by zazen, rule connections"), "{said}");
        n_refused += 1;
    }
    assert_eq!(n_refused, 10_000 - 128);
    let tunnel = other.tunnel(&host).await.unwrap();
    let _there = listener.accept().await.unwrap();
    drop((tunnel, held));
    // Places are given back, as soon as the server has seen that they are empty.
    let mut tries = 0;
    while crowded
        .ask("GET /healthz HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")
        .await
        .starts_with("HTTP/1.1 503")
    {
        tries += 1;
        assert!(tries < 10_000);
    }
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_allowed() {
    let (_listener, address) = listener().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("egress.jsonl");
    let line = format!(
        "{{\"v\":1,\"n\":0,\"at_ms\":0,\"ev\":\"full\",\"pad\":\"{}\"}}\n",
        "x".repeat(4000)
    );
    std::fs::write(&path, line.repeat((8 << 20) / line.len() + 1)).unwrap();
    let mut place = Setup::local(address).open_in(dir).await;
    let host = format!("localhost:{}", address.port());
    for _ in 0..2 {
        let said = place.tunnel(&host).await.unwrap_err();
        assert!(said.starts_with("HTTP/1.1 500 refused by zazen, rule egress-log"), "{said}");
    }
    let log = place.log().await;
    assert_eq!(log.last(), Some(&What::Full));
}
