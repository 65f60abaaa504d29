//! Tests of the making of an App, with a browser of three lines.

use std::os::unix::fs::PermissionsExt as _;

use super::super::tests::server::{Reply, Server};
use super::*;

fn wanted(server: &Server) -> Wanted {
    Wanted {
        api: server.url(),
        web: server.url(),
        name: "zazen of \"ada\"".to_owned(),
        organization: Some("house".to_owned()),
        hook: Some("https://zazen.example.org/github".parse().unwrap()),
    }
}

/// What a browser gets.
async fn get(url: &str, host: Option<&str>) -> (u16, String) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let mut request = client.get(url);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[tokio::test]
async fn an_app_is_made_with_one_link_and_kept_where_nobody_else_reads() {
    let pem = super::super::app::tests::pem();
    let made = json!({
        "id": 7, "slug": "zazen-of-ada", "pem": pem, "webhook_secret": "hush",
        "owner": { "login": "house" }, "client_secret": "not wanted",
    });
    let server = Server::start(move |seen| match seen.line().as_str() {
        "POST /app-manifests/c0de/conversions" => Reply::json(201, &made),
        other => panic!("{other}"),
    })
    .await;
    let door = Door::open(&wanted(&server)).await.unwrap();
    let link = door.link();
    let base = link.rsplit_once('/').unwrap().0.to_owned();
    let mut set = JoinSet::new();
    set.spawn(door.code(PERSON_TIMEOUT));

    let (status, page) = get(&link, None).await;
    let action = between(&page, "action=\"", "\"");
    let begins = format!("{}organizations/house/settings/apps/new?state=", server.url());
    assert!(status == 200 && action.starts_with(&begins), "{action}");
    let manifest = between(&page, "value=\"", "\"").replace("&quot;", "\"");
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["name"], "zazen of \"ada\"");
    assert_eq!(manifest["redirect_url"], format!("{base}/done"));
    assert_eq!(
        (&manifest["public"], &manifest["hook_attributes"]["active"]),
        (&json!(false), &json!(true))
    );
    assert!(manifest["default_permissions"].get("workflows").is_none());

    let state = action.rsplit_once('=').unwrap().1;
    let right = format!("{base}/done?code=c0de&state={state}");
    for (url, host, status) in [
        (base.clone() + "/", None, 404),
        (link.clone(), Some("example.org"), 403),
        (right.clone(), Some("example.org"), 403),
        (format!("{base}/done?code=c0de"), None, 400),
        (format!("{base}/done?code=c0de&state={}", "0".repeat(64)), None, 400),
        (format!("{base}/done?code=..%2Fx&state={state}"), None, 400),
        (right, None, 200),
    ] {
        assert_eq!(get(&url, host).await.0, status, "{url}");
    }
    let code = set.join_next().await.unwrap().unwrap().unwrap();

    let app = convert(&server.url(), &code).await.unwrap();
    assert_eq!((app.id, app.owner.as_str()), (7, "house"));
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(".zazen/github");
    prepare(&dir).unwrap();
    let (key, secret) = (dir.join("app.pem"), dir.join("webhook-secret"));
    app.store(&key, &secret).unwrap();
    assert_eq!(fs::read_to_string(&key).unwrap(), pem);
    assert_eq!(fs::read_to_string(&secret).unwrap(), "hush");
    let rights = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!([rights(&dir), rights(&key), rights(&secret)], [0o700, 0o600, 0o600]);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "nothing is left over");
    let github = "https://github.com/".parse().unwrap();
    assert_eq!(app.install_link(&github), "https://github.com/apps/zazen-of-ada/installations/new");
    assert!(!format!("{app:?}").contains("hush"));
}

#[tokio::test]
async fn a_person_who_does_not_come_is_waited_for_until_the_limit_only() {
    let server = Server::start(|_| Reply::default()).await;
    let door = Door::open(&wanted(&server)).await.unwrap();
    let said = door.code(Duration::ZERO).await.unwrap_err().to_string();
    assert!(said.contains("zazen github setup"), "{said}");
}

#[tokio::test]
async fn an_answer_that_is_no_app_is_refused_and_the_code_not_shown() {
    let server = Server::start(|seen| {
        let no_key = json!({ "id": 7, "slug": "z", "pem": "hush" });
        if seen.path.contains("good") { Reply::json(201, &no_key) } else { Reply::said(404, "") }
    })
    .await;
    for code in ["good", "used"] {
        let said = format!("{:#}", convert(&server.url(), &Secret::new(code)).await.unwrap_err());
        assert!(!said.contains(code) && !said.contains("hush"), "{said}");
    }
}
