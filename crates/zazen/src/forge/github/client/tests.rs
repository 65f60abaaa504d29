//! Tests of the client, by a server on loopback that answers as each test says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use zazen_core::id::{IssueNumber, PullNumber, Time};
use zazen_core::trust::Permission;

use self::server::{Reply, Seen, Server};
use super::*;

pub(super) mod server;

const TOKEN: &str = "ghp_a-token-for-tests-0123456789";
const ISSUE: &str = "GET /repos/ada/tally/issues/3";
const COMMENTS: &str = "POST /repos/ada/tally/issues/3/comments";
const MINT: &str = "POST /app/installations/42/access_tokens";

fn repo() -> RepoName {
    "ada/tally".parse().unwrap()
}

fn client(api: Url, login: Login) -> Client {
    Client::new(Options { api, login, limits: Limits::AsTold }).unwrap()
}

fn with_token(server: &Server) -> Client {
    client(server.url(), Login::Token(Secret::new(TOKEN)))
}

fn as_app(server: &Server) -> Client {
    let key = AppKey::from_pem(&app::tests::pem()).unwrap();
    client(server.url(), Login::App { id: 7, key })
}

fn issue() -> Value {
    json!({
        "number": 3,
        "title": "Sums are wrong",
        "created_at": "2026-11-21T09:00:00Z",
        "updated_at": "2026-11-21T09:10:00Z",
        "state": "open",
    })
}

/// How GitHub writes the moment so many minutes from now.
fn in_minutes(n: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(n);
    jiff::Timestamp::from_second(at.as_second()).unwrap().to_string()
}

/// What an App finds at GitHub: itself installed, and tokens that are good for so long.
fn app_answers(seen: &Seen, n_minted: &AtomicU64, minutes: i64) -> Reply {
    match seen.line().as_str() {
        "GET /repos/ada/tally/installation" => Reply::json(200, &json!({ "id": 42 })),
        MINT => {
            let n = n_minted.fetch_add(1, Ordering::SeqCst);
            let body = json!({ "token": format!("ghs_{n}"), "expires_at": in_minutes(minutes) });
            Reply::json(201, &body)
        }
        _ => Reply::json(200, &issue()),
    }
}

async fn look(client: &Client) -> Result<Item> {
    client.issue(&repo(), IssueNumber(3)).await
}

async fn comment(client: &Client) -> Result<u64> {
    client.create_comment(&repo(), IssueNumber(3), "hello").await
}

#[tokio::test]
async fn a_token_is_minted_once_for_many_callers_with_the_least_that_they_need() {
    let n_minted = AtomicU64::new(0);
    let server = Server::start(move |seen| app_answers(seen, &n_minted, 60)).await;
    let client = as_app(&server);
    let mut set = JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        set.spawn(async move { look(&client).await.unwrap() });
    }
    while let Some(done) = set.join_next().await {
        done.unwrap();
    }
    assert_eq!((server.n(ISSUE), server.n(MINT)), (10, 1));
    client.git_auth(&repo(), Purpose::Push).await.unwrap();
    client.git_auth(&repo(), Purpose::Push).await.unwrap();
    let minted: Vec<Seen> = server.seen().into_iter().filter(|seen| seen.line() == MINT).collect();
    let asked: Vec<&Value> = minted.iter().map(|seen| &seen.body).collect();
    assert_eq!(
        asked,
        [
            &json!({
                "repositories": ["tally"],
                "permissions": { "issues": "read", "metadata": "read", "pull_requests": "read" },
            }),
            &json!({
                "repositories": ["tally"],
                "permissions": { "contents": "write", "metadata": "read" },
            }),
        ]
    );
    for seen in server.seen() {
        match seen.line().as_str() {
            ISSUE => assert_eq!(seen.bearer(), "ghs_0"),
            _ => assert_eq!(app::tests::verified(seen.bearer()).unwrap()["iss"], "7"),
        }
    }
    assert_eq!(client.secrets().len(), 3, "the key and two tokens");
    assert_eq!(server.n("GET /repos/ada/tally/installation"), 1);
}

#[tokio::test]
async fn a_token_that_ends_soon_is_not_used_again() {
    let n_minted = AtomicU64::new(0);
    let server = Server::start(move |seen| app_answers(seen, &n_minted, 4)).await;
    let client = as_app(&server);
    look(&client).await.unwrap();
    look(&client).await.unwrap();
    assert_eq!(server.n(MINT), 2);
    assert_eq!(server.seen().last().unwrap().bearer(), "ghs_1");
}

#[tokio::test]
async fn the_apps_word_is_dated_by_githubs_clock() {
    let late = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(30);
    let date =
        jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&late).unwrap();
    let late = u64::try_from(late.as_second()).unwrap();
    let n_minted = AtomicU64::new(0);
    let server = Server::start(move |seen| {
        let is_late = |claims: Value| claims["exp"].as_u64().unwrap() > late;
        let reply = if seen.bearer().starts_with("ghs_") {
            Reply::json(200, &issue())
        } else if app::tests::verified(seen.bearer()).is_some_and(is_late) {
            app_answers(seen, &n_minted, 120)
        } else {
            Reply::said(401, "'Expiration time' claim ('exp') is in the past")
        };
        reply.with("date", &date)
    })
    .await;
    look(&as_app(&server)).await.unwrap();
}

#[tokio::test]
async fn a_refused_token_is_minted_once_more_and_then_no_more() {
    let n_minted = AtomicU64::new(0);
    let server = Server::start(move |seen| match seen.bearer() {
        "ghs_0" => Reply::said(401, "Bad credentials"),
        _ if seen.line() == COMMENTS => Reply::json(201, &json!({ "id": 5 })),
        _ => app_answers(seen, &n_minted, 60),
    })
    .await;
    let client = as_app(&server);
    assert_eq!(comment(&client).await, Ok(5));
    assert_eq!((server.n(COMMENTS), server.n(MINT)), (2, 2));

    let server = Server::start(|_| Reply::said(401, "Bad credentials")).await;
    assert!(matches!(look(&with_token(&server)).await, Err(CallError::Unauthorized { .. })));
    assert_eq!(server.n(ISSUE), 1, "a person's token has no other");
    assert!(matches!(look(&as_app(&server)).await, Err(CallError::Unauthorized { .. })));
    assert_eq!(server.n("GET /repos/ada/tally/installation"), 2);
}

#[tokio::test]
async fn gh_is_asked_once_and_again_when_its_token_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("gh");
    let script = "#!/bin/sh\necho \"$@\" >> \"$HOME/asked\"\nwc -l < \"$HOME/asked\" | tr -d ' '\n";
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let server = Server::start(|seen| match seen.bearer() {
        "1" => Reply::said(401, "Bad credentials"),
        _ => Reply::json(200, &issue()),
    })
    .await;
    let env = [("HOME".to_owned(), dir.path().display().to_string())];
    let client = client(server.url(), Login::Gh(Gh { program, env: env.into() }));
    look(&client).await.unwrap();
    look(&client).await.unwrap();
    let asked = std::fs::read_to_string(dir.path().join("asked")).unwrap();
    assert_eq!(asked, "auth token --hostname 127.0.0.1\n".repeat(2));
    assert_eq!(server.seen().last().unwrap().bearer(), "2");
}

#[tokio::test]
async fn a_look_is_sent_again_and_an_act_is_not() {
    let server = Server::start(|_| Reply::said(502, "Server Error")).await;
    let client = with_token(&server);
    let looked = look(&client).await.unwrap_err();
    assert!(!looked.may_have_acted() && looked.is_passing(), "{looked}");
    let acted = comment(&client).await.unwrap_err();
    assert!(acted.may_have_acted(), "{acted}");
    assert_eq!((server.n(ISSUE), server.n(COMMENTS)), (3, 1));
}

#[tokio::test]
async fn an_act_says_whether_it_may_have_been_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut set = JoinSet::new();
    set.spawn(async move {
        // Takes the request and goes away, as a service does that crashes.
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1];
        stream.read_exact(&mut bytes).await.unwrap();
    });
    let client = client(api, Login::Token(Secret::new(TOKEN)));
    let cut = comment(&client).await.unwrap_err();
    assert!(cut.may_have_acted(), "{cut}");
    set.join_next().await.unwrap().unwrap();
    let refused = comment(&client).await.unwrap_err();
    assert!(matches!(refused, CallError::Unreachable { may_have_acted: false, .. }), "{refused}");

    let server = Server::start(|_| Reply::bytes(b"<html>".to_vec())).await;
    let unread = comment(&with_token(&server)).await.unwrap_err();
    assert!(unread.may_have_acted(), "what came of it is not known: {unread}");
}

#[tokio::test]
async fn nothing_is_sent_while_github_wants_us_to_wait() {
    let limited = |reply: Reply| async move {
        let server = Server::start(move |_| reply.clone()).await;
        let client = with_token(&server);
        let now = jiff::Timestamp::now().as_second();
        let Err(CallError::Limited { until }) = comment(&client).await else { panic!("no limit") };
        let Err(CallError::Limited { until: again }) = look(&client).await else { panic!("sent") };
        assert_eq!(server.seen().len(), 1);
        assert!(until.0.abs_diff(again.0) < 1_000);
        assert_eq!(client.waits()[0].why, Why::Told);
        i64::try_from(until.0 / 1_000).unwrap() - now
    };
    let close = |seconds: i64, wanted: i64| assert!((seconds - wanted).abs() < 30, "{seconds}");
    close(limited(Reply::said(403, "no").with("retry-after", 600)).await, 600);
    close(limited(Reply::said(429, "no").with("retry-after", 600)).await, 600);
    let reset = jiff::Timestamp::now().as_second() + 900;
    let over = Reply::said(403, "API rate limit exceeded")
        .with("x-ratelimit-limit", 5_000)
        .with("x-ratelimit-remaining", 0)
        .with("x-ratelimit-reset", reset);
    close(limited(over).await, 900);
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes.";
    close(limited(Reply::said(403, secondary)).await, 60);
}

#[tokio::test]
async fn a_look_waits_for_a_moment_and_is_made_then() {
    let n = AtomicU64::new(0);
    let server = Server::start(move |_| match n.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::said(429, "no").with("retry-after", 1),
        _ => Reply::json(200, &issue()),
    })
    .await;
    assert_eq!(look(&with_token(&server)).await.unwrap().title, "Sums are wrong");
}

#[tokio::test]
async fn each_refusal_has_its_kind_and_says_what_github_said() {
    let of = |status: u16| async move {
        let server = Server::start(move |_| {
            let errors = json!([{ "code": "already_exists", "field": "head" }, "and more"]);
            Reply::json(status, &json!({ "message": "Because.", "errors": errors }))
        })
        .await;
        comment(&with_token(&server)).await.unwrap_err()
    };
    let denied = of(403).await;
    assert!(matches!(&denied, CallError::Denied { why } if why.contains("Because.")), "{denied}");
    assert!(matches!(of(404).await, CallError::NotFound { .. }));
    assert!(matches!(of(409).await, CallError::Conflict { .. }));
    assert!(matches!(of(410).await, CallError::Gone { .. }));
    let invalid = of(422).await;
    assert!(matches!(&invalid, CallError::Invalid { .. }) && invalid.is_there_already());
    let said = "`POST repos/ada/tally/issues/3/comments` at `127.0.0.1` was not taken (status 422): \
        GitHub says \"Because.; head already_exists; and more\"";
    assert_eq!(invalid.to_string(), said);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again_and_is_kept_for_its_token() {
    let server = Server::start(|seen| match seen.header("if-none-match") {
        Some("\"one\"") => Reply::bytes(Vec::new()),
        _ => Reply::json(200, &issue()).with("etag", "\"one\""),
    })
    .await;
    // A 304, and not an empty 200.
    let server_304 = Server::start(|seen| match seen.header("if-none-match") {
        Some("\"one\"") => Reply::json(304, &Value::Null),
        Some(other) => panic!("{other}"),
        None => Reply::json(200, &issue()).with("etag", "\"one\""),
    })
    .await;
    drop(server);
    let client = with_token(&server_304);
    let first = look(&client).await.unwrap();
    assert_eq!(look(&client).await.unwrap(), first);
    let asked: Vec<Option<String>> = server_304
        .seen()
        .iter()
        .map(|seen| seen.header("if-none-match").map(str::to_owned))
        .collect();
    assert_eq!(asked, [None, Some("\"one\"".to_owned())]);
}

#[tokio::test]
async fn a_poll_keeps_its_own_etag() {
    let server = Server::start(|seen| match seen.header("if-none-match") {
        Some("\"one\"") => Reply::json(304, &Value::Null).with("etag", "\"one\""),
        _ => {
            Reply::json(200, &json!([issue()])).with("etag", "\"one\"").with("x-poll-interval", 60)
        }
    })
    .await;
    let client = with_token(&server);
    let since = Some(Time(1_763_715_600_999));
    let first = client.changed_items(&repo(), since, None).await.unwrap();
    assert_eq!(first.items.as_ref().map(Vec::len), Some(1));
    assert_eq!(first.poll_after, Some(Duration::from_secs(60)));
    let again = client.changed_items(&repo(), since, first.etag.as_deref()).await.unwrap();
    assert_eq!((again.items, again.etag), (None, Some("\"one\"".to_owned())));
    assert!(server.seen()[0].query.ends_with("since=2025-11-21T09%3A00%3A00Z"));
}

#[tokio::test]
async fn the_token_goes_to_no_other_place() {
    let other = Server::start(|_| Reply::bytes(vec![b'x'; (1 << 20) + 7])).await;
    let away = format!("http://{}/log", other.address);
    let there = away.clone();
    let server = Server::start(move |seen| match seen.line().as_str() {
        "GET /repos/ada/tally/actions/jobs/9/logs" => Reply::said(302, "").with("location", &there),
        "GET /repos/ada/tally/actions/jobs/8/logs" => {
            Reply::said(302, "").with("location", "http://example.org/log")
        }
        ISSUE => Reply::said(302, "").with("location", &there),
        _ => Reply::said(301, "Moved Permanently").with("location", &there),
    })
    .await;
    let client = with_token(&server);
    assert!(matches!(look(&client).await, Err(CallError::Gone { .. })));
    assert!(matches!(comment(&client).await, Err(CallError::Gone { .. })));
    assert!(other.seen().is_empty());
    let log = client.job_log(&repo(), 9).await.unwrap();
    assert_eq!(log.len(), 1 << 20, "the end of it");
    assert_eq!(other.seen()[0].header("authorization"), None);
    let in_the_clear = client.job_log(&repo(), 8).await.unwrap_err();
    assert!(matches!(in_the_clear, CallError::Broken { .. }), "{in_the_clear}");
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let server = Server::start(|seen| {
        if seen.query.starts_with("per_page=100") {
            return Reply::bytes(vec![b' '; transport::BODY_BYTES_MAX + 1]);
        }
        let text = |id: u64| {
            let at = in_minutes(0);
            json!({ "id": id, "body": "b", "created_at": at, "updated_at": at })
        };
        let second = seen.query.contains("page=2");
        let texts = if second { vec![text(11)] } else { (1..=10).map(text).collect() };
        Reply::json(200, &Value::Array(texts))
    })
    .await;
    let client = with_token(&server);
    let texts = client.comments(&repo(), IssueNumber(3)).await.unwrap();
    assert_eq!(texts.iter().map(|text| text.id).collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
    let large = Server::start(|_| Reply::bytes(vec![b' '; transport::BODY_BYTES_MAX + 1])).await;
    assert!(matches!(look(&with_token(&large)).await, Err(CallError::Broken { .. })));
    let acted = comment(&with_token(&large)).await.unwrap_err();
    assert!(acted.may_have_acted());
}

#[tokio::test]
async fn of_the_address_of_a_next_page_only_the_query_counts() {
    let server = Server::start(|seen| {
        let page = json!([{ "id": 1, "event": "labeled", "label": { "name": "zazen:plan" } }]);
        let next = "<http://example.org/elsewhere?per_page=100&after=abc>; rel=\"next\", \
            <http://example.org/>; rel=\"last\"";
        match seen.query.as_str() {
            "per_page=100" => Reply::json(200, &page).with("link", next),
            "per_page=100&after=abc" => Reply::json(200, &page),
            other => panic!("{other}"),
        }
    })
    .await;
    let events = with_token(&server).events(&repo(), IssueNumber(3)).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].label.as_deref(), Some("zazen:plan"));
    assert_eq!(server.n("GET /repos/ada/tally/issues/3/events"), 2);
}

#[tokio::test]
async fn a_list_without_an_end_is_left_alone() {
    let server =
        Server::start(|_| Reply::json(200, &Value::Array(vec![json!({ "id": 1 }); 100]))).await;
    let endless = with_token(&server).reviews(&repo(), PullNumber(3)).await;
    assert!(matches!(endless, Err(CallError::Denied { .. })));
    assert_eq!(server.seen().len(), ENTRIES_MAX / 100);
}

#[tokio::test]
async fn no_secret_is_in_anything_that_is_printed() {
    let server =
        Server::start(|seen| Reply::said(422, &format!("you said {}", seen.bearer()))).await;
    let client = with_token(&server);
    let said = format!("{:?}", comment(&client).await.unwrap_err());
    assert!(said.contains("you said") && !said.contains(TOKEN), "{said}");
    assert!(!format!("{client:?}").contains(TOKEN));
    assert!(!format!("{:?}", client.git_auth(&repo(), Purpose::Push).await).contains(TOKEN));
    assert!(client.secrets().iter().any(|secret| secret.expose() == TOKEN));
    for token in ["", "a b", "a\nb", "ä"] {
        let login = Login::Token(Secret::new(token));
        let made = Client::new(Options { api: server.url(), login, limits: Limits::Github });
        assert!(made.is_err(), "{token}");
    }
}

#[test]
fn a_token_goes_only_where_it_is_encrypted() {
    for api in ["http://git.example.org", "http://localhost:80", "ftp://x", "https://a:b@x"] {
        let login = Login::Token(Secret::new(TOKEN));
        let options = Options { api: api.parse().unwrap(), login, limits: Limits::Github };
        assert!(Client::new(options).is_err(), "{api}");
    }
}

#[tokio::test]
async fn who_may_do_what_is_githubs_word_and_nothing_else() {
    let server = Server::start(|seen| {
        let login = seen.path.split('/').nth(5).unwrap();
        let (permission, role) = match login {
            "ada" => ("admin", "admin"),
            "mia" => ("write", "maintain"),
            "tri" => ("read", "triage"),
            // A role of the organisation's own that is called like one of GitHub's.
            "eve" => ("read", "admin"),
            "own" => ("write", "engineers"),
            "odd" => ("owner", "owner"),
            _ => return Reply::said(404, "Not Found"),
        };
        let body =
            json!({ "permission": permission, "role_name": role, "user": { "login": login } });
        Reply::json(200, &body)
    })
    .await;
    let client = with_token(&server);
    for (login, permission) in [
        ("ada", Permission::Admin),
        ("mia", Permission::Maintain),
        ("tri", Permission::Triage),
        ("eve", Permission::Read),
        ("own", Permission::Write),
        ("odd", Permission::None),
        ("nobody", Permission::None),
        ("x[bot]", Permission::None),
        ("../../x", Permission::None),
        ("", Permission::None),
    ] {
        assert_eq!(client.permission(&repo(), login).await, Ok(permission), "{login}");
    }
    assert!(server.seen().iter().all(|seen| seen.path.ends_with("/permission")));
    let down = Server::start(|_| Reply::said(500, "")).await;
    assert!(with_token(&down).permission(&repo(), "ada").await.is_err());
}

#[tokio::test]
async fn an_app_is_its_bot_and_a_token_its_person() {
    let server = Server::start(|seen| match seen.line().as_str() {
        "GET /app" => Reply::json(200, &json!({ "slug": "zazen-of-ada" })),
        "GET /users/zazen-of-ada[bot]" | "GET /users/zazen-of-ada%5Bbot%5D" => {
            assert_eq!(seen.header("authorization"), None);
            Reply::json(200, &json!({ "login": "zazen-of-ada[bot]", "id": 99, "type": "Bot" }))
        }
        "GET /user" => Reply::json(200, &json!({ "login": "ada", "id": 1, "type": "User" })),
        other => panic!("{other}"),
    })
    .await;
    let app = as_app(&server);
    let me = Actor { login: "zazen-of-ada[bot]".to_owned(), id: 99, is_bot: true };
    assert_eq!(app.me().await.as_ref(), Ok(&me));
    assert_eq!(app.me().await, Ok(me));
    assert_eq!(server.n("GET /app"), 1);
    let me = Actor { login: "ada".to_owned(), id: 1, is_bot: false };
    assert_eq!(with_token(&server).me().await, Ok(me));
}

#[tokio::test]
async fn what_github_leaves_out_or_sends_as_null_is_read_all_the_same() {
    let head = "a".repeat(40);
    let end = json!({ "ref": "b", "sha": head, "repo": null });
    let sent = head.clone();
    let server = Server::start(move |seen| {
        let mut body = issue();
        if seen.path.contains("/pulls/") {
            body["head"] = end.clone();
            body["base"] = end.clone();
            body["state"] = json!("closed");
            body["merged_at"] = json!("2026-11-21T09:10:00Z");
        }
        if seen.path.ends_with("check-runs") {
            let actions = "https://github.com/ada/tally/actions/runs/77/job/5";
            body = json!({ "total_count": 2, "check_runs": [
                { "id": 5, "name": "test", "status": "completed", "conclusion": "timed_out",
                  "app": { "id": 1, "slug": "github-actions" }, "details_url": actions,
                  "head_sha": sent, "output": null },
                { "id": 6, "status": "completed", "conclusion": "new", "details_url": actions },
            ]});
        }
        for key in ["user", "body", "labels", "assignees", "pull_request", "mergeable"] {
            body[key] = Value::Null;
        }
        body["a_field_of_tomorrow"] = json!({ "x": 1 });
        Reply::json(200, &body)
    })
    .await;
    let client = with_token(&server);
    let item = look(&client).await.unwrap();
    assert_eq!((item.author, item.body.as_str(), item.is_pull), (Actor::default(), "", false));
    let pull = client.pull(&repo(), PullNumber(3)).await.unwrap();
    assert_eq!((pull.state, pull.head_repo.as_ref()), (crate::forge::PullState::Merged, None));
    assert!(!pull.is_of(&repo()), "a fork that is gone");
    let checks = client.check_runs(&repo(), &head.parse().unwrap()).await.unwrap();
    assert_eq!(checks[0].state, CheckState::Ended(Conclusion::TimedOut));
    assert_eq!(checks[1].state, CheckState::Ended(Conclusion::Other));
    let runs: Vec<Option<u64>> = checks.iter().map(|check| check.workflow_run).collect();
    assert_eq!(runs, [Some(77), None], "only GitHub Actions has runs");
}

#[tokio::test]
async fn each_act_is_the_request_that_github_describes() {
    let server = Server::start(|seen| match seen.line().as_str() {
        "DELETE /repos/ada/tally/issues/3/labels/zazen:plan" => {
            Reply::said(404, "Label is not there")
        }
        "POST /repos/ada/tally/issues" => Reply::json(201, &json!({ "number": 12, "id": 77 })),
        _ => Reply::json(201, &json!({ "id": 5 })),
    })
    .await;
    let client = with_token(&server);
    let (repo, n) = (repo(), IssueNumber(3));
    client.edit_comment(&repo, 8, "new").await.unwrap();
    client.react(&repo, Target::Comment(8), "eyes").await.unwrap();
    client.react(&repo, Target::ReviewComment(8), "eyes").await.unwrap();
    client.react(&repo, Target::Issue(n), "eyes").await.unwrap();
    client.add_labels(&repo, n, &["a", "b"]).await.unwrap();
    client.remove_label(&repo, n, "zazen:plan").await.unwrap();
    client.request_reviewers(&repo, PullNumber(3), &["ada"]).await.unwrap();
    let new = NewIssue { title: "t".into(), body: "b".into(), labels: vec!["l".into()] };
    assert_eq!(client.create_issue(&repo, &new).await, Ok((IssueNumber(12), 77)));
    client.add_sub_issue(&repo, n, 77).await.unwrap();
    let inline = vec![Inline { path: "a.rs".into(), line: 4, side: Side::New, body: "why".into() }];
    let head: zazen_core::id::CommitId = "b".repeat(40).parse().unwrap();
    let review =
        NewReview { commit: head.clone(), event: ReviewEvent::Comment, body: "r".into(), inline };
    assert_eq!(client.create_review(&repo, PullNumber(3), &review).await, Ok(5));
    assert_eq!(client.reply_to_review_comment(&repo, PullNumber(3), (8, "x")).await, Ok(5));
    let check = NewCheck {
        name: "zazen".into(),
        head,
        external_id: "12.3".into(),
        state: CheckState::Ended(Conclusion::Success),
        title: "t".into(),
        summary: "s".into(),
        url: None,
    };
    assert_eq!(client.create_check_run(&repo, &check).await, Ok(5));
    client.update_check_run(&repo, 5, &check).await.unwrap();
    client.rerun_failed(&repo, 77).await.unwrap();
    let seen: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| format!("{} {}", seen.line().replace("/repos/ada/tally", ""), seen.body))
        .collect();
    let page = seen.join("\n") + "\n";
    expect_test::expect_file!["tests/acts.txt"].assert_eq(&page);
}
