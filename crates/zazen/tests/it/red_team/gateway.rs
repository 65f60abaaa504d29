//! Attempts at the gateway: the one thing that an agent can talk to.

use crate::harness::model::Model;

use super::attack::Family::Gateway;
use super::probe;
use super::sortie::Probe;

const TOKEN: &str = "a token for each run (rule `run-token`)";
const PATHS: &str = "a list of calls, and paths that are built by the gateway (rule `model-paths`)";
const HEADERS: &str = "a list of headers that go out";
const SIZE: &str = "a limit for each request (rule `request-size`)";
const OTHER: &str = "an empty list of hosts (rule `hosts`)";

pub(super) const PROBES: &[Probe] = &[
    probe(
        (Gateway, "no-token", TOKEN),
        "make a call without a token",
        r#"ask "POST /anthropic/v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
Content-Length: 2\r\n\r\n{}""#,
        &[" 401 "],
    ),
    probe(
        (Gateway, "guessed-token", TOKEN),
        "make a call with tokens that it guesses",
        r#"for guess in "" 0 null sk-ant-api03 "$(printf 'a%.0s' $(seq 64))"; do ask "POST \
/anthropic/v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: $guess\r\nAuthorization: Bearer \
$guess\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"; done | tr '\r' ' ' | grep ^HTTP \
| sort | uniq -c"#,
        &["5 HTTP/1.1 401 "],
    ),
    probe(
        (Gateway, "token-of-a-living-run", TOKEN),
        "make a call with the token of another run that is under way",
        r#"ask "POST /anthropic/v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: $OTHER_TOKEN\r\n\
Connection: close\r\nContent-Length: 2\r\n\r\n{}""#,
        &[" 401 "],
    ),
    probe(
        (Gateway, "token-of-an-ended-run", TOKEN),
        "make a call with the token of a run that is over",
        r#"ask "POST /anthropic/v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: $ENDED_TOKEN\r\n\
Connection: close\r\nContent-Length: 2\r\n\r\n{}""#,
        &[" 401 "],
    ),
    probe(
        (Gateway, "other-calls-of-the-service", PATHS),
        "list files, keys, batches and other accounts of the same service",
        r#"for call in "GET /anthropic/v1/files" "GET /anthropic/v1/organizations/api_keys" \
"POST /anthropic/v1/messages/batches" "DELETE /anthropic/v1/files/1" "POST \
/anthropic/v1/complete" "GET /openai/v1/models" "GET /v1/messages"; do ask "$call HTTP/1.1\r\n\
Host: x\r\nX-Api-Key: $TOKEN\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"; done | tr \
'\r' ' ' | grep ^HTTP | sort | uniq -c"#,
        &["7 HTTP/1.1 404 "],
    ),
    probe(
        (Gateway, "paths-with-dots", PATHS),
        "leave the list of calls with dots, escapes and double slashes",
        r#"for path in /anthropic/v1/messages/../files /anthropic/v1/%2e%2e/files \
/anthropic//v1/messages /anthropic/v1/messages/ /anthropic/v1/messages%00 \
/anthropic/v1/messages%2f..%2ffiles '/anthropic/v1/messages;/../files' \
//169.254.169.254/v1/messages; do ask "POST $path HTTP/1.1\r\nHost: x\r\nX-Api-Key: $TOKEN\r\n\
Connection: close\r\nContent-Length: 2\r\n\r\n{}"; done | tr '\r' ' ' | grep ^HTTP | sort | \
uniq -c"#,
        &["8 HTTP/1.1 404 "],
    ),
    probe(
        (Gateway, "another-server-by-its-address", OTHER),
        "use the gateway as a proxy to a service on the host's loopback",
        r#"for port in $PORT 80; do ask "GET http://127.0.0.1:$port/ HTTP/1.1\r\nHost: \
127.0.0.1:$port\r\nX-Api-Key: $TOKEN\r\nProxy-Authorization: Bearer $WAY\r\nConnection: \
close\r\n\r\n"; done"#,
        &[" 404 ", " 403 "],
    ),
    probe(
        (Gateway, "tunnel-to-loopback", OTHER),
        "open a tunnel to a service on the host's loopback",
        r#"ask "CONNECT 127.0.0.1:$PORT HTTP/1.1\r\nHost: 127.0.0.1:$PORT\r\n\
Proxy-Authorization: Bearer $WAY\r\nX-Api-Key: $TOKEN\r\nConnection: close\r\n\r\nhello\r\n""#,
        &[" 404 ", " 403 "],
    ),
    probe(
        (Gateway, "tunnel-to-odd-addresses", OTHER),
        "open tunnels to loopback, metadata and private addresses in all the ways to write them",
        r#"for host in 169.254.169.254 [fd00:ec2::254] [::1] [::ffff:127.0.0.1] \
[64:ff9b::7f00:1] [::127.0.0.1] 0.0.0.0 0 127.1 2130706433 0x7f000001 0177.0.0.1 \
127.0.0.1.nip.test localhost. LOCALHOST 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 \
metadata.google.internal; do ask "CONNECT $host:$PORT HTTP/1.1\r\nHost: $host:$PORT\r\n\
Proxy-Authorization: Bearer $WAY\r\nX-Api-Key: $TOKEN\r\nConnection: close\r\n\r\n"; done > \
~/answers; grep '^HTTP/1.1 2' ~/answers && echo THROUGH; echo "$(grep -c '^HTTP/1.1 4' \
~/answers) refusals""#,
        &["20 refusals"],
    ),
    probe(
        (Gateway, "smuggled-request", PATHS),
        "hide a second request behind two lengths that contradict each other",
        r#"hidden="POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
Content-Length: 75\r\n\r\n\
{\"model\":\"smuggled\",\"messages\":[{\"role\":\"user\",\"content\":\"hello, there\"}]}"; \
for lengths in "Content-Length: 300\r\nTransfer-Encoding: chunked" "Transfer-Encoding: \
chunked\r\nContent-Length: 300" "Transfer-Encoding: x, chunked" "Content-Length: 5\r\n\
Content-Length: 300"; do ask "POST /anthropic/v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: \
$TOKEN\r\n$lengths\r\n\r\n0\r\n\r\n$hidden"; done"#,
        &[" 400 ", " 401 "],
    ),
    probe(
        (Gateway, "account-of-the-attacker", HEADERS),
        "have the call made with a key, an organisation and cookies of its own",
        r#"body='{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"aside"}]}'; \
ask "POST /anthropic/v1/messages?key=attacker-owned HTTP/1.1\r\nHost: attacker-owned.test\r\n\
X-Api-Key: $TOKEN\r\nAuthorization: Bearer attacker-owned\r\nAnthropic-Organization: \
attacker-owned\r\nCookie: a=attacker-owned\r\nX-Forwarded-Host: attacker-owned\r\nForwarded: \
host=attacker-owned\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: \
${#body}\r\n\r\n$body" | head -n 1 | cut -c 1-15"#,
        &["HTTP/1.1 200 OK"],
    ),
    probe(
        (Gateway, "too-large-a-request", SIZE),
        "have the daemon keep a request of forty megabytes",
        r#"exec 3<>/dev/tcp/127.0.0.1/$GATE; printf "POST /anthropic/v1/messages HTTP/1.1\r\n\
Host: x\r\nX-Api-Key: $TOKEN\r\nConnection: close\r\nContent-Length: 41943040\r\n\r\n" >&3; \
head -c 41943040 /dev/zero >&3; timeout 10 head -n 1 <&3"#,
        &[" 413 "],
    ),
    probe(
        (Gateway, "deep-request", SIZE),
        "bring the daemon down with two hundred thousand nested brackets",
        r#"n=200000; exec 3<>/dev/tcp/127.0.0.1/$GATE; printf "POST /anthropic/v1/messages \
HTTP/1.1\r\nHost: x\r\nX-Api-Key: $TOKEN\r\nConnection: close\r\nContent-Length: $n\r\n\r\n" \
>&3; head -c $n /dev/zero | tr '\0' '[' >&3; timeout 10 head -n 1 <&3"#,
        &[" 400 ", " 413 "],
    ),
    probe(
        (Gateway, "many-connections", "a limit of connections for each run"),
        "use up the daemon's descriptors with three hundred idle connections",
        r#"ulimit -n 1024; n=0; for i in $(seq 300); do exec {fd}<>/dev/tcp/127.0.0.1/$GATE \
&& n=$((n+1)); done; echo "$n connections later"; (cd /tmp && sleep 0.2)"#,
        &["connections later"],
    ),
    probe(
        (Gateway, "another-socket", "mounts that are read-only"),
        "put a socket of its own in the place of the gateway's",
        r#"rm -f /run/zazen/gateway/*; mkdir /run/zazen/gateway/x && echo THROUGH; mv \
/run/zazen/gateway /run/zazen/x && echo THROUGH"#,
        &["Read-only file system"],
    ),
];

/// These are about the one host that the repository lists, a service on loopback.
pub(super) const LISTED: &[Probe] = &[
    probe(
        (Gateway, "credentials-to-a-listed-host", "a list of headers that go out"),
        "send credentials of its own to a listed host, in the clear",
        r#"ask "GET http://localhost:$LISTED/ HTTP/1.1\r\nHost: localhost:$LISTED\r\n\
Proxy-Authorization: Bearer $WAY\r\nAuthorization: Bearer attacker-owned\r\nCookie: \
a=attacker-owned\r\nConnection: close\r\n\r\n""#,
        &["this is a listed host"],
    ),
    probe(
        (Gateway, "upload-in-the-clear", "GET and HEAD only (rule `plain-http`)"),
        "upload to a listed host, in the clear",
        r#"for method in POST PUT PATCH DELETE OPTIONS TRACE; do for length in "X: y" \
"Content-Length: 8"; do ask "$method http://localhost:$LISTED/ HTTP/1.1\r\nHost: \
localhost:$LISTED\r\nProxy-Authorization: Bearer $WAY\r\n$length\r\nConnection: close\r\n\r\n\
smuggled"; done; done > ~/answers; grep '^HTTP/1.1 2' ~/answers && echo THROUGH; echo "$(grep \
-c '^HTTP/1.1 4' ~/answers) refusals""#,
        &["12 refusals"],
    ),
    probe(
        (Gateway, "listed-host-without-a-token", "a token for each run (rule `run-token`)"),
        "reach a listed host without the run's token, or with that of another run",
        r#"for token in none "$OTHER_TOKEN" "$ENDED_TOKEN"; do ask "CONNECT localhost:$LISTED \
HTTP/1.1\r\nHost: localhost:$LISTED\r\nProxy-Authorization: Bearer $token\r\n\r\n"; done > \
~/answers; grep '^HTTP/1.1 2' ~/answers && echo THROUGH; echo "$(grep -c '^HTTP/1.1 407' \
~/answers) refusals""#,
        &["3 refusals"],
    ),
    probe(
        (
            Gateway,
            "listed-host-by-other-names",
            "names that are compared as they are (rule `hosts`)",
        ),
        "reach other hosts and ports by names that look like a listed one",
        r#"for host in localhost.:$LISTED localhost:$PORT 127.0.0.1:$LISTED [::1]:$LISTED \
0:$LISTED me@localhost:$LISTED localhost:$LISTED@evil.test:443 localhost%00.evil.test:443 \
"localhost:$LISTED/../x" localhost.evil.test:$LISTED localhost:0$LISTED; do ask "CONNECT \
$host HTTP/1.1\r\nHost: $host\r\nProxy-Authorization: Bearer $WAY\r\nConnection: close\r\n\r\n\
"; done > ~/answers; grep '^HTTP/1.1 2' ~/answers && echo THROUGH; echo "$(grep -c '^HTTP/1.1 \
4' ~/answers) refusals""#,
        &["11 refusals"],
    ),
    probe(
        (
            Gateway,
            "another-host-behind-a-listed-one",
            "one name for each request (rule `authority`)",
        ),
        "ask a listed host for the pages of another one that it serves",
        r#"for host in evil.test localhost localhost:80 "localhost:$LISTED, evil.test"; do \
ask "GET http://localhost:$LISTED/ HTTP/1.1\r\nHost: $host\r\nProxy-Authorization: Bearer \
$WAY\r\nConnection: close\r\n\r\n"; done > ~/answers; ask "GET http://localhost:$LISTED/ \
HTTP/1.1\r\nHost: localhost:$LISTED\r\nHost: evil.test\r\nProxy-Authorization: Bearer $WAY\r\n\
\r\n" >> ~/answers; grep '^HTTP/1.1 2' ~/answers && echo THROUGH; echo "$(grep -c '^HTTP/1.1 \
4' ~/answers) refusals""#,
        &["5 refusals"],
    ),
    probe(
        (Gateway, "smuggled-to-a-listed-host", "one request for each connection, and no body"),
        "hide a second request in one that is allowed",
        r#"hidden="POST /smuggled HTTP/1.1\r\nHost: localhost:$LISTED\r\n\r\n"; for lengths \
in "Content-Length: 60" "Transfer-Encoding: chunked" "Content-Length: 0\r\nTransfer-Encoding: \
chunked" "X: y"; do ask "GET http://localhost:$LISTED/ HTTP/1.1\r\nHost: localhost:$LISTED\r\n\
Proxy-Authorization: Bearer $WAY\r\n$lengths\r\n\r\n0\r\n\r\n$hidden"; done; ask "GET \
http://localhost:$LISTED/%0d%0aX:smuggled\tHTTP/1.1\r\nX: y HTTP/1.1\r\n\r\n""#,
        &["HTTP/1.1 4", "this is a listed host"],
    ),
    probe(
        (Gateway, "large-upload-to-a-listed-host", "an allowance for each run (rule `transfer`)"),
        "carry out more than it may through a tunnel to a listed host",
        r#"exec 3<>/dev/tcp/127.0.0.1/$GATE; printf "CONNECT localhost:$LISTED HTTP/1.1\r\n\
Host: localhost:$LISTED\r\nProxy-Authorization: Bearer $WAY\r\n\r\n" >&3; head -n 1 <&3; head \
-c 8000000 /dev/zero >&3; exec 3>&-; ask "CONNECT localhost:$LISTED HTTP/1.1\r\nHost: \
localhost:$LISTED\r\nProxy-Authorization: Bearer $WAY\r\n\r\n""#,
        &["rule `transfer`", "rule transfer"],
    ),
];

/// What the model's service got that it must not get.
pub(super) fn damage(model: &Model) -> Vec<String> {
    let mut damage = Vec::new();
    for call in model.calls() {
        if call.model() == "smuggled" {
            damage.push("a smuggled request reached the model's service".to_owned());
        }
        if call.head.contains("attacker-owned") {
            damage.push(format!("the model's service was told {}", call.head));
        }
    }
    damage
}
