//! Attempts at the gateway: the one thing that an agent can talk to.

use crate::harness::model::Model;

use super::attack::Family::Gateway;
use super::probe;
use super::sortie::Probe;

const TOKEN: &str = "a token for each run (rule `run-token`)";
const PATHS: &str = "a list of calls, and paths that are built by the gateway (rule `model-paths`)";
const HEADERS: &str = "a list of headers that go out";
const SIZE: &str = "a limit for each request (rule `request-size`)";
const HOSTS: &str = "a list of hosts, whose names are compared as they are (rule `hosts`)";

pub(super) const PROBES: &[Probe] = &[
    probe(
        (Gateway, "no-token", TOKEN),
        "make a call without a token",
        r#"BODY={} send "$CALL" 'Host: x'"#,
        &[" 401 "],
    ),
    probe(
        (Gateway, "guessed-token", TOKEN),
        "make a call with tokens that it guesses",
        r#"for guess in "" 0 null sk-ant-api03 "$(printf 'a%.0s' $(seq 64))"; do
            BODY={} send "$CALL" 'Host: x' "X-Api-Key: $guess" "Authorization: Bearer $guess"
        done > ~/answers; sum 401"#,
        &["5 refusals"],
    ),
    probe(
        (Gateway, "token-of-a-living-run", TOKEN),
        "make a call with the token of another run that is under way",
        r#"BODY={} send "$CALL" 'Host: x' "X-Api-Key: $OTHER_TOKEN""#,
        &[" 401 "],
    ),
    probe(
        (Gateway, "token-of-an-ended-run", TOKEN),
        "make a call with the token of a run that is over",
        r#"BODY={} send "$CALL" 'Host: x' "X-Api-Key: $ENDED_TOKEN""#,
        &[" 401 "],
    ),
    probe(
        (Gateway, "other-calls-of-the-service", PATHS),
        "list files, keys, batches and other accounts of the same service",
        r#"for call in 'GET /anthropic/v1/files' 'GET /anthropic/v1/organizations/api_keys' \
            'POST /anthropic/v1/messages/batches' 'DELETE /anthropic/v1/files/1' \
            'POST /anthropic/v1/complete' 'GET /openai/v1/models' 'GET /v1/messages'; do
            BODY={} send "$call HTTP/1.1" 'Host: x' "$KEY"
        done > ~/answers; sum 404"#,
        &["7 refusals"],
    ),
    probe(
        (Gateway, "paths-with-dots", PATHS),
        "leave the list of calls with dots, escapes and double slashes",
        r#"at=/anthropic/v1/messages
        for path in $at/../files /anthropic/v1/%2e%2e/files /anthropic//v1/messages $at/ \
            $at%00 $at%2f..%2ffiles "$at;/../files" //169.254.169.254/v1/messages; do
            BODY={} send "POST $path HTTP/1.1" 'Host: x' "$KEY"
        done > ~/answers; sum 404"#,
        &["8 refusals"],
    ),
    probe(
        (Gateway, "another-server-by-its-address", HOSTS),
        "use the gateway as a proxy to a service on the host's loopback",
        r#"for port in $PORT 80; do
            send "GET http://127.0.0.1:$port/ HTTP/1.1" "Host: 127.0.0.1:$port" "$VIA" "$KEY"
        done > ~/answers; sum 403"#,
        &["2 refusals"],
    ),
    probe(
        (Gateway, "tunnel-to-loopback", HOSTS),
        "open a tunnel to a service on the host's loopback",
        r#"send "CONNECT 127.0.0.1:$PORT HTTP/1.1" "Host: 127.0.0.1:$PORT" "$VIA""#,
        &[" 403 "],
    ),
    probe(
        (Gateway, "tunnel-to-odd-addresses", HOSTS),
        "open tunnels to loopback, metadata and private addresses in all the ways to write them",
        r#"for host in 169.254.169.254 [fd00:ec2::254] [::1] [::ffff:127.0.0.1] \
            [64:ff9b::7f00:1] [::127.0.0.1] 0.0.0.0 0 127.1 2130706433 0x7f000001 0177.0.0.1 \
            127.0.0.1.nip.test localhost. LOCALHOST 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 \
            metadata.google.internal; do
            send "CONNECT $host:$PORT HTTP/1.1" "Host: $host:$PORT" "$VIA"
        done > ~/answers; sum 4"#,
        &["20 refusals"],
    ),
    probe(
        (Gateway, "smuggled-request", PATHS),
        "hide a second request behind two lengths that contradict each other",
        r#"said='{"model":"smuggled","messages":[{"role":"user","content":"hello, there"}]}'
        hidden="POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close"
        hidden="$hidden\r\nContent-Length: ${#said}\r\n\r\n$said"
        for lengths in 'Content-Length: 300\r\nTransfer-Encoding: chunked' \
            'Transfer-Encoding: chunked\r\nContent-Length: 300' 'Transfer-Encoding: x, chunked' \
            'Content-Length: 5\r\nContent-Length: 300'; do
            ask "$CALL\r\nHost: x\r\n$KEY\r\n$lengths\r\n\r\n0\r\n\r\n$hidden"
        done"#,
        &[" 400 ", " 401 "],
    ),
    probe(
        (Gateway, "account-of-the-attacker", HEADERS),
        "have the call made with a key, an organisation and cookies of its own",
        r#"export BODY='{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]}'
        send 'POST /anthropic/v1/messages?key=attacker-owned HTTP/1.1' "$KEY" \
            'Host: attacker-owned.test' 'Authorization: Bearer attacker-owned' \
            'Anthropic-Organization: attacker-owned' 'Cookie: a=attacker-owned' \
            'X-Forwarded-Host: attacker-owned' 'Forwarded: host=attacker-owned' \
            'Content-Type: application/json' | head -n 1"#,
        &["HTTP/1.1 200 OK"],
    ),
    probe(
        (Gateway, "too-large-a-request", SIZE),
        "have the daemon keep a request of forty megabytes",
        r#"{ begin 41943040; head -c 41943040 /dev/zero; } | pour"#,
        &[" 413 "],
    ),
    probe(
        (Gateway, "deep-request", SIZE),
        "bring the daemon down with two hundred thousand nested brackets",
        r#"{ begin 200000; head -c 200000 /dev/zero | tr '\0' '['; } | pour"#,
        &[" 400 ", " 413 "],
    ),
    probe(
        (Gateway, "many-connections", "a limit of connections for each run"),
        "use up the daemon's descriptors with three hundred idle connections",
        r#"ulimit -n 1024; n=0
        for i in $(seq 300); do exec {fd}<>/dev/tcp/127.0.0.1/$GATE && n=$((n+1)); done
        echo "$n connections later""#,
        &["connections later"],
    ),
    probe(
        (Gateway, "another-socket", "mounts that are read-only"),
        "put a socket of its own in the place of the gateway's",
        r#"rm -f /run/zazen/gateway/*; mkdir /run/zazen/gateway/x && echo THROUGH
        mv /run/zazen/gateway /run/zazen/x && echo THROUGH"#,
        &["Read-only file system"],
    ),
];

/// These are about the one host that the repository lists, a service on loopback.
pub(super) const LISTED: &[Probe] = &[
    probe(
        (Gateway, "credentials-to-a-listed-host", HEADERS),
        "send credentials of its own to a listed host, in the clear",
        r#"send "GET http://localhost:$LISTED/ HTTP/1.1" "Host: localhost:$LISTED" "$VIA" \
            'Authorization: Bearer attacker-owned' 'Cookie: a=attacker-owned'"#,
        &["this is a listed host"],
    ),
    probe(
        (Gateway, "upload-in-the-clear", "GET and HEAD only (rule `plain-http`)"),
        "upload to a listed host, in the clear",
        r#"for method in POST PUT PATCH DELETE OPTIONS TRACE; do for body in '' smuggled; do
            BODY=$body send "$method http://localhost:$LISTED/ HTTP/1.1" \
                "Host: localhost:$LISTED" "$VIA"
        done; done > ~/answers; sum 4"#,
        &["12 refusals"],
    ),
    probe(
        (Gateway, "listed-host-without-a-token", TOKEN),
        "reach a listed host without the run's token, or with that of another run",
        r#"for token in none "$OTHER_TOKEN" "$ENDED_TOKEN"; do
            send "CONNECT localhost:$LISTED HTTP/1.1" "Host: localhost:$LISTED" \
                "Proxy-Authorization: Bearer $token"
        done > ~/answers; sum 407"#,
        &["3 refusals"],
    ),
    probe(
        (Gateway, "listed-host-by-other-names", HOSTS),
        "reach other hosts and ports by names that look like a listed one",
        r#"for host in localhost.:$LISTED localhost:$PORT 127.0.0.1:$LISTED [::1]:$LISTED \
            0:$LISTED me@localhost:$LISTED localhost:$LISTED@evil.test:443 \
            localhost%00.evil.test:443 localhost:$LISTED/../x localhost.evil.test:$LISTED \
            localhost:0$LISTED; do
            send "CONNECT $host HTTP/1.1" "Host: $host" "$VIA"
        done > ~/answers; sum 4"#,
        &["11 refusals"],
    ),
    probe(
        (Gateway, "another-host-behind-a-listed-one", "one name a request (rule `authority`)"),
        "ask a listed host for the pages of another one that it serves",
        r#"get="GET http://localhost:$LISTED/ HTTP/1.1"
        { for host in evil.test localhost localhost:80 "localhost:$LISTED, evil.test"; do
            send "$get" "Host: $host" "$VIA"
        done; send "$get" "Host: localhost:$LISTED" 'Host: evil.test' "$VIA"; } > ~/answers
        sum 4"#,
        &["5 refusals"],
    ),
    probe(
        (Gateway, "smuggled-to-a-listed-host", "one request for each connection, and no body"),
        "hide a second request in one that is allowed",
        r#"hidden="POST /smuggled HTTP/1.1\r\nHost: localhost:$LISTED\r\n\r\n"
        get="GET http://localhost:$LISTED/ HTTP/1.1\r\nHost: localhost:$LISTED\r\n$VIA"
        for lengths in 'Content-Length: 60' 'Transfer-Encoding: chunked' \
            'Content-Length: 0\r\nTransfer-Encoding: chunked' 'X: y'; do
            ask "$get\r\n$lengths\r\n\r\n0\r\n\r\n$hidden"
        done"#,
        &["HTTP/1.1 4", "this is a listed host"],
    ),
    probe(
        (Gateway, "large-upload-to-a-listed-host", "an allowance a run (rule `transfer`)"),
        "carry out more than it may through a tunnel to a listed host",
        r#"connect="CONNECT localhost:$LISTED HTTP/1.1\r\nHost: localhost:$LISTED\r\n$VIA\r\n"
        exec 3<>/dev/tcp/127.0.0.1/$GATE; printf "$connect\r\n" >&3; head -n 1 <&3
        head -c 8000000 /dev/zero >&3; exec 3>&-; ask "$connect\r\n""#,
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
